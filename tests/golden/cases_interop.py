"""Conversions from and to networkx and scipy.

The expressions make their own networkx graphs and scipy matrices with `digraph`, `letters`, `sides`
and `matrix`; `everything` gives the nodes and edges of a networkx graph with all attributes.
"""

from __future__ import annotations

from typing import Any

import networkx as nx
import numpy as np
import scipy.sparse as sp
import torch

from golden.harness import Difference, Table


def digraph(kind: Any = nx.DiGraph) -> Any:
    """Integer labels with gaps in no order, a self-loop, attributes of several kinds."""
    graph = kind()
    for i, label in enumerate((7, 0, 3, 5)):
        graph.add_node(label, x=i / 2, y=[i, -i], t=torch.ones(2) * i, a=np.ones(3) * i, b=i > 1)
    for i, (u, v) in enumerate([(3, 7), (0, 3), (7, 0), (3, 3), (0, 7)]):
        graph.add_edge(u, v, w=i / 4, id=(i * 2 + 1) % 5)
    return graph


def letters() -> Any:
    """Labels that are letters."""
    return nx.relabel_nodes(digraph(), {7: "b", 0: "d", 3: "a", 5: "c"})


def parallel(kind: Any = nx.MultiDiGraph) -> Any:
    """Parallel edges that come neither sorted nor together."""
    graph = kind()
    graph.add_nodes_from([0, 1, 2, 3])
    for i, (u, v) in enumerate([(1, 2), (0, 2), (0, 1), (0, 2), (2, 0), (3, 3), (3, 3)]):
        graph.add_edge(u, v, w=i, id=6 - i)
    return graph


def sides(kind: Any = nx.DiGraph) -> Any:
    """Three sources, three destinations, four edges."""
    graph = kind()
    graph.add_nodes_from([0, 2, 1], bipartite=0, x=1.5)
    graph.add_nodes_from([5, 4, 3], bipartite=1, y=[1, 2])
    for i, (u, v) in enumerate([(0, 4), (2, 3), (1, 5), (0, 3)]):
        graph.add_edge(u, v, w=float(i), id=3 - i)
    return graph


def changed(graph: Any, *nodes: Any, edges: Any = (), **attributes: Any) -> Any:
    """`graph` with more nodes and edges, which have the attributes."""
    graph.add_nodes_from(nodes, **attributes)
    graph.add_edges_from(edges, **attributes)
    return graph


def matrix(columns: int = 4) -> Any:
    """A sparse matrix of four rows with a duplicate, an explicit zero and unsorted entries."""
    ends = np.array([2, 0, 2, 1, 2]), np.array([1, 2, 0, 1, 1])
    return sp.coo_matrix((np.array([1.0, 2.0, 3.0, 0.0, 5.0]), ends), shape=(4, columns))


def everything(graph: Any) -> Any:
    """Kind, nodes and edges of a networkx graph, with attributes; NumPy's numbers as Python's."""
    nodes = [(int(node), dict(data)) for node, data in graph.nodes(data=True)]
    edges = [
        (int(u), int(v), key, {n: int(x) if isinstance(x, np.integer) else x for n, x in d.items()})
        for u, v, key, d in graph.edges(data=True, keys=True)
    ]
    return type(graph).__name__, nodes, edges


_TO_NETWORKX = [
    "everything(gs.to_networkx(g))",
    "everything(g.to_networkx())",
    "everything(gs.to_networkx(g, ['h', 'label'], ['w', 'k']))",
    "everything(g.to_networkx(node_attrs=['label']))",
    "everything(gs.to_networkx(g, edge_attrs=['k'], ntype_attr='a', etype_attr='b'))",
    "gs.to_networkx(g, ['nope'])",
    "gs.to_networkx(g, None, ['nope'])",
]

_FROM_NETWORKX = [
    "gs.from_networkx(digraph())",
    "gs.from_networkx(letters(), ['x', 'b'], ['w'])",
    "gs.from_networkx(letters(), edge_attrs=['w', 'id'], edge_id_attr_name='id')",
    "gs.from_networkx(digraph(), ['x', 'y', 't', 'a', 'b'])",
    "gs.from_networkx(digraph(), ('x',), ('w',), 'id', torch.int32)",
    "gs.from_networkx(digraph(nx.Graph))",
    "gs.from_networkx(digraph(nx.Graph), ['x'])",
    "gs.from_networkx(digraph(nx.Graph), idtype=torch.int32)",
    "gs.from_networkx(parallel(), None, ['w'])",
    "gs.from_networkx(parallel(), None, ['w'], 'id')",
    "gs.from_networkx(parallel(nx.MultiGraph))",
    "gs.from_networkx(parallel(nx.Graph))",
    "gs.from_networkx(nx.DiGraph())",
    "gs.from_networkx(nx.empty_graph(3))",
    "gs.from_networkx(nx.karate_club_graph())",
    "gs.from_networkx(nx.star_graph(4))",
    "gs.from_networkx(nx.grid_2d_graph(3, 2))",
    "gs.from_networkx(digraph(nx.Graph), edge_attrs=['w'])",
    "gs.from_networkx(digraph(nx.Graph), edge_id_attr_name='id')",
    "gs.from_networkx(digraph(), ['nope'])",
    "gs.from_networkx(digraph(), None, ['nope'])",
    "gs.from_networkx(digraph(), edge_id_attr_name='nope')",
    "gs.from_networkx(changed(digraph(), 9), ['x'])",
    "gs.from_networkx(changed(digraph(), 9, x='word'), ['x'])",
    "gs.from_networkx(changed(digraph(), 9, y=[1, 2, 3]), ['y'])",
    "gs.from_networkx(changed(digraph(), 'word'))",
    "gs.from_networkx(changed(digraph(), edges=[(5, 7)], id=9), edge_id_attr_name='id')",
    "gs.from_networkx(changed(digraph(), edges=[(5, 7)], id=0), edge_id_attr_name='id')",
    "gs.from_networkx(changed(digraph(), edges=[(5, 7)]), edge_id_attr_name='id')",
    "gs.from_networkx(3)",
    "gs.from_networkx(nx.DiGraph(), ['x'], ['y'])",
]

_BIPARTITE_NETWORKX = [
    "gs.bipartite_from_networkx(sides(), 'u', 'e', 'v')",
    "gs.bipartite_from_networkx(sides(), 'u', 'e', 'v', ['x'], ['w'], ['y'])",
    "gs.bipartite_from_networkx(sides(), 'u', 'e', 'v', ['x'], ['w'], ['y'], 'id', torch.int32)",
    "gs.bipartite_from_networkx(sides(nx.MultiDiGraph), 'u', 'e', 'v', e_attrs=['w'])",
    "gs.bipartite_from_networkx(nx.DiGraph(), 'u', 'e', 'v')",
    "gs.bipartite_from_networkx(sides(), 'u', 'e', 'u')",
    "gs.bipartite_from_networkx(sides(nx.Graph), 'u', 'e', 'v')",
    "gs.bipartite_from_networkx(changed(sides(), 9), 'u', 'e', 'v')",
    "gs.bipartite_from_networkx(changed(sides(), 9, bipartite=2), 'u', 'e', 'v')",
    "gs.bipartite_from_networkx(changed(sides(), edges=[(3, 0)]), 'u', 'e', 'v')",
    "gs.bipartite_from_networkx(changed(sides(), edges=[(0, 1)]), 'u', 'e', 'v')",
    "gs.bipartite_from_networkx(sides(), 'u', 'e', 'v', ['y'])",
    "gs.bipartite_from_networkx(sides(), 'u', 'e', 'v', v_attrs=['x'])",
    "gs.bipartite_from_networkx(sides(), 'u', 'e', 'v', e_attrs=['nope'])",
    "gs.bipartite_from_networkx(None, 'u', 'e', 'v')",
]

_SCIPY = [
    "gs.from_scipy(matrix())",
    "gs.from_scipy(matrix(), 'w')",
    "gs.from_scipy(matrix().tocsr(), 'w')",
    "gs.from_scipy(matrix().tocsc(), 'w')",
    "gs.from_scipy(matrix().tolil(), 'w')",
    "gs.from_scipy(matrix().astype(np.int32), 'w', torch.int32)",
    "gs.from_scipy(matrix().astype(bool), 'w', idtype=torch.int64)",
    "gs.from_scipy(matrix(5))",
    "gs.from_scipy(np.eye(3))",
    "gs.from_scipy(sp.coo_matrix((3, 3)), 'w')",
    "gs.from_scipy(sp.coo_matrix((0, 0)))",
    "gs.from_scipy(None)",
    "gs.bipartite_from_scipy(matrix(6), 'u', 'e', 'v')",
    "gs.bipartite_from_scipy(matrix(6), 'u', 'e', 'v', 'w', torch.int32)",
    "gs.bipartite_from_scipy(matrix(6).tocsr(), 'u', 'e', 'v', eweight_name='w')",
    "gs.bipartite_from_scipy(matrix(4), 'u', 'e', 'u')",
    "gs.bipartite_from_scipy(matrix(6), 'u', 'e', 'u')",
    "gs.bipartite_from_scipy(sp.coo_matrix((2, 0)), 'u', 'e', 'v')",
    "gs.bipartite_from_scipy(np.eye(3), 'u', 'e', 'v')",
    "gs.bipartite_from_scipy(matrix(6), 1, 'e', 'v')",
    # Without a GPU, and without cuGraph.
    "gs.to_cugraph(g)",
    "g.to_cugraph()",
    "gs.from_cugraph(3)",
]

_FORGOTTEN = "A feature that no type has is an error; DGL may leave it out without a word."
_BLOCK = "Destination nodes of a block come after its sources; DGL gives edges the wrong ends."

TABLE = Table(
    area="interop",
    expressions=[
        *((e, "simple awkward awkward32 no_nodes bipartite hetero block") for e in _TO_NETWORKX),
        *((e, "simple") for e in _FROM_NETWORKX),
        *((e, "simple") for e in _BIPARTITE_NETWORKX),
        *((e, "simple") for e in _SCIPY),
    ],
    differences=[
        Difference("*networkx(g, *['nope'])*", "error", _FORGOTTEN),
        Difference("everything(*['h', 'label'], ['w', 'k'])* @ block", "value", _BLOCK),
        Difference("everything(*node_attrs=['label'])* @ block", "value", _BLOCK),
        Difference("everything(* @ block", "other", _BLOCK),
        Difference(
            "gs.from_networkx(changed(digraph(), edges=[(5, 7)], id=0)*",
            "error",
            "Every edge has an id of its own: DGL drops edges with the same one.",
        ),
        Difference(
            "gs.from_networkx(nx.DiGraph(), ['x'], ['y'])*",
            "value",
            "Attributes of no node and no edge make empty features.",
        ),
        Difference(
            "gs.from_scipy(matrix().tolil(), 'w')*",
            "value",
            "Values are taken from a sparse matrix of any format.",
        ),
    ],
    names={f.__name__: f for f in (digraph, letters, parallel, sides, changed, matrix, everything)}
    | {"nx": nx, "sp": sp},
)
