"""Batches against networkx's disjoint union and against a loop over graphs."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
import torch

import gossamer as gs
from helpers.compare import assert_graph_equal, assert_graph_valid, assert_tensor_equal
from helpers.graphs import GraphCase, graph_cases


def molecule(seed: int, idtype: torch.dtype = torch.int64) -> gs.Graph:
    """A random graph of up to nine nodes with features; some have no edges, some no nodes."""
    generator = torch.Generator().manual_seed(seed)
    num_nodes = int(torch.randint(0, 10, (1,), generator=generator))
    num_edges = int(torch.randint(0, 12, (1,), generator=generator)) if num_nodes else 0
    ends = torch.randint(0, max(num_nodes, 1), (2, num_edges), generator=generator).to(idtype)
    g = gs.graph((ends[0], ends[1]), num_nodes=num_nodes)
    g.ndata["h"] = torch.randn(num_nodes, 3, generator=generator)
    g.edata["w"] = torch.randn(num_edges, generator=generator)
    return g


def dressed(g: gs.Graph) -> gs.Graph:
    for ntype in g.srctypes:
        g.srcnodes[ntype].data["h"] = torch.randn(g.num_src_nodes(ntype), 2)
    for ntype in g.dsttypes:
        g.dstnodes[ntype].data["h"] = torch.randn(g.num_dst_nodes(ntype), 2)
    for etype in g.canonical_etypes:
        g.edges[etype].data["w"] = torch.randn(g.num_edges(etype))
    return g


def test_a_batch_is_networkx_s_disjoint_union() -> None:
    graphs = [molecule(seed) for seed in range(20)]
    oracle = nx.disjoint_union_all(
        [nx.empty_graph(g.num_nodes(), create_using=nx.MultiDiGraph) for g in graphs]
    )
    offset = 0
    for g in graphs:
        u, v = (ids.tolist() for ids in g.edges())
        oracle.add_edges_from((a + offset, b + offset) for a, b in zip(u, v, strict=True))
        offset += g.num_nodes()
    bg = gs.batch(graphs)

    assert bg.num_nodes() == oracle.number_of_nodes()
    found = sorted(zip(*(ids.tolist() for ids in bg.edges()), strict=True))
    assert found == sorted(oracle.edges())
    assert bg.batch_num_nodes().tolist() == [g.num_nodes() for g in graphs]
    assert bg.batch_num_edges().tolist() == [g.num_edges() for g in graphs]
    assert bg.batch_size == 20
    assert_tensor_equal(bg.ndata["h"], torch.cat([g.ndata["h"] for g in graphs]))
    assert_tensor_equal(bg.edata["w"], torch.cat([g.edata["w"] for g in graphs]))


@pytest.mark.parametrize("case", graph_cases(exclude=("block", "heterogeneous_block")))
def test_unbatch_gives_the_graphs_back(case: GraphCase) -> None:
    graphs = [dressed(case()) for _ in range(3)]
    bg = gs.batch(graphs)
    assert_graph_valid(bg)
    flat = [part for g in graphs for part in gs.unbatch(g)]  # batches count as their graphs
    parts = gs.unbatch(bg)

    assert bg.batch_size == len(flat)
    for found, wanted in zip(parts, flat, strict=True):
        assert_graph_equal(found, wanted)
    for i, wanted in enumerate(flat):
        assert_graph_equal(gs.slice_batch(bg, i), wanted)
    assert_graph_equal(gs.slice_batch(bg, -1), flat[-1])


@pytest.mark.parametrize("case", [*graph_cases("block"), *graph_cases("heterogeneous_block")])
def test_blocks_are_batched_side_by_side(case: GraphCase) -> None:
    g = dressed(case())
    bg = gs.batch([g, g, g])

    assert_graph_valid(bg)
    assert bg.is_block and bg.batch_size == 3
    for etype in g.canonical_etypes:
        row, col = g.edges(etype=etype)
        num_src, num_dst = g.num_src_nodes(etype[0]), g.num_dst_nodes(etype[2])
        shift = torch.arange(3, dtype=row.dtype).repeat_interleave(row.numel())
        assert_tensor_equal(bg.edges(etype=etype)[0], row.repeat(3) + shift * num_src)
        assert_tensor_equal(bg.edges(etype=etype)[1], col.repeat(3) + shift * num_dst)
        assert bg.batch_num_edges(etype).tolist() == [g.num_edges(etype)] * 3
    for ntype in g.srctypes:
        assert bg.batch_num_nodes(ntype).tolist() == [g.num_src_nodes(ntype)] * 3
    with pytest.raises(gs.InvalidValueError, match="Batches of blocks cannot be split"):
        gs.unbatch(bg)
    with pytest.raises(gs.InvalidValueError, match="Batches of blocks cannot be split"):
        gs.slice_batch(bg, 0)


@pytest.mark.parametrize("idtype", [torch.int32, torch.int64])
def test_ten_thousand_graphs_there_and_back(idtype: torch.dtype) -> None:
    kinds = [molecule(seed, idtype) for seed in range(50)]
    graphs = [kinds[i % 50] for i in range(10_000)]
    bg = gs.batch(graphs)

    assert bg.batch_size == 10_000 and bg.idtype == idtype
    assert bg.num_edges() == sum(g.num_edges() for g in graphs)
    parts = gs.unbatch(bg)
    assert len(parts) == 10_000
    for i in (0, 1, 49, 5_000, 9_999):
        assert_graph_equal(parts[i], graphs[i])
    counts = np.array([[g.num_nodes(), g.num_edges()] for g in parts])
    np.testing.assert_array_equal(counts[:, 0], bg.batch_num_nodes().numpy())
    np.testing.assert_array_equal(counts[:, 1], bg.batch_num_edges().numpy())


def test_message_passing_on_a_batch_is_that_on_each_graph() -> None:
    fn = gs.function
    graphs = [molecule(seed) for seed in range(6)]
    bg = gs.batch(graphs)
    for g in (*graphs, bg):
        g.update_all(fn.u_mul_e("h", "w", "m"), fn.max("m", "out"))

    assert_tensor_equal(bg.ndata["out"], torch.cat([g.ndata["out"] for g in graphs]))


def test_gradients_flow_into_the_graphs() -> None:
    g = gs.graph(([0], [1]))
    g.ndata["h"] = torch.ones(2, requires_grad=True)
    bg = gs.batch([g, g])
    cotangent = torch.randn(4)
    (bg.ndata["h"] * cotangent).sum().backward()
    assert_tensor_equal(g.ndata["h"].grad, cotangent[:2] + cotangent[2:])

    part = gs.unbatch(bg)[1]
    (grad,) = torch.autograd.grad((part.ndata["h"] * cotangent[:2]).sum(), g.ndata["h"])
    assert_tensor_equal(grad, cotangent[:2])


def test_chosen_features_only() -> None:
    g = molecule(3)
    g.ndata["extra"] = torch.ones(g.num_nodes())

    assert list(gs.batch([g, g], ndata=["h"], edata=None).ndata) == ["h"]
    assert list(gs.batch([g, g], ndata=["h"], edata=None).edata) == []
    assert list(gs.batch([g, g], ndata=None).ndata) == []
    assert set(gs.batch([g, g], ndata=gs.ALL).ndata) == {"h", "extra"}


def test_graphs_without_nodes_need_no_features() -> None:
    with_nodes = gs.graph(([0], [1]))
    with_nodes.ndata["h"] = torch.ones(2)
    empty = gs.graph(([], []))

    for graphs in ([with_nodes, empty], [empty, with_nodes]):
        assert_tensor_equal(gs.batch(graphs).ndata["h"], torch.ones(2))
    assert gs.batch([empty, empty]).batch_num_nodes().tolist() == [0, 0]


def test_ids_in_the_batch_are_stored_on_request() -> None:
    bg = gs.batch([gs.graph(([0, 1], [1, 2])), gs.graph(([0], [1]))])
    part = gs.slice_batch(bg, 1, store_ids=True)

    assert part.ndata[gs.NID].tolist() == [3, 4]
    assert part.edata[gs.EID].tolist() == [2]
    assert gs.NID not in gs.slice_batch(bg, 1).ndata


def test_declared_sizes_take_any_graph_apart() -> None:
    g = gs.graph(([0, 1, 3], [1, 0, 4]), num_nodes=5)
    g.set_batch_num_nodes(torch.tensor([2, 3]))
    g.set_batch_num_edges(torch.tensor([2, 1]))
    parts = gs.unbatch(g)

    assert [part.edges()[1].tolist() for part in parts] == [[1, 0], [2]]
    again = gs.unbatch(gs.graph(g.edges(), num_nodes=5), torch.tensor([2, 3]), torch.tensor([2, 1]))
    for found, wanted in zip(again, parts, strict=True):
        assert_graph_equal(found, wanted)
    assert g.batch_size == 2 and g.local_var().batch_size == 2


def test_the_split_of_a_call_leaves_the_graph_alone() -> None:
    g = gs.graph(([0, 1], [1, 0]), num_nodes=4)
    assert len(gs.unbatch(g, torch.tensor([2, 2]), torch.tensor([2, 0]))) == 2
    assert g.batch_size == 1


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda g: gs.batch([]), gs.InvalidValueError, "no graph to batch; the list is empty"),
        (lambda g: gs.batch([g, 3]), gs.InvalidTypeError, "element 1 is of type int"),
        (
            lambda g: gs.batch([g, gs.heterograph({("a", "r", "b"): ([0], [1])})]),
            gs.InvalidValueError,
            "need the same types: graph 1 has",
        ),
        (
            lambda g: gs.batch([g, g.int()]),
            gs.InvalidValueError,
            "same id type: graph 1 has torch.int32, graph 0 has torch.int64",
        ),
        (
            lambda g: gs.batch([g, g.to("meta")]),
            gs.InvalidValueError,
            "device: graph 1 has meta",
        ),
        (
            lambda g: gs.batch([g, gs.graph(([0], [1]))]),
            gs.InvalidValueError,
            r"same features on node type '_N': graph 1 has \[\], expected \['h'\]. Choose features",
        ),
        (lambda g: gs.batch([g, g], ndata=["x"]), gs.InvalidValueError, r"expected \['x'\]"),
        (
            lambda g: gs.batch([g, wide()]),
            gs.InvalidValueError,
            r"'h' on node .* graph 1 has \(\(2",
        ),
        (lambda g: gs.unbatch(3), gs.InvalidTypeError, "unbatch takes a graph, got int"),
        (
            lambda g: gs.unbatch(g, torch.tensor([1, 1]), torch.tensor([1, 0])),
            gs.InvalidValueError,
            "An edge joins two graphs",
        ),
        (
            lambda g: gs.unbatch(g, torch.tensor([1, 1]), torch.tensor([1])),
            gs.InvalidValueError,
            r"disagree on the number of graphs: \[2\] and \[1\]",
        ),
        (
            lambda g: gs.unbatch(g, torch.tensor([1, 2]), torch.tensor([1, 0])),
            gs.InvalidValueError,
            "Batch sizes of '_N' add up to 3, but there are 2",
        ),
        (
            lambda g: g.set_batch_num_nodes({"x": torch.tensor([2])}),
            gs.InvalidValueError,
            r"needed for \['_N'\], got \['x'\]",
        ),
        (
            lambda g: g.set_batch_num_nodes(torch.tensor([3, -1])),
            gs.InvalidValueError,
            "cannot be negative",
        ),
        (
            lambda g: g.set_batch_num_nodes(torch.tensor([1.0, 1.0])),
            gs.InvalidTypeError,
            "batch sizes must be integers",
        ),
        (lambda g: gs.slice_batch(g, 1), gs.OutOfRangeError, "no graph 1 in a batch of 1"),
        (lambda g: gs.slice_batch(g, -2), gs.OutOfRangeError, "no graph -2 in a batch of 1"),
        (lambda g: gs.slice_batch(g, "x"), gs.InvalidTypeError, "an int, got 'x'"),
    ],
)
def test_wrong_batches(make, error, message) -> None:
    g = gs.graph(([0], [1]))
    g.ndata["h"] = torch.ones(2)
    with pytest.raises(error, match=message):
        make(g)


def wide() -> gs.Graph:
    g = gs.graph(([0], [1]))
    g.ndata["h"] = torch.ones(2, 2)
    return g


def test_sizes_of_several_types_come_as_a_dict() -> None:
    g = gs.heterograph({("a", "r", "b"): ([0], [1])})
    with pytest.raises(gs.InvalidTypeError, match=r"are a dict over \['a', 'b'\]"):
        g.set_batch_num_nodes(torch.tensor([1]))
    with pytest.raises(gs.InvalidValueError, match=r"needed for \['a', 'b'\], got \['a'\]"):
        g.set_batch_num_nodes({"a": torch.tensor([1])})
    g.set_batch_num_nodes({"a": torch.tensor([1, 0]), "b": torch.tensor([2, 0])})
    g.set_batch_num_edges(torch.tensor([1, 0]))
    assert [part.num_nodes() for part in gs.unbatch(g)] == [3, 0]


def test_slices_through_edges_are_refused() -> None:
    g = gs.graph(([0, 1, 2], [1, 2, 0]))
    g.set_batch_num_nodes(torch.tensor([2, 1]))
    g.set_batch_num_edges(torch.tensor([1, 2]))
    assert gs.slice_batch(g, 0).edges()[1].tolist() == [1]
    with pytest.raises(gs.InvalidValueError, match="An edge joins two graphs"):
        gs.slice_batch(g, 1)
