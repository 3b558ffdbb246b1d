"""The rows of :mod:`benchmarks.graph_ops`: operations that make graphs out of graphs.

Nothing here runs a library. Edges are those of the shuffled skewed graph, in the sizes below; the
adapter (`adapters/graph_ops.py`) makes molecules and typed graphs out of the same bits.
"""

from __future__ import annotations

from benchmarks.workload import Sizes, Workload

SET_POINTS = 20  # of one small set

_MOLECULES = Sizes(nodes=25 * 10_000, edges=54 * 10_000)
_GRAPH = Sizes(nodes=200_000, edges=2_000_000)

FULL: dict[str, Sizes] = {
    "batch": _MOLECULES,
    "unbatch": _MOLECULES,
    "to_simple": _GRAPH,
    "add_reverse_edges": _GRAPH,
    "line_graph": Sizes(nodes=20_000, edges=40_000),
    "khop_in_subgraph": _GRAPH,
    "to_homogeneous": _GRAPH,
    "node_subgraph": _GRAPH,
    "metapath_reachable_graph": Sizes(nodes=50_000, edges=150_000),
    "compact_graphs": Sizes(nodes=1_000_000, edges=1_000_000),
    "to_block": Sizes(nodes=200_000, edges=1_000_000),
    "knn_graph": Sizes(nodes=10_000, edges=1),
    "knn_graph_small_sets": Sizes(nodes=20 * 2_000, edges=1),
    "bfs_nodes": _GRAPH,
    "topological_nodes": Sizes(nodes=200_000, edges=1_000_000),
    "dfs_edges": Sizes(nodes=20_000, edges=200_000),
}

SMALL: dict[str, Sizes] = {
    name: Sizes(nodes=250, edges=540) if sizes is _MOLECULES else Sizes(nodes=200, edges=1_000)
    for name, sizes in FULL.items()
}

_ABOUT = {
    "batch": "10,000 graphs of 25 nodes and 54 edges, with features, into one",
    "unbatch": "the same 10,000 graphs out of it",
    "to_simple": "2,000,000 edges with duplicates, counts",
    "add_reverse_edges": "2,000,000 edges",
    "line_graph": "40,000 edges, of which about 80,000 pairs are consecutive",
    "khop_in_subgraph": "2 hops around 100 nodes of a graph of 2,000,000 edges",
    "to_homogeneous": "3 node types, 4 edge types, 2,000,000 edges, a feature of 16 numbers",
    "node_subgraph": "50,000 nodes of 200,000, 2,000,000 edges, a feature of 16 numbers",
    "metapath_reachable_graph": "user - item - user over 150,000 edges",
    "compact_graphs": "1,000,000 edges between 1,000,000 nodes, of which some have none",
    "to_block": "1,000,000 edges to all their destinations",
    "knn_graph": "8 nearest of 10,000 points with 16 coordinates",
    "knn_graph_small_sets": "8 nearest within 2,000 sets of 20 points with 16 coordinates",
    "bfs_nodes": "breadth first through 2,000,000 edges",
    "topological_nodes": "topological order of 200,000 nodes with 1,000,000 edges",
    "dfs_edges": "depth first through 200,000 edges",
}

GRAPH_ROWS: dict[str, Workload] = {
    name: Workload(
        name,
        about,
        "shuffled",
        {"x": ("N", 16)} if name.startswith("knn_graph") else {},
        None,
        lambda sizes: 0,
        goal=1.5,
    )
    for name, about in _ABOUT.items()
}
