"""`gossamer runs`: a table of runs, and a page with the curves of several."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

from gossamer.cli.figures import class_colors
from gossamer.cli.files import write_atomic
from gossamer.cli.metrics import points
from gossamer.cli.progress import PROGRESS_NAME, read_history
from gossamer.cli.results import Epoch
from gossamer.cli.text import format_table
from gossamer.errors import FileError, InvalidValueError

__all__ = ["find_runs", "print_runs"]

_HEADER = ("run", "data", "model", "seeds", "metric", "val", "test", "seconds", "state")


def print_runs(folders: Sequence[str], page_file: str | None = None) -> None:
    """Print a row for each run; with `page_file`, write a page with their curves.

    Raises
    ------
    FileError
        If a folder does not exist or holds no run.
    """
    if page_file is not None and not page_file.endswith(".html"):
        raise InvalidValueError(f"--page must end in .html, got '{page_file}'.")
    runs = find_runs(folders)
    print(format_table(_HEADER, [_row(run) for run in runs], "<<<><>>><"))
    if page_file is not None:
        write_atomic(page_file, _page(runs))
        print(f"\nThe page is {page_file}")


def find_runs(folders: Sequence[str]) -> list[Path]:
    """The runs in and below some folders, the oldest first; links are not followed."""
    found = []
    for name in folders:
        folder = Path(name)
        if not folder.is_dir():
            raise FileError(f"There is no folder '{name}'. `gossamer train` writes below runs/.")
        below = [folder] if (folder / "config.json").is_file() else [
            path.parent for path in folder.glob("**/config.json") if not path.parent.is_symlink()
        ]  # fmt: skip
        if not below:
            raise FileError(f"There is no run in or below '{name}'.")
        found += below
    return sorted(dict.fromkeys(found), key=lambda path: (path / "config.json").stat().st_mtime)


def _read(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        return values if isinstance(values, dict) else {}
    except (OSError, ValueError):
        return {}


def _row(run: Path) -> list[str]:
    config, metrics = _read(run / "config.json"), _read(run / "metrics.json")
    state = "finished" if metrics and not metrics.get("interrupted") else "interrupted"
    if (run / ".lock").exists():
        state = "running"
    elif state == "interrupted" or (run / PROGRESS_NAME).exists():
        state = "resumable"
    scores = [_score(metrics, part) for part in ("val", "test")]
    seconds = metrics.get("summary", {}).get("seconds", {}).get("mean")
    return [
        str(run),
        str(config.get("dataset", "?")),
        str(config.get("model", "?")),
        str(config.get("seeds", "?")),
        str(metrics.get("metric", "")),
        *scores,
        "" if seconds is None else f"{seconds:.1f}",
        state,
    ]


def _score(metrics: dict[str, Any], part: str) -> str:
    found = metrics.get("summary", {}).get(part, {})
    if found.get("mean") is None:
        return ""
    metric = metrics["metric"]
    digits = 2 if points(metric, 1.0) == 100 else 4
    spread = "" if found["std"] is None else f" ± {points(metric, found['std']):.{digits}f}"
    return f"{points(metric, found['mean']):.{digits}f}{spread}"


def _page(runs: Sequence[Path]) -> str:
    """A page with the table, and for each metric the curves of its runs."""
    groups: dict[str, list[tuple[str, list[Epoch]]]] = {}
    for run in runs:
        history = read_history(run)
        if history:
            metric = str(_read(run / "metrics.json").get("metric", "score"))
            # Of several seeds the first.
            groups.setdefault(metric, []).append((_short(run), next(iter(history.values()))))
    if not groups:
        raise FileError("None of these runs has a history.csv with an epoch; there are no curves.")
    head = "".join(f'<th scope="col">{name}</th>' for name in _HEADER)
    rows = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in _row(run)) + "</tr>" for run in runs
    )
    body = (
        '<section><h2>Table</h2><div class="scroll" tabindex="0" role="region" '
        f'aria-label="Table of runs"><table class="wide"><thead><tr>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div></section>"
    )
    for metric, histories in groups.items():
        figures = "".join(
            _figure(histories, field, name, scale)
            for field, name, scale in (
                ("train_loss", "training loss", 1.0),
                ("val_loss", "validation loss", 1.0),
                ("val_score", f"validation {metric}", points(metric, 1.0)),
            )
        )
        body += f"<section><h2>Curves: {escape(metric)}</h2>{figures}</section>"
    return _PAGE.format(title=f"{len(runs)} runs", body=body)


def _figure(
    histories: Sequence[tuple[str, list[Epoch]]], field: str, name: str, scale: float
) -> str:
    """The curves of a field of all runs, as SVG whose lines have their run as a title."""
    colors = class_colors(len(histories))
    longest = max(len(history) for _, history in histories)
    curves = [[scale * getattr(epoch, field) for epoch in history] for _, history in histories]
    low, high = min(map(min, curves)), max(map(max, curves))
    span = (high - low) or 1.0
    lines, legend = [], []
    for (run, _), values, color in zip(histories, curves, colors, strict=True):
        points_of = " ".join(
            f"{1000 * number / max(longest - 1, 1):.1f},{400 * (high - value) / span:.1f}"
            for number, value in enumerate(values)
        )
        title = f"{escape(run)}: last {values[-1]:.4g}"
        lines.append(
            f'<polyline points="{points_of}" stroke="{color}"><title>{title}</title></polyline>'
        )
        legend.append(f'<li><i style="background:{color}"></i>{title}</li>')
    alt = f"Line chart of the {escape(name)} of {len(curves)} runs over {longest} epochs"
    return (
        f"<figure><figcaption>{escape(name)}, from {low:.4g} to {high:.4g}, over {longest} epochs"
        f'</figcaption><svg role="img" aria-label="{alt}" viewBox="-5 -5 1010 410">'
        f"{''.join(lines)}</svg><ul>{''.join(legend)}</ul></figure>"
    )


_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><title>{title}</title><style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 1080px; margin: 0 auto; padding: 24px; }}
.scroll {{ overflow-x: auto; }}
table {{ border-collapse: collapse; font-size: 14px; }}
th, td {{ padding: 6px 12px; text-align: left; border-bottom: 1px solid #8884; }}
figure {{ margin: 0 0 32px; }} figcaption {{ font-size: 14px; opacity: .8; }}
svg {{ width: 100%; border: 1px solid #8884; }}
polyline {{ fill: none; stroke-width: 2; vector-effect: non-scaling-stroke; }}
ul {{ list-style: none; padding: 0; font-size: 14px; overflow-wrap: anywhere; }}
i {{ display: inline-block; width: 11px; height: 11px; margin-right: 7px; border-radius: 50%; }}
</style></head><body><h1>{title}</h1>{body}</body></html>
"""


def _short(run: Path) -> str:
    """The last two parts of the path, which tell runs apart."""
    return "/".join(run.resolve().parts[-2:])
