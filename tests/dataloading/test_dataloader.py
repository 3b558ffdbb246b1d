"""Loaders: the order of items, workers and threads, features that are fetched, and failures."""

from __future__ import annotations

import gc
import os
import signal
import threading

import pytest
import torch

import gossamer as gs
from gossamer.dataloading import (
    BlockSampler,
    DataLoader,
    DistDataLoader,
    DistEdgeDataLoader,
    DistNodeDataLoader,
    LaborSampler,
    LazyFeature,
    NeighborSampler,
    Sampler,
    as_edge_prediction_sampler,
    negative_sampler,
)
from gossamer.dataloading._batches import Batches, Items, Share
from helpers.compare import assert_graph_equal, assert_tensor_equal
from helpers.shared_memory import left_files, nothing_left
from helpers.workers import children

pytestmark = pytest.mark.filterwarnings(
    "ignore:This process .* is multi-threaded:DeprecationWarning"
)


class Echo(Sampler):
    """Gives the batch itself."""

    def sample(self, g: gs.Graph, indices):
        return indices


def graph(nodes: int = 40, edges: int = 400) -> gs.Graph:
    generator = torch.Generator().manual_seed(3)
    g = gs.graph(torch.randint(nodes, (2, edges), generator=generator), num_nodes=nodes)
    g.ndata["x"] = torch.rand(nodes, 3, generator=generator)
    g.edata["w"] = torch.rand(edges, generator=generator)
    return g


def hetero() -> gs.Graph:
    return gs.heterograph(
        {
            ("a", "r", "b"): ([0, 1, 2, 3], [0, 1, 1, 2]),
            ("b", "s", "a"): ([0, 1, 1, 2], [0, 1, 2, 3]),
        }
    )


# --- items --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "indices",
    [torch.arange(7), list(range(7)), range(7), torch.arange(7).numpy(), torch.arange(40) < 7],
    ids=["tensor", "list", "range", "array", "mask"],
)
def test_batches_in_order(indices) -> None:
    loader = DataLoader(graph(), indices, Echo(), batch_size=3)
    assert [batch.tolist() for batch in loader] == [[0, 1, 2], [3, 4, 5], [6]]
    assert len(loader) == 3
    short = DataLoader(graph(), indices, Echo(), batch_size=3, drop_last=True)
    assert [batch.tolist() for batch in short] == [[0, 1, 2], [3, 4, 5]]
    assert len(short) == 2


def test_each_epoch_has_another_order_which_a_seed_repeats() -> None:
    loader = DataLoader(graph(), torch.arange(20), Echo(), batch_size=6, shuffle=True)

    def epochs() -> list[list[int]]:
        gs.seed(3)
        return [torch.cat(list(loader)).tolist() for _ in range(3)]

    first = epochs()
    assert all(sorted(epoch) == list(range(20)) for epoch in first)
    assert len({tuple(epoch) for epoch in first}) == 3
    assert epochs() == first


def test_batches_of_several_types() -> None:
    indices = {"a": torch.tensor([3, 1]), "b": [0, 2]}
    batches = list(DataLoader(hetero(), indices, Echo(), batch_size=3))
    assert [{k: v.tolist() for k, v in batch.items()} for batch in batches] == [
        {"a": [3, 1], "b": [0]},
        {"b": [2]},
    ]
    edges = {("a", "r", "b"): torch.arange(3)}
    (batch,) = DataLoader(hetero(), edges, Echo(), batch_size=9)
    assert batch[("a", "r", "b")].tolist() == [0, 1, 2]
    small = {"a": torch.tensor([3, 1], dtype=torch.int32), "b": torch.tensor([0]).int()}
    (batch,) = DataLoader(hetero().int(), small, Echo(), batch_size=9)
    assert {name: ids.dtype for name, ids in batch.items()} == {"a": torch.int32, "b": torch.int32}
    sampler = NeighborSampler([2])
    for inputs, outputs, _ in DataLoader(hetero(), indices, sampler, batch_size=2):
        assert set(inputs) == {"a", "b"}
        assert set(outputs) <= {"a", "b"}


@pytest.mark.parametrize("name", ["sampler", "batch_sampler", "collate_fn"])
def test_arguments_that_the_loader_decides_may_be_none(name: str) -> None:
    loader = DataLoader(graph(), [3, 1, 2], Echo(), batch_size=2, **{name: None})
    assert len(list(loader)) == 2


def test_no_items_and_items_that_are_no_ids() -> None:
    assert list(DataLoader(graph(), [], Echo(), batch_size=3)) == []
    words = DataLoader(graph(), ["a", "b", "c"], Echo(), batch_size=2)
    assert list(words) == [["a", "b"], ["c"]]


# --- workers and threads ------------------------------------------------------------------------


def drawn(sampler, g: gs.Graph | None = None, **options) -> list:
    gs.seed(11)
    g = graph() if g is None else g
    loader = DataLoader(g, torch.arange(20), sampler, batch_size=8, shuffle=True, **options)
    return [batch for _ in range(2) for batch in loader]


def assert_same_blocks(mine: list, theirs: list) -> None:
    assert len(mine) == len(theirs) == 6
    for (inputs, outputs, blocks), (i, o, expected) in zip(mine, theirs, strict=True):
        assert_tensor_equal(inputs, i)
        assert_tensor_equal(outputs, o)
        for block, wanted in zip(blocks, expected, strict=True):
            assert_graph_equal(block, wanted)


@pytest.mark.parametrize("make", [NeighborSampler, LaborSampler], ids=["neighbor", "labor"])
def test_a_batch_is_the_same_whoever_draws_it(make) -> None:
    sampler = make([3, 2])
    expected = drawn(sampler)
    assert_same_blocks(drawn(sampler, use_prefetch_thread=True), expected)
    for options in ({"num_workers": 1}, {"num_workers": 2, "persistent_workers": True}):
        assert_same_blocks(drawn(sampler, **options), expected)


def test_workers_that_are_started_anew() -> None:
    sampler = NeighborSampler([3, 2], prob="w")
    found = []
    for options in ({}, {"num_workers": 1, "multiprocessing_context": "spawn"}):
        gs.seed(11)
        found.append(list(DataLoader(graph(), torch.arange(9), sampler, batch_size=3, **options)))
    for batch, wanted in zip(*found, strict=True):
        for block, expected in zip(batch[2], wanted[2], strict=True):
            assert_graph_equal(block, expected)


def test_workers_and_a_thread_together_and_edges() -> None:
    sampler = as_edge_prediction_sampler(
        NeighborSampler([3]), exclude="self", negative_sampler=negative_sampler.Uniform(2)
    )
    expected = drawn(sampler)
    for batch, wanted in zip(
        drawn(sampler, num_workers=1, use_prefetch_thread=True), expected, strict=True
    ):
        for mine, theirs in zip(batch[1:3], wanted[1:3], strict=True):
            assert_graph_equal(mine, theirs)
        assert_graph_equal(batch[3][0], wanted[3][0])


def test_features_do_not_travel_but_are_read_from_the_graph() -> None:
    g = graph()
    ((_, _, (block,)),) = DataLoader(g, [3, 4], NeighborSampler([2]), batch_size=2, num_workers=1)
    g.ndata["x"].zero_()  # what the loader gave is read now
    assert not bool(block.srcdata["x"].any())
    assert_tensor_equal(block.edata["w"], g.edata["w"][block.edata[gs.EID]])


def test_leaving_the_loop_stops_workers_and_threads() -> None:
    before = threading.active_count()
    for options in ({"num_workers": 2}, {"use_prefetch_thread": True}):
        loader = DataLoader(graph(), torch.arange(40), NeighborSampler([3]), **options)
        for _ in loader:
            break
        with pytest.raises(ZeroDivisionError):
            for _ in loader:
                1 / 0  # noqa: B018
    del loader, _
    gc.collect()
    assert not children()
    assert threading.active_count() <= before


class Killed(BlockSampler):
    """Kills the process that draws the third batch."""

    def sample(self, g: gs.Graph, indices):
        if int(indices[0]) == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return indices


# What torch's loader cleans up when it is dropped may fail for a worker that is gone.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("options", [{}, {"use_prefetch_thread": True}])
def test_a_worker_that_is_killed_is_an_error(options) -> None:
    before = left_files()
    loader = DataLoader(graph(), torch.arange(9), Killed(), num_workers=1, **options)
    with pytest.raises(gs.GossamerError, match="worker process of the loader died"):
        list(loader)
    gc.collect()
    assert not children()
    assert nothing_left(before)


class Broken(Sampler):
    def sample(self, g: gs.Graph, indices):
        raise gs.InvalidValueError("no such luck")


@pytest.mark.parametrize("options", [{}, {"num_workers": 1}, {"use_prefetch_thread": True}])
def test_errors_of_the_sampler_come_out(options) -> None:
    with pytest.raises(gs.InvalidValueError, match="no such luck"):
        list(DataLoader(graph(), [0], Broken(), **options))
    gc.collect()
    assert not children()


def test_cores_of_workers() -> None:
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0]
    if len(cores) < 2:
        pytest.skip("there is one core only")
    loader = DataLoader(graph(), torch.arange(4), Where(), num_workers=1)
    threads = torch.get_num_threads()
    with loader.enable_cpu_affinity(loader_cores=[cores[1]], verbose=False):
        assert sorted(os.sched_getaffinity(0)) == [c for c in cores if c != cores[1]]
        assert {tuple(where) for where in loader} == {(cores[1],)}
    assert sorted(os.sched_getaffinity(0)) == cores
    assert torch.get_num_threads() == threads


class Where(Sampler):
    def sample(self, g: gs.Graph, indices):
        return sorted(os.sched_getaffinity(0))


# --- shares of several processes ----------------------------------------------------------------


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("drop_last", [False, True])
def test_processes_share_the_items(shuffle: bool, drop_last: bool) -> None:
    parts = []
    for rank in range(3):
        share = Share(rank, 3)
        batches = Batches(Items(torch.arange(20), "t"), 4, shuffle, drop_last, share, "t")
        batches.start(0, 5)
        parts.append([batch.ids.tolist() for batch in batches])
        assert len(batches) == len(parts[-1])
    assert len({len(part) for part in parts}) == 1
    flat = [i for part in parts for batch in part for i in batch]
    if drop_last:
        assert len(flat) == len(set(flat)) == 12
    else:
        assert set(flat) == set(range(20))
        assert len(flat) == 21


def test_use_ddp_takes_the_share_of_torch_distributed(monkeypatch) -> None:
    monkeypatch.setattr(Share, "of_this_process", classmethod(lambda cls: cls(1, 2)))
    options = {"batch_size": 3, "use_ddp": True, "ddp_seed": 4, "shuffle": True}
    loader = DataLoader(graph(), torch.arange(10), Echo(), **options)
    first, second = ([b.tolist() for b in loader] for _ in range(2))
    assert first != second
    loader.set_epoch(0)
    gs.seed(99)  # does not decide the order
    assert [b.tolist() for b in loader] == first
    assert len(loader) == len(first) == 2


# --- features that are fetched ------------------------------------------------------------------


@pytest.mark.parametrize("options", [{}, {"num_workers": 1}, {"use_prefetch_thread": True}])
def test_features_to_prefetch(options) -> None:
    g = graph()
    sampler = NeighborSampler(
        [2, 2],
        prefetch_node_feats=["x", "far"],
        prefetch_labels=["x"],
        prefetch_edge_feats=["w"],
    )
    blocks = sampler.sample(g, torch.tensor([1, 2]))[2]
    assert isinstance(blocks[0].srcdata["x"], LazyFeature)
    loader = DataLoader(g, torch.tensor([5, 7, 9]), sampler, batch_size=2, **options)
    far = torch.arange(40) * 2
    loader.attach_data("far", far)
    for inputs, outputs, blocks in loader:
        assert_tensor_equal(blocks[0].srcdata["x"], g.ndata["x"][inputs])
        assert_tensor_equal(blocks[0].srcdata["far"], far[inputs])
        assert_tensor_equal(blocks[-1].dstdata["x"], g.ndata["x"][outputs])
        for block in blocks:
            assert_tensor_equal(block.edata["w"], g.edata["w"][block.edata[gs.EID]])


def test_features_of_several_types_and_by_another_name() -> None:
    g = hetero()
    g.nodes["a"].data["x"] = torch.arange(4.0)
    g.edges["r"].data["y"] = torch.arange(4.0)
    sampler = NeighborSampler(
        [2], prefetch_node_feats={"a": ["x"]}, prefetch_edge_feats={"r": ["y"]}
    )
    ((inputs, _, (block,)),) = DataLoader(g, {"b": [1, 2]}, sampler, batch_size=2)
    assert_tensor_equal(block.srcnodes["a"].data["x"], inputs["a"].float())
    eids = block.edges["r"].data[gs.EID]
    assert_tensor_equal(block.edges["r"].data["y"], eids.float())

    class Renamed(Sampler):
        def sample(self, g: gs.Graph, indices):
            sub = g.edge_type_subgraph(["r"]).subgraph({"a": indices, "b": []})
            sub.nodes["a"].data["z"] = LazyFeature("x", torch.tensor([3, 3]))
            return {"sub": [sub]}

    (batch,) = DataLoader(g, [0, 1], Renamed(), batch_size=2)
    assert batch["sub"][0].nodes["a"].data["z"].tolist() == [3.0, 3.0]


def test_blocks_with_features_to_fetch_can_be_shown_and_pickled() -> None:
    sampler = NeighborSampler([2], prefetch_node_feats=["x"])
    block = sampler.sample(graph(), torch.tensor([0]))[2][0]
    assert "x" in repr(block)
    assert isinstance(block.to("cpu").srcdata["x"], LazyFeature)


class Stored:
    """Features that are somewhere else."""

    def fetch(self, ids: torch.Tensor, device: torch.device) -> torch.Tensor:
        return ids.double() / 2


def test_features_may_be_stored_anywhere() -> None:
    loader = DataLoader(graph(), [4], NeighborSampler([1], prefetch_labels=["y"]))
    loader.attach_data("y", Stored())
    assert next(iter(loader))[2][0].dstdata["y"].tolist() == [2.0]


# --- loaders with DGL's arguments for distributed graphs ------------------------------------------


def test_loaders_of_a_part_of_a_graph() -> None:
    g = graph()
    ids = DistDataLoader(torch.arange(5), 2, drop_last=True)
    assert [b.tolist() for b in ids] == [[0, 1], [2, 3]]
    assert len(ids) == 2
    gs.seed(0)
    shuffled = DistDataLoader(list(range(30)), 30, shuffle=True, collate_fn=torch.Tensor.tolist)
    assert sorted(*shuffled) == list(range(30)) != next(iter(shuffled))
    nodes = DistNodeDataLoader(g, torch.arange(6), NeighborSampler([2]), batch_size=4)
    assert [len(outputs) for _, outputs, _ in nodes] == [4, 2]
    edges = DistEdgeDataLoader(
        g,
        torch.arange(6),
        NeighborSampler([2]),
        batch_size=6,
        negative_sampler=negative_sampler.Uniform(2),
    )
    ((_, pairs, negatives, _),) = edges
    assert (pairs.num_edges(), negatives.num_edges()) == (6, 12)


# --- errors -------------------------------------------------------------------------------------

BAD = [
    (lambda g: DataLoader(g, [0], 3), gs.InvalidTypeError, "needs a method sample"),
    (lambda g: DataLoader(g, 3, Echo()), gs.InvalidTypeError, "ids, a dict of type to ids"),
    (lambda g: DataLoader(g, torch.ones(2), Echo()), gs.InvalidTypeError, "must be integers"),
    (
        lambda g: DataLoader(g, torch.ones(39).bool(), Echo()),
        gs.InvalidValueError,
        "each of 40 nodes or 400 edges, got 39",
    ),
    (
        lambda g: DataLoader(hetero(), {"a": torch.ones(3).bool().numpy()}, Echo()),
        gs.InvalidValueError,
        "each of 4 nodes, got 3",
    ),
    (lambda g: DataLoader(g, [0], Echo(), batch_size=0), gs.InvalidValueError, "at least 1, got 0"),
    (lambda g: DataLoader(g, [0], Echo(), batch_size=1.5), gs.InvalidTypeError, "is an int"),
    (lambda g: DataLoader(g, [0], Echo(), collate_fn=len), gs.InvalidTypeError, "decides collate"),
    (
        lambda g: DataLoader(g, [0], Echo(), use_uva=True),
        gs.InvalidValueError,
        "use_uva=True needs",
    ),
    (
        lambda g: DataLoader(g, [0], Echo(), pin_prefetcher=True),
        gs.InvalidValueError,
        "pin_prefetcher=True needs device='cuda', got device=None",
    ),
    (
        lambda g: DataLoader(g, [0], Echo(), use_ddp=True),
        gs.InvalidValueError,
        "needs torch.distributed",
    ),
    (
        lambda g: next(iter(DataLoader(g, [99], NeighborSampler([2])))),
        gs.OutOfRangeError,
        "Id 99 is not among",
    ),
    (
        lambda g: next(iter(DataLoader(g, [1], NeighborSampler([2], prefetch_labels=["no"])))),
        gs.UnknownKeyError,
        "the graph has only .*attach_data",
    ),
    (
        lambda g: DataLoader(g, [1], Echo()).enable_cpu_affinity().__enter__(),
        gs.InvalidValueError,
        "needs at least one worker",
    ),
    (lambda g: gs.set_node_lazy_features(3, ["x"]), gs.InvalidTypeError, "takes a graph"),
    (lambda g: gs.set_src_lazy_features(hetero(), ["x"]), gs.InvalidTypeError, "several node ty"),
    (lambda g: gs.set_edge_lazy_features(hetero(), ["x"]), gs.InvalidTypeError, "several edge ty"),
    (lambda g: gs.set_node_lazy_features(hetero(), {"z": []}), gs.UnknownKeyError, "type 'z'"),
]


@pytest.mark.parametrize(("call", "error", "text"), BAD)
def test_wrong_arguments(call, error: type, text: str) -> None:
    with pytest.raises(error, match=text):
        call(graph())
