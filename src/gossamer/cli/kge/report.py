"""The report of `gossamer kge train`, in Markdown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from gossamer.cli.kge.options import SETTINGS
from gossamer.cli.kge.training import RECORDED
from gossamer.cli.text import format_table, program

__all__ = ["report", "table"]

_PARTS = ("valid", "test")
_FIGURES = ("mrr", "hits@1", "hits@3", "hits@10")


def _row(name: str, found: dict[str, float]) -> list[str]:
    return [name, *(f"{found[key]:.4f}" for key in _FIGURES)]


def table(result: dict[str, Any]) -> str:
    """Return the metrics as a table for the terminal."""
    rows = [_row(part, result[part]) for part in _PARTS if part in result]
    return format_table(["", *map(str.upper, _FIGURES)], rows, "<>>>>")


def report(
    result: dict[str, Any], parts: list[np.ndarray], entities: list[str], relations: list[str]
) -> str:
    """Return the report of a run in Markdown."""
    settings = result["settings"]
    sizes = " / ".join(f"{len(part):,}" for part in parts)
    lines = [
        f"# {settings['model']} on {Path(settings['data']).name}",
        "",
        f"{len(entities):,} entities, {len(relations):,} relations, {sizes} facts for training, "
        f"validation and test. {settings['steps']:,} steps in {result['seconds']:.0f} s.",
        "",
        "Filtered ranks among all entities, equal scores at their mean rank:",
        "",
        *_markdown(["", *_FIGURES], [
            _row(f"{part}, {what}" if what else part, result[part][what] if what else result[part])
            for part in _PARTS if part in result
            for what in ("", "missing tail", "missing head")
        ]),
    ]  # fmt: skip
    if "test" in result:
        found = sorted(result["test"]["by relation"].items(), key=lambda x: -x[1]["facts"])[:20]
        rows = [[relations[r], f"{f['facts']}", *_row("", f)[1:]] for r, f in found]
        lines += ["", "Test facts by relation, the 20 most frequent:", ""]
        lines += _markdown(["relation", "facts", *_FIGURES], rows)
    chosen = [[name, str(settings[name])] for name in ("model", *SETTINGS)]
    lines += ["", "Settings:", "", *_markdown(["", ""], chosen)]
    curve = [[f"{i * RECORDED:,}", f"{x:.4f}"] for i, x in enumerate(result["losses"], 1)]
    lines += [
        "",
        "Loss, averaged over the steps since the previous row:",
        "",
        *_markdown(["step", "loss"], curve[:: max(1, len(curve) // 20)]),
    ]
    lines += [
        "",
        f"To train again: `{program()} kge train --data {settings['data']} "
        f"--model {settings['model']}`",
    ]
    return "\n".join(lines) + "\n"


def _markdown(header: list[str], rows: list[list[str]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in (header, ["---"] * len(header), *rows)]
