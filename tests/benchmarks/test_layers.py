"""The command over layers, Gossamer alone and small; its rows, inputs and summary."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from benchmarks.adapters import layers as adapter
from benchmarks.inputs import make_arrays, make_edges
from benchmarks.layer_rows import FULL, LAYER_ROWS, SMALL, sizes
from benchmarks.measure import Column, Row
from benchmarks.registry import WORKLOADS

import gossamer as gs
from benchmarks import layers, report

OWN = [name for name in LAYER_ROWS if name not in WORKLOADS]


def test_a_small_run_times_rows(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    rows = ["GraphConv fwd+bwd", "EGATConv", "HeteroGraphConv", "Set2Set", "MPNN molecules"]
    flags = ["--small", "--without", "dgl", "--without", "pyg", "--threads", "1", "--rounds", "1"]
    json_file = tmp_path / "out.json"
    status = layers.main([*flags, "--rows", ",".join(rows), "--json", str(json_file)])
    printed = capsys.readouterr()
    assert status == 0, printed.err + printed.out
    found = json.loads(json_file.read_text())["rows"]
    assert {row["name"] for row in found} == set(rows)
    assert all(row["columns"]["gossamer"]["median"] > 0 for row in found)
    assert "no row was timed with a peer\nmore memory than a peer: no row" in printed.out


@pytest.mark.parametrize("name", OWN)
def test_every_row_runs_with_gradients_of_all_its_arrays(name: str) -> None:
    row = LAYER_ROWS[name]
    small = sizes(row, small=True)
    arrays = make_arrays(row, small)
    inputs = {key: torch.from_numpy(value) for key, value in arrays.items()}
    inputs["src"], inputs["dst"] = map(torch.from_numpy, make_edges(row, small))
    (prepare,) = adapter.forms(gs, row, inputs, small).values()
    found = prepare().run()
    assert found.keys() == {"out"} | {f"grad_{key}" for key in row.arrays if key != "g"}
    for key, value in found.items():
        assert value.isfinite().all(), key
        if key != "out":
            assert value.shape == arrays[key.removeprefix("grad_")].shape
            assert value.any(), key


def test_edges_go_both_ways_without_self_loops() -> None:
    row = LAYER_ROWS["ChebConv"]
    src, dst = make_edges(row, SMALL["both ways"])
    assert len(src) == SMALL["both ways"].edges
    assert (src != dst).all() and (np.diff(dst) >= 0).all()
    assert np.bincount(dst, minlength=SMALL["both ways"].nodes).min() >= 2
    forward, backward = (sorted(zip(a, b, strict=True)) for a, b in ((src, dst), (dst, src)))
    assert forward == backward


def test_molecules_are_separate_graphs() -> None:
    src, dst = make_edges(LAYER_ROWS["GIN molecules"], SMALL["molecules"])
    assert (src // 25 == dst // 25).all()
    assert (np.bincount(dst // 25) == 54).all()


@pytest.mark.parametrize("graph", FULL)
def test_the_scale_keeps_graphs_whole(graph: str) -> None:
    row = next(row for row in LAYER_ROWS.values() if row.graph == graph)
    full, half, tiny = (sizes(row, scale=scale) for scale in (1.0, 0.5, 1e-9))
    assert full == FULL[graph]
    assert abs(half.nodes / full.nodes - 0.5) < 0.01 and abs(half.edges / full.edges - 0.5) < 0.01
    assert tiny.nodes > 0 and tiny.edges % 2 == 0
    if graph in ("molecules", "readout"):
        assert (tiny.nodes, tiny.edges) == (100, 216)


def test_rows_that_need_more_memory_are_named() -> None:
    rows = []
    for name, memory in (("more", (5, 2, 9)), ("less", (1, 2, 9)), ("alone", (5, None, None))):
        row = Row(name, "", 1.0)
        for library, size in zip(("gossamer", "dgl", "pyg"), memory, strict=True):
            if size is not None:
                row.columns[library] = Column("layer", {}, {}, extra_memory=size << 20)
        rows.append(row)
    found = report.memory_summary(rows, ["gossamer", "dgl", "pyg"])
    assert found == "more memory than a peer: more (5 MB, smallest 2 MB)"


def test_rows_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert layers.main(["--list"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(LAYER_ROWS)
