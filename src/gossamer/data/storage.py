"""Saving information and tensors without pickle, so that untrusted files can be read."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gossamer._options import shown
from gossamer.data._files import atomic_write, read_npz
from gossamer.errors import FileError, InvalidTypeError, InvalidValueError

# The archive has one JSON text, as bytes, and one array for each tensor that the text refers to.
_TEXT = "info"
# NumPy has no bfloat16: its bits are stored as int16.
_BITS_OF = {"bfloat16": (torch.bfloat16, torch.int16)}


def save_info(path: str | os.PathLike[str], info: Any) -> None:
    """Write information about a dataset to a file, to be read by `load_info`.

    Parameters
    ----------
    path : str
        File to write. The write is atomic.
    info : object
        None, bool, int, float, str, NumPy arrays of numbers, tensors, and lists, tuples and dicts
        of these. Tensors are loaded on the CPU.

    Raises
    ------
    InvalidTypeError
        If `info` contains anything else.
    FileError
        If the file cannot be written.
    """
    if not isinstance(path, (str, os.PathLike)):
        raise InvalidTypeError(f"A path is a str or a Path, got {shown(path)}.")
    arrays: dict[str, np.ndarray] = {}
    text = json.dumps(_encode(info, arrays))
    arrays[_TEXT] = np.frombuffer(text.encode(), dtype=np.uint8)
    with atomic_write(Path(path)) as file:
        np.savez(file, **arrays)


def load_info(path: str | os.PathLike[str]) -> Any:
    """Read the information that `save_info` wrote. Files that need pickle are refused.

    Raises
    ------
    FileError
        If the file is missing, truncated, corrupt, or was not written by `save_info`.

    Examples
    --------
    >>> import tempfile, os
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "info.npz")
    ...     save_info(path, {"num_classes": 7, "split": (140, 500)})
    ...     load_info(path)
    {'num_classes': 7, 'split': (140, 500)}
    """
    path = Path(path)
    text = read_npz(path, [_TEXT])[_TEXT].tobytes()
    try:
        encoded = json.loads(text)
        arrays = read_npz(path, _references(encoded))
        return _decode(encoded, arrays)
    except FileError:
        raise
    except Exception as error:  # the text may hold any JSON at all
        raise FileError(
            f"{path} was not written by save_info, or is corrupt "
            f"({type(error).__name__}: {error}). Delete it and make it anew."
        ) from None


def save_tensors(filename: str | os.PathLike[str], tensor_dict: Mapping[str, torch.Tensor]) -> None:
    """Write a dictionary of tensors to a file, to be read by `load_tensors`.

    Raises
    ------
    InvalidTypeError
        If it is not a dictionary from str to tensors.
    FileError
        If the file cannot be written.
    """
    for name, tensor in tensor_dict.items():
        if not isinstance(name, str) or not isinstance(tensor, torch.Tensor):
            raise InvalidTypeError(
                "save_tensors: expected a dict from str to tensors, got "
                f"{type(name).__name__} to {type(tensor).__name__}."
            )
    save_info(filename, dict(tensor_dict))


def load_tensors(
    filename: str | os.PathLike[str], return_dgl_ndarray: bool = False
) -> dict[str, torch.Tensor]:
    """Read the dictionary that `save_tensors` wrote.

    Parameters
    ----------
    filename : str
        The file.
    return_dgl_ndarray : bool, optional
        Accepted for compatibility; must be False, since the result has tensors only.

    Raises
    ------
    InvalidValueError
        If `return_dgl_ndarray` is true.
    FileError
        If the file is missing, truncated, corrupt, or holds something else.
    """
    if return_dgl_ndarray:
        raise InvalidValueError(
            "load_tensors: return_dgl_ndarray must be False. The result holds torch tensors."
        )
    tensors = load_info(filename)
    if not isinstance(tensors, dict) or not all(
        isinstance(tensor, torch.Tensor) for tensor in tensors.values()
    ):
        raise FileError(f"{filename} was not written by save_tensors.")
    return tensors


def _encode(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    """Convert `value` to JSON: lists and scalars unchanged, others as objects with one key."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (list, tuple)):
        items = [_encode(item, arrays) for item in value]
        return items if isinstance(value, list) else {"tuple": items}
    if isinstance(value, dict):
        return {"dict": [[_encode(k, arrays), _encode(v, arrays)] for k, v in value.items()]}
    if isinstance(value, np.generic) and value.dtype.kind in "biuf":
        return value.item()
    if isinstance(value, np.ndarray) and value.dtype.kind in "biufc":
        return {"array": _store(value, arrays)}
    if isinstance(value, torch.Tensor) and value.layout == torch.strided:
        dtype = str(value.dtype).removeprefix("torch.")
        tensor = value.detach().cpu()
        if dtype in _BITS_OF:
            tensor = tensor.contiguous().view(_BITS_OF[dtype][1])
        return {"tensor": [dtype, _store(tensor.numpy(), arrays)]}
    raise InvalidTypeError(
        "save_info: expected numbers, text, arrays, tensors, and lists, tuples and dicts of these, "
        f"got {type(value).__name__}."
    )


def _store(array: np.ndarray, arrays: dict[str, np.ndarray]) -> str:
    name = f"array{len(arrays)}"
    arrays[name] = array
    return name


def _references(encoded: Any) -> list[str]:
    """Return the names of the arrays that an encoded value needs."""
    if isinstance(encoded, list):
        return [name for item in encoded for name in _references(item)]
    if not isinstance(encoded, dict):
        return []
    ((kind, content),) = encoded.items()
    if kind in ("dict", "tuple"):
        return _references(content)
    return [content if kind == "array" else content[1]]


def _decode(encoded: Any, arrays: dict[str, np.ndarray]) -> Any:
    if isinstance(encoded, list):
        return [_decode(item, arrays) for item in encoded]
    if not isinstance(encoded, dict):
        return encoded
    ((kind, content),) = encoded.items()
    if kind == "tuple":
        return tuple(_decode(item, arrays) for item in content)
    if kind == "dict":
        return {_decode(key, arrays): _decode(item, arrays) for key, item in content}
    if kind == "array":
        return arrays[content]
    dtype, name = content
    tensor = torch.from_numpy(arrays[name])
    return tensor.view(_BITS_OF[dtype][0]) if dtype in _BITS_OF else tensor
