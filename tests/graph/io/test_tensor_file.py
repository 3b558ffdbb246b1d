"""The reader of safetensors files, against the safetensors package; and files that are invalid."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import safetensors.torch
import torch

from gossamer.graph.io.layout import STORED_DIRECTLY
from gossamer.graph.io.tensor_file import TensorFile
from helpers.compare import assert_tensor_equal

TENSORS = {
    **{
        str(dtype): torch.arange(12).reshape(3, 2, 2).to(dtype)
        for dtype in sorted(STORED_DIRECTLY, key=str)
    },
    "scalar": torch.tensor(2.5),
    "no rows": torch.zeros(0, 3),
    "no columns": torch.zeros(3, 0),
}


def test_what_safetensors_wrote(tmp_path: Path) -> None:
    safetensors.torch.save_file(TENSORS, tmp_path / "x", {"key": "text"})
    with open(tmp_path / "x", "rb") as file:
        found = TensorFile(file)
        assert found.metadata == {"key": "text"}
        for name, tensor in TENSORS.items():
            stored = found[name]
            assert (stored.dtype, stored.shape) == (tensor.dtype, tuple(tensor.shape))
            assert stored.dim() == tensor.dim()
            assert_tensor_equal(stored[:], tensor)
            if tensor.dim():
                assert len(stored) == len(tensor)
                assert_tensor_equal(stored[1:3], tensor[1:3])
                assert_tensor_equal(stored[2:1], tensor[2:1])


def _entry(**changes: object) -> Callable[[dict], None]:
    return lambda header: header["a"].update(changes)


INVALID = {
    "another dtype": (_entry(dtype="F128"), "there is no dtype 'F128'"),
    "no dtype": (_entry(dtype=None), "expected a str"),
    "too large": (_entry(shape=[2**62, 2**62]), "does not have 16 bytes"),
    "negative": (_entry(shape=[-2, -2]), "does not have 16 bytes"),
    "truth values": (_entry(shape=[True, 2]), "expected a int"),
    "outside": (_entry(data_offsets=[32, 48]), "is in no or two tensors"),
    "before the start": (_entry(data_offsets=[-16, 0]), "does not have 16 bytes"),
    "overlapping": (_entry(data_offsets=[8, 24]), "is in no or two tensors"),
    "backwards": (_entry(data_offsets=[16, 0]), "does not have -16 bytes"),
    "no entry": (lambda header: header.update(a=[]), "expected a dict"),
    "missing": (lambda header: header.pop("b"), "bytes are described"),
}


@pytest.mark.parametrize(("edit", "match"), INVALID.values(), ids=INVALID)
def test_headers_that_contradict_the_file(edit: Callable, match: str, tmp_path: Path) -> None:
    path = tmp_path / "x"
    safetensors.torch.save_file({"a": torch.ones(2, 2), "b": torch.ones(4)}, path)
    content = path.read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:start])
    edit(header)
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + content[start:])
    with open(path, "rb") as file, pytest.raises(ValueError, match=match):
        TensorFile(file)


def test_a_file_that_shrinks_while_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "x"
    safetensors.torch.save_file({"a": torch.ones(4000)}, path)
    with open(path, "rb") as file:
        found = TensorFile(file)
        with open(path, "r+b") as other:
            other.truncate(500)
        with pytest.raises(ValueError, match="values are missing at byte"):
            found["a"][:]
