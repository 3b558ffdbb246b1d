"""Compare Gossamer's instruction sets, thread counts and recycled memory.

Each setting is a column with its own process. Processes alternate as in :mod:`benchmarks.ops`.

Examples
--------
``python -m benchmarks.alone isa`` (all that this machine has, or those named after it)

``python -m benchmarks.alone threads 1 2`` (default: 1 and 2)

``python -m benchmarks.alone memory``
"""

from __future__ import annotations

import argparse
import subprocess
import sys

from benchmarks import command, report
from benchmarks.measure import Row
from benchmarks.pool import Contender
from benchmarks.registry import FULL, SMALL, WORKLOADS, select

# The pool of `gossamer.kernels.release_memory`, and torch's allocator.
MEMORY = {"kept": {}, "torch's own": {"GOSSAMER_IDLE_MIB": "0"}}
ROWS = "copy_u/sum,copy_u/max,copy_u/sum hub,u_mul_e/sum heads,u_dot_v,edge_softmax,GATConv"


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = command.parser("benchmarks.alone", __doc__, rows=ROWS)
    setting = "what the columns differ in"
    parser.add_argument("setting", choices=("isa", "threads", "memory"), help=setting)
    values = "instruction sets (all of this machine), or numbers of threads (1 2)"
    parser.add_argument("values", nargs="*", default=(), help=values)
    options = parser.parse_args(argv)
    if options.setting == "isa":
        known = available(options.python)
        if not known:
            parser.error("isa: Gossamer has no native kernels here; gossamer info shows why")
        options.values = options.values or known
        unknown = [value for value in options.values if value not in known]
        if unknown:
            parser.error(f"isa {unknown[0]}: this machine and build have {', '.join(known)}")
    elif options.setting == "memory":
        if options.values:
            parser.error("memory: this setting takes no values")
        options.values = list(MEMORY)
    else:
        options.values = options.values or ["1", "2"]
        if not all(value.isdecimal() and int(value) > 0 for value in options.values):
            parser.error("threads: expected numbers of at least 1")
    return options


def available(python: str) -> list[str]:
    """The instruction sets that the native kernels can use here, the best first."""
    code = "from gossamer import kernels; print(*kernels.info()['available_isas'])"
    found = subprocess.run([python, "-c", code], capture_output=True, text=True)
    if found.returncode:
        raise SystemExit(f"{python} cannot import gossamer: {found.stderr.strip()[-300:]}")
    return found.stdout.split()


def contenders(options: argparse.Namespace) -> list[Contender]:
    """A column for each value of the setting."""
    found = []
    for value in options.values:
        variables, threads, name = command.environment(options), options.threads, value
        if options.setting == "isa":
            variables = variables | {"GOSSAMER_ISA": value}
        elif options.setting == "memory":
            variables = variables | MEMORY[value]
        else:
            threads, name = int(value), f"{value} thread" + ("s" if value != "1" else "")
        python = options.python
        found.append(Contender(name, "gossamer", python, threads=threads, environment=variables))
    return found


def table(rows: list[Row], columns: list[Contender], setting: str) -> str:
    """Milliseconds of each column, and the ratios to the first one.

    Threads: the speed-up over the first one, and its share of the ideal. Else: the other's time
    over the first one's.
    """
    first, *others = columns
    header = ["row", *(f"{column.name} ms" for column in columns)]
    if setting == "threads":
        header += [f"speed-up of {other.name}" for other in others]
    else:
        header += [f"{other.name} / {first.name}" for other in others]
    lines = [header]
    for row in rows:
        cells = [row.name, *(report.time_cell(row, column.name) for column in columns)]
        for other in others:
            pair = [other.name, first.name] if setting == "threads" else [first.name, other.name]
            ratio = report.ratio(row, pair)
            cell = "-" if ratio is None else f"{ratio:.2f}"
            if ratio is not None and setting == "threads":
                cell += f" ({ratio * first.threads / other.threads:.0%} of ideal)"
            cells.append(cell)
        lines.append(cells)
    return report.layout(lines)


@command.interruptible
def main(argv: list[str] | None = None) -> int:
    """Run the command; 1 when a setting changes a result or cannot run a row."""
    options = arguments(argv)
    columns = contenders(options)
    names = [column.name for column in columns]
    sizes = SMALL if options.small else FULL
    chosen = select(options.rows, WORKLOADS)
    about, rows = command.measure(options, columns, chosen, lambda row: sizes[row.graph])
    return command.finish(options, about, rows, names, table(rows, columns, options.setting))


if __name__ == "__main__":
    sys.exit(main())
