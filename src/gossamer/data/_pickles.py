"""Reading the pickles of scientific Python without running code that they name.

A pickle is a program. This reader first checks its opcodes, then unpickles with every global
replaced by a record of its arguments: no class or function of numpy or scipy is called from the
file. The records are then checked and converted to arrays. A file that names any other global is
refused. Memory stays proportional to the size of the file.
"""

from __future__ import annotations

import io
import math
import pickle
import pickletools
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from gossamer.errors import FileError

_NUMERIC_TYPE = re.compile(r"(b1|[iu][1248]|f[248])\Z")
# Far more than arrays need. Python hashes nested tuples by recursion on the C stack.
_MAX_TUPLES = 1000
_MAX_DENSE_ENTRIES = 2**31


class CsrParts(NamedTuple):
    """A sparse matrix in compressed rows: plain arrays, checked to be consistent."""

    shape: tuple[int, int]
    indptr: np.ndarray
    indices: np.ndarray
    data: np.ndarray

    def to_dense(self) -> np.ndarray:
        """Return the matrix as a float32 array; duplicate entries are added."""
        dense = np.zeros(self.shape, dtype=np.float32)
        rows = np.repeat(np.arange(self.shape[0]), np.diff(self.indptr))
        np.add.at(dense, (rows, self.indices), self.data.astype(np.float32))
        return dense


class _Record:
    """An object of the file: its arguments and its state, without behavior."""

    arguments: tuple = ()
    state: Any = None

    def __init__(self, *arguments: Any) -> None:
        self.arguments = arguments

    # Without this method, the BUILD opcode would set attributes that the file names.
    def __setstate__(self, state: Any) -> None:
        self.state = state


class _Array(_Record):
    pass


class _ArrayType(_Record):
    pass


class _Dtype(_Record):
    pass


class _Csr(_Record):
    pass


class _Encoded(_Record):
    """Bytes as Python 3 writes them in protocol 2: a text and its encoding."""


class _Tensor(_Record):
    """A tensor of torch: storage, offset, shape, strides."""


class _Storage(_Record):
    """The bytes of a storage, written by torch.save."""


class _ListType(_Record):
    pass


class _Mapping(dict):
    """A defaultdict without its default; it copies nothing, which limits its memory."""

    def __init__(self, _factory: Any = None) -> None:
        super().__init__()

    def __setstate__(self, state: Any) -> None:
        raise pickle.UnpicklingError("a defaultdict with a state")


_ALLOWED = {
    ("numpy", "ndarray"): _ArrayType,
    ("numpy", "dtype"): _Dtype,
    ("numpy.core.multiarray", "_reconstruct"): _Array,
    ("numpy._core.multiarray", "_reconstruct"): _Array,
    ("scipy.sparse.csr", "csr_matrix"): _Csr,
    ("scipy.sparse._csr", "csr_matrix"): _Csr,
    ("_codecs", "encode"): _Encoded,
    ("torch._utils", "_rebuild_tensor_v2"): _Tensor,
    ("torch.storage", "_load_from_bytes"): _Storage,
    ("collections", "OrderedDict"): _Mapping,
    ("collections", "defaultdict"): _Mapping,
    ("__builtin__", "list"): _ListType,
    ("builtins", "list"): _ListType,
}


class _Forbidden(Exception):
    """The file names a global that is not on the list."""


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        try:
            return _ALLOWED[module, name]
        except KeyError:
            raise _Forbidden(f"{module}.{name}") from None


def load_arrays(path: Path) -> np.ndarray | CsrParts | dict:
    """Read a pickle of one numpy array, one scipy CSR matrix, or one dictionary.

    Returns
    -------
    numpy.ndarray, CsrParts or dict
        The values of a dictionary are not checked, but are inert.

    Raises
    ------
    FileError
        If the file is missing, truncated, corrupt, or names a global that is not allowed; the
        message names the global.
    """
    return _load(path, _convert)


def load_values(path: Path) -> Any:
    """Read a pickle of lists, tuples and dictionaries that hold arrays, numbers and text.

    Raises
    ------
    FileError
        As for `load_arrays`.
    """
    return _load(path, _convert_nested)


def _load(path: Path, convert: Callable[[Any], Any]) -> Any:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise FileError(f"Cannot read {path}: {error.strerror}.") from None
    try:
        _walk(content)
        value = _Unpickler(io.BytesIO(content), encoding="latin1").load()
        return convert(value)
    except _Forbidden as error:
        raise FileError(
            f"{path} is not trusted: its pickle names the global '{error}', and only numpy arrays, "
            "scipy CSR matrices and plain containers are admitted. "
            "Fetch the file from its original source."
        ) from None
    except Exception as error:  # malformed bytes can make the unpickler raise almost anything
        raise FileError(
            f"Cannot read {path}: it is truncated or corrupt ({type(error).__name__}: {error}). "
            "Delete it and fetch it again."
        ) from None


def _walk(content: bytes) -> None:
    """Reject pickles that would crash or exhaust the unpickler, without executing anything."""
    tuples = 0
    for opcode, argument, _ in pickletools.genops(content):
        name = opcode.name
        if name == "GLOBAL":
            module, _, attribute = argument.partition(" ")
            if (module, attribute) not in _ALLOWED:
                raise _Forbidden(f"{module}.{attribute}")
        elif "PUT" in name and int(argument) > len(content):
            # The memo of the C unpickler is an array as long as its largest index.
            raise pickle.UnpicklingError(f"memo index {argument}")
        elif "TUPLE" in name or "FROZENSET" in name:
            tuples += 1
            if tuples > _MAX_TUPLES:
                raise pickle.UnpicklingError("too many tuples")


def _convert(value: Any) -> Any:
    if isinstance(value, _Array):
        return _array(value)
    if isinstance(value, _Csr):
        return _csr(value)
    if isinstance(value, dict):
        return dict(value)
    raise ValueError(f"expected an array, a CSR matrix or a dictionary, got {value!r:.60}")


def _convert_nested(value: Any) -> Any:
    if isinstance(value, (_Array, _Csr)):
        return _convert(value)
    if isinstance(value, _Tensor):
        return _tensor(value)
    if isinstance(value, dict):
        return {key: _convert_nested(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_convert_nested(item) for item in value)
    if value is None or isinstance(value, (bool, int, float, str, bytes)):
        return value
    raise ValueError(f"a value of type {type(value).__name__}")


def _array(record: Any) -> np.ndarray:
    if not isinstance(record, _Array):
        raise ValueError(f"expected an array, got {type(record).__name__}")
    _, shape, dtype, fortran, raw = record.state
    dtype = _dtype(dtype)
    if not all(type(size) is int and size >= 0 for size in shape):
        raise ValueError(f"array shape {shape!r}")
    if isinstance(raw, _Encoded):
        raw = raw.arguments[0]
    raw = raw.encode("latin1") if isinstance(raw, str) else bytes(raw)
    if len(raw) != math.prod(shape) * dtype.itemsize:
        raise ValueError(f"{len(raw)} bytes for shape {shape} of {dtype}")
    flat = np.frombuffer(raw, dtype=dtype)
    array = flat.reshape(shape, order="F" if fortran else "C")
    return array.astype(dtype.newbyteorder("="))


def _tensor(record: _Tensor) -> np.ndarray:
    storage, offset, shape, strides = record.arguments[:4]
    if not isinstance(storage, _Storage):
        raise ValueError(f"a tensor of {type(storage).__name__}")
    (content,) = storage.arguments
    if isinstance(content, _Encoded):
        content = content.arguments[0].encode("latin1")
    # torch reads it with its own restricted unpickler, and checks the shape.
    values = torch.load(io.BytesIO(content), weights_only=True)
    return torch.tensor([], dtype=values.dtype).set_(values, offset, shape, strides).numpy().copy()


def _dtype(record: Any) -> np.dtype:
    code = record.arguments[0] if isinstance(record, _Dtype) else None
    if not isinstance(code, str) or not _NUMERIC_TYPE.match(code):
        raise ValueError(f"array of type {code!r}, expected numbers")
    order = record.state[1] if record.state is not None else "="
    if order not in ("<", ">", "|", "="):
        raise ValueError(f"byte order {order!r}")
    return np.dtype(order + code)


def _csr(record: _Csr) -> CsrParts:
    state = record.state
    shape = state["_shape"] if "_shape" in state else state["shape"]
    rows, columns = shape
    indptr, indices, data = (_array(state[name]) for name in ("indptr", "indices", "data"))
    consistent = (
        type(rows) is int
        and type(columns) is int
        and 0 <= rows * columns <= _MAX_DENSE_ENTRIES
        and all(part.ndim == 1 for part in (indptr, indices, data))
        and indptr.dtype.kind == indices.dtype.kind == "i"
        and len(indptr) == rows + 1
        and indptr[0] == 0
        and bool((np.diff(indptr) >= 0).all())
        and indptr[-1] == len(indices) == len(data)
        and (len(indices) == 0 or (indices.min() >= 0 and indices.max() < columns))
    )
    if not consistent:
        raise ValueError("inconsistent sparse matrix")
    return CsrParts((rows, columns), indptr, indices, data)
