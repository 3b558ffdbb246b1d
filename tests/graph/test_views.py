"""ndata, nodes[...], edges[...] and local_scope: what users read and write features through."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

import gossamer as gs
from gossamer.graph.views import FeatureView
from helpers.compare import assert_tensor_equal
from helpers.graphs import GraphCase, graph_cases


def hetero() -> gs.Graph:
    return gs.heterograph(
        {
            ("user", "follows", "user"): ([0, 1], [1, 2]),
            ("user", "rates", "item"): ([0, 3], [1, 1]),
            ("item", "rates", "user"): ([0], [0]),
        }
    )


def block() -> gs.Graph:
    return gs.create_block(([0, 1, 2], [0, 0, 1]), num_src_nodes=4, num_dst_nodes=2)


@pytest.mark.parametrize("case", graph_cases())
def test_each_type_has_features_of_its_own(case: GraphCase) -> None:
    g = case()
    wanted = {}
    for side, types, count in (
        ("srcnodes", g.srctypes, g.num_src_nodes),
        ("dstnodes", g.dsttypes, g.num_dst_nodes),
    ):
        for ntype in types:
            name = f"{side}-{ntype}"
            wanted[side, ntype] = torch.randn(count(ntype), 2)
            getattr(g, side)[ntype].data[name] = wanted[side, ntype]
    for etype in g.canonical_etypes:
        wanted["edges", etype] = torch.randn(g.num_edges(etype))
        g.edges[etype].data["w"] = wanted["edges", etype]
    for (side, key), value in wanted.items():
        name = "w" if side == "edges" else f"{side}-{key}"
        assert_tensor_equal(getattr(g, side)[key].data[name], value)


def test_keys_and_values_print_as_those_of_a_dict_and_allow_changes() -> None:
    g = gs.graph(([0, 1], [1, 0]))
    g.ndata["x"], g.ndata["y"] = torch.zeros(2), torch.ones(2)
    assert repr(g.ndata.keys()) == "dict_keys(['x', 'y'])"
    assert repr(g.ndata.values()) == "dict_values([tensor([0., 0.]), tensor([1., 1.])])"
    names = g.ndata.keys()
    for name in names:
        g.ndata[f"{name}2"] = g.ndata.pop(name)
    assert list(g.ndata) == ["x2", "y2"]

    several = hetero().ndata
    several["x"] = {"user": torch.ones(4)}
    assert repr(several.keys()) == f"dict_keys({list(several)})"
    names = several.keys()
    for name in names:
        several.pop(name)
    assert not several


def test_views_are_mappings_over_the_same_tensors() -> None:
    g = gs.graph(([0, 1], [1, 2]))
    h = torch.ones(3, 2)
    g.ndata["h"] = h
    g.ndata.update({"a": torch.zeros(3), "b": torch.zeros(3)})

    assert g.ndata["h"] is h is g.nodes["_N"].data["h"] is g.srcdata["h"]
    assert list(g.ndata) == ["h", "a", "b"] and len(g.ndata) == 3
    assert g.ndata.pop("a").shape == (3,)
    del g.ndata["b"]
    assert g.ndata.as_dict() == {"h": h}
    assert g.ndata.get("nope") is None
    assert repr(g.edata) == "{}"


def test_typed_views_map_names_to_types() -> None:
    g = hetero()
    user, item = torch.ones(4, 2), torch.zeros(2, 3)
    g.ndata["h"] = {"user": user, "item": item}
    g.nodes["user"].data["only"] = torch.ones(4)

    assert g.ndata["h"] == {"item": item, "user": user}
    assert list(g.ndata["only"]) == ["user"]
    assert g.nodes["item"].data["h"] is item
    assert "h" in g.ndata and "nope" not in g.ndata and g.ndata["nope"] == {}
    assert set(g.ndata) == {"h", "only"} and len(g.ndata) == 2
    assert set(g.ndata.as_dict()) == {"h", "only"}
    del g.ndata["h"]
    assert "h" not in g.nodes["user"].data
    g.edata["w"] = {"follows": torch.ones(2), ("item", "rates", "user"): torch.ones(1)}
    assert list(g.edata["w"]) == [("item", "rates", "user"), ("user", "follows", "user")]
    assert repr(g.srcdata).startswith("{'only': {'user': tensor")


def test_a_typed_assignment_that_fails_changes_nothing() -> None:
    g = hetero()
    with pytest.raises(gs.InvalidValueError, match="each of the 2 nodes"):
        g.ndata["h"] = {"user": torch.ones(4), "item": torch.ones(9)}
    assert list(g.ndata) == []


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (
            lambda g: g.ndata.__setitem__("h", torch.ones(6)),
            gs.InvalidTypeError,
            r"several node types must be given as a dict \{node type: tensor\}, got Tensor.*'item'",
        ),
        (
            lambda g: g.ndata.__setitem__("h", {"nope": torch.ones(6)}),
            gs.UnknownKeyError,
            r"no node type 'nope' here.*there are \['item', 'user'\]",
        ),
        (
            lambda g: g.edata.__setitem__("w", {"rates": torch.ones(2)}),
            gs.UnknownKeyError,
            "edge type 'rates' here, or it is ambiguous",
        ),
        (lambda g: g.ndata.__delitem__("x"), gs.UnknownKeyError, "There is no node feature 'x'"),
        (lambda g: g.nodes["nope"], gs.UnknownKeyError, "no node type 'nope'"),
        (lambda g: g.edges["nope"], gs.UnknownKeyError, "no edge type 'nope'"),
        (lambda g: g.edges["rates"], gs.InvalidValueError, "'rates' is ambiguous"),
        (lambda g: g.nodes[[0]], gs.InvalidValueError, "several node types"),
        (lambda g: g.nodes["user"].data["x"], gs.UnknownKeyError, "no node feature 'x'"),
        (lambda g: g.nodes["user", [9]].data, gs.OutOfRangeError, "Id 9 .*'user': there are 4"),
        (lambda g: g.nodes["user", 1:2], gs.InvalidValueError, "sliced by ':' only.*the ids"),
        (
            lambda g: g.nodes["user", [0]].data.__delitem__("h"),
            gs.InvalidValueError,
            "cannot be deleted for some rows only.*del g.ndata",
        ),
    ],
)
def test_wrong_keys_and_values(change, error, message) -> None:
    with pytest.raises(error, match=message):
        change(hetero())


@pytest.mark.parametrize("ids", [[2, 0], torch.tensor([2, 0]), torch.tensor([2, 0]).int(), (2, 0)])
def test_rows_are_read_and_written(ids) -> None:
    g = gs.graph(([0, 1], [1, 2]))
    g.ndata["h"] = torch.tensor([1.0, 2.0, 3.0])
    view = g.nodes[ids].data

    assert_tensor_equal(view["h"], torch.tensor([3.0, 1.0]))
    view["h"] = torch.tensor([30.0, 10.0])
    view["new"] = torch.tensor([[1], [2]])
    assert_tensor_equal(g.ndata["h"], torch.tensor([10.0, 2.0, 30.0]))
    assert_tensor_equal(g.ndata["new"], torch.tensor([[2], [0], [1]]))
    assert repr(view) == "{'h': tensor([30., 10.]), 'new': tensor([[1],\n        [2]])}"


def test_rows_by_mask_type_and_edge_ends() -> None:
    g = hetero()
    g.nodes["user"].data["h"] = torch.arange(4.0)
    g.edges["follows"].data["w"] = torch.tensor([5.0, 7.0])

    mask = torch.tensor([True, False, False, True])
    assert_tensor_equal(g.nodes["user", mask].data["h"], torch.tensor([0.0, 3.0]))
    assert_tensor_equal(g.nodes["user", 2].data["h"], torch.tensor([2.0]))
    assert_tensor_equal(g.edges["follows", [1]].data["w"], torch.tensor([7.0]))
    canonical = "user", "follows", "user"
    assert_tensor_equal(g.edges[canonical, ([1], [2])].data["w"], torch.tensor([7.0]))
    homogeneous = gs.graph(([0, 1], [1, 2]))
    homogeneous.edata["w"] = torch.tensor([5.0, 7.0])
    assert_tensor_equal(homogeneous.edges[([1], [2])].data["w"], torch.tensor([7.0]))


def test_a_name_on_both_sides_of_a_block_stands_for_the_sources() -> None:
    g = block()
    g.srcdata["h"], g.dstdata["h"] = torch.ones(4), torch.zeros(2)

    assert g.ndata["h"]["_N"] is g.srcdata["h"] is g.nodes["_N"].data["h"]
    assert g.num_nodes("_N") == 4 and g.num_nodes() == 6
    assert_tensor_equal(g.nodes("_N"), torch.arange(4))
    with pytest.raises(gs.InvalidValueError, match="use srcnodes, dstnodes"):
        g.nodes()
    with pytest.raises(gs.InvalidValueError, match="each of the 2 nodes"):
        g.dstdata["x"] = torch.ones(4)


def test_feature_on_another_device_is_refused() -> None:
    g = gs.graph(([0], [1]))
    with pytest.raises(gs.InvalidValueError, match=r"'h' is on meta but the graph is on cpu.*\.to"):
        g.ndata["h"] = torch.ones(2, device="meta")
    with pytest.raises(gs.InvalidValueError, match="'w' is on meta"):
        g.edges[[0]].data["w"] = torch.ones(1, device="meta")


# --- local scope ---------------------------------------------------------------------------------


@pytest.mark.parametrize("fails", [False, True])
def test_local_scope_restores_features_also_after_an_exception(fails: bool) -> None:
    g = hetero()
    kept = torch.ones(4)
    g.nodes["user"].data["h"] = kept
    g.edges["follows"].data["w"] = torch.ones(2)

    def change() -> None:
        with g.local_scope():
            g.nodes["user"].data["h"] = torch.zeros(4)
            g.nodes["item"].data["new"] = torch.zeros(2)
            g.edges["follows"].data.pop("w")
            assert_tensor_equal(g.nodes["user"].data["h"], torch.zeros(4))
            if fails:
                raise RuntimeError("on purpose")

    if fails:
        with pytest.raises(RuntimeError, match="on purpose"):
            change()
    else:
        change()
    assert g.nodes["user"].data["h"] is kept
    assert list(g.nodes["item"].data) == [] and list(g.edges["follows"].data) == ["w"]


def test_local_scopes_nest() -> None:
    g = gs.graph(([0], [1]))
    with g.local_scope():
        g.ndata["a"] = torch.ones(2)
        with g.local_scope():
            g.ndata["b"] = torch.ones(2)
            g.ndata["a"] = torch.zeros(2)
        assert list(g.ndata) == ["a"] and bool(g.ndata["a"].all())
    assert list(g.ndata) == []


def test_writes_in_place_go_through_a_local_scope() -> None:
    g = gs.graph(([0], [1]))
    g.ndata["h"] = torch.zeros(2)
    with g.local_scope():
        g.ndata["h"] += 1

    assert_tensor_equal(g.ndata["h"], torch.ones(2))


def test_initializers_within_a_local_scope_stay_there() -> None:
    g = gs.graph(([0], [1]))
    with g.local_scope():
        g.set_n_initializer(lambda shape, dtype, ctx, ids: torch.ones(shape, dtype=dtype))
    g.ndata["h"] = torch.zeros(2)
    g.add_nodes(1)

    assert_tensor_equal(g.ndata["h"], torch.zeros(3))


def test_local_var_is_a_graph_of_its_own() -> None:
    g = gs.graph(([0], [1]))
    g.ndata["h"] = torch.zeros(2)
    other = g.local_var()
    other.ndata["h"] = torch.ones(2)
    other.add_nodes(1)

    assert_tensor_equal(g.ndata["h"], torch.zeros(2))
    assert (g.num_nodes(), other.num_nodes()) == (2, 3)


class TestViewsOfAGraphThatChanges:
    """A view is of the graph, not of what the graph had when the view was made."""

    def test_edits(self) -> None:
        g = gs.graph(([0, 1], [1, 0]))
        g.edata["w"], g.ndata["h"] = torch.arange(2.0), torch.arange(2.0)
        nodes, edges, first = g.ndata, g.edata, g.nodes[[0]].data
        g.remove_edges([0])
        g.add_nodes(1)
        assert edges["w"].tolist() == [1]
        assert nodes["h"].tolist() == [0, 1, 0]
        nodes["new"] = torch.zeros(3)
        first["first"] = torch.ones(1)
        assert g.ndata["first"].tolist() == [1, 0, 0]
        assert list(g.ndata) == ["h", "new", "first"]

    @pytest.mark.parametrize(
        "view", [lambda g: g.nodes["a"].data, lambda g: g.nodes["b"].data, lambda g: g.ndata]
    )
    def test_local_scope(self, view: Callable) -> None:
        g = gs.heterograph({("a", "r", "b"): ([0, 1], [1, 0])})
        held = view(g)
        value = torch.ones(2) if isinstance(held, FeatureView) else {"a": torch.ones(2)}
        with g.local_scope():
            held["x"] = value
            assert "x" in g.ndata
        assert "x" not in held
        assert "x" not in g.ndata
