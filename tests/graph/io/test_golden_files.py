"""Files of graphs: answers as DGL 2.1.0 gave them, and the files that it wrote."""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch

import gossamer as gs
from golden.harness import FOLDER, encode, recorded_tests, same
from golden.record_archives import encoded
from gossamer.data.utils import load_labels
from helpers.compare import assert_graph_valid, assert_tensor_equal

ARCHIVES = FOLDER / "archives"
RECORDED = json.loads((ARCHIVES / "archives.json").read_text(encoding="utf-8"))

(
    test_recorded_cases_are_the_listed_ones,
    test_same_as_recorded,
    test_deliberate_differences_are_real,
) = recorded_tests("files")


@pytest.mark.parametrize("name", RECORDED)
def test_files_of_dgl_hold_what_dgl_finds_there(name: str) -> None:
    recorded = RECORDED[name]
    graphs, labels = gs.load_graphs(ARCHIVES / f"{name}.bin")

    assert len(graphs) == len(recorded["graphs"])
    for g, wanted, formats in zip(graphs, recorded["graphs"], recorded["formats"], strict=True):
        # DGL calls the node type of graphs in its first format _U; here it is _N, as everywhere.
        wanted = json.loads(json.dumps(wanted).replace('"_U"', '"_N"'))
        assert_same(encoded(g), wanted)
        assert g.formats() == formats
    assert_same(encode(labels), recorded["labels"])
    assert_same(encode(load_labels(ARCHIVES / f"{name}.bin")), recorded["labels"])


@pytest.mark.parametrize("name", ["homogeneous", "heterogeneous", "dtypes"])
def test_graphs_of_dgl_are_valid(name: str) -> None:
    graphs, _ = gs.load_graphs(ARCHIVES / f"{name}.bin")
    for g in graphs:
        g.create_formats_()
        assert_graph_valid(g)


def test_some_graphs_of_a_file_of_dgl() -> None:
    path = ARCHIVES / "homogeneous.bin"
    recorded = RECORDED["homogeneous"]["graphs"]
    graphs, labels = gs.load_graphs(path, [4, 0, 4])

    assert_same([encoded(g) for g in graphs], [recorded[i] for i in (4, 0, 4)])
    assert sorted(labels) == ["largest value", "none", "y"]
    with pytest.raises(gs.OutOfRangeError, match=r"names graph 6, but .* has 6 graphs"):
        gs.load_graphs(path, [6])


def test_features_of_dgl_can_be_written_to() -> None:
    before = (ARCHIVES / "csr.bin").read_bytes()
    (g,), _ = gs.load_graphs(ARCHIVES / "csr.bin")
    g.ndata["h"].zero_()
    assert (ARCHIVES / "csr.bin").read_bytes() == before


def test_a_label_without_dimensions(tmp_path: Any) -> None:
    """DGL 2.1.0 writes such a label rightly and reads memory that is not its own back."""
    content = bytearray((ARCHIVES / "csr.bin").read_bytes())
    array = content[content.index(bytes.fromhex("3fa1b496f0405edd")) :][:24]
    array += b"\0\0\0\0\x02\x20\1\0" + (4).to_bytes(8, "little") + b"\0\0\xc0\x3f"
    label = (1).to_bytes(8, "little") + b"y" + array
    content[4096:4112] = (4112 + len(label)).to_bytes(8, "little") + (1).to_bytes(8, "little")
    content[4112:4112] = label
    content[-16:-8] = (4112 + len(label)).to_bytes(8, "little")
    (tmp_path / "x").write_bytes(content)

    graphs, labels = gs.load_graphs(tmp_path / "x")
    assert_tensor_equal(labels["y"], torch.tensor(1.5))
    assert_same(encoded(graphs[0]), RECORDED["csr"]["graphs"][0])


def assert_same(found: Any, wanted: Any) -> None:
    assert same(found, wanted), f"DGL:  {json.dumps(wanted)}\nours: {json.dumps(found)}"
