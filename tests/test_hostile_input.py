"""Arguments of the wrong kind are refused by name, in every room, and never reach a kernel."""

from __future__ import annotations

import pytest
import torch

import gossamer as gs
import gossamer.sparse as gsp
from gossamer.errors import InvalidTypeError, InvalidValueError

ONE = torch.tensor([[0, 1], [1, 0]])


def _graph() -> gs.Graph:
    g = gs.graph(([0, 1, 2, 0], [1, 2, 0, 2]))
    g.ndata["h"], g.edata["w"] = torch.ones(3, 2), torch.ones(4)
    return gs.sort_csc_by_tag(g, torch.tensor([0, 1, 0]))


def _of_types(etype: str, counts: object) -> gs.Graph:
    return gs.heterograph({("u", etype, "u"): ([0], [1])}, num_nodes_dict=counts)


# What is called, the error, and words that its message must have.
CALLS = {
    "replace: None": (
        lambda g: gs.sampling.sample_neighbors(g, [0], 1, replace=None),
        InvalidTypeError,
        "sample_neighbors: replace must be True or False, got None",
    ),
    "replace: text": (
        lambda g: gs.sampling.sample_neighbors_fused(g, [0], 1, replace="no"),
        InvalidTypeError,
        "replace must be True or False, got 'no'",
    ),
    "replace: biased": (
        lambda g: gs.sampling.sample_neighbors_biased(g, [0], 1, [1.0, 2.0], replace=[True]),
        InvalidTypeError,
        "replace must be True or False",
    ),
    "replace: matrix": (
        lambda g: gsp.identity((3, 3)).sample(0, 1, replace="w"),
        InvalidTypeError,
        "sample: replace must be True or False",
    ),
    "replace: graphbolt": (
        lambda g: gs.graphbolt.from_graph(g, is_homogeneous=True).sample_neighbors(
            torch.tensor([0]), torch.tensor([1]), replace="w"
        ),
        InvalidTypeError,
        "replace must be True or False",
    ),
    "replace: negatives": (
        lambda g: gs.sampling.global_uniform_negative_sampling(g, 1, replace="w"),
        InvalidTypeError,
        "replace must be True or False",
    ),
    "descending": (
        lambda g: gs.topk_nodes(g, "h", 1, descending=None),
        InvalidTypeError,
        "topk: descending must be True or False, got None",
    ),
    "bias": (
        lambda g: gs.sampling.sample_neighbors_biased(g, [0], 1, "w"),
        InvalidTypeError,
        "bias is a list of numbers, got 'w'",
    ),
    "restart_prob": (
        lambda g: gs.sampling.random_walk(g, [0], length=2, restart_prob="w"),
        InvalidTypeError,
        "random_walk: restart_prob is a number, got 'w'",
    ),
    "p of node2vec": (
        lambda g: gs.sampling.node2vec_random_walk(g, [0], None, 1, 2),
        InvalidTypeError,
        "node2vec_random_walk: p is a number, got None",
    ),
    "traces": (
        lambda g: gs.sampling.pack_traces([[0]], torch.tensor([0])),
        InvalidTypeError,
        "pack_traces: traces must be a Tensor, got list",
    ),
    "traces of numbers": (
        lambda g: gs.sampling.pack_traces(torch.ones(1, 1), torch.tensor([0])),
        InvalidTypeError,
        "traces is a tensor of integers, got torch.float32",
    ),
    "termination_prob": (
        lambda g: gs.sampling.RandomWalkNeighborSampler(g, 1, None, 1, 1),
        InvalidTypeError,
        "termination_prob is a number, got None",
    ),
    "metapath": (
        lambda g: gs.sampling.RandomWalkNeighborSampler(g, 1, 0.5, 1, 1, metapath=1),
        InvalidTypeError,
        "metapath is a list of edge types, got 1",
    ),
    "redundancy": (
        lambda g: gs.sampling.global_uniform_negative_sampling(g, 1, redundancy=float("inf")),
        InvalidValueError,
        "redundancy must be finite",
    ),
    "counts": (
        lambda g: _of_types("f", 3),
        InvalidTypeError,
        "num_nodes_dict is a dict from node type",
    ),
    "counts: text": (lambda g: _of_types("f", "uv"), InvalidTypeError, "num_nodes_dict is a dict"),
    "counts: a key": (
        lambda g: gs.create_block(([0], [0]), num_src_nodes={1: 2}),
        InvalidTypeError,
        "num_src_nodes is a dict from node type",
    ),
    "too many nodes": (
        lambda g: gs.graph(([0], [1]), num_nodes=2**63),
        InvalidValueError,
        "num_nodes does not fit 64 bits",
    ),
    "ids: a dict": (lambda g: g.in_degrees({1: 2}), InvalidTypeError, "got dict"),
    "ids on meta": (
        lambda g: gs.graph((ONE[0].to("meta"), ONE[1].to("meta"))),
        InvalidValueError,
        "cannot be built on the meta device",
    ),
    "pointers on meta": (
        lambda g: gs.graph(("csr", (ONE[0].to("meta"), [0], []))),
        InvalidValueError,
        "meta device",
    ),
    "to meta": (
        lambda g: gs.graph(([0], [1]), device="meta"),
        InvalidValueError,
        "cannot be built on the meta device",
    ),
    "edges: nothing": (lambda g: gs.create_block(()), InvalidTypeError, "Edge data is"),
    "edges: a number": (
        lambda g: gs.create_block(torch.tensor(1)),
        InvalidTypeError,
        "Edge data is",
    ),
    "points on meta": (
        lambda g: gs.knn_graph(torch.ones(3, 2, device="meta"), 1),
        InvalidTypeError,
        "knn_graph: points are a dense tensor with values",
    ),
    "sparse points": (
        lambda g: gs.radius_graph(torch.eye(3).to_sparse(), 1.0),
        InvalidTypeError,
        "points are a dense tensor",
    ),
    "matrix of no graph": (
        lambda g: gsp.from_graph(ONE),
        InvalidTypeError,
        "from_graph takes a graph, got Tensor",
    ),
    "dtype of identity": (
        lambda g: gsp.identity((2, 2), dtype="float"),
        InvalidTypeError,
        "identity: dtype is a torch.dtype, got 'float'",
    ),
    "device of identity": (
        lambda g: gsp.identity((2, 2), device=1.5),
        InvalidValueError,
        "device must be a device",
    ),
    "device of a matrix": (
        lambda g: gsp.identity((2, 2)).to("gpu"),
        InvalidValueError,
        "device must be a device",
    ),
    "dtype of a matrix": (
        lambda g: gsp.identity((2, 2)).to(dtype="float"),
        InvalidTypeError,
        "to: dtype is a torch.dtype, got 'float'",
    ),
    "huge factor": (
        lambda g: gsp.spmatrix(ONE) * 2**100,
        InvalidValueError,
        "mul: the number .* does not fit 64 bits",
    ),
    "huge divisor": (
        lambda g: gsp.spmatrix(ONE) / 2**100,
        InvalidValueError,
        "div: the number .* does not fit 64 bits",
    ),
    "ends of a slice": (
        lambda g: gsp.spmatrix(ONE).range_select(0, slice(0.5, None)),
        InvalidTypeError,
        "range_select: a slice has integers",
    ),
    "seed": (lambda g: gs.seed(2**64), InvalidValueError, "A seed fits 64 bits"),
    "path": (
        lambda g: gs.data.save_tensors(None, {"a": torch.ones(1)}),
        InvalidTypeError,
        "A path is a str or a Path, got None",
    ),
}


@pytest.mark.parametrize(("call", "error", "text"), CALLS.values(), ids=CALLS)
def test_it_is_refused_by_name(call, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        call(_graph())


@pytest.mark.parametrize("device", ["cuda:99", torch.device("cuda", 99)], ids=str)
def test_a_gpu_that_is_not_there_is_refused(device) -> None:
    with pytest.raises(InvalidValueError, match=r"device is 'cuda:99', but torch finds"):
        _graph().to(device)
    with pytest.raises(InvalidValueError, match="output_device is 'cuda:99'"):
        gs.in_subgraph(_graph(), [0], output_device=device)
    with pytest.raises(InvalidValueError, match="device is 'cuda:99'"):
        gsp.identity((2, 2), device=device)


@pytest.mark.parametrize("replace", [1, torch.ones(1).numpy()[0] > 0], ids=["int", "numpy"])
def test_flags_of_other_kinds_are_taken(replace) -> None:
    sample = gs.sampling.sample_neighbors(_graph(), [0], 5, replace=replace)
    assert sample.num_edges() == 5


@pytest.mark.parametrize("exclude_self", [False, True])
def test_points_without_coordinates_have_neighbors(exclude_self: bool) -> None:
    """All of them are in one place."""
    g = gs.knn_graph(torch.zeros(4, 0), 2, exclude_self=exclude_self)
    assert g.in_degrees().tolist() == [2] * 4
    assert not (exclude_self and g.has_edges_between(range(4), range(4)).any())


@pytest.mark.parametrize(
    "call",
    [
        lambda g: g.in_edges([0]),
        lambda g: gs.sampling.sample_neighbors(g, [0], 1),
        lambda g: gs.node_subgraph(g, [0]),
        lambda g: g.adj().coalesce(),
    ],
    ids=["in_edges", "sample", "subgraph", "coalesce"],
)
def test_ids_that_are_no_numbers_of_nodes(call) -> None:
    """Such as keys of a database: a graph is built of them, but its rows do not fit."""
    g = gs.graph(([0, 2**50], [2**50, 0]))
    with pytest.raises(InvalidValueError, match=r"1,125,899,906,842,625 nodes.*compact_graphs"):
        call(g)
    assert gs.compact_graphs(g).num_nodes() == 2
