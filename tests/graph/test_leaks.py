"""Features and results never share memory with structure, or with the ids that were passed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch

import gossamer as gs

NODES = torch.tensor([3, 1, 4])

CALLS: dict[str, Callable[[gs.Graph], Any]] = {
    "subgraph": lambda g: g.subgraph(NODES),
    "edge_subgraph": lambda g: g.edge_subgraph(NODES),
    "edge_subgraph, same nodes": lambda g: g.edge_subgraph(NODES, relabel_nodes=False),
    "in_subgraph": lambda g: g.in_subgraph(NODES),
    "in_subgraph, new nodes": lambda g: g.in_subgraph(NODES, relabel_nodes=True),
    "out_subgraph": lambda g: g.out_subgraph(NODES),
    "khop_in_subgraph": lambda g: g.khop_in_subgraph(NODES, 2),
    "reverse": lambda g: gs.reverse(g, copy_edata=True),
    "to_simple": lambda g: gs.to_simple(g, writeback_mapping=True, copy_edata=True),
    "add_reverse_edges": lambda g: gs.add_reverse_edges(g, copy_edata=True),
    "line_graph": lambda g: gs.line_graph(g, shared=True),
    "to_block": lambda g: gs.to_block(g.in_subgraph(NODES), NODES),
    "compact_graphs": lambda g: gs.compact_graphs(g.in_subgraph(NODES)),
    "to_homogeneous": lambda g: gs.to_homogeneous(gs.heterograph({("a", "r", "a"): g.edges()})),
    "reorder_graph": lambda g: gs.reorder_graph(g, "rcmk", "dst"),
    "sort_csr_by_tag": lambda g: gs.sort_csr_by_tag(g, torch.arange(20) % 3),
    "bfs": lambda g: list(gs.bfs_nodes_generator(g, 0)),
    "batch": lambda g: gs.batch([g]),
    "slice_batch": lambda g: gs.slice_batch(gs.batch([g, g]), 1, store_ids=True),
    "unbatch": lambda g: gs.unbatch(gs.batch([g, g])),
    "remove_edges": lambda g: gs.remove_edges(g, NODES, store_ids=True),
    "remove_nodes": lambda g: gs.remove_nodes(g, NODES, store_ids=True),
    "astype": lambda g: g.int(),
    "formats": lambda g: g.formats("csc"),
    "halo": lambda g: gs.partition_graph_with_halo(g, torch.arange(20) % 2, 1),
    "inc": lambda g: [g.inc("both"), g.inc("in"), *g.adj().coo()],
}


def sample() -> gs.Graph:
    ends = torch.randint(0, 20, (2, 60), generator=torch.Generator().manual_seed(0))
    g = gs.graph((ends[0], ends[1]), num_nodes=20)
    g.ndata["h"], g.edata["w"] = torch.rand(20, 3), torch.rand(60)
    g.create_formats_()
    g.has_edges_between(0, 1)
    return g


def parts(value: Any, kind: type) -> Iterator[Any]:
    """Every graph or tensor in nested results."""
    if isinstance(value, kind):
        yield value
    elif isinstance(value, dict):
        yield from (part for item in value.values() for part in parts(item, kind))
    elif isinstance(value, list | tuple):
        yield from (part for item in value for part in parts(item, kind))


def memory(tensors: Any) -> set[int]:
    strided = [x.coalesce().indices() if x.is_sparse else x for x in parts(tensors, torch.Tensor)]
    return {x.untyped_storage().data_ptr() for x in strided if x.numel()}


def structure(g: gs.Graph) -> set[int]:
    return memory([relation.tensors() for relation in g.relations])


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_no_memory_is_shared(call: Callable) -> None:
    g = sample()
    result = call(g)
    found = list(parts(result, gs.Graph))
    features = [
        dict(frame) for graph in found for frame in (*graph.node_frames, *graph.edge_frames)
    ]
    given = memory([NODES]).union(*(structure(graph) for graph in (g, *found)))
    assert not memory([features, list(parts(result, torch.Tensor))]) & given
    assert NODES.tolist() == [3, 1, 4]


def test_the_comparison_itself() -> None:
    g = sample()
    row, _ = g.adjacency.coo()
    assert memory([row[3:]]) & structure(g)
    assert not memory([row.clone()]) & structure(g)
