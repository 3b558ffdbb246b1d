"""The interface of a graph's state: other packages read it, and read nothing else."""

from __future__ import annotations

import ast

import pytest
import torch

import gossamer as gs
from gossamer.graph.frame import Frame
from gossamer.graph.schema import Schema
from gossamer.ops.adjacency import Adjacency
from helpers.paths import REPOSITORY

PACKAGE = REPOSITORY / "src" / "gossamer"


def _private_names() -> set[str]:
    """Private attributes of graphs, frames and adjacencies."""
    g = gs.graph(([0], [1]))
    names = {*vars(g), *dir(g), *Frame.__slots__, *dir(Frame), *Adjacency.__slots__}
    return {name for name in names if name.startswith("_") and not name.startswith("__")}


def _private_reads(source: str, names: set[str]) -> list[tuple[int, str]]:
    """Line and name of each read of one of `names` on something else than self or cls."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and node.attr in names:
            owner = node.value.id if isinstance(node.value, ast.Name) else None
            if owner not in ("self", "cls"):
                found.append((node.lineno, node.attr))
    return found


def test_other_packages_read_no_private_attributes() -> None:
    names = _private_names()
    assert {"_schema", "_adjacencies", "_node_frames", "_columns", "_csc"} <= names
    wrong = [
        f"{path.relative_to(PACKAGE)}:{line}: {name}"
        for path in sorted(PACKAGE.rglob("*.py"))
        if path.relative_to(PACKAGE).parts[0] != "graph" and path.name != "adjacency.py"
        for line, name in _private_reads(path.read_text(encoding="utf-8"), names)
    ]
    assert not wrong, "Use the interface of GraphBase:\n" + "\n".join(wrong)


@pytest.mark.parametrize(
    ("source", "count"),
    [("g._schema", 1), ("f()._schema", 1), ("self._schema", 0), ("g.schema", 0)],
)
def test_the_search_itself(source: str, count: int) -> None:
    assert len(_private_reads(source, {"_schema"})) == count


def test_parts() -> None:
    g = gs.heterograph({("a", "r", "b"): ([0, 1], [0, 2]), ("b", "s", "b"): ([0], [1])})
    g.nodes["b"].data["h"] = torch.ones(3)
    assert g.schema == Schema(("a", "b"), (("a", "r", "b"), ("b", "s", "b")))
    assert [relation.num_edges for relation in g.relations] == [2, 1]
    assert [frame.num_rows for frame in g.node_frames] == [2, 3]
    assert [list(frame) for frame in g.node_frames] == [[], ["h"]]
    assert [frame.num_rows for frame in g.edge_frames] == [2, 1]
    assert g.relation("s") is g.relations[1]
    assert not g.is_batch
    assert gs.batch([g, g]).is_batch


def test_replaced_shares_the_rest() -> None:
    g = gs.batch([gs.graph(([0], [1])), gs.graph(([0], [1]))])
    frame = Frame(4)
    frame["x"] = torch.arange(4)
    other = g.replaced(node_frames=[frame])
    assert "x" in other.ndata
    assert "x" not in g.ndata
    assert other.adjacency is g.adjacency
    assert other.batch_num_nodes().tolist() == [2, 2]


@pytest.mark.parametrize("nodes", [[1, 2], torch.tensor([1, 2]), [False, True, True], gs.ALL])
def test_checked_nodes(nodes: object) -> None:
    g = gs.graph(([0, 1], [1, 2]), idtype=torch.int32)
    ids = g.checked_nodes(nodes, 0)
    assert ids.dtype == torch.int32
    assert ids.tolist() == ([0, 1, 2] if nodes is gs.ALL else [1, 2])
    with pytest.raises(gs.OutOfRangeError, match=r"Id 7 is not among the nodes of type '_N'"):
        g.checked_nodes([7], 0)


def test_read_only() -> None:
    with pytest.raises(AttributeError):
        gs.graph(([0], [1])).schema = None
