"""Graphs travel: pickles, copies, worker processes, shared memory."""

from __future__ import annotations

import copy
import io
import pickle

import pytest
import torch
from torch.utils.data import DataLoader

import gossamer as gs
from helpers.compare import assert_graph_equal, assert_tensor_equal
from helpers.graphs import GraphCase, graph_cases
from helpers.workers import aggregate_in_worker, ones_initializer

TRAVELS = {
    "pickle": lambda g: pickle.loads(pickle.dumps(g)),
    "old pickle": lambda g: pickle.loads(pickle.dumps(g, protocol=2)),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "clone": lambda g: g.clone(),
    "torch.save": lambda g: torch_round_trip(g),
}


def torch_round_trip(g: gs.Graph) -> gs.Graph:
    buffer = io.BytesIO()
    torch.save(g, buffer)
    buffer.seek(0)
    return torch.load(buffer, weights_only=False)


def dressed(g: gs.Graph) -> gs.Graph:
    for ntype in g.srctypes:
        g.srcnodes[ntype].data["h"] = torch.randn(g.num_src_nodes(ntype), 2)
    for etype in g.canonical_etypes:
        g.edges[etype].data["w"] = torch.randn(g.num_edges(etype))
    return g


@pytest.mark.parametrize("travel", TRAVELS)
@pytest.mark.parametrize("case", graph_cases())
def test_what_arrives_is_what_was_sent(case: GraphCase, travel: str) -> None:
    g = dressed(case())
    assert_graph_equal(TRAVELS[travel](g), g)


@pytest.mark.parametrize("fmt", ["coo", "csr", "csc"])
def test_a_restricted_graph_arrives_with_its_format(fmt: str) -> None:
    g = gs.graph(([2, 0, 1, 2], [1, 1, 0, 1])).formats(fmt)
    arrived = pickle.loads(pickle.dumps(g))

    assert arrived.formats() == g.formats() == {"created": [fmt], "not created": []}
    assert_graph_equal(arrived, g)


def test_one_format_travels_and_caches_do_not() -> None:
    generator = torch.Generator().manual_seed(0)
    ends = torch.randint(0, 1000, (2, 20_000), generator=generator)
    g = gs.graph((ends[0], ends[1]))
    small = len(pickle.dumps(g))
    g.create_formats_()
    g.in_degrees(), g.is_multigraph, g.has_edges_between(0, 1)

    assert len(pickle.dumps(g)) <= small + 1000
    assert pickle.loads(pickle.dumps(g)).formats()["created"] == ["coo"]


def test_a_pickled_part_does_not_drag_its_graph_along() -> None:
    g = gs.graph((torch.arange(5_000), torch.arange(1, 5_001)))
    g.ndata["h"] = torch.ones(5_001, 100)
    g.edata["w"] = torch.ones(5_000, 100)
    g.remove_nodes(torch.arange(10, 5_001))

    assert len(pickle.dumps(g)) < 30_000
    assert_graph_equal(pickle.loads(pickle.dumps(g)), g)


def test_a_pickled_member_of_a_batch_does_not_drag_the_batch_along() -> None:
    member = gs.graph(([0, 1], [1, 2]))
    member.ndata["h"] = torch.ones(3, 4)
    bg = gs.batch([member] * 2_000)

    for part in (gs.unbatch(bg)[7], gs.slice_batch(bg, 7)):
        assert len(pickle.dumps(part)) < 5_000
        assert_graph_equal(pickle.loads(pickle.dumps(part)), member)


def test_deepcopy_copies_features_and_shares_structure() -> None:
    g = dressed(gs.graph(([0], [1])))
    other = copy.deepcopy(g)
    other.ndata["h"].zero_()
    other.add_nodes(1)

    assert g.num_nodes() == 2 and bool(g.ndata["h"].any())
    assert copy.deepcopy(g).adjacency is g.adjacency, "which never changes"


def test_deepcopy_of_a_structure_that_holds_a_graph_twice() -> None:
    g = gs.graph(([0], [1]))
    first, second = copy.deepcopy([g, g])

    assert first is second and first is not g


def test_graphs_are_equal_to_themselves_alone_and_can_be_keys() -> None:
    g = gs.graph(([0], [1]))

    assert g == g and g != gs.graph(([0], [1])) and g != g.clone()
    assert {g: "value"}[g] == "value" and len({g, g.clone()}) == 2


def test_initializers_travel() -> None:
    g = gs.graph(([0], [1]))
    g.ndata["h"] = torch.zeros(2)
    g.set_n_initializer(ones_initializer)
    arrived = pickle.loads(pickle.dumps(g))
    arrived.add_nodes(1)

    assert_tensor_equal(arrived.ndata["h"], torch.tensor([0.0, 0.0, 1.0]))


# --- worker processes ----------------------------------------------------------------------------


def sent() -> list[gs.Graph]:
    """Graphs of one kind with features, one of them without nodes."""
    ends = [([0, 1, 2], [1, 2, 0]), ([0], [3]), ([], []), ([1, 1], [0, 1])]
    return [dressed(gs.graph(pair, idtype=torch.int32)) for pair in ends]


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_loader_workers_collate_with_batch(method: str) -> None:
    graphs = sent()
    loader = DataLoader(
        graphs,
        batch_size=2,
        collate_fn=gs.batch,
        num_workers=1,
        multiprocessing_context=method,
        timeout=120,
    )
    received = list(loader)

    assert [bg.batch_size for bg in received] == [2, 2]
    for bg, pair in zip(received, (graphs[:2], graphs[2:]), strict=True):
        assert_graph_equal(bg, gs.batch(pair))
        for found, wanted in zip(gs.unbatch(bg), pair, strict=True):
            assert_graph_equal(found, wanted)


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_every_kind_of_graph_passes_through_a_worker(method: str) -> None:
    graphs = [dressed(case.values[0]()) for case in graph_cases()]
    loader = DataLoader(
        graphs,
        batch_size=None,
        num_workers=1,
        multiprocessing_context=method,
        timeout=120,
    )
    for found, wanted in zip(loader, graphs, strict=True):
        tensors = [tensor for a in found.relations for tensor in a.tensors()]
        assert all(tensor.is_shared() for tensor in tensors if tensor.numel())
        assert_graph_equal(found, wanted)


def test_forked_workers_pass_messages_after_the_parent_did() -> None:
    """Threads that the parent started do not exist in the child: nothing may wait for them."""
    torch.set_num_threads(2)
    n = 20_000
    g = gs.graph((torch.arange(n), torch.arange(1, n + 1) % n))
    g.ndata["h"] = torch.randn(n, 16)
    wanted = aggregate_in_worker([g])
    loader = DataLoader(
        [g] * 4,
        batch_size=1,
        collate_fn=aggregate_in_worker,
        num_workers=2,
        multiprocessing_context="fork",
        timeout=120,
    )
    for found in loader:
        assert_tensor_equal(found, wanted)


def test_shared_memory_is_seen_by_both() -> None:
    g = gs.graph(([0, 1], [1, 2]))
    g.ndata["h"] = torch.zeros(3)
    shared = g._apply(lambda tensor: tensor.share_memory_())

    assert shared.ndata["h"].is_shared() and shared.adjacency.coo()[0].is_shared()
    assert_graph_equal(shared, g)


def test_sparse_features_travel() -> None:
    g = gs.graph(([0, 1], [1, 0]))
    g.ndata["h"] = torch.eye(2).to_sparse()
    assert pickle.loads(pickle.dumps(g)).ndata["h"].to_dense().tolist() == [[1, 0], [0, 1]]
