"""Options of the wrong kind: each is refused by name, with what came, whatever it is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import gossamer as gs
from gossamer import kernels, ops
from gossamer._options import flag, integer, require, shown
from gossamer.errors import InvalidTypeError, InvalidValueError

X = torch.ones(3, 2)
H = torch.ones(3, 2, 2)


def graph() -> gs.Graph:
    return gs.graph(([0, 1, 2], [1, 2, 0]))


NAMES = {
    "op of gspmm": lambda x: ops.gspmm(graph(), x, "sum", X, X),
    "reduce_op of gspmm": lambda x: ops.gspmm(graph(), "mul", x, X, X),
    "op of gsddmm": lambda x: ops.gsddmm(graph(), x, X, X),
    "lhs_target of gsddmm": lambda x: ops.gsddmm(graph(), "mul", X, X, x, "v"),
    "rhs_target of gsddmm": lambda x: ops.gsddmm(graph(), "mul", X, X, "u", x),
    "norm_by of edge_softmax": lambda x: ops.edge_softmax(graph(), X, norm_by=x),
    "reducer of segment_reduce": lambda x: ops.segment_reduce(torch.tensor([3]), X, x),
    "score of graph_attention": lambda x: ops.graph_attention(graph(), H, H, H, x),
    "name of kernels.use": lambda x: kernels.use(x).__enter__(),
    "aggregator_type of SAGEConv": lambda x: gs.nn.SAGEConv(2, 2, x),
    "aggregator_type of GINConv": lambda x: gs.nn.GINConv(None, x),
    "norm of GraphConv": lambda x: gs.nn.GraphConv(2, 2, norm=x),
    "norm of EdgeWeightNorm": lambda x: gs.nn.EdgeWeightNorm(norm=x),
}
NUMBERS = {
    "negative_slope of graph_attention": lambda x: ops.graph_attention(
        graph(), H, H, H, negative_slope=x
    ),
    "dropout of graph_attention": lambda x: ops.graph_attention(graph(), H, H, H, dropout=x),
    "feat_drop of SAGEConv": lambda x: gs.nn.SAGEConv(2, 2, "mean", feat_drop=x),
    "feat_drop of GATConv": lambda x: gs.nn.GATConv(2, 2, 2, feat_drop=x),
    "attn_drop of GATv2Conv": lambda x: gs.nn.GATv2Conv(2, 2, 2, attn_drop=x),
    "negative_slope of GATv2Conv": lambda x: gs.nn.GATv2Conv(2, 2, 2, negative_slope=x),
    "init_eps of GINConv": lambda x: gs.nn.GINConv(init_eps=x),
    "eps of EdgeWeightNorm": lambda x: gs.nn.EdgeWeightNorm(eps=x),
}
SIZES = {
    "in_feats of GraphConv": lambda x: gs.nn.GraphConv(x, 2),
    "out_feats of GraphConv": lambda x: gs.nn.GraphConv(2, x),
    "in_feats of SAGEConv": lambda x: gs.nn.SAGEConv((2, x), 2, "mean"),
    "out_feats of GATConv": lambda x: gs.nn.GATConv(2, x, 2),
    "num_heads of GATv2Conv": lambda x: gs.nn.GATv2Conv(2, 2, x),
}
FUNCTIONS = {
    "activation of GraphConv": lambda x: gs.nn.GraphConv(2, 2, activation=x),
    "activation of GATConv": lambda x: gs.nn.GATConv(2, 2, 2, activation=x),
    "norm of SAGEConv": lambda x: gs.nn.SAGEConv(2, 2, "mean", norm=x),
    "apply_func of GINConv": lambda x: gs.nn.GINConv(x),
}
NO_NAME = [np.array(["sum", "mean"]), np.array("sum"), X, None, ["sum"], b"sum", {}, 3, "none of"]
NO_NUMBER = [np.array([1.0, 2.0]), np.array("sum"), X, None, [1.0], b"1", {}, "1", True]
NO_SIZE = [np.array([1, 2]), X, torch.tensor(1.5), None, [2], b"2", {}, "2", 2.0, True]
NO_FUNCTION = [np.array([1.0]), X, ["relu"], "relu", 3]


@pytest.mark.parametrize("wrong", NO_NAME, ids=shown)
@pytest.mark.parametrize("option", NAMES)
def test_names(option: str, wrong: Any) -> None:
    with pytest.raises(InvalidValueError, match=f"{_opening(option)} is one of .*got ") as caught:
        NAMES[option](wrong)
    assert str(caught.value).endswith(f"got {shown(wrong)}.")


@pytest.mark.parametrize("wrong", NO_NUMBER, ids=shown)
@pytest.mark.parametrize("option", NUMBERS)
def test_numbers(option: str, wrong: Any) -> None:
    with pytest.raises(InvalidTypeError, match=f"{_opening(option)} is a number, got ") as caught:
        NUMBERS[option](wrong)
    assert str(caught.value).endswith(f"got {shown(wrong)}.")


@pytest.mark.parametrize("option", NUMBERS)
def test_numbers_without_a_meaning(option: str) -> None:
    with pytest.raises(InvalidValueError, match=f"{_opening(option)} (must be finite|is a number)"):
        NUMBERS[option](float("nan"))


@pytest.mark.parametrize("wrong", NO_SIZE, ids=shown)
@pytest.mark.parametrize("option", SIZES)
def test_sizes(option: str, wrong: Any) -> None:
    with pytest.raises(InvalidTypeError, match=f"{_opening(option)} is an int, got ") as caught:
        SIZES[option](wrong)
    assert str(caught.value).endswith(f"got {shown(wrong)}.")


@pytest.mark.parametrize("option", SIZES)
def test_sizes_out_of_range(option: str) -> None:
    with pytest.raises(InvalidValueError, match=f"{_opening(option)} is at least 0, got -1"):
        SIZES[option](-1)
    with pytest.raises(InvalidValueError, match=f"{_opening(option)} does not fit 64 bits"):
        SIZES[option](2**70)


@pytest.mark.parametrize("wrong", NO_FUNCTION, ids=shown)
@pytest.mark.parametrize("option", FUNCTIONS)
def test_functions(option: str, wrong: Any) -> None:
    with pytest.raises(InvalidTypeError, match=f"{_opening(option)} is a function or None, got "):
        FUNCTIONS[option](wrong)


def test_classes() -> None:
    require(X, torch.Tensor, "f", "x")
    require(3, (str, int), "f", "x")
    with pytest.raises(InvalidTypeError, match=r"^f: x must be a Tensor, got list\.$"):
        require([1], torch.Tensor, "f", "x")
    with pytest.raises(
        InvalidTypeError, match=r"^f: x must be an int or str, got list\. Give one\.$"
    ):
        require([1], (int, str), "f", "x", "Give one.")


@pytest.mark.parametrize("value", [True, 1, np.True_, np.int64(1)])
def test_flags(value: Any) -> None:
    assert flag(value, "f", "x") is True
    with pytest.raises(InvalidTypeError, match=r"^f: x must be True or False, got 2\.$"):
        flag(2, "f", "x")


def test_a_pair_of_sizes() -> None:
    with pytest.raises(InvalidValueError, match=r"SAGEConv: in_feats is a size, .* got \(1, 2, 3"):
        gs.nn.SAGEConv((1, 2, 3), 2, "mean")


def test_numbers_of_other_libraries_are_taken() -> None:
    """A number of classes often comes as a tensor: ``labels.max() + 1``."""
    assert gs.nn.GraphConv(np.int64(2), torch.tensor(3)).weight.shape == (2, 3)
    assert gs.nn.GINConv(init_eps=np.float32(0.5))._init_eps == 0.5
    out = ops.graph_attention(graph(), H, H, H, negative_slope=torch.tensor(0.5))
    assert torch.equal(out, ops.graph_attention(graph(), H, H, H, negative_slope=0.5))


def test_pooling_takes_a_graph() -> None:
    with pytest.raises(InvalidTypeError, match="SumPooling takes a graph, got list"):
        gs.nn.SumPooling()([1], X)


def _opening(option: str) -> str:
    argument, _, owner = option.partition(" of ")
    return f"{owner}: {argument}"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (3, 3),
        (np.int32(3), 3),
        (np.array([3]), 3),
        (torch.tensor(3), 3),
        (torch.tensor([3], dtype=torch.uint8), 3),
        (True, None),
        (np.bool_(True), None),
        (torch.tensor(True), None),
        (3.0, None),
        (np.array(3.0), None),
        (torch.tensor([3, 4]), None),
        (torch.tensor([]), None),
        ("3", None),
        ([3], None),
        (None, None),
    ],
)
def test_integers(value: object, expected: int | None) -> None:
    found = integer(value)
    assert found == expected
    assert type(found) is type(expected)
