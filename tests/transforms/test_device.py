"""Graphs and transforms elsewhere than on the CPU: on ``--device``, or a pretended device."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._pytree import tree_flatten

import gossamer as gs
from gossamer import Graph
from gossamer import function as fn
from helpers.compare import assert_graph_equal

SRC, DST = [0, 1, 2, 2, 3, 0, 4, 0], [1, 2, 0, 1, 3, 1, 2, 1]
LABELS = [0, 1, 0, 1, 0, 1]


def _featured(make: Callable[..., Tensor]) -> Graph:
    g = gs.graph((make(SRC), make(DST)), num_nodes=6)
    g.ndata["h"] = make([[float(i), 1.0 - i * i] for i in range(6)])
    g.edata["w"] = make([float(i) for i in range(8)])
    return g


def _several(make: Callable[..., Tensor]) -> Graph:
    edges = {
        ("a", "r", "b"): (make(SRC), make(DST)),
        ("b", "s", "a"): (make(DST), make(SRC)),
    }
    return gs.heterograph(edges, {"a": 6, "b": 7})


def _after(g: Graph, change: Callable[[Graph], Any]) -> Graph:
    change(g)
    return g


def _two(g: Graph) -> Graph:
    return gs.batch([g, g])


# Functions of a homogeneous graph with features, of one with two relations, and of what makes
# tensors where they are.
CALLS: dict[str, Callable[[Graph, Graph, Callable[..., Tensor]], Any]] = {
    # queries
    "edges": lambda g, h, t: g.edges(form="all", order="srcdst"),
    "degrees": lambda g, h, t: (g.in_degrees(), g.out_degrees(t([1, 2]))),
    "has_edges_between": lambda g, h, t: g.has_edges_between(t([0, 1]), t([1, 3])),
    "edge_ids": lambda g, h, t: g.edge_ids(t([2, 1]), t([1, 2])),
    "find_edges": lambda g, h, t: g.find_edges(t([3, 0])),
    "in_edges": lambda g, h, t: g.in_edges(t([1, 2]), form="all"),
    "successors": lambda g, h, t: g.successors(2),
    "filter": lambda g, h, t: (
        g.filter_nodes(lambda nodes: nodes.data["h"][:, 0] > 1),
        g.filter_edges(lambda edges: edges.data["w"] > 3),
    ),
    # message passing
    "apply_edges": lambda g, h, t: _after(g, lambda g: g.apply_edges(fn.u_dot_v("h", "h", "s"))),
    "update_all": lambda g, h, t: _after(
        g, lambda g: g.update_all(fn.copy_u("h", "m"), fn.max("m", "o"))
    ),
    "own functions": lambda g, h, t: _after(
        g,
        lambda g: g.update_all(
            lambda edges: {"m": edges.src["h"]}, lambda nodes: {"o": nodes.mailbox["m"].sum(1)}
        ),
    ),
    "send_and_recv": lambda g, h, t: _after(
        g, lambda g: g.send_and_recv(t([0, 4]), fn.copy_u("h", "m"), fn.sum("m", "o"))
    ),
    "pull": lambda g, h, t: _after(
        g, lambda g: g.pull(t([0, 4]), fn.copy_u("h", "m"), fn.mean("m", "o"))
    ),
    # batches and readouts
    "unbatch": lambda g, h, t: gs.unbatch(_two(g)),
    "mean_nodes": lambda g, h, t: gs.mean_nodes(_two(g), "h"),
    "softmax_edges": lambda g, h, t: gs.softmax_edges(_two(g), "w"),
    "topk_nodes": lambda g, h, t: gs.topk_nodes(_two(g), "h", 2, sortby=0),
    "broadcast_nodes": lambda g, h, t: gs.broadcast_nodes(_two(g), t([[1.0], [2.0]])),
    # edits and parts
    "add": lambda g, h, t: gs.add_edges(gs.add_nodes(g, 2), t([7]), t([0])),
    "remove_nodes": lambda g, h, t: gs.remove_nodes(g, t([1])),
    "remove_edges": lambda g, h, t: gs.remove_edges(g, t([1, 5])),
    "node_subgraph": lambda g, h, t: gs.node_subgraph(g, t([2, 0, 1])),
    "edge_subgraph": lambda g, h, t: gs.edge_subgraph(g, t([4, 0])),
    "in_subgraph": lambda g, h, t: gs.in_subgraph(g, t([0, 1])),
    "khop_in_subgraph": lambda g, h, t: gs.khop_in_subgraph(g, t([0, 1]), 2),
    "to_block": lambda g, h, t: gs.to_block(g, t([1, 2, 0, 3])),
    "compact_graphs": lambda g, h, t: gs.compact_graphs(h),
    # transforms
    "add_self_loop": lambda g, h, t: gs.add_self_loop(g),
    "remove_self_loop": lambda g, h, t: gs.remove_self_loop(g),
    "reverse": lambda g, h, t: gs.reverse(g, copy_edata=True),
    "add_reverse_edges": lambda g, h, t: gs.add_reverse_edges(g),
    "to_bidirected": lambda g, h, t: gs.to_bidirected(g, copy_ndata=True),
    "to_simple": lambda g, h, t: gs.to_simple(g, return_counts="count"),
    "line_graph": lambda g, h, t: gs.line_graph(g),
    "khop_adj": lambda g, h, t: gs.khop_adj(g, 2),
    "khop_graph": lambda g, h, t: gs.khop_graph(g, 2),
    "metapath": lambda g, h, t: gs.metapath_reachable_graph(h, ["r", "s"]),
    "to_homogeneous": lambda g, h, t: gs.to_homogeneous(h),
    "to_heterogeneous": lambda g, h, t: gs.to_heterogeneous(
        gs.to_homogeneous(h), h.ntypes, h.etypes
    ),
    "merge": lambda g, h, t: gs.merge([g, g]),
    "sort_csr_by_tag": lambda g, h, t: gs.sort_csr_by_tag(g, t(LABELS)),
    "norm_by_dst": lambda g, h, t: gs.norm_by_dst(g),
    "GCNNorm": lambda g, h, t: gs.GCNNorm()(g).edata["w"],
    "SIGNDiffusion": lambda g, h, t: list(gs.SIGNDiffusion(2, "h")(g).ndata.values()),
    # traversal, distances, encodings, points
    "breadth first": lambda g, h, t: gs.bfs_nodes_generator(g, t([0])),
    "topological": lambda g, h, t: gs.topological_nodes_generator(gs.graph((t([0, 1]), t([1, 2])))),
    "depth first": lambda g, h, t: gs.dfs_edges_generator(gs.graph((t([0, 1]), t([1, 2]))), t([0])),
    "shortest_dist": lambda g, h, t: gs.shortest_dist(g),
    "random_walk_pe": lambda g, h, t: gs.random_walk_pe(g, 3),
    "homophily": lambda g, h, t: (
        gs.node_homophily(g, t(LABELS)),
        gs.adjusted_homophily(g, t(LABELS)),
        gs.edge_label_informativeness(g, t(LABELS)),
    ),
    "knn_graph": lambda g, h, t: gs.knn_graph(g.ndata["h"], 2),
    "radius_graph": lambda g, h, t: gs.radius_graph(g.ndata["h"], 3.0),
}


@pytest.mark.parametrize("name", CALLS)
def test_same_result_where_the_graph_is(name, accelerator) -> None:
    def run(device: Any) -> tuple[list, Any]:
        def make(values: Any) -> Tensor:
            return torch.tensor(values, device=device)

        return tree_flatten(CALLS[name](_featured(make), _several(make), make))

    (wanted, shape), (found, found_shape) = run("cpu"), run(accelerator)
    assert found_shape == shape
    for x, y in zip(found, wanted, strict=True):
        if isinstance(y, Graph):
            assert x.device.type == accelerator.type
            assert_graph_equal(x.cpu(), y)
        elif isinstance(y, Tensor):
            assert x.device.type == accelerator.type
            torch.testing.assert_close(x.cpu(), y)
        else:
            assert x == pytest.approx(y)
