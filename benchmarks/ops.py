"""Compare operators with DGL and PyG: ``python -m benchmarks.ops``.

Each library runs in its own process, with the Python of its own virtual environment. For each row
all load the same inputs, must agree on the result, and are then timed in turn. Small
inputs are compared with dense float64 algebra.

Examples
--------
``python -m benchmarks.ops --small --without dgl --without pyg`` (needs no peer)

``python -m benchmarks.ops --peer dgl=PYTHON --peer pyg=PYTHON --rows copy_u,u_dot_v``
"""

from __future__ import annotations

import argparse
import sys

from benchmarks import command, report
from benchmarks.pool import Contender
from benchmarks.registry import FULL, SMALL, WORKLOADS, select


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = command.parser("benchmarks.ops", __doc__)
    command.add_peers(parser)
    parser.add_argument("--unsorted", action="store_true", help="edges in random order")
    return parser.parse_args(argv)


@command.interruptible
def main(argv: list[str] | None = None) -> int:
    """Run the command; 1 when results disagree or Gossamer could not run a row."""
    options = arguments(argv)
    chosen = select(options.rows, WORKLOADS)
    if options.list:
        print("\n".join(f"{row.name:24} {row.about}" for row in chosen))
        return 0
    columns = command.contenders(options)
    names = [column.name for column in columns]
    if options.small:
        columns.append(Contender("oracle", "oracle", options.python))
    about, rows = command.measure(
        options,
        columns,
        chosen,
        lambda row: (SMALL if options.small else FULL)[row.graph],
        against=columns[-1].name if options.small else None,
        bounds=not options.small,
        unsorted=options.unsorted,
    )
    return command.finish(options, about, rows, names, report.table(rows, names))


if __name__ == "__main__":
    sys.exit(main())
