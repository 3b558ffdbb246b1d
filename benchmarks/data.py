"""Files of datasets, compared with DGL: ``python -m benchmarks.data``.

Both libraries read the same files, written from the same arrays, must agree on what is in
them, and are then timed in alternation. Reading includes writing the cache, in both.

Examples
--------
``python -m benchmarks.data --peer dgl=PYTHON``

``python -m benchmarks.data --small --without dgl``
"""

from __future__ import annotations

import argparse
import sys

from benchmarks import command
from benchmarks.data_rows import DATA_ROWS, FULL, SMALL


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = command.parser("benchmarks.data", __doc__)
    command.add_peers(parser, ["dgl"])
    return parser.parse_args(argv)


@command.interruptible
def main(argv: list[str] | None = None) -> int:
    """Run the command; 1 when results disagree or Gossamer could not run a row."""
    options = arguments(argv)
    sizes = SMALL if options.small else FULL
    return command.compare(options, DATA_ROWS, lambda row: sizes[row.graph])


if __name__ == "__main__":
    sys.exit(main())
