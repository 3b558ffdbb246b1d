"""What transforms of structure keep, share, forget and refuse."""

from __future__ import annotations

import copy
import pickle
import sys
from collections.abc import Callable
from typing import Any

import pytest
import torch

import gossamer as gs
from helpers.compare import assert_graph_equal, assert_tensor_equal
from helpers.graphs import graph_cases


def homogeneous() -> gs.Graph:
    g = gs.graph(([0, 0, 1, 1, 2], [1, 1, 2, 1, 0]), num_nodes=4)
    g.ndata["h"] = torch.arange(4.0)
    g.edata["w"] = torch.arange(5.0)
    return g


def heterogeneous() -> gs.Graph:
    return gs.heterograph(
        {
            ("user", "follows", "user"): ([0, 1], [1, 2]),
            ("user", "rates", "item"): ([0, 2], [1, 0]),
            ("item", "rated-by", "user"): ([1, 0], [0, 2]),
        }
    )


TAGS = torch.tensor([1, 0, 2, 0])

# Every transform of a homogeneous graph that gives a graph.
TRANSFORMS: dict[str, Callable[[gs.Graph], gs.Graph]] = {
    "reverse": gs.reverse,
    "add_reverse_edges": gs.add_reverse_edges,
    "to_simple": gs.to_simple,
    "to_bidirected": gs.to_bidirected,
    "line_graph": gs.line_graph,
    "khop_graph": lambda g: gs.khop_graph(g, 2),
    "metapath_reachable_graph": lambda g: gs.metapath_reachable_graph(g, ["_E", "_E"]),
    "reorder_graph": lambda g: gs.reorder_graph(g, "rcmk"),
}


# ---------------------------------------------------------------------- kept, shared, forgotten


@pytest.mark.parametrize("name", TRANSFORMS)
@pytest.mark.parametrize("case", graph_cases("homogeneous"), ids=str)
def test_input_stays_and_ids_keep_their_type(name: str, case: Any) -> None:
    g = case()
    before = copy.deepcopy(g)
    result = TRANSFORMS[name](g)
    assert result.idtype == g.idtype
    assert result.device == g.device
    assert result.batch_size == 1
    for ntype in result.ntypes:
        result.nodes[ntype].data["new"] = torch.zeros(result.num_nodes(ntype))
    for etype in result.canonical_etypes:
        result.edges[etype].data["new"] = torch.zeros(result.num_edges(etype))
    assert_graph_equal(g, before)


@pytest.mark.parametrize("name", TRANSFORMS)
def test_results_can_be_pickled(name: str) -> None:
    result = TRANSFORMS[name](homogeneous())
    assert_graph_equal(pickle.loads(pickle.dumps(result)), result)


def test_reverse_shares_structure_and_features() -> None:
    g = homogeneous()
    csc = g.adjacency.csc()
    turned = gs.reverse(g, copy_edata=True)
    assert turned.adjacency.csr() is csc
    assert turned.ndata["h"] is g.ndata["h"]
    assert turned.edata["w"] is g.edata["w"]


def test_features_are_gathered_when_first_read() -> None:
    g = homogeneous()
    g.edata["w"] = torch.zeros(5, 3)
    for result in (
        gs.add_reverse_edges(g, copy_edata=True),
        gs.to_simple(g, copy_edata=True),
        gs.reorder_graph(g),
    ):
        assert not isinstance(result.edge_frames[0].columns["w"], torch.Tensor)
        assert result.edata["w"].shape == (result.num_edges(), 3)


@pytest.mark.parametrize("formats", ["csr", "csc"])
@pytest.mark.parametrize("name", TRANSFORMS)
def test_graphs_in_other_formats_give_the_same(name: str, formats: str) -> None:
    g = homogeneous()
    assert_graph_equal(TRANSFORMS[name](g.formats(formats)), TRANSFORMS[name](g))


def test_line_graph_names_its_features_as_those_of_nodes() -> None:
    line = gs.line_graph(homogeneous(), shared=True)
    with pytest.raises(gs.UnknownKeyError, match="no node feature 'h'"):
        line.ndata["h"]


def test_sums_of_integer_features() -> None:
    g = gs.graph(([0, 0], [1, 1]))
    g.edata["k"] = torch.tensor([[1, 2], [3, 4]])
    summed = gs.to_simple(g, copy_edata=True, aggregator="sum").edata["k"]
    assert_tensor_equal(summed, torch.tensor([[4, 6]]))


@pytest.mark.parametrize("sort", [gs.sort_csr_by_tag, gs.sort_csc_by_tag])
def test_order_by_tag_survives_travel(sort: Callable) -> None:
    fmt = sort.__name__.split("_")[1]
    g = sort(homogeneous(), TAGS)
    wanted = g.adj_tensors(fmt)
    g.edges()
    g.in_degrees()
    for other in (pickle.loads(pickle.dumps(g)), g.clone(), copy.deepcopy(g), g.int().long()):
        for found, expected in zip(other.adj_tensors(fmt), wanted, strict=True):
            assert_tensor_equal(found, expected)


def test_a_batch_sorted_by_tag_stays_one() -> None:
    g = gs.batch([homogeneous(), homogeneous()])
    arranged = gs.sort_csr_by_tag(g, torch.cat([TAGS, TAGS]))
    assert arranged.batch_num_nodes().tolist() == [4, 4]


def test_parts_may_be_empty() -> None:
    parts, _, _ = gs.partition_graph_with_halo(homogeneous(), [2, 0, 0, 0], 1)
    assert [parts[p].num_nodes() for p in (0, 1, 2)] == [4, 0, 3]
    parts, nodes, edges = gs.partition_graph_with_halo(gs.graph(([], [])), [], 2, reshuffle=True)
    assert parts == {}
    assert len(nodes) == len(edges) == 0


def test_one_part_needs_no_metis(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pymetis", None)
    assert gs.metis_partition_assignment(homogeneous(), 1).tolist() == [0, 0, 0, 0]
    assert gs.metis_partition(homogeneous(), 1)[0].num_edges() == 5
    for cut in (gs.metis_partition_assignment, gs.metis_partition):
        needs = rf"^{cut.__name__} needs .* extra 'partition'"
        with pytest.raises(gs.MissingExtraError, match=needs):
            cut(homogeneous(), 2)


@pytest.mark.parametrize(
    "call",
    [
        lambda g: gs.khop_graph(g, 2),
        lambda g: gs.metapath_reachable_graph(g, ["_E", "_E"]),
        lambda g: gs.reorder_graph(g, "rcmk"),
    ],
)
def test_scipy_is_asked_for(call: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in [name for name in sys.modules if name.partition(".")[0] == "scipy"]:
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(gs.MissingExtraError, match="needs the package 'scipy'"):
        call(homogeneous())


# --------------------------------------------------------------------------------------- refused

NEED_A_GRAPH = {
    "reverse": gs.reverse,
    "add_reverse_edges": gs.add_reverse_edges,
    "to_simple": gs.to_simple,
    "to_bidirected": gs.to_bidirected,
    "norm_by_dst": gs.norm_by_dst,
    "line_graph": gs.line_graph,
    "khop_adj": lambda g: gs.khop_adj(g, 1),
    "khop_graph": lambda g: gs.khop_graph(g, 1),
    "metapath_reachable_graph": lambda g: gs.metapath_reachable_graph(g, ["_E"]),
    "adj_product_graph": lambda g: gs.adj_product_graph(g, g, "w"),
    "adj_sum_graph": lambda g: gs.adj_sum_graph([g], "w"),
    "sort_csr_by_tag": lambda g: gs.sort_csr_by_tag(g, TAGS),
    "sort_csc_by_tag": lambda g: gs.sort_csc_by_tag(g, TAGS),
    "reorder_graph": gs.reorder_graph,
    "metis_partition_assignment": lambda g: gs.metis_partition_assignment(g, 1),
    "partition_graph_with_halo": lambda g: gs.partition_graph_with_halo(g, TAGS, 1),
}


@pytest.mark.parametrize("name", NEED_A_GRAPH)
@pytest.mark.parametrize("wrong", [None, 3, "g", [[0], [1]]])
def test_something_that_is_no_graph(name: str, wrong: Any) -> None:
    with pytest.raises(
        gs.InvalidTypeError, match=f"{name} takes a graph, got {type(wrong).__name__}"
    ):
        NEED_A_GRAPH[name](wrong)


@pytest.mark.parametrize(
    "name", sorted(set(NEED_A_GRAPH) - {"norm_by_dst", "sort_csr_by_tag", "sort_csc_by_tag"})
)
def test_blocks_are_refused(name: str) -> None:
    block = gs.create_block(([0, 1], [0, 0]), num_src_nodes=4, num_dst_nodes=4)
    with pytest.raises(gs.InvalidValueError, match=f"{name} does not take a block"):
        NEED_A_GRAPH[name](block)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("add_reverse_edges", "edges of type .* pass ignore_bipartite=True"),
        ("to_bidirected", "edges of type .* make them simple with to_simple"),
        ("norm_by_dst", "edge type must be named"),
        ("line_graph", "takes a graph of one node type and one edge type"),
        ("khop_adj", "takes a graph of one node type and one edge type"),
        ("khop_graph", "takes a graph of one node type and one edge type"),
        ("adj_product_graph", "takes graphs of one edge type"),
        ("adj_sum_graph", "takes graphs of one edge type"),
        ("sort_csr_by_tag", "takes a graph of one edge type"),
        ("sort_csc_by_tag", "takes a graph of one edge type"),
        ("reorder_graph", "takes a graph of one node type and one edge type"),
        ("metis_partition_assignment", "takes a graph of one node type and one edge type"),
        ("partition_graph_with_halo", "takes a graph of one node type and one edge type"),
    ],
)
def test_several_types_are_refused(name: str, message: str) -> None:
    with pytest.raises(gs.InvalidValueError, match=message):
        NEED_A_GRAPH[name](heterogeneous())


def other_weights(dtype: torch.dtype = torch.float32, *shape: int) -> gs.Graph:
    g = homogeneous()
    g.edata["w"] = torch.ones(5, *shape, dtype=dtype)
    return g


CALLS = [
    ("to_simple(g, return_counts=3)", "InvalidTypeError", "return_counts is the name"),
    ("to_simple(g, aggregator='max')", "InvalidValueError", "aggregator is one of"),
    ("to_simple(k, None, False, True, True, 'mean')", "InvalidTypeError", "mean of edge feature"),
    ("norm_by_dst(het, 'nope')", "UnknownKeyError", "no edge type 'nope'"),
    ("khop_adj(g, -1)", "InvalidValueError", "k is at least 0, got -1"),
    ("khop_graph(g, -2)", "InvalidValueError", "k is at least 0, got -2"),
    ("khop_graph(g, 1.5)", "InvalidTypeError", "k is an int, got 1.5"),
    ("khop_adj(g, True)", "InvalidTypeError", "k is an int, got True"),
    ("metapath_reachable_graph(het, [])", "InvalidValueError", "at least one edge type"),
    ("metapath_reachable_graph(het, 'rates')", "InvalidTypeError", "list of edge types"),
    ("metapath_reachable_graph(het, 3)", "InvalidTypeError", "list of edge types, got 3"),
    ("metapath_reachable_graph(het, ['nope'])", "UnknownKeyError", "no edge type 'nope'"),
    ("metapath_reachable_graph(het, ['rates'] * 2)", "InvalidValueError", "cannot follow"),
    ("adj_product_graph(g, g, 'nope')", "UnknownKeyError", "no edge feature 'nope'"),
    ("adj_product_graph(g, k, 'w')", "UnknownKeyError", "no edge feature 'w'"),
    ("adj_product_graph(g, weights(torch.float64), 'w')", "InvalidValueError", "dtype of weights"),
    ("adj_product_graph(g, weights(torch.int64), 'w')", "InvalidTypeError", "floating-point"),
    ("adj_product_graph(g, weights(torch.float32, 2), 'w')", "InvalidValueError", "one number"),
    ("adj_product_graph(g, g.int(), 'w')", "InvalidValueError", "same id type"),
    ("adj_product_graph(g, gs.add_nodes(g, 1), 'w')", "InvalidValueError", "the same nodes"),
    ("adj_product_graph(g, g, 'w', etype=3)", "InvalidTypeError", "name of a relation"),
    ("adj_sum_graph([], 'w')", "InvalidValueError", "at least one graph"),
    ("adj_sum_graph(g, 'w')", "InvalidTypeError", "takes a list of graphs, got Graph"),
    ("adj_sum_graph([g, gs.add_nodes(g, 1)], 'w')", "InvalidValueError", "graph 1 has .5, 5."),
    ("adj_sum_graph([g, g.int()], 'w')", "InvalidValueError", "same id type"),
    ("sort_csr_by_tag(g, tags[:2])", "InvalidValueError", "each of the 4 nodes, got 2"),
    ("sort_csc_by_tag(g, tags, tag_type='edge')", "InvalidValueError", "the 5 edges, got 4"),
    ("sort_csr_by_tag(g, -tags)", "OutOfRangeError", "tags cannot be negative, got -2"),
    ("sort_csr_by_tag(g, tags.float())", "InvalidTypeError", "tags must be integers"),
    ("sort_csr_by_tag(g, tags, tag_type='x')", "InvalidValueError", "tag_type is one of"),
    ("sort_csr_by_tag(g, tags, 3)", "InvalidTypeError", "tag_offset_name is a str"),
    ("sort_csr_by_tag(g, tags * 2**61)", "InvalidValueError", "the tag 4611686018427387904"),
    ("reorder_graph(g, 'x')", "InvalidValueError", "node_permute_algo is one of"),
    ("reorder_graph(g, edge_permute_algo=None)", "InvalidValueError", "edge_permute_algo is one"),
    ("reorder_graph(g, 'custom')", "InvalidValueError", "needs 'nodes_perm' in permute_config"),
    ("reorder_graph(g, 'metis', permute_config={})", "InvalidValueError", "needs 'k' in"),
    ("reorder_graph(g, permute_config=3)", "InvalidTypeError", "permute_config is a dict"),
    ("reorder_graph(g, *perm([0, 1]))", "InvalidValueError", "4 nodes once, got 2 ids"),
    ("reorder_graph(g, *perm([0, 1, 1, 3]))", "InvalidValueError", "but it lacks 2"),
    ("reorder_graph(g, *perm([0, 1, 2, 9]))", "OutOfRangeError", "Id 9 is not among the nodes"),
    ("reorder_graph(g, *perm([0.5] * 4))", "InvalidTypeError", "must be integers"),
    ("reorder_graph(g, 'metis', permute_config={'k': 0})", "InvalidValueError", "at least 1"),
    ("metis_partition_assignment(g, 0)", "InvalidValueError", "is at least 1, got 0"),
    ("metis_partition_assignment(g, 2.0)", "InvalidTypeError", "k is an int, got 2.0"),
    ("metis_partition_assignment(g, 9)", "InvalidValueError", "4 nodes cannot form 9"),
    ("metis_partition_assignment(g, 2, mode='x')", "InvalidValueError", "mode is one of"),
    ("metis_partition_assignment(g, 2, objtype='x')", "InvalidValueError", "objtype is one of"),
    (
        "metis_partition_assignment(g, 2, mode='recursive', objtype='vol')",
        "InvalidValueError",
        "in mode 'k-way' only",
    ),
    ("metis_partition_assignment(g, 2, [0, 1])", "InvalidValueError", "the 4 nodes, got 2"),
    ("metis_partition_assignment(g, 2, [0.5] * 4)", "InvalidTypeError", "must be integers"),
    ("metis_partition(g, 2, extra_cached_hops=-1)", "InvalidValueError", "is at least 0"),
    ("partition_graph_with_halo(g, tags, -1)", "InvalidValueError", "is at least 0"),
    ("partition_graph_with_halo(g, tags, 'x')", "InvalidTypeError", "extra_cached_hops is an int"),
    ("partition_graph_with_halo(g, tags[:2], 1)", "InvalidValueError", "the 4 nodes, got 2"),
    ("partition_graph_with_halo(g, tags - 1, 1)", "OutOfRangeError", "parts are 0, 1, 2"),
    ("partition_graph_with_halo(g, tags.float(), 1)", "InvalidTypeError", "must be integers"),
]


@pytest.mark.parametrize(("call", "error", "message"), CALLS, ids=[call for call, _, _ in CALLS])
def test_bad_arguments(call: str, error: str, message: str) -> None:
    g = homogeneous()
    k = gs.graph(([0], [1]))
    k.edata["k"] = torch.tensor([1])
    names = {
        "gs": gs,
        "torch": torch,
        "g": g,
        "k": k,
        "het": heterogeneous(),
        "tags": TAGS,
        "weights": other_weights,
        "perm": lambda ids: ("custom", "src", True, {"nodes_perm": ids}),
    }
    with pytest.raises(getattr(gs, error), match=message):
        eval(f"gs.{call}", names)


def test_a_product_between_unlike_sides() -> None:
    a = gs.heterograph({("a", "r", "b"): ([0], [1])}, {"a": 3, "b": 2})
    b = gs.heterograph({("b", "s", "a"): ([0], [1])}, {"a": 4, "b": 2})
    a.edata["w"] = b.edata["w"] = torch.ones(1)
    with pytest.raises(gs.InvalidValueError, match="A has 3 of these nodes and B has 4"):
        gs.adj_product_graph(a, b, "w")


def test_the_first_of_parallel_edges_is_that_with_the_smallest_id() -> None:
    """Also where the edges of a node stand in another order, in a CSC that was given or sorted."""
    g = gs.graph(([0, 0, 1], [1, 1, 0]))
    g.edata["w"] = torch.tensor([10, 20, 30])
    by_tag = gs.sort_csc_by_tag(g, torch.tensor([1, 0, 0]), tag_type="edge")
    simple = gs.to_simple(by_tag, copy_edata=True)
    assert simple.edata["w"].tolist() == [10, 30]
    assert simple.edata[gs.EID].tolist() == [0, 2]
