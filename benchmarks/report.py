"""The table as text, as JSON and as a picture."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from benchmarks.measure import Row


def geometric_mean(values: list[float]) -> float:
    """The geometric mean of positive numbers."""
    return math.exp(sum(map(math.log, values)) / len(values))


def milliseconds(seconds: float) -> str:
    value = 1e3 * seconds
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def time_cell(row: Row, name: str) -> str:
    """Milliseconds and spread of one library, or a dash."""
    column = row.columns.get(name)
    if column is None or not column.times:
        return "-"
    return f"{milliseconds(column.typical)} ±{column.spread:.0%}"


def _memory_cell(row: Row, names: list[str]) -> str:
    cells = []
    for name in names:
        column = row.columns.get(name)
        known = column is not None and column.extra_memory is not None
        cells.append(f"{column.extra_memory / 2**20:.0f}" if known else "-")
    return " / ".join(cells)


def _fastest_peer(row: Row, names: list[str]) -> float | None:
    """Seconds of the fastest column but the first; None where no other was timed."""
    columns = [row.columns[name] for name in names[1:] if name in row.columns]
    return min((column.typical for column in columns if column.times), default=None)


def ratio(row: Row, names: list[str]) -> float | None:
    """The fastest of the other columns' times over the first column's; None without both."""
    peer, first = _fastest_peer(row, names), row.columns.get(names[0])
    return peer / first.typical if peer and first is not None and first.times else None


def summary(rows: list[Row], names: list[str]) -> str:
    """The geometric mean of the ratios, and the rows that are slower than the fastest peer."""
    ratios = {row.name: ratio(row, names) for row in rows}
    known = {name: value for name, value in ratios.items() if value is not None}
    if not known:
        return "no row was timed with a peer"
    mean = geometric_mean(list(known.values()))
    slower = [name for name, value in known.items() if value < 1]
    text = f"geometric mean of {len(known)} ratios: {mean:.2f}"
    return text + (f"; slower: {', '.join(slower)}" if slower else "; no row is slower")


def memory_summary(rows: list[Row], names: list[str]) -> str:
    """The rows whose peak of memory is more than 1 MB above the smallest of the other columns."""
    more = []
    for row in rows:
        memory = [row.columns[n].extra_memory if n in row.columns else None for n in names]
        others = [value for value in memory[1:] if value is not None]
        if memory[0] is not None and others and memory[0] > min(others) + 2**20:
            more.append(f"{row.name} ({memory[0] >> 20} MB, smallest {min(others) >> 20} MB)")
    return f"more memory than a peer: {', '.join(more) or 'no row'}"


def at_most(row: Row, names: list[str]) -> float | None:
    """The ratio that memory allows: the fastest of the other columns' times over the bound."""
    peer = _fastest_peer(row, names)
    return peer / row.bound if peer and row.bound else None


def share(row: Row, name: str) -> float | None:
    """The bound over the column's median: 1 is as fast as memory was measured to be."""
    column = row.columns.get(name)
    if row.bound is None or column is None or not column.times:
        return None
    return row.bound / column.typical


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def table(rows: list[Row], names: list[str]) -> str:
    """The table of the rows for the columns `names`, the first one being judged."""
    against = "faster peer" if len(names) > 2 else (names[1] if len(names) > 1 else "")
    goals = bool(against) and names[0] == "gossamer"
    bounds = any(row.bound is not None for row in rows)
    header = ["row", *(f"{name} ms" for name in names)]
    header += [f"{against} / {names[0]}"] if against else []
    header += ["goal"] if goals else []
    header += ["at most"] if against and bounds else []
    header += ["bound ms", "of bound"] if bounds else []
    header.append("extra MB: " + " / ".join(names))
    lines = [header]
    for row in rows:
        cells = [row.name, *(time_cell(row, name) for name in names)]
        cells += [_number(ratio(row, names), ".2f")] if against else []
        cells += [f"{row.goal:g}"] if goals else []
        cells += [_number(at_most(row, names), ".1f")] if against and bounds else []
        if bounds:
            cells.append("-" if row.bound is None else milliseconds(row.bound))
            cells.append(_number(share(row, names[0]), ".0%"))
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


def arithmetic(row: Row) -> str:
    """How the bound comes from bytes and measured rates."""
    parts = [(row.traffic.stream, "in order", row.rates["copy"])]
    for size, count in row.traffic.gathers.items():
        name = f"in rows of {size} bytes"
        parts.append((size * count, name, row.rates["gather"][str(size)]))
    sums = (f"{b / 1e6:.0f} MB {how} at {rate / 1e9:.1f} GB/s" for b, how, rate in parts if b)
    return f"{milliseconds(row.bound)} ms = " + " + ".join(sums)


def notes(rows: list[Row]) -> str:
    """The forms kept, the arithmetic of bounds, and disturbed, failed or missing measurements."""
    lines = []
    for row in rows:
        kept = [
            f"{name} {column.form}"
            + (f" (of {len(column.forms)})" if len(column.forms) > 1 else "")
            for name, column in row.columns.items()
            if name != "oracle"
        ]
        lines.append(f"{row.name}: " + ", ".join(kept))
        lines += [f"  bound: {arithmetic(row)}"] if row.bound is not None else []
        lines += [f"  DISTURBED: {row.disturbance}"] if row.disturbance else []
        lines += [f"  DISAGREE: {fault}" for fault in row.faults]
        lines += [f"  {name} did not run: {why}" for name, why in row.missing.items()]
        lines += [
            f"  {name}, form {form}: {why}"
            for name, column in row.columns.items()
            for form, why in column.failures.items()
        ]
    return "\n".join(lines)


def write_json(path: Path, machine: dict[str, Any], rows: list[Row], names: list[str]) -> None:
    """Everything measured, each timed call included, and the table's ratios."""
    records = [
        row.record() | {"ratio": ratio(row, names), "at_most": at_most(row, names)} for row in rows
    ]
    path.write_text(json.dumps({"machine": machine, "rows": records}, indent=1) + "\n")


def _label(row: Row, names: list[str]) -> str:
    """A row's name in the picture, with its ratio, its goal and the ratio that memory allows."""
    reached, limit = ratio(row, names), at_most(row, names)
    if reached is None:
        return row.name
    text = f"{row.name}\n×{reached:.2f}"
    text += f", goal {row.goal:g}" if names[0] == "gossamer" else ""
    return text + ("" if limit is None else f", at most {limit:.1f}")


def plot(path: Path, machine: dict[str, Any], rows: list[Row], names: list[str]) -> None:
    """A bar for each library in each row: how many times the first one's time it takes."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot, ticker

    shown = [row for row in rows if names[0] in row.columns and row.columns[names[0]].times]
    figure, axes = pyplot.subplots(figsize=(9, 1.2 + 0.55 * len(shown)), layout="constrained")
    height = 0.8 / len(names)
    for k, name in enumerate(names):
        timed = [
            (y + k * height, row.columns[name].typical, row.columns[names[0]].typical)
            for y, row in enumerate(shown)
            if name in row.columns and row.columns[name].times
        ]
        times = [seconds / first for _, seconds, first in timed]
        axes.barh([y for y, _, _ in timed], times, height * 0.92, color=f"C{k}", label=name)
        for x, (y, seconds, _) in zip(times, timed, strict=True):
            axes.text(x, y, f" {milliseconds(seconds)} ms", va="center", fontsize=7)
    for y, row in enumerate(shown):
        part = share(row, names[0])
        if part is not None:
            edges = [y - height / 2, y + 0.8 - height / 2]
            axes.plot([part] * 2, edges, color="black", linewidth=1.2, linestyle=":")
    middles = [y + 0.4 - height / 2 for y in range(len(shown))]
    axes.set_yticks(middles, [_label(row, names) for row in shown], fontsize=7)
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(ticker.LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.xaxis.set_minor_formatter(ticker.NullFormatter())
    axes.set_xlabel(f"time, {names[0]} = 1 (shorter is faster; dotted: memory bound)")
    axes.set_title(f"{machine['cpu']}, {machine['threads']} threads, {machine['date']}", fontsize=9)
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside lower center", ncols=len(names), frameon=False, fontsize=8)
    figure.savefig(path, dpi=150)
    pyplot.close(figure)
