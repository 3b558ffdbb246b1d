"""Ids and features that do not lie side by side in memory, such as a column of a matrix.

The native kernels read memory from one end to the other, so each public door must bring it into
that form. Between the numbers lie others that would do damage.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor

import gossamer as gs
from gossamer import function as fn
from gossamer import ops
from helpers.compare import assert_tensor_equal

NODES, EDGES = 30, 100


def _draw(kind: str, idtype: torch.dtype) -> Tensor:
    """What the calls below take, by name."""
    generator = torch.Generator().manual_seed(len(kind))
    if kind in ("u", "v"):
        generator = torch.Generator().manual_seed(ord(kind))
        return torch.randint(NODES, (EDGES,), generator=generator).to(idtype)
    if kind == "n":
        return torch.randperm(NODES, generator=generator)[:9].to(idtype)
    if kind == "e":
        return torch.randperm(EDGES, generator=generator)[:20].to(idtype)
    if kind == "lengths":
        return torch.tensor([30, 0, 70]).to(idtype)
    if kind == "groups":
        return torch.randint(3, (EDGES,), generator=generator).to(idtype)
    if kind == "tags":
        return torch.randint(3, (NODES,), generator=generator).to(idtype)
    size = {"x": NODES, "w": EDGES, "logits": 20}[kind]
    return torch.rand(size, generator=generator)


def _graph(idtype: torch.dtype) -> gs.Graph:
    return gs.graph((_draw("u", idtype), _draw("v", idtype)), num_nodes=NODES)


def _messages(g: gs.Graph, call: Callable[[gs.Graph, Any, Any], None]) -> Tensor:
    g.ndata["h"] = torch.arange(2.0 * NODES).view(NODES, 2)
    call(g, fn.copy_u("h", "m"), fn.sum("m", "out"))
    return g.ndata["out"]


_ROWS = torch.arange(2.0 * EDGES).view(EDGES, 2).sin()
_MATRICES = torch.arange(12.0).view(3, 2, 2)

# What is called, and the kinds of its arguments.
CALLS: dict[str, tuple[Callable[..., Any], tuple[str, ...]]] = {
    "csc": (lambda g, u, v: gs.graph((u, v), num_nodes=NODES).adj_tensors("csc"), ("u", "v")),
    "csr": (lambda g, u, v: gs.graph((u, v), num_nodes=NODES).adj_tensors("csr"), ("u", "v")),
    "to_simple": (lambda g, u, v: gs.to_simple(gs.graph((u, v))), ("u", "v")),
    "add_edges": (gs.add_edges, ("u", "v")),
    "remove_edges": (gs.remove_edges, ("e",)),
    "remove_nodes": (gs.remove_nodes, ("n",)),
    "in_subgraph": (gs.in_subgraph, ("n",)),
    "out_subgraph": (gs.out_subgraph, ("n",)),
    "node_subgraph": (gs.node_subgraph, ("n",)),
    "edge_subgraph": (gs.edge_subgraph, ("e",)),
    "khop_in_subgraph": (lambda g, n: gs.khop_in_subgraph(g, n, 2)[0], ("n",)),
    "to_block": (lambda g, n: gs.to_block(gs.in_subgraph(g, n), n), ("n",)),
    "compact_graphs": (lambda g, n: gs.compact_graphs(g, always_preserve=n), ("n",)),
    "in_edges": (lambda g, n: g.in_edges(n, form="all"), ("n",)),
    "out_edges": (lambda g, n: g.out_edges(n, form="all"), ("n",)),
    "edge_ids": (lambda g, u, v: g.edge_ids(u, v), ("u", "v")),
    "has_edges_between": (lambda g, u, v: g.has_edges_between(u, v), ("u", "v")),
    "find_edges": (lambda g, e: g.find_edges(e), ("e",)),
    "in_degrees": (lambda g, n: g.in_degrees(n), ("n",)),
    "bfs_nodes": (gs.bfs_nodes_generator, ("n",)),
    "bfs_edges": (gs.bfs_edges_generator, ("n",)),
    "dfs_edges": (gs.dfs_edges_generator, ("n",)),
    "sample_neighbors": (lambda g, n: gs.sampling.sample_neighbors(g, n, -1), ("n",)),
    "pull": (lambda g, n: _messages(g, lambda g, m, r: g.pull(n, m, r)), ("n",)),
    "push": (lambda g, n: _messages(g, lambda g, m, r: g.push(n, m, r)), ("n",)),
    "send_and_recv": (lambda g, e: _messages(g, lambda g, m, r: g.send_and_recv(e, m, r)), ("e",)),
    "segment_sum": (lambda g, s: ops.segment_reduce(s, _ROWS), ("lengths",)),
    "segment_max": (lambda g, s: ops.segment_reduce(s, _ROWS, "max"), ("lengths",)),
    "segment_mm": (lambda g, s: ops.segment_mm(_ROWS, _MATRICES, s), ("lengths",)),
    "gather_mm": (lambda g, i: ops.gather_mm(_ROWS, _MATRICES, idx_b=i), ("groups",)),
    "edge_softmax": (lambda g, x, e: ops.edge_softmax(g, x, eids=e), ("logits", "e")),
    "u_mul_e_sum": (ops.u_mul_e_sum, ("x", "w")),
    "u_mul_e_max": (ops.u_mul_e_max, ("x", "w")),
    "u_sub_v": (lambda g, x: ops.u_sub_v(g, x, x), ("x",)),
    "scaled_sum": (lambda g, x: ops.scaled_sum(g, x, x, x), ("x",)),
    "sort_csr_by_tag": (lambda g, t: gs.sort_csr_by_tag(g, t).adj_tensors("csr"), ("tags",)),
}


def _column(x: Tensor) -> Tensor:
    """The same numbers, each followed by one that is no id and no sensible value."""
    column = torch.stack((x, torch.full_like(x, 10**6)), 1)[:, 0]
    assert not column.is_contiguous()
    return column


def _tensors(found: Any) -> Iterator[Tensor]:
    if isinstance(found, gs.Graph):
        yield from found.edges()
        for frame in (found.srcdata, found.dstdata, found.edata):
            yield from frame.values()
    elif isinstance(found, (tuple, list)):
        for part in found:
            yield from _tensors(part)
    else:
        yield found


@pytest.mark.parametrize("idtype", [torch.int32, torch.int64], ids=str)
@pytest.mark.parametrize("name", CALLS)
def test_same_result_as_of_contiguous_tensors(name, idtype) -> None:
    call, kinds = CALLS[name]
    given = [_draw(kind, idtype) for kind in kinds]
    expected = list(_tensors(call(_graph(idtype), *given)))
    found = list(_tensors(call(_graph(idtype), *map(_column, given))))
    assert expected
    assert len(found) == len(expected)
    for actual, right in zip(found, expected, strict=True):
        assert_tensor_equal(actual, right)
