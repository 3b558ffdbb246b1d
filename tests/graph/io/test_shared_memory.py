"""Graphs in shared memory: other processes find them by name."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

import gossamer as gs
from gossamer.graph.io import shared_memory
from helpers.compare import assert_graph_equal
from helpers.graphs import GraphCase, graph_cases


@pytest.fixture
def name() -> Iterator[str]:
    yield f"test-{os.getpid()}"
    gc.collect()


def bare(g: gs.Graph) -> gs.Graph:
    """The structure alone."""
    counts = [frame.num_rows for frame in g.node_frames]
    return gs.Graph.from_parts(g.schema, g.relations, num_nodes=counts)


@pytest.mark.parametrize("case", graph_cases())
def test_the_same_structure(case: GraphCase, name: str) -> None:
    g = case()
    shared = g.shared_memory(name)
    assert_graph_equal(shared, bare(g))
    assert_graph_equal(gs.hetero_from_shared_memory(name), bare(g))


def test_another_process(name: str) -> None:
    g = gs.rand_graph(100, 1000)
    g.ndata["h"] = torch.ones(100)
    shared = g.shared_memory(name)
    program = (
        "import sys, gossamer as gs; g = gs.hetero_from_shared_memory(sys.argv[1]);"
        "print(g.num_nodes(), int(g.edges()[0].sum()), int(g.in_degrees().max()), list(g.ndata))"
    )
    command = [sys.executable, "-c", program, name]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    total, largest = int(g.edges()[0].sum()), int(g.in_degrees().max())
    assert run.stdout.split("\n")[0] == f"100 {total} {largest} []"
    assert shared.num_edges() == 1000  # the name is in use until here


def test_the_name_is_free_when_the_graph_is_gone(name: str) -> None:
    g = gs.graph(([0, 1], [1, 2]))
    shared = g.shared_memory(name)
    attached = gs.hetero_from_shared_memory(name)
    with pytest.raises(gs.InvalidValueError, match=rf"the name '{name}' is in use\. Choose"):
        g.shared_memory(name)
    del shared
    gc.collect()
    with pytest.raises(gs.FileError, match=rf"no graph in shared memory under the name '{name}'"):
        gs.hetero_from_shared_memory(name)
    assert attached.edges()[1].tolist() == [1, 2]
    assert g.shared_memory(name).num_edges() == 2


def test_formats(name: str) -> None:
    g = gs.graph(([0, 1], [1, 2]))
    shared = g.shared_memory(name, formats=["csc"])
    assert gs.hetero_from_shared_memory(name).formats()["created"] == ["csc"]
    del shared
    gc.collect()
    with pytest.raises(gs.InvalidValueError, match=r"among \['coo'\] .* got \['csr'\]"):
        g.formats("coo").shared_memory(name, ["csr"])


def test_forked_processes_do_not_remove_it(name: str) -> None:
    shared = gs.graph(([0, 1], [1, 2])).shared_memory(name)
    path = shared_memory.shared_path(name, "test", "graph")
    shared_memory.remove_shared(path, os.getpid() + 1)
    assert gs.hetero_from_shared_memory(name).num_edges() == shared.num_edges()


@pytest.mark.parametrize("bad", ["", "../x", "a/b", "a b", "x" * 300])
def test_names(bad: str) -> None:
    with pytest.raises(gs.InvalidValueError, match="name has letters, digits"):
        gs.graph(([0], [1])).shared_memory(bad)
    with pytest.raises(gs.InvalidTypeError, match="name is a str, got int"):
        gs.hetero_from_shared_memory(3)


def test_something_else_under_the_name(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_memory, "_FOLDER", str(tmp_path))
    for content in (b"", b"x" * 100, (2).to_bytes(8, "little") + b"{}"):
        (tmp_path / f"gossamer-graph-{name}").write_bytes(content)
        with pytest.raises(gs.FileError, match="holds no graph"):
            gs.hetero_from_shared_memory(name)
