"""Blocks of drawn neighbors: the same as drawing and then making blocks, step by step."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import gossamer as gs
from gossamer import kernels
from gossamer.dataloading import (
    BlockSampler,
    LaborSampler,
    MultiLayerFullNeighborSampler,
    MultiLayerNeighborSampler,
    NeighborSampler,
    Sampler,
)
from helpers.compare import assert_graph_equal, assert_graph_valid, assert_tensor_equal
from helpers.generated import graphs, some_nodes
from helpers.graphs import graph_cases


def random_graph(nodes: int = 60, edges: int = 600, idtype=torch.int64) -> gs.Graph:
    generator = torch.Generator().manual_seed(3)
    u, v = torch.randint(nodes, (2, edges), generator=generator)
    g = gs.graph((u, v), num_nodes=nodes, idtype=idtype)
    g.ndata["x"] = torch.rand(nodes, 2, generator=generator)
    g.edata["w"] = torch.rand(edges, generator=generator)
    g.edata["m"] = torch.rand(edges, generator=generator) > 0.5
    return g


def by_hand(g: gs.Graph, seeds, layers: int) -> list[gs.Graph]:
    """Blocks of all in-edges, by way of subgraphs."""
    blocks = []
    for _ in range(layers):
        frontier = gs.in_subgraph(g, seeds)
        block = gs.to_block(frontier, seeds)
        for etype in g.canonical_etypes:
            block.edges[etype].data[gs.EID] = frontier.edges[etype].data[gs.EID]
        seeds = block.srcdata[gs.NID]
        blocks.insert(0, block)
    return blocks


@settings(max_examples=40)
@given(data=st.data(), layers=st.integers(1, 3))
def test_all_neighbors_are_blocks_of_in_subgraphs(data, layers: int) -> None:
    g = data.draw(graphs())
    nodes = data.draw(some_nodes(g, unique=True))
    nodes = {t: torch.tensor(nodes.get(t, []), dtype=g.idtype) for t in g.ntypes}
    seeds = nodes[g.ntypes[0]] if len(g.ntypes) == 1 else nodes
    inputs, outputs, blocks = MultiLayerFullNeighborSampler(layers).sample(g, seeds)
    assert outputs is seeds
    for block, expected in zip(blocks, by_hand(g, seeds, layers), strict=True):
        assert_graph_valid(block)
        assert_graph_equal(block, expected)
    first = blocks[0].srcdata[gs.NID]
    for t in g.ntypes:
        mine, theirs = (inputs, first) if len(g.ntypes) == 1 else (inputs[t], first[t])
        assert_tensor_equal(mine, theirs)


@pytest.mark.parametrize("case", graph_cases("homogeneous"))
def test_every_kind_of_graph(case) -> None:
    g = case()
    nodes = torch.arange(g.num_nodes(), dtype=g.idtype)
    inputs, _, blocks = NeighborSampler([3, 2]).sample(g, nodes)
    for block in blocks:
        assert_graph_valid(block)
        assert block.idtype == g.idtype
        src, dst = block.edges()
        u, v = g.find_edges(block.edata[gs.EID])
        assert_tensor_equal(block.srcdata[gs.NID][src.long()], u)
        assert_tensor_equal(block.dstdata[gs.NID][dst.long()], v)
    assert_tensor_equal(blocks[1].in_degrees(), g.in_degrees().clamp(max=2))
    assert_tensor_equal(inputs, blocks[0].srcdata[gs.NID])


@pytest.mark.parametrize("options", [{}, {"replace": True}, {"prob": "w"}, {"mask": "m"}])
@pytest.mark.parametrize("threads", [1, 3])
def test_the_reference_and_any_number_of_threads_draw_the_same(threads, options) -> None:
    g = random_graph()
    sampler = MultiLayerNeighborSampler([4, 3], **options)

    def draw() -> list[gs.Graph]:
        gs.seed(5)
        return sampler.sample(g, torch.tensor([7, 1, 30]))[2]

    expected = draw()
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        again = draw()
    finally:
        torch.set_num_threads(before)
    with kernels.use("reference"):
        reference = draw()
    for blocks in (again, reference):
        for block, wanted in zip(blocks, expected, strict=True):
            assert_graph_equal(block, wanted)
    eids = torch.cat([block.edata[gs.EID] for block in expected])
    if "mask" in options:
        assert bool(g.edata["m"][eids].all())


def test_a_seed_that_is_listed_twice_stays_so() -> None:
    g = gs.graph(([0, 0, 0, 1, 1], [1, 2, 3, 0, 2]))
    inputs, _, (block,) = NeighborSampler([-1]).sample(g, torch.tensor([2, 2, 0]))
    assert inputs.tolist() == [2, 2, 0, 1]
    assert block.num_dst_nodes() == 3
    assert sorted(block.edata[gs.EID].tolist()) == [1, 1, 3, 4, 4]
    src, dst = block.edges()
    u, v = g.find_edges(block.edata[gs.EID])
    assert_tensor_equal(inputs[src], u)
    assert_tensor_equal(inputs[dst], v)
    assert block.in_degrees().tolist() == [2, 2, 1]


def test_out_edges_are_turned_round() -> None:
    g = gs.heterograph({("a", "r", "b"): ([0, 0, 1], [2, 1, 1])}, {"a": 2, "b": 3})
    inputs, _, (block,) = NeighborSampler([-1], edge_dir="out").sample(g, {"a": [0]})
    assert block.canonical_etypes == [("b", "r", "a")]
    assert inputs["b"].tolist() == [2, 1]
    assert block.in_degrees().tolist() == [2]


def test_relations_have_their_fanouts_and_excluded_edges_are_left_out() -> None:
    data = {("a", "r", "b"): ([0, 1, 2], [0, 0, 0]), ("b", "s", "b"): ([0, 1], [0, 0])}
    g = gs.heterograph(data, {"a": 3, "b": 2})
    sampler = NeighborSampler([{"r": 2, "s": 0}, {"r": 0, "s": -1}])
    _, _, blocks = sampler.sample(g, {"b": [0]}, {"s": [0]})
    assert [blocks[0].num_edges(t) for t in ("r", "s")] == [2, 0]
    assert blocks[1].edges["s"].data[gs.EID].tolist() == [1]
    assert blocks[1].num_edges("r") == 0


def test_features_of_the_graph_are_features_of_blocks() -> None:
    g = random_graph()
    _, _, (block,) = NeighborSampler([4]).sample(g, torch.tensor([3, 1]))
    assert_tensor_equal(block.srcdata["x"], g.ndata["x"][block.srcdata[gs.NID]])
    assert_tensor_equal(block.dstdata["x"], g.ndata["x"][[3, 1]])
    assert_tensor_equal(block.edata["w"], g.edata["w"][block.edata[gs.EID]])


def test_no_seeds() -> None:
    inputs, _, blocks = NeighborSampler([2, 2]).sample(random_graph(), [])
    assert inputs.tolist() == []
    assert [block.num_edges() for block in blocks] == [0, 0]


def test_labor_reads_fewer_nodes_than_independent_draws() -> None:
    generator = torch.Generator().manual_seed(0)
    g = gs.graph(torch.randint(200, (2, 8000), generator=generator), num_nodes=200)
    seeds = torch.arange(100)
    gs.seed(0)
    labor = [len(LaborSampler([5]).sample(g, seeds)[0]) for _ in range(10)]
    plain = [len(NeighborSampler([5]).sample(g, seeds)[0]) for _ in range(10)]
    assert sum(labor) < sum(plain)


def test_labor_of_few_edges_takes_all() -> None:
    g = random_graph()
    for options in ({}, {"prob": "w"}, {"importance_sampling": 1}, {"importance_sampling": -1}):
        _, _, blocks = LaborSampler([60, 60], **options).sample(g, torch.tensor([4]))
        full = MultiLayerFullNeighborSampler(2).sample(g, torch.tensor([4]))[2]
        assert [b.num_edges() for b in blocks] == [b.num_edges() for b in full]
        assert ("edge_weights" in blocks[0].edata) == bool(options)


def test_labor_shares_numbers_between_layers_and_batches() -> None:
    g = random_graph(300, 9000)
    seeds = torch.arange(40)

    def reads(sampler) -> list[set]:
        return [set(sampler.sample(g, seeds)[0].tolist()) for _ in range(6)]

    def kept(batches: list[set]) -> float:
        pairs = list(pairwise(batches))
        return sum(len(a & b) / len(a) for a, b in pairs) / len(pairs)

    gs.seed(1)
    alone, slow = (LaborSampler([3], batch_dependency=k) for k in (1, 20))
    assert kept(reads(slow)) > kept(reads(alone)) + 0.2
    free, tied = (LaborSampler([3, 3], layer_dependency=tie) for tie in (False, True))
    assert sum(map(len, reads(tied))) < sum(map(len, reads(free)))
    alone.set_seed(5)
    first = reads(alone)
    alone.set_seed(5)
    assert reads(alone) == first


BAD = [
    (lambda g: NeighborSampler(3), gs.InvalidTypeError, "a list with one int"),
    (lambda g: NeighborSampler([]), gs.InvalidValueError, "fanouts are empty"),
    (lambda g: NeighborSampler([-2]), gs.InvalidValueError, "fanout 0 is at least -1"),
    (lambda g: NeighborSampler([2], "up"), gs.InvalidValueError, "'in' or 'out'"),
    (
        lambda g: NeighborSampler([2], prob="p", mask="m"),
        gs.InvalidValueError,
        "prob or mask, not both",
    ),
    (lambda g: NeighborSampler([2]).sample(g, [99]), gs.OutOfRangeError, "Id 99 is not among"),
    (lambda g: NeighborSampler([2]).sample(g, [0.5]), gs.InvalidTypeError, "must be integers"),
    (lambda g: NeighborSampler([2]).sample(g, {"z": [0]}), gs.UnknownKeyError, "no node type 'z'"),
    (lambda g: NeighborSampler([{"z": 2}]).sample(g, [0]), gs.UnknownKeyError, "no edge type 'z'"),
    (lambda g: NeighborSampler([{}]).sample(g, [0]), gs.InvalidValueError, "needs every edge type"),
    (
        lambda g: NeighborSampler([2], prob="z").sample(g, [0]),
        gs.UnknownKeyError,
        "no edge type has a feature 'z'",
    ),
    (
        lambda g: NeighborSampler([2], prob="bad").sample(g, [0, 1, 2]),
        gs.InvalidValueError,
        "must be finite and not negative",
    ),
    (
        lambda g: NeighborSampler([2]).sample(gs.to_block(g), [0]),
        gs.InvalidValueError,
        "does not take a block",
    ),
    (lambda g: NeighborSampler([2]).sample(3, [0]), gs.InvalidTypeError, "takes a graph"),
    (lambda g: MultiLayerFullNeighborSampler(0), gs.InvalidValueError, "num_layers is at least 1"),
    (lambda g: LaborSampler([2], "x"), gs.InvalidValueError, "'in' or 'out'"),
    (
        lambda g: LaborSampler([2], importance_sampling=-2),
        gs.InvalidValueError,
        "importance_sampling is at least -1",
    ),
    (lambda g: LaborSampler([2], batch_dependency=0), gs.InvalidValueError, "at least 1"),
    (
        lambda g: LaborSampler([2], prob="bad").sample(g, [0, 1, 2]),
        gs.InvalidValueError,
        "must be finite and not negative",
    ),
    (lambda g: Sampler().sample(g, [0]), NotImplementedError, "does not define sample"),
    (lambda g: BlockSampler().sample(g, [0]), NotImplementedError, "not define sample_blocks"),
]


@pytest.mark.parametrize(("call", "error", "text"), BAD)
def test_wrong_arguments(call, error: type, text: str) -> None:
    g = gs.graph(([0, 1, 2, 0], [1, 2, 0, 2]))
    g.edata["bad"] = torch.tensor([1.0, -1.0, 1.0, 1.0])
    with pytest.raises(error, match=text):
        call(g)
