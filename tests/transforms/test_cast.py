"""Casts change the dtype of floating-point features and nothing else."""

from __future__ import annotations

import pytest
import torch

import gossamer as gs
from helpers.compare import assert_graph_equal, assert_tensor_equal
from helpers.graphs import graph_cases

CASTS = [
    (gs.to_half, torch.float16),
    (gs.to_bfloat16, torch.bfloat16),
    (gs.to_float, torch.float32),
    (gs.to_double, torch.float64),
]
FLOATS = [dtype for _, dtype in CASTS]
OTHERS = [torch.int32, torch.bool, torch.complex64]


def dressed(g: gs.Graph) -> gs.Graph:
    """`g` with a feature of every dtype on every type."""
    generator = torch.Generator().manual_seed(5)
    frames = [(g.num_src_nodes(t), g.srcnodes[t].data) for t in g.srctypes]
    frames += [(g.num_dst_nodes(t), g.dstnodes[t].data) for t in g.dsttypes]
    frames += [(g.num_edges(t), g.edges[t].data) for t in g.canonical_etypes]
    for count, frame in frames:
        for dtype in FLOATS + OTHERS:
            value = torch.randn(count, 2, dtype=torch.float64, generator=generator)
            frame[str(dtype)] = value.to(dtype)
    return g


@pytest.mark.parametrize(("cast", "dtype"), CASTS)
@pytest.mark.parametrize("case", graph_cases())
def test_floating_point_features_are_cast(cast, dtype, case):
    g = dressed(case())
    result = cast(g)
    assert_graph_equal(result, g, features=False)
    for etype in g.canonical_etypes:
        for found, given in (
            (result.edges[etype].data, g.edges[etype].data),
            (result.srcnodes[etype[0]].data, g.srcnodes[etype[0]].data),
            (result.dstnodes[etype[2]].data, g.dstnodes[etype[2]].data),
        ):
            for name in map(str, FLOATS):
                assert_tensor_equal(found[name], given[name].to(dtype))
                assert str(given[name].dtype) == name
            for name in map(str, OTHERS):
                assert found[name] is given[name]


def test_gradients_flow_through_a_cast():
    g = gs.graph(([0], [1]))
    x = torch.randn(2, 3, requires_grad=True)
    g.ndata["x"] = x
    cotangent = torch.randn(2, 3, dtype=torch.float64)
    gs.to_double(g).ndata["x"].backward(cotangent)
    assert_tensor_equal(x.grad, cotangent.float())


@pytest.mark.parametrize(("cast", "dtype"), CASTS)
def test_only_graphs_are_cast(cast, dtype):
    with pytest.raises(gs.InvalidTypeError, match=f"{cast.__name__} takes a graph, got dict"):
        cast({"x": torch.zeros(2).to(dtype)})
