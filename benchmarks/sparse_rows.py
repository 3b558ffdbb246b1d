"""The rows of :mod:`benchmarks.sparse`: operations on sparse matrices.

Nothing here runs a library. The entries of a matrix are the edges of a skewed graph without
duplicates, by row; ``w`` and ``v`` are the values of two matrices, and the second has the same
pattern, or its transpose where patterns must differ.
"""

from __future__ import annotations

from benchmarks.workload import F, Sizes, Workload

FULL: dict[str, Sizes] = {
    "matrix": Sizes(nodes=200_000, edges=2_000_000),
    "small matrix": Sizes(nodes=20_000, edges=200_000),
}
SMALL: dict[str, Sizes] = {name: Sizes(nodes=150, edges=1_000) for name in FULL}

_TWO = {"w": ("E",), "v": ("E",)}


def _row(name: str, about: str, arrays: dict, graph: str = "matrix", goal: float = 1.0) -> Workload:
    return Workload(name, about, graph, arrays, None, lambda sizes: 0, goal=goal)


SPARSE_ROWS: dict[str, Workload] = {
    row.name: row
    for row in (
        _row("sparse x dense", "64 columns", {"w": ("E",), "x": ("N", F)}),
        _row("sddmm", "64 columns, times the values", {"w": ("E",), "x": ("N", F), "y": ("N", F)}),
        _row("sum", "of a matrix and one with the transposed pattern", _TWO),
        _row("product entry by entry", "of the same two matrices", _TWO),
        _row("softmax", "of each row", {"w": ("E",)}),
        _row("transpose to CSR", "a new matrix by column, read by row", {"w": ("E",)}),
        _row("sparse x sparse", "two matrices of 200,000 entries", _TWO, "small matrix", 1.5),
        _row("sparse x sparse fwd+bwd", "and both gradients", _TWO, "small matrix"),
    )
}
