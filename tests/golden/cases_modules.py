"""Transform modules. Random ones are asked for what does not depend on the draws."""

from __future__ import annotations

from typing import Any

import torch

from golden.harness import Difference, Table

# Different in every entry, so that no two entries of a diffused matrix are equally large.
WEIGHTS = "g.edata['w'] = weights(g.num_edges()); "
SIMPLE = "g = gs.to_simple(g, 'k'); " + WEIGHTS


def weights(count: int) -> torch.Tensor:
    """Positive, at most 1."""
    return ((torch.arange(count) * 7 + 3) % 11 + 1).float() / 16


def sizes(g: Any) -> tuple:
    """Numbers of nodes and edges of each type, and the sizes of a batch."""
    nodes = {ntype: g.num_nodes(ntype) for ntype in g.ntypes}
    edges = {etype: g.num_edges(etype) for etype in g.canonical_etypes}
    return nodes, edges, g.batch_size


def contents(g: Any) -> dict:
    """The rows of the node features of each type as a sorted list."""
    view = {ntype: g.nodes[ntype].data for ntype in g.ntypes}
    return {
        ntype: sorted(
            [*row, label]
            for row, label in zip(data["h"].tolist(), data["label"].tolist(), strict=True)
        )
        for ntype, data in view.items()
    }


def names(g: Any) -> tuple:
    """Names of features by type."""
    nodes = {ntype: sorted(g.nodes[ntype].data) for ntype in g.ntypes}
    return nodes, {etype: sorted(g.edges[etype].data) for etype in g.canonical_etypes}


_STRUCTURE = [
    "AddSelfLoop()",
    "AddSelfLoop(allow_duplicate=True)",
    "AddSelfLoop(new_etypes=True)",
    "AddSelfLoop(True, True)",
    "AddSelfLoop(edge_feat_names=['w'], fill_data='sum')",
    "AddSelfLoop(fill_data=2)",
    "RemoveSelfLoop()",
    "AddReverse()",
    "AddReverse(copy_edata=True)",
    "AddReverse(sym_new_etype=True)",
    "AddReverse(True, True)",
    "ToSimple()",
    "ToSimple(return_counts=None)",
    "ToSimple('n')",
    "LineGraph()",
    "LineGraph(backtracking=False)",
    "KHopGraph(2)",
    "KHopGraph(1)",
    "KHopGraph(-1)",
    "ToLevi()",
    "AddMetaPaths({})",
    "Compose([gs.transforms.RemoveSelfLoop(), gs.transforms.AddReverse()])",
    "Compose([])",
]

_PATHS = [
    "AddMetaPaths({'a': [('user', 'rates', 'item'), ('item', 'rated-by', 'user')]})",
    "AddMetaPaths({'a': [('user', 'rates', 'item'), ('item', 'rated-by', 'user')], "
    "'b': [('user', 'follows', 'user'), ('user', 'likes', 'item')]}, keep_orig_edges=False)",
    "AddMetaPaths({'a': [('tag', 'describes', 'item')]})",
    "AddMetaPaths({'a': [('user', 'rates', 'item'), ('user', 'follows', 'user')]})",
    "AddMetaPaths({'a': [('user', 'nope', 'item')]})",
    "AddMetaPaths({'a': []})",
]

_FEATURES = [
    "RowFeatNormalizer()",
    "RowFeatNormalizer(node_feat_names=['h'], edge_feat_names=['w'])",
    "RowFeatNormalizer(subtract_min=True, node_feat_names=['h'])",
    "RowFeatNormalizer(node_feat_names=['nope'])",
    "RowFeatNormalizer(node_feat_names=['label'])",
    "GCNNorm()",
    "GCNNorm('new')",
    "GCNNorm('k')",
    "FeatMask()",
    "FeatMask(p=1, node_feat_names=['h'], edge_feat_names=['w'])",
    "FeatMask(0, ['h'], ['w'])",
    "FeatMask(0.5, ['nope'])",
    "FeatMask(1, ['label'])",
    "FeatMask(2, ['h'])",
    "FeatMask(-1, ['h'])",
]

_ENCODINGS = [
    "RandomWalkPE(3)",
    "RandomWalkPE(k=2, feat_name='walk', eweight_name='k')",
    "RandomWalkPE(2, eweight_name='nope')",
    "SVDPE(0)",
    "SIGNDiffusion(2, 'h')",
    "SIGNDiffusion(2, 'h', 'out', 'w')",
    *(f"SIGNDiffusion(2, 'h', diffuse_op='{op}')" for op in ("raw", "rw", "gcn", "ppr")),
    "SIGNDiffusion(1, 'h', diffuse_op='ppr', alpha=0.5)",
    "SIGNDiffusion(0, 'h')",
    "SIGNDiffusion(1)",
    "SIGNDiffusion(1, 'label')",
    "SIGNDiffusion(1, 'h', diffuse_op='nope')",
]

_DIFFUSION = [
    "PPR(0.2, eps=0.05)",
    "PPR(alpha=0.15, avg_degree=2)",
    "PPR(0.2, 'k', eps=0.1)",
    "PPR(0.2, 'new', eps=0.1)",
    "HeatKernel(2.0, eps=0.05)",
    "HeatKernel(t=1.0, avg_degree=1)",
    "GDC([0.3, 0.2, 0.1], eps=0.01)",
    "GDC(coefs=[0.3, 0.2, 0.1], avg_degree=2)",
    "GDC([1.0], eps=0.5)",
    "GDC([], eps=0.5)",
]

_RANDOM = [
    *(f"sizes(gs.transforms.{name}({p})(g))" for name in ("DropNode", "DropEdge") for p in (0, 1)),
    *(f"names(gs.transforms.{name}(0.5)(g))" for name in ("DropNode", "DropEdge", "AddEdge")),
    *(f"sizes(gs.transforms.AddEdge({ratio})(g))" for ratio in (0, 0.5, 2)),
    "gs.transforms.DropNode(0)(g)",
    "gs.transforms.DropEdge(0)(g)",
    "r = gs.transforms.NodeShuffle()(g); sizes(r), contents(r)",
    *(f"gs.transforms.{name}({p})(g)" for name in ("DropNode", "DropEdge") for p in (1.5, -1)),
    "gs.transforms.AddEdge(-1)(g)",
    "gs.transforms.AddEdge('a')(g)",
]

_KEPT = [
    f"gs.transforms.{call}(g); g"
    for call in (
        "RowFeatNormalizer(node_feat_names=['h'])",
        "GCNNorm('new')",
        "RandomWalkPE(2)",
        "FeatMask(1, ['h'])",
        "SIGNDiffusion(1, 'h')",
        "AddSelfLoop()",
        "DropEdge(1)",
    )
]

_LAPLACIAN = [
    f"r = gs.transforms.{call}(g); names(r)"
    for call in ("LapPE(2)", "LapPE(k=2, feat_name='a', eigval_name='b')", "SVDPE(2, 'c')")
]
_LAPLACIAN += [
    "gs.transforms.LapPE(2, eigval_name='b')(g).ndata['b']",
    "gs.transforms.LapPE(9, 'a', 'b', padding=True)(g).ndata['b']",
    "gs.transforms.LapPE(k=9, padding=True)(g).ndata['PE'].shape",
    "gs.transforms.LapPE(0)(g)",
    "gs.transforms.SVDPE(9, padding=True)(g).ndata['svd_pe'].shape",
    "gs.transforms.SVDPE(k=9)(g)",
    "p = gs.transforms.SVDPE(3, 'a', False, False)(g).ndata['a']; (p[:, :3] @ p[:, 3:].T).shape",
]

_WRONG = [
    "gs.transforms.Compose(3)(g)",
    "gs.transforms.Compose([3])(g)",
    "gs.transforms.AddSelfLoop(edge_feat_names=['nope'])(g)",
    *(
        f"gs.transforms.{call}(3)"
        for call in ("AddSelfLoop()", "AddReverse()", "GCNNorm()", "DropNode()", "NodeShuffle()")
    ),
]


_ON_GRAPH = [f"gs.transforms.{call}(g)" for call in _STRUCTURE]
_TABLE: list[tuple[str, str]] = [
    *((call, "simple awkward awkward32 no_edges hetero hetero32") for call in _ON_GRAPH),
    *((call, "bipartite batched") for call in _ON_GRAPH[:14]),
    *((f"gs.transforms.{call}(g)", "hetero hetero32") for call in _PATHS),
    *((f"gs.transforms.{call}(g)", "simple awkward32 hetero no_edges") for call in _FEATURES),
    *((f"gs.transforms.{call}(g)", "simple awkward32 no_edges hetero") for call in _ENCODINGS),
    *((f"{WEIGHTS}gs.transforms.{call}(g)", "simple awkward32 batched") for call in _DIFFUSION),
    *((SIMPLE + f"gs.transforms.{call}(g)", "awkward32 batched") for call in _DIFFUSION),
    *((f"gs.transforms.{call}(g)", "hetero") for call in _DIFFUSION),
    *((call, "simple awkward32 no_edges batched bipartite hetero") for call in _RANDOM),
    *((call, "simple") for call in [*_KEPT, *_WRONG]),
    *((call, "simple hetero") for call in _LAPLACIAN),
]

_DIFFERENCES = [
    Difference(
        "gs.transforms.ToLevi()*",
        "other",
        "A Levi graph has all nodes of the graph; DGL's lacks isolated ones at the end.",
    ),
    *(
        Difference(
            f"gs.transforms.{name}(*['nope'])(g) @ hetero",
            "error",
            "A feature that no type has is an error; DGL passes over it if types are several.",
        )
        for name in ("RowFeatNormalizer", "FeatMask")
    ),
    *(
        Difference(
            f"gs.transforms.{call}(g) @ no_edges",
            "error",
            "Wrong arguments are an error also for graphs without edges; DGL checks them only "
            "if there are edges.",
        )
        for call in ("GCNNorm('k')", "SIGNDiffusion(1, 'label')", "AddEdge(-1)")
    ),
    Difference(
        "gs.transforms.SIGNDiffusion(0, 'h')(g) @ hetero",
        "error",
        "Diffusion takes graphs whose only edge type joins a node type with itself.",
    ),
    *(
        Difference(
            f"g.edata['w'] = *.{name}(* @ {graph}",
            "other",
            "In PPR, HeatKernel and GDC, the weights of parallel edges add up; in DGL the last one "
            "counts.",
        )
        for name, graph in (
            ("PPR", "awkward32"),
            ("PPR", "batched"),
            ("HeatKernel", "awkward32"),
            ("HeatKernel", "batched"),
            ("GDC", "awkward32"),
            ("GDC", "batched"),
        )
    ),
    Difference(
        "gs.transforms.*(g); g @ simple",
        "other",
        "A transform leaves the graph that it is given as it is; in DGL, those that only change "
        "features write them into it.",
    ),
]

TABLE = Table(
    "modules",
    _TABLE,
    differences=_DIFFERENCES,
    names={"weights": weights, "sizes": sizes, "contents": contents, "names": names},
)
