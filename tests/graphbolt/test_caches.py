"""Cached features and features on disk."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch

import gossamer.graphbolt as gb
from gossamer import FileError, InvalidTypeError, InvalidValueError, OutOfRangeError, kernels
from gossamer.graphbolt.cache_policies import POLICIES, NativePolicy, ReferencePolicy


@pytest.mark.parametrize("policy", sorted(POLICIES))
@pytest.mark.parametrize("rows", [1, 2, 7, 64])
def test_every_policy_gives_the_rows_of_the_store(policy, rows) -> None:
    store = torch.arange(200.0).view(100, 2)
    slow = gb.TorchBasedFeature(store)
    feature = gb.cpu_cached_feature(slow, rows * 8, policy)
    generator = torch.Generator().manual_seed(rows)
    for _ in range(40):
        # Some ids come more often than others, and some twice in a batch.
        ids = (torch.rand(20, generator=generator) ** 3 * 100).long()
        assert torch.equal(feature.read(ids), store[ids])
    assert feature.cache_size_in_bytes == rows * 8
    assert 0 < feature.miss_rate <= 1


@pytest.mark.parametrize("policy", sorted(POLICIES))
def test_frequent_rows_stay(policy) -> None:
    slow = gb.TorchBasedFeature(torch.zeros(10_000, 1))
    feature = gb.cpu_cached_feature(slow, 100 * 4, policy)
    generator = torch.Generator().manual_seed(0)
    for _ in range(200):
        often = torch.randint(0, 50, (20,), generator=generator)
        once = torch.randint(50, 10_000, (5,), generator=generator)
        feature.read(torch.cat([often, once]))
    # Rows that are read often are four fifths of all; few of those reads should miss.
    assert feature.miss_rate < 0.35


@pytest.mark.skipif(kernels.native() is None, reason="needs the native core")
@pytest.mark.parametrize("policy", sorted(POLICIES))
@pytest.mark.parametrize("capacity", [1, 2, 9, 10, 57])
def test_native_policies_choose_as_the_reference(policy, capacity) -> None:
    generator = torch.Generator().manual_seed(capacity)
    native, reference = NativePolicy(policy, capacity), ReferencePolicy(policy, capacity)
    for _ in range(200):
        keys = (torch.rand(12, generator=generator) ** 3 * 150).long()
        slots = native.find(keys)
        assert torch.equal(slots, reference.find(keys))
        new = keys[slots < 0]
        assert torch.equal(native.insert(new), reference.insert(new))
    assert (pickle.loads(pickle.dumps(native)).find(keys) == -1).all()


def test_lru_drops_the_oldest() -> None:
    cache = gb.CPUFeatureCache((2, 1), torch.float32, "lru")
    cache.replace(torch.tensor([1, 2]), torch.ones(2, 1))
    cache.query(torch.tensor([1]))
    cache.replace(torch.tensor([3]), torch.ones(1, 1))
    assert cache.query(torch.tensor([1, 2, 3]))[1].tolist() == [1]


def test_features_of_one_shape_share_a_cache() -> None:
    features = {
        ("node", kind, "x"): gb.TorchBasedFeature(torch.full((4, 2), float(i)))
        for i, kind in enumerate("ab")
    }
    cached = gb.cpu_cached_feature(features, 128)
    for i, kind in enumerate("ab"):
        rows = cached["node", kind, "x"].read(torch.tensor([0, 3]))
        assert rows.unique().tolist() == [i]
    assert gb.gpu_cached_feature(features["node", "a", "x"], 64).read(torch.tensor([1])).sum() == 0


def test_writing_reaches_cache_and_store() -> None:
    slow = gb.TorchBasedFeature(torch.zeros(4, 1))
    feature = gb.cpu_cached_feature(slow, 16)
    feature.read(torch.arange(4))
    feature.update(torch.ones(1, 1), torch.tensor([2]))
    assert feature.read(torch.arange(4)).flatten().tolist() == [0, 0, 1, 0]
    assert slow.read().flatten().tolist() == [0, 0, 1, 0]


@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.int64])
@pytest.mark.parametrize("shape", [(3000,), (3000, 4), (3000, 2, 3)])
def test_rows_from_disk(tmp_path, dtype, shape) -> None:
    array = (np.arange(np.prod(shape)) % 1000).astype(dtype).reshape(shape)
    np.save(tmp_path / "x.npy", array)
    feature = gb.DiskBasedFeature(tmp_path / "x.npy", num_threads=3)
    expected = torch.from_numpy(array.reshape(3000, *(shape[1:] or (1,))))
    ids = torch.randint(0, 3000, (5000,), generator=torch.Generator().manual_seed(0))
    for own in (feature, pickle.loads(pickle.dumps(feature))):
        assert torch.equal(own.read(ids), expected[ids])
        assert torch.equal(next(own.read_async(ids[:0])).wait(), expected[:0])
    assert feature.count() == 3000
    assert feature.size() == expected.shape[1:]
    assert torch.equal(feature.read_into_memory().read().flatten(), expected.flatten())


def test_ids_of_another_feature_in_one_cache() -> None:
    cache = gb.CPUFeatureCache((8, 1), torch.float32)
    first, second = (gb.TorchBasedFeature(torch.full((4, 1), float(i))) for i in (1, 2))
    first = gb.CPUCachedFeature(first, cache, 0)
    second = gb.CPUCachedFeature(second, cache, 4)
    assert second.read(torch.tensor([0])).tolist() == [[2.0]]
    with pytest.raises(OutOfRangeError, match="Ids from 4 to 4 were asked of a feature, which has"):
        first.read(torch.tensor([4]))  # the key of the row above


def test_wrong_files_and_ids(tmp_path) -> None:
    path = tmp_path / "x.npy"
    np.save(path, np.zeros((5, 2)))
    feature = gb.DiskBasedFeature(path)
    with pytest.raises(OutOfRangeError, match="has 5 rows"):
        feature.read(torch.tensor([5]))
    for name, own in (
        ("x.npy", feature),
        ("a feature", gb.TorchBasedFeature(torch.zeros(5, 2))),
        ("a feature", gb.cpu_cached_feature(feature, 64)),
    ):
        with pytest.raises(OutOfRangeError, match=f"Ids from -1 to 5 .*{name}, which has 5 rows"):
            own.read(torch.tensor([5, -1]))
        for ids, text in (
            (torch.ones(5, dtype=torch.bool), r"got torch.bool. Use mask.nonzero"),
            (torch.tensor([1.7]), "tensor of integers, got torch.float32"),
            ([1, 2], r"tensor of integers, got \[1, 2\]"),
        ):
            with pytest.raises(InvalidTypeError, match=text):
                own.read(ids)
        with pytest.raises(InvalidValueError, match=r"one dimension, got shape \(1, 1\)"):
            own.read(torch.tensor([[1]]))
    with pytest.raises(InvalidValueError, match="read only"):
        feature.update(torch.zeros(5, 2))
    with pytest.raises(FileError, match="no file"):
        gb.DiskBasedFeature(tmp_path / "y.npy")
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(FileError, match="truncated"):
        gb.DiskBasedFeature(path)
    path.write_bytes(b"text")
    with pytest.raises(FileError, match=r"not an \.npy file"):
        gb.DiskBasedFeature(path)
    np.save(path, np.asfortranarray(np.zeros((5, 2))))
    with pytest.raises(FileError, match="in C order"):
        gb.DiskBasedFeature(path)
    with pytest.raises(InvalidTypeError, match="must be a Feature, got Tensor"):
        gb.cpu_cached_feature(torch.zeros(3, 1), 64)
    with pytest.raises(InvalidValueError, match="policy is one of"):
        gb.cpu_cached_feature(gb.TorchBasedFeature(torch.zeros(3, 1)), 64, "fifo")


def test_a_cached_feature_is_written_as_its_store_keeps_it() -> None:
    store = gb.TorchBasedFeature(torch.zeros(4, 1, dtype=torch.float16))
    feature = gb.cpu_cached_feature(store, 64)
    feature.update(torch.tensor([[0.1], [3.0]]), torch.tensor([2, 1]))
    for _ in range(2):
        assert torch.equal(feature.read(torch.arange(4)), store.read())
    feature.update(torch.ones(4, 1, dtype=torch.float16))
    assert feature.read(torch.tensor([3, 0])).tolist() == [[1], [1]]
    with pytest.raises(InvalidValueError, match="keeps its 4 rows, got 5"):
        feature.update(torch.zeros(5, 1))
    with pytest.raises(InvalidTypeError, match="value must be a Tensor, got list"):
        feature.update([[1.0]], torch.tensor([0]))
    with pytest.raises(InvalidTypeError, match="value must be a Tensor, got list"):
        store.update([[1.0]], torch.tensor([0]))


@pytest.mark.parametrize("storage", ["float16", "bfloat16"])
def test_numbers_that_16_bits_cannot_hold(tmp_path, storage) -> None:
    limit = torch.finfo(getattr(torch, storage)).max
    gb.write_compact(np.array([[limit]]), tmp_path / "x.npy", storage)
    assert gb.DiskBasedFeature(tmp_path / "x.npy").read(torch.tensor([0])).tolist() == [[limit]]
    with pytest.raises(InvalidValueError, match="row 1 has the value"):
        gb.write_compact(np.array([[1.0], [limit * 1.003]]), tmp_path / "x.npy", storage)
