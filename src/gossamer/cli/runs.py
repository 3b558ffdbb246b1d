"""`gossamer runs`: print a table of runs, and write a page with their curves."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gossamer.cli.figures import run_curves
from gossamer.cli.files import check_page, write_atomic
from gossamer.cli.metrics import points, text
from gossamer.cli.progress import PROGRESS_NAME, read_history
from gossamer.cli.report import page
from gossamer.cli.report_tables import row, scroll, section, table
from gossamer.cli.results import Epoch
from gossamer.cli.text import format_table
from gossamer.errors import FileError

__all__ = ["find_runs", "print_runs"]

_HEADER = ("run", "data", "model", "seeds", "metric", "val", "test", "seconds", "state")


def print_runs(folders: Sequence[str], page_file: str | None = None) -> None:
    """Print a row for each run; with `page_file`, write a page with their curves.

    Raises
    ------
    FileError
        If a folder does not exist or contains no run.
    """
    check_page(page_file)
    runs = find_runs(folders)
    print(format_table(_HEADER, [_row(run) for run in runs], "<<<><>>><"))
    if page_file is not None:
        write_atomic(page_file, _page(runs))
        print(f"\nThe page is {page_file}")


def find_runs(folders: Sequence[str]) -> list[Path]:
    """Find the runs in and below some folders, oldest first; links are not followed."""
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
    return text(metrics["metric"], found["mean"], found["std"])


def _page(runs: Sequence[Path]) -> str:
    """Return a page with the table and, for each metric, the curves of its runs."""
    groups: dict[str, dict[str, list[Epoch]]] = {}
    for run in runs:
        history = read_history(run)
        if history:
            metric = str(_read(run / "metrics.json").get("metric", "score"))
            # The first of several seeds.
            groups.setdefault(metric, {})[_short(run)] = next(iter(history.values()))
    if not groups:
        raise FileError("None of these runs has a history.csv with an epoch; there are no curves.")
    rows = [row(cells[0], cells[1:]) for cells in map(_row, runs)]
    body = section("Table", scroll(table(_HEADER, rows), "Table of runs"))
    for metric, histories in groups.items():
        figures = "".join(
            run_curves(histories, field, name, scale)
            for field, name, scale in (
                ("train_loss", "training loss", 1.0),
                ("val_loss", "validation loss", 1.0),
                ("val_score", f"validation {metric}", points(metric, 1.0)),
            )
        )
        body += section(f"Curves: {metric}", f'<div class="pair">{figures}</div>')
    return page("1 run" if len(runs) == 1 else f"{len(runs)} runs", body)


def _short(run: Path) -> str:
    """Return the last two parts of the path."""
    return "/".join(run.resolve().parts[-2:])
