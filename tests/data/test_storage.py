"""Information and tensors on disk, without pickle."""

from __future__ import annotations

import json
import math
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from gossamer.data.utils import load_info, load_tensors, makedirs, save_info, save_tensors
from gossamer.errors import FileError, InvalidTypeError, InvalidValueError


@pytest.mark.parametrize(
    "info",
    [
        None,
        True,
        7,
        -(2**100),
        0.1,
        math.inf,
        "naïve",
        [],
        {},
        (),
        {"num_classes": 7, 3: ["a", (1, 2), {}], (1, 2): None, None: {"tuple": [1]}},
        [[1, [2, [3]]], ({"dict": 1},)],
    ],
)
def test_plain_values_come_back(tmp_path: Path, info: Any) -> None:
    save_info(tmp_path / "info.pkl", info)
    back = load_info(tmp_path / "info.pkl")
    assert back == info
    assert type(back) is type(info)


@pytest.mark.parametrize("dtype", ["?", "i1", "u8", "f2", "f4", "f8", "c8"])
@pytest.mark.parametrize("shape", [(), (0,), (2, 3)])
def test_arrays_come_back(tmp_path: Path, dtype: str, shape: tuple[int, ...]) -> None:
    array = np.ones(shape, dtype=dtype)
    save_info(tmp_path / "info", {"x": [array]})
    back = load_info(tmp_path / "info")["x"][0]
    assert back.dtype == array.dtype
    np.testing.assert_array_equal(back, array)


@pytest.mark.parametrize(
    "dtype", [torch.bool, torch.uint8, torch.int64, torch.float16, torch.bfloat16, torch.float64]
)
@pytest.mark.parametrize("shape", [(), (0, 2), (3, 2)])
def test_tensors_come_back(tmp_path: Path, dtype: torch.dtype, shape: tuple[int, ...]) -> None:
    tensors = {"x": torch.randn(shape).to(dtype), "a/b": torch.arange(6).reshape(2, 3).t()}
    save_tensors(tmp_path / "tensors.bin", tensors)
    back = load_tensors(tmp_path / "tensors.bin")
    assert list(back) == ["x", "a/b"]
    for name, tensor in tensors.items():
        assert (back[name].dtype, back[name].shape) == (tensor.dtype, tensor.shape)
        assert torch.equal(back[name], tensor)


def test_numpy_scalars_become_python_ones(tmp_path: Path) -> None:
    save_info(tmp_path / "info", [np.int64(3), np.float32(0.5), np.bool_(True)])
    assert load_info(tmp_path / "info") == [3, 0.5, True]


@pytest.mark.parametrize(
    "value", [object(), {1, 2}, np.array([None]), np.array(["a"]), b"raw", print]
)
def test_other_values_are_refused(tmp_path: Path, value: Any) -> None:
    with pytest.raises(InvalidTypeError, match=f"got {type(value).__name__}"):
        save_info(tmp_path / "info", {"x": [value]})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("tensors", [{1: torch.ones(1)}, {"x": [1.0]}])
def test_save_tensors_takes_tensors_only(tmp_path: Path, tensors: dict) -> None:
    with pytest.raises(InvalidTypeError, match="expected a dict from str to tensors"):
        save_tensors(tmp_path / "x", tensors)


def test_load_tensors_takes_tensors_only(tmp_path: Path) -> None:
    save_info(tmp_path / "x", {"a": 1})
    with pytest.raises(FileError, match="was not written by save_tensors"):
        load_tensors(tmp_path / "x")
    with pytest.raises(InvalidValueError, match="return_dgl_ndarray must be False"):
        load_tensors(tmp_path / "x", return_dgl_ndarray=True)


class Bomb:
    def __reduce__(self) -> tuple:
        return open, (Bomb.target, "w")


def test_pickles_are_refused(tmp_path: Path) -> None:
    Bomb.target = str(tmp_path / "evidence")
    (tmp_path / "info").write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(FileError, match="not a plain npz archive"):
        load_info(tmp_path / "info")
    array = np.empty(1, dtype=object)
    array[0] = Bomb()
    np.savez(tmp_path / "info.npz", info=array)
    with pytest.raises(FileError, match="not a plain npz archive"):
        load_info(tmp_path / "info.npz")
    assert not (tmp_path / "evidence").exists()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "{}",
        '{"a": 1, "b": 2}',
        '{"unknown": 3}',
        '{"array": "missing"}',
        '{"array": 7}',
        '{"tensor": []}',
        '{"dict": [1]}',
        '{"dict": [[[1], 2]]}',
        "[" * 100_000,
    ],
)
def test_other_texts_are_refused(tmp_path: Path, text: str) -> None:
    np.savez(tmp_path / "info.npz", info=np.frombuffer(text.encode(), dtype=np.uint8))
    with pytest.raises(FileError, match=r"info\.npz (was not written by save_info|lacks the)"):
        load_info(tmp_path / "info.npz")


def test_truncated_and_missing_files(tmp_path: Path) -> None:
    save_info(tmp_path / "info", {"x": np.arange(100)})
    content = (tmp_path / "info").read_bytes()
    for length in range(0, len(content), 40):
        (tmp_path / "info").write_bytes(content[:length])
        with pytest.raises(FileError, match="truncated, corrupt"):
            load_info(tmp_path / "info")
    with pytest.raises(FileError, match="There is no file"):
        load_info(tmp_path / "nothing")


def test_a_failed_save_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_info(tmp_path / "info", 1)

    def fail(*args: object, **kwargs: object) -> None:
        raise RuntimeError("disk on fire")

    monkeypatch.setattr(np, "savez", fail)
    with pytest.raises(RuntimeError, match="disk on fire"):
        save_info(tmp_path / "info", 2)
    assert load_info(tmp_path / "info") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["info"]


def test_unwritable_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(FileError, match="Cannot create the folder"):
        save_info(tmp_path / "file" / "info", 1)
    with pytest.raises(FileError, match="Cannot create the folder"):
        makedirs(tmp_path / "file" / "folder")


def test_the_text_is_plain_json(tmp_path: Path) -> None:
    save_info(tmp_path / "info.npz", {"a": (1, 2)})
    with np.load(tmp_path / "info.npz") as archive:
        assert json.loads(archive["info"].tobytes()) == {"dict": [["a", {"tuple": [1, 2]}]]}
