"""Each built-in message function equals the user-defined function that its docstring shows."""

from __future__ import annotations

import inspect
import re

import pytest
import torch

import gossamer
from gossamer import function as fn
from gossamer.errors import GossamerError, InvalidTypeError, InvalidValueError, UnknownKeyError
from helpers.compare import assert_tensor_equal, random_cotangent_grads
from helpers.graphs import graph_cases

REDUCERS = ("max", "mean", "min", "sum")
NAMES = [
    name
    for name in fn.__all__
    if name not in ("MessageFunction", "ReduceFunction") and name not in REDUCERS
]
FIELDS = {"u": "x", "v": "y", "e": "w"}


def _targets(name: str) -> list[str]:
    """The operands that a name tells: u_add_v -> u, v."""
    return [part for part in name.split("_") if part in FIELDS]


def _make(name: str, out: str = "m") -> fn.MessageFunction:
    return getattr(fn, name)(*(FIELDS[target] for target in _targets(name)), out)


def _documented(name: str):
    """The function in the docstring, as Python makes it."""
    text = " ".join(inspect.getdoc(getattr(fn, name)).split())
    source = re.search(r"Equals ``(lambda edges: .*?)``", text).group(1)
    parameters = list(inspect.signature(getattr(fn, name)).parameters)
    given = dict(zip(parameters, [*(FIELDS[t] for t in _targets(name)), "m"], strict=True))
    return eval(source, given)


def _graph(case=None, feature=(2, 3)):
    if case is None:
        g = gossamer.graph(([4, 0, 3, 0, 1, 4, 2], [1, 2, 1, 2, 1, 4, 2]), num_nodes=6)
    else:
        g = case()
    g.srcdata["x"] = torch.rand(g.num_src_nodes(), *feature, dtype=torch.float64) + 0.5
    g.dstdata["y"] = torch.rand(g.num_dst_nodes(), *feature, dtype=torch.float64) + 0.5
    g.edata["w"] = torch.rand(g.num_edges(), *feature, dtype=torch.float64) + 0.5
    return g


def _run(g, how, message, *reduce):
    """What `how` gives under the name ``out``, and its gradient to every feature."""
    inputs = {"x": g.srcdata["x"], "y": g.dstdata["y"], "w": g.edata["w"]}

    def call(x, y, w):
        with g.local_scope():
            g.srcdata["x"], g.dstdata["y"], g.edata["w"] = x, y, w
            getattr(g, how)(message, *reduce)
            # Whatever takes no part still counts, with a gradient of 0.
            unused = 0 * (x.sum() + y.sum() + w.sum())
            return unused + (g.edata["m"] if how == "apply_edges" else g.dstdata["out"])

    return random_cotangent_grads(call, inputs)


def test_there_is_one_for_each_combination() -> None:
    expected = {
        f"{x}_{op}_{y}"
        for op in ("add", "sub", "mul", "div", "dot")
        for x in "uve"
        for y in "uve"
        if x != y
    }
    assert set(NAMES) == expected | {"copy_u", "copy_e"}


@pytest.mark.parametrize("name", NAMES)
def test_equals_its_docstring_on_edges(name: str) -> None:
    g = _graph()
    torch.testing.assert_close(
        _run(g, "apply_edges", _make(name)), _run(g, "apply_edges", _documented(name))
    )


@pytest.mark.parametrize("reducer", REDUCERS)
@pytest.mark.parametrize("name", NAMES)
def test_fused_equals_message_by_message(name: str, reducer: str) -> None:
    """The same round three times: built-in functions, a built-in reducer, neither."""
    g = _graph()
    reduce = getattr(fn, reducer)("m", "out")
    fused = _run(g, "update_all", _make(name), reduce)
    halfway = _run(g, "update_all", _documented(name), reduce)
    torch.testing.assert_close(fused, halfway)

    def by_hand(nodes):
        value = nodes.mailbox["m"]
        if reducer in ("max", "min"):
            return {"out": getattr(value, "a" + reducer)(1)}
        return {"out": getattr(value, reducer)(1)}

    torch.testing.assert_close(fused[0], _run(g, "update_all", _documented(name), by_hand)[0])
    if reducer in ("sum", "mean"):  # amax shares the gradient of a tie, and edges may occur twice
        torch.testing.assert_close(fused, _run(g, "update_all", _documented(name), by_hand))


@pytest.mark.parametrize("name", ["copy_u", "copy_e", "u_mul_e", "e_sub_u", "v_div_e", "u_dot_v"])
@pytest.mark.parametrize(
    "case", graph_cases("homogeneous") + graph_cases("bipartite") + graph_cases("block")
)
def test_graph_cases(case, name: str) -> None:
    g = _graph(case)
    if g.is_homogeneous and name == "copy_u":
        assert g.srcdata["x"] is g.ndata["x"]
    torch.testing.assert_close(
        _run(g, "apply_edges", _make(name)), _run(g, "apply_edges", _documented(name))
    )
    for reducer in REDUCERS:
        reduce = getattr(fn, reducer)("m", "out")
        torch.testing.assert_close(
            _run(g, "update_all", _make(name), reduce),
            _run(g, "update_all", _documented(name), reduce),
        )


def test_an_edge_feature_comes_back_as_it_is() -> None:
    g = _graph()
    g.apply_edges(fn.copy_e("w", "m"))
    assert_tensor_equal(g.edata["m"], g.edata["w"])


def test_the_feature_that_is_copied() -> None:
    assert fn.copy_u("x", "m").in_field == "x"
    assert fn.copy_e("w", "m").in_field == "w"
    with pytest.raises(AttributeError, match="lhs_field and rhs_field"):
        _ = fn.u_add_v("x", "x", "m").in_field


@pytest.mark.parametrize("name", NAMES)
def test_name_and_repr(name: str) -> None:
    function = _make(name)
    assert function.name == name
    assert isinstance(function, fn.MessageFunction)
    fields = [FIELDS[target] for target in _targets(name)]
    assert repr(function) == f"{name}({', '.join(repr(field) for field in [*fields, 'm'])})"
    # What is printed makes the same function again.
    assert eval(repr(function), vars(fn)) == function
    assert hash(eval(repr(function), vars(fn))) == hash(function)


def test_arguments_have_dgls_names() -> None:
    assert list(inspect.signature(fn.copy_u).parameters) == ["u", "out"]
    assert list(inspect.signature(fn.copy_e).parameters) == ["e", "out"]
    for name in set(NAMES) - {"copy_u", "copy_e"}:
        parameters = list(inspect.signature(getattr(fn, name)).parameters)
        assert parameters == ["lhs_field", "rhs_field", "out"]


@pytest.mark.parametrize("position", [0, 1, 2])
def test_a_tensor_in_place_of_a_name(position: int) -> None:
    arguments: list = ["x", "w", "m"]
    arguments[position] = torch.ones(2)
    with pytest.raises(InvalidTypeError, match=r"take feature names, got tensor.*Store the tensor"):
        fn.u_mul_e(*arguments)


@pytest.mark.parametrize(
    ("message", "error", "text"),
    [
        (fn.copy_u("nope", "m"), UnknownKeyError, "no node feature 'nope'; there are .*'x'"),
        (fn.u_mul_e("x", "nope", "m"), UnknownKeyError, r"no edge feature 'nope'.*g\.edata"),
        (fn.u_add_v("x", "nope", "m"), UnknownKeyError, "no node feature 'nope'"),
        (lambda edges: {"m": edges.src["nope"]}, UnknownKeyError, "no node feature 'nope'"),
        (lambda edges: {"m": edges.data["nope"]}, UnknownKeyError, "no edge feature 'nope'"),
        (fn.copy_u("x", "other"), InvalidValueError, "sends 'other' but .* reads 'm'.* same name"),
        (
            lambda edges: {"other": edges.src["x"]},
            InvalidValueError,
            r"reads message 'm', but the message function sends \['other'\]",
        ),
        (fn.u_mul_e("x", "bool", "m"), InvalidTypeError, r"float64 and torch\.bool"),
        (fn.copy_e("complex", "m"), InvalidTypeError, r"edge operand is torch\.complex64"),
        (fn.u_mul_e("x", "wide", "m"), InvalidValueError, r"shapes \(2, 3\) and \(1, 4\) must"),
        (fn.u_dot_e("x", "wide", "m"), InvalidValueError, "must share their last dimension"),
        (fn.u_mul_e("x", "half", "m"), InvalidTypeError, "float64 and torch.float16"),
        ("copy_u", InvalidTypeError, r"message function must be a built-in .* got str: 'copy_u'"),
        (None, InvalidTypeError, "message function must be a built-in .* got NoneType"),
    ],
)
def test_bad_messages(message, error, text) -> None:
    g = _graph()
    g.edata["bool"] = torch.ones(7, dtype=torch.bool)
    g.edata["complex"] = torch.ones(7, dtype=torch.complex64)
    g.edata["wide"] = torch.ones(7, 4, dtype=torch.float64)
    g.edata["half"] = torch.ones(7, 3, dtype=torch.float16)
    with pytest.raises(error, match=text):
        g.update_all(message, fn.sum("m", "out"))
    assert "out" not in g.ndata
    assert issubclass(error, GossamerError)
