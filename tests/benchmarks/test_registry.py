"""The workloads: complete, consistent, and counted as the README says."""

from __future__ import annotations

import ast

import pytest
from benchmarks.adapters import dgl_api, oracle
from benchmarks.registry import FULL, SMALL, WORKLOADS, select
from benchmarks.workload import Sizes, Traffic

from helpers.paths import REPOSITORY

ROWS = sorted(WORKLOADS)


@pytest.mark.parametrize("name", ROWS)
def test_each_row_is_consistent(name: str) -> None:
    row = WORKLOADS[name]
    assert row.about
    assert row.goal >= 1
    assert set(row.weight_arrays) <= set(row.arrays)
    for sizes in (FULL[row.graph], SMALL[row.graph]):
        assert all(size > 0 for array in row.arrays for size in row.shape(array, sizes))
        assert row.flops(sizes) >= 0


def test_each_adapter_has_each_row() -> None:
    # PyG's adapter cannot be imported here; its tables are read as text.
    files = [
        REPOSITORY / "benchmarks" / "adapters" / f"pyg{part}.py" for part in ("", "_convolutions")
    ]
    nodes = [n for file in files for n in ast.walk(ast.parse(file.read_text()))]
    tables = [n.value for n in nodes if isinstance(n, ast.AnnAssign) and n.value]
    keys = {key.value for t in tables if isinstance(t, ast.Dict) for key in t.keys if key}
    assert set(ROWS) <= keys
    assert set(oracle._ROWS) == set(ROWS)
    assert dgl_api._ROWS.keys() | dgl_api._ROWS_WITHOUT_GRAPH.keys() == set(ROWS)


def test_traffic_of_a_sum_is_counted_by_hand() -> None:
    traffic = WORKLOADS["copy_u/sum"].traffic(Sizes(nodes=10, edges=100))
    # 11 row pointers and 100 sources of 4 bytes, 10 rows of 64 floats written, 100 rows gathered.
    assert traffic.stream == 4 * 111 + 10 * 256
    assert traffic.gathers == {256: 100}
    assert traffic.total == traffic.stream + 25_600


def test_traffic_of_weights_and_gradients_is_counted_by_hand() -> None:
    sizes = Sizes(nodes=10, edges=100)
    plain = WORKLOADS["copy_u/sum"].traffic(sizes)
    weighted = WORKLOADS["u_mul_e/sum"].traffic(sizes)
    assert weighted.stream - plain.stream == 4 * 100
    both = WORKLOADS["copy_u/sum fwd+bwd"].traffic(sizes)
    assert (both.stream, both.gathers) == (2 * plain.stream, {256: 200})
    softmax = WORKLOADS["edge_softmax"].traffic(sizes)
    assert (softmax.stream, softmax.gathers) == (4 * 11 + 2 * 100 * 32, {})


def test_bound_adds_the_streams_and_the_gathers() -> None:
    traffic = Traffic(stream=1000, gathers={256: 10, 32: 5})
    assert traffic.bound(100.0, {256: 256.0, 32: 16.0}) == pytest.approx(10 + 10 + 10)


def test_rows_are_chosen_by_name_or_beginning() -> None:
    assert len(select(None, WORKLOADS)) == len(WORKLOADS)
    assert [row.name for row in select("copy_u/sum", WORKLOADS)] == ["copy_u/sum"]
    assert [row.name for row in select("GAT, edge_softmax", WORKLOADS)] == [
        "edge_softmax",
        "GATConv fwd+bwd",
        "GATv2Conv fwd+bwd",
    ]
    with pytest.raises(SystemExit, match="No row is called 'gcn'") as stop:
        select("gcn", WORKLOADS)
    lines = str(stop.value).splitlines()
    assert max(map(len, lines)) <= 70
    assert [name for line in lines[1:] for name in line.rstrip(",").split(", ")] == list(WORKLOADS)
