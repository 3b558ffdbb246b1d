"""The command over sparse matrices: Gossamer and SciPy agree on small ones."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from benchmarks.inputs import make_edges
from benchmarks.sparse_rows import SMALL, SPARSE_ROWS

from benchmarks import sparse


def test_a_small_run_agrees_with_scipy(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    flags = ["--small", "--without", "dgl", "--without", "pyg", "--threads", "1", "--rounds", "1"]
    status = sparse.main([*flags, "--json", str(tmp_path / "out.json")])
    printed = capsys.readouterr()
    assert status == 0, printed.err + printed.out
    rows = {row["name"]: row for row in json.loads((tmp_path / "out.json").read_text())["rows"]}
    assert list(rows) == list(SPARSE_ROWS)
    beside = [name for name, row in rows.items() if "scipy" in row["columns"]]
    assert beside == [
        "sparse x dense",
        "sum",
        "product entry by entry",
        "transpose to CSR",
        "sparse x sparse",
    ]
    assert rows["softmax"]["missing"]["scipy"].endswith("SciPy has no such operation")
    assert "geometric mean of 5 ratios" in printed.out


def test_entries_are_distinct_and_by_row() -> None:
    size = SMALL["matrix"]
    src, dst = make_edges(SPARSE_ROWS["sum"], size)
    assert len(src) == size.edges
    assert (np.diff(src * size.nodes + dst) > 0).all()
    assert max(src.max(), dst.max()) < size.nodes


def test_rows_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert sparse.main(["--list"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(SPARSE_ROWS)
