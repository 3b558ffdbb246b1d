"""Adding and removing nodes and edges against a plain list of edges."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

import gossamer as gs
from helpers.compare import assert_graph_equal, assert_graph_valid, assert_tensor_equal
from helpers.graphs import GraphCase, graph_cases

EDITABLE = graph_cases(exclude=("block", "heterogeneous_block"))


def dressed(g: gs.Graph) -> gs.Graph:
    for ntype in g.ntypes:
        g.nodes[ntype].data["id"] = torch.arange(g.num_nodes(ntype))
    for etype in g.canonical_etypes:
        g.edges[etype].data["id"] = torch.arange(g.num_edges(etype))
    return g


def edges(g: gs.Graph, etype) -> list[tuple[int, int]]:
    return list(zip(*(ids.tolist() for ids in g.edges(etype=etype)), strict=True))


@pytest.mark.parametrize("case", EDITABLE)
def test_removed_nodes_take_their_edges_along(case: GraphCase) -> None:
    for ntype in case().ntypes:
        g, before = dressed(case()), case()
        removed = [i for i in range(g.num_nodes(ntype)) if i % 3 == 1]
        g.remove_nodes(removed, ntype=ntype, store_ids=True)
        left = {name: list(range(before.num_nodes(name))) for name in before.ntypes}
        left[ntype] = [i for i in left[ntype] if i not in removed]
        assert_graph_valid(g)
        for name in g.ntypes:
            assert g.nodes[name].data["id"].tolist() == left[name]
            if removed:
                assert g.nodes[name].data[gs.NID].tolist() == left[name]
        for etype in g.canonical_etypes:
            src, dst = left[etype[0]], left[etype[2]]
            kept = [
                (eid, src.index(u), dst.index(v))
                for eid, (u, v) in enumerate(edges(before, etype))
                if u in src and v in dst
            ]
            if removed:  # by source, and in the former order among those of one source
                kept.sort(key=lambda entry: entry[1])
                assert g.edges[etype].data[gs.EID].dtype == case.idtype
            assert edges(g, etype) == [(u, v) for _, u, v in kept]
            assert g.edges[etype].data["id"].tolist() == [eid for eid, _, _ in kept]


@pytest.mark.parametrize("case", EDITABLE)
def test_removed_edges_leave_the_others_in_order(case: GraphCase) -> None:
    for chosen in case().canonical_etypes:
        g, before = dressed(case()), case()
        removed = list(range(0, g.num_edges(chosen), 2))
        g.remove_edges(removed, etype=chosen, store_ids=True)
        assert_graph_valid(g)
        for etype in g.canonical_etypes:
            kept = [
                eid
                for eid in range(before.num_edges(etype))
                if etype != chosen or eid not in removed
            ]
            assert edges(g, etype) == [edges(before, etype)[eid] for eid in kept]
            assert g.edges[etype].data["id"].tolist() == kept
            if removed:
                assert g.edges[etype].data[gs.EID].tolist() == kept
        assert g.num_nodes() == before.num_nodes()


@pytest.mark.parametrize("case", EDITABLE)
def test_added_edges_come_last_and_bring_missing_nodes(case: GraphCase) -> None:
    for etype in case().canonical_etypes:
        g, before = dressed(case()), case()
        u, v = before.num_nodes(etype[0]) + 1, before.num_nodes(etype[2])
        g.add_edges([u, 0], [v, 0], {"new": torch.tensor([1.0, 2.0])}, etype=etype)
        assert_graph_valid(g)
        assert edges(g, etype) == [*edges(before, etype), (u, v), (0, 0)]
        if etype[0] == etype[2]:
            assert g.num_nodes(etype[0]) == max(u, v) + 1
        else:
            assert (g.num_nodes(etype[0]), g.num_nodes(etype[2])) == (u + 1, v + 1)
        assert g.edges[etype].data["new"].tolist() == [0.0] * before.num_edges(etype) + [1.0, 2.0]
        assert g.edges[etype].data["id"].tolist()[-2:] == [0, 0]
        assert g.nodes[etype[0]].data["id"][before.num_nodes(etype[0]) :].eq(0).all()
        assert g.idtype == case.idtype


@pytest.mark.parametrize("case", EDITABLE)
def test_added_nodes_come_last(case: GraphCase) -> None:
    for ntype in case().ntypes:
        g, before = dressed(case()), case()
        g.add_nodes(2, {"id": torch.tensor([7, 8])}, ntype=ntype)
        assert_graph_valid(g.create_formats_())
        assert g.nodes[ntype].data["id"].tolist() == [*range(before.num_nodes(ntype)), 7, 8]
        assert g.num_nodes() == before.num_nodes() + 2
        for etype in g.canonical_etypes:
            assert edges(g, etype) == edges(before, etype)


@pytest.mark.parametrize("case", EDITABLE)
def test_nothing_added_or_removed_changes_nothing(case: GraphCase) -> None:
    g, before = dressed(case()), dressed(case())
    ntype, etype = g.ntypes[0], g.canonical_etypes[0]
    g.add_nodes(0, ntype=ntype)
    g.add_edges([], [], etype=etype)
    g.remove_nodes([], ntype=ntype, store_ids=True)
    g.remove_edges([], etype=etype, store_ids=True)

    assert_graph_equal(g, before)


def test_shared_structure_and_features_are_not_touched() -> None:
    g = gs.graph(([0, 1, 2], [1, 2, 0]))
    g.ndata["h"] = torch.ones(3)
    clone, part = g.clone(), g["_E"]
    g.remove_nodes([0])
    g.add_edges([0], [1])
    g.add_nodes(1)

    for other in (clone, part):
        assert other.num_edges() == 3 and other.num_nodes() == 3
        assert_tensor_equal(other.ndata["h"], torch.ones(3))


def test_edits_can_follow_one_another() -> None:
    g = gs.graph(([0, 1], [1, 2]))
    g.edata["w"] = torch.tensor([1.0, 2.0])
    g.add_edges([2, 3], [0, 3], {"w": torch.tensor([3.0, 4.0])})
    g.remove_edges([0])
    g.remove_nodes([2])

    assert g.edges()[0].tolist() == [2] and g.edges()[1].tolist() == [2]
    assert g.edata["w"].tolist() == [4.0]
    assert_graph_valid(g.create_formats_())


def test_initializers_fill_new_rows() -> None:
    def first_id(shape, dtype, ctx, id_range):
        return torch.full(shape, float(id_range.start), dtype=dtype, device=ctx)

    g = gs.graph(([0], [1]))
    g.ndata["h"], g.edata["w"] = torch.zeros(2), torch.zeros(1)
    g.set_n_initializer(first_id, field="h")
    g.set_e_initializer(first_id)
    g.add_nodes(2)
    g.add_edges([0, 1], [0, 0])

    assert g.ndata["h"].tolist() == [0, 0, 2, 2]
    assert g.edata["w"].tolist() == [0, 1, 1]


def test_gradients_survive_edits() -> None:
    g = gs.graph(([0, 1], [1, 2]))
    h = torch.randn(3, requires_grad=True)
    g.ndata["h"] = h
    g.add_nodes(1)
    g.remove_nodes([1])
    cotangent = torch.randn(3)
    (g.ndata["h"] * cotangent).sum().backward()

    assert_tensor_equal(h.grad, torch.stack([cotangent[0], torch.tensor(0.0), cotangent[1]]))


# --- batches -------------------------------------------------------------------------------------


def test_removal_keeps_a_batch_and_addition_ends_it() -> None:
    def batch() -> gs.Graph:
        return gs.batch([gs.graph(([0, 1], [1, 2])), gs.graph(([], [])), gs.graph(([0], [1]))])

    g = batch()
    g.remove_nodes([1, 3])
    assert g.batch_num_nodes().tolist() == [2, 0, 1] and g.batch_num_edges().tolist() == [0, 0, 0]
    g = batch()
    g.remove_edges([0])
    assert g.batch_num_edges().tolist() == [1, 0, 1] and g.batch_num_nodes().tolist() == [3, 0, 2]
    assert [part.num_edges() for part in gs.unbatch(g)] == [1, 0, 1]
    for change in (lambda g: g.add_nodes(1), lambda g: g.add_edges([0], [0])):
        g = batch()
        change(g)
        assert g.batch_size == 1


def test_removal_from_a_batch_of_several_types() -> None:
    one = gs.heterograph({("a", "r", "b"): ([0, 1], [0, 0]), ("b", "s", "b"): ([0], [0])})
    g = gs.batch([one, one])
    g.remove_nodes([1, 3], ntype="a")

    assert g.batch_num_nodes("a").tolist() == [1, 1] and g.batch_num_nodes("b").tolist() == [1, 1]
    assert g.batch_num_edges("r").tolist() == [1, 1] and g.batch_num_edges("s").tolist() == [1, 1]
    wanted = gs.heterograph({("a", "r", "b"): ([0], [0]), ("b", "s", "b"): ([0], [0])})
    for part in gs.unbatch(g):
        assert_graph_equal(part, wanted)


# --- bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda g: g.add_nodes(-1), gs.InvalidValueError, "new nodes is at least 0, got -1"),
        (lambda g: g.add_nodes(1.0), gs.InvalidTypeError, "new nodes is an int, got 1.0"),
        (lambda g: g.add_nodes(True), gs.InvalidTypeError, "is an int, got True"),
        (lambda g: g.add_nodes(1, ntype="x"), gs.UnknownKeyError, "no node type 'x'"),
        (
            lambda g: g.add_nodes(2, {"h": torch.ones(3, 2)}),
            gs.InvalidValueError,
            r"'h' must have one row for each of the 2 nodes, got shape \(3, 2\)",
        ),
        (
            lambda g: g.add_nodes(1, {"h": torch.ones(1, 5)}),
            gs.InvalidValueError,
            r"New rows of node feature 'h' have row shape \(5,\).*the feature has \(2,\)",
        ),
        (
            lambda g: g.add_nodes(1, {"h": torch.ones(1, 2, device="meta")}),
            gs.InvalidValueError,
            "'h' is on meta but the graph is on cpu",
        ),
        (
            lambda g: g.add_nodes(1, {"h": [[1.0, 2.0]]}),
            gs.InvalidTypeError,
            "Tensor, got list",
        ),
        (
            lambda g: g.add_edges([0, 1], [0, 1, 2]),
            gs.InvalidValueError,
            "pair up, got 2 and 3",
        ),
        (lambda g: g.add_edges([0], [-4]), gs.OutOfRangeError, "cannot be negative, got -4"),
        (lambda g: g.add_edges([0.5], [1]), gs.InvalidTypeError, "source ids must be integers"),
        (lambda g: g.add_edges([0], [1], etype="x"), gs.UnknownKeyError, "no edge type 'x'"),
        (
            lambda g: g.add_edges([0], [1], {"w": torch.ones(2)}),
            gs.InvalidValueError,
            "each of the 1 edges",
        ),
        (lambda g: g.remove_edges([0, 7]), gs.OutOfRangeError, "Id 7 is not among the edges"),
        (lambda g: g.remove_nodes([-1]), gs.OutOfRangeError, "Id -1 is not among the nodes"),
        (lambda g: g.remove_nodes([0], ntype="x"), gs.UnknownKeyError, "no node type 'x'"),
    ],
)
def test_wrong_edits_change_nothing(change, error, message) -> None:
    g = gs.graph(([0, 1], [1, 2]))
    g.ndata["h"] = torch.ones(3, 2)
    with pytest.raises(error, match=message):
        change(g)
    wanted = gs.graph(([0, 1], [1, 2]))
    wanted.ndata["h"] = torch.ones(3, 2)
    assert_graph_equal(g, wanted)


def test_an_int32_graph_does_not_grow_beyond_int32() -> None:
    g = gs.graph(([0], [1]), idtype=torch.int32)
    with pytest.raises(gs.InvalidValueError, match=r"2147483648.*does not fit int32"):
        g.add_edges([2**31], [0])
    with pytest.raises(gs.InvalidValueError, match=r"does not fit int32 ids. Use idtype"):
        g.add_nodes(2**31)
    assert (g.num_nodes(), g.num_edges()) == (2, 1)
    assert np.iinfo(np.int32).max == 2**31 - 1


@pytest.mark.parametrize(
    "change",
    [
        lambda g: g.add_nodes(1),
        lambda g: g.add_edges([0], [0]),
        lambda g: g.remove_edges([0]),
        lambda g: g.remove_nodes([0]),
    ],
)
def test_blocks_cannot_be_edited(change) -> None:
    with pytest.raises(gs.InvalidValueError, match=r"A block cannot be edited.*make it again"):
        change(gs.create_block(([0], [0])))


@pytest.mark.parametrize(
    "edit",
    [
        lambda g: g.add_edges([40], [0]),
        lambda g: g.add_nodes(2),
        lambda g: g.remove_nodes([0]),
        lambda g: g.remove_edges([0]),
    ],
)
def test_edits_in_a_local_scope_last_as_long_as_it(edit: Callable) -> None:
    g = gs.batch([gs.graph(([0, 1], [1, 0])), gs.graph(([0, 1], [1, 0]))])
    g.ndata["h"] = torch.arange(4.0)

    def all_of(g: gs.Graph) -> list:
        sizes = g.num_nodes(), len(g.in_degrees()), g.batch_num_nodes().tolist()
        return [*sizes, g.batch_num_edges().tolist(), g.edges()[0].tolist(), g.ndata["h"].tolist()]

    before = all_of(g)
    with g.local_scope():
        edit(g)
        assert all_of(g) != before
        assert g.num_nodes() == len(g.in_degrees())
    assert all_of(g) == before
    assert gs.compact_graphs(g).num_nodes() == 4


def test_edits_where_only_one_of_the_batch_sizes_was_set() -> None:
    g = gs.graph(([0, 1], [1, 0]))
    g.set_batch_num_nodes(torch.tensor([2]))
    g.remove_edges([0])
    assert g.num_edges() == 1
    g = gs.graph(([0, 1], [1, 0]))
    g.set_batch_num_edges(torch.tensor([1, 1]))
    g.remove_edges([0])
    assert g.batch_num_edges().tolist() == [0, 1]


@pytest.mark.parametrize("count", [np.int64(3), torch.tensor(3)])
def test_counts_of_any_integer_type(count: object) -> None:
    g = gs.graph(([0], [1]))
    g.add_nodes(count)
    assert g.num_nodes() == 5
