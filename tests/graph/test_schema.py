"""Names of types: positions, sides, and what is said about wrong ones."""

from __future__ import annotations

import pickle

import pytest

import gossamer as gs
from gossamer.graph import Schema

HETERO = Schema(
    ("item", "user"),
    (("user", "likes", "item"), ("user", "likes", "user"), ("user", "rates", "item")),
)
BLOCK = Schema(("item", "user", "tag", "user"), (("user", "r", "user"), ("item", "s", "tag")), 2)


def test_positions_of_types() -> None:
    assert [HETERO.ntype_id(name) for name in HETERO.ntypes] == [0, 1]
    assert HETERO.etype_id("rates") == 2
    assert [HETERO.etype_id(etype) for etype in HETERO.canonical_etypes] == [0, 1, 2]
    assert HETERO.endpoints == ((1, 0), (1, 1), (1, 0))
    assert HETERO.etypes == ("likes", "likes", "rates")


def test_the_only_type_needs_no_name() -> None:
    schema = Schema.homogeneous()

    assert schema is Schema.homogeneous()
    assert schema.ntype_id(None) == schema.etype_id(None) == schema.ntype_id("_N") == 0
    assert schema.src_ids == schema.dst_ids == {"_N": 0}


def test_sides_of_a_bipartite_graph() -> None:
    schema = Schema(("alone", "item", "user"), (("user", "rates", "item"),))

    assert schema.is_unibipartite
    assert schema.src_ids == {"alone": 0, "user": 2}
    assert schema.dst_ids == {"item": 1}
    assert not HETERO.is_unibipartite
    assert HETERO.src_ids == HETERO.dst_ids == {"item": 0, "user": 1}


def test_sides_of_a_block() -> None:
    assert BLOCK.is_block and BLOCK.is_unibipartite
    assert BLOCK.src_ids == {"item": 0, "user": 1}
    assert BLOCK.dst_ids == {"tag": 2, "user": 3}
    assert BLOCK.endpoints == ((1, 3), (0, 2))
    assert BLOCK.ntype_id("tag") == 2
    assert (BLOCK.ntype_id("user"), BLOCK.ntype_id("user", "dst")) == (1, 3), (
        "source side by default"
    )


@pytest.mark.parametrize(
    ("ask", "error", "message"),
    [
        (
            lambda s: s.ntype_id("nope"),
            gs.UnknownKeyError,
            r"no node type 'nope'; there are \['item",
        ),
        (
            lambda s: s.ntype_id(None),
            gs.InvalidValueError,
            r"must be named: one of \['item', 'user'",
        ),
        (lambda s: s.ntype_id(3), gs.InvalidTypeError, "A node type is a str, got int: 3"),
        (lambda s: s.etype_id("nope"), gs.UnknownKeyError, "no edge type 'nope'; there are"),
        (lambda s: s.etype_id(("user", "x", "user")), gs.UnknownKeyError, "'x', 'user'.*there are"),
        (lambda s: s.etype_id(None), gs.InvalidValueError, "edge type must be named: one of"),
        (lambda s: s.etype_id("likes"), gs.InvalidValueError, "'likes' is ambiguous.*canonical"),
        (
            lambda s: s.etype_id(("user", "likes")),
            gs.InvalidTypeError,
            "relation name or a .source",
        ),
        (lambda s: s.etype_id(7), gs.InvalidTypeError, "tuple, got 7"),
    ],
)
def test_wrong_names_are_told_what_there_is(ask, error, message) -> None:
    with pytest.raises(error, match=message):
        ask(HETERO)


def test_wrong_side_of_a_block_is_told() -> None:
    with pytest.raises(gs.UnknownKeyError, match="'tag' among the source types"):
        BLOCK.ntype_id("tag", "src")
    with pytest.raises(gs.UnknownKeyError, match="'item' among the destination types"):
        BLOCK.ntype_id("item", "dst")
    with pytest.raises(gs.InvalidValueError, match="choose one: use srcnodes, dstnodes"):
        BLOCK.ntype_id(None)


def test_equal_schemas_are_equal_and_travel() -> None:
    BLOCK.ntype_id("user")  # fills what is worked out on demand
    copy = pickle.loads(pickle.dumps(BLOCK))

    assert copy == BLOCK and hash(copy) == hash(BLOCK)
    assert copy.endpoints == BLOCK.endpoints
    assert Schema(BLOCK.ntypes, BLOCK.canonical_etypes) != BLOCK
