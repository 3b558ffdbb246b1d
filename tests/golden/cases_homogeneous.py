"""Types as numbers and back, merged graphs and random graphs.

In the expressions `g` is the input, `E` one of its edge types; `retype` gives a homogeneous graph
the type features that `to_heterogeneous` reads, ``meta(...)`` is a metagraph of the edge types
given, and `dress` gives every type of a new graph the features ``x`` and ``y``.
"""

from __future__ import annotations

from typing import Any

import torch

from golden.harness import Difference, Table


def retype(g: Any, nodes: int = 2, edges: int = 2) -> Any:
    """Number the nodes and edges in turn, in the default fields."""
    g.ndata["_TYPE"] = torch.arange(g.num_nodes()) % nodes
    g.edata["_TYPE"] = torch.arange(g.num_edges()) % edges
    return g


def meta(*etypes: tuple[str, str, str]) -> Any:
    """A metagraph of `etypes`."""
    import networkx

    graph = networkx.MultiDiGraph()
    graph.add_edges_from((src, dst, relation) for src, relation, dst in etypes)
    return graph


def dress(g: Any, start: int = 0) -> Any:
    """Number the nodes and edges of each type from `start`, as floats and as rows of two."""
    for ntype in g.ntypes:
        g.nodes[ntype].data["x"] = torch.arange(start, start + g.num_nodes(ntype)).float()
    for etype in g.canonical_etypes:
        count = torch.arange(start, start + g.num_edges(etype))
        g.edges[etype].data["y"] = torch.stack([count, -count], dim=1)
    return g


_ALL = "ndata=['h', 'label'], edata=['w', 'k']"

_TO_HOMOGENEOUS = [
    "gs.to_homogeneous(g)",
    f"gs.to_homogeneous(g, {_ALL})",
    "gs.to_homogeneous(g, ndata=('label',))",
    "gs.to_homogeneous(g, edata=['k'], store_type=False)",
    "gs.to_homogeneous(g, return_count=True)",
    "gs.to_homogeneous(g, store_type=False, return_count=True)[1:]",
    "gs.to_homogeneous(g, ndata=['nope'])",
    "gs.to_homogeneous(g, edata=['nope'])",
]

_MIXED = [
    "g.nodes['user'].data['h'] = x(5, 3); gs.to_homogeneous(g, ndata=['h'])",
    "g.nodes['user'].data['h'] = x(5, 2).double(); gs.to_homogeneous(g, ndata=['h'])",
    "g.nodes['user'].data['only'] = x(5); gs.to_homogeneous(g, ndata=['only'])",
    "g.nodes['tag'].data.pop('h'); gs.to_homogeneous(g, ndata=['h'])",
    "g.edges[E].data['w'] = x(g.num_edges(E)); gs.to_homogeneous(g, edata=['w'])",
]

_THERE_AND_BACK = [
    f"h = gs.to_homogeneous(g, {_ALL}); gs.to_heterogeneous(h, g.ntypes, g.etypes)",
    f"h = gs.to_homogeneous(g, {_ALL});"
    " gs.to_heterogeneous(h, g.ntypes, g.etypes, metagraph=g.metagraph())",
]

_TO_HETEROGENEOUS = [
    "gs.to_heterogeneous(retype(g), ['z', 'a'], ['q', 'p'])",
    "gs.to_heterogeneous(retype(g, 1, 1), ['a'], ['r'])",
    "gs.to_heterogeneous(retype(g, 1, 3), ['a'], ['r', 's', 'q'])",
    "gs.to_heterogeneous(retype(g, 3, 1), ['b', 'c', 'a'], ['r'])",
    "gs.to_heterogeneous(retype(g), ('z', 'a', 'unused'), ('q', 'p', 'unused'))",
    "gs.to_heterogeneous(retype(g), ['z', 'a'], ['q', 'p'], 'label', 'k')",
    "g.edata['k'] = g.edata['k'] % 2;"
    " gs.to_heterogeneous(g, ['z', 'a', 'b'], ['q', 'p'], 'label', 'k')",
    "gs.to_heterogeneous(retype(g), ['a', 'z'], ['q', 'p'],"
    " metagraph=meta(('a', 'q', 'z'), ('a', 'p', 'a'), ('z', 'q', 'z')))",
]

_TO_HETEROGENEOUS_WRONG = [
    "gs.to_heterogeneous(retype(g), ['z', 'a'], ['q', 'p'], 'nope')",
    "gs.to_heterogeneous(retype(g), ['z', 'a'], ['q', 'p'], etype_field='nope')",
    "gs.to_heterogeneous(retype(g), ['z', 'a'], ['q'])",
    "gs.to_heterogeneous(retype(g), ['z'], ['q', 'p'])",
    "gs.to_heterogeneous(retype(g), [], [])",
    "gs.to_heterogeneous(retype(g), ['a', 'z'], ['q', 'p'], metagraph=meta(('a', 'q', 'nope')))",
    "gs.to_heterogeneous(retype(g), ['a', 'z'], ['q', 'p'], metagraph=meta(('a', 'nope', 'a')))",
    "gs.to_heterogeneous(retype(g), ['a', 'z'], ['q', 'p'], metagraph=meta())",
    "gs.to_heterogeneous(retype(g), ['a', 'a'], ['q', 'p'])",
    "gs.to_heterogeneous(retype(g, 1, 2), ['a'], ['q', 'q'])",
    "retype(g).ndata['_TYPE'] -= 1; gs.to_heterogeneous(g, ['z', 'a'], ['q', 'p'])",
    "retype(g).ndata['_TYPE'] = x(g.num_nodes()); gs.to_heterogeneous(g, ['z', 'a'], ['q', 'p'])",
    "retype(g).ndata['_TYPE'] = torch.zeros(g.num_nodes(), 1, dtype=torch.int64);"
    " gs.to_heterogeneous(g, ['z', 'a'], ['q', 'p'])",
]

_MERGE = [
    "gs.merge([g])",
    "gs.merge([g, g])",
    "gs.merge((g, g, g))",
]

_MERGE_TWO = [
    "gs.merge([g, gs.graph(([0, 1], [1, 2]))])",
    "gs.merge([gs.graph(([], []), num_nodes=9, idtype=g.idtype), g])",
]

_A = "dress(gs.graph(([0, 2, 2], [1, 0, 0])))"
_B = "dress(gs.graph(([4, 0], [1, 0])), 10)"
_H = "dress(gs.heterograph({('a', 'r', 'b'): ([0, 1], [1, 2]), ('b', 's', 'b'): ([0], [0])}))"
_I = "dress(gs.heterograph({('a', 'r', 'b'): ([3], [0]), ('b', 's', 'b'): ([5], [0])}), 10)"

_MERGE_NEW = [
    f"gs.merge([{_A}, {_B}])",
    f"gs.merge([{_B}, {_A}])",
    f"gs.merge([{_A}.int(), {_B}])",
    f"gs.merge([{_A}.int(), {_B}.int()])",
    f"gs.merge([{_A}, {_B}, {_A}])",
    f"gs.merge([{_H}, {_I}])",
    f"gs.merge([{_I}, {_H}])",
    f"a, b = {_A}, {_B}; del a.ndata['x']; gs.merge([a, b])",
    f"a, b = {_A}, {_B}; del b.ndata['x']; gs.merge([a, b])",
    f"a, b = {_A}, {_B}; del a.edata['y']; gs.merge([a, b])",
    f"a, b = {_A}, {_B}; del b.edata['y']; gs.merge([a, b])",
    f"a, b = {_A}, {_B}; a.ndata['x'] = x(3, 2); gs.merge([a, b])",
    f"a, b = {_A}, {_B}; a.ndata['x'] = a.ndata['x'].double(); gs.merge([a, b])",
    f"a, b = {_A}, {_B}; a.edata['y'] = x(3); gs.merge([a, b])",
    "gs.merge([])",
    "gs.merge(None)",
    f"gs.merge([{_A}, 3])",
    f"gs.merge({_A})",
    f"gs.merge([{_A}, {_H}])",
    "gs.merge([gs.heterograph({('a', 'r', 'b'): ([0], [1])}),"
    " gs.heterograph({('b', 's', 'c'): ([5], [2]), ('a', 'r', 'b'): ([3], [3])})])",
]

# What is random is told by what does not depend on chance.
_RANDOM = [
    "r = gs.rand_graph(5, 25); r.num_nodes(), sorted(map(tuple, zip(*map(torch.Tensor.tolist,"
    " r.edges()))))",
    "r = gs.rand_graph(30, 40); r.num_nodes(), r.num_edges(), r.is_multigraph, r.idtype",
    "r = gs.rand_graph(3, 4, idtype=torch.int32); r.num_edges(), r.idtype, r.ntypes, r.etypes",
    "gs.rand_graph(4, 0)",
    "gs.rand_graph(0, 0)",
    "gs.rand_graph(0, 1)",
    "gs.rand_graph(5, 26)",
    "gs.rand_graph(5, -1)",
    "gs.rand_graph(-1, 0)",
    "gs.rand_graph(3.5, 3)",
    "gs.rand_graph(5, 3, idtype=torch.float32)",
    "r = gs.rand_bipartite('u', 'e', 'v', 2, 3, 6); r.num_nodes('u'), r.num_nodes('v'),"
    " sorted(map(tuple, zip(*map(torch.Tensor.tolist, r.edges()))))",
    "r = gs.rand_bipartite('u', 'e', 'v', 20, 30, 40); r.canonical_etypes, r.is_multigraph,"
    " r.num_edges()",
    "r = gs.rand_bipartite('u', 'e', 'v', 2, 3, 4, torch.int32); r.idtype, r.num_edges()",
    "r = gs.rand_bipartite('u', 'e', 'u', 3, 4, 5); r.ntypes, r.num_nodes(), r.num_edges()",
    "gs.rand_bipartite('u', 'e', 'v', 0, 3, 0)",
    "gs.rand_bipartite('u', 'e', 'v', 0, 3, 1)",
    "gs.rand_bipartite('u', 'e', 'v', 2, 3, 7)",
    "gs.rand_bipartite('u', 'e', 'v', 2, 3, -1)",
]

_FORGOTTEN = "A feature that was requested is an error where a type lacks it; DGL may drop it."
_NO_EDGES = "A graph without edges is a graph like any other; DGL's to_homogeneous raises an error."
_BLOCK = "A block has no common node ids: DGL gives its edges the wrong destinations."
_MERGED_BLOCK = "A block has no common node ids: DGL takes destination nodes for source nodes."
_ALL_KEPT = "merge keeps every type and feature, filling with zeros; DGL drops or refuses some."
_ONE_OF_TWO = "Edges of one edge type stay together even if it is listed twice; DGL drops some."

TABLE = Table(
    area="homogeneous",
    expressions=[
        *((e, "any shared_name") for e in _TO_HOMOGENEOUS),
        *((e, "hetero hetero32") for e in _MIXED),
        *((e, "homo bipartite het shared_name") for e in _THERE_AND_BACK),
        *((e, "homo no_nodes") for e in _TO_HETEROGENEOUS),
        *((e, "simple") for e in _TO_HETEROGENEOUS_WRONG),
        ("gs.to_heterogeneous(g, ['z', 'a'], ['q', 'p'])", "simple bipartite hetero block"),
        *((e, "homo no_nodes bipartite block het shared_name") for e in _MERGE),
        *((e, "homo no_nodes bipartite") for e in _MERGE_TWO),
        *((e, "simple") for e in _MERGE_NEW),
        *((e, "simple") for e in _RANDOM),
    ],
    differences=[
        Difference("gs.to_homogeneous(g* @ no_*", "value", _NO_EDGES),
        Difference("*to_homogeneous(g* @ no_edges", "value", _NO_EDGES),
        Difference("gs.to_homogeneous(g* @ *block", "error", _BLOCK),
        Difference("g.nodes['tag'].data.pop*", "error", _FORGOTTEN),
        Difference("*metagraph=g.metagraph()) @ shared_name", "other", _ONE_OF_TWO),
        Difference("*['a'], ['q', 'q'])*", "other", _ONE_OF_TWO),
        Difference("*['a', 'a'], *", "error", "The name of a node type may occur only once."),
        Difference("gs.merge(* @ block", "error", _MERGED_BLOCK),
        *(
            Difference(f"gs.merge({graphs}) @ {name}*", "other", _ALL_KEPT)
            for graphs in ("[g]", "[g, g]", "(g, g, g)")
            for name in ("no_", "hetero")
        ),
        Difference("gs.merge([g, gs.graph*", "value", _ALL_KEPT),
        Difference("gs.merge([gs.graph((*, g]) @ bipartite", "value", _ALL_KEPT),
        Difference("gs.merge([gs.graph((*, g])*", "other", _ALL_KEPT),
        Difference("*del a.edata*", "other", _ALL_KEPT),
        Difference("*del b.edata*", "value", _ALL_KEPT),
        Difference("gs.merge([dress(gs.graph*dress(gs.heterograph*", "value", _ALL_KEPT),
        Difference("gs.merge([gs.heterograph*", "other", _ALL_KEPT),
    ],
    names={"retype": retype, "meta": meta, "dress": dress},
)
