"""The rows of :mod:`benchmarks.data`: files of datasets.

Nothing here runs a library. ``w`` holds a value for each edge, ``x`` attributes of each node.
"""

from __future__ import annotations

from benchmarks.workload import MOLECULE_EDGES, MOLECULE_NODES, Sizes, Workload


def _molecules(count: int) -> Sizes:
    return Sizes(nodes=count * MOLECULE_NODES, edges=count * MOLECULE_EDGES)


FULL: dict[str, Sizes] = {
    "tables": Sizes(nodes=200_000, edges=1_000_000),
    "molecules": _molecules(4_110),
    "readout": _molecules(600),
}
SMALL: dict[str, Sizes] = {
    "tables": Sizes(nodes=150, edges=1_000),
    "molecules": _molecules(20),
    "readout": _molecules(6),
}


def _row(name: str, about: str, graph: str, arrays: dict, goal: float = 1.0) -> Workload:
    return Workload(name, about, graph, arrays, None, lambda sizes: 0, goal=goal)


_W, _X = {"w": ("E",)}, {"x": ("N", 18)}

DATA_ROWS: dict[str, Workload] = {
    row.name: row
    for row in (
        _row("read CSVDataset", "a million edges with a value", "tables", _W, 3.0),
        _row("open CSVDataset", "the same from its cache", "tables", _W),
        _row("read TUDataset", "as many graphs as NCI1, of 25 nodes", "molecules", {}, 3.0),
        _row("read attributes", "as many graphs as ENZYMES, 18 attributes", "readout", _X, 3.0),
        _row("open TUDataset", "the first of both, from its cache", "molecules", {}),
    )
}
