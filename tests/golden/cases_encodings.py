"""Shortest distances and positional encodings.

Eigenvectors have no sign, and are not unique where an eigenvalue recurs, so expressions give what
does not depend on the choice: absolute values of unique ones, products of left and right ones.
"""

from __future__ import annotations

from golden.harness import Difference, Table

# Undirected, connected, not bipartite; no eigenvalue occurs twice.
_UNDIRECTED = (
    "g = gs.graph(([0, 1, 0, 2, 1, 2, 2, 3, 3, 4, 4, 5, 2, 5], "
    "[1, 0, 2, 0, 2, 1, 3, 2, 4, 3, 5, 4, 5, 2]), idtype=g.idtype); "
)

_DISTANCES = [
    "gs.shortest_dist(g)",
    "gs.shortest_dist(g, root=0)",
    "gs.shortest_dist(g, root=[2, 0])",
    "gs.shortest_dist(g, root=torch.tensor(1))",
    "gs.shortest_dist(g, return_paths=True)",
    "gs.shortest_dist(g, 2, True)",
    "gs.shortest_dist(g, root=[0, 2, 0], return_paths=True)",
    "gs.shortest_dist(g, root=99)",
    "gs.shortest_dist(g, root=-1)",
    "gs.double_radius_node_labeling(g, 0, 1)",
    "gs.double_radius_node_labeling(g, 2, 0)",
    "gs.double_radius_node_labeling(g, 0, 0)",
    "gs.double_radius_node_labeling(g, 0, 99)",
    "gs.double_radius_node_labeling(g, 0, -1)",
]

_LAPLACIAN = [
    "gs.lap_pe(g, 2, return_eigval=True)[1]",
    "gs.lap_pe(g, 2).shape",
    "gs.lap_pe(g, 2).dtype",
    "gs.lap_pe(g, 20, padding=True)[:, g.num_nodes() - 1:]",
    "gs.lap_pe(g, 20, True, True)[1]",
    "gs.lap_pe(g, 0)",
    "gs.lap_pe(g, -1)",
    "gs.lap_pe(g, 1.5)",
    "gs.lap_pe(g, 20)",
    "gs.laplacian_lambda_max(g)",
]

_SINGULAR = [
    "pe = gs.svd_pe(g, 2, random_flip=False); pe.shape, pe.dtype",
    "n = g.num_nodes(); pe = gs.svd_pe(g, n, False, False); pe[:, :n] @ pe[:, n:].T",
    "n = g.num_nodes(); pe = gs.svd_pe(g, 20, True, False); pe[:, :n] @ pe[:, n:2 * n].T",
    "gs.svd_pe(g, 20, padding=True, random_flip=False)[:, 2 * g.num_nodes():]",
    "gs.svd_pe(g, 0)",
    "gs.svd_pe(g, -1)",
    "gs.svd_pe(g, 20)",
    "gs.svd_pe(g, 1.5)",
]

_WALKS = [
    "gs.random_walk_pe(g, 1)",
    "gs.random_walk_pe(g, k=4)",
    "gs.random_walk_pe(g, 3, eweight_name='k')",
    "gs.random_walk_pe(g, 3, 'k')",
    "g.edata['s'] = g.edata['w'].abs(); gs.random_walk_pe(g, 3, eweight_name='s')",
    "g.edata['s'] = torch.zeros(g.num_edges()); gs.random_walk_pe(g, 2, eweight_name='s')",
    "g.edata['s'] = torch.ones(g.num_edges(), 2); gs.random_walk_pe(g, 2, eweight_name='s')",
    "gs.random_walk_pe(g, 2, eweight_name='nope')",
    "gs.random_walk_pe(g, 0)",
    "gs.random_walk_pe(g, -1)",
    "gs.random_walk_pe(g, 1.5)",
]

_ON_UNDIRECTED = [
    _UNDIRECTED + call
    for call in (
        "gs.lap_pe(g, 3).abs()",
        "gs.lap_pe(g, 5, return_eigval=True)[1]",
        "gs.lap_pe(g, 9, True).abs()",
        "gs.svd_pe(g, 3, random_flip=True).abs()",
        "gs.svd_pe(g, 8, padding=True).abs()",
        "pe = gs.svd_pe(g, 3, random_flip=True); pe[:, :3].sign() * pe[:, 3:].sign()",
        "gs.laplacian_lambda_max(g)",
        "gs.laplacian_lambda_max(gs.batch([g, gs.graph(([0], [0])), g]))",
        "gs.random_walk_pe(g, 5)",
        "gs.double_radius_node_labeling(g, 4, 1)",
        "gs.shortest_dist(g, return_paths=True)[0]",
    )
]

_WRONG_GRAPHS = [
    f"gs.{call}"
    for call in (
        "shortest_dist(g)",
        "double_radius_node_labeling(g, 0, 1)",
        "lap_pe(g, 1)",
        "svd_pe(g, 1)",
        "random_walk_pe(g, 1)",
        "laplacian_lambda_max(g)",
    )
]

_DIFFERENCES = [
    Difference(
        "gs.shortest_dist(g, root=-1)*",
        "error",
        "A negative root is an error; DGL counts it from the end.",
    ),
    Difference(
        "gs.shortest_dist(g, *) @ no_nodes",
        "value",
        "Paths of a graph without nodes are an empty tensor.",
    ),
    Difference(
        "gs.shortest_dist(g, root=[0, 2, 0]*",
        "value",
        "Several roots may be given with paths as well as without.",
    ),
    Difference(
        "gs.double_radius_node_labeling(g, 0, 0)*",
        "error",
        "The two nodes of double_radius_node_labeling must differ.",
    ),
    Difference(
        "gs.lap_pe(g, 20)*",
        "error",
        "lap_pe with k of N or more is an error without padding, as DGL's documentation says too; "
        "DGL pads.",
    ),
    Difference(
        "gs.lap_pe(g, *True*@ no_nodes",
        "value",
        "The encoding of a graph without nodes is an empty tensor, if padded.",
    ),
    Difference("gs.svd_pe(g, -1)*", "error", "A negative number of singular values is an error."),
    *(
        Difference(
            f"gs.random_walk_pe(g, {k})*",
            "error",
            "A random walk has at least one step; DGL gives one column for a smaller k.",
        )
        for k in (0, -1)
    ),
    *(
        Difference(
            f"gs.{call} @ {graph}",
            "error",
            "Paths and encodings take graphs whose only edge type joins a node type with itself.",
        )
        for call, graph in (
            ("random_walk_pe(g, 1)", "b*"),
            ("shortest_dist(g)", "bipartite"),
            ("double_radius_node_labeling(g, 0, 1)", "bipartite"),
            ("laplacian_lambda_max(g)", "block"),
        )
    ),
    Difference(
        "*laplacian_lambda_max(gs.batch([g, gs.graph(([0], [0])), g]))*",
        "value",
        "Graphs of one or two nodes have a largest eigenvalue too.",
    ),
]

TABLE = Table(
    "encodings",
    [
        *((call, "homo no_nodes") for call in _DISTANCES),
        *((call, "simple awkward awkward32 no_edges") for call in _LAPLACIAN),
        *((call, "homo") for call in _SINGULAR),
        *((call, "homo") for call in _WALKS),
        *((call, "simple awkward32") for call in _ON_UNDIRECTED),
        *((call, "bi het hetero_block") for call in _WRONG_GRAPHS),
        ("gs.lap_pe(g, 3, True, True)", "no_nodes"),
        ("gs.svd_pe(g, 3, True)", "no_nodes"),
        ("gs.random_walk_pe(g, 3)", "no_nodes"),
        ("gs.laplacian_lambda_max(g)", "no_nodes batched"),
        ("gs.lap_pe(g, 2)", "no_nodes"),
        *((call.replace("(g", "(3", 1), "simple") for call in _WRONG_GRAPHS),
    ],
    differences=_DIFFERENCES,
)
