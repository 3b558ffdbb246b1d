"""Compact storage: errors within their bounds, files that numpy reads, what cannot be stored."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import gossamer.graphbolt as gb
from gossamer import FileError, InvalidTypeError, InvalidValueError
from gossamer.graphbolt import compact

BOUNDS = {"float16": 2.0**-11, "bfloat16": 2.0**-8}


def _values(*shape: int) -> np.ndarray:
    values = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    values[0] = 0
    return values


@pytest.mark.parametrize("storage", compact.STORAGES)
@pytest.mark.parametrize("shape", [(300,), (300, 5), (300, 2, 3)])
def test_values_within_the_bound(tmp_path: Path, storage: str, shape, monkeypatch) -> None:
    monkeypatch.setattr(compact, "_PIECE", 1000)
    values = _values(*shape)
    gb.write_compact(values, tmp_path / "x.npy", storage)
    feature = gb.DiskBasedFeature(tmp_path / "x.npy")
    ids = torch.tensor([299, 0, 7, 7])
    expected = torch.from_numpy(values.reshape(300, *(shape[1:] or (1,))))
    rows = feature.read(ids)
    assert rows.dtype is torch.float32 and feature.size() == expected.shape[1:]
    flat = expected.flatten(1)
    bound = flat.abs() * BOUNDS.get(storage, 0)
    if storage == "int8":
        bound = flat.abs().amax(1, keepdim=True) / 254 * 1.0001
    error = (feature.read_into_memory().read() - expected).abs().flatten(1)
    assert (error <= bound.expand_as(error)).all()
    assert torch.equal(rows, feature.read_into_memory().read()[ids])
    assert len(np.load(tmp_path / "x.npy")) == 300
    cached = gb.cpu_cached_feature(feature, 4096)
    assert torch.equal(cached.read(ids), rows) and torch.equal(cached.read(ids), rows)
    assert not list(tmp_path.glob("*.partial"))


def test_caches_keep_the_stored_form(tmp_path: Path) -> None:
    gb.write_compact(_values(100, 8), tmp_path / "x.npy", "int8")
    cached = gb.cpu_cached_feature(gb.DiskBasedFeature(tmp_path / "x.npy"), 120)
    cached.read(torch.arange(10))
    cached.read(torch.arange(10))
    assert cached.miss_rate == 0.5  # ten rows of 8 bytes and a scale of 4 fit


def test_what_cannot_be_stored(tmp_path: Path) -> None:
    path = tmp_path / "x.npy"
    for value, storage in ((1e5, "float16"), (np.nan, "int8"), (np.inf, "bfloat16")):
        values = _values(5, 2)
        values[3, 1] = value
        with pytest.raises(InvalidValueError, match="row 3 has the value"):
            gb.write_compact(values, path, storage)
    with pytest.raises(InvalidTypeError, match="floating point, got int64"):
        gb.write_compact(np.arange(3), path, "int8")
    with pytest.raises(InvalidValueError, match="storage"):
        gb.write_compact(_values(3), path, "int4")
    assert not list(tmp_path.iterdir())
    np.save(path, np.zeros(3, [("a", "f4")]))
    with pytest.raises(FileError, match="holds records"):
        gb.DiskBasedFeature(path)
