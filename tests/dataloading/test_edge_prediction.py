"""Samplers of edges, the edges that they leave out, and negative edges."""

from __future__ import annotations

import pytest
import torch

import gossamer as gs
from gossamer.dataloading import (
    DataLoader,
    EdgeCollator,
    NeighborSampler,
    NodeCollator,
    SpotTarget,
    as_edge_prediction_sampler,
    find_exclude_eids,
)
from gossamer.dataloading.negative_sampler import GlobalUniform, PerSourceUniform, Uniform
from helpers.compare import assert_tensor_equal


def reversible(pairs: int = 30, nodes: int = 12) -> tuple[gs.Graph, torch.Tensor]:
    """A graph in which edge ``i + pairs`` is the reverse of edge ``i``."""
    u, v = torch.randint(nodes, (2, pairs), generator=torch.Generator().manual_seed(1))
    g = gs.graph((torch.cat([u, v]), torch.cat([v, u])), num_nodes=nodes)
    g.edata["y"] = torch.arange(2.0 * pairs)
    return g, torch.cat([torch.arange(pairs) + pairs, torch.arange(pairs)])


def typed() -> gs.Graph:
    u, i = torch.tensor([0, 1, 2, 2, 3]), torch.tensor([0, 0, 1, 2, 2])
    return gs.heterograph({("user", "buys", "item"): (u, i), ("item", "bought-by", "user"): (i, u)})


def test_pairs_negatives_and_blocks_have_the_same_nodes() -> None:
    g, _ = reversible()
    sampler = as_edge_prediction_sampler(
        NeighborSampler([3, 3]), negative_sampler=Uniform(2), prefetch_labels=["y"]
    )
    edges = torch.tensor([4, 9, 33])
    loader = DataLoader(g, edges, sampler, batch_size=3)
    ((inputs, pairs, negatives, blocks),) = loader
    nodes = pairs.ndata[gs.NID]
    assert_tensor_equal(negatives.ndata[gs.NID], nodes)
    assert_tensor_equal(blocks[-1].dstdata[gs.NID], nodes)
    assert_tensor_equal(blocks[0].srcdata[gs.NID], inputs)
    assert_tensor_equal(pairs.edata[gs.EID], edges)
    assert_tensor_equal(pairs.edata["y"], edges.float())
    for mine, theirs in zip(pairs.edges(), g.find_edges(edges), strict=True):
        assert_tensor_equal(nodes[mine], theirs)
    assert_tensor_equal(nodes[negatives.edges()[0]], g.find_edges(edges)[0].repeat_interleave(2))


@pytest.mark.parametrize("exclude", [None, "self", "reverse_id"])
def test_edges_that_are_left_out_are_in_no_block(exclude) -> None:
    g, reverse = reversible()
    sampler = as_edge_prediction_sampler(NeighborSampler([-1, -1]), exclude, reverse_eids=reverse)
    edges = torch.tensor([1, 2, 35])
    out = {None: [], "self": [1, 2, 35], "reverse_id": [1, 2, 35, 31, 32, 5]}[exclude]
    _, _, blocks = sampler.sample(g, edges)
    seen = set(torch.cat([block.edata[gs.EID] for block in blocks]).tolist())
    assert seen & {1, 2, 35, 31, 32, 5} == {1, 2, 35, 31, 32, 5} - set(out)


def test_reverse_types_are_left_out() -> None:
    g = typed()
    sampler = as_edge_prediction_sampler(
        NeighborSampler([-1]),
        exclude="reverse_types",
        reverse_etypes={"buys": "bought-by", "bought-by": "buys"},
        negative_sampler=Uniform(3),
    )
    _, pairs, negatives, (block,) = sampler.sample(g, {"buys": torch.tensor([1, 4])})
    assert pairs.num_edges("buys") == 2
    assert negatives.num_edges("buys") == 6
    assert negatives.num_edges("bought-by") == 0
    for etype in ("buys", "bought-by"):
        assert not {1, 4} & set(block.edges[etype].data[gs.EID].tolist())


def test_what_to_exclude() -> None:
    g, reverse = reversible()
    seeds = torch.tensor([3, 40])
    assert find_exclude_eids(g, seeds, None) is None
    assert find_exclude_eids(g, seeds, "self").tolist() == [3, 40]
    assert find_exclude_eids(g, seeds, "reverse_id", reverse).tolist() == [3, 40, 33, 10]
    assert find_exclude_eids(g, seeds, lambda ids: ids + 1).tolist() == [4, 41]
    h = typed()
    pairs = {"buys": torch.tensor([4, 3, 2, 1, 0])}
    found = find_exclude_eids(h, {"buys": torch.tensor([0])}, "reverse_id", pairs)
    assert {k: v.tolist() for k, v in found.items()} == {("user", "buys", "item"): [0, 4]}
    found = find_exclude_eids(
        h,
        {"buys": torch.tensor([0]), "bought-by": torch.tensor([2])},
        "reverse_types",
        reverse_etypes={"buys": "bought-by", "bought-by": "buys"},
    )
    assert sorted(found["item", "bought-by", "user"].tolist()) == [0, 2]
    assert sorted(found["user", "buys", "item"].tolist()) == [0, 2]


def test_edges_to_exclude_may_be_given_themselves() -> None:
    g = gs.graph(([0, 1, 2, 3, 3, 4, 0], [1, 2, 3, 0, 4, 0, 2]))
    sampler = as_edge_prediction_sampler(NeighborSampler([-1]), exclude=torch.tensor([1, 5]))
    _, _, blocks = sampler.sample(g, torch.tensor([0, 1]))
    assert sorted(blocks[0].edata[gs.EID].tolist()) == [0, 3, 6]
    h = gs.heterograph({("u", "likes", "i"): ([0, 1, 2], [0, 0, 1]), ("u", "f", "u"): ([0], [1])})
    for etype in ("likes", ("u", "likes", "i")):
        sampler = as_edge_prediction_sampler(
            NeighborSampler([-1]), exclude={etype: torch.tensor([0])}
        )
        _, _, blocks = sampler.sample(h, {"likes": torch.arange(3)})
        assert blocks[0].edges["likes"].data[gs.EID].tolist() == [1, 2]
        assert blocks[0].num_edges("f") == 1
    found = find_exclude_eids(h, {"f": torch.tensor([0])}, {"likes": torch.tensor([2])})
    assert {key: ids.tolist() for key, ids in found.items()} == {("u", "likes", "i"): [2]}
    with pytest.raises(gs.OutOfRangeError, match="Id 7 is not among"):
        find_exclude_eids(g, torch.tensor([0]), torch.tensor([7]))


@pytest.mark.parametrize(("threshold", "expected"), [(1, [0, 1, 2]), (2, [0, 1, 2, 3]), (0, [])])
def test_spot_target_leaves_out_ends_of_low_in_degree(threshold: int, expected: list) -> None:
    g = gs.graph(([4, 4, 4, 0], [0, 1, 2, 1]))
    excluder = SpotTarget(g, "self", degree_threshold=threshold)
    assert excluder(torch.arange(4)).tolist() == expected
    sampler = as_edge_prediction_sampler(NeighborSampler([-1]), exclude=excluder)
    (block,) = sampler.sample(g, torch.arange(4))[2]
    assert sorted(block.edata[gs.EID].tolist()) == [e for e in range(4) if e not in expected]


# --- negatives ----------------------------------------------------------------------------------


def test_negatives_of_each_source() -> None:
    g, _ = reversible()
    src, dst = PerSourceUniform(500)(g, torch.tensor([7, 2]))
    assert_tensor_equal(src, g.find_edges([7, 2])[0].repeat_interleave(500))
    counts = torch.bincount(dst, minlength=12).double()
    assert bool((counts > 0).all())
    assert float(((counts - 1000 / 12) ** 2 / (1000 / 12)).sum()) < 35  # chi-square, 11 degrees
    found = Uniform(2)(typed(), {"buys": torch.tensor([4])})
    src, dst = found["user", "buys", "item"]
    assert src.tolist() == [3, 3]
    assert set(dst.tolist()) <= {0, 1, 2}


@pytest.mark.parametrize("replace", [False, True])
@pytest.mark.parametrize("loops", [False, True])
def test_global_negatives_are_no_edges_and_all_alike(replace: bool, loops: bool) -> None:
    g = gs.graph(([0, 1, 2, 3, 4, 5], [1, 2, 3, 4, 5, 0]))
    counts = torch.zeros(6, 6)
    for _ in range(300):
        src, dst = gs.sampling.global_uniform_negative_sampling(g, 8, not loops, replace)
        assert len(src) <= 8
        assert not bool(g.has_edges_between(src, dst).any())
        counts.index_put_((src, dst), torch.ones(len(src)), accumulate=True)
        if not replace:
            pairs = list(zip(src.tolist(), dst.tolist(), strict=True))
            assert pairs == sorted(set(pairs))
    joined = torch.zeros(6, 6, dtype=torch.bool)
    joined[g.edges()] = True
    if not loops:
        joined.fill_diagonal_(True)
    assert not bool(counts[joined].any())
    left = counts[~joined]
    assert float(((left - left.mean()) ** 2 / left.mean()).sum()) < 75
    assert float(left.sum()) > 0.95 * 300 * 8


def test_global_negatives_where_there_are_none_or_few() -> None:
    full = gs.graph(([0, 0, 1, 1], [0, 1, 0, 1]))
    assert [len(x) for x in gs.sampling.global_uniform_negative_sampling(full, 5, False)] == [0, 0]
    nothing = gs.graph(([], []), num_nodes=0)
    assert [len(x) for x in gs.sampling.global_uniform_negative_sampling(nothing, 5)] == [0, 0]
    g, _ = reversible()
    src, dst = GlobalUniform(4)(g, torch.tensor([0, 1]))
    assert len(src) == len(dst) == 8
    src, _ = GlobalUniform(1)(typed(), {"buys": torch.arange(4)})["user", "buys", "item"]
    assert src.dtype == torch.int64


# --- collators ----------------------------------------------------------------------------------


def test_collators_work_in_the_loader_of_torch() -> None:
    g, _ = reversible()
    nodes = NodeCollator(g, torch.tensor([3, 1, 2]), NeighborSampler([2]))
    loader = torch.utils.data.DataLoader(nodes.dataset, 2, collate_fn=nodes.collate)
    assert [outputs.tolist() for _, outputs, _ in loader] == [[3, 1], [2]]
    h = typed()
    edges = EdgeCollator(
        h, {"buys": torch.arange(3)}, NeighborSampler([2]), negative_sampler=Uniform(1)
    )
    assert list(edges.dataset) == [("buys", 0), ("buys", 1), ("buys", 2)]
    loader = torch.utils.data.DataLoader(edges.dataset, 2, collate_fn=edges.collate)
    assert [pairs.num_edges("buys") for _, pairs, _, _ in loader] == [2, 1]


def test_edges_of_one_graph_and_messages_in_another() -> None:
    g, _ = reversible()
    sparse = gs.remove_edges(g, torch.arange(10, 60))
    collator = EdgeCollator(g, torch.arange(60), NeighborSampler([-1]), g_sampling=sparse)
    _, pairs, (block,) = collator.collate([50])
    assert pairs.edata[gs.EID].tolist() == [50]
    assert not len(block.edata[gs.EID]) or int(block.edata[gs.EID].max()) < 10


BAD = [
    (lambda g: as_edge_prediction_sampler(3), gs.InvalidTypeError, "a sampler of blocks, got int"),
    (lambda g: find_exclude_eids(g, [0], "no"), gs.InvalidValueError, "reverse_types"),
    (lambda g: find_exclude_eids(g, [0], "reverse_id"), gs.InvalidValueError, "needs reverse_eids"),
    (
        lambda g: find_exclude_eids(g, [0], "reverse_id", torch.arange(3)),
        gs.InvalidValueError,
        "an id for each of the 60 edges",
    ),
    (
        lambda g: find_exclude_eids(g, [0], "reverse_types"),
        gs.InvalidValueError,
        "needs reverse_etypes",
    ),
    (lambda g: find_exclude_eids(g, [99], "self"), gs.OutOfRangeError, "Id 99 is not among"),
    (lambda g: Uniform(0), gs.InvalidValueError, "k is at least 1"),
    (lambda g: Uniform(2)(g, [99]), gs.OutOfRangeError, "Id 99 is not among"),
    (
        lambda g: gs.sampling.global_uniform_negative_sampling(g, -1),
        gs.InvalidValueError,
        "num_samples is at least 0",
    ),
    (
        lambda g: gs.sampling.global_uniform_negative_sampling(g, 1, redundancy=0.5),
        gs.InvalidValueError,
        "redundancy is at least 1",
    ),
    (
        lambda g: gs.sampling.global_uniform_negative_sampling(g, 1, etype="no"),
        gs.UnknownKeyError,
        "no edge type 'no'",
    ),
]


@pytest.mark.parametrize(("call", "error", "text"), BAD)
def test_wrong_arguments(call, error: type, text: str) -> None:
    with pytest.raises(error, match=text):
        call(reversible()[0])
