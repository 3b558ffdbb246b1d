"""Saving graphs to a file and loading them again."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors
import safetensors.torch
import torch

import gossamer as gs
from golden.harness import FOLDER
from gossamer import _files
from gossamer.data.utils import load_labels
from gossamer.graph.io.layout import KEY, STORED_AS_BYTES, STORED_DIRECTLY
from helpers.compare import assert_graph_equal, assert_tensor_equal
from helpers.graphs import GraphCase, graph_cases


def dressed(g: gs.Graph) -> gs.Graph:
    for ntype in g.srctypes:
        g.srcnodes[ntype].data["h"] = torch.randn(g.num_src_nodes(ntype), 2)
    for etype in g.canonical_etypes:
        g.edges[etype].data["w"] = torch.randn(g.num_edges(etype))
    return g


def edited(path: Path, edit: Any) -> Path:
    """The file with its header and tensors put through `edit`."""
    with safetensors.safe_open(path, framework="pt") as file:
        tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118
        header = json.loads(file.metadata()[KEY])
    edit(header, tensors)
    safetensors.torch.save_file(tensors, path, {KEY: json.dumps(header)})
    return path


# --- round trips ---------------------------------------------------------------------------------


@pytest.mark.parametrize("formats", [None, ["csr", "csc"]], ids=str)
@pytest.mark.parametrize("case", graph_cases())
def test_what_is_loaded_is_what_was_saved(case: GraphCase, formats: Any, tmp_path: Path) -> None:
    g = dressed(case())
    gs.save_graphs(tmp_path / "x", g, formats=formats)
    (back,), labels = gs.load_graphs(tmp_path / "x")

    assert back.formats()["created"] == (formats or ["coo"])
    assert_graph_equal(back, g)
    assert labels == {}
    assert [list(back.edges[e].data) for e in back.canonical_etypes] == [
        list(g.edges[e].data) for e in g.canonical_etypes
    ]


@pytest.mark.parametrize("formats", [None, ["csr"]], ids=str)
def test_every_kind_of_graph_in_one_file(formats: Any, tmp_path: Path) -> None:
    saved = [dressed(case.values[0]()) for case in graph_cases()]
    gs.save_graphs(tmp_path / "x", saved, formats=formats)
    loaded, _ = gs.load_graphs(tmp_path / "x")
    for found, wanted in zip(loaded, saved, strict=True):
        assert_graph_equal(found, wanted)

    numbers = [5, 0, *range(len(saved) - 1, 2, -2), 5]
    loaded, _ = gs.load_graphs(tmp_path / "x", numbers)
    for found, number in zip(loaded, numbers, strict=True):
        assert_graph_equal(found, saved[number])
    assert loaded[0] is not loaded[-1]


def test_order_of_edges_and_given_formats_survive(tmp_path: Path) -> None:
    """A CSR that was given keeps its order within rows, and its edge ids."""
    g = gs.graph(("csr", ([0, 2, 2, 3], [1, 2, 0], [2, 0, 1])))
    gs.save_graphs(tmp_path / "x", [g, g.formats("csc")])
    (back, restricted), _ = gs.load_graphs(tmp_path / "x")

    for found, wanted in zip(back.adj_tensors("csr"), g.adj_tensors("csr"), strict=True):
        assert_tensor_equal(found, wanted)
    assert restricted.formats() == {"created": ["csc"], "not created": []}


def test_a_batch_stays_a_batch(tmp_path: Path) -> None:
    parts = [dressed(gs.graph(([0, 1], [1, 2]))), dressed(gs.graph(([], []), num_nodes=2))]
    bg = gs.batch(parts)
    only_nodes = gs.graph(([0], [1]), num_nodes=4)
    only_nodes.set_batch_num_nodes(torch.tensor([1, 3]))
    gs.save_graphs(tmp_path / "x", [bg, gs.batch([bg, bg]), only_nodes])
    (one, two, three), _ = gs.load_graphs(tmp_path / "x")

    for found, wanted in zip(gs.unbatch(one), parts, strict=True):
        assert_graph_equal(found, wanted)
    assert_graph_equal(two, gs.batch([bg, bg]))
    assert three.batch_num_nodes().tolist() == [1, 3] and three.batch_num_edges().tolist() == [1]


@pytest.mark.filterwarnings("ignore:ComplexHalf support is experimental")
@pytest.mark.parametrize("dtype", sorted(STORED_DIRECTLY | STORED_AS_BYTES, key=str), ids=str)
def test_every_dtype_of_features_and_labels(dtype: torch.dtype, tmp_path: Path) -> None:
    bits = torch.randint(0, 2, (2 * 3 * dtype.itemsize,), dtype=torch.uint8)
    value = bits.view(dtype).reshape(2, 3)
    g = gs.graph(([0], [1]))
    g.ndata["x"], g.ndata["empty"], g.edata["x"] = value, value[:, :0], value[1:]
    gs.save_graphs(tmp_path / "x", [g, g], {"scalar": value[0, 0], "empty": value[:0]})
    (back, again), labels = gs.load_graphs(tmp_path / "x")

    for found, wanted in (
        (back.ndata["x"], value),
        (again.ndata["x"], value),
        (back.ndata["empty"], value[:, :0]),
        (back.edata["x"], value[1:]),
        (labels["scalar"], value[0, 0]),
        (labels["empty"], value[:0]),
    ):
        assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape)
        assert bytes_of(found) == bytes_of(wanted)


def bytes_of(tensor: torch.Tensor) -> list[int]:
    return tensor.contiguous().flatten().view(torch.uint8).tolist()


def test_views_shared_tensors_and_gradients(tmp_path: Path) -> None:
    big = torch.randn(4, 6, requires_grad=True)
    g = gs.graph(([0], [1]), num_nodes=4)
    g.ndata["a"], g.ndata["b"], g.ndata["t"] = big, big, big.detach()[:, ::2]
    g.ndata["conj"] = torch.randn(4, dtype=torch.complex64).conj()
    gs.save_graphs(tmp_path / "x", [g], {"a": big})
    (back,), labels = gs.load_graphs(tmp_path / "x")

    for name in ("a", "b", "t", "conj"):
        assert_tensor_equal(back.ndata[name], g.ndata[name].detach().resolve_conj(), name)
    assert_tensor_equal(labels["a"], big.detach())
    assert not back.ndata["a"].requires_grad


def test_any_name_will_do(tmp_path: Path) -> None:
    names = ["", "a/b", "0.num_nodes", "__metadata__", "naïve", '"}', "\n\0"]
    g = gs.heterograph({(f"s{n}", n, f"d{n}"): ([0], [0]) for n in names})
    for ntype in g.ntypes:
        for name in names:
            g.nodes[ntype].data[name] = torch.rand(1)
    gs.save_graphs(tmp_path / "x", g, {name: torch.rand(2) for name in names})
    (back,), labels = gs.load_graphs(tmp_path / "x")

    assert_graph_equal(back, g)
    assert list(labels) == names


def test_features_that_nobody_has_read_yet_are_saved(tmp_path: Path) -> None:
    g = dressed(gs.graph(([0, 1, 2], [1, 2, 0])))
    part = gs.node_subgraph(g, [2, 0])
    gs.save_graphs(tmp_path / "x", part)
    assert_graph_equal(gs.load_graphs(tmp_path / "x")[0][0], part)


def test_labels_alone_and_no_graphs(tmp_path: Path) -> None:
    labels = {"z": torch.arange(3), "a": torch.tensor([True])}
    gs.save_graphs(tmp_path / "x", [], labels)

    assert gs.load_graphs(tmp_path / "x")[0] == []
    assert list(load_labels(tmp_path / "x")) == ["z", "a"]
    assert_tensor_equal(load_labels(tmp_path / "x")["z"], labels["z"])


@pytest.mark.parametrize(
    "numbers", [(2, 0), range(2, -1, -2), np.array([2, 0]), torch.tensor([2, 0])], ids=repr
)
def test_kinds_of_idx_list(numbers: Any, tmp_path: Path) -> None:
    gs.save_graphs(tmp_path / "x", [gs.graph(([0], [i])) for i in range(3)])
    loaded, _ = gs.load_graphs(str(tmp_path / "x"), numbers)
    assert [g.edges()[1].item() for g in loaded] == [2, 0]


# --- the file ------------------------------------------------------------------------------------


def test_many_small_graphs_take_few_tensors(tmp_path: Path) -> None:
    saved = [
        dressed(gs.graph(([0] * (i % 3), [1] * (i % 3)), num_nodes=2 + i % 5)) for i in range(500)
    ]
    gs.save_graphs(tmp_path / "x", saved)
    with safetensors.safe_open(tmp_path / "x", framework="pt") as file:
        assert len(file.keys()) == 6
    loaded, _ = gs.load_graphs(tmp_path / "x", [499, 3])
    assert_graph_equal(loaded[0], saved[499])
    assert_graph_equal(loaded[1], saved[3])


def test_the_same_graphs_make_the_same_file(tmp_path: Path) -> None:
    saved = [dressed(case.values[0]()) for case in graph_cases()]
    gs.save_graphs(tmp_path / "x", saved, {"a": torch.ones(1), "b": torch.ones(1)})
    gs.save_graphs(tmp_path / "y", saved, {"a": torch.ones(1), "b": torch.ones(1)})
    assert (tmp_path / "x").read_bytes() == (tmp_path / "y").read_bytes()


def featured(num_nodes: int, value: float) -> gs.Graph:
    g = gs.graph(([0], [1]), num_nodes=num_nodes)
    g.ndata["h"] = torch.full((num_nodes, 100), value)
    return g


@pytest.mark.parametrize("source", ["gossamer", "dgl"])
@pytest.mark.parametrize("change", ["overwrite", "truncate"])
def test_later_changes_of_the_file_do_not_reach_loaded_graphs(
    source: str, change: str, tmp_path: Path
) -> None:
    path = tmp_path / "x"
    if source == "dgl":
        shutil.copyfile(FOLDER / "archives" / "dtypes.bin", path)
    else:
        gs.save_graphs(path, featured(1000, 3.0), {"y": torch.full((9999,), 4.0)})
    gs.save_graphs(tmp_path / "other", featured(1000, 5.0), {"y": torch.full((9999,), 6.0)})
    (g,), labels = gs.load_graphs(path, [0])
    expected = {name: value.clone() for name, value in [*g.ndata.items(), *labels.items()]}
    (kept,), _ = gs.load_graphs(path, [0])  # not read by this test before the file changes
    if change == "truncate":
        os.truncate(path, 10)
    else:
        shutil.copyfile(tmp_path / "other", path)
    for name, value in [*g.ndata.items(), *kept.ndata.items(), *labels.items()]:
        assert torch.equal(value, expected[name])
    if source == "gossamer":
        assert set(kept.ndata["h"].unique().tolist()) == {3.0}
        assert set(labels["y"].tolist()) == {4.0}


def test_writing_to_features_leaves_the_file_alone(tmp_path: Path) -> None:
    gs.save_graphs(tmp_path / "x", featured(10, 3.0))
    before = (tmp_path / "x").read_bytes()
    (g,), _ = gs.load_graphs(tmp_path / "x")
    g.ndata["h"] += 1
    assert (tmp_path / "x").read_bytes() == before


def test_only_the_chosen_graphs_are_read(tmp_path: Path) -> None:
    gs.save_graphs(tmp_path / "x", [featured(100, float(i)) for i in range(50)])
    (g,), _ = gs.load_graphs(tmp_path / "x", [7])
    assert set(g.ndata["h"].unique().tolist()) == {7.0}
    assert g.ndata["h"].untyped_storage().nbytes() == 100 * 100 * 4


def test_what_is_loaded_outlives_the_file(tmp_path: Path) -> None:
    g = dressed(gs.graph(([0, 1], [1, 2])))
    gs.save_graphs(tmp_path / "x", g)
    (back,), _ = gs.load_graphs(tmp_path / "x")
    gs.save_graphs(tmp_path / "x", gs.graph(([0], [1])))
    assert_graph_equal(back, g)
    os.unlink(tmp_path / "x")
    assert_graph_equal(back, g)


def test_missing_folders_are_made(tmp_path: Path) -> None:
    gs.save_graphs(tmp_path / "a" / "b" / "x", gs.graph(([0], [1])))
    assert len(gs.load_graphs(tmp_path / "a" / "b" / "x")[0]) == 1


# --- writing is all or nothing -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("where", "error"),
    [
        ("save_file", OSError(28, "No space left on device")),
        ("save_file", safetensors.SafetensorError("I/O error: No space left on device")),
        ("fsync", OSError(28, "No space left on device")),
        ("replace", OSError(28, "No space left on device")),
    ],
)
def test_a_failed_save_keeps_the_old_file(
    where: str, error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gs.save_graphs(tmp_path / "x", gs.graph(([0], [1])))
    content = (tmp_path / "x").read_bytes()

    def fail(*args: object, **kwargs: object) -> None:
        raise error

    monkeypatch.setattr(safetensors.torch if where == "save_file" else os, where, fail)
    with pytest.raises(gs.FileError, match=r"Cannot write .*No space left on device"):
        gs.save_graphs(tmp_path / "x", gs.graph(([0, 1], [1, 2])))

    assert (tmp_path / "x").read_bytes() == content
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_content_reaches_the_disk_before_the_name_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = []
    monkeypatch.setattr(_files, "_flush", lambda path: steps.append(path.is_dir()))
    real = os.replace
    monkeypatch.setattr(os, "replace", lambda *names: (steps.append("replace"), real(*names)))
    gs.save_graphs(tmp_path / "x", gs.graph(([0], [1])))
    assert steps == [False, "replace", True]


def test_the_file_has_the_usual_mode(tmp_path: Path) -> None:
    gs.save_graphs(tmp_path / "x", gs.graph(([0], [1])))
    (tmp_path / "y").touch()
    assert (tmp_path / "x").stat().st_mode == (tmp_path / "y").stat().st_mode


# --- bad arguments -------------------------------------------------------------------------------

G = "gs.graph(([0], [1]))"


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (f"gs.save_graphs(3, {G})", gs.InvalidTypeError, "A file name is a str or a path, got 3"),
        (f"gs.save_graphs('', {G})", gs.InvalidTypeError, "A file name is a str or a path"),
        (f"gs.save_graphs(tmp, {G})", gs.FileError, "it is a folder"),
        (f"gs.save_graphs(tmp / 'file' / 'x', {G})", gs.FileError, "Cannot write into the folder"),
        ("gs.save_graphs(x, 3)", gs.InvalidTypeError, "g_list is a graph or a list .* got int"),
        ("gs.save_graphs(x, [3])", gs.InvalidTypeError, "element 0 is of type int"),
        (f"gs.save_graphs(x, {G}, [1])", gs.InvalidTypeError, "labels are a dict .* got list"),
        (f"gs.save_graphs(x, {G}, {{'y': [1]}})", gs.InvalidTypeError, "got str to list"),
        (f"gs.save_graphs(x, {G}, {{1: torch.ones(1)}})", gs.InvalidTypeError, "got int to Ten"),
        (
            f"gs.save_graphs(x, {G}, {{'y': torch.eye(2).to_sparse()}})",
            gs.InvalidTypeError,
            "dense tensors of numbers, got torch.sparse_coo",
        ),
        (f"gs.save_graphs(x, {G}, None, 'cs')", gs.InvalidValueError, "among .* got 'cs'"),
        (f"gs.save_graphs(x, {G}, None, 3)", gs.InvalidValueError, "among .* got 3"),
        (
            f"gs.save_graphs(x, {G}.formats('csr'), None, 'coo')",
            gs.InvalidValueError,
            r"restricted to the formats \['csr'\].* cannot be saved as \['coo'\]",
        ),
        ("gs.load_graphs(3)", gs.InvalidTypeError, "A file name is a str or a path, got 3"),
        ("gs.load_graphs(tmp)", gs.FileError, "it is a folder or a device"),
        ("gs.load_graphs('/dev/null')", gs.FileError, "it is a folder or a device"),
        ("gs.load_graphs(x)", gs.FileError, "There is no file"),
        ("gs.load_graphs(tmp / 'file' / 'x')", gs.FileError, "There is no file"),
        ("gs.load_graphs(tmp / 'file')", gs.FileError, "damaged, or was not written by"),
        ("gs.load_graphs(good, [2])", gs.OutOfRangeError, "names graph 2, but .* has 2 graphs"),
        ("gs.load_graphs(good, [-1])", gs.OutOfRangeError, "names graph -1"),
        ("gs.load_graphs(good, 1)", gs.InvalidTypeError, "idx_list is a list of int, got int"),
        ("gs.load_graphs(good, '1')", gs.InvalidTypeError, "idx_list is a list of int, got str"),
        (
            "gs.load_graphs(good, [1.0])",
            gs.InvalidTypeError,
            "each element of idx_list is an int, got 1.0",
        ),
        (
            "gs.load_graphs(good, [True])",
            gs.InvalidTypeError,
            "each element of idx_list is an int, got True",
        ),
        ("gs.load_graphs(good, torch.tensor(1))", gs.InvalidTypeError, "list of int, got int"),
        ("load_labels(x)", gs.FileError, "There is no file"),
    ],
)
def test_bad_arguments(call: str, error: type, match: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"something else, long enough to be a header")
    gs.save_graphs(tmp_path / "good", [gs.graph(([0], [1]))] * 2)
    names = {"tmp": tmp_path, "x": tmp_path / "x", "good": tmp_path / "good"}
    with pytest.raises(error, match=match):
        eval(call, {**globals(), **names})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "good"]


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere"
)
def test_a_folder_that_may_not_be_written_to(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(gs.FileError, match=r"Cannot write into the folder .*Permission denied"):
        gs.save_graphs(tmp_path / "x", gs.graph(([0], [1])))


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x")
    with pytest.raises(gs.FileError, match="it is a folder or a device"):
        gs.load_graphs(tmp_path / "x")


def test_without_safetensors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "safetensors", None)
    monkeypatch.setitem(sys.modules, "safetensors.torch", None)
    with pytest.raises(gs.MissingExtraError, match=r"safetensors', .*extra 'io'"):
        gs.save_graphs(tmp_path / "x", gs.graph(([0], [1])))


def test_newer_files_say_so(tmp_path: Path) -> None:
    gs.save_graphs(tmp_path / "x", gs.graph(([0], [1])))
    edited(tmp_path / "x", lambda header, _: header.update(version=3, groups="unheard of"))
    with pytest.raises(gs.FileError, match=r"newer Gossamer: it is of version 3, .* Update Goss"):
        gs.load_graphs(tmp_path / "x")


def test_files_of_the_first_version_have_ids_in_the_dtype_of_the_graph(tmp_path: Path) -> None:
    saved = [case.values[0]() for case in graph_cases()]
    gs.save_graphs(tmp_path / "x", saved, formats="coo")

    def edit(header: dict, tensors: dict) -> None:
        header.update(version=1, checksums={})
        for i, group in enumerate(header["groups"]):
            for name in [name for name in tensors if name.startswith(f"{i}.edges")]:
                tensors[name] = tensors[name].to(getattr(torch, group["idtype"]))

    loaded, _ = gs.load_graphs(edited(tmp_path / "x", edit))
    for found, expected in zip(loaded, saved, strict=True):
        assert_graph_equal(found, expected)


def test_node_ids_have_32_bits_if_they_fit(tmp_path: Path) -> None:
    for name, last, itemsize in (("few", 2**31 - 2, 4), ("many", 2**31 - 1, 8)):
        saved = gs.graph((torch.arange(1000), torch.full((1000,), last)))
        gs.save_graphs(tmp_path / name, saved)
        assert (tmp_path / name).stat().st_size - 2 * 1000 * itemsize < 2000
        (loaded,), _ = gs.load_graphs(tmp_path / name)
        assert loaded.num_nodes() == last + 1
        for found, expected in zip(loaded.edges(), saved.edges(), strict=True):
            assert_tensor_equal(found, expected)


def test_other_safetensors_files_say_so(tmp_path: Path) -> None:
    safetensors.torch.save_file({"x": torch.ones(1)}, tmp_path / "x")
    with pytest.raises(gs.FileError, match="a safetensors file, but not one that save_graphs"):
        gs.load_graphs(tmp_path / "x")
