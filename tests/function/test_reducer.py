"""Each built-in reduce function equals the user-defined function that its docstring shows."""

from __future__ import annotations

import inspect
import re

import pytest
import torch

import gossamer
from gossamer import function as fn
from gossamer.errors import InvalidTypeError
from helpers.compare import assert_tensor_equal, random_cotangent_grads
from helpers.graphs import graph_cases

NAMES = ("sum", "mean", "max", "min")


def _documented(name: str):
    text = " ".join(inspect.getdoc(getattr(fn, name)).split())
    source = re.search(r"Equals ``(lambda nodes: .*?)``", text).group(1)
    return eval(source, {"msg": "m", "out": "h"})


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("case", graph_cases("homogeneous") + graph_cases("bipartite"))
def test_equals_its_docstring(case, name: str) -> None:
    g = case()
    x = torch.randn(g.num_edges(), 3, dtype=torch.float64)

    def run(reduce):
        def call(x):
            with g.local_scope():
                g.edata["x"] = x
                g.update_all(fn.copy_e("x", "m"), reduce)
                # Without edges a user-defined function is never called.
                zeros = x.new_zeros(g.num_dst_nodes(), 3) + 0 * x.sum()
                return zeros + g.dstdata.get("h", 0)

        return random_cotangent_grads(call, [x])

    found, expected = run(getattr(fn, name)("m", "h")), run(_documented(name))
    torch.testing.assert_close(found, expected)
    isolated = g.in_degrees() == 0
    assert_tensor_equal(found[0][0][isolated], torch.zeros(int(isolated.sum()), 3).double())


@pytest.mark.parametrize("name", NAMES)
def test_name_and_repr(name: str) -> None:
    function = getattr(fn, name)("m", "h")
    assert isinstance(function, fn.ReduceFunction)
    assert (function.name, function.msg_field, function.out_field) == (name, "m", "h")
    assert repr(function) == f"{name}('m', 'h')"
    assert eval(repr(function), vars(fn)) == function
    assert list(inspect.signature(getattr(fn, name)).parameters) == ["msg", "out"]


@pytest.mark.parametrize("arguments", [(torch.ones(2), "h"), ("m", 1), ([1, 2], "h")], ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_something_else_than_names(name: str, arguments) -> None:
    """`from gossamer.function import sum` hides Python's: the message says so."""
    with pytest.raises(InvalidTypeError, match=rf"take names, got .*Did you mean torch\.{name}"):
        getattr(fn, name)(*arguments)


@pytest.mark.parametrize("reduce", ["sum", None, 3])
def test_no_function_at_all(reduce) -> None:
    g = gossamer.graph(([0], [1]))
    g.ndata["x"] = torch.ones(2)
    with pytest.raises(InvalidTypeError, match=r"reduce function must be a built-in .* got"):
        g.update_all(fn.copy_u("x", "m"), reduce)


def test_all_names_are_exported() -> None:
    assert set(NAMES) <= set(fn.__all__)
    for name in fn.__all__:
        assert getattr(fn, name).__module__.startswith("gossamer.function")
