"""Methods of Graph that call functions have the functions' signatures."""

from __future__ import annotations

import importlib
import inspect

import pytest
import torch

import gossamer as gs
from gossamer.graph.methods.transforms import TransformMethods

METHODS = [name for name in vars(TransformMethods) if not name.startswith("_")]


@pytest.mark.parametrize("name", METHODS)
def test_signature_is_that_of_the_function(name: str) -> None:
    method = getattr(TransformMethods, name)
    target = inspect.getclosurevars(method).nonlocals
    function = getattr(importlib.import_module(f"gossamer.{target['package']}"), target["name"])

    def parameters(of: object) -> list[tuple]:
        found = list(inspect.signature(of).parameters.values())[1:]
        return [(p.name, p.kind, p.default) for p in found]

    assert parameters(method) == parameters(function)


def test_compiles_without_a_graph_break() -> None:
    g = gs.graph(([0, 1, 2], [1, 2, 0]))
    x = torch.randn(3, 2)
    compiled = torch.compile(
        lambda x: gs.ops.copy_u_sum(g.reverse(), x), backend="eager", fullgraph=True
    )
    assert torch.equal(compiled(x), gs.ops.copy_u_sum(g.reverse(), x))
