"""What DGL 2.1.0 accepts and returns, where an API alone does not say it. Values are DGL's."""

from __future__ import annotations

from typing import Any

import networkx as nx
import numpy as np
import pytest
import torch

import gossamer as gs
from gossamer import function as fn

t = torch.tensor

ONE = [t(2), t([2]), np.array(2), np.array([2]), np.int64(2), np.int32(2), 2]
NAMES = [repr(value) for value in ONE]


@pytest.fixture
def g() -> gs.Graph:
    return gs.graph(([0, 1, 2, 0], [2, 2, 0, 1]))


def is_scalar(value: Any) -> bool:
    return isinstance(value, int | np.integer)


@pytest.mark.parametrize("one", ONE, ids=NAMES)
def test_one_node(one: Any, g: gs.Graph) -> None:
    """An int gives an int, anything else a tensor."""
    for method, number in (("in_degrees", 2), ("out_degrees", 1), ("has_nodes", True)):
        found = getattr(g, method)(one)
        if is_scalar(one):
            assert found == number
            assert isinstance(found, int | bool)
        else:
            assert found.tolist() == [number]
    assert g.predecessors(one).tolist() == [0, 1]
    assert g.successors(one).tolist() == [0]
    assert [end.tolist() for end in g.in_edges(one)] == [[0, 1], [2, 2]]
    assert [end.tolist() for end in g.out_edges(one)] == [[2], [0]]
    assert [end.tolist() for end in g.find_edges(one)] == [[2], [0]]


@pytest.mark.parametrize("one", ONE, ids=NAMES)
def test_one_pair(one: Any, g: gs.Graph) -> None:
    for u, v in ((one, 0), (one, t([0])), (0, one)):
        eid, found = g.edge_ids(u, v), g.has_edges_between(u, v)
        wanted = 0 if u is not one else 2
        if is_scalar(u) and is_scalar(v):
            assert (eid, found) == (wanted, True)
        else:
            assert (eid.tolist(), found.tolist()) == ([wanted], [True])


@pytest.mark.parametrize("nodes", [t([0, 2]), [0, 2], 1.0, True, t(1.0), "a", None])
def test_successors_take_one_node(nodes: Any, g: gs.Graph) -> None:
    for method in (g.successors, g.predecessors):
        with pytest.raises(gs.InvalidValueError, match=r"One node id is expected, got"):
            method(nodes)


# --- integer arguments ---------------------------------------------------------------------------

INTEGERS = [np.int64(1), np.uint8(1), np.array(1), np.array([1]), t(1), t([1]), 1]


@pytest.mark.parametrize("one", INTEGERS, ids=[repr(value) for value in INTEGERS])
def test_integers_of_every_kind(one: Any, g: gs.Graph, tmp_path: Any) -> None:
    g.ndata["x"] = torch.arange(6.0).reshape(3, 2)
    g.edata["w"] = torch.arange(4.0).reshape(4, 1)
    assert torch.equal(gs.topk_nodes(g, "x", one)[0], gs.topk_nodes(g, "x", 1)[0])
    assert torch.equal(gs.topk_edges(g, "w", one)[0], gs.topk_edges(g, "w", 1)[0])
    ranked = gs.topk_nodes(g, "x", 2, sortby=one)
    assert torch.equal(ranked[0], gs.topk_nodes(g, "x", 2, sortby=1)[0])
    bg = gs.batch([g, gs.add_self_loop(g)])
    assert gs.slice_batch(bg, one).num_edges() == 7
    h = gs.graph(([], []), num_nodes=one)
    h.add_nodes(one)
    h.add_edges(one, one)
    h.remove_nodes(one)
    assert (h.num_nodes(), h.num_edges()) == (1, 0)
    assert gs.create_block(([], []), one, one).num_dst_nodes() == 1
    assert gs.heterograph({("a", "r", "b"): ([], [])}, {"a": one, "b": one}).num_nodes() == 2
    assert g.nodes[one].data["x"].tolist() == [[2.0, 3.0]]
    assert g.edges[one].data["w"].tolist() == [[1.0]]
    assert g.khop_in_subgraph(one, one)[0].num_nodes() == 2
    gs.save_graphs(tmp_path / "x", [g, h])
    assert gs.load_graphs(tmp_path / "x", [one])[0][0].num_nodes() == 1


@pytest.mark.parametrize(
    "value", [True, np.bool_(True), t(True), 1.0, np.float64(1), t(1.0), t([1, 1]), "1", None, [1]]
)
def test_no_integers(value: Any, g: gs.Graph) -> None:
    g.ndata["x"] = torch.ones(3, 2)
    for call in (lambda: gs.topk_nodes(g, "x", value), lambda: g.add_nodes(value)):
        with pytest.raises(gs.InvalidTypeError, match="is an int, got"):
            call()


# --- names of sides ------------------------------------------------------------------------------


def test_sides_of_a_block() -> None:
    b = gs.create_block({("A", "r", "A"): ([0, 1], [0, 1])}, {"A": 3}, {"A": 2})
    b.srcnodes["A"].data["x"] = torch.ones(3)
    b.dstnodes["A"].data["x"] = torch.zeros(2)
    for name, count in (("SRC/A", 3), ("DST/A", 2), ("A", 3)):
        assert b.num_nodes(name) == count
        assert b.nodes(name).tolist() == list(range(count))
        assert b.nodes[name].data["x"].tolist() == [float(name != "DST/A")] * count
        assert b.has_nodes([2], name).tolist() == [count == 3]
    assert b.get_ntype_id("DST/A") == 1
    block = gs.create_block(([0, 1, 2], [0, 0, 1]))
    assert (block.num_nodes("SRC/_N"), block.num_nodes("DST/_N")) == (3, 2)
    with pytest.raises(gs.UnknownKeyError, match="no node type 'SRC/A' among the source types"):
        b.srcnodes["SRC/A"]


def test_positions_of_types_by_side() -> None:
    g = gs.heterograph({("u", "f", "u"): ([0], [1]), ("u", "p", "g"): ([0], [1])})
    assert (g.get_ntype_id_from_src("u"), g.get_ntype_id_from_dst("g")) == (1, 0)
    b = gs.to_block(g)
    assert (b.get_ntype_id_from_src("g"), b.get_ntype_id_from_src("u")) == (0, 1)
    assert (b.get_ntype_id_from_dst("g"), b.get_ntype_id_from_dst("u")) == (2, 3)
    one = gs.graph(([0], [1]))
    assert (one.get_ntype_id_from_src(None), one.get_ntype_id_from_dst(None)) == (0, 0)
    with pytest.raises(gs.UnknownKeyError, match="no source node type 'z'"):
        g.get_ntype_id_from_src("z")
    bipartite = g.edge_type_subgraph(["p"])
    with pytest.raises(gs.UnknownKeyError, match="no destination node type 'u'; there are"):
        bipartite.get_ntype_id_from_dst("u")


def test_a_block_drawn_at_once_by_a_method() -> None:
    g = gs.graph(([0, 1, 2, 3], [1, 2, 0, 0]))
    block = g.sample_neighbors_fused(torch.tensor([0]), -1)
    assert block.is_block
    assert block.srcdata[gs.NID].tolist() == [0, 2, 3]
    assert block.edata[gs.EID].tolist() == [2, 3]


def test_sides_of_other_graphs(g: gs.Graph) -> None:
    bipartite = gs.heterograph({("A", "s", "B"): ([0], [1])})
    assert (bipartite.num_nodes("SRC/A"), bipartite.num_nodes("DST/B")) == (1, 2)
    mixed = gs.heterograph({("A", "r", "A"): ([0], [1]), ("A", "s", "B"): ([0], [1])})
    for graph, name in ((g, "DST/_N"), (mixed, "SRC/A"), (bipartite, "DST/A")):
        with pytest.raises(gs.UnknownKeyError, match=f"There is no node type '{name}'"):
            graph.num_nodes(name)
    named = gs.heterograph({("SRC/A", "s", "B"): ([0, 1], [1, 1])})
    assert named.num_nodes("SRC/A") == 2


# --- initial values ------------------------------------------------------------------------------


def nines(shape: tuple, dtype: torch.dtype, ctx: torch.device, id_range: slice) -> torch.Tensor:
    return torch.full(shape, 9.0, dtype=dtype)


def total(nodes: Any) -> dict:
    return {"x": nodes.mailbox["m"].sum(1)}


def prepared(**features: torch.Tensor) -> gs.Graph:
    g = gs.graph(([0, 1], [1, 2]))
    g.ndata["h"] = torch.ones(3, 2)
    g.ndata.update(features)
    g.set_n_initializer(nines, "x")
    return g


def test_pull_gives_initial_values_to_nodes_without_messages() -> None:
    g, seen = prepared(), []

    def apply(nodes: Any) -> dict:
        seen.append((nodes.nodes().tolist(), nodes.data["x"][:, 0].tolist()))
        return {"y": nodes.data["x"] * 2}

    g.pull([0, 1], fn.copy_u("h", "m"), total, apply)
    assert seen == [([0, 1], [9.0, 1.0])]
    assert list(g.ndata) == ["h", "y"], "what the function does not return is not kept"
    assert g.ndata["y"].tolist() == [[18.0, 18.0], [2.0, 2.0], [0.0, 0.0]]


def test_pull_replaces_what_nodes_without_messages_had() -> None:
    g = prepared(x=torch.full((3, 2), 5.0))
    g.pull([0, 1], fn.copy_u("h", "m"), total)
    assert g.ndata["x"].tolist() == [[9.0, 9.0], [1.0, 1.0], [5.0, 5.0]]
    g = prepared(x=torch.full((3, 2), 5.0))
    g.pull([0, 1], fn.copy_u("h", "m"), fn.sum("m", "x"))
    assert g.ndata["x"].tolist() == [[0.0, 0.0], [1.0, 1.0], [5.0, 5.0]]


def test_initial_values_by_id() -> None:
    g = prepared()
    g.set_n_initializer(
        lambda shape, _, __, ids: torch.arange(ids.start, ids.stop)[:, None].expand(shape).float(),
        "x",
    )
    g.add_nodes(1)
    g.ndata["h"] = torch.ones(4, 2)
    g.pull([1, 3], fn.copy_u("h", "m"), total)
    assert g.ndata["x"][:, 0].tolist() == [0.0, 1.0, 2.0, 3.0]


# --- batches -------------------------------------------------------------------------------------


@pytest.mark.parametrize("idtype", [torch.int32, torch.int64])
def test_batch_of_empty_relations(idtype: torch.dtype) -> None:
    none, some = torch.empty(0, dtype=idtype), torch.zeros(1, dtype=idtype)
    empty = gs.heterograph({("a", "r", "a"): (none, none)}, {"a": 2})
    filled = gs.heterograph({("a", "r", "a"): (some, some)}, {"a": 2})
    assert empty.idtype == idtype
    assert gs.batch([empty, empty]).idtype == idtype
    assert gs.batch([filled, empty]).batch_num_edges().tolist() == [1, 0]
    floats = gs.heterograph({("a", "r", "a"): (torch.tensor([]), torch.tensor([]))}, {"a": 2})
    assert floats.idtype == torch.int64


def test_batch_sizes_that_do_not_add_up() -> None:
    dgl = pytest.importorskip("gossamer.compat.dgl")
    g = gs.batch([gs.graph(([0], [1])), gs.graph(([0], [1]))])
    sizes = g.batch_num_edges()
    looped = gs.add_self_loop(g)
    with pytest.raises(gs.InvalidValueError, match=r"add up to 2, but there are 6\.$"):
        looped.set_batch_num_edges(sizes)
    dgl.install()
    try:
        with pytest.warns(UserWarning, match=r"add up to 2, but there are 6\."):
            looped.set_batch_num_edges(sizes)
        with pytest.raises(gs.InvalidValueError, match="cannot be negative"):
            looped.set_batch_num_edges(-sizes)
    finally:
        dgl.uninstall()
    looped.set_batch_num_nodes(g.batch_num_nodes())
    assert looped.batch_num_edges().tolist() == [1, 1]
    looped.ndata["h"] = torch.ones(4)
    assert gs.sum_nodes(looped, "h").tolist() == [2, 2]
    with pytest.raises(gs.InvalidValueError, match="add up to 2"):
        looped.set_batch_num_edges(sizes)


# --- construction --------------------------------------------------------------------------------


def test_graph_of_a_scipy_matrix() -> None:
    sparse = pytest.importorskip("scipy.sparse")
    matrix = sparse.coo_matrix(([1, 2, 3], ([0, 1, 3], [1, 2, 0])), shape=(4, 4))
    for form in (matrix, matrix.tocsr(), matrix.tocsc().tocoo()):
        g = gs.Graph(form, readonly=True)
        assert sorted(zip(*(end.tolist() for end in g.edges()), strict=True)) == [
            (0, 1),
            (1, 2),
            (3, 0),
        ]
        assert (g.num_nodes(), list(g.edata)) == (4, [])
    assert gs.Graph(sparse.coo_matrix(([1], ([0], [4])), shape=(2, 5))).num_nodes() == 5
    with pytest.raises(gs.InvalidTypeError, match=r"Use gossamer\.from_scipy"):
        gs.graph(matrix)


@pytest.mark.parametrize(
    ("source", "edges", "num_nodes"),
    [
        (nx.path_graph(3), [[0, 1, 1, 2], [1, 0, 2, 1]], 3),
        (nx.DiGraph([(0, 1), (2, 1)]), [[0, 2], [1, 1]], 3),
        (nx.Graph([("b", "a"), ("a", "c")]), [[1, 0, 0, 2], [0, 1, 2, 0]], 3),
        (nx.Graph([(10, 20)]), [[0, 1], [1, 0]], 2),
        (nx.MultiDiGraph([(0, 1), (0, 1)]), [[0, 0], [1, 1]], 2),
        (nx.empty_graph(3), [[], []], 3),
    ],
)
def test_graph_of_a_networkx_graph(source: Any, edges: list, num_nodes: int) -> None:
    g = gs.Graph(source)
    assert [end.tolist() for end in g.edges()] == edges
    assert g.num_nodes() == num_nodes


def test_graph_without_edges() -> None:
    for g in (gs.Graph(), gs.Graph(multigraph=True), gs.Graph(multigraph=False, sort_csr=True)):
        assert (g.num_nodes(), g.num_edges(), g.idtype) == (0, 0, torch.int64)
        g.add_nodes(2)
        g.add_edges([0, 0], [1, 1])
        assert g.is_multigraph
    assert gs.Graph(([0], [1]), num_nodes=np.int64(4), idtype=torch.int32).num_nodes() == 4
    with pytest.raises(TypeError, match="unexpected keyword argument 'num_node'"):
        gs.Graph(([0], [1]), num_node=4)


def test_astype(g: gs.Graph) -> None:
    g.ndata["x"] = torch.ones(3)
    small = g.astype(torch.int32)
    assert (small.idtype, small.edges()[0].dtype) == (torch.int32, torch.int32)
    assert small.astype(torch.int32) is small
    assert "x" in small.ndata
    with pytest.raises(gs.InvalidTypeError, match=r"idtype is torch.int32 or torch.int64, got tor"):
        g.astype(torch.float32)


@pytest.mark.parametrize("name", ["in_subgraph", "out_subgraph"])
def test_neighbor_subgraphs_are_methods(name: str, g: gs.Graph) -> None:
    for options in ({}, {"relabel_nodes": True, "store_ids": False}):
        found, wanted = getattr(g, name)([0], **options), getattr(gs, name)(g, [0], **options)
        assert torch.equal(torch.stack(found.edges()), torch.stack(wanted.edges()))
        assert found.ndata.keys() == wanted.ndata.keys()
    found, seeds = getattr(g, f"khop_{name}")([0], 2)
    assert (found.num_nodes(), found.num_edges(), seeds.tolist()) == (3, 4, [0])
