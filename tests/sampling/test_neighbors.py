"""Neighbors drawn at random: exact distributions, and what holds for every draw."""

from __future__ import annotations

import math
from collections import Counter
from itertools import combinations, permutations, product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

import gossamer as gs
from gossamer import kernels
from gossamer.sampling import sample_neighbors
from helpers.compare import assert_graph_equal, assert_graph_valid, assert_tensor_equal
from helpers.generated import graphs, some_nodes, with_features
from helpers.graphs import graph_cases

DRAWS = 20_000
WEIGHTS = [4.0, 1.0, 0.5, 2.0, 1.5]


def star(degree: int, idtype: torch.dtype = torch.int64) -> gs.Graph:
    """Node 0 with in-edges from 1, 2, ..., `degree`; edge ``i`` comes from ``i + 1``."""
    u = torch.arange(1, degree + 1, dtype=idtype)
    return gs.graph((u, torch.zeros_like(u)), idtype=idtype)


def drawn(g: gs.Graph, fanout: int, draws: int = DRAWS, **options) -> torch.Tensor:
    """``(draws, fanout)``: the edges that many independent draws for node 0 of `g` give."""
    sub = sample_neighbors(g, [0] * draws, fanout, **options)
    return sub.edata[gs.EID].reshape(draws, fanout)


def assert_distributed(samples: torch.Tensor, probabilities: dict[tuple[int, ...], float]) -> None:
    """Assert that the rows of `samples` occur as often as they should (chi-square)."""
    assert math.isclose(sum(probabilities.values()), 1)
    counts = Counter(map(tuple, samples.tolist()))
    assert counts.keys() <= probabilities.keys()
    observed = [counts[outcome] for outcome in probabilities]
    expected = [p * len(samples) for p in probabilities.values()]
    assert min(expected) > 5, "too few draws for the test"
    # The seed is fixed, so this fails always or never; a right sampler fails one seed in 10,000.
    assert chisquare(observed, expected).pvalue > 1e-4


def in_order(weights: list[float], fanout: int) -> dict[tuple[int, ...], float]:
    """Probability of each ordered draw without replacement."""
    found = {}
    for order in permutations(range(len(weights)), fanout):
        left, p = sum(weights), 1.0
        for i in order:
            p *= weights[i] / left
            left -= weights[i]
        found[order] = p
    return found


def as_sets(ordered: dict[tuple[int, ...], float]) -> dict[tuple[int, ...], float]:
    """Probability of each set of edges, written in ascending order."""
    sets: dict[tuple[int, ...], float] = {}
    for order, p in ordered.items():
        key = tuple(sorted(order))
        sets[key] = sets.get(key, 0.0) + p
    return sets


# --- distributions ------------------------------------------------------------------------------


@pytest.mark.parametrize("idtype", [torch.int32, torch.int64])
@pytest.mark.parametrize("fanout", [1, 3, 5])
def test_every_set_of_neighbors_is_equally_likely(fanout: int, idtype: torch.dtype) -> None:
    sets = list(combinations(range(6), fanout))
    assert_distributed(drawn(star(6, idtype), fanout), dict.fromkeys(sets, 1 / len(sets)))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize("fanout", [1, 2, 4])
def test_weighted_sets_without_replacement(fanout: int, dtype: torch.dtype) -> None:
    samples = drawn(star(5), fanout, prob=torch.tensor(WEIGHTS, dtype=dtype))
    assert_distributed(samples, as_sets(in_order(WEIGHTS, fanout)))


def test_draws_with_replacement_are_uniform_and_independent() -> None:
    pairs = dict.fromkeys(product(range(5), repeat=2), 1 / 25)
    assert_distributed(drawn(star(5), 2, replace=True), pairs)


def test_weighted_draws_with_replacement_are_independent() -> None:
    p = [w / sum(WEIGHTS) for w in WEIGHTS]
    pairs = {(i, j): p[i] * p[j] for i, j in product(range(5), repeat=2)}
    samples = drawn(star(5), 2, prob=torch.tensor(WEIGHTS), replace=True)
    assert_distributed(samples, pairs)


@pytest.mark.parametrize("replace", [False, True])
@pytest.mark.parametrize("dtype", [torch.bool, torch.uint8, torch.int8])
def test_a_mask_makes_the_others_equally_likely(dtype: torch.dtype, replace: bool) -> None:
    mask = torch.tensor([True, False, True, True, False, True]).to(dtype)
    left = (0, 2, 3, 5)
    sets = list(product(left, repeat=2) if replace else combinations(left, 2))
    samples = drawn(star(6), 2, prob=mask, replace=replace)
    assert_distributed(samples, dict.fromkeys(sets, 1 / len(sets)))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("replace", [False, True])
def test_rows_do_not_disturb_one_another(replace: bool, weighted: bool) -> None:
    """Rows of 0 to 40 edges in one call: each edge is drawn as often as its own row says."""
    degrees = torch.tensor([3, 40, 0, 1, 7, 2, 4, 12])
    v = torch.arange(8).repeat_interleave(degrees)[torch.randperm(69)]
    g = gs.graph((torch.arange(69), v), num_nodes=69)
    weights = torch.ones(69)
    if weighted:  # the same within a row, so that the expectation is simple
        weights = torch.tensor([1e-30, 1, 1, 1e30, 1e-3, 1, 1e20, 1])[v]
    repeats, fanout = 2000, 4
    nodes = torch.arange(8).repeat(repeats)
    sub = sample_neighbors(g, nodes, fanout, prob=weights if weighted else None, replace=replace)
    counts = torch.bincount(sub.edata[gs.EID], minlength=69).double()
    share = fanout / degrees[v].double()
    if not replace:
        share = share.clamp(max=1)
    # Five standard deviations, if draws of the same edge did not exclude one another.
    bound = 5 * (repeats * share).sqrt()
    assert bool(((counts - repeats * share).abs() <= bound).all())
    sure = torch.isin(v, torch.tensor([0, 3, 5, 6])) if not replace else v == 3
    assert bool((counts[sure] == repeats * share[sure]).all())


@pytest.mark.parametrize("replace", [False, True])
def test_weights_of_all_sizes(replace: bool) -> None:
    """Huge weights of one node leave the tiny ones of another what they are, whatever the order."""
    weights = torch.tensor([1e308, 1e308, 1e-307, 3e-307, 1e308, 1e308], dtype=torch.float64)
    g = gs.graph((torch.arange(6), torch.tensor([0, 0, 1, 1, 2, 2])))
    nodes = torch.tensor([0, 1, 2]).repeat(DRAWS)
    sub = sample_neighbors(g, nodes, 1, prob=weights, replace=replace)
    eids = sub.edata[gs.EID].reshape(DRAWS, 3)
    for node, share in enumerate([0.5, 0.75, 0.5]):
        second = {(2 * node,): 1 - share, (2 * node + 1,): share}
        assert_distributed(eids[:, node : node + 1], second)


# --- structure ----------------------------------------------------------------------------------


@settings(max_examples=40)
@given(
    data=st.data(),
    fanout=st.integers(0, 6),
    edge_dir=st.sampled_from(["in", "out"]),
    replace=st.booleans(),
)
def test_as_many_edges_of_the_nodes_as_asked_for(data, fanout, edge_dir, replace) -> None:
    g = data.draw(graphs())
    nodes = data.draw(some_nodes(g, unique=False))
    sub = sample_neighbors(g, nodes, fanout, edge_dir, replace=replace)
    assert_graph_valid(sub)
    assert sub.idtype == g.idtype
    assert [sub.num_nodes(t) for t in sub.ntypes] == [g.num_nodes(t) for t in g.ntypes]
    for etype in g.canonical_etypes:
        u, v = g.edges(etype=etype)
        eids = sub.edges[etype].data[gs.EID]
        assert eids.dtype == g.idtype
        assert_tensor_equal(sub.edges[etype].data["x"], g.edges[etype].data["x"][eids.long()])
        ends = u[eids.long()], v[eids.long()]
        for got, wanted in zip(sub.edges(etype=etype), ends, strict=True):
            assert_tensor_equal(got, wanted)
        near = (v if edge_dir == "in" else u).tolist()
        queue = eids.tolist()
        for node in nodes[etype[2] if edge_dir == "in" else etype[0]]:
            degree = near.count(node)
            count = min(fanout, fanout * degree) if replace else min(fanout, degree)
            mine, queue = queue[:count], queue[count:]
            assert all(near[eid] == node for eid in mine)
            assert replace or (mine == sorted(set(mine)))
        assert queue == []


@settings(max_examples=40)
@given(data=st.data(), replace=st.booleans())
def test_all_neighbors_are_the_subgraph_on_one_side(data, replace) -> None:
    g = data.draw(graphs())
    nodes = data.draw(some_nodes(g, unique=False))
    assert_graph_equal(sample_neighbors(g, nodes, -1, replace=replace), gs.in_subgraph(g, nodes))
    sub = sample_neighbors(g, nodes, -1, "out", replace=replace)
    assert_graph_equal(sub, gs.out_subgraph(g, nodes))
    assert_graph_equal(sample_neighbors(g, nodes, 12), gs.in_subgraph(g, nodes))


@pytest.mark.parametrize("case", graph_cases("homogeneous"))
@pytest.mark.parametrize("edge_dir", ["in", "out"])
def test_every_kind_of_graph(case, edge_dir: str) -> None:
    g = with_features(case())
    nodes = torch.arange(g.num_nodes(), dtype=g.idtype)
    sub = sample_neighbors(g, nodes, 2, edge_dir)
    assert_graph_valid(sub)
    degrees = (lambda s: s.in_degrees()) if edge_dir == "in" else (lambda s: s.out_degrees())
    assert_tensor_equal(degrees(sub), degrees(g).clamp(max=2))
    eids = sub.edata[gs.EID]
    assert len(eids.unique()) == len(eids)
    again = sample_neighbors(g, nodes, 3, edge_dir, replace=True)
    assert_tensor_equal(degrees(again), (degrees(g) > 0).to(g.idtype) * 3)


def test_each_relation_has_its_fanout() -> None:
    data = {
        ("a", "r", "b"): (torch.arange(8), torch.zeros(8, dtype=torch.int64)),
        ("b", "s", "b"): ([0, 1, 2], [0, 0, 0]),
        ("b", "t", "a"): ([0, 0, 1], [0, 1, 0]),
    }
    g = gs.heterograph(data, {"a": 8, "b": 3})
    sub = sample_neighbors(g, {"b": [0], "a": [0]}, {"r": 5, ("b", "s", "b"): -1, "t": 0})
    assert [sub.num_edges(e) for e in ("r", "s", "t")] == [5, 3, 0]
    sub = sample_neighbors(g, {"b": [0]}, 2)
    assert [sub.num_edges(e) for e in ("r", "s", "t")] == [2, 2, 0]
    sub = sample_neighbors(g, {"b": [0]}, 1, "out")
    assert [sub.num_edges(e) for e in ("r", "s", "t")] == [0, 1, 1]


def test_relations_that_give_nothing_are_not_compressed() -> None:
    g = gs.heterograph({("a", "r", "a"): ([0], [1]), ("a", "s", "a"): ([0], [1])})
    sample_neighbors(g, {"a": [1]}, {"r": 1, "s": 0})
    assert "csc" in g["r"].formats()["created"]
    assert g["s"].formats()["created"] == ["coo"]


def test_nodes_may_be_a_mask() -> None:
    g = star(3)
    sub = sample_neighbors(g, torch.tensor([True, False, False, True]), -1)
    assert_graph_equal(sub, gs.in_subgraph(g, [0, 3]))


# --- weights and exclusion ----------------------------------------------------------------------


@pytest.mark.parametrize("fanout", [-1, 2, 3, 4, 9])
def test_weight_zero_is_never_drawn(fanout: int) -> None:
    weights = torch.tensor([0.0, 1.0, 0.0, 1e-300, 2.0, 0.0], dtype=torch.float64)
    sub = sample_neighbors(star(6), [0] * 200, fanout, prob=weights)
    count = 3 if fanout < 0 else min(fanout, 3)
    eids = sub.edata[gs.EID].reshape(200, count)
    assert set(eids.unique().tolist()) <= {1, 3, 4}
    assert bool((eids.diff(dim=1) > 0).all())
    again = sample_neighbors(star(6), [0] * 200, fanout, prob=weights, replace=True)
    assert set(again.edata[gs.EID].unique().tolist()) <= {1, 3, 4}
    assert again.num_edges() == 200 * (3 if fanout < 0 else fanout)


@pytest.mark.parametrize("replace", [False, True])
@pytest.mark.parametrize("weights", [torch.zeros(4), torch.zeros(4, dtype=torch.bool)])
def test_a_row_of_zero_weights_gives_nothing(weights: torch.Tensor, replace: bool) -> None:
    sub = sample_neighbors(star(4), [0, 1, 0], 2, prob=weights, replace=replace)
    assert sub.num_edges() == 0
    assert sub.edata[gs.EID].dtype == torch.int64


def test_weights_by_name_by_value_and_by_type_are_the_same() -> None:
    g = star(30)
    g.edata["p"] = torch.rand(30, 1)
    expected = _seeded(lambda: sample_neighbors(g, [0], 9, prob="p"))
    for prob in (g.edata["p"], g.edata["p"].flatten(), {"_E": g.edata["p"]}):
        assert_graph_equal(_seeded(lambda p=prob: sample_neighbors(g, [0], 9, prob=p)), expected)
    with_gradient = g.edata["p"].clone().requires_grad_()
    assert_graph_equal(_seeded(lambda: sample_neighbors(g, [0], 9, prob=with_gradient)), expected)


def test_relations_without_the_feature_have_equal_weights() -> None:
    data = {("a", "r", "a"): ([1, 2], [0, 0]), ("a", "s", "a"): ([3, 4], [0, 0])}
    g = gs.heterograph(data, {"a": 5})
    g.edges["r"].data["p"] = torch.tensor([0.0, 1.0])
    for prob in ("p", {"r": torch.tensor([0.0, 1.0])}):
        sub = sample_neighbors(g, {"a": [0]}, 2, prob=prob)
        assert sub.edges["r"].data[gs.EID].tolist() == [1]
        assert sub.edges["s"].data[gs.EID].tolist() == [0, 1]


@pytest.mark.parametrize("excluded", [[1, 4], {"_E": torch.tensor([4, 1, 4])}])
@pytest.mark.parametrize("replace", [False, True])
def test_excluded_edges_are_left_out_of_what_was_drawn(replace: bool, excluded) -> None:
    """As in DGL, nobody takes their place: with a seed, it is the same draw without them."""
    g = star(6)
    nodes = [0] * 50
    everything = _seeded(lambda: sample_neighbors(g, nodes, 3, replace=replace))
    sub = _seeded(lambda: sample_neighbors(g, nodes, 3, replace=replace, exclude_edges=excluded))
    eids = everything.edata[gs.EID]
    kept = eids[(eids != 1) & (eids != 4)]
    assert 0 < len(kept) < len(eids)
    assert_tensor_equal(sub.edata[gs.EID], kept)
    assert_tensor_equal(sub.edges()[0], kept + 1)


def test_excluding_every_edge_or_none() -> None:
    g = star(4, torch.int32)
    every = torch.ones(4, dtype=torch.bool)
    assert sample_neighbors(g, [0], 2, exclude_edges=every).num_edges() == 0
    assert sample_neighbors(g, [0], 9, exclude_edges=[]).num_edges() == 4
    assert sample_neighbors(g, [0], 9, exclude_edges=[0]).edata[gs.EID].tolist() == [1, 2, 3]


# --- features, seeds, the method ----------------------------------------------------------------


@pytest.mark.parametrize("copy_ndata", [False, True])
@pytest.mark.parametrize("copy_edata", [False, True])
def test_features_that_are_copied(copy_ndata: bool, copy_edata: bool) -> None:
    g = with_features(star(5))
    sub = sample_neighbors(g, [0], 2, copy_ndata=copy_ndata, copy_edata=copy_edata)
    assert list(sub.ndata) == (["x"] if copy_ndata else [])
    assert list(sub.edata) == (["x", gs.EID] if copy_edata else [])
    sub.ndata["y"] = torch.zeros(6)
    assert "y" not in g.ndata


def _seeded(call):
    gs.seed(11)
    return call()


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("replace", [False, True])
def test_a_seed_repeats_the_draw(replace: bool, weighted: bool) -> None:
    g = star(50)
    prob = torch.rand(50) if weighted else None

    def draw() -> gs.Graph:
        return sample_neighbors(g, [0], 10, prob=prob, replace=replace)

    first = _seeded(draw)
    other = draw()
    assert_graph_equal(_seeded(draw), first)
    assert other.edata[gs.EID].tolist() != first.edata[gs.EID].tolist()
    with kernels.use("reference"):
        assert_graph_equal(_seeded(draw), first)


def test_the_method_is_the_function() -> None:
    g = with_features(star(20))
    weights = torch.rand(20)
    options = (4, "in", weights, True, False, True, [3], "cpu")
    expected = _seeded(lambda: sample_neighbors(g, [0], *options))
    assert_graph_equal(_seeded(lambda: g.sample_neighbors([0], *options)), expected)
    assert gs.sampling.sample_neighbors is sample_neighbors


# --- errors -------------------------------------------------------------------------------------

HETERO = {("a", "r", "b"): ([0, 1], [0, 0]), ("b", "s", "a"): ([0, 0], [0, 1])}
BAD = [
    (lambda g, h: sample_neighbors(3, [0], 1), gs.InvalidTypeError, "takes a graph, got int"),
    (lambda g, h: sample_neighbors(gs.to_block(g), [0], 1), gs.InvalidValueError, "not take a blo"),
    (lambda g, h: sample_neighbors(g, [9], 1), gs.OutOfRangeError, "Id 9 is not among the nodes"),
    (lambda g, h: sample_neighbors(g, [-1], 1), gs.OutOfRangeError, "Id -1 is not among the nodes"),
    (lambda g, h: sample_neighbors(g, [0.5], 1), gs.InvalidTypeError, "must be integers"),
    (lambda g, h: sample_neighbors(g, None, 1), gs.InvalidTypeError, "got NoneType"),
    (lambda g, h: sample_neighbors(g, {"x": [0]}, 1), gs.UnknownKeyError, "no node type 'x'"),
    (lambda g, h: sample_neighbors(h, [0], 1), gs.InvalidTypeError, "several node types"),
    (lambda g, h: sample_neighbors(g, [0], -2), gs.InvalidValueError, "fanout is at least -1, got"),
    (lambda g, h: sample_neighbors(g, [0], 1.0), gs.InvalidTypeError, "fanout is an int, got 1.0"),
    (lambda g, h: sample_neighbors(g, [0], True), gs.InvalidTypeError, "fanout is an int"),
    (
        lambda g, h: sample_neighbors(g, [0], torch.tensor(1.5)),
        gs.InvalidTypeError,
        "fanout is an int, got tensor",
    ),
    (
        lambda g, h: sample_neighbors(h, {"a": [0]}, {"r": 1}),
        gs.InvalidValueError,
        r"needs every edge type, but lacks \[\('b', 's', 'a'\)\]",
    ),
    (
        lambda g, h: sample_neighbors(h, {"a": [0]}, {"r": 1, "s": -3}),
        gs.InvalidValueError,
        r"fanout of \('b', 's', 'a'\) is at least -1",
    ),
    (
        lambda g, h: sample_neighbors(h, {"a": [0]}, {"r": 1, "s": 1, "t": 1}),
        gs.UnknownKeyError,
        "no edge type 't'",
    ),
    (
        lambda g, h: sample_neighbors(h, {"a": [0]}, {"r": 1, "s": 1, ("a", "r", "b"): 2}),
        gs.InvalidValueError,
        "names edge type .* twice",
    ),
    (
        lambda g, h: sample_neighbors(g, [0], 1, "up"),
        gs.InvalidValueError,
        "is 'in' or 'out'",
    ),
    (
        lambda g, h: sample_neighbors(g, [0], 1, prob="p"),
        gs.UnknownKeyError,
        "no edge type has a feature 'p' to draw by",
    ),
    (
        lambda g, h: sample_neighbors(g, [0], 1, prob=[0.1, 0.2, 0.3]),
        gs.InvalidTypeError,
        "are a tensor, or the name of an edge feature for all types; got list",
    ),
    (
        lambda g, h: sample_neighbors(h, {"a": [0]}, 1, prob=torch.ones(2)),
        gs.InvalidTypeError,
        "several edge types, so prob is the name",
    ),
    (
        lambda g, h: sample_neighbors(h, {"a": [0]}, 1, prob={"t": torch.ones(2)}),
        gs.UnknownKeyError,
        "no edge type 't'",
    ),
    (
        lambda g, h: sample_neighbors(g, [0], 1, prob=torch.ones(3, dtype=torch.int64)),
        gs.InvalidTypeError,
        "bool, uint8 or int8, got torch.int64",
    ),
    (
        lambda g, h: sample_neighbors(g, [0], 1, prob=torch.ones(4)),
        gs.InvalidValueError,
        r"the 3 edges .* need a weight each, got shape \(4,\)",
    ),
    (
        lambda g, h: sample_neighbors(g, [0], 1, prob=torch.ones(3, 2)),
        gs.InvalidValueError,
        r"got shape \(3, 2\)",
    ),
    (
        lambda g, h: sample_neighbors(g, [0], 1, prob=torch.ones(3, device="meta")),
        gs.InvalidValueError,
        "are on meta but the graph is on cpu",
    ),
    *(
        (
            lambda g, h, w=weight: sample_neighbors(g, [0], 1, prob=torch.tensor([1.0, w, 1.0])),
            gs.InvalidValueError,
            "must be finite and not negative",
        )
        for weight in (-0.1, math.nan, math.inf, -math.inf)
    ),
    (
        lambda g, h: sample_neighbors(g, [0], 1, exclude_edges=[3]),
        gs.OutOfRangeError,
        "Id 3 is not among the edges",
    ),
    (
        lambda g, h: sample_neighbors(h, {"a": [0]}, 1, exclude_edges=[0]),
        gs.InvalidTypeError,
        "several edge types, so edges are a dict",
    ),
    (
        lambda g, h: sample_neighbors(h, {"a": [0]}, 1, exclude_edges={"t": [0]}),
        gs.UnknownKeyError,
        "no edge type 't'",
    ),
    (
        lambda g, h: sample_neighbors(g, [0], 1, output_device="nowhere"),
        gs.InvalidValueError,
        "output_device must be a device",
    ),
]


@pytest.mark.parametrize(("call", "error", "text"), BAD)
def test_wrong_arguments(call, error: type, text: str) -> None:
    with pytest.raises(error, match=text):
        call(star(3), gs.heterograph(HETERO))
