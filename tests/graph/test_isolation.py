"""In-place code outside never changes the structure of a graph.

What a graph is built from is copied, and what its accessors and exports return is new memory.
"""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import gossamer as gs
from gossamer import function as fn
from gossamer.ops.adjacency import FORMATS
from helpers.compare import assert_graph_valid

t = torch.tensor

IDTYPES = pytest.mark.parametrize("idtype", [torch.int32, torch.int64])


def edges_of(g: gs.Graph) -> list[Any]:
    """Values of every format of every relation, and of the batch sizes."""
    found = []
    for etype in g.canonical_etypes:
        for fmt in FORMATS:
            found += [x.tolist() for x in g.adj_tensors(fmt, etype)]
        found.append(g.batch_num_edges(etype).tolist())
    return found + [g.batch_num_nodes(ntype).tolist() for ntype in g.ntypes]


def spoil(*tensors: torch.Tensor | np.ndarray) -> None:
    """Overwrite values in place, where this is possible at all."""
    for tensor in tensors:
        tensor += 10**9


# --- construction --------------------------------------------------------------------------------


def test_writing_to_the_source_ids_after_construction() -> None:
    u = torch.arange(1000)
    g = gs.graph((u, (u + 1) % 1000))
    g.ndata["h"] = torch.ones(1000, 8)
    u += 10**9
    g.update_all(fn.copy_u("h", "m"), fn.sum("m", "o"))
    assert torch.equal(g.ndata["o"], torch.ones(1000, 8))


def _coo(make: Callable, idtype: torch.dtype) -> tuple[list, Any]:
    ends = [make([0, 1, 2], idtype), make([1, 2, 0], idtype)]
    return ends, tuple(ends)


def _matrix(make: Callable, idtype: torch.dtype) -> tuple[list, Any]:
    matrix = make([[0, 1, 2], [1, 2, 0]], idtype)
    return [matrix], matrix


def _rows(fmt: str, eids: list[int]) -> Callable:
    def build(make: Callable, idtype: torch.dtype) -> tuple[list, Any]:
        parts = [make(values, idtype) for values in ([0, 1, 3, 3], [1, 2, 0], eids)]
        return parts, (fmt, tuple(parts))

    return build


def _as_tensor(values: list, idtype: torch.dtype) -> torch.Tensor:
    return torch.tensor(values, dtype=idtype)


def _as_array(values: list, idtype: torch.dtype) -> np.ndarray:
    return np.array(values, dtype=str(idtype).removeprefix("torch."))


FORMS = {
    "pair": _coo,
    "csr": _rows("csr", [2, 0, 1]),
    "csr without ids": _rows("csr", []),
    "csc": _rows("csc", [2, 0, 1]),
}

CONSTRUCTORS = {
    "graph": gs.graph,
    "Graph": gs.Graph,
    "heterograph": lambda data, **kw: gs.heterograph({("a", "r", "a"): data}, **kw),
    "create_block": gs.create_block,
}


@IDTYPES
@pytest.mark.parametrize("make", [_as_tensor, _as_array])
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("construct", CONSTRUCTORS.values(), ids=CONSTRUCTORS)
def test_constructors_copy(
    construct: Callable, form: Callable, make: Callable, idtype: torch.dtype
) -> None:
    parts, data = form(make, idtype)
    g = construct(data, idtype=idtype)
    expected = edges_of(construct(form(make, idtype)[1], idtype=idtype))
    spoil(*parts)
    assert edges_of(g) == expected
    assert_graph_valid(g)


@pytest.mark.parametrize("share", [False, True])
def test_a_matrix_of_ends_and_arrays_that_tensors_share(share: bool) -> None:
    array = np.array([[0, 1, 2], [1, 2, 0]])
    g = gs.graph(torch.from_numpy(array)) if share else gs.graph((array[0], array[1]))
    array[:] = 10**9
    assert [end.tolist() for end in g.edges()] == [[0, 1, 2], [1, 2, 0]]


def test_adding_edges_copies() -> None:
    g = gs.graph(([], []), num_nodes=3)
    u, v = t([0, 1]), t([1, 2])
    g.add_edges(u, v)
    spoil(u, v)
    assert [end.tolist() for end in g.edges()] == [[0, 1], [1, 2]]


def test_from_scipy_copies() -> None:
    sparse = pytest.importorskip("scipy.sparse")
    matrix = sparse.coo_matrix((np.ones(3), (np.array([0, 1, 2]), np.array([1, 2, 0]))))
    for build in (gs.from_scipy, lambda m: gs.bipartite_from_scipy(m, "a", "r", "b")):
        for kind in ("tocoo", "tocsr"):
            source = getattr(matrix.copy(), kind)()
            g = build(source)
            before = edges_of(g)
            spoil(source.data)
            spoil(*((source.row, source.col) if kind == "tocoo" else (source.indices,)))
            assert edges_of(g) == before


def test_batch_sizes_are_copied() -> None:
    g = gs.graph(([0, 1, 2], [1, 0, 3]), num_nodes=4)
    nodes, edges = t([2, 2]), t([2, 1])
    g.set_batch_num_nodes(nodes)
    g.set_batch_num_edges(edges)
    spoil(nodes, edges, g.batch_num_nodes(), g.batch_num_edges())
    assert (g.batch_num_nodes().tolist(), g.batch_num_edges().tolist()) == ([2, 2], [2, 1])
    assert [part.num_nodes() for part in gs.unbatch(g)] == [2, 2]


# --- accessors -----------------------------------------------------------------------------------

ACCESSORS: dict[str, Callable[[gs.Graph], Any]] = {
    "edges": lambda g: g.edges(),
    "edges, all": lambda g: g.edges(form="all"),
    "edges, eid": lambda g: [g.edges(form="eid")],
    "edges, srcdst": lambda g: g.edges(form="all", order="srcdst"),
    "all_edges": lambda g: g.all_edges(),
    "nodes": lambda g: [g.nodes()],
    "find_edges": lambda g: g.find_edges(g.edges(form="eid")),
    "find_edges, all": lambda g: g.find_edges(gs.ALL),
    "in_edges": lambda g: g.in_edges(g.nodes(), form="all"),
    "out_edges": lambda g: g.out_edges(g.nodes(), form="all"),
    "edge_ids": lambda g: g.edge_ids(*g.edges(), return_uv=True),
    "in_degrees": lambda g: [g.in_degrees(), g.in_degrees(g.nodes())],
    "out_degrees": lambda g: [g.out_degrees(), g.out_degrees(g.nodes())],
    "successors": lambda g: [g.successors(0), g.predecessors(0)],
    "adj_tensors": lambda g: [x for fmt in FORMATS for x in g.adj_tensors(fmt)],
    "adj": lambda g: [g.adj().indices(), g.adj_external()._indices()],
    "inc": lambda g: [g.inc("in")._indices(), g.inc("out")._indices()],
    "filter": lambda g: [
        g.filter_nodes(lambda nodes: torch.ones(len(nodes))),
        g.filter_edges(lambda edges: torch.ones(len(edges))),
    ],
    "batch sizes": lambda g: [g.batch_num_nodes(), g.batch_num_edges()],
}


def small(idtype: torch.dtype = torch.int64, *, ordered: bool = False) -> gs.Graph:
    """A multigraph; ordered: its CSC needs no edge ids."""
    u, v = [2, 0, 1, 2, 0, 1, 0], [0, 2, 2, 2, 1, 0, 0]
    if ordered:
        v = sorted(v)
    return gs.graph((u, v), idtype=idtype)


@IDTYPES
@pytest.mark.parametrize("batched", [False, True])
@pytest.mark.parametrize("access", ACCESSORS.values(), ids=ACCESSORS)
def test_accessors_give_new_memory(access: Callable, batched: bool, idtype: torch.dtype) -> None:
    for ordered in (False, True):
        g = small(idtype, ordered=ordered)
        g = gs.batch([g, g]) if batched else g
        g.create_formats_()
        before = edges_of(g)
        values = [x.clone() for x in access(g)]
        spoil(*access(g))
        assert edges_of(g) == before
        assert all(torch.equal(a, b) for a, b in zip(access(g), values, strict=True))
        assert_graph_valid(g)


def test_the_graph_after_its_edges_were_overwritten() -> None:
    g = gs.graph(([0, 1], [1, 2]))
    u, v = g.edges()
    u += 3
    v += 3
    assert g.subgraph([0, 1]).num_edges() == 1
    assert gs.batch([g, g]).num_edges() == 4
    g.ndata["h"] = torch.ones(3)
    g.update_all(fn.copy_u("h", "m"), fn.sum("m", "h"))
    assert g.ndata["h"].tolist() == [0, 1, 1]


@pytest.mark.parametrize(
    "duplicate",
    [copy.deepcopy, copy.copy, gs.Graph.clone, gs.Graph.local_var, lambda g: g.formats("coo")],
)
def test_copies_of_a_graph(duplicate: Callable) -> None:
    g = gs.graph(([0, 1], [1, 2]))
    duplicate(g).edges()[0].add_(3)
    assert g.edges()[0].tolist() == [0, 1]
    restored = pickle.loads(pickle.dumps(g))
    restored.edges()[0].add_(3)
    assert restored.edges()[0].tolist() == [0, 1]


def test_user_defined_functions_get_new_memory() -> None:
    g = small()
    before = edges_of(g)
    g.ndata["h"] = torch.arange(3.0)

    def message(edges: Any) -> dict:
        spoil(*edges.edges())
        return {"m": edges.src["h"]}

    def reduce(nodes: Any) -> dict:
        spoil(nodes.nodes())
        return {"o": nodes.mailbox["m"].sum(1)}

    def apply(nodes: Any) -> dict:
        spoil(nodes.nodes())
        return {"o": nodes.data["o"] + 1}

    g.update_all(message, reduce, apply)
    g.apply_edges(message)
    assert edges_of(g) == before
    assert g.ndata["o"].tolist() == [1 + 2 + 1 + 0, 1 + 0, 1 + 0 + 1 + 2]


# --- exports -------------------------------------------------------------------------------------


@pytest.mark.parametrize("fmt", ["coo", "csr"])
@pytest.mark.parametrize("transpose", [False, True])
def test_scipy_sorts_its_own_indices(transpose: bool, fmt: str) -> None:
    pytest.importorskip("scipy.sparse")
    g = gs.graph((t([2, 0, 1, 2, 0, 1, 0]), t([0, 2, 2, 2, 1, 0, 0])))
    w, x = torch.arange(1.0, 8.0), t([1.0, 10.0, 100.0])
    before = gs.ops.gspmm(g, "mul", "sum", x, w)
    assert before.tolist() == [167.0, 5.0, 432.0]
    matrix = g.adj_external(transpose=transpose, scipy_fmt=fmt)
    matrix.max()
    matrix.sum_duplicates()
    spoil(matrix.data)
    if fmt == "csr":
        matrix.sort_indices()
        spoil(matrix.indices, matrix.indptr)
    assert torch.equal(gs.ops.gspmm(g, "mul", "sum", x, w), before)
    backwards = gs.ops.gspmm(g.reverse(), "mul", "sum", x, w)
    assert backwards.sum() == (x[g.edges()[1]] * w).sum()


def test_the_adjacency_matrix_shares_structure_and_weights() -> None:
    g = gs.graph(([0, 1], [1, 2]))
    g.edata["w"] = t([1.0, 2.0])
    matrix = g.adj(eweight_name="w")
    assert matrix.adjacency is g.relation()
    assert matrix.val is g.edata["w"]


def test_gradients_reach_weights_of_the_adjacency_matrix() -> None:
    g = gs.graph(([0, 1], [1, 2]))
    w = t([1.0, 2.0], requires_grad=True)
    g.edata["w"] = w
    (g.adj(eweight_name="w") @ t([[1.0], [3.0], [5.0]])).sum().backward()
    assert w.grad.tolist() == [3, 5]


def test_pyg_gets_new_memory() -> None:
    pytest.importorskip("torch_geometric")
    g = small()
    before = edges_of(g)
    data = gs.interop.to_pyg(g)
    data.edge_index += 10**9
    assert edges_of(g) == before
    source = gs.interop.to_pyg(g)
    back = gs.interop.from_pyg(source)
    source.edge_index += 10**9
    assert edges_of(back) == before


def test_edge_tables_are_new() -> None:
    pytest.importorskip("pandas")
    g = small()
    before = edges_of(g)
    table = gs.interop.to_edge_table(g)
    for name in table.columns:
        table.loc[:, name] = 10**9
    assert edges_of(g) == before


# --- rows that are gathered later ----------------------------------------------------------------


@pytest.mark.parametrize("what", ["the argument", "the recorded ids"])
def test_ids_of_a_subgraph_are_its_own(what: str) -> None:
    g = small()
    g.ndata["h"] = torch.arange(3.0)
    g.edata["w"] = torch.arange(7.0)
    nodes, edges = t([2, 0]), t([3, 1])
    by_nodes, by_edges = g.subgraph(nodes), g.edge_subgraph(edges, relabel_nodes=False)
    if what == "the argument":
        spoil(nodes, edges)
        assert by_nodes.ndata[gs.NID].tolist() == [2, 0]
        assert by_edges.edata[gs.EID].tolist() == [3, 1]
    else:
        spoil(by_nodes.ndata[gs.NID], by_nodes.edata[gs.EID], by_edges.edata[gs.EID])
    assert by_nodes.ndata["h"].tolist() == [2, 0]
    assert by_edges.edata["w"].tolist() == [3, 1]


def test_ids_of_a_sampled_block_are_its_own() -> None:
    g = small()
    g.ndata["h"] = torch.arange(3.0)
    g.edata["w"] = torch.arange(7.0)
    sampled = gs.sampling.sample_neighbors(g, [0], -1)
    eids = sampled.edata[gs.EID].clone()
    spoil(sampled.edata[gs.EID])
    block = gs.to_block(sampled, [0])
    ids = block.srcdata[gs.NID].clone()
    spoil(block.srcdata[gs.NID], block.dstdata[gs.NID], block.edata[gs.EID])
    assert block.srcdata["h"].tolist() == ids.tolist()
    assert block.edata["w"].tolist() == eids.tolist()
