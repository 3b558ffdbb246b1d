"""Sparse matrices, compared with DGL, PyTorch and SciPy: ``python -m benchmarks.sparse``.

Each library runs in its own process. For each row all of them load the same bits, must agree on the
result, and are then timed in alternation. The column ``pyg`` is what PyG's users have: PyTorch's
own sparse tensors. SciPy has no gradients and one thread.

Examples
--------
``python -m benchmarks.sparse --peer dgl=PYTHON --peer pyg=PYTHON``

``python -m benchmarks.sparse --small --without dgl --without pyg --rows sum,softmax``
"""

from __future__ import annotations

import argparse
import sys

from benchmarks import command
from benchmarks.sparse_rows import FULL, SMALL, SPARSE_ROWS


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = command.parser("benchmarks.sparse", __doc__)
    command.add_peers(parser, [*command.PEERS, "scipy"])
    return parser.parse_args(argv)


@command.interruptible
def main(argv: list[str] | None = None) -> int:
    """Run the command; 1 when results disagree or Gossamer could not run a row."""
    options = arguments(argv)
    sizes = SMALL if options.small else FULL
    return command.compare(options, SPARSE_ROWS, lambda row: sizes[row.graph])


if __name__ == "__main__":
    sys.exit(main())
