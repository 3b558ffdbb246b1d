"""What user-defined functions are given: batches of edges and of nodes."""

from __future__ import annotations

import pytest
import torch

import gossamer
from gossamer import function as fn
from gossamer.errors import InvalidValueError, UnknownKeyError
from gossamer.graph import Graph
from gossamer.udf import EdgeBatch, NodeBatch
from helpers.compare import assert_tensor_equal


def _graph(idtype=torch.int64):
    g = gossamer.graph(([4, 0, 3, 0, 1, 4], [1, 2, 1, 2, 1, 4]), num_nodes=6, idtype=idtype)
    g.ndata["h"] = torch.arange(6.0)[:, None]
    g.edata["w"] = torch.arange(6.0)
    return g


def _seen(g, how="apply_edges", **kwargs):
    """The batches that a round shows to user-defined functions."""
    edges: list[EdgeBatch] = []
    nodes: list[NodeBatch] = []

    def message(batch):
        edges.append(batch)
        return {"m": batch.data["w"]}

    def reduce(batch):
        nodes.append(batch)
        return {"out": batch.mailbox["m"].sum(1)}

    if how == "apply_edges":
        g.apply_edges(message, **kwargs)
    else:
        g.update_all(message, reduce, **kwargs)
    return edges, nodes


@pytest.mark.parametrize("idtype", [torch.int32, torch.int64], ids=str)
def test_edge_batch(idtype) -> None:
    g = _graph(idtype)
    ([batch], _) = _seen(g)
    assert isinstance(batch, EdgeBatch)
    assert len(batch) == batch.batch_size() == 6
    assert batch.canonical_etype == ("_N", "_E", "_N")
    src, dst, eids = batch.edges()
    assert_tensor_equal(torch.stack([src, dst]), torch.stack(g.edges(order="eid")))
    assert_tensor_equal(eids, torch.arange(6, dtype=idtype))
    assert_tensor_equal(batch.src["h"], g.ndata["h"][src.long()])
    assert_tensor_equal(batch.dst["h"], g.ndata["h"][dst.long()])
    assert_tensor_equal(batch.data["w"], g.edata["w"])
    assert batch._graph is g


def test_edge_batch_of_some_edges() -> None:
    g = _graph()
    ([batch], _) = _seen(g, edges=[5, 1])
    assert len(batch) == 2
    assert [ids.tolist() for ids in batch.edges()] == [[4, 0], [4, 2], [5, 1]]
    assert batch.src["h"].flatten().tolist() == [4.0, 0.0]
    assert batch.dst["h"].flatten().tolist() == [4.0, 2.0]
    assert batch.data["w"].tolist() == [5.0, 1.0]
    assert batch._graph is g


def test_features_of_a_batch_are_a_mapping() -> None:
    ([batch], _) = _seen(_graph(), "update_all")
    assert list(batch.src) == list(batch.dst) == ["h", "out"], "a view of the graph as it is"
    assert list(batch.data) == ["w"]
    assert len(batch.data) == 1
    assert "h" in batch.src
    assert "w" not in batch.src
    assert batch.src.get("nope") is None
    assert batch.src["h"] is batch.src["h"], "gathered once"
    assert repr(batch.data) == repr({"w": batch.data["w"]})
    with pytest.raises(UnknownKeyError, match=r"no node feature 'w'; there are \['h', 'out'\]"):
        batch.src["w"]


def test_node_batches_are_buckets_of_one_degree() -> None:
    g = _graph()
    _, batches = _seen(g, "update_all")
    found = {}
    for batch in batches:
        assert isinstance(batch, NodeBatch)
        assert batch.ntype == "_N"
        assert len(batch) == batch.batch_size() == len(batch.nodes())
        degree = batch.mailbox["m"].shape[1]
        assert g.in_degrees(batch.nodes()).tolist() == [degree] * len(batch)
        assert_tensor_equal(batch.data["h"], g.ndata["h"][batch.nodes()])
        found |= dict(zip(batch.nodes().tolist(), batch.mailbox["m"].tolist(), strict=True))
    # Messages stand in the order of edge ids; nodes without any are in no batch.
    assert found == {1: [0.0, 2.0, 4.0], 2: [1.0, 3.0], 4: [5.0]}
    assert len(batches) == 3
    assert g.ndata["out"].tolist() == [0.0, 6.0, 4.0, 0.0, 5.0, 0.0]


@pytest.mark.parametrize("formats", ["coo", "csr", "csc"])
def test_mailbox_order_does_not_depend_on_the_format(formats) -> None:
    _, batches = _seen(_graph().formats(formats), "update_all")
    boxes = [batch.mailbox["m"].tolist() for batch in batches]
    assert boxes == [[[5.0]], [[1.0, 3.0]], [[0.0, 2.0, 4.0]]]


def test_nodes_of_a_part_keep_their_ids() -> None:
    g = _graph(torch.int32)
    seen = []

    def reduce(batch):
        seen.append((batch.nodes(), batch.data["h"].flatten(), batch.mailbox["m"]))
        return {"out": batch.mailbox["m"].sum(1)}

    g.pull([4, 2, 0], lambda edges: {"m": edges.data["w"]}, reduce)
    assert [(ids.tolist(), h.tolist(), m.tolist()) for ids, h, m in seen] == [
        ([4], [4.0], [[5.0]]),
        ([2], [2.0], [[1.0, 3.0]]),
    ]
    assert all(ids.dtype == torch.int32 for ids, _, _ in seen)
    assert g.ndata["out"].tolist() == [0.0, 0.0, 4.0, 0.0, 5.0, 0.0]


def test_apply_nodes_shows_all_nodes_or_some() -> None:
    g = _graph()
    seen = []

    def apply(batch):
        seen.append(batch)
        return {"k": 2 * batch.data["h"]}

    g.apply_nodes(apply)
    g.apply_nodes(apply, v=[3, 1])
    assert [batch.nodes().tolist() for batch in seen] == [[0, 1, 2, 3, 4, 5], [3, 1]]
    assert [len(batch) for batch in seen] == [6, 2]
    assert all(batch.mailbox is None and batch.ntype == "_N" for batch in seen)
    assert seen[1].data["h"].flatten().tolist() == [3.0, 1.0]


def test_types_of_a_heterogeneous_graph() -> None:
    g = gossamer.heterograph(
        {("user", "rates", "item"): ([0, 1], [1, 1]), ("item", "rated-by", "user"): ([0], [1])}
    )
    g.nodes["user"].data["h"] = torch.tensor([1.0, 2.0])
    g.edges["rates"].data["w"] = torch.tensor([10.0, 20.0])
    edges, nodes = _seen(g, "update_all", etype="rates")
    assert edges[0].canonical_etype == ("user", "rates", "item")
    assert [batch.ntype for batch in nodes] == ["item"]
    assert edges[0].src["h"].tolist() == [1.0, 2.0]
    assert g.nodes["item"].data["out"].tolist() == [0.0, 30.0]


def test_gradients_flow_through_batches() -> None:
    g = _graph()
    h = torch.randn(6, 1, dtype=torch.float64, requires_grad=True)
    g.ndata["h"] = h
    g.edata["w"] = g.edata["w"].double()
    g.update_all(
        lambda edges: {"m": edges.src["h"] * edges.dst["h"]},
        lambda nodes: {"out": nodes.mailbox["m"].prod(1) * nodes.data["h"]},
    )
    assert torch.autograd.gradcheck(lambda h: _product(g, h), h)
    flow = torch.randn(6, 1, dtype=torch.float64)
    (found,) = torch.autograd.grad(g.ndata["out"], h, flow)
    (expected,) = torch.autograd.grad(_product(g, h), h, flow)
    torch.testing.assert_close(found, expected)


def _product(g, h):
    """The round above, node by node."""
    src, dst = g.edges(order="eid")
    rows = []
    for node in range(6):
        messages = h[src[dst == node]] * h[node]
        rows.append(messages.prod(0) * h[node] if len(messages) else 0 * h[node])
    return torch.stack(rows)


def _scratch(edges: EdgeBatch) -> dict[str, torch.Tensor]:
    """A message function that takes features out of a batch, and puts some in."""
    edges.data["twice"] = 2 * edges.data.pop("w")
    edges.src["h"] = edges.src.pop("h") + 1
    assert edges.data.pop("w", None) is None
    return {"m": edges.data["twice"] + edges.dst["h"]}


def _scored() -> Graph:
    g = gossamer.graph(([0, 1], [1, 2]))
    g.ndata["h"] = torch.tensor([1.0, 2.0, 4.0])
    g.edata["w"] = torch.tensor([3.0, 5.0])
    return g


@pytest.mark.parametrize("how", ["apply_edges", "update_all"])
def test_features_of_all_edges_are_those_of_the_graph(how: str) -> None:
    """As in DGL 2.1.0: what the function sets or deletes in `edges.data` is set in the graph."""
    g = _scored()
    if how == "apply_edges":
        g.apply_edges(_scratch)
        assert g.edata.pop("m").tolist() == [8.0, 14.0]
    else:
        g.update_all(_scratch, fn.sum("m", "out"))
        assert g.ndata.pop("out").tolist() == [0.0, 8.0, 14.0]
    assert list(g.edata) == ["twice"]
    assert g.edata["twice"].tolist() == [6.0, 10.0]
    assert list(g.ndata) == ["h"]
    assert g.ndata["h"].tolist() == [1.0, 2.0, 4.0]
    with g.local_scope():
        g.apply_edges(lambda edges: {"m": edges.data.pop("twice")})
    assert list(g.edata) == ["twice"]


def test_a_batch_of_some_edges_is_scratch_for_the_function() -> None:
    """As in DGL 2.1.0: the graph does not change."""
    for call in (
        lambda g: g.apply_edges(_scratch, edges=[0, 1]),
        lambda g: g.send_and_recv([0, 1], _scratch, fn.sum("m", "out")),
        lambda g: g.pull([1, 2], _scratch, fn.sum("m", "out")),
        lambda g: g.filter_edges(lambda edges: _scratch(edges)["m"] > 0),
    ):
        g = _scored()
        call(g)
        assert g.edata["w"].tolist() == [3.0, 5.0]
        assert "twice" not in g.edata
        assert g.ndata["h"].tolist() == [1.0, 2.0, 4.0]


def test_deleted_features_of_a_batch() -> None:
    def message(edges: EdgeBatch) -> dict[str, torch.Tensor]:
        del edges.src["h"]
        with pytest.raises(UnknownKeyError, match="'h' was deleted from this batch"):
            _ = edges.src["h"]
        with pytest.raises(UnknownKeyError, match="no feature 'h' to delete"):
            del edges.src["h"]
        with pytest.raises(InvalidValueError, match="one row for each of the 2 edges"):
            edges.data["x"] = torch.ones(3)
        return {"m": edges.dst["h"]}

    _scored().apply_edges(message)


def test_a_message_that_is_not_there() -> None:
    g = gossamer.graph(([0, 1], [1, 2]))
    g.ndata["h"] = torch.ones(3, 2)
    with pytest.raises(UnknownKeyError, match=r"no message 'mm' in the mailbox; there are \['m'\]"):
        g.update_all(fn.copy_u("h", "m"), lambda nodes: {"x": nodes.mailbox["mm"].sum(1)})
