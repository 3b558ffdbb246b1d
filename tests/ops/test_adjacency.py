"""Formats of one relation against NumPy's stable sort, and degrees and pairs against counting."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import torch

import gossamer as gs
from gossamer.graph import Adjacency, Compressed
from gossamer.ops.adjacency import FORMATS
from helpers.compare import assert_tensor_equal
from helpers.graphs import GraphCase, graph_cases

IDTYPES = (torch.int32, torch.int64)


def relations(g: gs.Graph) -> list[Adjacency]:
    return [g.relation(etype) for etype in g.canonical_etypes]


def oracle(adjacency: Adjacency) -> dict[str, tuple[np.ndarray, ...]]:
    """Every format by NumPy, from COO alone."""
    row, col = (ids.numpy().astype(np.int64) for ids in adjacency.coo())

    def compressed(rows: np.ndarray, columns: np.ndarray, count: int) -> tuple[np.ndarray, ...]:
        order = np.argsort(rows, kind="stable")
        indptr = np.concatenate([[0], np.bincount(rows, minlength=count).cumsum()])
        return indptr, columns[order], order

    return {
        "coo": (row, col),
        "csr": compressed(row, col, adjacency.num_src),
        "csc": compressed(col, row, adjacency.num_dst),
    }


def assert_format(adjacency: Adjacency, name: str, wanted: tuple[np.ndarray, ...]) -> None:
    found = list(getattr(adjacency, name)())
    if name != "coo" and found[2] is None:
        found[2] = torch.arange(adjacency.num_edges)
    for ours, theirs in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(ours.numpy(), theirs, err_msg=name)


@pytest.mark.parametrize("case", graph_cases())
@pytest.mark.parametrize("start", FORMATS)
def test_each_format_is_made_from_each_other(case: GraphCase, start: str) -> None:
    for adjacency in relations(case()):
        wanted = oracle(adjacency)
        kept = getattr(adjacency, start)()
        for goal in FORMATS:
            alone = Adjacency(
                adjacency.num_src, adjacency.num_dst, adjacency.idtype, **{start: kept}
            )
            assert alone.created() == (start,)
            assert_format(alone, goal, wanted[goal])
            assert set(alone.created()) == {start, goal}
            assert alone.num_edges == adjacency.num_edges


@pytest.mark.parametrize("case", graph_cases())
def test_round_trip_over_all_formats_gives_the_same_edges(case: GraphCase) -> None:
    for adjacency in relations(case()):
        wanted = oracle(adjacency)
        current = adjacency
        for name in ("csr", "csc", "csr", "coo", "csc", "coo"):
            current = Adjacency(
                adjacency.num_src,
                adjacency.num_dst,
                adjacency.idtype,
                **{name: getattr(current, name)()},
            )
        assert_format(current, "coo", wanted["coo"])
        assert current.coo()[0].dtype == case.idtype


@pytest.mark.parametrize("idtype", IDTYPES)
def test_no_edge_ids_are_kept_where_rows_are_sorted(idtype: torch.dtype) -> None:
    g = gs.graph(([0, 0, 1, 2], [2, 1, 0, 0]), idtype=idtype)

    assert g.adjacency.csr().eids is None
    np.testing.assert_array_equal(g.adjacency.csc().eids.numpy(), [2, 3, 1, 0])


@pytest.mark.parametrize("idtype", IDTYPES)
def test_compact_indices_do_not_show(idtype: torch.dtype) -> None:
    g = gs.graph(([3, 0, 3, 1], [1, 2, 1, 0]), idtype=idtype).create_formats_()

    assert {t.dtype for t in (*g.adjacency.csr()[:2], *g.adjacency.csc()[:2])} == {torch.int32}
    seen = [*g.edges(form="all"), *g.in_edges([1], form="all"), *g.out_edges([3], form="all")]
    seen += [*g.adj_tensors("coo"), *g.adj_tensors("csr"), *g.adj_tensors("csc")]
    seen += [g.in_degrees(), g.out_degrees(), g.successors(3), g.predecessors(1), g.nodes()]
    seen += [*g.find_edges([0]), g.edge_ids([3], [1]), *g.edge_ids([3], [1], return_uv=True)]
    assert {t.dtype for t in seen} == {idtype}


@pytest.mark.parametrize("allowed", [FORMATS, ("csr",), ("coo", "csc")])
@pytest.mark.parametrize("case", graph_cases(idtypes=[torch.int64]))
def test_narrow_coo_is_widened_when_it_is_used(case: GraphCase, allowed: tuple) -> None:
    for adjacency in relations(case()):
        wanted = oracle(adjacency)
        narrow = Adjacency(
            adjacency.num_src,
            adjacency.num_dst,
            torch.int64,
            coo=tuple(ids.int() for ids in adjacency.coo()),
        )
        assert {ids.dtype for ids in narrow.tensors()} == {torch.int32}
        sent = pickle.loads(pickle.dumps(narrow))
        for same in (narrow.restrict(allowed), sent, narrow):
            for name in FORMATS:
                assert_format(same, name, wanted[name])
            assert {ids.dtype for ids in same.coo()} == {torch.int64}
        for kept, again in zip(narrow.coo(), narrow.coo(), strict=True):
            assert kept is again


def test_wide_indices_from_two_to_the_31_on() -> None:
    edges = torch.tensor([0]), torch.tensor([1])
    limit = 2**31 - 1

    assert Adjacency(limit - 1, 2, torch.int64, coo=edges).index_dtype == torch.int32
    assert Adjacency(limit, 2, torch.int64, coo=edges).index_dtype == torch.int64
    assert Adjacency(2, limit, torch.int64, coo=edges).index_dtype == torch.int64


@pytest.mark.parametrize("fmt", FORMATS)
def test_ids_of_several_dtypes_are_refused(fmt: str) -> None:
    long, short = torch.tensor([0, 1]), torch.tensor([0, 1], dtype=torch.int32)
    arrays = (long, short) if fmt == "coo" else Compressed(long, short[:1], None)
    with pytest.raises(gs.InvalidTypeError, match="one dtype of ids, got torch"):
        Adjacency(2, 2, torch.int64, **{fmt: arrays})
    with pytest.raises(gs.InvalidTypeError, match="got torch"):
        arrays = (long, long) if fmt == "coo" else Compressed(long, long[:1], None)
        Adjacency(2, 2, torch.int32, **{fmt: arrays})


def test_int32_ids_do_not_reach_beyond_int32() -> None:
    edges = torch.tensor([0], dtype=torch.int32), torch.tensor([1], dtype=torch.int32)

    assert Adjacency(2**31 - 1, 2, torch.int32, coo=edges).num_src == 2**31 - 1
    with pytest.raises(
        gs.InvalidValueError, match=r"2147483648 nodes or edges.*idtype=torch.int64"
    ):
        Adjacency(2**31, 2, torch.int32, coo=edges)


@pytest.mark.parametrize("allowed", [["csc"], ["csr"], ["coo"], ["coo", "csr"], ["csr", "csc"]])
@pytest.mark.parametrize("case", graph_cases(idtypes=[torch.int64]))
def test_restricted_adjacency_keeps_only_what_is_allowed(case: GraphCase, allowed: list) -> None:
    for adjacency in relations(case()):
        wanted = oracle(adjacency)
        restricted = adjacency.restrict(allowed)
        assert set(restricted.created()) <= set(allowed)
        for name in FORMATS:
            assert_format(restricted, name, wanted[name])
        assert set(restricted.created()) == set(allowed)
        restricted.create()
        assert set(restricted.created()) == set(allowed)


@pytest.mark.parametrize("case", graph_cases())
@pytest.mark.parametrize("start", FORMATS)
def test_degrees_count_edges(case: GraphCase, start: str) -> None:
    for adjacency in relations(case()):
        row, col = (ids.numpy() for ids in adjacency.coo())
        alone = adjacency.restrict([start])
        outgoing = np.bincount(row, minlength=adjacency.num_src)
        incoming = np.bincount(col, minlength=adjacency.num_dst)
        np.testing.assert_array_equal(alone.out_degrees().numpy(), outgoing)
        np.testing.assert_array_equal(alone.in_degrees().numpy(), incoming)
        assert alone.in_degrees().dtype == case.idtype
        assert alone.has_zero_in_degree() == bool((incoming == 0).any())


@pytest.mark.parametrize("case", graph_cases())
def test_edges_between_finds_every_parallel_edge(case: GraphCase) -> None:
    for adjacency in relations(case()):
        row, col = (ids.tolist() for ids in adjacency.coo())
        pairs = [(u, v) for u in range(min(adjacency.num_src, 9)) for v in range(adjacency.num_dst)]
        if not pairs:
            continue
        found_pair, found_eid = adjacency.edges_between(
            *torch.tensor(pairs, dtype=case.idtype).unbind(1)
        )
        wanted = [
            (i, eid)
            for i, pair in enumerate(pairs)
            for eid, ends in enumerate(zip(row, col, strict=True))
            if ends == pair
        ]
        assert list(zip(found_pair.tolist(), found_eid.tolist(), strict=True)) == wanted
        assert found_eid.dtype == case.idtype


@pytest.mark.parametrize("case", graph_cases())
def test_duplicates_are_noticed(case: GraphCase) -> None:
    for adjacency in relations(case()):
        pairs = list(zip(*(ids.tolist() for ids in adjacency.coo()), strict=True))
        assert adjacency.has_duplicates() == (len(set(pairs)) < len(pairs))


def test_pairs_that_do_not_fit_64_bits_are_refused() -> None:
    g = gs.graph((torch.tensor([2**40]), torch.tensor([2**40])))

    assert g.num_nodes() == 2**40 + 1
    with pytest.raises(gs.InvalidValueError, match=r"do not fit 64 bits.*Relabel"):
        g.has_edges_between(0, 1)
    with pytest.raises(gs.InvalidValueError, match="do not fit 64 bits"):
        g.edges(order="srcdst")


@pytest.mark.parametrize("case", graph_cases())
def test_reverse_swaps_ends_and_formats(case: GraphCase) -> None:
    for adjacency in relations(case()):
        adjacency.create()
        reverse = adjacency.reverse()
        assert (reverse.num_src, reverse.num_dst) == (adjacency.num_dst, adjacency.num_src)
        row, col = oracle(adjacency)["coo"]
        assert_format(reverse, "coo", (col, row))
        for name in FORMATS:
            assert_format(reverse, name, oracle(reverse)[name])
        assert reverse.csr() is adjacency.csc()


def test_reverse_of_a_restricted_adjacency_is_restricted_likewise() -> None:
    adjacency = gs.graph(([0, 1], [1, 1])).adjacency.restrict(["csc"])

    assert adjacency.reverse().allowed == ("csr",)
    assert adjacency.reverse().created() == ("csr",)


@pytest.mark.parametrize("idtype", IDTYPES)
def test_edge_subset_keeps_the_given_order(idtype: torch.dtype) -> None:
    adjacency = gs.graph(([3, 0, 3, 1], [1, 2, 1, 0]), idtype=idtype).adjacency
    part = adjacency.edge_subset(torch.tensor([3, 0, 0], dtype=idtype))

    assert_tensor_equal(part.coo()[0], torch.tensor([1, 3, 3], dtype=idtype))
    assert_tensor_equal(part.coo()[1], torch.tensor([0, 1, 1], dtype=idtype))
    assert (part.num_src, part.num_dst) == (4, 4)


def test_slots_name_each_edge_once() -> None:
    g = gs.graph(([3, 0, 3, 1], [1, 2, 1, 0]))
    assert g.adjacency.slots()[2] is None
    g.adjacency.csc()
    source, destination, eids = g.adjacency.slots()

    np.testing.assert_array_equal(eids.sort().values.numpy(), np.arange(4))
    np.testing.assert_array_equal(source.numpy(), g.edges()[0][eids.long()].numpy())
    np.testing.assert_array_equal(destination.numpy(), g.edges()[1][eids.long()].numpy())


def test_memo_is_kept_and_does_not_travel() -> None:
    adjacency = gs.graph(([0, 1], [1, 0])).adjacency
    calls = []
    for _ in range(2):
        assert adjacency.memo("key", lambda: calls.append(1) or "value") == "value"

    assert calls == [1]
    assert adjacency.astype(torch.int32)._memo == {}
    assert adjacency.astype(torch.int64) is adjacency
    assert copy.deepcopy(adjacency) is adjacency, "it is immutable"


def test_repr_names_counts_and_formats() -> None:
    adjacency = gs.graph(([0, 1], [1, 0])).adjacency

    assert repr(adjacency) == (
        "Adjacency(num_src=2, num_dst=2, num_edges=2, idtype=torch.int64, formats=['coo'])"
    )


def test_apply_reaches_every_tensor() -> None:
    adjacency = gs.graph(([1, 0], [1, 0])).adjacency
    adjacency.create()
    seen = []
    copied = adjacency.apply(lambda tensor: seen.append(tensor) or tensor.clone())

    assert len(seen) == len(adjacency.tensors()) == 8
    assert isinstance(copied.csr(), Compressed)
    for ours, theirs in zip(copied.tensors(), adjacency.tensors(), strict=True):
        assert_tensor_equal(ours, theirs)
        assert ours.data_ptr() != theirs.data_ptr()


@pytest.mark.parametrize("fmt", FORMATS)
@pytest.mark.parametrize("idtype", IDTYPES)
def test_kernels_get_contiguous_ids(idtype: torch.dtype, fmt: str) -> None:
    """The columns of a table of edges are strided, and kernels read ids one after another."""
    src, dst = torch.tensor([[0, 2], [1, 2], [2, 2]], dtype=idtype).unbind(1)
    edges: tuple = (src, dst)
    if fmt != "coo":
        table = torch.tensor([[0, 2, 0], [1, 2, 1], [2, 2, 2], [3, 2, 0]], dtype=idtype)
        edges = (fmt, (table[:, 0], table[:3, 1], table[:3, 2]))
    g = gs.graph(edges, num_nodes=3, idtype=idtype)
    g.ndata["h"] = torch.tensor([1.0, 2.0, 4.0])
    g.apply_edges(gs.function.u_sub_v("h", "h", "m"))
    difference = g.ndata["h"] - 4
    assert_tensor_equal(g.edata["m"], -difference if fmt == "csc" else difference)
    parts = g.adjacency.structure(by_dst=True, by_src=True, slots=True)
    assert all(part is None or part.is_contiguous() for part in parts)


def test_formats_made_in_inference_mode_serve_training() -> None:
    g = gs.graph(("csr", ([0, 1, 2], [1, 0], [])))
    with torch.inference_mode():
        g.edges()
        g.in_degrees()
    u, v = g.edges()
    x = torch.ones(2, requires_grad=True)
    (grad,) = torch.autograd.grad(x[u] * x[v] * g.in_degrees(), x, torch.ones(2))
    assert grad.tolist() == [2, 2]
