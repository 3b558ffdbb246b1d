"""Tables of the report."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

import numpy as np

from gossamer.cli.details import per_class
from gossamer.cli.results import RunResult
from gossamer.cli.text import shown

__all__ = [
    "bars", "class_scores", "matrix", "note", "pairs", "row", "scroll", "section", "seeds", "table",
    "tiles",
]  # fmt: skip


def section(title: str, content: str) -> str:
    """Return a section of a page, with its heading."""
    name = re.sub(r"\W+", "-", title.lower())
    return (
        f'<section aria-labelledby="{name}"><h2 id="{name}">{escape(title)}</h2>{content}</section>'
    )


def note(text: str) -> str:
    """Return an explanatory paragraph; `text` is HTML."""
    return f'<p class="note">{text}</p>'


def tiles(values: Iterable[tuple[str, str, str, str]]) -> str:
    """Return the key figures at the top of a page, given kind, name, value and remark of each."""
    return "".join(
        f'<div class="tile {kind}"><dt>{escape(name)}</dt>'
        f"<dd>{escape(value)}<small>{escape(remark)}</small></dd></div>"
        for kind, name, value, remark in values
    )


def bars(values: Iterable[tuple[str, float, str]], own: str | None = None) -> str:
    """Return a bar per name, given its fraction of the width and a text; highlight `own`."""
    rows = "".join(
        f'<li class="{"own" if name == own else ""}"><span>{escape(name)}</span>'
        f'<b><i style="width:{100 * max(0.0, min(share, 1.0)):.1f}%"></i></b>'
        f"<span>{escape(text)}</span></li>"
        for name, share, text in values
    )
    return f'<ul class="bars">{rows}</ul>'


def scroll(content: str, label: str) -> str:
    """Return a region that can be scrolled by keyboard, for a table wider than the page."""
    return f'<div class="scroll" tabindex="0" role="region" aria-label="{label}">{content}</div>'


def table(head: Sequence[str], rows: Iterable[str], foot: str = "", kind: str = "wide") -> str:
    """Return a table with a row of headings above `rows`, which are HTML."""
    cells = "".join(
        f'<th scope="{"row" if i == 0 else "col"}">{escape(name)}</th>'
        for i, name in enumerate(head)
    )
    foot = f"<tfoot>{foot}</tfoot>" if foot else ""
    return (
        f'<table class="{kind}"><thead><tr>{cells}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody>{foot}</table>"
    )


def row(name: Any, values: Iterable[Any], kind: str = "") -> str:
    """Return a table row with its heading."""
    cells = "".join(f"<td>{escape(str(value))}</td>" for value in values)
    mark = f' class="{kind}"' if kind else ""
    return f'<tr{mark}><th scope="row">{escape(str(name))}</th>{cells}</tr>'


def pairs(values: Mapping[str, Any]) -> str:
    """Return a table of names and values."""
    rows = "".join(row(key, [shown(value)]) for key, value in values.items())
    return f'<table class="text"><tbody>{rows}</tbody></table>'


def matrix(counts: np.ndarray, names: Sequence[str]) -> str:
    """Return a confusion matrix; the tooltip of a cell shows its fraction of the row."""
    total = counts.sum(1)
    share = counts / np.maximum(total, 1)[:, None]
    rows = []
    for i, name in enumerate(names):
        cells = "".join(_cell(i, j, counts[i, j], share[i, j], names) for j in range(len(names)))
        rows.append(
            f'<tr><th scope="row">{escape(name)}</th>{cells}<td class="side">{total[i]:,}</td></tr>'
        )
    return table(["true \\ predicted", *names, "all"], rows, kind="matrix")


def _cell(i: int, j: int, count: int, share: float, names: Sequence[str]) -> str:
    kind = "zero" if count == 0 else "hit" if i == j else "miss"
    strong = " strong" if share > 0.5 else ""
    hint = f"true {names[i]}, predicted {names[j]}: {count:,}, {100 * share:.1f} % of the row"
    return (
        f'<td class="{kind}{strong}" style="--share:{share:.3f}" '
        f'title="{escape(hint, quote=True)}">{count:,}</td>'
    )


def class_scores(counts: np.ndarray, names: Sequence[str]) -> str:
    """Return a table of precision, recall and F1 of each class, and their means."""
    scores = per_class(counts)
    rows = [
        row(name, [f"{n:,}", *(f"{100 * v:.1f}" for v in values)])
        for name, n, values in zip(names, counts.sum(1), scores, strict=True)
    ]
    means = [f"{counts.sum():,}", *(f"{100 * v:.1f}" for v in scores.mean(0))]
    head = ["class", "items", "precision, %", "recall, %", "F1, %"]
    return table(head, rows, row("mean of classes (macro)", means))


def seeds(result: RunResult) -> str:
    """Return a table of the scores of each seed, and their mean and deviation."""
    metric = result.metric_title
    head = ["seed", "split", "best epoch", "epochs", f"validation {metric}", f"test {metric}"]
    rows = []
    for seed in result.seeds:
        cells = [seed.split, seed.best_epoch, seed.epochs]
        cells += [result.text(seed.val), result.text(seed.test), f"{seed.seconds:.1f} s"]
        rows.append(row(seed.seed, cells, "best" if seed is result.best.result else ""))
    means = ["", f"{result.summary('best_epoch')[0]:.0f}", f"{result.summary('epochs')[0]:.0f}"]
    means += [result.text(*result.summary("val")), result.text(*result.summary("test"))]
    means += [f"{result.summary('seconds')[0]:.1f} s"]
    label = "mean ± std" if len(result.seeds) > 1 else "mean"
    return table([*head, "time"], rows, row(label, means))
