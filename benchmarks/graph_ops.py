"""Operations from graphs to graphs, compared with DGL: ``python -m benchmarks.graph_ops``.

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
import sys

from benchmarks import command
from benchmarks.graph_rows import FULL, GRAPH_ROWS, SMALL


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line; PyG has no such operations."""
    parser = command.parser("benchmarks.graph_ops", __doc__)
    command.add_peers(parser, ["dgl"])
    return parser.parse_args(argv)


@command.interruptible
def main(argv: list[str] | None = None) -> int:
    """Run the command; 1 when results disagree or Gossamer could not run a row."""
    options = arguments(argv)
    sizes = SMALL if options.small else FULL
    return command.compare(options, GRAPH_ROWS, lambda row: sizes[row.name])


if __name__ == "__main__":
    sys.exit(main())
