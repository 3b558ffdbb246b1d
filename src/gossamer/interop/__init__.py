"""Conversion to and from other libraries: networkx, scipy, pandas and Arrow, PyG, cuGraph.

A library is imported when a function that needs it is called.
"""

from gossamer.interop.cugraph import from_cugraph, to_cugraph
from gossamer.interop.networkx import bipartite_from_networkx, from_networkx, to_networkx
from gossamer.interop.pyg import from_pyg, to_pyg
from gossamer.interop.scipy import bipartite_from_scipy, from_scipy
from gossamer.interop.tables import from_edge_table, to_edge_table

__all__ = [
    "bipartite_from_networkx",
    "bipartite_from_scipy",
    "from_cugraph",
    "from_edge_table",
    "from_networkx",
    "from_pyg",
    "from_scipy",
    "to_cugraph",
    "to_edge_table",
    "to_networkx",
    "to_pyg",
]
