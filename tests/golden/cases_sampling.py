"""Sampling where chance decides nothing: all edges, or no more than there are.

In the expressions `g` is the input, ``ids(...)`` makes ids of the graph's id type, ``weigh(n)`` is
n weights of which each third is 0, and ``ones(n)`` a mask over n rows without each third. DGL gives
the edges of a node in a random order, so ``into`` and ``out_of`` put edges in the order of their
former ids, and tell in which order the nodes were whose edges they are.
"""

from __future__ import annotations

import torch

from golden.harness import Difference, Table


def weigh(count: int) -> torch.Tensor:
    """0, 0.5, 1, 0, 0.5, 1 ..."""
    return torch.arange(count) % 3 / 2


def ones(count: int) -> torch.Tensor:
    """False, True, True, False ..."""
    return torch.arange(count) % 3 > 0


def into(sub: object) -> tuple:
    """The destinations of the edges, and the graph with its edges sorted by former id."""
    return [sub.edges(etype=etype)[1] for etype in sub.canonical_etypes], _settled(sub)


def out_of(sub: object) -> tuple:
    """The sources of the edges, and the graph with its edges sorted by former id."""
    return [sub.edges(etype=etype)[0] for etype in sub.canonical_etypes], _settled(sub)


def _settled(sub: object) -> object:
    order = {}
    for etype in sub.canonical_etypes:
        order[etype] = sub.edges[etype].data["_ID"].argsort(stable=True).to(sub.idtype)
    return sub.edge_subgraph(order, relabel_nodes=False, store_ids=False)


_SAMPLE = "gs.sampling.sample_neighbors"

_CALLS = [
    *(
        f"into({_SAMPLE}(g, {rest}))"
        for rest in (
            "ids(2, 1), -1",
            "ids(2, 1), 10",
            "[1, 2], -1",
            "2, -1",
            "[2, 0, 2], 10",
            "[], 3",
            "[0, 1, 2], 0",
            "ids(2, 1), -1, replace=True",
            "ids(2, 1), -1, copy_ndata=False",
            "ids(2, 1), -1, output_device='cpu'",
            "{'_N': ids(1, 2)}, -1",
            "ids(1, 2), {'_E': -1}",
            "ids(1, 2), {('_N', '_E', '_N'): 10}",
            "ids(2, 1), -1, exclude_edges=[]",
            "ids(1), 9, prob='nope'",
            "ids(1), 9, prob=3",
            "ids(1), 9.5",
            "ids(1), '9'",
            "torch.arange(g.num_nodes()) == 2, -1",
        )
    ),
    *(
        f"out_of({_SAMPLE}(g, {rest}))"
        for rest in (
            "ids(2, 1), -1, edge_dir='out'",
            "ids(2, 0, 2), 10, 'out'",
            "ids(2, 1), 7, 'out', None, False, False, True",
        )
    ),
    *(
        f"{_SAMPLE}(g, {rest})"
        for rest in (
            "ids(1, 2), {}",
            "ids(1, 2), {'nope': 2}",
            "{'nope': ids(1)}, 2",
            "{}, 2",
            "[0.5], 2",
            "None, 2",
            "ids(1), None",
            "ids(1), 2, edge_dir='both'",
        )
    ),
    "into(g.sample_neighbors(ids(2, 1), -1))",
    "out_of(g.sample_neighbors([1, 2], 10, 'out'))",
    "s = g.sample_neighbors(ids(2, 1), 10, copy_edata=False); s.edata, s.in_degrees()",
    "g.sample_neighbors(ids(2, 1, 0), 2, replace=True).in_degrees()",
    "g.sample_neighbors(ids(2, 1, 0), 1).in_degrees()",
    "g.sample_neighbors(ids(1, 0, 2), 2, edge_dir='out').out_degrees()",
]

_WEIGHTED = [
    f"g.edata['p'] = {weights}; {ordered}(g.sample_neighbors({rest}))"
    for weights in ("weigh(g.num_edges())", "ones(g.num_edges())")
    for ordered, rest in (
        ("into", "ids(2, 1, 0), -1, prob='p'"),
        ("into", "ids(2, 1, 0), 10, prob='p'"),
        ("out_of", "ids(2, 1, 0), -1, 'out', 'p'"),
        ("into", "ids(2, 1), -1, prob='p', replace=True"),
    )
]
_WEIGHTED += [
    f"g.edata['p'] = {weights}; into(g.sample_neighbors(ids(2, 1, 0), 10, prob='p'))"
    for weights in (
        "weigh(g.num_edges()).double()",
        "weigh(g.num_edges()).half()",
        "weigh(g.num_edges()).unsqueeze(1)",
        "weigh(g.num_edges()).unsqueeze(1).repeat(1, 2)",
        "ones(g.num_edges()).to(torch.uint8)",
        "ones(g.num_edges()).to(torch.int8)",
        "ones(g.num_edges()).long()",
        "weigh(g.num_edges()) - 1",
        "weigh(g.num_edges()) * float('nan')",
        "weigh(g.num_edges()) * 0",
    )
]
_WEIGHTED.append(
    "g.edata['p'] = weigh(g.num_edges()); "
    "g.sample_neighbors(ids(2, 1, 0), 3, prob='p', replace=True).in_degrees()"
)

_EXCLUDING = [
    f"into(g.sample_neighbors(ids(2, 1, 0), {fanout}, exclude_edges={edges}))"
    for fanout in (-1, 10)
    for edges in ("ids(1, 3)", "{'_E': ids(0, 1, 2)}", "ids(1, 1)")
]
_EXCLUDING += [
    "into(g.sample_neighbors(ids(2), -1, exclude_edges=ids(99)))",
    "into(g.sample_neighbors(ids(2), -1, exclude_edges={'nope': ids(0)}))",
    "into(g.sample_neighbors(ids(2, 0), -1, exclude_edges={('_N', '_E', '_N'): ids(0, 1)}))",
]

_TYPED = [
    f"{ordered}(g.sample_neighbors({rest}))"
    for ordered, rest in (
        ("into", "{'user': ids(2, 0), 'item': ids(1, 0)}, -1"),
        ("out_of", "{'user': ids(2, 0), 'item': ids(1, 0)}, 10, 'out'"),
        ("into", "{'item': [1, 0, 1]}, -1"),
        (
            "into",
            "{'user': ids(2, 0), 'item': ids(1, 0)}, {'follows': -1, 'rates': 0, 'rated-by': 9, "
            "'describes': 1, 'likes': 0}",
        ),
        (
            "out_of",
            "{'user': ids(0)}, {('user', 'follows', 'user'): -1, 'rates': 9, 'rated-by': 9, "
            "'describes': 1, 'likes': 0}, 'out'",
        ),
        ("into", "{'user': ids(0, 2)}, {'follows': -1}"),
        (
            "into",
            "{'user': ids(0, 2)}, {'follows': -1, 'rates': 0, 'rated-by': 9, 'describes': 1, "
            "'likes': 0, 'nope': 2}",
        ),
        ("into", "{'user': ids(0, 2)}, -1, copy_ndata=False"),
        (
            "into",
            "{'user': ids(0, 2), 'item': ids(0)}, -1, exclude_edges={'follows': ids(1)}",
        ),
        (
            "into",
            "{'user': ids(0, 2), 'item': ids(0)}, -1, exclude_edges={('user', 'follows', 'user'): "
            "ids(1), ('user', 'rates', 'item'): ids(2)}",
        ),
        ("out_of", "{'user': ids(0, 2)}, 5, 'out', exclude_edges={'likes': ids(0, 1)}"),
        ("into", "{'user': ids(0, 2)}, -1, exclude_edges=ids(1)"),
        ("into", "{'tag': ids(1)}, -1"),
        ("out_of", "{'tag': ids(1)}, -1, 'out'"),
        ("into", "ids(1), -1"),
        ("into", "{'nope': ids(1)}, -1"),
        ("into", "{'user': ids(0)}, -1, prob='nope'"),
        ("into", "{}, -1"),
    )
]
_TYPED += [
    "for e in g.canonical_etypes: g.edges[e].data['p'] = weigh(g.num_edges(e))\n"
    "into(g.sample_neighbors({'user': ids(0, 2), 'item': ids(2, 1, 0)}, 4, prob='p'))",
    "for e in g.canonical_etypes: g.edges[e].data['p'] = ones(g.num_edges(e))\n"
    "into(g.sample_neighbors({'user': ids(0, 2), 'item': ids(2, 1, 0)}, -1, prob='p'))",
    "g.edges['rates'].data['p'] = weigh(g.num_edges('rates'))\n"
    "into(g.sample_neighbors({'user': ids(0, 2), 'item': ids(2, 1, 0)}, 9, prob='p'))",
]

_ELSEWHERE = [
    ("into(g.sample_neighbors(ids(2, 1), -1, prob=weigh(g.num_edges())))", "simple awkward32"),
    ("into(g.sample_neighbors({'item': [1, 0]}, -1))", "bipartite"),
    ("into(g.sample_neighbors({'user': [1, 0]}, -1))", "bipartite"),
    ("out_of(g.sample_neighbors({'user': [1, 0]}, 9, 'out'))", "bipartite"),
    ("g.sample_neighbors([1, 0], 9)", "bipartite"),
    ("g.sample_neighbors({'user': [1], 'item': [1]}, {'likes': 2})", "shared_name"),
    ("into(g.sample_neighbors([], -1))", "no_nodes no_edges"),
    ("into(g.sample_neighbors({'_N': [0]}, -1))", "block"),
    ("into(g.sample_neighbors({'user': [0]}, -1))", "hetero_block"),
    (f"{_SAMPLE}(3, [0], 1)", "simple"),
    (f"{_SAMPLE}(g, [0], 1, output_device='nowhere')", "simple"),
]

_DIFFERENCES = [
    Difference(
        "*sample_neighbors(g, torch.arange*",
        "value",
        "Nodes may be given by a mask wherever they are given by ids; DGL takes masks in some "
        "functions only.",
    ),
    Difference(
        "*sample_neighbors(*{'nope': ids(1)}, *",
        "error",
        "A node type that does not exist is an error; DGL passes over it.",
    ),
    Difference("*{}, 2)*", "value", "An empty dict of nodes gives a subgraph without edges."),
    Difference("*({}, -1)*", "value", "An empty dict of nodes gives a subgraph without edges."),
    *(
        Difference(f"*, {fanout}))*", "error", "A fanout is an int; DGL makes one of what it gets.")
        for fanout in ("9.5", "'9'")
    ),
    *(
        Difference(
            call,
            "error",
            "A feature to draw by that no edge type has is an error; DGL draws as if all edges "
            "had equal weights.",
        )
        for call in ("*prob='nope'*", "*prob=3*")
    ),
    Difference(
        "*prob=weigh(*",
        "other",
        "Weights may be given as a tensor; DGL passes over them.",
    ),
    Difference(
        "*.half(); *",
        "value",
        "Weights may be of any floating-point type; DGL takes float32 and float64 only.",
    ),
    *(
        Difference(
            call,
            "error",
            "Weights that are negative, not finite, not one an edge, or of another type are an "
            "error; DGL draws something.",
        )
        for call in ("*repeat(1, 2); *", "*.long(); *", "*num_edges()) - 1; *", "*'nan'); *")
    ),
    *(
        Difference(
            call,
            "error",
            "Edges to exclude that do not exist are an error; DGL passes over them.",
        )
        for call in ("*exclude_edges=ids(99)*", "*exclude_edges={'nope'*")
    ),
    *(
        Difference(
            f"*exclude_edges={{'{etype}'*",
            "other",
            "An edge type of edges to exclude may be named by its relation; DGL passes over it.",
        )
        for etype in ("_E", "follows", "likes")
    ),
    *(
        Difference(call, "error", "Neighbors are not drawn from a block: take its graph instead.")
        for call in ("*@ block", "*@ hetero_block")
    ),
]

TABLE = Table(
    "sampling",
    [
        *((call, "homo") for call in _CALLS),
        *((call, "simple awkward awkward32 no_edges") for call in _WEIGHTED),
        *((call, "simple awkward awkward32") for call in _EXCLUDING),
        *((call, "hetero hetero32") for call in _TYPED),
        *_ELSEWHERE,
    ],
    differences=_DIFFERENCES,
    names={"weigh": weigh, "ones": ones, "into": into, "out_of": out_of},
)
