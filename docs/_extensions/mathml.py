"""Formulas as MathML, which browsers render without a script and without a network."""

from __future__ import annotations

from typing import Any

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx


def convert_formula(latex: str, display: str) -> str:
    """LaTeX as a ``<math>`` element; several lines are aligned at ``&``."""
    if "\\\\" in latex and "\\begin" not in latex:
        # latex2mathml knows `align*`, not `aligned`.
        latex = rf"\begin{{align*}}{latex}\end{{align*}}"
    return convert(latex, display=display)


def visit_inline(self: Any, node: nodes.math) -> None:
    """Write a formula within a line."""
    self.body.append(convert_formula(node.astext(), "inline"))
    raise nodes.SkipNode


def visit_block(self: Any, node: nodes.math_block) -> None:
    """Write a formula on a line of its own."""
    formula = convert_formula(node.astext(), "block")
    # Keyboards can scroll only what has the focus.
    self.body.append(f'<div class="formula" tabindex="0">{formula}</div>')
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the renderer ``mathml``."""
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
    return {"parallel_read_safe": True}
