"""Orders of nodes and edges, and message passing along them.

``dag`` and ``tree`` are graphs without a cycle, in the id type of the input; `prop` gives the node
features after a call, with ``copy_u`` and ``sum`` for functions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from golden.harness import Difference, Table


def dag(gs: Any, g: Any) -> Any:
    """Nine nodes, duplicates, two of them without edges."""
    ends = [0, 0, 1, 5, 5, 3, 4, 4, 2], [1, 2, 3, 3, 3, 4, 6, 2, 6]
    d = gs.graph(ends, num_nodes=9, idtype=g.idtype)
    d.ndata["h"] = torch.arange(1.0, 10.0)
    return d


def tree(gs: Any, g: Any) -> Any:
    """Edges lead from seven leaves and inner nodes to the root, node 3."""
    d = gs.graph(([6, 0, 5, 1, 2, 4], [0, 3, 0, 2, 3, 2]), idtype=g.idtype)
    d.ndata["h"] = torch.arange(1.0, 8.0)
    return d


def prop(gs: Any, g: Any, call: Callable) -> Any:
    """The features ``h`` after ``call(g, message, reduce)``."""
    call(g, gs.function.copy_u("h", "m"), gs.function.sum("m", "h"))
    return g.ndata["h"]


def doubled(nodes: Any) -> dict:
    """Twice the feature, and the number of nodes that came at once."""
    return {"h": nodes.data["h"] * 2 + len(nodes)}


_BFS = [
    f"gs.bfs_{what}_generator(g, {source})"
    for what in ("nodes", "edges")
    for source in ("0", "2, True", "[2, 0]", "[0, 0], True", "ids(1)", "np.array([2])", "[]")
]

_DFS = [
    "gs.dfs_edges_generator(g, 0)",
    "gs.dfs_edges_generator(g, 2, True)",
    "gs.dfs_edges_generator(g, [2, 0, 1])",
    "gs.dfs_edges_generator(g, ids(1, 1), reverse=True)",
    "gs.dfs_edges_generator(g, [])",
    "gs.dfs_labeled_edges_generator(g, 0)",
    "gs.dfs_labeled_edges_generator(g, 0, has_reverse_edge=True)",
    "gs.dfs_labeled_edges_generator(g, [2, 0], has_nontree_edge=True)",
    "gs.dfs_labeled_edges_generator(g, [0, 2, 1], True, True, True)",
    "gs.dfs_labeled_edges_generator(g, [1], False, True, True, return_labels=False)",
]

_TOPOLOGICAL = [
    "gs.topological_nodes_generator(g)",
    "gs.topological_nodes_generator(g, True)",
]

_ACYCLIC = [
    f"{call.format(f'{d}(gs, g)')}"
    for d in ("dag", "tree")
    for call in (
        "gs.topological_nodes_generator({})",
        "gs.topological_nodes_generator({}, reverse=True)",
        "gs.bfs_nodes_generator({}, [5, 0])",
        "gs.bfs_edges_generator({}, 3, True)",
        "gs.dfs_labeled_edges_generator({}, [5, 0], False, True, True)",
        "prop(gs, {}, lambda *a: gs.prop_nodes_topo(*a))",
        "prop(gs, {}, lambda *a: gs.prop_nodes_topo(*a, reverse=True))",
        "prop(gs, {}, lambda *a: gs.prop_nodes_topo(*a, apply_node_func=doubled))",
    )
]

_PROP = [
    "prop(gs, g, lambda g, *f: gs.prop_nodes(g, [[1, 2], [0]], *f, None))",
    "prop(gs, g, lambda g, *f: gs.prop_nodes(g, [ids(2), ids(0, 1)], *f, doubled))",
    "prop(gs, g, lambda g, *f: gs.prop_nodes(g, [], *f, None))",
    "prop(gs, g, lambda g, *f: gs.prop_nodes_bfs(g, 0, *f))",
    "prop(gs, g, lambda g, *f: gs.prop_nodes_bfs(g, [2, 1], *f, True))",
    "prop(gs, g, lambda g, *f: gs.prop_nodes_bfs(g, 0, *f, apply_node_func=doubled))",
    "prop(gs, g, lambda g, *f: gs.prop_edges_dfs(g, 0, *f))",
    "prop(gs, g, lambda g, *f: gs.prop_edges_dfs(g, [2, 0], *f, True))",
    "prop(gs, g, lambda g, *f: gs.prop_edges_dfs(g, [2, 0], *f, False, True, True, doubled))",
]

_PROP_EDGES = [
    "prop(gs, g, lambda g, *f: gs.prop_edges(g, [[1, 2], [0]], *f, None))",
    "prop(gs, g, lambda g, *f: gs.prop_edges(g, [ids(3, 1), ids(0)], *f, doubled))",
    "u, v = g.edges(); prop(gs, g, lambda g, *f: gs.prop_edges(g, [(u[:2], v[:2])], *f, None))",
    "prop(gs, g, lambda g, *f: gs.prop_nodes(g, [[1, 2]], *f))",
    "prop(gs, g, lambda g, *f: gs.prop_edges(g, [[1, 2]], *f))",
    "gs.prop_nodes(g, [[1, 2], [0]])",
    "gs.prop_edges(g, [[1, 2], [0]])",
    "prop(gs, g, lambda *a: gs.prop_nodes_topo(*a))",
]

# Ids that do not exist stop DGL's process or are read as what lies in memory there, so that there
# is nothing to record.
_WRONG = [
    "gs.bfs_nodes_generator(g, None)",
    "gs.bfs_nodes_generator(g, '3')",
    "gs.bfs_nodes_generator(g, [0.5])",
    "gs.bfs_edges_generator(g, torch.tensor([1.0]))",
    "gs.bfs_nodes_generator(3, 0)",
    "gs.dfs_edges_generator(g, None)",
    "gs.topological_nodes_generator(None)",
    "gs.prop_nodes(3, [[0]], None, None, None)",
]

_TYPED = [
    "gs.bfs_nodes_generator(g, [0])",
    "gs.bfs_edges_generator(g, [0])",
    "gs.dfs_edges_generator(g, [0])",
    "gs.dfs_labeled_edges_generator(g, [0])",
    "gs.topological_nodes_generator(g)",
    "prop(gs, g, lambda g, *f: gs.prop_nodes_bfs(g, [0], *f))",
    "prop(gs, g, lambda g, *f: gs.prop_nodes_topo(g, *f))",
    "prop(gs, g, lambda g, *f: gs.prop_edges_dfs(g, [0], *f))",
]

_DEFAULT = "apply_node_func may be left out; DGL's default, from former times, cannot be called."
_INTEGERS = "Ids are integers: DGL reads '3' as 3 and cuts 0.5 to 0."
_TWO_TYPES = "Nodes of two types have no common ids: DGL walks on as if they had."

TABLE = Table(
    area="traversal",
    expressions=[
        *((e, "simple awkward awkward32 no_edges batched") for e in _BFS),
        *((e, "simple awkward awkward32 batched") for e in _DFS),
        *((e, "simple awkward no_edges no_nodes") for e in _TOPOLOGICAL),
        *((e, "simple awkward32") for e in _ACYCLIC),
        *((e, "simple awkward awkward32 batched") for e in _PROP),
        *((e, "simple awkward awkward32") for e in _PROP_EDGES),
        *((e, "simple") for e in _WRONG),
        *((e, "hetero bipartite") for e in _TYPED),
    ],
    differences=[
        Difference("*gs.prop_nodes(g, [[1, 2]], *f)*", "value", _DEFAULT),
        Difference("*gs.prop_edges(g, [[1, 2]], *f)*", "value", _DEFAULT),
        Difference("gs.bfs_nodes_generator(g, '3')*", "error", _INTEGERS),
        Difference("gs.bfs_nodes_generator(g, [0.5])*", "error", _INTEGERS),
        Difference("* @ bipartite", "error", _TWO_TYPES),
    ],
    names={"dag": dag, "tree": tree, "prop": prop, "doubled": doubled},
)
