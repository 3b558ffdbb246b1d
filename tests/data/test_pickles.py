"""The reader of other people's pickles runs nothing and survives everything."""

from __future__ import annotations

import collections
import io
import os
import pickle
import pickletools
import struct
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gossamer.data._pickles import CsrParts, load_arrays
from gossamer.errors import FileError
from helpers.paths import shared_data

SPARSE = scipy.sparse.csr_matrix(np.arange(12, dtype=np.float32).reshape(3, 4) % 5)


def _load(tmp_path: Path, content: bytes) -> Any:
    path = tmp_path / "file"
    path.write_bytes(content)
    return load_arrays(path)


@pytest.mark.parametrize("protocol", [3, 4])
@pytest.mark.parametrize("dtype", ["?", "i1", "u2", "<i4", ">i4", "i8", "f2", "<f4", ">f8"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays(tmp_path: Path, protocol: int, dtype: str, order: str) -> None:
    array = np.array([[0, 1, 1], [1, 0, 0]], dtype=dtype, order=order)
    read = _load(tmp_path, pickle.dumps(array, protocol=protocol))
    assert read.dtype == array.dtype.newbyteorder("=")
    np.testing.assert_array_equal(read, array)


@pytest.mark.parametrize("shape", [(0,), (0, 3), (4, 0), ()])
def test_empty_arrays(tmp_path: Path, shape: tuple[int, ...]) -> None:
    assert _load(tmp_path, pickle.dumps(np.ones(shape), protocol=4)).shape == shape


@pytest.mark.parametrize("protocol", [3, 4])
def test_sparse_matrix(tmp_path: Path, protocol: int) -> None:
    read = _load(tmp_path, pickle.dumps(SPARSE, protocol=protocol))
    assert isinstance(read, CsrParts)
    np.testing.assert_array_equal(read.to_dense(), SPARSE.toarray())


def test_duplicate_entries_are_added(tmp_path: Path) -> None:
    twice = scipy.sparse.csr_matrix(
        (np.array([1.0, 2.0]), np.array([1, 1]), np.array([0, 2])), shape=(1, 3)
    )
    read = _load(tmp_path, pickle.dumps(twice, protocol=4))
    np.testing.assert_array_equal(read.to_dense(), [[0, 3, 0]])


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
def test_dictionaries_of_lists(tmp_path: Path, protocol: int) -> None:
    graph = collections.defaultdict(list, {0: [1, 2], 5: []})
    assert _load(tmp_path, pickle.dumps(graph, protocol=protocol)) == {0: [1, 2], 5: []}


@pytest.mark.parametrize("name", ["cora", "citeseer"])
@pytest.mark.parametrize("part", ["x", "y", "tx", "ty", "allx", "ally", "graph"])
def test_real_files_agree_with_pickle_itself(name: str, part: str) -> None:
    path = shared_data("planetoid", f"ind.{name}.{part}")
    with path.open("rb") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the file names modules that have been renamed
        expected = pickle.load(file, encoding="latin1")
    read = load_arrays(path)
    if part == "graph":
        assert read == expected
    elif part.endswith("x"):
        np.testing.assert_array_equal(read.to_dense(), expected.toarray())
    else:
        np.testing.assert_array_equal(read, expected)


class Call:
    """Pickles as a call of `function`."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.how = (function, arguments)

    def __reduce__(self) -> tuple:
        return self.how


def _text(program: str) -> bytes:
    return program.encode("latin1")


MARK = "evidence"
HOSTILE = {
    "os.system": (pickle.dumps(Call(os.system, f"touch {MARK}")), r"posix\.system|nt\.system"),
    "eval": (pickle.dumps(Call(eval, f"open('{MARK}', 'w')")), r"builtins\.eval"),
    "exec, protocol 0": (pickle.dumps(Call(exec, f"open('{MARK}', 'w')"), 0), r"__builtin__\.exec"),
    "open": (pickle.dumps(Call(open, MARK, "w"), protocol=4), r"io\.open"),
    "getattr": (
        _text("c__builtin__\ngetattr\n(c__builtin__\nlist\nS'__subclasses__'\ntR."),
        r"__builtin__\.getattr",
    ),
    "numpy.load": (pickle.dumps(Call(np.load, "x.npy", None, True)), r"numpy\.load"),
    "numpy.fromfile": (_text("cnumpy\nfromfile\n(S'/etc/passwd'\ntR."), r"numpy\.fromfile"),
    "numpy.memmap": (_text(f"cnumpy\nmemmap\n(S'{MARK}'\ntR."), r"numpy\.memmap"),
    "numpy method": (
        b"\x80\x04\x8c\x05numpy\x8c\x0endarray.tofile\x93.",
        r"numpy\.ndarray\.tofile",
    ),
    "numpy runstring": (
        _text("cnumpy.testing._private.utils\nrunstring\n(S'1'\n}tR."),
        r"utils\.runstring",
    ),
    "numpy core other": (
        _text("cnumpy.core.multiarray\nfromfile\n(S'x'\ntR."),
        r"multiarray\.fromfile",
    ),
    "scipy other": (_text("cscipy.sparse\nload_npz\n(S'x'\ntR."), r"scipy\.sparse\.load_npz"),
    "old-style instance": (_text(f"(S'touch {MARK}'\nios\nsystem\n."), r"os\.system"),
    "old-style object": (_text(f"(cos\nsystem\nS'touch {MARK}'\no."), r"os\.system"),
    "reconstructor": (
        _text("ccopyreg\n_reconstructor\n(c__builtin__\nobject\nc__builtin__\nobject\nNtR."),
        r"copyreg\._reconstructor",
    ),
    "codecs": (_text("c_codecs\ndecode\n(S'a'\nS'latin1'\ntR."), r"_codecs\.decode"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_globals_are_named_and_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    content, forbidden = HOSTILE[name]
    with pytest.raises(FileError, match=rf"not trusted: .*the global '.*{forbidden}'"):
        _load(tmp_path, content)
    assert not (tmp_path / MARK).exists()


NESTED = b"\x80\x02}(" + b")" + b"\x85" * 200_000 + b"K\x01u."
BROKEN = {
    "empty": b"",
    "text": b"hello world",
    "no stop": b"\x80\x02K\x01",
    "persistent id": b"Pabc\n.",
    "extension": b"\x80\x02\x82\x01.",
    "stack underflow": b"\x80\x02R.",
    "memo bomb": b"\x80\x02K\x01r\xff\xff\xff\x7f.",
    "memo bomb in text": b"I1\np999999999999\n.",
    "hash of nested tuples": NESTED,
    "a list": pickle.dumps([1, 2]),
    "a number": pickle.dumps(7),
    "a class": b"cnumpy\nndarray\n.",
    "long length": b"\x80\x04\x8e" + struct.pack("<Q", 2**62) + b"abc.",
    "bare type": _text("cnumpy\nndarray\n(tR."),
    "bare dtype": _text("cnumpy\ndtype\n(S'f8'\ntR."),
    "factory is called": _text("ccollections\ndefaultdict\n(c__builtin__\nlist\n}tR."),
    "state of a dictionary": _text("ccollections\ndefaultdict\n(tR}b."),
    "attribute of the reader": _text("cnumpy.core.multiarray\n_reconstruct\n(N}S'state'\nI1\nstb."),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_programs_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(FileError, match="truncated or corrupt"):
        _load(tmp_path, BROKEN[name])


def _array_pickle(shape: tuple, code: str, raw: bytes, order: str = "<") -> bytes:
    """A pickle of an array whose parts need not fit together."""
    out = io.BytesIO()
    out.write(b"\x80\x03cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n)C\x01btR(K\x01")
    out.write(pickle.dumps(shape, protocol=3)[2:-1])
    out.write(f"cnumpy\ndtype\n(S'{code}'\nI0\nI1\ntR(I3\nS'{order}'\nNNNI-1\nI-1\nI0\ntb".encode())
    out.write(b"I00\nB" + struct.pack("<I", len(raw)) + raw + b"tb.")
    return out.getvalue()


def test_the_array_pickle_of_these_tests_is_sound(tmp_path: Path) -> None:
    read = _load(tmp_path, _array_pickle((2,), "f8", struct.pack("<2d", 1, 2)))
    np.testing.assert_array_equal(read, [1.0, 2.0])


@pytest.mark.parametrize(
    ("shape", "code", "order"),
    [
        ((3,), "f8", "<"),
        ((1,), "f8", "<"),
        ((-2,), "f8", "<"),
        ((2, -1), "f8", "<"),
        ((2**62, 4), "f8", "<"),
        ((2.0,), "f8", "<"),
        ((2,), "O8", "|"),
        ((2,), "V8", "|"),
        ((2,), "S8", "|"),
        ((2,), "f8,O", "|"),
        ((2,), "f9", "<"),
        ((2,), "f8", "?"),
        ((2,), "M8", "<"),
    ],
)
def test_inconsistent_arrays_are_refused(
    tmp_path: Path, shape: tuple, code: str, order: str
) -> None:
    with pytest.raises(FileError, match="truncated or corrupt"):
        _load(tmp_path, _array_pickle(shape, code, bytes(16), order))


@pytest.mark.parametrize(
    "change",
    [
        {"_shape": (3, 2)},
        {"_shape": (4, 4)},
        {"_shape": (3, 2**40)},
        {"_shape": (3, -4)},
        {"_shape": (3.0, 4)},
        {"_shape": None},
        {"indices": np.full(len(SPARSE.indices), -1, dtype=np.int32)},
        {"indices": SPARSE.indices[:-1]},
        {"indices": SPARSE.indices.astype(np.float32)},
        {"indptr": np.array([0, 9, 2, len(SPARSE.data)], dtype=np.int32)},
        {"indptr": np.array([1, 2, 3, len(SPARSE.data)], dtype=np.int32)},
        {"indptr": np.array([0, 2, 3, 99], dtype=np.int32)},
        {"data": SPARSE.data.reshape(-1, 1)},
        {"data": [1, 2, 3]},
    ],
)
def test_inconsistent_matrices_are_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    matrix = SPARSE.copy()
    matrix.__dict__.update(change)
    with pytest.raises(FileError, match="truncated or corrupt"):
        _load(tmp_path, pickle.dumps(matrix, protocol=4))


MATRIX = pickle.dumps(SPARSE, protocol=3)


@pytest.mark.parametrize("length", range(0, len(MATRIX), 7))
def test_every_truncation_is_refused(tmp_path: Path, length: int) -> None:
    with pytest.raises(FileError, match="truncated or corrupt"):
        _load(tmp_path, MATRIX[:length])


_FUZZ = settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def _loads_or_is_refused(tmp_path: Path, content: bytes) -> bool:
    try:
        return isinstance(_load(tmp_path, content), np.ndarray | CsrParts | dict)
    except FileError as error:
        return str(error).startswith((f"Cannot read {tmp_path}", f"{tmp_path}"))


@_FUZZ
@given(st.lists(st.tuples(st.integers(0, len(MATRIX) - 1), st.integers(0, 255)), max_size=8))
def test_flipped_bytes_load_or_are_refused(tmp_path: Path, changes: list[tuple[int, int]]) -> None:
    content = bytearray(MATRIX)
    for position, value in changes:
        content[position] = value
    assert _loads_or_is_refused(tmp_path, bytes(content))


_OPCODES = [opcode.code.encode("latin1") for opcode in pickletools.opcodes]
_WORDS = [*_OPCODES, b"cnumpy\nndarray\n", b"cnumpy\ndtype\n", b"ccollections\ndefaultdict\n"]


@_FUZZ
@given(st.lists(st.sampled_from(_WORDS) | st.binary(max_size=4), max_size=30))
def test_random_programs_load_or_are_refused(tmp_path: Path, words: list[bytes]) -> None:
    assert _loads_or_is_refused(tmp_path, b"".join(words) + b".")


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"Cannot read .*No such file"):
        load_arrays(tmp_path / "nothing")
