"""Propagation is message passing to one frontier after another."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import gossamer as gs
from gossamer import function as fn
from helpers.generated import homogeneous_graphs

MESSAGE, REDUCE = fn.u_add_e("x", "x", "m"), fn.sum("m", "x")


def halved(nodes):
    return {"x": nodes.data["x"] / 2}


def received(g, x, targets, eids, apply):
    """What the nodes `targets` have after messages along the edges `eids`; others stay."""
    u, v = (end.tolist() for end in g.edges())
    new = list(x)
    for node in targets:
        new[node] = sum(x[u[e]] + float(g.edata["x"][e]) for e in eids if v[e] == node)
        if apply:
            new[node] /= 2
    return new


@given(
    g=homogeneous_graphs(min_nodes=1), reverse=st.booleans(), apply=st.booleans(), data=st.data()
)
def test_breadth_first(g, reverse, apply, data):
    source = data.draw(st.integers(0, g.num_nodes() - 1))
    x = g.ndata["x"].tolist()
    for frontier in gs.bfs_nodes_generator(g, source, reverse):
        x = received(g, x, frontier.tolist(), range(g.num_edges()), apply)
    gs.prop_nodes_bfs(g, source, MESSAGE, REDUCE, reverse, halved if apply else None)
    assert g.ndata["x"].tolist() == x


@given(g=homogeneous_graphs(min_nodes=1), flags=st.tuples(*[st.booleans()] * 3), data=st.data())
def test_depth_first(g, flags, data):
    source = data.draw(st.lists(st.integers(0, g.num_nodes() - 1), max_size=3))
    x = g.ndata["x"].tolist()
    v = g.edges()[1].tolist()
    edges, _ = gs.dfs_labeled_edges_generator(g, source, *flags)
    for group in edges:
        # Searches may meet on one edge: then it carries its message twice.
        eids = group.tolist()
        x = received(g, x, {v[e] for e in eids}, eids, True)
    gs.prop_edges_dfs(g, source, MESSAGE, REDUCE, *flags, halved)
    assert g.ndata["x"].tolist() == x


def test_topological_order_reaches_the_root_of_a_tree():
    """Sums over subtrees, as a tree-structured recurrent network takes them."""
    g = gs.graph(([6, 0, 5, 1, 2, 4], [0, 3, 0, 2, 3, 2]))
    g.ndata["own"] = torch.arange(1.0, 8.0)
    g.ndata["h"] = torch.zeros(7)
    functions = fn.copy_u("h", "m"), fn.sum("m", "h")
    gs.prop_nodes_topo(g, *functions, apply_node_func=lambda n: {"h": n.data["h"] + n.data["own"]})
    assert g.ndata["h"].tolist() == [14, 2, 10, 28, 5, 6, 7]


def test_gradients_flow_along_the_order():
    g = gs.graph(([0, 1], [1, 2]))
    start = torch.randn(3, 2, dtype=torch.float64, requires_grad=True)
    g.ndata["h"] = start
    gs.prop_nodes(g, [[1], [2]], fn.copy_u("h", "m"), fn.sum("m", "h"))
    cotangent = torch.randn(3, 2, dtype=torch.float64)
    (grad,) = torch.autograd.grad(g.ndata["h"], start, cotangent)
    wanted = torch.stack([cotangent.sum(0), *torch.zeros(2, 2, dtype=torch.float64)])
    torch.testing.assert_close(grad, wanted)


def test_groups_of_one_edge_type_between_two_node_types():
    g = gs.heterograph({("a", "r", "b"): ([0, 1], [1, 0])})
    g.srcdata["h"] = torch.tensor([3.0, 4.0])
    gs.prop_nodes(g, [[1]], fn.copy_u("h", "m"), fn.sum("m", "h"))
    assert g.dstdata["h"].tolist() == [0, 3]
    gs.prop_edges(g, [[1]], fn.copy_u("h", "m"), fn.sum("m", "h"))
    assert g.dstdata["h"].tolist() == [4, 3]


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda g, *f: gs.prop_nodes(g, [[0]]), gs.InvalidTypeError, "message_func must be a"),
        (lambda g, *f: gs.prop_edges(g, [[0]], f[0]), gs.InvalidTypeError, "reduce_func must be a"),
        (lambda g, *f: gs.prop_nodes_bfs(g, 0, None, None), gs.InvalidTypeError, "got None"),
        (lambda g, *f: gs.prop_nodes(3, [[0]], *f), gs.InvalidTypeError, "takes a graph, got int"),
        (lambda g, *f: gs.prop_nodes(g, [[0]], *f, 3), gs.InvalidTypeError, "must be callable"),
        (lambda g, *f: gs.prop_nodes(g, [[9]], *f), gs.OutOfRangeError, "Id 9 is not among"),
        (lambda g, *f: gs.prop_edges(g, [[9]], *f), gs.OutOfRangeError, "Id 9 is not among"),
        (lambda g, *f: gs.prop_nodes_bfs(g, 9, *f), gs.OutOfRangeError, "Id 9 is not among"),
        (lambda g, *f: gs.prop_edges_dfs(g, 9, *f), gs.OutOfRangeError, "Id 9 is not among"),
        (lambda g, *f: gs.prop_nodes_topo(g, *f), gs.InvalidValueError, "has a cycle"),
        (lambda g, *f: gs.prop_nodes_topo(None, *f), gs.InvalidTypeError, "got NoneType"),
    ],
)
def test_wrong_arguments(call, error, text):
    g = gs.graph(([0, 1], [1, 0]))
    g.ndata["h"] = torch.ones(2)
    with pytest.raises(error, match=text):
        call(g, fn.copy_u("h", "m"), fn.sum("m", "h"))
