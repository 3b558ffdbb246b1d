"""Samplers and loaders where chance decides nothing: all neighbours, and one way to walk.

In the expressions `g` is the input, ``ring()`` a cycle of 5 nodes, ``path()`` a path of 4, and
``blocks(...)`` tells what a sampler gave without the order of edges, which DGL draws.
"""

from __future__ import annotations

import torch

from golden.harness import Difference, Table


def blocks(sampled: tuple) -> list:
    """Input nodes as a set, the seeds or graphs in the middle, and for each block its edges."""
    inputs, *middle, made = sampled
    return [
        {t: sorted(ids.tolist()) for t, ids in _by_type(inputs).items()},
        [_edges(part) if hasattr(part, "canonical_etypes") else part for part in middle],
        [_edges(block) for block in made],
    ]


def _by_type(nodes: object) -> dict:
    return nodes if isinstance(nodes, dict) else {"": nodes}


def _edges(g: object) -> list:
    """(source, destination, edge) by former ids, and the destinations in their order."""
    found = []
    for etype in g.canonical_etypes:
        src, dst = g.edges(etype=etype)
        sources = g.srcnodes[etype[0]].data["_ID"][src.long()].tolist()
        targets = g.dstnodes[etype[2]].data["_ID"][dst.long()].tolist()
        data = g.edges[etype].data
        eids = data["_ID"].tolist() if "_ID" in data else [0] * len(sources)
        found.append([etype[1], sorted(zip(sources, targets, eids, strict=True))])
    return [found, [g.dstnodes[t].data["_ID"] for t in g.dsttypes]]


def tagged(gs: object) -> object:
    """Out-edges sorted by the tags of their ends."""
    g = gs.graph(([0, 0, 0, 1, 1], [1, 2, 3, 0, 2]))
    return gs.sort_csr_by_tag(g, torch.tensor([0, 1, 0, 1]))


_D, _S, _N = "gs.dataloading", "gs.sampling", "gs.dataloading.negative_sampler"
_RING = "gs.graph(([0, 1, 2, 3, 4], [1, 2, 3, 4, 0]))"
_PATH = "gs.graph(([0, 1, 2], [1, 2, 3]))"

_HOMO = [
    f"blocks({_D}.NeighborSampler([-1, -1]).sample(g, ids(2, 0)))",
    f"blocks({_D}.NeighborSampler([9, 9]).sample(g, ids(1)))",
    f"blocks({_D}.MultiLayerNeighborSampler([-1]).sample(g, ids(1, 0)))",
    f"blocks({_D}.MultiLayerFullNeighborSampler(2).sample(g, ids(0)))",
    f"blocks({_D}.MultiLayerFullNeighborSampler(1).sample(g, ids(1, 2), ids(0, 1)))",
    f"blocks({_D}.LaborSampler([-1, -1]).sample(g, ids(2, 0)))",
    f"blocks({_D}.as_edge_prediction_sampler({_D}.NeighborSampler([-1])).sample(g, ids(1, 0)))",
    f"blocks({_D}.as_edge_prediction_sampler({_D}.NeighborSampler([-1]), exclude='self')"
    ".sample(g, ids(0, 1)))",
    f"{_D}.find_exclude_eids(g, ids(1, 0), 'self')",
    f"{_D}.find_exclude_eids(g, ids(1, 0), None)",
    f"{_D}.find_exclude_eids(g, ids(1, 0), lambda e: e + 1)",
    f"{_D}.find_exclude_eids(g, ids(0), 'reverse_id', torch.arange(g.num_edges()).flip(0))",
    f"{_D}.find_exclude_eids(g, ids(0), 'nope')",
    f"[b for b in {_D}.DataLoader(g, torch.arange(g.num_nodes()), {_D}.NeighborSampler([-1]), "
    "batch_size=2)][0][1]",
    f"len({_D}.DataLoader(g, torch.arange(5), {_D}.NeighborSampler([-1]), batch_size=2))",
    f"len({_D}.DataLoader(g, torch.arange(5), {_D}.NeighborSampler([-1]), batch_size=2, "
    "drop_last=True))",
    f"{_D}.NodeCollator(g, ids(2, 1), {_D}.NeighborSampler([-1])).dataset",
    f"{_N}.PerSourceUniform(2)(g, ids(0, 1))[0]",
    f"len({_N}.Uniform(3)(g, ids(1))[1])",
]

_HETERO = [
    f"blocks({_D}.NeighborSampler([-1, -1]).sample(g, {{'user': ids(1, 0)}}))",
    f"blocks({_D}.MultiLayerFullNeighborSampler(1).sample(g, {{'item': ids(0), 'user': ids(2)}}))",
    f"blocks({_D}.NeighborSampler([-1]).sample(g, {{'user': ids(0, 2)}}, "
    "{('user', 'follows', 'user'): ids(0)}))",
    f"{_D}.find_exclude_eids(g, {{'rates': ids(1)}}, 'self')",
    f"{_D}.find_exclude_eids(g, {{'rates': ids(1)}}, 'reverse_types', "
    "reverse_etypes={'rates': 'rated-by'})",
    f"[b[1] for b in {_D}.DataLoader(g, {{'user': torch.arange(3), 'item': torch.arange(2)}}, "
    f"{_D}.NeighborSampler([-1]), batch_size=2)]",
    f"{_N}.Uniform(2)(g, {{'rates': ids(0, 1)}})[('user', 'rates', 'item')][0]",
]

_ALONE = [
    f"{_S}.random_walk({_RING}, [0, 3], length=4)",
    f"{_S}.random_walk({_RING}, [0, 3], length=2, return_eids=True)",
    f"{_S}.random_walk({_PATH}, [1, 3], length=4, return_eids=True)",
    f"{_S}.random_walk({_PATH}, [0], metapath=['_E', '_E'])",
    f"{_S}.random_walk({_RING}, [0], length=3, restart_prob=0.0)",
    f"{_S}.random_walk({_RING}, [0])",
    f"{_S}.random_walk({_RING}, [0], length=2, restart_prob=2.0)",
    f"{_S}.random_walk({_RING}, [9], length=2)",
    f"{_S}.random_walk({_RING}, [0], length=2, prob='nope')",
    f"{_S}.pack_traces(torch.tensor([[0, 1, -1], [2, 3, 4]]), torch.tensor([0, 1, 0]))",
    f"{_S}.pack_traces(*{_S}.random_walk({_PATH}, [2, 0], length=3))",
    f"{_S}.pack_traces(torch.tensor([[0], [2]]), torch.tensor([1]))",
    f"{_S}.node2vec_random_walk({_RING}, [0, 3], 0.5, 2, 4)",
    f"{_S}.node2vec_random_walk({_PATH}, [1, 3], 1, 1, 3, return_eids=True)",
    f"{_S}.node2vec_random_walk({_RING}, [1], 2, 2, 1)",
    f"{_S}.RandomWalkNeighborSampler({_RING}, 1, 0.0, 3, 5)(torch.tensor([1, 4]))",
    f"{_S}.RandomWalkNeighborSampler({_PATH}, 1, 0.0, 4, 2, weight_column='n')(torch.tensor([0]))",
    f"{_S}.RandomWalkNeighborSampler({_RING}, 1, 0.0, 2, 1, ['_E'])(torch.tensor([3]))",
    "h = gs.heterograph({('u', 'a', 'i'): ([0, 1], [1, 0]), ('i', 'b', 'u'): ([1, 0], [0, 1])})\n"
    f"{_S}.PinSAGESampler(h, 'i', 'u', 2, 0.0, 3, 2)(torch.tensor([1]))",
    "h = gs.heterograph({('u', 'a', 'i'): ([0], [0])})\n"
    f"{_S}.PinSAGESampler(h, 'i', 'u', 2, 0.0, 3, 2)",
    *(
        f"t = {_RING}\nt.edata['w'] = torch.tensor([3.0, 1.0, 2.0, 5.0, 4.0])\n"
        f"{_S}.select_topk(t, {rest})"
        for rest in (
            "1, 'w'",
            "1, 'w', [2, 0]",
            "2, 'w', [4], 'out'",
            "-1, 'w', [1], ascending=True",
            "0, 'w'",
            "1, 'nope'",
        )
    ),
    "t = gs.graph(([0, 1, 2, 3], [4, 4, 4, 4]))\nt.edata['w'] = torch.tensor([3.0, 1.0, 2.0, 5.0])"
    f"\n[{_S}.select_topk(t, k, 'w', [4], ascending=a) for k in (2, 9) for a in (True, False)]",
    f"sorted({_S}.sample_neighbors_biased(tagged(gs), [0, 1], 5, torch.ones(2), edge_dir='out')"
    ".edata['_ID'].tolist())",
    f"sorted({_S}.sample_neighbors_biased(tagged(gs), [0], 2, torch.tensor([0.0, 1.0]), "
    "edge_dir='out').edges()[1].tolist())",
    f"{_S}.sample_neighbors_biased({_RING}, [0], 1, torch.tensor([0.0, 1.0]))",
    f"sorted({_S}.sample_labors({_RING}, [0, 3], -1)[0].edata['_ID'].tolist())",
    f"sorted({_S}.sample_labors({_RING}, [0, 3], 4)[0].edata['_ID'].tolist())",
    f"{_S}.sample_labors({_RING}, [0, 3], 2, importance_sampling=1)[1]",
    f"_edges({_S}.sample_neighbors_fused({_RING}, torch.tensor([2, 0]), -1))",
    f"u, v = {_S}.global_uniform_negative_sampling({_RING}, 6)\n"
    "[bool((u == v).any()), len(u) <= 6, u.dtype]",
    f"{_S}.global_uniform_negative_sampling(gs.graph(([0, 1], [1, 0])), 3)",
    f"r = {_RING}\nu, v = {_S}.global_uniform_negative_sampling(r, 9, replace=True)\n"
    "bool(r.has_edges_between(u, v).any())",
    f"u, v = {_N}.GlobalUniform(2)({_RING}, torch.tensor([0, 1]))\n[len(u) <= 4, len(u) == len(v)]",
    f"{_D}.SpotTarget(gs.graph(([4, 4, 4, 0], [0, 1, 2, 1])), 'self', 1)(torch.arange(4))",
    f"{_D}.SpotTarget(gs.graph(([4, 4, 4, 0], [0, 1, 2, 1])), 'self', 2)(torch.arange(4))",
    f"blocks([*{_D}.ShaDowKHopSampler([-1, -1]).sample({_PATH}, torch.tensor([3])), []])[0]",
    f"{_D}.ShaDowKHopSampler([-1]).sample({_PATH}, torch.tensor([1, 2]))[2].num_edges()",
    f"{_D}.ShaDowKHopSampler([9]).sample({_RING}, torch.tensor([1]))[1]",
    f"{_D}.SAINTSampler('node', 50).sample({_RING}, 0).num_nodes()",
    f"{_D}.SAINTSampler('edge', 90).edge_sampler({_RING})",
    f"{_D}.SAINTSampler('walk', (90, 2)).sample({_RING}, 0).num_edges()",
    f"{_D}.SAINTSampler('nope', 3)",
    *(
        f"[b for b in {_D}.GraphDataLoader({rest})]"
        for rest in (
            f"[{_RING}, {_PATH}, {_RING}], batch_size=2",
            f"[({_RING}, 1), ({_PATH}, 0)], batch_size=2",
            f"[({_PATH}, torch.ones(2))] * 3, batch_size=2, drop_last=True",
            f"[{{'g': {_RING}, 'y': 1.5}}] * 2, batch_size=2",
            f"[{_PATH}] * 2, collate_fn=len, batch_size=2",
        )
    ),
]

_DIFFERENCES = [
    Difference(
        "*prob='nope'*",
        "error",
        "A weight that no edge type has as a feature is an error; DGL then walks with equal "
        "weights.",
    ),
]

TABLE = Table(
    "dataloading",
    [
        *((call, "simple awkward") for call in _HOMO),
        *((call, "hetero") for call in _HETERO),
        *((call, "simple") for call in _ALONE),
    ],
    differences=_DIFFERENCES,
    names={"blocks": blocks, "_edges": _edges, "tagged": tagged},
)
