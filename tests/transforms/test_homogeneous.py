"""Types become numbers and come back; every edge and feature stays with its ends."""

from __future__ import annotations

import networkx
import pytest
import torch
from hypothesis import given

import gossamer as gs
from helpers.compare import assert_graph_equal, assert_graph_valid, assert_tensor_equal
from helpers.generated import graphs, homogeneous_graphs
from helpers.graphs import graph_cases


@given(g=graphs())
def test_there_and_back(g):
    h, node_counts, edge_counts = gs.to_homogeneous(g, ["x"], ["x"], return_count=True)
    assert_graph_valid(h)
    assert node_counts == [g.num_nodes(ntype) for ntype in g.ntypes]
    assert edge_counts == [g.num_edges(etype) for etype in g.canonical_etypes]
    # Each edge type has a number of its own, so relations of one name do not mix.
    etypes = [f"{i}" for i in range(len(g.canonical_etypes))]
    meta = networkx.MultiDiGraph()
    for (src, _, dst), name in zip(g.canonical_etypes, etypes, strict=True):
        meta.add_edge(src, dst, key=name)
    back = gs.to_heterogeneous(h, g.ntypes, etypes, metagraph=meta)
    assert_graph_valid(back)
    for i, ntype in enumerate(g.ntypes):
        frame = back.nodes[ntype].data
        assert_tensor_equal(frame["x"], g.nodes[ntype].data["x"])
        assert frame[gs.NID].tolist() == (h.ndata[gs.NTYPE] == i).nonzero().flatten().tolist()
    for name, etype in zip(etypes, g.canonical_etypes, strict=True):
        for ends, wanted in zip(back.edges(etype=name), g.edges(etype=etype), strict=True):
            assert_tensor_equal(ends, wanted)
        assert_tensor_equal(back.edges[name].data["x"], g.edges[etype].data["x"])


@given(g=graphs())
def test_ids_and_types_lead_back_to_each_node_and_edge(g):
    h = gs.to_homogeneous(g)
    u, v = h.edges()
    nodes = list(zip(h.ndata[gs.NTYPE].tolist(), h.ndata[gs.NID].tolist(), strict=True))
    edges = zip(h.edata[gs.ETYPE].tolist(), h.edata[gs.EID].tolist(), strict=True)
    ends = [(nodes[src], nodes[dst]) for src, dst in zip(u.tolist(), v.tolist(), strict=True)]
    found = [(*edge, *pair) for edge, pair in zip(edges, ends, strict=True)]
    wanted = []
    for number, (src, relation, dst) in enumerate(g.canonical_etypes):
        ends = [end.tolist() for end in g.edges(etype=(src, relation, dst))]
        for eid, (a, b) in enumerate(zip(*ends, strict=True)):
            wanted.append((number, eid, (g.ntypes.index(src), a), (g.ntypes.index(dst), b)))
    assert found == wanted


@given(g=homogeneous_graphs(min_nodes=1))
def test_types_in_any_order(g):
    """Numbers that do not come in order: each node and edge keeps its neighbors and features."""
    g.ndata["t"] = (torch.arange(g.num_nodes()) * 5 + 2) % 3
    g.edata["r"] = (torch.arange(g.num_edges()) * 3 + 1) % 2
    ntypes, etypes = ["c", "a", "b"], ["s", "r"]
    if g.num_edges() == 0:
        with pytest.raises(gs.InvalidValueError, match="metagraph"):
            gs.to_heterogeneous(g, ntypes, etypes, "t", "r")
        return
    h = gs.to_heterogeneous(g, ntypes, etypes, "t", "r")
    assert_graph_valid(h)
    assert h.ntypes == ["a", "b", "c"]
    for number, ntype in enumerate(ntypes):
        frame = h.nodes[ntype].data
        assert "t" not in frame
        members = (g.ndata["t"] == number).nonzero().flatten()
        assert_tensor_equal(frame[gs.NID], members)
        assert_tensor_equal(frame["x"], g.ndata["x"][members])
    seen = []
    u, v = g.edges()
    for src, relation, dst in h.canonical_etypes:
        part = h.edges[src, relation, dst].data
        eids = part[gs.EID]
        assert bool((g.edata["r"][eids] == etypes.index(relation)).all())
        assert_tensor_equal(part["x"], g.edata["x"][eids])
        a, b = h.edges(etype=(src, relation, dst))
        assert a.dtype == g.idtype
        assert_tensor_equal(h.nodes[src].data[gs.NID][a.long()], u[eids].long())
        assert_tensor_equal(h.nodes[dst].data[gs.NID][b.long()], v[eids].long())
        assert eids.tolist() == sorted(eids.tolist())
        seen += eids.tolist()
    assert sorted(seen) == list(range(g.num_edges()))


@pytest.mark.parametrize("case", graph_cases(exclude=["block", "heterogeneous_block"]))
def test_every_case_keeps_its_edges(case, device):
    g = case(device)
    h = gs.to_homogeneous(g)
    assert_graph_valid(h)
    assert h.idtype == g.idtype and h.device == g.device and h.batch_size == 1
    assert (h.num_nodes(), h.num_edges()) == (g.num_nodes(), g.num_edges())
    if g.is_homogeneous:
        assert_graph_equal(h, gs.graph(g.edges(), num_nodes=g.num_nodes()), features=False)


def test_gradients_flow_there_and_back():
    g = gs.heterograph({("a", "r", "b"): ([0, 1], [1, 0]), ("b", "s", "a"): ([0], [1])})
    leaves = {t: torch.randn(2, 3, dtype=torch.float64, requires_grad=True) for t in g.ntypes}
    for ntype, leaf in leaves.items():
        g.nodes[ntype].data["h"] = leaf
    back = gs.to_heterogeneous(gs.to_homogeneous(g, ["h"]), g.ntypes, g.etypes)
    for ntype, leaf in leaves.items():
        cotangent = torch.randn(2, 3, dtype=torch.float64)
        (grad,) = torch.autograd.grad(back.nodes[ntype].data["h"], leaf, cotangent)
        assert_tensor_equal(grad, cotangent)


def test_edges_that_the_metagraph_lacks_are_left_out():
    g = gs.graph(([0, 1, 1], [1, 0, 1]))
    g.ndata[gs.NTYPE] = torch.tensor([0, 1])
    g.edata[gs.ETYPE] = torch.tensor([0, 0, 0])
    meta = networkx.MultiDiGraph([("b", "b", "r"), ("a", "b", "r"), ("a", "a", "r")])
    h = gs.to_heterogeneous(g, ["a", "b"], ["r"], metagraph=meta)
    assert h.canonical_etypes == [("a", "r", "a"), ("a", "r", "b"), ("b", "r", "b")]
    assert [h.num_edges(etype) for etype in h.canonical_etypes] == [0, 1, 1]


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda g: gs.to_homogeneous(3), gs.InvalidTypeError, "takes a graph, got int"),
        (lambda g: gs.to_homogeneous(g, ndata=3), gs.InvalidTypeError, "list of feature names"),
        (lambda g: gs.to_homogeneous(g, edata=[3]), gs.InvalidTypeError, "got 3 among them"),
        (lambda g: gs.to_homogeneous(g, ["nope"]), gs.UnknownKeyError, "'nope', and every type"),
        (lambda g: gs.to_homogeneous(g, ["uneven"]), gs.InvalidValueError, "one row shape"),
        (
            lambda g: gs.to_homogeneous(gs.create_block(([0], [0]))),
            gs.InvalidValueError,
            "does not take a block",
        ),
        (lambda g: gs.to_heterogeneous("g", [], []), gs.InvalidTypeError, "takes a graph, got str"),
        (
            lambda g: gs.to_heterogeneous(g, ["a"], ["r"]),
            gs.InvalidValueError,
            "Use to_homogeneous first",
        ),
    ],
)
def test_wrong_arguments(call, error, text):
    g = gs.heterograph({("a", "r", "b"): ([0], [1]), ("b", "s", "b"): ([0], [0])})
    g.nodes["a"].data["uneven"] = torch.zeros(1)
    g.nodes["b"].data["uneven"] = torch.zeros(2, 2)
    with pytest.raises(error, match=text):
        call(g)


@pytest.mark.parametrize(
    ("change", "arguments", "error", "text"),
    [
        ({}, ("ab", ["r"]), gs.InvalidTypeError, "ntypes is a list of names"),
        ({}, (["a", "b"], 3), gs.InvalidTypeError, "etypes is a list of names"),
        ({}, (["a", 1], ["r"]), gs.InvalidTypeError, "ntypes is a list of str"),
        ({}, (["a", "a"], ["r"]), gs.InvalidValueError, "names a type twice"),
        ({}, (["a"], ["r"]), gs.OutOfRangeError, "holds type 1, but ntypes names 1"),
        ({}, (["a", "b"], []), gs.OutOfRangeError, "holds type 0, but etypes names 0"),
        ({}, (["a", "b"], ["r"], "nope"), gs.UnknownKeyError, "no node feature 'nope'"),
        ({gs.NTYPE: [0.0, 1.0]}, (["a", "b"], ["r"]), gs.InvalidTypeError, "must be integers"),
        ({gs.NTYPE: [[0], [1]]}, (["a", "b"], ["r"]), gs.InvalidValueError, "one number for each"),
        ({gs.NTYPE: [0, -1]}, (["a", "b"], ["r"]), gs.OutOfRangeError, "holds type -1"),
        (
            {},
            (["a", "b"], ["r"], gs.NTYPE, gs.ETYPE, networkx.DiGraph()),
            gs.InvalidTypeError,
            "got DiGraph",
        ),
        (
            {},
            (["a", "b"], ["r"], gs.NTYPE, gs.ETYPE, networkx.MultiDiGraph()),
            gs.InvalidValueError,
            "has no edge",
        ),
        (
            {},
            (["a", "b"], ["r"], gs.NTYPE, gs.ETYPE, networkx.MultiDiGraph([("a", "z", "r")])),
            gs.UnknownKeyError,
            "the metagraph has edge type",
        ),
    ],
)
def test_wrong_types(change, arguments, error, text):
    g = gs.graph(([0], [1]))
    g.ndata[gs.NTYPE] = torch.tensor(change.get(gs.NTYPE, [0, 1]))
    g.edata[gs.ETYPE] = torch.tensor([0])
    with pytest.raises(error, match=text):
        gs.to_heterogeneous(g, *arguments)


def test_a_type_without_nodes_needs_no_feature():
    counts = {"a": 1, "b": 1, "c": 0}
    g = gs.heterograph({("a", "x", "b"): ([0], [0]), ("c", "z", "b"): ([], [])}, counts)
    g.nodes["a"].data["h"] = torch.ones(1, 2)
    g.nodes["b"].data["h"] = torch.zeros(1, 2)
    g.edges["x"].data["w"] = torch.ones(1)
    h = gs.to_homogeneous(g, ndata=["h"], edata=["w"])
    assert h.ndata["h"].tolist() == [[1.0, 1.0], [0.0, 0.0]]
    assert h.edata["w"].tolist() == [1.0]
    g.nodes["c"].data["h"] = torch.ones(0, 3)
    assert gs.to_homogeneous(g, ndata=["h"]).ndata["h"].shape == (2, 2)
    with pytest.raises(gs.UnknownKeyError, match="node type 'a' has no feature 'k'"):
        gs.to_homogeneous(g, ndata=["k"])
