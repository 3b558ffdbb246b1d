"""The command over files of datasets: what is read is what was drawn."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from benchmarks.adapters import load
from benchmarks.data_rows import DATA_ROWS, SMALL
from benchmarks.inputs import make_arrays, make_edges

from benchmarks import data


def test_a_small_run(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    flags = ["--small", "--without", "dgl", "--threads", "1", "--rounds", "1"]
    status = data.main([*flags, "--json", str(tmp_path / "out.json")])
    printed = capsys.readouterr()
    assert status == 0, printed.err + printed.out
    rows = json.loads((tmp_path / "out.json").read_text())["rows"]
    assert [row["name"] for row in rows] == list(DATA_ROWS)


@pytest.mark.parametrize("name", DATA_ROWS)
def test_what_is_read_is_what_was_drawn(name: str) -> None:
    row, sizes = DATA_ROWS[name], SMALL[DATA_ROWS[name].graph]
    src, dst = make_edges(row, sizes)
    arrays = make_arrays(row, sizes)
    inputs = {k: torch.from_numpy(v) for k, v in {"src": src, "dst": dst, **arrays}.items()}
    form = load("gossamer").datasets(row, inputs, sizes)["data"]()
    found = form.check()
    if row.graph == "tables":
        assert (found["src"].tolist(), found["dst"].tolist()) == (src.tolist(), dst.tolist())
        assert torch.allclose(found["w"], inputs["w"].double(), atol=1e-6)
        assert form.run()["graph"].num_edges() == sizes.edges
        return
    assert found["edges"].shape == (sizes.edges, 2)
    assert len(form.run()["data"]) == sizes.nodes // 25 == len(found["labels"])
    if "x" in inputs:
        assert torch.allclose(found["node_attr"], inputs["x"].double(), atol=1e-6)
