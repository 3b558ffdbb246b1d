"""Checkpoints: round trip, and every way to be malformed."""

from __future__ import annotations

import json
import shutil
import struct
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from gossamer.cli import main
from gossamer.cli.checkpoint import (
    CHECKPOINT_NAME,
    ModelInfo,
    checksum,
    load_checkpoint,
    save_checkpoint,
)
from gossamer.cli.config import from_mapping
from gossamer.cli.model_list import STACKS
from gossamer.cli.network import Network
from gossamer.cli.schema import Schema
from gossamer.cli.targets import Target
from gossamer.errors import FileError


def _info(**changes: Any) -> ModelInfo:
    values = {
        "schema": Schema("nodes", {"_N": 5}, 3),
        "target": Target("classes", ["a", "ü", "<c>"], "accuracy"),
        "columns": {"types": {"_N": []}},
        "seed": 7,
        "best_epoch": 11,
        "val": 0.5,
        "test": 0.25,
    }
    return ModelInfo(**{**values, **changes})


@pytest.mark.parametrize("model", STACKS)
@pytest.mark.parametrize("residual", [False, True])
def test_a_checkpoint_reads_back_unchanged(tmp_path: Path, model: str, residual: bool) -> None:
    config = from_mapping({"model": model, "hidden": 4, "residual": residual, "norm": "batch"})
    torch.manual_seed(1)
    state = Network(config, _info().schema).state_dict()
    save_checkpoint(tmp_path / "x.safetensors", state, config, _info())
    loaded = load_checkpoint(tmp_path / "x.safetensors")
    assert loaded.config == config and loaded.info == _info()
    found = loaded.model.state_dict()
    assert found.keys() == state.keys()
    for name, value in state.items():
        assert torch.equal(found[name], value), name
    assert not any(p.is_meta for p in loaded.model.parameters())


def test_a_folder_stands_for_the_checkpoint_in_it(trained: Path) -> None:
    by_folder, by_file = load_checkpoint(trained), load_checkpoint(str(trained / CHECKPOINT_NAME))
    assert by_folder.config == by_file.config and by_folder.info == by_file.info


def test_missing_files(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"There is no checkpoint '.*nothing'\. Give the check"):
        load_checkpoint(tmp_path / "nothing")
    with pytest.raises(FileError, match=r"There is no checkpoint '.*checkpoint\.safetensors'"):
        load_checkpoint(tmp_path)


@pytest.mark.parametrize("keep", [0, 4, 8, 100, -1])
def test_a_truncated_file(trained: Path, tmp_path: Path, keep: int) -> None:
    data = (trained / CHECKPOINT_NAME).read_bytes()
    (tmp_path / "cut").write_bytes(data[:keep])
    with pytest.raises(FileError, match=r"'.*cut' is truncated or not a safetensors file"):
        load_checkpoint(tmp_path / "cut")


@pytest.mark.parametrize(
    "data",
    [
        b"PK\x03\x04 a zip file, as torch.save writes it",
        struct.pack("<Q", 2**62) + b"{}",
        struct.pack("<Q", 12) + b'{"a": [1, 2]',
    ],
)
def test_a_foreign_file(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x").write_bytes(data)
    with pytest.raises(FileError, match="is truncated or not a safetensors file"):
        load_checkpoint(tmp_path / "x")


def _forge(trained: Path, folder: Path, change: Any) -> Path:
    """Copy a checkpoint with its weights, config and info passed through `change`."""
    from safetensors import safe_open

    source = trained / CHECKPOINT_NAME
    with safe_open(source, framework="pt") as file:
        metadata = file.metadata()
    content = {
        "state": load_file(source),
        "config": json.loads(metadata["config"]),
        "info": json.loads(metadata["info"]),
    }
    change(content)
    state = content.pop("state")
    path = folder / "forged.safetensors"
    text = {k: v if isinstance(v, str) else json.dumps(v) for k, v in content.items()}
    forged = {"format": metadata["format"], **text}
    # Whoever forges a checkpoint can compute its checksum too.
    save_file(state, path, {**forged, "sha256": checksum(state, forged)})
    return path


def _schema(content: dict[str, Any]) -> dict[str, Any]:
    return content["info"]["schema"]


def _target(content: dict[str, Any]) -> dict[str, Any]:
    return content["info"]["target"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c["config"].update(color=1), "damaged: Unknown configuration key 'color'"),
        (lambda c: c["config"].update(hidden="x"), "damaged: 'hidden' must be an integer"),
        (lambda c: c["config"].update(layers=10**9), "damaged: 'layers' must be between 1 and"),
        (lambda c: c.update(config="{"), "damaged: Expecting property name"),
        (lambda c: c.update(config="[" * 100_000), "damaged: "),
        (lambda c: c.update(config="[]"), "damaged: 'config' is not a mapping"),
        (lambda c: c.pop("info"), "damaged: 'info' is not a mapping"),
        (lambda c: c["info"].pop("seed"), "missing or unknown entries of 'info': seed"),
        (lambda c: _schema(c).update(in_sizes={"_N": -1}), "'in_sizes of _N' must be a positive"),
        (lambda c: _schema(c).update(in_sizes={"_N": True}), "'in_sizes of _N' must be a positive"),
        (lambda c: _schema(c).update(in_sizes={"_N": 2**40}), "'in_sizes of _N' must be a pos"),
        (lambda c: _schema(c).update(in_sizes=[64]), r"'in_sizes' must be a mapping, got \[64\]"),
        (lambda c: _schema(c).update(in_sizes={}), "'level' is 'nodes' for node types {}"),
        (lambda c: _schema(c).update(in_sizes={"_N": 0}), "'num_nodes' lacks the type '_N'"),
        (lambda c: _schema(c).update(level="x"), "'level' is 'x'"),
        (lambda c: _schema(c).update(ends=["x"]), r"'ends' is \['x'\]"),
        (lambda c: _schema(c).update(ends=7), "'ends' is 7"),
        (lambda c: _schema(c).update(delta=None), "'delta' must be a number"),
        (lambda c: _schema(c).pop("delta"), "'schema' has missing or unknown entries"),
        (lambda c: _schema(c).update(out_size=9), "'names' must list 9 names"),
        (lambda c: _target(c).update(names="abcdefghij"), "'names' must be a list"),
        (lambda c: _target(c).update(kind="x"), "'target' is 'x' with metric 'accuracy'"),
        (lambda c: _target(c).update(metric="x"), "'target' is 'classes' with metric 'x'"),
        (lambda c: _target(c).update(mean=["x"]), "'mean' must list 0 numbers"),
        (lambda c: c["info"].update(columns=7), "'columns' must be a mapping"),
        (
            lambda c: _schema(c).update(in_sizes={"_N": 63}),
            r"is torch.float32 \(64, 16\), the model expects",
        ),
        (lambda c: c["config"].update(hidden=65_536), r"the model expects .*65536"),
        (lambda c: c["config"].update(model="gin"), "has the unknown weight|lacks weight"),
        (lambda c: c["state"].popitem(), "lacks weight"),
        (lambda c: c["state"].update(zzz=torch.zeros(1)), "has the unknown weight 'zzz'"),
        (
            lambda c: c.update(state={k: v.half() for k, v in c["state"].items()}),
            "is torch.float16 .*, the model expects torch.float32",
        ),
    ],
)  # fmt: skip
def test_forged_content(trained: Path, tmp_path: Path, change: Any, message: str) -> None:
    with pytest.raises(FileError, match=message):
        load_checkpoint(_forge(trained, tmp_path, change))


def test_an_unchanged_forgery_loads(trained: Path, tmp_path: Path) -> None:
    path = _forge(trained, tmp_path, lambda content: None)
    assert load_checkpoint(path).config == load_checkpoint(trained).config


@pytest.mark.parametrize("count", [1, 1000])
def test_corrupted_weights(trained: Path, tmp_path: Path, count: int) -> None:
    data = bytearray((trained / CHECKPOINT_NAME).read_bytes())
    (header,) = struct.unpack("<Q", data[:8])
    for index in range(8 + header, 8 + header + count):
        data[index] ^= 0x10
    (tmp_path / CHECKPOINT_NAME).write_bytes(data)
    with pytest.raises(FileError, match=r"is damaged: its checksum does not match\. Train again"):
        load_checkpoint(tmp_path)
    assert main(["predict", str(tmp_path), "--quiet"]) == 2
    assert [path.name for path in tmp_path.iterdir()] == [CHECKPOINT_NAME]


def test_corrupted_metadata(trained: Path, tmp_path: Path) -> None:
    data = (trained / CHECKPOINT_NAME).read_bytes()
    assert data.count(rb"\"dropout\": 0.5") == 1
    (tmp_path / "x").write_bytes(data.replace(rb"\"dropout\": 0.5", rb"\"dropout\": 0.4"))
    with pytest.raises(FileError, match="is damaged: its checksum does not match"):
        load_checkpoint(tmp_path / "x")


def test_a_file_that_may_not_be_read(trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(FileError, match=r"Cannot read checkpoint '.*': Permission denied"):
        load_checkpoint(trained)


def test_the_latest_of_several_runs(trained: Path, tmp_path: Path) -> None:
    (tmp_path / "latest").symlink_to(trained)
    assert load_checkpoint(tmp_path).info == load_checkpoint(trained).info


def test_safetensors_of_another_program(tmp_path: Path) -> None:
    save_file({"w": torch.zeros(2)}, tmp_path / "other.safetensors", {"format": "pt"})
    with pytest.raises(FileError, match=r"but not a checkpoint of `gossamer train`: .*'pt'"):
        load_checkpoint(tmp_path / "other.safetensors")
    save_file({"w": torch.zeros(2)}, tmp_path / "none.safetensors")
    with pytest.raises(FileError, match="metadata says format None"):
        load_checkpoint(tmp_path / "none.safetensors")


def test_a_copy_elsewhere_still_loads(trained: Path, tmp_path: Path) -> None:
    shutil.copy(trained / CHECKPOINT_NAME, tmp_path / "renamed.bin")
    assert load_checkpoint(tmp_path / "renamed.bin").info == load_checkpoint(trained).info
