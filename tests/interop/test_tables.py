"""Tables of edges come in and go out, from pandas and from Arrow."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from hypothesis import given, settings

import gossamer as gs
from gossamer.interop import from_edge_table, to_edge_table
from helpers.compare import assert_graph_equal, assert_graph_valid
from helpers.generated import graphs

MAKERS = {"pandas": pd.DataFrame, "pyarrow": pa.table}


@pytest.fixture(params=MAKERS)
def library(request):
    return request.param


def ends(g, etype=None):
    return [end.tolist() for end in g.edges(etype=etype)]


@settings(max_examples=40)
@given(g=graphs())
def test_there_and_back(g):
    for library, make in MAKERS.items():
        for etype in g.canonical_etypes:
            g.edges[etype].data["two"] = torch.randn(g.num_edges(etype), 2)
        tables = to_edge_table(g, library=library)
        if len(g.canonical_etypes) == 1:
            tables = {g.canonical_etypes[0]: tables}
        nodes = {t: make({"id": np.arange(g.num_nodes(t)), "x": g.nodes[t].data["x"].numpy()})
                 for t in g.ntypes}  # fmt: skip
        back = from_edge_table(tables, nodes=nodes, idtype=g.idtype)
        assert_graph_valid(back)
        for etype in g.canonical_etypes:
            assert ends(back, etype) == ends(g, etype)
            assert back.edges[etype].data["x"].tolist() == g.edges[etype].data["x"].tolist()
            two = back.edges[etype].data["two"]
            assert two.tolist() == g.edges[etype].data["two"].tolist()
        for ntype in g.ntypes:
            assert back.nodes[ntype].data["x"].tolist() == g.nodes[ntype].data["x"].tolist()


def test_integers_are_node_ids_as_they_are(library):
    table = MAKERS[library]({"source": [0, 5], "destination": [2, 0], "w": [1.5, 2.5]})
    g = from_edge_table(table)
    assert g.num_nodes() == 6 and ends(g) == [[0, 5], [2, 0]]
    assert g.edata["w"].tolist() == [1.5, 2.5] and g.edata["w"].dtype == torch.float64
    assert from_edge_table(table, idtype=torch.int32, features=[]).idtype == torch.int32
    assert "w" not in from_edge_table(table, features=[]).edata


def test_relabelled_integers_are_kept(library):
    table = MAKERS[library]({"a": [70, 10, 70], "b": [10, 40, 70]})
    g, ids = from_edge_table(table, "a", "b", relabel=True)
    assert ends(g) == [[2, 0, 2], [0, 1, 2]]
    assert ids["_N"].tolist() == g.ndata[gs.NID].tolist() == [10, 40, 70]


def test_relabelled_words(library):
    table = MAKERS[library]({"source": ["b", "a"], "destination": ["c", "b"]})
    g, ids = from_edge_table(table, relabel=True)
    assert ends(g) == [[1, 0], [2, 1]]
    assert ids["_N"].tolist() == ["a", "b", "c"] and gs.NID not in g.ndata


def test_triples(library):
    columns = {
        "source": ["a", "b", "a"],
        "destination": ["b", "c", "c"],
        "relation": ["likes", "knows", "likes"],
        "w": [1, 2, 3],
    }
    g, ids = from_edge_table(MAKERS[library](columns), edge_type="relation", relabel=True)
    assert g.canonical_etypes == [("_N", "knows", "_N"), ("_N", "likes", "_N")]
    assert ends(g, "likes") == [[0, 0], [1, 2]] and ends(g, "knows") == [[1], [2]]
    assert g.edges["likes"].data["w"].tolist() == [1, 3]
    assert ids["_N"].tolist() == ["a", "b", "c"]


def test_several_types_with_tables_of_nodes(library):
    make = MAKERS[library]
    edges = {
        ("user", "buys", "item"): make({"source": ["u2", "u1"], "destination": [7, 9]}),
        ("user", "knows", "user"): make({"source": ["u1"], "destination": ["u2"]}),
    }
    nodes = {
        "user": make({"id": ["u2", "u1", "u3"], "age": [30, 20, 10]}),
        "item": make({"id": [9, 8, 7], "price": [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]}),
    }
    g = from_edge_table(edges, nodes=nodes)
    assert_graph_valid(g)
    assert ends(g, "buys") == [[0, 1], [2, 0]] and ends(g, "knows") == [[1], [0]]
    assert g.num_nodes("user") == 3 and g.nodes["user"].data["age"].tolist() == [30, 20, 10]
    assert g.nodes["item"].data["price"].shape == (3, 2)


def test_relabelled_types_share_the_numbers_of_a_node():
    edges = {
        ("user", "buys", "item"): pd.DataFrame({"source": ["x", "y"], "destination": ["i", "i"]}),
        ("user", "knows", "user"): pd.DataFrame({"source": ["z"], "destination": ["x"]}),
    }
    g, ids = from_edge_table(edges, relabel=True)
    assert ids["user"].tolist() == ["x", "y", "z"] and ids["item"].tolist() == ["i"]
    assert ends(g, "buys") == [[0, 1], [0, 0]] and ends(g, "knows") == [[2], [0]]


def test_kinds_of_columns():
    table = pd.DataFrame({
        "source": pd.array([0, 1], dtype="Int64"),
        "destination": [1, 0],
        "flag": [True, False],
        "small": np.array([1, 2], dtype=np.int8),
        "nullable": pd.array([1.5, 2.5], dtype="Float32"),
        "hole": [1.0, np.nan],
    })  # fmt: skip
    g = from_edge_table(table)
    assert ends(g) == [[0, 1], [1, 0]]
    dtypes = [g.edata[name].dtype for name in ("flag", "small", "nullable", "hole")]
    assert dtypes == [torch.bool, torch.int8, torch.float32, torch.float64]
    assert bool(g.edata["hole"].isnan()[1])


def test_the_graph_stays_when_the_table_changes():
    table = pd.DataFrame({"source": [0, 1], "destination": [1, 0], "w": [1.0, 2.0]})
    g = from_edge_table(table)
    table.loc[:, :] = 7
    assert ends(g) == [[0, 1], [1, 0]] and g.edata["w"].tolist() == [1, 2]


def test_an_empty_table(library):
    table = MAKERS[library]({"source": np.zeros(0, int), "destination": np.zeros(0, int)})
    assert_graph_equal(from_edge_table(table), gs.graph(([], [])))


def test_columns_of_a_table(library):
    g = gs.heterograph({("a", "r", "b"): ([0, 1], [1, 0]), ("b", "s", "b"): ([0], [1])})
    g.edges["r"].data["w"] = torch.tensor([1.0, 2.0], dtype=torch.bfloat16)
    g.edges["r"].data["z"] = torch.zeros(2)
    table = to_edge_table(g, "u", "v", "r", ["w"], library)
    names = list(table.columns) if library == "pandas" else table.column_names
    assert names == ["u", "v", "w"]
    assert list(table["w"].to_numpy()) == [1, 2]
    tables = to_edge_table(g, library=library)
    assert list(tables) == g.canonical_etypes
    assert isinstance(tables["b", "s", "b"], pd.DataFrame if library == "pandas" else pa.Table)


def _table(source=(0, 1), destination=(1, 0), **columns):
    return pd.DataFrame({"source": source, "destination": destination, **columns})


NODES = pd.DataFrame({"id": [0, 0]})


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: from_edge_table(3), gs.InvalidTypeError, "pandas.DataFrame or a pyarrow.Table"),
        (lambda: from_edge_table({}), gs.InvalidValueError, "must not be empty"),
        (lambda: from_edge_table({"r": _table()}), gs.InvalidTypeError, "got 'r'"),
        (lambda: from_edge_table({("a", "r", "b"): 3}), gs.InvalidTypeError, "must be a pandas"),
        (lambda: from_edge_table(_table(), "src"), gs.UnknownKeyError, "no column 'src'"),
        (lambda: from_edge_table(_table(), features=["w"]), gs.UnknownKeyError, "no column 'w'"),
        (lambda: from_edge_table(_table(), edge_type="t"), gs.UnknownKeyError, "no column 't'"),
        (lambda: from_edge_table(_table(["a", "b"])), gs.InvalidTypeError, "relabel=True"),
        (lambda: from_edge_table(_table([0.0, 1.0])), gs.InvalidTypeError, "got float64"),
        (lambda: from_edge_table(_table([0, -1])), gs.OutOfRangeError, "cannot be negative"),
        (lambda: from_edge_table(_table(["a", None])), gs.InvalidValueError, "missing values"),
        (lambda: from_edge_table(_table(w=["a", "b"])), gs.InvalidTypeError, "not numeric"),
        (
            lambda: from_edge_table(_table(w=[[1], [1, 2]])),
            gs.InvalidValueError,
            "different lengths",
        ),
        (
            lambda: from_edge_table(_table(["a", 1]), relabel=True),
            gs.InvalidTypeError,
            "cannot be sorted",
        ),
        (
            lambda: from_edge_table(_table(), nodes=NODES, relabel=True),
            gs.InvalidValueError,
            "Omit relabel",
        ),
        (lambda: from_edge_table(_table(), nodes=NODES), gs.InvalidValueError, "repeat in column"),
        (
            lambda: from_edge_table(_table(), nodes=NODES[:1]),
            gs.UnknownKeyError,
            "names 1, which is not among",
        ),
        (
            lambda: from_edge_table(_table(), nodes={"user": NODES}),
            gs.UnknownKeyError,
            r"node types are \['_N'\]",
        ),
        (
            lambda: from_edge_table({("a", "r", "b"): _table()}, nodes=NODES),
            gs.InvalidTypeError,
            "nodes must be a dict",
        ),
        (
            lambda: from_edge_table(_table()[:0].assign(t=[]), edge_type="t"),
            gs.InvalidValueError,
            "the table is empty",
        ),
        (lambda: to_edge_table(3), gs.InvalidTypeError, "takes a graph, got int"),
        (
            lambda: to_edge_table(gs.graph(([0], [1])), library="polars"),
            gs.InvalidValueError,
            "'pandas' or 'pyarrow', got 'polars'",
        ),
        (
            lambda: to_edge_table(gs.graph(([0], [1])), features=["w"]),
            gs.UnknownKeyError,
            "no edge feature 'w'",
        ),
    ],
)
def test_wrong_arguments(call, error, text):
    with pytest.raises(error, match=text):
        call()


def test_a_feature_called_like_an_end():
    g = gs.graph(([0], [1]))
    g.edata["source"] = torch.zeros(1)
    with pytest.raises(gs.InvalidValueError, match="and an end column"):
        to_edge_table(g)
    assert list(to_edge_table(g, "u", "v").columns) == ["u", "v", "source"]


# --- integer ids of every type ------------------------------------------------------------


def _edges(library, source, destination):
    return MAKERS[library]({"source": source, "destination": destination})


@pytest.mark.parametrize("base", [0, 2**53, 2**60])
@pytest.mark.parametrize(("first", "second"), [("int64", "uint64"), ("uint64", "int64")])
def test_mixed_integer_types_keep_every_bit(library, base, first, second):
    ids = [base + i for i in range(4)]
    table = _edges(library, np.array(ids[:3], first), np.array(ids[1:], second))
    g, known = from_edge_table(table, relabel=True)
    assert known["_N"].tolist() == ids
    assert known["_N"].dtype.kind in "iu"
    assert ends(g) == [[0, 1, 2], [1, 2, 3]]
    assert g.ndata["_ID"].tolist() == ids


@pytest.mark.parametrize(("of_nodes", "of_edges"), [("uint64", "int64"), ("int64", "uint64")])
def test_a_table_of_nodes_of_another_integer_type(library, of_nodes, of_edges):
    ids = [2**60 + 2, 2**60, 2**60 + 1]
    table = MAKERS[library](
        {"source": np.array(ids[:2], of_edges), "destination": np.array(ids[1:], of_edges)}
    )
    nodes = MAKERS[library]({"id": np.array(ids, of_nodes)})
    assert ends(from_edge_table(table, nodes=nodes)) == [[0, 1], [1, 2]]


def test_ids_beyond_int64(library):
    ids = [2**63, 2**63 + 1, 2**64 - 1]
    table = MAKERS[library](
        {"source": np.array(ids[:2], "uint64"), "destination": np.array(ids[1:], "uint64")}
    )
    g, known = from_edge_table(table, relabel=True)
    assert known["_N"].tolist() == ids
    assert ends(g) == [[0, 1], [1, 2]]
    assert "_ID" not in g.ndata
    nodes = MAKERS[library]({"id": np.array(ids, "uint64")})
    assert ends(from_edge_table(table, nodes=nodes)) == [[0, 1], [1, 2]]
    with pytest.raises(gs.OutOfRangeError, match=r"node id 9223372036854775809 does not fit int64"):
        from_edge_table(table)


def test_negative_ids_beside_ids_beyond_int64(library):
    table = _edges(library, np.array([-1, 3]), np.array([2**63, 3], "uint64"))
    g, known = from_edge_table(table, relabel=True)
    assert known["_N"].tolist() == [-1, 3, 2**63]
    assert ends(g) == [[0, 1], [2, 1]]
    with pytest.raises(gs.UnknownKeyError, match=r"names 9223372036854775808, which is not among"):
        from_edge_table(table, nodes=MAKERS[library]({"id": np.array([-1, 3])}))


def test_long_integers_beside_floats_are_refused(library):
    table = _edges(library, np.array([2**60, 2**60 + 1]), np.array([0.0, 1.0]))
    with pytest.raises(gs.InvalidTypeError, match="integers of more than 53 bits"):
        from_edge_table(table, relabel=True)
