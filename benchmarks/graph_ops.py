"""Operations that make graphs out of graphs, beside DGL: ``python -m benchmarks.graph_ops``.

Each library runs in its own process, with the Python of its own virtual environment. For each row
both load the same bits, must agree on every edge and feature of the result, and are then timed in
alternation. A row that a library does not have yet is reported as missing.

Examples
--------
``python -m benchmarks.graph_ops --peer dgl=PYTHON``

``python -m benchmarks.graph_ops --small --without dgl --rows batch,to_simple``
"""

from __future__ import annotations

import argparse
import math
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import machine, ops, report
from benchmarks.graph_rows import FULL, GRAPH_ROWS, SMALL
from benchmarks.measure import Plan, Row, run_row
from benchmarks.pool import Pool, Worker
from benchmarks.registry import Workload


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line: the options of :mod:`benchmarks.ops`, and PyG stays out."""
    options = ops.arguments(argv)
    options.without = [*options.without, "pyg"]
    return options


def select(names: str | None) -> list[Workload]:
    """The rows of these names, with commas between; all if None."""
    if names is None:
        return list(GRAPH_ROWS.values())
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    unknown = [name for name in wanted if name not in GRAPH_ROWS]
    if unknown:
        raise SystemExit(f"No row is called {unknown[0]!r}. Rows: {', '.join(GRAPH_ROWS)}.")
    return [GRAPH_ROWS[name] for name in wanted]


def run(options: argparse.Namespace) -> tuple[dict[str, Any], list[Row], list[str]]:
    """Measure the chosen rows. Returns machine and versions, the rows, and the timed columns."""
    sizes = SMALL if options.small else FULL
    plan = Plan(
        rounds=options.rounds or (2 if options.small else 5),
        budget=options.budget or (0.01 if options.small else 0.4),
        seed=options.seed,
        bounds=False,
        best=options.best,
    )
    limit = ops.memory_limit(options)
    rows = []
    with tempfile.TemporaryDirectory() as folder, Pool() as pool:
        for contender in ops.contenders(options):
            if contender.name != "oracle":
                pool[contender.name] = Worker(contender, options.threads, limit)
        about = machine.describe(options.threads) | {"libraries": ops.versions(pool)}
        names = list(pool)
        for workload in select(options.rows):
            row = run_row(pool, workload, sizes[workload.name], Path(folder), plan, names[0])
            rows.append(row)
            medians = ", ".join(
                f"{n} {1e3 * c.typical:.3g} ms" for n, c in row.columns.items() if c.times
            )
            print(f"  {row.name}: {medians or 'not timed'}", file=sys.stderr, flush=True)
    return about, rows, names


def summary(rows: list[Row], names: list[str]) -> str:
    """The geometric mean of the ratios, and the rows that are slower than the peer's."""
    ratios = {row.name: report.ratio(row, names) for row in rows}
    known = {name: ratio for name, ratio in ratios.items() if ratio is not None}
    if not known:
        return "no row was timed beside a peer"
    mean = math.exp(sum(map(math.log, known.values())) / len(known))
    slower = [name for name, ratio in known.items() if ratio < 1]
    text = f"geometric mean of {len(known)} ratios: {mean:.2f}"
    return text + (f"; slower: {', '.join(slower)}" if slower else "; no row is slower")


def main(argv: list[str] | None = None) -> int:
    """Run the command; 1 when results disagree or Gossamer could not run a row."""
    options = arguments(argv)
    if options.list:
        for row in GRAPH_ROWS.values():
            print(f"{row.name:26} {row.about}")
        return 0
    about, rows, names = run(options)
    print(f"{about['cpu']}, {about['threads']} of {about['cores']} threads, {about['date']}")
    for name, releases in about["libraries"].items():
        print(f"{name}: " + ", ".join(f"{k} {v}" for k, v in releases.items()))
    print("times: " + ("best call of each library" if options.best else "medians"))
    print("\n" + report.table(rows, names) + "\n")
    print(report.notes(rows) + "\n")
    print(summary(rows, names))
    if options.json:
        report.write_json(options.json, about, rows)
    if options.plot:
        report.plot(options.plot, about, rows, names)
    failed = [row.name for row in rows if row.faults or names[0] in row.missing]
    if failed:
        print("\nResults disagree, or are missing: " + ", ".join(failed), file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
