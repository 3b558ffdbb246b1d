"""Sampling functions and loaders that DGL's documentation leaves out, with their meaning there."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from types import ModuleType

import pytest
import torch

import gossamer as gs
from gossamer.compat.dgl import install, uninstall


@pytest.fixture
def dgl() -> Iterator[ModuleType]:
    install()
    yield importlib.import_module("dgl")
    uninstall()


@pytest.fixture
def typed() -> gs.Graph:
    """Every node has 5 in-edges of type 0, 2 of type 1 and none of type 2."""
    v = torch.arange(6)
    ends = [((v + i) % 6, v) for i in range(7)]
    g = gs.graph((torch.cat([u for u, _ in ends]), torch.cat([v for _, v in ends])))
    g.ndata["x"] = torch.arange(6.0)
    g.edata["type"] = torch.arange(7).repeat_interleave(6) // 5
    return g


OFFSETS = [0, 30, 42, 42]


def test_edges_of_each_type_are_drawn(dgl: ModuleType, typed: gs.Graph) -> None:
    draw = dgl.sampling.sample_etype_neighbors
    sub = draw(typed, [4, 1], OFFSETS, torch.tensor([3, -1, 1]))
    assert sub.num_nodes() == 6
    assert sub.edges()[1].tolist() == [4] * 5 + [1] * 5
    assert torch.equal(sub.edata["type"], typed.edata["type"][sub.edata[gs.EID]])
    for node in (4, 1):
        types = sub.edata["type"][sub.edges()[1] == node].tolist()
        assert sorted(types) == [0, 0, 0, 1, 1]
    assert torch.equal(sub.ndata["x"], typed.ndata["x"])
    assert len(set(sub.edata[gs.EID].tolist())) == 10
    out = draw(typed, torch.tensor([2]), OFFSETS, 1, edge_dir="out", copy_edata=False)
    assert (out.edges()[0].tolist(), dict(out.edata)) == ([2, 2], {})


def test_edges_of_weight_zero_are_not_drawn(dgl: ModuleType, typed: gs.Graph) -> None:
    draw = dgl.sampling.sample_etype_neighbors
    weights = torch.zeros(30)
    weights[12:18] = 1.0
    drawn = draw(typed, typed.nodes(), OFFSETS, [5, 0, 0], prob=[weights, *[torch.empty(0)] * 2])
    assert drawn.edata[gs.EID].tolist() == list(range(12, 18))
    typed.edata["w"] = torch.cat([weights, torch.zeros(12)])
    named = draw(typed, typed.nodes(), OFFSETS, 5, prob="w")
    assert named.edata[gs.EID].tolist() == list(range(12, 18))


def test_edge_types_must_cover_the_edges(dgl: ModuleType, typed: gs.Graph) -> None:
    draw = dgl.sampling.sample_etype_neighbors
    with pytest.raises(gs.InvalidValueError, match=r"rises from 0 to the number of edges, 42; got"):
        draw(typed, [0], [0, 30, 41], 1)
    with pytest.raises(gs.InvalidValueError, match=r"one for each of 3 edge types, got \(2,\)"):
        draw(typed, [0], OFFSETS, [1, 2])
    with pytest.raises(gs.InvalidValueError, match="one tensor for each of 3 edge types, got 1"):
        draw(typed, [0], OFFSETS, 1, prob=[torch.ones(42)])


def test_most_frequent_samples(dgl: ModuleType) -> None:
    from dgl.sampling.pinsage import _select_pinsage_neighbors as select

    src = torch.tensor([3, 5, 3, -1, 7, 7, 2, 7])
    dst = torch.tensor([0, 0, 0, 0, 1, 1, 1, 1])
    assert [x.tolist() for x in select(src, dst, 4, 1)] == [[3, 7], [0, 1], [2, 3]]
    assert [x.tolist() for x in select(src, dst, 4, 9)] == [
        [3, 5, 7, 2],
        [0, 0, 1, 1],
        [2, 1, 3, 1],
    ]
    nothing = torch.full((4,), -1)
    assert [len(x) for x in select(nothing, dst[:4], 4, 2)] == [0, 0, 0]
    with pytest.raises(gs.InvalidValueError, match="a multiple of 3; got 8 and 8"):
        select(src, dst, 3, 1)


def test_loaders_of_nodes_and_edges(dgl: ModuleType, typed: gs.Graph) -> None:
    sampler = dgl.dataloading.MultiLayerFullNeighborSampler(1)
    nodes = dgl.dataloading.NodeDataLoader(
        typed, typed.nodes(), sampler, batch_size=4, shuffle=False, drop_last=False, num_workers=0
    )
    assert [(seeds.tolist(), blocks[0].num_edges()) for _, seeds, blocks in nodes] == [
        ([0, 1, 2, 3], 28),
        ([4, 5], 14),
    ]
    edges = dgl.dataloading.EdgeDataLoader(
        typed,
        torch.arange(6),
        sampler,
        negative_sampler=dgl.dataloading.negative_sampler.Uniform(2),
        batch_size=4,
    )
    assert [(p.num_edges(), n.num_edges()) for _, p, n, _ in edges] == [(4, 8), (2, 4)]


def test_arguments_that_distributed_loaders_lack(dgl: ModuleType) -> None:
    from dgl.dataloading.dist_dataloader import _remove_kwargs_dist as remove

    assert remove({"batch_size": 3, "num_workers": 2, "pin_memory": True}) == {"batch_size": 3}


def test_products_or_rows(dgl: ModuleType) -> None:
    from dgl.nn.pytorch.utils import matmul_maybe_select as multiply

    table = torch.rand(5, 2)
    ids = torch.tensor([4, 0, 4])
    one_hot = torch.nn.functional.one_hot(ids, 5).float()
    torch.testing.assert_close(multiply(ids, table), one_hot @ table)
    torch.testing.assert_close(multiply(one_hot, table), one_hot @ table)


def test_products_or_rows_by_type(dgl: ModuleType) -> None:
    from dgl.nn.pytorch.utils import bmm_maybe_select as multiply

    tables = torch.rand(2, 5, 3)
    ids, types = torch.tensor([4, 0, 4]), torch.tensor([0, 1, 1])
    one_hot = torch.nn.functional.one_hot(ids, 5).float()
    wanted = torch.einsum("nd,nde->ne", one_hot, tables[types])
    torch.testing.assert_close(multiply(ids, tables, types), wanted)
    torch.testing.assert_close(multiply(one_hot, tables, types), wanted)


def test_features_move_between_graphs(dgl: ModuleType) -> None:
    def make() -> gs.Graph:
        return gs.heterograph({("a", "x", "b"): ([0, 1, 1], [0, 0, 2])})

    g, other = make(), make()
    g.nodes["a"].data["h"] = torch.tensor([1.0, 2.0])
    g.nodes["b"].data["k"] = torch.tensor([3.0, 4.0, 5.0])
    g.edata["w"] = torch.tensor([6.0, 7.0, 8.0])
    utils = dgl.utils
    utils.set_new_frames(
        other,
        node_frames=utils.extract_node_subframes(g, None),
        edge_frames=utils.extract_edge_subframes(g, "cpu"),
    )
    assert other.nodes["a"].data["h"].tolist() == [1.0, 2.0]
    assert other.nodes["b"].data["k"].tolist() == [3.0, 4.0, 5.0]
    assert other.edata["w"].tolist() == [6.0, 7.0, 8.0]
    utils.set_new_frames(other, edge_frames=utils.extract_edge_subframes(make(), None))
    assert (dict(other.edata), list(other.nodes["a"].data)) == ({}, ["h"])

    ids = [torch.tensor([1]), torch.tensor([2, 0])]
    part = utils.extract_node_subframes(g, ids)
    assert part[1]["k"].tolist() == [5.0, 3.0]
    assert part[1][gs.NID].tolist() == [2, 0]
    assert gs.NID not in utils.extract_node_subframes(g, ids, store_ids=False)[0]
    with pytest.raises(gs.InvalidValueError, match="one frame for each of 2 types, got 1"):
        utils.set_new_frames(other, node_frames=part[:1])
