"""Layers, forward and backward: ``python -m benchmarks.layers``.

Each library runs in its own process, with the Python of its own virtual environment. For each row
all of them load the same bits and parameters, must agree on the output and on the gradients of all
inputs and parameters, and are then timed in alternation. A row that a library has no layer for is
reported as missing.

Examples
--------
``python -m benchmarks.layers --peer dgl=PYTHON --peer pyg=PYTHON``

``python -m benchmarks.layers --small --without dgl --without pyg --rows GMMConv,EGATConv``
"""

from __future__ import annotations

import argparse
import sys
from functools import partial

from benchmarks import command, report
from benchmarks.argument_types import above_zero
from benchmarks.layer_rows import LAYER_ROWS, sizes
from benchmarks.measure import Row


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = command.parser("benchmarks.layers", __doc__)
    command.add_peers(parser)
    times = "times the nodes and edges of each graph (1)"
    parser.add_argument("--scale", type=above_zero, default=1.0, metavar="X", help=times)
    return parser.parse_args(argv)


def summary(rows: list[Row], names: list[str]) -> str:
    """The mean of the ratios, and the rows that need more time or memory than a peer."""
    return "\n".join([report.summary(rows, names), report.memory_summary(rows, names)])


@command.interruptible
def main(argv: list[str] | None = None) -> int:
    """Run the command; 1 when results disagree or Gossamer could not run a row."""
    options = arguments(argv)
    size = partial(sizes, small=options.small, scale=options.scale)
    return command.compare(options, LAYER_ROWS, size, summary)


if __name__ == "__main__":
    sys.exit(main())
