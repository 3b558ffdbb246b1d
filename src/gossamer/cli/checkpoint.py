"""Checkpoints: weights in the safetensors format, with metadata to rebuild the model.

Checkpoints may come from untrusted sources. Safetensors files contain only tensors, so reading
one executes no code. The metadata is validated like a configuration file, and shapes are compared
with a model on the meta device before memory is allocated. A checksum of weights and metadata
detects corruption.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gossamer._optional import optional_import
from gossamer.cli.config import TrainConfig, from_mapping
from gossamer.cli.files import write_atomic
from gossamer.cli.folders import LATEST
from gossamer.cli.metrics import METRICS
from gossamer.cli.network import Network
from gossamer.cli.schema import Schema
from gossamer.cli.targets import CLASSES, LABELS, VALUES, Target
from gossamer.errors import FileError, GossamerError

__all__ = [
    "CHECKPOINT_NAME", "Checkpoint", "ModelInfo", "checksum", "find_checkpoint", "load_checkpoint",
    "read_safetensors", "save_checkpoint", "write_safetensors",
]  # fmt: skip

CHECKPOINT_NAME = "checkpoint.safetensors"
_FORMAT = "gossamer-train-3"
_FIX = "Train again, or copy the file again."


@dataclass(frozen=True)
class ModelInfo:
    """Metadata of a model; `columns` describes how tables are read, None for a dataset."""

    schema: Schema
    target: Target
    columns: dict[str, Any] | None
    seed: int
    best_epoch: int
    val: float
    test: float


@dataclass
class Checkpoint:
    """A model with its weights and the configuration of its training."""

    model: Network
    config: TrainConfig
    info: ModelInfo


def save_checkpoint(
    path: str | Path, state: dict[str, Tensor], config: TrainConfig, info: ModelInfo
) -> None:
    """Write weights and metadata in one atomic step.

    Raises
    ------
    FileError
        If the file cannot be written.
    """
    metadata = {
        "format": _FORMAT,
        "config": json.dumps(config.as_dict()),
        "info": json.dumps(asdict(info)),
    }
    write_safetensors(path, state, metadata)


def write_safetensors(
    path: str | Path,
    state: dict[str, Tensor],
    metadata: dict[str, str],
    keys: Sequence[str] = ("format", "config", "info"),
) -> None:
    """Write tensors and metadata, with a checksum of both, in one atomic step."""
    safetensors = optional_import("safetensors.torch", "Saving a checkpoint", "train")
    state = {name: tensor.contiguous() for name, tensor in state.items()}
    metadata = {**metadata, "sha256": checksum(state, metadata, keys)}
    write_atomic(path, safetensors.save(state, metadata))


def find_checkpoint(path: str | Path) -> Path:
    """Find the checkpoint at `path`: a file, the folder of a run, or a folder of several runs."""
    path = Path(path)
    for folder in (path, path / LATEST):
        if (folder / CHECKPOINT_NAME).is_file():
            return folder / CHECKPOINT_NAME
    return path / CHECKPOINT_NAME if path.is_dir() else path


def load_checkpoint(path: str | Path) -> Checkpoint:
    """Read a checkpoint file, that in the folder of a training run, or the latest of several runs.

    Raises
    ------
    FileError
        If it is missing, truncated, corrupt, or not a checkpoint of Gossamer.
    """
    path = find_checkpoint(path)
    if not path.is_file():
        raise FileError(
            f"There is no checkpoint '{path}'. Give the {CHECKPOINT_NAME} that `gossamer train` "
            "wrote, or its folder."
        )
    state, metadata = read_safetensors(path)
    config, info = _parse_metadata(path, metadata)
    if metadata.get("sha256") != checksum(state, metadata):
        raise FileError(f"Checkpoint '{path}' is damaged: its checksum does not match. {_FIX}")
    # On the meta device a model has shapes but no memory, so invalid sizes allocate nothing.
    with torch.device("meta"):
        model = _build(path, config, info)
    _check_weights(path, state, model.state_dict())
    model.load_state_dict(state, assign=True)
    return Checkpoint(model, config, info)


def _build(path: Path, config: TrainConfig, info: ModelInfo) -> Network:
    try:
        return Network(config, info.schema)
    except GossamerError as error:
        raise FileError(f"The metadata of checkpoint '{path}' is damaged: {error} {_FIX}") from None


def read_safetensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read the tensors and metadata of a file.

    Raises
    ------
    FileError
        If it cannot be read, or is not a safetensors file.
    """
    safetensors = optional_import("safetensors", "Reading a checkpoint", "train")
    try:
        # safetensors reports a file without read permission as missing.
        path.open("rb").close()
        with safetensors.safe_open(path, framework="pt") as file:
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            return state, file.metadata() or {}
    except OSError as error:
        raise FileError(f"Cannot read checkpoint '{path}': {error.strerror or error}.") from None
    except safetensors.SafetensorError as error:
        raise FileError(
            f"Checkpoint '{path}' is truncated or not a safetensors file ({error}). {_FIX}"
        ) from None


def checksum(
    state: dict[str, Tensor],
    metadata: dict[str, str],
    keys: Sequence[str] = ("format", "config", "info"),
) -> str:
    """Return the SHA-256 digest of the tensors and of the metadata under `keys`."""
    digest = hashlib.sha256()
    for key in keys:
        digest.update(f"{key} {metadata.get(key)}\n".encode())
    for name in sorted(state):
        tensor = state[name]
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.reshape(-1).contiguous().view(torch.uint8).cpu().numpy())
    return digest.hexdigest()


def _parse_metadata(path: Path, metadata: dict[str, str]) -> tuple[TrainConfig, ModelInfo]:
    if metadata.get("format") != _FORMAT:
        raise FileError(
            f"'{path}' is a safetensors file, but not a checkpoint of `gossamer train`: its "
            f"metadata says format {metadata.get('format')!r}, expected {_FORMAT!r}."
        )
    try:
        config = from_mapping(_mapping(metadata, "config"))
        info = _mapping(metadata, "info")
        return config, _checked_info(info)
    except (GossamerError, ValueError, RecursionError) as error:
        raise FileError(f"The metadata of checkpoint '{path}' is damaged: {error} {_FIX}") from None


def _mapping(metadata: dict[str, str], key: str) -> dict[str, Any]:
    value = json.loads(metadata.get(key, "null"))
    if not isinstance(value, dict):
        raise ValueError(f"'{key}' is not a mapping.")
    return value


def _checked_info(values: dict[str, Any]) -> ModelInfo:
    expected = {f.name for f in fields(ModelInfo)}
    if set(values) != expected:
        odd = ", ".join(sorted(expected ^ set(values)))
        raise ValueError(f"missing or unknown entries of 'info': {odd}.")
    schema, target = Schema.from_json(values["schema"]), _checked_target(values["target"])
    if len(target.names) != schema.out_size:
        raise ValueError(f"'names' must list {schema.out_size} names.")
    if not isinstance(values["columns"], dict | None):
        raise ValueError("'columns' must be a mapping.")
    return ModelInfo(**{**values, "schema": schema, "target": target})


def _checked_target(values: Any) -> Target:
    if not isinstance(values, dict) or set(values) != {f.name for f in fields(Target)}:
        raise ValueError("'target' has missing or unknown entries.")
    if values["kind"] not in (CLASSES, LABELS, VALUES) or values["metric"] not in METRICS:
        raise ValueError(f"'target' is {values['kind']!r} with metric {values['metric']!r}.")
    names = values["names"]
    if not isinstance(names, list):
        raise ValueError("'names' must be a list.")
    for name in ("mean", "scale"):
        numbers = values[name]
        length = len(names) if values["kind"] == VALUES else 0
        if not isinstance(numbers, list) or len(numbers) != length or not all(
            type(number) is float for number in numbers
        ):  # fmt: skip
            raise ValueError(f"'{name}' must list {length} numbers.")
    return Target(**{**values, "names": [str(name) for name in names]})


def _check_weights(path: Path, state: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    odd = sorted(expected.keys() ^ state.keys())
    if odd:
        state_of = "lacks" if odd[0] in expected else "has the unknown"
        raise FileError(f"Checkpoint '{path}' {state_of} weight '{odd[0]}'. {_FIX}")
    for name, tensor in expected.items():
        found = state[name]
        if found.shape != tensor.shape or found.dtype != tensor.dtype:
            raise FileError(
                f"Checkpoint '{path}': weight '{name}' is {found.dtype} {tuple(found.shape)}, the "
                f"model expects {tensor.dtype} {tuple(tensor.shape)}. {_FIX}"
            )
