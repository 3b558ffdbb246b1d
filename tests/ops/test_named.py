"""Each named operator does what its name says."""

from __future__ import annotations

import inspect
import re

import pytest
import torch

from gossamer import ops
from helpers.compare import assert_tensor_equal
from ops import oracle

NAMES = sorted(set(ops.__all__) & set(ops.named.__all__))
_OPS = "add|sub|mul|div|dot"


def test_every_combination_has_a_name() -> None:
    binary = _OPS.split("|")
    reducers = ("sum", "mean", "max", "min")
    expected = {f"{x}_{op}_{y}" for op in binary for x in "uve" for y in "uve" if x != y}
    expected |= {f"u_{op}_e_{r}" for op in binary[:-1] for r in reducers}
    expected |= {f"copy_{x}_{r}" for x in "ue" for r in reducers}
    assert set(NAMES) == expected | {"copy_u", "copy_v"}


@pytest.mark.parametrize("name", NAMES)
def test_named_operator(name: str) -> None:
    """The oracle takes the name apart."""
    g = oracle.lopsided()
    operator = getattr(ops, name)
    assert operator.__name__ == name
    copy = re.fullmatch(r"copy_([uve])(?:_(\w+))?", name)
    if copy:
        target, reducer = copy.groups()
        x = oracle.operand(g, target, (2, 3))
        expected = oracle.on_edges(g, x, target, 3)
        found = operator(g, x)
    else:
        left, op, right, reducer = re.fullmatch(
            rf"([uve])_({_OPS})_([uve])(?:_(\w+))?", name
        ).groups()
        x, y = oracle.operand(g, left, (2, 3)), oracle.operand(g, right, (2, 3))
        expected = oracle.combine(g, op, x, y, left, right)
        found = operator(g, x, y)
    if reducer:
        expected = oracle.reduce(expected, g.edges(order="eid")[1], 5, reducer)
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("name", NAMES)
def test_docstring_and_signature(name: str) -> None:
    operator = getattr(ops, name)
    assert len(inspect.getdoc(operator)) > 20
    parameters = list(inspect.signature(operator).parameters)
    assert parameters == (["g", "x"] if name.startswith("copy") else ["g", "x", "y"])


def test_an_adjacency_serves_as_a_graph() -> None:
    g = oracle.lopsided()
    x = torch.randn(3, 2)
    assert_tensor_equal(ops.copy_u_sum(g.adjacency, x), ops.copy_u_sum(g, x))
