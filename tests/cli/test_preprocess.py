"""`gossamer preprocess`: as a user calls it, and every wrong call."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

import gossamer.graphbolt as gb
from gossamer.cli import main
from gossamer.graphbolt.preprocess import BUILT

METADATA = "graph:\n  nodes: [{num: 20}]\n  edges: [{format: csv, path: edges.csv}]\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    edges = np.random.default_rng(0).integers(0, 20, (90, 2))
    np.savetxt(tmp_path / "edges.csv", edges, fmt="%d", delimiter=",")
    (tmp_path / "metadata.yaml").write_text(METADATA)
    return tmp_path


def test_a_folder_is_built_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["preprocess", str(folder)]) == 0
    out = capsys.readouterr().out
    assert "20 nodes and 90 edges in" in out and "OnDiskDataset(" in out
    built = folder / BUILT / "state.json"
    first = built.stat().st_mtime_ns
    assert main(["preprocess", str(folder), "--quiet"]) == 0
    assert capsys.readouterr().out == "" and built.stat().st_mtime_ns == first
    assert main(["preprocess", str(folder), "--quiet", "--force"]) == 0
    assert built.stat().st_mtime_ns > first


def test_edge_ids_and_wide_ids(folder: Path) -> None:
    assert main(["preprocess", str(folder), "--edge-ids", "--wide-ids", "--quiet"]) == 0
    graph = gb.OnDiskDataset(
        str(folder), include_original_edge_id=True, auto_cast_to_optimal_dtype=False
    )
    graph = graph.load().graph
    assert graph.indices.dtype is torch.int64
    eids = graph.edge_attribute(gb.ORIGINAL_EDGE_ID)
    src, dst = torch.from_numpy(np.loadtxt(folder / "edges.csv", dtype=np.int64, delimiter=",")).T
    assert torch.equal(src[eids], graph.indices)
    assert torch.equal(dst[eids], torch.arange(20).repeat_interleave(graph.csc_indptr.diff()))


def test_checking(folder: Path, capsys, fails: Callable[..., str]) -> None:
    assert "is not preprocessed. Run" in fails("preprocess", str(folder), "--check")
    assert main(["preprocess", str(folder), "--quiet"]) == 0
    assert main(["preprocess", str(folder), "--check"]) == 0
    assert "match their checksums" in capsys.readouterr().out
    line = fails("preprocess", str(folder), "--check", "--force")
    assert "--check builds nothing, so --force has no effect. Omit one of them" in line
    path = folder / BUILT / "indices.npy"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    assert "indices.npy has changed" in fails("preprocess", str(folder), "--check")


def test_wrong_input_ends_with_one_line(folder: Path, fails: Callable[..., str]) -> None:
    assert "There is no folder" in fails("preprocess", str(folder / "nowhere"))
    (folder / "empty").mkdir()
    assert "There is no file" in fails("preprocess", str(folder / "empty"))
    for change, message in {
        ("num: 20", "num: 5"): "but there are 5 nodes",
        ("num: 20", "num: many"): "needs 'num'",
        ("nodes: [{num: 20}]", "nodes: 20"): "must be a list of mappings",
        ("edges.csv", "../edges.csv"): "leaves the folder",
        ("edges.csv", "other.csv"): "there is no file",
        ("format: csv", "format: parquet"): "cannot be read as Parquet",
        ("graph:", "graphs:"): "has no 'graph'",
    }.items():
        (folder / "metadata.yaml").write_text(METADATA.replace(*change))
        assert message in fails("preprocess", str(folder)), change
    assert not (folder / BUILT).exists()
