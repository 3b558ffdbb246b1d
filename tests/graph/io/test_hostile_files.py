"""Files that are damaged, or made up to do harm, give a FileError or graphs that are sound."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import safetensors
import safetensors.torch
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import gossamer as gs
from golden.harness import FOLDER
from gossamer.data.utils import load_labels
from gossamer.graph.io.layout import KEY
from helpers.compare import assert_graph_valid

ARCHIVES = FOLDER / "archives"
ARCHIVE_NAMES = ["all_formats", "dtypes", "first_format", "heterogeneous", "homogeneous"]

some = settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def graphs() -> list[gs.Graph]:
    """A heterogeneous graph, and a batch whose features are stored as bytes."""
    relations = {("u", "r", "v"): ([0, 1, 1], [1, 2, 0]), ("v", "t", "u"): ([3], [0])}
    first = gs.heterograph(relations, {"u": 3, "v": 4})
    first.nodes["u"].data["x"] = torch.ones(3, 2)
    second = gs.batch([gs.graph(([0], [1])), gs.graph(([2, 0, 1], [1, 2, 0]))])
    second.edata["w"] = torch.ones(4, dtype=torch.complex64)
    return [first, second, second, first]


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "graphs"
    gs.save_graphs(path, graphs(), {"y": torch.arange(4)}, ["coo", "csr", "csc"])
    return path


def edited(path: Path, edit: Callable[[dict, dict], Any]) -> None:
    """Save the header and the tensors of a file after an edit."""
    with safetensors.safe_open(path, framework="pt") as file:
        tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118
        header = json.loads(file.metadata()[KEY])
    edit(header, tensors)
    tensors = {name: value.contiguous() for name, value in tensors.items()}
    safetensors.torch.save_file(tensors, path, {KEY: json.dumps(header)})


def without_checksums(path: Path) -> None:
    """Leave out the checksums: the author of a hostile file can make them fit."""
    edited(path, lambda header, tensors: header.pop("checksums"))


def try_to_load(path: Path) -> None:
    """Load what can be loaded; it must be sound."""
    try:
        loaded, _ = gs.load_graphs(path)
        load_labels(path)
    except gs.FileError:
        return
    for g in loaded:
        # Nothing contradicts a huge number of nodes without features, but listing takes long.
        if g.num_nodes() < 10_000:
            assert_graph_valid(g, ordered=False)


def contents() -> list[bytes]:
    return [(ARCHIVES / f"{name}.bin").read_bytes() for name in ARCHIVE_NAMES]


@pytest.mark.parametrize("name", ["graphs", *ARCHIVE_NAMES])
def test_truncated_files(name: str, saved: Path) -> None:
    content = saved.read_bytes() if name == "graphs" else (ARCHIVES / f"{name}.bin").read_bytes()
    for length in [*range(50), *range(50, len(content), 41), len(content) - 1]:
        saved.write_bytes(content[:length])
        with pytest.raises(gs.FileError, match=r"graphs (is damaged|was written by DGL, but)"):
            gs.load_graphs(saved)


@some
@given(
    number=st.integers(0, len(ARCHIVE_NAMES)),
    changes=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=4),
)
def test_changed_bytes(number: int, changes: list, saved: Path) -> None:
    if number == len(ARCHIVE_NAMES):
        gs.save_graphs(saved, graphs(), {"y": torch.arange(4)}, ["coo", "csr"])
        without_checksums(saved)
        content, start = bytearray(saved.read_bytes()), 0
    else:
        content, start = bytearray(contents()[number]), 4088
    for place, value in changes:
        content[start + int(place * (len(content) - start - 1))] = value
    saved.write_bytes(content)
    try_to_load(saved)


@some
@given(
    number=st.integers(0, len(ARCHIVE_NAMES) - 1),
    place=st.floats(0, 1),
    value=st.sampled_from([0, 1, 2**31, 2**32 - 1, 2**40, 2**62, 2**63, 2**64 - 1]),
)
def test_absurd_numbers_in_files_of_dgl(number: int, place: float, value: int, saved: Path) -> None:
    content = bytearray(contents()[number])
    at = 4096 + int(place * (len(content) - 4096 - 8))
    content[at : at + 8] = value.to_bytes(8, "little")
    saved.write_bytes(content)
    try_to_load(saved)


@some
@given(content=st.binary(max_size=300))
def test_arbitrary_bytes(content: bytes, tmp_path: Path) -> None:
    for start in (b"", len(content).to_bytes(8, "little"), contents()[0][:32]):
        (tmp_path / "x").write_bytes(start + content)
        with pytest.raises(gs.FileError, match=r"x (is damaged|was written by DGL, but)"):
            gs.load_graphs(tmp_path / "x")


class Bomb:
    """A pickle that leaves evidence."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple:
        return open, (str(self.target), "w")


@pytest.mark.parametrize("write", [pickle.dump, lambda bomb, file: torch.save(bomb, file)])
def test_pickles_are_not_opened(write: Callable, tmp_path: Path) -> None:
    with open(tmp_path / "x", "wb") as file:
        write(Bomb(tmp_path / "evidence"), file)
    with pytest.raises(gs.FileError, match="is damaged, or was not written by save_graphs"):
        gs.load_graphs(tmp_path / "x")
    assert not (tmp_path / "evidence").exists()


# --- values that are not those that were written -------------------------------------------------


def test_every_changed_value_is_found(saved: Path) -> None:
    content = saved.read_bytes()
    length = int.from_bytes(content[:8], "little")
    tensors = json.loads(content[8 : 8 + length])
    del tensors["__metadata__"]
    assert len(tensors) > 20
    for entry in tensors.values():
        first, end = entry["data_offsets"]
        changed = bytearray(content)
        changed[8 + length + (first + end) // 2] ^= 16
        saved.write_bytes(changed)
        with pytest.raises(gs.FileError, match=r"graphs is damaged.*not those that were written"):
            gs.load_graphs(saved)


def test_values_that_are_read_in_parts(tmp_path: Path) -> None:
    g = gs.graph((torch.arange(200_000), torch.zeros(200_000, dtype=torch.int64)))
    g.edata["w"] = torch.rand(200_000, 3, dtype=torch.float64)
    gs.save_graphs(tmp_path / "x", g)
    (back,), _ = gs.load_graphs(tmp_path / "x")
    assert back.edata["w"].equal(g.edata["w"]) and back.edges()[0].equal(g.edges()[0])
    content = (tmp_path / "x").read_bytes()
    start = content.index(g.edata["w"].numpy().tobytes())
    # The first, a middle and the last part.
    for place in (0, 2_500_000, 4_799_999):
        changed = bytearray(content)
        changed[start + place] ^= 1
        (tmp_path / "x").write_bytes(changed)
        with pytest.raises(gs.FileError, match="not those that were written"):
            gs.load_graphs(tmp_path / "x")


def test_rows_of_a_file_are_read_without_a_checksum(tmp_path: Path) -> None:
    parts = [gs.graph(([0], [1])) for _ in range(3)]
    for number, g in enumerate(parts):
        g.ndata["x"] = torch.full((2,), float(number))
    gs.save_graphs(tmp_path / "x", parts)
    content = (tmp_path / "x").read_bytes()
    values = torch.tensor([0.0, 0, 1, 1, 2, 2]).numpy().tobytes()
    assert content.count(values) == 1
    (tmp_path / "x").write_bytes(content.replace(values, bytes(24)))
    (first,), _ = gs.load_graphs(tmp_path / "x", [0])
    assert first.ndata["x"].tolist() == [0, 0]
    with pytest.raises(gs.FileError, match="not those that were written"):
        gs.load_graphs(tmp_path / "x")


# --- headers and tensors that contradict one another ---------------------------------------------

HEADERS = {
    "not JSON": "{",
    "deep": "[" * 100_000,
    "a list": "[]",
    "no version": "{}",
    "a version that is no number": '{"version": "1"}',
    "no groups": '{"version": 1}',
    "checksums that are no dict": '{"version": 1, "groups": [], "labels": [], "checksums": []}',
    "a truth value for a version": '{"version": true}',
}


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
def test_headers_that_are_none(header: str, tmp_path: Path) -> None:
    safetensors.torch.save_file({}, tmp_path / "x", {KEY: header})
    with pytest.raises(gs.FileError, match="is damaged"):
        gs.load_graphs(tmp_path / "x")


def put(*path: Any, value: Any) -> Callable[[dict, dict], None]:
    """An edit that sets one entry of the header."""

    def edit(header: dict, tensors: dict) -> None:
        *way, last = path
        for key in way:
            header = header[key]
        header[last] = value

    return edit


def tensor(name: str, change: Callable[[torch.Tensor], Any]) -> Callable[[dict, dict], None]:
    """An edit that changes one tensor, in place or by what it returns."""

    def edit(header: dict, tensors: dict) -> None:
        changed = change(tensors[name])
        tensors[name] = (tensors[name] if changed is None else changed).clone()

    return edit


# The first group holds the heterogeneous graph twice, the second the batch.
EDITS = {
    "order: no such group": (put("order", 0, 0, value=7), "no 1 graphs of group 7"),
    "order: group -1": (put("order", 0, 0, value=-1), "no 1 graphs of group -1"),
    "order: too many": (put("order", 0, 1, value=10**18), "no 1000000000000000000 graphs"),
    "order: none": (put("order", 0, 1, value=0), "no 0 graphs"),
    "order: twice": (put("order", value=[[0, 2], [0, 2], [1, 2]]), "does not name each of them"),
    "order: too few": (put("order", value=[[0, 2]]), "does not name each of them"),
    "order: no list": (put("order", value={}), "expected a list, found '{}'"),
    "a group without types": (put("groups", 0, value={}), "a group lacks .*'ntypes'"),
    "no edge types": (put("groups", 0, "etypes", value=[]), "types are missing, or occur twice"),
    "a node type twice": (put("groups", 0, "ntypes", value=["u", "u"]), "or occur twice"),
    "an edge type of two": (put("groups", 0, "etypes", 0, value=["u", "r"]), "list of length 3"),
    "an unknown type": (put("groups", 0, "etypes", 0, 0, value="w"), "do not exist"),
    "a block without destinations": (put("groups", 0, "block", value=2), "cannot have 2 source"),
    "a block of wrong ends": (put("groups", 0, "block", value=1), "do not exist"),
    "float ids": (put("groups", 0, "idtype", value="float32"), "ids cannot be 'float32'"),
    "ids of another type": (tensor("0.edges0.coo.src", lambda t: t.short()), "coo.src has shape"),
    "a type without features": (put("groups", 0, "nodes", value=[[]]), "list of length 2"),
    "no dtype": (put("groups", 0, "nodes", 0, 0, 1, value="save"), "no dtype 'save'"),
    "an odd dtype": (put("groups", 0, "nodes", 0, 0, 1, value="quint8"), "no dtype 'quint8'"),
    "another dtype": (put("groups", 0, "nodes", 0, 0, 1, value="int8"), "the header says"),
    "another shape": (put("groups", 0, "nodes", 0, 0, 2, value=[3]), r"says \(6, 3\)"),
    "a negative shape": (put("groups", 0, "nodes", 0, 0, 2, value=[-2]), r"the shape \[-2\]"),
    "a huge shape": (put("groups", 0, "nodes", 0, 0, 2, value=[10**40]), "the header says"),
    "a feature twice": (
        put("groups", 0, "nodes", 0, value=[["x", "float32", [2]]] * 2),
        "occurs twice",
    ),
    "no format": (put("groups", 0, "edges", 0, 1, value=[]), r"formats \(\) stored"),
    "unknown format": (put("groups", 0, "edges", 0, 1, value=["xyz"]), "formats are among"),
    "forbidden format": (put("groups", 0, "edges", 0, 0, value=["coo"]), r"\('coo',\) allowed"),
    "an absent tensor": (lambda header, tensors: tensors.pop("0.edges0.coo.src"), "coo.src"),
    "batch flags": (put("groups", 1, "batched", value=[1, 0]), "expected a bool"),
    "a label's shape": (put("labels", 0, 2, value=[5]), "'y' has shape"),
    "sizes of another dtype": (tensor("0.num_nodes", lambda t: t.int()), "num_nodes has shape"),
    "sizes of another width": (tensor("0.num_nodes", lambda t: t[:, :1]), "num_nodes has shape"),
    "sizes of no graph": (tensor("0.num_nodes", lambda t: t[:0]), "a group has no graphs"),
    "sizes of other graphs": (tensor("0.num_nodes", lambda t: t[:1]), "there are 1 or 2 graphs"),
    "a negative size": (tensor("0.num_edges", lambda t: t.mul_(-1)), "num_edges cannot be -3"),
    "an absurd size": (tensor("0.num_edges", lambda t: t.fill_(2**62)), "num_edges cannot be"),
    "more edges": (tensor("0.num_edges", lambda t: t.add_(1)), "rows, the graphs"),
    "fewer nodes": (tensor("0.num_nodes", lambda t: t.sub_(1)), "header says|rows, the graphs"),
    "a negative id": (tensor("0.edges0.coo.src", lambda t: t.sub_(1)), "node ids are out of"),
    "an id too large": (tensor("0.edges0.coo.dst", lambda t: t.add_(2)), "node ids are out of"),
    "float ids in a tensor": (tensor("0.edges0.coo.dst", lambda t: t.float()), "coo.dst has shape"),
    "ids in two dimensions": (tensor("0.edges0.coo.dst", lambda t: t[None]), "coo.dst has shape"),
    "contradiction": (tensor("0.edges0.coo.src", lambda t: t.flip(0)), "hold different edges"),
    "falling pointers": (
        tensor("0.edges0.csr.indptr", lambda t: t.copy_(torch.tensor([0, 3, 1, 3] * 2))),
        "row pointers do not rise",
    ),
    "late pointers": (tensor("0.edges0.csr.indptr", lambda t: t.add_(1)), "row pointers do not"),
    "a neighbour too large": (tensor("0.edges0.csr.indices", lambda t: t.add_(4)), "out of range"),
    "an edge id too large": (tensor("0.edges0.csc.eids", lambda t: t.add_(9)), "edge ids are out"),
    "an edge id twice": (tensor("0.edges0.csc.eids", lambda t: t.fill_(0)), "edge id occurs twice"),
    "bytes missing": (tensor("1.edata0.0", lambda t: t[:, 1:]), "the header says"),
    "batch sizes": (tensor("1.batch_nodes0", lambda t: t.sub_(1)), "do not add up"),
    "a negative batch size": (
        tensor("1.batch_nodes0", lambda t: t.copy_(torch.tensor([-1, 6, 2, 3]))),
        "are out of range",
    ),
    "batch counts": (tensor("1.batch_nodes0.count", lambda t: t.mul_(-1)), "impossible lengths"),
}


@pytest.mark.parametrize(("edit", "match"), EDITS.values(), ids=EDITS)
def test_contradictions(edit: Callable, match: str, saved: Path) -> None:
    without_checksums(saved)
    edited(saved, edit)
    with pytest.raises(gs.FileError, match=match):
        gs.load_graphs(saved)


def test_unedited_is_loaded(saved: Path) -> None:
    """What the edits of `test_contradictions` change is sound without them."""
    # So are files of earlier versions, which have no checksums.
    without_checksums(saved)
    for found in gs.load_graphs(saved)[0]:
        assert_graph_valid(found)


# --- files of DGL, byte by byte ------------------------------------------------------------------

PATCHES = {
    "an older version": ("all_formats", 8, 1, "no reader for version 1 and kind 2"),
    "the first kind of graph": ("all_formats", 16, 1, "no reader for version 2 and kind 1"),
    "another number of graphs": ("all_formats", 24, 3, "without an index of its graphs"),
    "the first graph": ("all_formats", 4096, 0, "labels do not end where the graphs start"),
    "a label": ("all_formats", 4104, 9, "there is no array at byte|bytes are missing|no numbers"),
    "the magic of a graph": ("all_formats", 4112, 0, "there is no graph at byte 4112"),
    "the index": ("all_formats", -1, 9, "without an index of its graphs"),
    "kind 2 of the first format": ("first_format", 16, 2, "no reader for version 1 and kind 2"),
    "another number of graphs, first format": ("first_format", 4096, 4, r"4 graphs have \[3, 3, 3"),
    "the first position": ("first_format", 4112, 0, "there is no array at byte"),
    "a number of nodes": ("first_format", 4144, 9, r"9 nodes and \d+ edges have arrays of \("),
    "a number of edges": ("first_format", 4176, 99, "nodes and 99 edges have arrays of"),
}


@pytest.mark.parametrize(("name", "at", "value", "match"), PATCHES.values(), ids=PATCHES)
def test_patched_files_of_dgl(name: str, at: int, value: int, match: str, tmp_path: Path) -> None:
    content = bytearray((ARCHIVES / f"{name}.bin").read_bytes())
    content[at] = value
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(gs.FileError, match=f"was written by DGL, but cannot be read: .*({match})"):
        gs.load_graphs(tmp_path / "x")


def test_older_codes_of_formats_are_refused(tmp_path: Path) -> None:
    """Before the 64-bit code of allowed formats, DGL wrote numbers with another meaning."""
    content = bytearray((ARCHIVES / "csr.bin").read_bytes())
    at = content.index(bytes.fromhex("27a1b4f6f0602edd"))
    content[at + 20] = 0
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(gs.FileError, match="older DGL; load it with DGL"):
        gs.load_graphs(tmp_path / "x")
