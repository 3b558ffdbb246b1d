"""Nonsense at public doors gives one clear error, whatever it would have broken further in."""

from __future__ import annotations

import pytest
import torch

import gossamer as gs

HUGE = 2**70

NONSENSE = {
    "an id beyond 64 bits": (lambda g: g.out_edges(HUGE), gs.InvalidValueError, "not fit int64"),
    "ids of another kind": (lambda g: g.out_edges(torch), gs.InvalidTypeError, "got module"),
    "not a graph: add_nodes": (lambda g: gs.add_nodes([g], 1), gs.InvalidTypeError, "got list"),
    "not a graph: add_edges": (lambda g: gs.add_edges(3, 0, 0), gs.InvalidTypeError, "got int"),
    "not a graph: remove_nodes": (
        lambda g: gs.remove_nodes(None, 0),
        gs.InvalidTypeError,
        "remove_nodes takes a graph, got NoneType",
    ),
    "not a graph: remove_edges": (
        lambda g: gs.remove_edges(g.edges(), 0),
        gs.InvalidTypeError,
        "remove_edges takes a graph, got tuple",
    ),
    "not a graph: slice_batch": (
        lambda g: gs.slice_batch([g], 0),
        gs.InvalidTypeError,
        "slice_batch takes a graph, got list",
    ),
    "no graphs: batch": (lambda g: gs.batch(3), gs.InvalidTypeError, "list of graphs, got int"),
    "many numbers of a graph": (
        lambda g: gs.slice_batch(g, torch.tensor([0, 1])),
        gs.InvalidTypeError,
        "number of a graph is an int",
    ),
    "many numbers of hops": (
        lambda g: gs.khop_in_subgraph(g, 0, torch.tensor([1, 2])),
        gs.InvalidTypeError,
        "number of hops k is an int",
    ),
    "many numbers of edges": (
        lambda g: gs.rand_graph(3, torch.tensor([1, 2])),
        gs.InvalidTypeError,
        "num_edges is an int",
    ),
    "a list for a feature": (lambda g: g.ndata[["h"]], gs.UnknownKeyError, "no node feature"),
    "a list for a readout": (
        lambda g: gs.sum_edges(g, ["w"]),
        gs.UnknownKeyError,
        "no edge feature",
    ),
    "an initializer": (
        lambda g: g.set_n_initializer(0.0),
        gs.InvalidTypeError,
        "An initializer is a function",
    ),
    "an initializer of many": (
        lambda g: g.set_e_initializer(torch.zeros, field=["w"]),
        gs.InvalidTypeError,
        r"for one feature name or for all; got .* for \['w'\]",
    ),
    "rows for self-loops": (
        lambda g: gs.add_self_loop(g, fill_data=torch.ones(3)),
        gs.InvalidValueError,
        r"fill_data has shape \(3,\)",
    ),
    "features of self-loops": (
        lambda g: gs.add_self_loop(g, 1),
        gs.InvalidTypeError,
        "edge_feat_names is a list of feature names, got int",
    ),
    "a predicate": (
        lambda g: g.filter_nodes(3),
        gs.InvalidTypeError,
        "filter_nodes: the predicate is a function, got int",
    ),
    "what a predicate gives": (
        lambda g: g.filter_edges(lambda edges: edges),
        gs.InvalidTypeError,
        "must return a boolean tensor, got EdgeBatch",
    ),
    "functions by edge type": (
        lambda g: g.multi_update_all([], "sum"),
        gs.InvalidTypeError,
        "dict from edge type to functions, got list",
    ),
    "a cross-type reducer": (
        lambda g: g.multi_update_all({}, ["sum"]),
        gs.InvalidValueError,
        "cross-type reducer is one of",
    ),
    "groups of nodes": (
        lambda g: g.prop_nodes(3, None, None),
        gs.InvalidTypeError,
        "prop_nodes takes an iterable of groups of ids, got int",
    ),
    "types as a tensor": (
        lambda g: gs.node_type_subgraph(g, torch.tensor(0)),
        gs.InvalidTypeError,
        "takes a list of node types",
    ),
    "features of new nodes": (
        lambda g: g.add_nodes(1, data=[1]),
        gs.InvalidTypeError,
        "Features of new nodes are a dict from name to tensor, got list",
    ),
    "a huge number of new nodes": (
        lambda g: g.add_nodes(HUGE),
        gs.InvalidValueError,
        "does not fit 64 bits",
    ),
    "a huge number of hops": (
        lambda g: gs.khop_adj(g, HUGE),
        gs.InvalidValueError,
        "does not fit 64 bits",
    ),
    "a huge number of encodings": (
        lambda g: gs.svd_pe(g, HUGE, padding=True),
        gs.InvalidValueError,
        "does not fit 64 bits",
    ),
    "more walks than edges can be": (
        lambda g: gs.khop_graph(gs.graph(([0, 0], [0, 0])), 64),
        gs.InvalidValueError,
        r"there are 1\.8e\+19 walks of 64 edges",
    ),
    "many numbers of nodes": (
        lambda g: gs.graph(([0], [1]), num_nodes=torch.tensor([2, 3])),
        gs.InvalidTypeError,
        "num_nodes must be an int",
    ),
    "edges that are none": (
        lambda g: gs.heterograph({("u", "r", "v"): 99}),
        gs.InvalidTypeError,
        "Edge data is .*; got int",
    ),
    "a format": (lambda g: g.formats(True), gs.InvalidValueError, "Formats are among"),
    "features of a batch": (
        lambda g: gs.batch([g, g], edata=3),
        gs.InvalidTypeError,
        "the features to keep is a list of feature names, got int",
    ),
    "a name of attributes": (
        lambda g: gs.to_networkx(g, eid_attr=["id"]),
        gs.InvalidTypeError,
        "eid_attr is a name or None",
    ),
    "which graphs of a file": (
        lambda g: gs.load_graphs("absent", torch.tensor([0.5])),
        gs.InvalidTypeError,
        "each element of idx_list is an int, got 0.5",
    ),
}


@pytest.mark.parametrize(("call", "error", "match"), NONSENSE.values(), ids=NONSENSE)
def test_nonsense(call, error, match) -> None:
    g = gs.graph(([0, 1], [1, 2]))
    g.edata["w"] = torch.ones(2, 2)
    with pytest.raises(error, match=match):
        call(g)


def test_flags_need_not_be_bools() -> None:
    g = gs.graph(([0], [1]))
    edges, labels = gs.dfs_labeled_edges_generator(g, 0, has_reverse_edge=1)
    assert (torch.cat(edges).tolist(), torch.cat(labels).tolist()) == ([0, 0], [0, 1])
