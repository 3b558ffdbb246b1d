"""Every way to write edges gives the same graph, and every wrong way is told apart."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
import scipy.sparse
import torch

import gossamer as gs
from helpers.compare import assert_graph_equal, assert_graph_valid, assert_tensor_equal

U, V = [2, 0, 2, 1], [1, 1, 0, 1]
WANTED = gs.graph((torch.tensor(U), torch.tensor(V)))


@pytest.mark.parametrize(
    "data",
    [
        (U, V),
        (tuple(U), tuple(V)),
        (np.array(U), np.array(V)),
        (np.array(U, dtype=np.uint8), np.array(V, dtype=np.int16)),
        (torch.tensor(U, dtype=torch.uint8).long(), torch.tensor(V)),
        (iter(U), iter(V)),
        list(zip(U, V, strict=True)),
        [list(pair) for pair in zip(U, V, strict=True)],
        torch.tensor([U, V]),
        ("coo", (U, V)),
        ("csr", ([0, 1, 2, 4], [1, 1, 1, 0], [1, 3, 0, 2])),
        ("csc", ([0, 1, 4, 4], [2, 2, 0, 1], [2, 0, 1, 3])),
        ("csr", [torch.tensor(x) for x in ([0, 1, 2, 4], [1, 1, 1, 0], [1, 3, 0, 2])]),
    ],
)
def test_every_form_of_edges(data) -> None:
    assert_graph_equal(gs.graph(data), WANTED)


def test_compressed_without_edge_ids_numbers_by_row() -> None:
    by_row = gs.graph(("csr", ([0, 2, 2, 3], [1, 2, 0], [])))
    by_column = gs.graph(
        ("csc", (torch.tensor([0, 2, 2, 3]), torch.tensor([1, 2, 0]), torch.tensor([])))
    )

    assert by_row.formats()["created"] == ["csr"]
    assert_graph_equal(by_row, gs.graph(([0, 0, 2], [1, 2, 0])))
    assert_graph_equal(by_column, gs.graph(([1, 2, 0], [0, 0, 2])))


def test_compressed_is_scipy_s() -> None:
    matrix = scipy.sparse.random(7, 7, 0.4, format="csr", random_state=0)
    g = gs.graph(("csr", (matrix.indptr, matrix.indices, [])), num_nodes=7)
    g.edata["w"] = torch.from_numpy(matrix.data)

    np.testing.assert_array_equal(g.adj(eweight_name="w").to_dense().numpy(), matrix.toarray())
    assert g.idtype == torch.int64, "arrays that are not tensors do not choose the id type"


@pytest.mark.parametrize("num_nodes", [3, 5, np.int64(4), torch.tensor(6)])
def test_number_of_nodes(num_nodes) -> None:
    g = gs.graph((U, V), num_nodes=num_nodes)

    assert g.num_nodes() == int(num_nodes)
    assert_graph_valid(g.create_formats_())
    padded = gs.graph(("csr", ([0, 1, 2, 4], [1, 1, 1, 0], [])), num_nodes=num_nodes)
    assert padded.out_degrees().tolist() == [1, 1, 2, *[0] * (int(num_nodes) - 3)]
    assert_graph_valid(padded.create_formats_())


@pytest.mark.parametrize("wanted", [None, torch.int32, torch.int64])
@pytest.mark.parametrize("given", [torch.int32, torch.int64])
def test_id_type(given: torch.dtype, wanted: torch.dtype | None) -> None:
    u, v = torch.tensor(U, dtype=given), torch.tensor(V, dtype=given)

    assert gs.graph((u, v), idtype=wanted).idtype == (wanted or given)
    assert gs.heterograph({("a", "r", "b"): (u, v)}, idtype=wanted).idtype == (wanted or given)
    assert gs.create_block((u, v), idtype=wanted).idtype == (wanted or given)
    assert gs.graph((U, V), idtype=wanted).idtype == (wanted or torch.int64)


def test_device() -> None:
    assert gs.graph((U, V), num_nodes=3, device="cpu").device.type == "cpu"
    assert_tensor_equal(gs.graph((U, V), device=torch.device("cpu")).edges()[0], torch.tensor(U))


@pytest.mark.parametrize("empty", [([], []), [], torch.zeros(2, 0, dtype=torch.int64), ((), ())])
def test_no_edges_and_no_nodes(empty) -> None:
    assert_graph_equal(gs.graph(empty), gs.Graph())
    assert gs.graph(empty).num_nodes() == 0
    g = gs.graph(empty, num_nodes=4)
    assert (g.num_nodes(), g.num_edges()) == (4, 0)
    assert g.in_degrees().tolist() == [0] * 4
    assert_graph_valid(g.create_formats_())


def test_the_class_builds_too() -> None:
    assert_graph_equal(gs.Graph((U, V)), WANTED)
    assert gs.Graph((U, V), num_nodes=9, idtype=torch.int32).num_nodes() == 9


# --- heterographs and blocks ---------------------------------------------------------------------


def test_heterograph_sorts_types_and_counts_nodes() -> None:
    g = gs.heterograph(
        {
            ("user", "plays", "game"): ([0, 3], [1, 1]),
            ("dev", "makes", "game"): ([0], [4]),
            ("user", "knows", "user"): ([], []),
        }
    )

    assert g.ntypes == ["dev", "game", "user"]
    assert g.canonical_etypes == [
        ("dev", "makes", "game"),
        ("user", "knows", "user"),
        ("user", "plays", "game"),
    ]
    assert [g.num_nodes(ntype) for ntype in g.ntypes] == [1, 5, 4]
    assert not g.is_homogeneous and not g.is_block and not g.is_unibipartite


def test_heterograph_takes_counts_and_types_without_edges() -> None:
    g = gs.heterograph({("a", "r", "b"): ([0], [1])}, {"a": 3, "b": 2, "c": 7})

    assert [g.num_nodes(ntype) for ntype in "abc"] == [3, 2, 7]
    assert g.srctypes == ["a", "c"] and g.dsttypes == ["b"]


def test_heterograph_of_one_relation_may_be_homogeneous() -> None:
    g = gs.heterograph({("n", "e", "n"): (U, V)})

    assert g.is_homogeneous and g.ntypes == ["n"]
    g.ndata["h"] = torch.ones(3)
    assert g.in_degrees().tolist() == [1, 3, 0]


def test_block_keeps_its_sides_apart() -> None:
    g = gs.create_block(([0, 1, 5], [0, 0, 1]), num_src_nodes=7, num_dst_nodes=2)

    assert g.is_block and g.ntypes == ["_N", "_N"]
    assert (g.num_src_nodes(), g.num_dst_nodes(), g.num_nodes()) == (7, 2, 9)
    assert g.in_degrees().tolist() == [2, 1] and g.out_degrees().shape == (7,)
    g.srcdata["h"], g.dstdata["h"] = torch.ones(7), torch.zeros(2)
    assert g.srcdata["h"].shape != g.dstdata["h"].shape


def test_heterogeneous_block() -> None:
    data = {("a", "r", "b"): ([0, 1], [1, 0]), ("b", "s", "b"): ([4], [1])}
    g = gs.create_block(data, {"a": 3, "b": 5}, {"b": 2, "c": 9})

    assert (g.srctypes, g.dsttypes) == (["a", "b"], ["b", "c"])
    assert [g.num_src_nodes(t) for t in "ab"] == [3, 5]
    assert [g.num_dst_nodes(t) for t in "bc"] == [2, 9]
    assert gs.create_block(data).num_src_nodes("b") == 5


# --- bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "options", "error", "message"),
    [
        # ids
        (([0, -1], [1, 2]), {}, gs.OutOfRangeError, "source id cannot be negative, got -1"),
        (([0, 1], [1, -2]), {}, gs.OutOfRangeError, "destination id cannot be negative, got -2"),
        (
            ([0.5], [1.0]),
            {},
            gs.InvalidTypeError,
            r"source ids must be integers, got .*float.*long",
        ),
        ((torch.ones(1), torch.ones(1)), {}, gs.InvalidTypeError, "integers, got torch.float32"),
        (([True], [False]), {}, gs.InvalidTypeError, "integers, got torch.bool"),
        ((["a"], ["b"]), {}, gs.InvalidTypeError, "got elements of type <U1"),
        (([[0], [1, 2]], [0, 1]), {}, gs.InvalidValueError, "source ids are ragged.*Flatten"),
        (([[0, 1]], [[1, 2]]), {}, gs.InvalidValueError, r"one-dimensional, got shape \(1, 2\)"),
        (
            ([0, 1], [1]),
            {},
            gs.InvalidValueError,
            "2 source ids and 1 destination ids.*one of each",
        ),
        (
            (torch.tensor([0]).int(), torch.tensor([1])),
            {},
            gs.InvalidTypeError,
            r"one dtype, got \[torch.int32, torch.int64\].*\.long\(\)",
        ),
        (
            (torch.tensor([0]), torch.zeros(1, dtype=torch.int64, device="meta")),
            {},
            gs.InvalidValueError,
            r"one device, got \['cpu', 'meta'\].*\.to",
        ),
        # counts
        (
            ([0, 4], [1, 2]),
            {"num_nodes": 3},
            gs.InvalidValueError,
            "is 3, but .*node 4.*at least 5",
        ),
        (([], []), {"num_nodes": -1}, gs.InvalidValueError, "num_nodes cannot be negative, got -1"),
        (([0], [1]), {"num_nodes": 2.0}, gs.InvalidTypeError, "num_nodes must be an int, got 2.0"),
        (
            ([0], [1]),
            {"num_nodes": True},
            gs.InvalidTypeError,
            "num_nodes must be an int, got True",
        ),
        # id types
        (
            ([0], [1]),
            {"idtype": torch.int16},
            gs.InvalidTypeError,
            "int32 or torch.int64, got .*16",
        ),
        (
            ([2**31], [1]),
            {"idtype": torch.int32},
            gs.InvalidValueError,
            "2147483648.*not fit int32",
        ),
        (
            ([0], [1]),
            {"idtype": torch.int32, "num_nodes": 2**31},
            gs.InvalidValueError,
            "does not fit int32 ids. Use idtype=torch.int64",
        ),
        # compressed
        (
            ("csr", ([0, 2, 1], [1, 0], [])),
            {},
            gs.InvalidValueError,
            "rise from 0 to .* 2, without",
        ),
        (("csr", ([0, 2, 1, 2], [1, 0], [])), {}, gs.InvalidValueError, "without falling"),
        (("csr", ([1, 2], [0, 0], [])), {}, gs.InvalidValueError, "rise from 0"),
        (("csc", ([], [], [])), {}, gs.InvalidValueError, "rise from 0"),
        (("csr", ([0, 2], [0, 0], [0])), {}, gs.InvalidValueError, "2 edges but 1 edge ids"),
        (("csr", ([0, 2], [0, 0], [1, 1])), {}, gs.InvalidValueError, "0 ... E - 1, each once"),
        (("csr", ([0, 2], [0, 0], [0, 5])), {}, gs.OutOfRangeError, "Id 5 is not among the edges"),
        (("csr", ([0, 2], [0, -3], [])), {}, gs.OutOfRangeError, "column id cannot be negative"),
        (
            ("csr", ([0, 1], [7], [])),
            {"num_nodes": 3},
            gs.InvalidValueError,
            "edges name node 7. It must be at least 8",
        ),
        (
            ("csr", ([0, 1], [7])),
            {},
            gs.InvalidValueError,
            r"'csr' is \(indptr, indices, edge_ids\)",
        ),
        (("coo", ([0, 1],)), {}, gs.InvalidValueError, r"Edge data in 'coo' is \(u, v\)"),
        (("bsr", ([0, 1], [7])), {}, gs.InvalidValueError, "'coo', 'csr' or 'csc', got 'bsr'"),
        # other things
        (3, {}, gs.InvalidTypeError, r"Edge data is \(u, v\), a list of pairs.*got int"),
        ("01", {}, gs.InvalidTypeError, "got str"),
        ([0, 1], {}, gs.InvalidValueError, "holds .source, destination. pairs.*pass a tuple"),
        ((0, 1, 2), {}, gs.InvalidTypeError, "got tuple"),
        (nx.path_graph(3), {}, gs.InvalidTypeError, "networkx object. Use gossamer.from_networkx"),
        (scipy.sparse.eye(3), {}, gs.InvalidTypeError, "scipy object. Use gossamer.from_scipy"),
    ],
)
def test_wrong_edges(data, options, error, message) -> None:
    with pytest.raises(error, match=message):
        gs.graph(data, **options)


@pytest.mark.parametrize(
    ("data", "counts", "error", "message"),
    [
        ({}, None, gs.InvalidValueError, "at least one entry, got {}"),
        ([("a", "r", "b")], None, gs.InvalidValueError, "Expected a dict from .source type"),
        ({"r": ([0], [1])}, None, gs.InvalidTypeError, "tuple of str, got 'r'"),
        ({("a", "r"): ([0], [1])}, None, gs.InvalidTypeError, r"got \('a', 'r'\)"),
        ({("a", 3, "b"): ([0], [1])}, None, gs.InvalidTypeError, "tuple of str"),
        (
            {("a", "r", "b"): ([0], [1])},
            {"a": 1},
            gs.InvalidValueError,
            r"lacks the node types \['b'",
        ),
        (
            {("a", "r", "b"): ([0], [4])},
            {"a": 1, "b": 2},
            gs.InvalidValueError,
            r"num_nodes_dict\['b'\] is 2, but the edges name node 4. It must be at least 5",
        ),
        (
            {("a", "r", "b"): ([0], [4])},
            {"a": 1, "b": 5, "c": -1},
            gs.InvalidValueError,
            "negative",
        ),
        ({("a", "r", "b"): ([0, -1], [4, 0])}, None, gs.OutOfRangeError, "negative, got -1"),
        (
            {
                ("a", "r", "b"): (torch.tensor([0]), torch.tensor([0])),
                ("a", "s", "b"): torch.zeros(2, 0, dtype=torch.int64, device="meta"),
            },
            None,
            gs.InvalidValueError,
            r"on several devices, \['cpu', 'meta'\]. Pass device",
        ),
    ],
)
def test_wrong_heterographs(data, counts, error, message) -> None:
    with pytest.raises(error, match=message):
        gs.heterograph(data, counts)


@pytest.mark.parametrize(
    ("data", "counts", "message"),
    [
        (([0, 5], [0, 1]), (3, 2), r"num_src_nodes\['_N'\] is 3, but the edges name node 5"),
        (([0, 5], [0, 1]), (6, 1), r"num_dst_nodes\['_N'\] is 1.*at least 2"),
        ({("a", "r", "b"): ([0], [0])}, ({"b": 1}, {"b": 1}), "num_src_nodes lacks node type 'a'"),
        (
            {("a", "r", "b"): ([0], [0]), ("c", "r", "b"): ([0], [0])},
            (4, 5),
            r"num_src_nodes must be a dict over \['a', 'c'\], got 4",
        ),
    ],
)
def test_wrong_blocks(data, counts, message) -> None:
    with pytest.raises(gs.InvalidValueError, match=message):
        gs.create_block(data, *counts)


@pytest.mark.parametrize(
    "data",
    [
        ("csr", (torch.tensor([0, 1, 2]).int(), torch.tensor([1, 0]).int(), torch.tensor([]))),
        ("csr", (torch.tensor([0]).int(), torch.tensor([]), torch.tensor([]))),
    ],
)
def test_empty_tensors_say_nothing_about_the_id_type(data: tuple) -> None:
    assert gs.graph(data).idtype is torch.int32


def test_ids_of_unsigned_integers() -> None:
    g = gs.graph((torch.tensor([1, 2], dtype=torch.uint16), np.array([0, 1], dtype=np.uint64)))
    assert g.edges()[0].tolist() == [1, 2]
    with pytest.raises(gs.InvalidValueError, match="contain 9223372036854775808, which does not"):
        gs.graph(([2**63], [0]))


def test_a_list_of_edges_may_hold_tensors_and_arrays() -> None:
    pairs = list(zip(U, V, strict=True))
    for kind in (torch.tensor, np.array):
        assert_graph_equal(gs.graph([kind(pair) for pair in pairs]), WANTED)
    small = [torch.tensor(pair, dtype=torch.int32) for pair in pairs]
    assert gs.heterograph({("a", "r", "b"): small}).idtype == torch.int64
    with pytest.raises(gs.InvalidValueError, match="A list of edges holds"):
        gs.graph([torch.tensor(U), torch.tensor(V)])


def test_an_id_type_that_is_named_converts_tensors_of_several() -> None:
    u, v = torch.tensor(U, dtype=torch.int32), torch.tensor(V)
    for idtype in (torch.int32, torch.int64):
        assert gs.graph((u, v), idtype=idtype).idtype == idtype
        assert gs.heterograph({("a", "r", "b"): (u, v)}, idtype=idtype).idtype == idtype
    with pytest.raises(gs.InvalidTypeError, match="All ids need one dtype"):
        gs.graph((u, v))
    with pytest.raises(gs.InvalidTypeError, match="All ids need one dtype"):
        gs.heterograph({("a", "r", "b"): (u, v)})
