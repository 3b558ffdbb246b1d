"""Ids out of range are refused by every public function that takes ids: none reaches a kernel."""

from __future__ import annotations

import pytest
import torch

import gossamer as gs
from gossamer import function as fn
from gossamer import ops
from gossamer.errors import GossamerError

MESSAGES = fn.copy_u("h", "m"), fn.sum("m", "o")
# Functions of a graph of 3 nodes and 4 edges, and of an id that it does not have.
CALLS = {
    "in_edges": lambda g, i: g.in_edges(i),
    "out_edges": lambda g, i: g.out_edges(i),
    "in_degrees": lambda g, i: g.in_degrees(i),
    "out_degrees": lambda g, i: g.out_degrees(i),
    "find_edges": lambda g, i: g.find_edges(i),
    "edge_ids": lambda g, i: g.edge_ids(i, i),
    "successors": lambda g, i: g.successors(i[0]),
    "predecessors": lambda g, i: g.predecessors(i[0]),
    "nodes": lambda g, i: g.nodes[i].data["h"],
    "edges": lambda g, i: g.edges[i].data["w"],
    "write rows": lambda g, i: g.nodes[i].data.update(h=torch.ones(2, 2)),
    "pull": lambda g, i: g.pull(i, *MESSAGES),
    "push": lambda g, i: g.push(i, *MESSAGES),
    "send_and_recv": lambda g, i: g.send_and_recv(i, *MESSAGES),
    "apply_nodes": lambda g, i: g.apply_nodes(lambda nodes: {"o": nodes.data["h"]}, i),
    "apply_edges": lambda g, i: g.apply_edges(fn.copy_u("h", "m"), i),
    "prop_nodes": lambda g, i: g.prop_nodes([i], *MESSAGES),
    "remove_nodes": lambda g, i: gs.remove_nodes(g, i),
    "remove_edges": lambda g, i: gs.remove_edges(g, i),
    "node_subgraph": lambda g, i: gs.node_subgraph(g, i),
    "edge_subgraph": lambda g, i: gs.edge_subgraph(g, i),
    "in_subgraph": lambda g, i: gs.in_subgraph(g, i),
    "out_subgraph": lambda g, i: gs.out_subgraph(g, i),
    "khop_in_subgraph": lambda g, i: gs.khop_in_subgraph(g, i, 1),
    "khop_out_subgraph": lambda g, i: gs.khop_out_subgraph(g, i, 1),
    "to_block": lambda g, i: gs.to_block(g, i),
    "compact_graphs": lambda g, i: gs.compact_graphs(g, always_preserve=i),
    "bfs_nodes_generator": lambda g, i: gs.bfs_nodes_generator(g, i),
    "bfs_edges_generator": lambda g, i: gs.bfs_edges_generator(g, i),
    "dfs_edges_generator": lambda g, i: gs.dfs_edges_generator(g, i),
    "dfs_labeled_edges_generator": lambda g, i: gs.dfs_labeled_edges_generator(g, i),
    "shortest_dist": lambda g, i: gs.shortest_dist(g, root=i[0]),
    "sample_neighbors": lambda g, i: gs.sampling.sample_neighbors(g, i, 1),
    "edge_softmax": lambda g, i: ops.edge_softmax(g, torch.ones(2, 1), eids=i),
    "gather_mm": lambda g, i: ops.gather_mm(
        torch.ones(2, 2), torch.ones(3, 2, 2), idx_b=torch.tensor(i)
    ),
}
WRONG = {"beyond": [0, 4], "far beyond": [2**40, 1], "negative": [-5, 0], "lowest": [-(2**63), 0]}


@pytest.mark.parametrize("ids", WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("name", CALLS)
def test_an_id_out_of_range_is_refused(name, ids) -> None:
    g = gs.graph(([0, 1, 2, 0], [1, 2, 0, 2]))
    g.ndata["h"], g.edata["w"] = torch.ones(3, 2), torch.ones(4)
    wrong = ids if ids[0] else ids[::-1]
    with pytest.raises(GossamerError, match=rf"{wrong[0]}\b"):
        CALLS[name](g, wrong)
