"""The table as text, as JSON and as a picture."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.measure import Row


def _milliseconds(seconds: float) -> str:
    value = 1e3 * seconds
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _time_cell(row: Row, name: str) -> str:
    column = row.columns.get(name)
    if column is None or not column.times:
        return "-"
    return f"{_milliseconds(column.typical)} ±{column.spread:.0%}"


def _memory_cell(row: Row, names: list[str]) -> str:
    cells = []
    for name in names:
        column = row.columns.get(name)
        known = column is not None and column.extra_memory is not None
        cells.append(f"{column.extra_memory / 2**20:.0f}" if known else "-")
    return " / ".join(cells)


def ratio(row: Row, names: list[str]) -> float | None:
    """The fastest of the other columns' medians over the first column's; None without both."""
    times = {n: row.columns[n].typical for n in names if n in row.columns and row.columns[n].times}
    others = [seconds for name, seconds in times.items() if name != names[0]]
    return min(others) / times[names[0]] if others and names[0] in times else None


def share(row: Row, name: str) -> float | None:
    """The bound over the column's median: 1 is as fast as memory was measured to be."""
    column = row.columns.get(name)
    if row.bound is None or column is None or not column.times:
        return None
    return row.bound / column.typical


def table(rows: list[Row], names: list[str]) -> str:
    """The table of the rows for the columns `names`, the first one being judged."""
    against = "faster peer" if len(names) > 2 else (names[1] if len(names) > 1 else "")
    header = ["row", *(f"{name} ms" for name in names)]
    header += [f"{against} / {names[0]}"] if against else []
    goals = bool(against) and names[0] == "gossamer"
    header += ["goal"] if goals else []
    header += ["bound ms", "of bound", "extra MB: " + " / ".join(names)]
    lines = [header]
    for row in rows:
        cells = [row.name, *(_time_cell(row, name) for name in names)]
        if against:
            times = ratio(row, names)
            cells.append("-" if times is None else f"{times:.2f}")
        cells += [f"{row.goal:g}"] if goals else []
        part = share(row, names[0])
        cells.append("-" if row.bound is None else _milliseconds(row.bound))
        cells.append("-" if part is None else f"{part:.0%}")
        cells.append("results disagree" if row.faults else _memory_cell(row, names))
        lines.append(cells)
    return layout(lines)


def layout(lines: list[list[str]]) -> str:
    """Aligned Markdown: the first column to the left, the others to the right."""
    widths = [max(len(line[k]) for line in lines) for k in range(len(lines[0]))]

    def text(line: list[str]) -> str:
        cells = [line[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True)]
        return "| " + " | ".join(cells) + " |"

    rule = "|" + "|".join(
        "-" * (width + 1) + ("-" if k == 0 else ":") for k, width in enumerate(widths)
    )
    return "\n".join([text(lines[0]), rule + "|", *map(text, lines[1:])])


def notes(rows: list[Row]) -> str:
    """The form kept for each library, and what failed or is missing."""
    lines = []
    for row in rows:
        kept = [
            f"{name} {column.form}"
            + (f" (of {len(column.forms)})" if len(column.forms) > 1 else "")
            for name, column in row.columns.items()
            if name != "oracle"
        ]
        lines.append(f"{row.name}: " + ", ".join(kept))
        lines += [f"  DISAGREE: {fault}" for fault in row.faults]
        lines += [f"  {name} did not run: {why}" for name, why in row.missing.items()]
        lines += [
            f"  {name}, form {form}: {why}"
            for name, column in row.columns.items()
            for form, why in column.failures.items()
        ]
    return "\n".join(lines)


def write_json(path: Path, machine: dict[str, Any], rows: list[Row]) -> None:
    """Everything measured, each timed call included."""
    content = {"machine": machine, "rows": [row.record() for row in rows]}
    path.write_text(json.dumps(content, indent=1) + "\n")


def plot(path: Path, machine: dict[str, Any], rows: list[Row], names: list[str]) -> None:
    """A bar for each library in each row: how many times the first one's time it takes."""
    try:
        import matplotlib
    except ImportError:
        raise SystemExit("--plot needs matplotlib: pip install matplotlib.") from None
    matplotlib.use("Agg")
    from matplotlib import pyplot

    shown = [row for row in rows if names[0] in row.columns and row.columns[names[0]].times]
    figure, axes = pyplot.subplots(figsize=(9, 1.2 + 0.55 * len(shown)), layout="constrained")
    height = 0.8 / len(names)
    for k, name in enumerate(names):
        for y, row in enumerate(shown):
            column = row.columns.get(name)
            if column is None or not column.times:
                continue
            times = column.typical / row.columns[names[0]].typical
            label = name if y == 0 else None
            axes.barh(y + k * height, times, height * 0.92, color=f"C{k}", label=label)
            text = f" {_milliseconds(column.typical)} ms"
            axes.text(times, y + k * height, text, va="center", fontsize=7)
    for y, row in enumerate(shown):
        part = share(row, names[0])
        if part is not None:
            edges = [y - height / 2, y + 0.8 - height / 2]
            axes.plot([part] * 2, edges, color="black", linewidth=1.2, linestyle=":")
    axes.set_yticks([y + 0.4 - height / 2 for y in range(len(shown))], [r.name for r in shown])
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.set_xlabel(f"time, {names[0]} = 1 (shorter is faster; dotted: memory bound)")
    axes.set_title(f"{machine['cpu']}, {machine['threads']} threads, {machine['date']}", fontsize=9)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=8)
    figure.savefig(path, dpi=150)
    pyplot.close(figure)
