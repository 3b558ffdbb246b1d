"""Compiled layers give what the layers give."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch._dynamo.testing import CompileCounterWithBackend

import gossamer as gs
from gossamer.nn import GraphConv
from nn.cases import LAYER_CASES, LayerCase
from nn.test_contract import leaves, make_graph, split

# One case of each class; the slow tests take every case.
FIRST_CASES = list({type(case.build()): case for case in reversed(LAYER_CASES)}.values())[::-1]
# Layers that use each operator in each way; the tests of all others are slow ones.
QUICK = (
    "GraphConv",
    "GATConv",
    "GATv2Conv",
    "SAGEConv",
    "GINConv",
    "EdgeWeightNorm",
    "SumPooling",
    "MaxPooling",
)


def first_cases(*, whole: bool = False) -> list:
    """One case of each class, marked as slow unless it is one of `QUICK`."""
    return [
        pytest.param(
            case,
            id=case.name,
            marks=() if type(case.build()).__name__ in QUICK else pytest.mark.slow,
        )
        for case in FIRST_CASES
        if case.whole or not whole
    ]


def check_compiled(case: LayerCase, backend: str) -> None:
    """Compare with the compiled layer, on the graph that the layer has seen and on a fresh one.

    On a fresh graph the first call also builds what the layer reads, such as CSC, and the tracer
    passes that to Python. What it leaves on the graph must serve the plain layer, too.
    """
    g, fresh = make_graph(), make_graph()
    layer, inputs = case.build(), case.draw(g)
    parameters = list(case.parameters(layer).values())

    def run(module: nn.Module, graph: gs.Graph) -> tuple:
        given = leaves({name: value.clone() for name, value in inputs.items()})
        out = case(module, graph, given)
        torch.manual_seed(0)
        wanted = [*split(given)[1].values(), *parameters]
        flow = torch.randn_like(out)
        # What takes no part has no gradient, or one of 0 where it goes through a compiled function.
        return out.detach(), torch.autograd.grad(out, wanted, flow, materialize_grads=True)

    expected = run(layer, g)
    torch._dynamo.reset()
    seen = torch.compile(layer, backend=backend, fullgraph=case.whole)
    torch.testing.assert_close(run(seen, g), expected)
    torch._dynamo.reset()
    first = torch.compile(layer, backend=backend, fullgraph=case.whole)
    torch.testing.assert_close(run(first, fresh), expected)
    torch.testing.assert_close(run(layer, fresh), expected)


# On a fresh graph the tracer meets what it cannot trace, and warns: of the allocators that
# `helpers.memory` wraps, and of `.grad`, at which it looks itself between two compiled pieces.
in_pieces = pytest.mark.filterwarnings(
    "ignore:Dynamo does not know how to trace the builtin",
    "ignore:The .grad attribute of a Tensor that is not a leaf",
)


@in_pieces
@pytest.mark.parametrize("case", first_cases())
def test_traced_layer_gives_the_same(case: LayerCase) -> None:
    """Through the tracer and ahead-of-time autograd, without generating code."""
    check_compiled(case, "aot_eager")


@in_pieces
# The code generator itself still uses what torch has deprecated.
@pytest.mark.filterwarnings("ignore:.torch.jit.script:DeprecationWarning")
@pytest.mark.slow
@pytest.mark.parametrize("case", LAYER_CASES, ids=lambda case: case.name)
@pytest.mark.parametrize("backend", ["aot_eager", "inductor"])
def test_compiled_layer_gives_the_same(case: LayerCase, backend: str) -> None:
    check_compiled(case, backend)


@pytest.mark.parametrize("case", first_cases(whole=True))
def test_training_steps_on_graphs_of_many_sizes_compile_twice(case: LayerCase) -> None:
    """As with mini-batches: each graph is fresh, and the second size makes all sizes symbols."""
    torch._dynamo.reset()
    layer = case.build()
    parameters = list(case.parameters(layer).values())

    def step(graph: gs.Graph, inputs: dict) -> tuple:
        return case(layer, graph, inputs).square().mean()

    counter = CompileCounterWithBackend("aot_eager")
    compiled = torch.compile(step, backend=counter, fullgraph=True)
    for num_nodes in (9, 12, 20, 33):
        g = make_graph(num_nodes, 3 * num_nodes)
        inputs = case.draw(g)
        found, expected = compiled(g, inputs), step(g, inputs)
        torch.testing.assert_close(found, expected)
        if parameters:
            torch.testing.assert_close(
                torch.autograd.grad(found, parameters, materialize_grads=True),
                torch.autograd.grad(expected, parameters, materialize_grads=True),
            )
    assert counter.frame_count <= 2


def test_a_compiled_layer_refuses_nodes_without_in_edges() -> None:
    torch._dynamo.reset()
    layer = torch.compile(GraphConv(4, 2), backend="aot_eager", fullgraph=True)
    with pytest.raises(RuntimeError, match="GraphConv: some nodes have zero in-degree"):
        layer(gs.graph(([0, 1], [1, 2])), torch.randn(3, 4))
