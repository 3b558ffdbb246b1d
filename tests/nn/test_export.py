"""`torch.export` of the layers, with dynamic numbers of nodes and edges."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.export import Dim, export

import gossamer as gs
from nn.cases import LAYER_CASES, LayerCase
from nn.test_compile import FIRST_CASES
from nn.test_contract import make_graph

#: Layers that cannot be exported, with the reason.
NOT_EXPORTED = {
    "SAGEConv-lstm": "a reducer that runs once per degree depends on the degrees",
    "SAGEConv-lstm-weighted": "a reducer that runs once per degree depends on the degrees",
    "SetTransformerDecoder": "graphs are filled up to the largest one",
    "Set2Set-layers": "torch.export does not take the weights of an LSTM",
    "Set2Set": "torch.export does not take the weights of an LSTM",
}


class OnEdges(nn.Module):
    """A layer that takes the edges as tensors and builds the graph itself."""

    def __init__(self, case: LayerCase) -> None:
        super().__init__()
        self.case, self.layer = case, case.build().eval()

    def forward(self, src: Tensor, dst: Tensor, nodes: Tensor, inputs: dict[str, Tensor]) -> Tensor:
        g = gs.graph((src, dst), num_nodes=nodes.shape[0])
        return self.case(self.layer, g, inputs)


def arguments(case: LayerCase, num_nodes: int, extra: int) -> tuple:
    g = make_graph(num_nodes, extra, seed=num_nodes)
    return *g.edges(), torch.zeros(num_nodes), case.draw(g)


def exported(case: LayerCase, module: nn.Module) -> nn.Module:
    # A program has ids of 32 bits, also where a layer numbers pairs of a node and an edge type.
    nodes, edges = (Dim(name, min=3, max=2**28) for name in ("nodes", "edges"))
    inputs = {each.name: {0: nodes if each.per == "node" else edges} for each in case.inputs}
    shapes = {"src": {0: edges}, "dst": {0: edges}, "nodes": {0: nodes}, "inputs": inputs}
    program = export(module, arguments(case, 9, 25), dynamic_shapes=shapes, strict=False)
    return program.module()


def cases() -> list:
    """All layers, those after the first of each class as slow tests."""
    return [
        pytest.param(
            case,
            id=case.name,
            marks=() if case in FIRST_CASES else pytest.mark.slow,
        )
        for case in LAYER_CASES
        if case.name not in NOT_EXPORTED
    ]


@pytest.mark.parametrize("case", cases())
def test_an_exported_layer_gives_the_same_on_graphs_of_other_sizes(case: LayerCase) -> None:
    module = OnEdges(case)
    program = exported(case, module)
    for size in ((9, 25), (14, 70), (30, 11)):
        given = arguments(case, *size)
        torch.testing.assert_close(program(*given), module(*given))


@pytest.mark.parametrize("name", NOT_EXPORTED)
def test_exceptions_are_still_exceptions(name: str) -> None:
    (case,) = (case for case in LAYER_CASES if case.name == name)
    with pytest.raises(Exception, match=r"data-dependent|Constraints violated|_flat_weights"):
        exported(case, OnEdges(case))


def test_ids_are_checked_where_they_have_values() -> None:
    with pytest.raises(gs.GossamerError, match="cannot be negative"):
        gs.graph((torch.tensor([0, -1]), torch.tensor([1, 0])), num_nodes=2)
