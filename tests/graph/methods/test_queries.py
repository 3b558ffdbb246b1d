"""Questions about structure against networkx, scipy and plain counting."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
import scipy.sparse
import torch

import gossamer as gs
from helpers.compare import assert_tensor_equal
from helpers.graphs import GraphCase, graph_cases


def to_networkx(g: gs.Graph) -> nx.MultiDiGraph:
    """The only relation between nodes of one type, edge ids as keys."""
    result = nx.MultiDiGraph()
    result.add_nodes_from(range(g.num_nodes()))
    for eid, (u, v) in enumerate(zip(*(ids.tolist() for ids in g.edges()), strict=True)):
        result.add_edge(u, v, key=eid)
    return result


def pairs(g: gs.Graph, etype) -> list[tuple[int, int]]:
    return list(zip(*(ids.tolist() for ids in g.edges(etype=etype)), strict=True))


@pytest.mark.parametrize("case", graph_cases("homogeneous"))
def test_degrees_and_neighbours_are_networkx_s(case: GraphCase) -> None:
    g = case()
    oracle = to_networkx(g)

    assert g.in_degrees().tolist() == [d for _, d in oracle.in_degree()]
    assert g.out_degrees().tolist() == [d for _, d in oracle.out_degree()]
    assert g.is_multigraph == (nx.DiGraph(oracle).number_of_edges() < oracle.number_of_edges())
    for node in range(min(g.num_nodes(), 8)):
        successors = sorted((key, v) for _, v, key in oracle.out_edges(node, keys=True))
        assert g.successors(node).tolist() == [v for _, v in successors]
        predecessors = sorted((key, u) for u, _, key in oracle.in_edges(node, keys=True))
        assert g.predecessors(node).tolist() == [u for _, u in predecessors]
        assert g.in_degrees(node) == oracle.in_degree(node)
        assert isinstance(g.out_degrees(node), int)


@pytest.mark.parametrize("case", graph_cases())
def test_edges_of_nodes_are_those_that_touch_them(case: GraphCase) -> None:
    g = case()
    for etype in g.canonical_etypes:
        ends = pairs(g, etype)
        for ask, end, count in (
            (g.in_edges, 1, g.num_dst_nodes(etype[2])),
            (g.out_edges, 0, g.num_src_nodes(etype[0])),
        ):
            nodes = list(range(count))[-5:] * 2
            wanted = [e for node in nodes for e, pair in enumerate(ends) if pair[end] == node]
            u, v, eids = ask(nodes, form="all", etype=etype)
            assert eids.tolist() == wanted
            assert list(zip(u.tolist(), v.tolist(), strict=True)) == [ends[e] for e in wanted]
            assert {u.dtype, v.dtype, eids.dtype} == {case.idtype}
            assert_tensor_equal(ask(nodes, form="eid", etype=etype), eids)


@pytest.mark.parametrize("case", graph_cases())
def test_all_edges_in_both_orders(case: GraphCase) -> None:
    g = case()
    for etype in g.canonical_etypes:
        ends = pairs(g, etype)
        u, v, eids = g.all_edges(form="all", order="srcdst", etype=etype)
        wanted = sorted(range(len(ends)), key=lambda e: (*ends[e], e))
        assert eids.tolist() == wanted
        assert list(zip(u.tolist(), v.tolist(), strict=True)) == [ends[e] for e in wanted]
        assert g.edges(form="eid", etype=etype).tolist() == list(range(len(ends)))
        found = g.find_edges(eids, etype=etype)
        assert_tensor_equal(found[0], u)
        assert_tensor_equal(found[1], v)


@pytest.mark.parametrize("case", graph_cases(exclude="no_nodes"))
def test_edge_ids_and_has_edges_between(case: GraphCase) -> None:
    g = case()
    for etype in g.canonical_etypes:
        ends = pairs(g, etype)
        num_dst = g.num_dst_nodes(etype[2])
        asked = [(u, v) for u in range(g.num_src_nodes(etype[0]))[:6] for v in range(num_dst)[:9]]
        if not asked:
            continue
        u, v = map(list, zip(*asked, strict=True))
        found = g.has_edges_between(u, v, etype=etype)
        assert found.tolist() == [pair in ends for pair in asked]
        there = [pair for pair in asked if pair in ends]
        for one_u, one_v in there[:3]:
            assert g.has_edges_between(one_u, one_v, etype) is True
            assert g.edge_ids(one_u, one_v, etype=etype) == ends.index((one_u, one_v))
        if there:
            u, v = map(list, zip(*there, strict=True))
            assert g.edge_ids(u, v, etype=etype).tolist() == [ends.index(pair) for pair in there]
        u, v, eids = g.edge_ids(u, v, return_uv=True, etype=etype)
        every = [e for pair in there or asked for e in range(len(ends)) if ends[e] == pair]
        assert eids.tolist() == every
        assert list(zip(u.tolist(), v.tolist(), strict=True)) == [ends[e] for e in every]


def test_one_id_is_paired_with_each_of_the_other_side() -> None:
    g = gs.graph(([0, 0, 1], [1, 2, 2]))

    assert g.has_edges_between(0, [0, 1, 2]).tolist() == [False, True, True]
    assert g.edge_ids([0, 1], 2).tolist() == [1, 2]
    assert g.has_edges_between([], []).tolist() == []
    assert g.edge_ids([], []).dtype == torch.int64


def test_has_nodes() -> None:
    g = gs.graph(([0], [4]))

    assert g.has_nodes(4) is True and g.has_nodes(5) is False
    assert g.has_nodes(torch.tensor([0, 5])).tolist() == [True, False]
    with pytest.raises(gs.OutOfRangeError, match="cannot be negative, got -1"):
        g.has_nodes([0, -1])


def test_filters_get_batches() -> None:
    g = gs.graph(([0, 1, 2], [1, 2, 0]), idtype=torch.int32)
    g.ndata["h"] = torch.tensor([1.0, -1.0, 2.0])
    g.edata["w"] = torch.tensor([[3.0], [0.0], [5.0]])

    nodes = g.filter_nodes(lambda nodes: nodes.data["h"] > 0)
    assert_tensor_equal(nodes, torch.tensor([0, 2], dtype=torch.int32))
    assert g.filter_nodes(lambda nodes: nodes.data["h"] > 0, nodes=[2, 1]).tolist() == [2]
    edges = g.filter_edges(lambda edges: edges.data["w"] > 1)  # a column of truth values
    assert_tensor_equal(edges, torch.tensor([0, 2], dtype=torch.int32))
    up = g.filter_edges(lambda edges: edges.dst["h"] > edges.src["h"], edges=([1, 2], [2, 0]))
    assert up.tolist() == [1]
    with pytest.raises(gs.InvalidValueError, match=r"one boolean for each of 3.*\(2,\)"):
        g.filter_nodes(lambda nodes: torch.ones(2))
    with pytest.raises(gs.InvalidValueError, match=r"predicate over edges.*each of 3"):
        g.filter_edges(lambda edges: torch.ones(3, 2))


# --- matrices ------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", graph_cases())
def test_matrices_are_scipy_s(case: GraphCase) -> None:
    g = case()
    for etype in g.canonical_etypes:
        row, col = (ids.numpy() for ids in g.edges(etype=etype))
        shape = g.num_src_nodes(etype[0]), g.num_dst_nodes(etype[2])
        wanted = scipy.sparse.coo_matrix((np.ones(len(row)), (row, col)), shape=shape).toarray()
        np.testing.assert_array_equal(g.adj(etype).to_dense().numpy(), wanted)
        np.testing.assert_array_equal(g.adj_external(True, etype=etype).to_dense(), wanted.T)
        np.testing.assert_array_equal(g.adj(etype, scipy_fmt="csr").toarray(), wanted)
        for transpose in (False, True):
            for fmt in ("coo", "csr"):
                matrix = g.adj_external(transpose, scipy_fmt=fmt, etype=etype)
                assert (matrix.format, matrix.nnz) == (fmt, len(row))
                np.testing.assert_array_equal(matrix.toarray(), wanted.T if transpose else wanted)
        edge = np.arange(len(row))
        for kind, end, count in (("in", col, shape[1]), ("out", row, shape[0])):
            incidence = scipy.sparse.coo_matrix(
                (np.ones(len(row)), (end, edge)), shape=(count, len(row))
            )
            found = g.inc(kind, etype=etype).to_dense().numpy()
            np.testing.assert_array_equal(found, incidence.toarray())


@pytest.mark.parametrize("case", graph_cases("homogeneous", exclude="self_loops"))
def test_incidence_is_networkx_s(case: GraphCase) -> None:
    g = case()
    order = [(u, v, eid) for eid, (u, v) in enumerate(pairs(g, None))]
    if not order:
        assert g.inc("both").shape == (g.num_nodes(), 0)
        return
    wanted = nx.incidence_matrix(to_networkx(g), edgelist=order, oriented=True).toarray()
    np.testing.assert_array_equal(g.inc("both").to_dense().numpy(), wanted)


def test_weights_of_the_adjacency_matrix_carry_gradients() -> None:
    g = gs.graph(([0, 1, 0], [1, 2, 1]))
    g.edata["w"] = torch.tensor([1.0, 2.0, 4.0], requires_grad=True)
    dense = g.adj(eweight_name="w").to_dense()
    cotangent = torch.randn(3, 3)
    (dense * cotangent).sum().backward()

    assert_tensor_equal(dense.detach(), torch.tensor([[0.0, 5, 0], [0, 0, 2], [0, 0, 0]]))
    wanted = torch.stack([cotangent[0, 1], cotangent[1, 2], cotangent[0, 1]])
    assert_tensor_equal(g.edata["w"].grad, wanted)


def test_metagraph_joins_node_types() -> None:
    g = gs.heterograph(
        {("a", "r", "b"): ([0], [0]), ("a", "s", "b"): ([], []), ("b", "r", "b"): ([], [])}
    )
    meta = g.metagraph()

    assert isinstance(meta, nx.MultiDiGraph)
    assert sorted(meta.nodes) == ["a", "b"]
    assert sorted(meta.edges(keys=True)) == [("a", "b", "r"), ("a", "b", "s"), ("b", "b", "r")]


# --- bad input -----------------------------------------------------------------------------------

EVERY_KIND_OF_ID = {
    "too large": (9, gs.OutOfRangeError, "Id 9 is not among the nodes of type '_N': there are 3"),
    "negative": ([0, -2], gs.OutOfRangeError, "Id -2 is not among the nodes"),
    "float": (torch.tensor([0.5]), gs.InvalidTypeError, r"integers, got torch.float32.*\.long"),
    "float list": ([0.5, 1.0], gs.InvalidTypeError, "must be integers, got torch.float64"),
    "str": ("x", gs.InvalidTypeError, "an int, a sequence of ints or an integer tensor, got str"),
    "names": (["x", "y"], gs.InvalidTypeError, "got elements of type <U1"),
    "nested": ([[0, 1]], gs.InvalidValueError, r"one-dimensional, got shape \(1, 2\)"),
    "ragged": ([[0], [1, 2]], gs.InvalidValueError, "ragged.*Flatten"),
    "nothing": (None, gs.InvalidTypeError, "got NoneType"),
    "short mask": (torch.tensor([True]), gs.InvalidValueError, r"needs 3 values, got shape \(1,\)"),
    "meta device": (
        torch.zeros(1, dtype=torch.int64, device="meta"),
        gs.InvalidValueError,
        "on meta but the graph is on cpu.*Move",
    ),
}


@pytest.mark.parametrize("kind", EVERY_KIND_OF_ID)
@pytest.mark.parametrize(
    "ask",
    [
        lambda g, ids: g.in_degrees(ids),
        lambda g, ids: g.out_degrees(ids),
        lambda g, ids: g.in_edges(ids),
        lambda g, ids: g.out_edges(ids, form="eid"),
        lambda g, ids: g.has_edges_between(ids, 0),
        lambda g, ids: g.edge_ids(0, ids),
        lambda g, ids: g.remove_nodes(ids),
        lambda g, ids: g.nodes[ids].data,
        lambda g, ids: g.pull(ids, gs.function.copy_u("h", "m"), gs.function.sum("m", "h")),
        lambda g, ids: g.apply_nodes(lambda nodes: {}, ids),
    ],
)
def test_wrong_node_ids(ask, kind: str) -> None:
    ids, error, message = EVERY_KIND_OF_ID[kind]
    g = gs.graph(([0, 1], [1, 2]))
    if kind in ("str", "nothing") and ask.__code__.co_names[:1] == ("nodes",):
        error, message = (gs.UnknownKeyError, "no node type 'x'") if kind == "str" else (None, "")
    if error is None:
        assert len(ask(g, ids)) == 0, "g.nodes[None] is the only type"
        return
    with pytest.raises(error, match=message):
        ask(g, ids)


@pytest.mark.parametrize(
    ("ids", "error", "message"),
    [
        (
            [2],
            gs.OutOfRangeError,
            r"Id 2 is not among the edges of type .*'_E'.*there are 2, 0 to 1",
        ),
        (torch.tensor([-1]), gs.OutOfRangeError, "Id -1 is not among the edges"),
        (torch.tensor([0.0]), gs.InvalidTypeError, "ids of edges of type .* must be integers"),
        (torch.tensor([True]), gs.InvalidValueError, "mask over the edges .*needs 2 values"),
    ],
)
@pytest.mark.parametrize(
    "ask",
    [
        lambda g, ids: g.find_edges(ids),
        lambda g, ids: g.remove_edges(ids),
        lambda g, ids: g.edges[ids].data,
        lambda g, ids: g.apply_edges(lambda edges: {}, ids),
        lambda g, ids: g.send_and_recv(ids, lambda edges: {}, lambda nodes: {}),
    ],
)
def test_wrong_edge_ids(ask, ids, error, message) -> None:
    with pytest.raises(error, match=message):
        ask(gs.graph(([0, 1], [1, 2])), ids)


def test_ids_of_an_empty_graph() -> None:
    with pytest.raises(
        gs.OutOfRangeError, match="not among the nodes of type '_N': there are none"
    ):
        gs.graph(([], [])).in_degrees(0)
    assert gs.graph(([], [])).in_degrees([]).tolist() == []
    assert gs.graph(([], [])).in_degrees().dtype == torch.int64


@pytest.mark.parametrize(
    ("ask", "error", "message"),
    [
        (
            lambda g: g.edge_ids([0, 2], [1, 0]),
            gs.InvalidValueError,
            r"no edge \(2, 0\).*has_edges",
        ),
        (lambda g: g.edge_ids([0, 1], [0, 1, 2]), gs.InvalidValueError, "pair up, got 2 and 3 ids"),
        (lambda g: g.all_edges(form="x"), gs.InvalidValueError, "'uv', 'eid' or 'all', got 'x'"),
        (lambda g: g.in_edges(0, form="x"), gs.InvalidValueError, "form of edges is .*got 'x'"),
        (lambda g: g.edges(order="x"), gs.InvalidValueError, "'eid' or 'srcdst', got 'x'"),
        (lambda g: g.successors([0, 1]), gs.InvalidValueError, r"One node id.*\[0, 1\].*out_edges"),
        (lambda g: g.adj(eweight_name="x"), gs.UnknownKeyError, "no edge feature 'x'"),
        (
            lambda g: g.adj(eweight_name="x", scipy_fmt="csr"),
            gs.InvalidValueError,
            "has ones as values, got eweight_name='x'",
        ),
        (lambda g: g.adj_external(scipy_fmt="x"), gs.InvalidValueError, "'coo' or 'csr', got 'x'"),
        (lambda g: g.adj_tensors("x"), gs.InvalidValueError, "'coo', 'csr' or 'csc', got 'x'"),
        (lambda g: g.inc("x"), gs.InvalidValueError, "'in', 'out' or 'both', got 'x'"),
        (lambda g: g.in_degrees(etype="x"), gs.UnknownKeyError, "no edge type 'x'"),
        (lambda g: g.formats("x"), gs.InvalidValueError, "among .*'coo', 'csr', 'csc'.*got 'x'"),
        (lambda g: g.formats([]), gs.InvalidValueError, r"got \[\]"),
        (lambda g: g.pin_memory_(), gs.InvalidValueError, "CUDA is not available")
        if not torch.cuda.is_available()
        else (lambda g: g.to("meta").pin_memory_(), gs.InvalidValueError, "on meta"),
    ],
)
def test_wrong_questions(ask, error, message) -> None:
    with pytest.raises(error, match=message):
        ask(gs.graph(([0, 1], [1, 2])))


def test_incidence_of_both_kinds_needs_one_node_type() -> None:
    g = gs.heterograph({("a", "r", "b"): ([0], [0])})
    with pytest.raises(gs.InvalidValueError, match=r"'both' needs .*joins two.*'in' or 'out'"):
        g.inc("both")


# --- formats, id types, devices ------------------------------------------------------------------


@pytest.mark.parametrize("case", graph_cases(idtypes=[torch.int64]))
def test_formats_tell_what_exists_and_restrict(case: GraphCase) -> None:
    g = case()

    assert g.formats()["created"] == ["coo"]
    restricted = g.formats(["csr", "csc"])
    assert restricted.formats() == {"created": ["csr"], "not created": ["csc"]}
    assert restricted.create_formats_() is restricted
    assert restricted.formats() == {"created": ["csr", "csc"], "not created": []}
    assert g.formats() == {"created": ["coo", "csr"], "not created": ["csc"]}


def test_id_types_change_ids_not_features() -> None:
    g = gs.graph(([0, 1], [1, 2]))
    g.ndata["label"] = torch.tensor([5, 6, 7])
    small = g.int()

    assert small.idtype == torch.int32 and g.idtype == torch.int64
    assert small.edges()[0].dtype == small.in_degrees().dtype == torch.int32
    assert small.ndata["label"] is g.ndata["label"]
    assert small.int() is small and g.long() is g
    assert_tensor_equal(small.long().edges()[1], g.edges()[1])


def test_moves_between_devices() -> None:
    g = gs.batch([gs.graph(([0, 1], [1, 2])), gs.graph(([0], [0]))])
    g.ndata["h"] = torch.ones(4)
    moved = g.to("meta")

    assert (
        moved.device.type == moved.ndata["h"].device.type == moved.edges()[0].device.type == "meta"
    )
    assert moved.batch_num_nodes().device.type == "meta"
    assert g.to("cpu") is g and g.cpu() is g
    assert not g.is_pinned()
