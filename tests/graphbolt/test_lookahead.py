"""Reading ahead: the same features, Belady's choice in the cache, and fewer reads than LRU."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
import torch

import gossamer.graphbolt as gb
from gossamer import FileError, InvalidValueError, OutOfRangeError
from gossamer.graphbolt import lookahead
from gossamer.graphbolt.lookahead import PlannedFeature

NODES, EDGES = 300, 3000


@pytest.fixture
def feature(tmp_path: Path) -> gb.DiskBasedFeature:
    np.save(tmp_path / "x.npy", np.arange(NODES * 3, dtype=np.float32).reshape(NODES, 3))
    return gb.DiskBasedFeature(tmp_path / "x.npy")


def _graph() -> gb.FusedCSCSamplingGraph:
    torch.manual_seed(0)
    dst = torch.randint(0, NODES, (EDGES,)).sort().values
    indptr = torch.cat([torch.zeros(1, dtype=torch.int64), torch.bincount(dst, minlength=NODES)])
    src = (torch.rand(EDGES) ** 3 * NODES).long()
    graph = gb.fused_csc_sampling_graph(indptr.cumsum(0), src)
    graph.add_edge_attribute(gb.ORIGINAL_EDGE_ID, torch.arange(EDGES) % NODES)
    return graph


def _batches(store: gb.FeatureStore, ahead: int, batches: int = 20) -> tuple[list, object]:
    pipe = gb.ItemSampler(gb.ItemSet(batches * 4, "seeds"), 4, shuffle=True, seed=3)
    pipe = pipe.sample_neighbor(_graph(), [3, 3]).fetch_feature(
        store, ["x"], ["w"], lookahead=ahead
    )
    return list(gb.DataLoader(pipe)), pipe


def test_a_feature_with_fewer_rows_than_nodes(feature) -> None:
    store = gb.BasicFeatureStore({("node", None, "x"): feature})
    for ahead in (0, 4):
        pipe = gb.ItemSampler(gb.ItemSet(torch.tensor([NODES]), "seeds"), 1)
        graph = gb.fused_csc_sampling_graph(torch.zeros(NODES + 2).long(), torch.tensor([]).long())
        pipe = pipe.sample_neighbor(graph, [1]).fetch_feature(store, ["x"], lookahead=ahead)
        with pytest.raises(OutOfRangeError, match=f"Ids from {NODES} to {NODES} were asked of"):
            list(pipe)


@pytest.mark.parametrize("rows", [1, 20, 1000])
@pytest.mark.parametrize("ahead", [1, 6, 7, 64])
def test_batches_are_the_same(tmp_path: Path, feature, rows: int, ahead: int) -> None:
    store = gb.BasicFeatureStore(
        {
            ("node", None, "x"): gb.cpu_cached_feature(feature, rows * 12, "lru"),
            ("edge", None, "w"): feature,
        }
    )
    expected = _batches(store, 0)[0]
    found, pipe = _batches(store, ahead)
    assert len(found) == len(expected) == 20
    for one, other in zip(found, expected, strict=True):
        assert torch.equal(one.input_nodes, other.input_nodes)
        assert torch.equal(one.node_features["x"], other.node_features["x"])
        for layer, features in enumerate(other.edge_features):
            assert torch.equal(one.edge_features[layer]["w"], features["w"])
    assert set(pipe.miss_rates) == {("node", None, "x"), ("edge", None, "w")}
    assert 0 < pipe.miss_rates["node", None, "x"] <= 1
    assert [path.name for path in tmp_path.iterdir()] == ["x.npy"]


def test_stopping_early_and_further_epochs(feature) -> None:
    store = gb.BasicFeatureStore({("node", None, "x"): gb.cpu_cached_feature(feature, 40 * 12)})
    pipe = gb.ItemSampler(gb.ItemSet(80, "seeds"), 4, shuffle=True)
    pipe = pipe.sample_neighbor(_graph(), [3, 3]).fetch_feature(store, ["x"], lookahead=4)
    loader = gb.DataLoader(pipe)
    for stop in (3, None, 9, None, None):
        for batch in itertools.islice(loader, stop):
            assert torch.equal(batch.node_features["x"][:, 0], 3.0 * batch.input_nodes)


def test_types_and_features_in_memory(feature) -> None:
    graph = gb.fused_csc_sampling_graph(
        torch.tensor([0, 2, 4, 4]),
        torch.tensor([1, 2, 0, 2]),
        node_type_offset=torch.tensor([0, 2, 3]),
        type_per_edge=torch.tensor([0, 1, 0, 1]),
        node_type_to_id={"a": 0, "b": 1},
        edge_type_to_id={"a:r:a": 0, "b:s:a": 1},
    )
    store = gb.BasicFeatureStore(
        {("node", "a", "x"): feature, ("node", "b", "y"): gb.TorchBasedFeature(torch.ones(1, 1))}
    )
    pipe = gb.ItemSampler(gb.HeteroItemSet({"a": gb.ItemSet(2, "seeds")}), 1)
    pipe = pipe.sample_neighbor(graph, [-1])
    pipe = pipe.fetch_feature(store, {"a": ["x"], "b": ["y"]}, lookahead=2)
    for batch in pipe:
        x = batch.node_features["a", "x"]
        assert torch.equal(x[:, 0], 3.0 * batch.input_nodes["a"])
        assert batch.node_features["b", "y"].tolist() == [[1]]
    assert set(pipe.miss_rates) == {("node", "a", "x")}


def _fewest_misses(rows: list[int], capacity: int) -> int:
    """Belady's rule, written down: of those kept and the new one, the latest needed goes."""
    kept: set[int] = set()
    misses = 0
    for at, row in enumerate(rows):
        later = rows[at + 1 :]
        misses += row not in kept
        kept.add(row)
        if len(kept) > capacity:
            kept.remove(max(kept, key=lambda r: later.index(r) if r in later else len(rows)))
    return misses


@pytest.mark.parametrize("capacity", [1, 3, 10, 40])
def test_misses_are_the_fewest_possible(feature, capacity: int) -> None:
    torch.manual_seed(capacity)
    rows = (torch.rand(400) ** 2 * 60).long()
    planned = PlannedFeature(feature, capacity)
    window = list(rows.split(1))
    for ids, batch in zip(window, planned.prepare(window, []), strict=True):
        assert torch.equal(planned.collect(batch)[:, 0], 3.0 * ids)
    assert planned.total_miss == _fewest_misses(rows.tolist(), capacity)
    assert planned.total_queries == 400


@pytest.mark.parametrize(
    ("shape", "dtype"), [((5,), "u1"), ((3,), "i2"), ((2,), "f8"), ((), "f4"), ((0,), "f4")]
)
def test_rows_of_any_width(tmp_path: Path, shape: tuple[int, ...], dtype: str) -> None:
    values = np.random.default_rng(0).integers(0, 100, (NODES, *shape)).astype(dtype)
    np.save(tmp_path / "wide.npy", values)
    feature = gb.DiskBasedFeature(tmp_path / "wide.npy")
    plan = PlannedFeature(feature, 3)
    batches = [torch.tensor(ids) for ids in ([0, 5, 5, 2], [5, 9, 0], [1, 0])]
    for ids, batch in zip(batches, plan.prepare(batches, []), strict=True):
        assert torch.equal(plan.collect(batch), feature.read(ids))


def test_fewer_misses_than_lru(feature) -> None:
    rates = {}
    for ahead in (0, 16):
        cached = gb.cpu_cached_feature(feature, 60 * 12, "lru")
        store = gb.BasicFeatureStore({("node", None, "x"): cached, ("edge", None, "w"): feature})
        pipe = _batches(store, ahead)[1]
        rates[ahead] = pipe.miss_rates["node", None, "x"] if ahead else cached.miss_rate
    assert rates[16] < 0.8 * rates[0]


def test_rows_in_a_temporary_file(feature, monkeypatch) -> None:
    monkeypatch.setattr(lookahead, "_STEP", 7)
    planned = PlannedFeature(feature, 2)
    window = [torch.randint(0, NODES, (50,)) for _ in range(4)]  # some rows twice
    for ids, batch in zip(window, planned.prepare(window, []), strict=True):
        assert torch.equal(planned.collect(batch)[:, 0], 3.0 * ids)


def test_a_disk_without_room_for_the_rows(feature, monkeypatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(lookahead.os, "posix_fallocate", fail, raising=False)
    with pytest.raises(FileError, match=r"Cannot lay out 1 MB .*No space left on device"):
        lookahead._room(1000, 1000, 10, feature)


def test_wrong_numbers(feature) -> None:
    store = gb.BasicFeatureStore({("node", None, "x"): feature})
    pipe = gb.ItemSampler(gb.ItemSet(8, "seeds"), 4)
    with pytest.raises(InvalidValueError, match="lookahead"):
        pipe.fetch_feature(store, ["x"], lookahead=-1)
