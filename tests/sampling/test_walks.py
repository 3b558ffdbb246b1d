"""Random walks: where they go, how often, and where they end."""

from __future__ import annotations

import pytest
import torch
from scipy.stats import chisquare

import gossamer as gs
from gossamer.sampling import (
    PinSAGESampler,
    RandomWalkNeighborSampler,
    node2vec_random_walk,
    pack_traces,
    random_walk,
)
from helpers.compare import assert_tensor_equal
from helpers.kernel_cases import require_native

WALKS = 100_000


def ring_with_chords(idtype: torch.dtype = torch.int64) -> gs.Graph:
    u = torch.arange(8).repeat(3)
    v = torch.cat([(u[:8] + k) % 8 for k in (1, 2, 5)])
    g = gs.graph((u, v), idtype=idtype)
    g.edata["w"] = torch.tensor([1.0, 2.0, 5.0]).repeat_interleave(8)
    g.edata["m"] = g.edata["w"] != 2
    return g


def bought() -> gs.Graph:
    u, i = torch.tensor([0, 1, 2, 2, 3]), torch.tensor([0, 0, 1, 2, 2])
    return gs.heterograph(
        {
            ("user", "buys", "item"): (u, i),
            ("item", "bought-by", "user"): (i, u),
            ("user", "likes", "item"): ([0], [2]),
        }
    )


def assert_shares(values: torch.Tensor, shares: dict[int, float]) -> None:
    counts = [int((values == value).sum()) for value in shares]
    assert sum(counts) == len(values)
    expected = [share * len(values) / sum(shares.values()) for share in shares.values()]
    assert chisquare(counts, expected).pvalue > 1e-4


@pytest.mark.parametrize("idtype", [torch.int32, torch.int64])
@pytest.mark.parametrize("prob", [None, "w", "m"])
def test_walks_follow_edges(idtype: torch.dtype, prob) -> None:
    g = ring_with_chords(idtype)
    nodes = torch.arange(8, dtype=idtype).repeat(20)
    traces, eids, types = random_walk(g, nodes, length=5, prob=prob, return_eids=True)
    assert traces.shape == (160, 6)
    assert traces.dtype == eids.dtype == types.dtype == idtype  # as in DGL
    assert types.tolist() == [0] * 6
    assert_tensor_equal(traces[:, 0], nodes)
    u, v = g.find_edges(eids.flatten())
    assert_tensor_equal(u.view(160, 5), traces[:, :-1])
    assert_tensor_equal(v.view(160, 5), traces[:, 1:])
    if prob == "m":
        assert bool(g.edata["m"][eids.long()].all())


def test_steps_are_uniform_or_by_weight() -> None:
    require_native()  # the reference takes the same steps, but slowly
    g, starts = ring_with_chords(), torch.zeros(WALKS, dtype=torch.int64)
    traces, _ = random_walk(g, starts, length=2)
    assert_shares(traces[:, 1], {1: 1, 2: 1, 5: 1})
    assert_shares((traces[:, 2] - traces[:, 1]) % 8, {1: 1, 2: 1, 5: 1})
    traces, _ = random_walk(g, starts, length=2, prob="w")
    assert_shares(traces[:, 1], {1: 1, 2: 2, 5: 5})
    assert_shares((traces[:, 2] - traces[:, 1]) % 8, {1: 1, 2: 2, 5: 5})


def test_walks_stop_as_often_as_they_should() -> None:
    require_native()  # the reference takes the same steps, but slowly
    g, starts = ring_with_chords(), torch.zeros(WALKS, dtype=torch.int64)
    traces, _ = random_walk(g, starts, length=3, restart_prob=0.25)
    lengths = (traces >= 0).sum(1)
    assert_shares(lengths, {1: 0.25, 2: 0.75 * 0.25, 3: 0.75**2 * 0.25, 4: 0.75**3})
    assert bool(((traces >= 0).long().diff(dim=1) <= 0).all())
    stops = torch.tensor([0.0, 0.5, 0.0])
    lengths = (random_walk(g, starts, length=3, restart_prob=stops)[0] >= 0).sum(1)
    assert_shares(lengths, {2: 1, 4: 1})


def test_walks_end_where_there_are_no_edges() -> None:
    g = gs.graph(([0, 1], [1, 2]), num_nodes=4)
    traces, eids, _ = random_walk(g, [0, 2, 3], length=3, return_eids=True)
    assert traces.tolist() == [[0, 1, 2, -1], [2, -1, -1, -1], [3, -1, -1, -1]]
    assert eids.tolist() == [[0, 1, -1], [-1, -1, -1], [-1, -1, -1]]
    g.edata["w"] = torch.tensor([1.0, 0.0])
    assert random_walk(g, [0], length=2, prob="w")[0].tolist() == [[0, 1, -1]]
    assert random_walk(g, [], length=2)[0].shape == (0, 3)
    assert random_walk(g, [1], length=0)[0].tolist() == [[1]]


def test_metapaths() -> None:
    g = bought()
    traces, types = random_walk(g, [0, 3] * 50, metapath=["buys", "bought-by", "likes"])
    assert types.tolist() == [g.get_ntype_id(t) for t in ("user", "item", "user", "item")]
    assert set(traces[::2, 2].tolist()) == {0, 1}
    assert set(traces[1::2, 2].tolist()) == {2, 3}
    liked = traces[traces[:, 2] == 0][:, 3]
    assert set(liked.tolist()) == {2}
    assert set(traces[traces[:, 2] != 0][:, 3].tolist()) == {-1}


def test_a_seed_repeats_walks() -> None:
    g = ring_with_chords()

    def walk() -> torch.Tensor:
        gs.seed(4)
        return random_walk(g, [0] * 9, length=9)[0]

    first = walk()
    assert_tensor_equal(walk(), first)
    assert not torch.equal(random_walk(g, [0] * 9, length=9)[0], first)


def test_packed_traces_are_the_walks_one_after_another() -> None:
    traces, types = random_walk(bought(), [0, 1, 2, 3], metapath=["buys", "bought-by", "likes"])
    nodes, kinds, lengths, offsets = pack_traces(traces, types)
    for i, trace in enumerate(traces):
        part = slice(int(offsets[i]), int(offsets[i] + lengths[i]))
        assert_tensor_equal(nodes[part], trace[trace >= 0])
        assert_tensor_equal(kinds[part], types[: len(nodes[part])])


@pytest.mark.parametrize(("p", "q"), [(1.0, 1.0), (0.25, 4.0), (4.0, 0.5), (1e4, 1e4)])
@pytest.mark.parametrize("prob", [None, "w"])
def test_node2vec_weighs_steps(p: float, q: float, prob) -> None:
    require_native()  # the reference takes the same steps, but slowly
    # From 0 to 1 only; then back to 0, to 2 which is next to 0, or to 3 which is not.
    g = gs.graph(([0, 0, 1, 1, 1], [1, 2, 0, 2, 3]), num_nodes=4)
    g.edata["w"] = torch.tensor([1.0, 0.0, 3.0, 2.0, 0.5])
    weight = g.edata["w"][2:] if prob else torch.ones(3)
    if not prob:
        g.edata["w"][1] = 1.0
    starts = torch.zeros(WALKS, dtype=torch.int64)
    traces, eids = node2vec_random_walk(g, starts, p, q, 2, prob, return_eids=True)
    there = traces[:, 1] == 1
    shares = {0: weight[0] / p, 2: weight[1], 3: weight[2] / q}
    assert_shares(traces[there, 2], {k: float(v) for k, v in shares.items()})
    u, v = g.find_edges(eids[there].flatten())
    assert_tensor_equal(torch.stack([u, v]), traces[there].unfold(1, 2, 1).reshape(-1, 2).T)


# --- PinSAGE ------------------------------------------------------------------------------------


def test_neighbors_by_visits() -> None:
    g = bought().edge_type_subgraph(["buys", "bought-by"])
    sampler = PinSAGESampler(g, "item", "user", 1, 0.0, 3000, 2)
    sub = sampler(torch.tensor([2, 1, 0]))
    assert sub.canonical_etypes == [("item", "_E", "item")]
    src, dst = sub.edges()
    assert dst.tolist() == [2, 2, 1, 1, 0]
    assert src.tolist() == [2, 1, 2, 1, 0] or src.tolist() == [2, 1, 1, 2, 0]
    visits = sub.edata["weights"]
    assert int(visits[:2].sum()) == int(visits[2:4].sum()) == int(visits[4]) == 3000
    assert abs(int(visits[0]) - 2250) < 150  # half of the users of item 2 buy nothing else
    assert bool((visits[:2].diff() <= 0).all())
    small = PinSAGESampler(g.int(), "item", "user", 1, 0.0, 9, 2)(torch.tensor([0]))
    assert (visits.dtype, small.edata["weights"].dtype) == (torch.int64, torch.int32)  # as in DGL


def test_walks_of_pinsage_stop_between_traversals() -> None:
    g = gs.graph(([0, 1, 2], [1, 2, 3]), num_nodes=4)
    sampler = RandomWalkNeighborSampler(g, 3, 0.5, 8000, 5, weight_column="n")
    sub = sampler(torch.tensor([0]))
    assert sub.edges()[0].tolist() == [1, 2, 3]
    visits = sub.edata["n"].tolist()
    assert visits[0] == 8000
    assert abs(visits[1] - 4000) < 250
    assert abs(visits[2] - 2000) < 250
    few = RandomWalkNeighborSampler(g, 3, 0.5, 100, 1)(torch.tensor([0, 3]))
    assert few.edges()[0].tolist() == [1]


def test_walk_that_surely_stops() -> None:
    g = gs.graph(([0, 1, 2], [1, 2, 0]))
    stops = torch.tensor([0.0, 1.0, 0.0])
    assert random_walk(g, [0, 1], length=3, restart_prob=stops)[0].tolist() == [
        [0, 1, -1, -1],
        [1, 2, -1, -1],
    ]
    assert random_walk(g, [2], length=2, restart_prob=1.0)[0].tolist() == [[2, -1, -1]]


BAD = [
    (lambda g, h: random_walk(g, [0]), gs.InvalidValueError, "give a metapath, or a length"),
    (lambda g, h: random_walk(h, [0], length=2), gs.InvalidValueError, "give a metapath of them"),
    (lambda g, h: random_walk(g, [0], length=-1), gs.InvalidValueError, "length is at least 0"),
    (lambda g, h: random_walk(g, [9], length=1), gs.OutOfRangeError, "Id 9 is not among"),
    (
        lambda g, h: random_walk(h, [0], metapath=["buys", "likes"]),
        gs.InvalidValueError,
        "cannot be followed by",
    ),
    (lambda g, h: random_walk(h, [0], metapath="buys"), gs.InvalidTypeError, "list of edge types"),
    (lambda g, h: random_walk(h, [0], metapath=["no"]), gs.UnknownKeyError, "no edge type 'no'"),
    (
        lambda g, h: random_walk(g, [0], length=1, restart_prob=1.5),
        gs.InvalidValueError,
        "restart_prob is from 0 to 1, got 1.5",
    ),
    (
        lambda g, h: random_walk(g, [0], length=1, restart_prob=torch.zeros(2)),
        gs.InvalidValueError,
        "each of the 1 steps",
    ),
    (lambda g, h: random_walk(g, [0], length=1, prob="no"), gs.UnknownKeyError, "feature 'no'"),
    (
        lambda g, h: random_walk(g, [0], length=1, prob="bad"),
        gs.InvalidValueError,
        "finite and not negative",
    ),
    (
        lambda g, h: random_walk(g, [0], length=1, prob=g.edata["w"]),
        gs.InvalidTypeError,
        "the name of an edge feature",
    ),
    (lambda g, h: node2vec_random_walk(g, [0], 0, 1, 2), gs.InvalidValueError, "p is above 0"),
    (lambda g, h: node2vec_random_walk(h, [0], 1, 1, 2), gs.InvalidValueError, "one node type"),
    (
        lambda g, h: pack_traces(torch.zeros(2, 3), torch.zeros(2)),
        gs.InvalidValueError,
        r"shapes \(2, 3\) and \(2,\)",
    ),
    (
        lambda g, h: PinSAGESampler(h, "user", "item", 1, 0.5, 2, 2),
        gs.InvalidValueError,
        "must be one edge type from 'user' to 'item'",
    ),
    (
        lambda g, h: RandomWalkNeighborSampler(h, 1, 0.5, 2, 2, metapath=["buys"]),
        gs.InvalidValueError,
        "ends at the node type where it begins",
    ),
    (
        lambda g, h: RandomWalkNeighborSampler(g, 1, 1.0, 2, 2),
        gs.InvalidValueError,
        "termination_prob",
    ),
]


@pytest.mark.parametrize(("call", "error", "text"), BAD)
def test_wrong_arguments(call, error: type, text: str) -> None:
    g = ring_with_chords()
    g.edata["bad"] = -g.edata["w"]
    with pytest.raises(error, match=text):
        call(g, bought())
