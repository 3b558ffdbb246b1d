"""Sequential, WeightBasis, JumpingKnowledge and LabelPropagation."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import gossamer as gs
from gossamer.errors import InvalidValueError
from gossamer.nn import GraphConv, JumpingKnowledge, LabelPropagation, Sequential, WeightBasis


def make_graph() -> gs.Graph:
    return gs.graph(([0, 1, 2, 0, 3], [1, 2, 0, 2, 0]), num_nodes=5)


class Both(nn.Module):
    """Takes and returns two tensors."""

    def forward(self, g: gs.Graph, x: torch.Tensor, y: torch.Tensor) -> tuple:
        return x + g.num_nodes(), y - g.num_edges()


def test_one_graph_for_all() -> None:
    g, x = make_graph(), torch.rand(5, 4)
    first, second = (GraphConv(4, 4, allow_zero_in_degree=True) for _ in range(2))
    torch.testing.assert_close(Sequential(first, second)(g, x), second(g, first(g, x)))


def test_a_graph_for_each() -> None:
    g, h, x = make_graph(), gs.graph(([0, 1], [1, 0]), num_nodes=5), torch.rand(5, 4)
    first, second = (GraphConv(4, 4, allow_zero_in_degree=True) for _ in range(2))
    torch.testing.assert_close(Sequential(first, second)([g, h], x), second(h, first(g, x)))
    with pytest.raises(InvalidValueError, match="2 modules need one graph, or a list of as many"):
        Sequential(first, second)([g], x)


def test_several_tensors_and_no_module() -> None:
    g, x = make_graph(), torch.zeros(5)
    found = Sequential(Both(), Both())(g, x, x)
    torch.testing.assert_close(found, (x + 10, x - 10))
    assert Sequential()(g, x) is x


def test_weight_basis() -> None:
    layer = WeightBasis((4, 3), 2, 5).double()
    wanted = torch.einsum("ob,bij->oij", layer.w_comp, layer.weight)
    torch.testing.assert_close(layer(), wanted)
    with torch.no_grad():
        layer.weight.fill_(9.0)
        layer.w_comp.fill_(9.0)
    layer.reset_parameters()
    assert (layer.weight != 9.0).all()
    assert (layer.w_comp != 9.0).all()
    with pytest.warns(UserWarning, match="5 bases for 5 weights are more parameters"):
        WeightBasis((4, 3), 5, 5)
    with pytest.raises(InvalidValueError, match="shape needs at least one dimension"):
        WeightBasis((), 1, 2)


def test_jumping_knowledge() -> None:
    layers = [torch.randn(5, 4) for _ in range(3)]
    torch.testing.assert_close(JumpingKnowledge()(layers), torch.cat(layers, 1))
    torch.testing.assert_close(JumpingKnowledge("max")(layers), torch.stack(layers).amax(0))
    jump = JumpingKnowledge("lstm", 4, 3)
    rows = []
    for i in range(5):
        own = torch.stack([x[i] for x in layers])
        states, _ = jump.lstm(own.unsqueeze(0))
        rows.append(jump.att(states[0]).softmax(0).T @ own)
    torch.testing.assert_close(jump(layers), torch.cat(rows))
    assert jump(layers).requires_grad
    before = jump.att.weight.clone()
    jump.reset_parameters()
    assert not torch.equal(jump.att.weight, before)
    with pytest.raises(InvalidValueError, match="mode is one of"):
        JumpingKnowledge("sum")
    with pytest.raises(InvalidValueError, match="'lstm' needs in_feats and num_layers"):
        JumpingKnowledge("lstm", 4)


@pytest.mark.parametrize("norm_type", ["sym", "row"])
@pytest.mark.parametrize("options", [{}, {"clamp": False, "normalize": True}, {"reset": True}])
def test_label_propagation(norm_type: str, options: dict) -> None:
    g, labels = make_graph(), torch.tensor([2, 0, 1, 0, 2])
    known = torch.tensor([True, True, False, True, False])
    found = LabelPropagation(3, 0.8, norm_type, **options)(g, labels, known)

    u, v = g.edges()
    matrix = torch.zeros(5, 5).index_put((v, u), torch.ones(5), accumulate=True)
    into, out_of = matrix.sum(1).clamp(min=1), matrix.sum(0).clamp(min=1)
    if norm_type == "sym":
        matrix = matrix / out_of.sqrt() / into.sqrt()[:, None]
    else:
        matrix = matrix / into[:, None]
    first = torch.eye(3)[labels] * known[:, None]
    y = first
    for _ in range(3):
        y = 0.8 * matrix @ y + 0.2 * first
        if options.get("clamp", True):
            y = y.clamp(0, 1)
        if options.get("normalize"):
            y = y / y.sum(1, keepdim=True).clamp(min=1e-12)
        if options.get("reset"):
            y = torch.where(known[:, None], first, y)
    torch.testing.assert_close(found, y)


def test_forms_of_labels_and_masks() -> None:
    g, labels, spread = make_graph(), torch.tensor([2, 0, 1, 0, 2]), LabelPropagation(2, 0.5)
    wanted = spread(g, labels)
    torch.testing.assert_close(spread(g, labels[:, None]), wanted)
    torch.testing.assert_close(spread(g, torch.eye(3)[labels]), wanted)
    mask = torch.tensor([True, False, True, False, False])
    torch.testing.assert_close(spread(g, labels, torch.tensor([0, 2])), spread(g, labels, mask))
    with pytest.raises(InvalidValueError, match=r"one row per node \(5\)"):
        spread(g, labels[:3])
    with pytest.raises(InvalidValueError, match="norm_type is one of"):
        LabelPropagation(2, 0.5, "none")
    with pytest.raises(InvalidValueError, match="alpha is a number from 0 to 1"):
        LabelPropagation(2, 1.5)
