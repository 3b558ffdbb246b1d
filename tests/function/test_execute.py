"""Rounds of message passing: which path they take, and what they refuse."""

from __future__ import annotations

import pytest
import torch

import gossamer
from gossamer import function as fn
from gossamer import ops
from gossamer.errors import InvalidTypeError, InvalidValueError
from helpers.compare import assert_tensor_equal


def _graph():
    g = gossamer.graph(([4, 0, 3, 0, 1, 4], [1, 2, 1, 2, 1, 4]), num_nodes=6)
    g.ndata["h"] = torch.randn(6, 3)
    g.edata["w"] = torch.randn(6, 3)
    return g


def _copy(edges):
    return {"m": edges.src["h"]}


@pytest.fixture
def calls(monkeypatch):
    """The names of the operators that run."""
    seen: list[str] = []
    for name in ("gspmm", "gsddmm"):
        original = getattr(ops, name)

        def spy(*args, name=name, original=original):
            seen.append(name)
            return original(*args)

        monkeypatch.setattr(ops, name, spy)
    return seen


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (fn.copy_u("h", "m"), ["gspmm"]),
        (fn.copy_e("w", "m"), ["gspmm"]),
        (fn.u_mul_e("h", "w", "m"), ["gspmm"]),
        (fn.u_div_e("h", "w", "m"), ["gspmm"]),
        (fn.e_add_u("w", "h", "m"), ["gspmm"]),
        (fn.e_sub_u("w", "h", "m"), ["gsddmm", "gspmm"]),
        (fn.u_dot_e("h", "w", "m"), ["gsddmm", "gspmm"]),
        (fn.u_add_v("h", "h", "m"), ["gsddmm", "gspmm"]),
        (_copy, ["gspmm"]),
    ],
    ids=lambda value: getattr(value, "__name__", None) or str(value),
)
def test_no_message_is_made_where_an_operator_needs_none(calls, message, expected) -> None:
    _graph().update_all(message, fn.sum("m", "out"))
    assert calls == expected


def test_a_feature_of_the_edges_is_sent_without_a_copy(calls) -> None:
    g = _graph()
    g.update_all(fn.copy_e("w", "m"), lambda nodes: {"out": nodes.mailbox["m"].sum(1)})
    assert calls == []
    torch.testing.assert_close(g.ndata["out"], ops.copy_e_sum(g, g.edata["w"]))


def test_only_the_result_is_left_behind() -> None:
    g = _graph()
    g.update_all(fn.u_mul_e("h", "w", "m"), fn.sum("m", "out"))
    assert list(g.ndata) == ["h", "out"]
    assert list(g.edata) == ["w"]


def test_the_result_may_replace_what_it_is_made_of() -> None:
    g = _graph()
    expected = ops.copy_u_sum(g, g.ndata["h"])
    g.update_all(fn.copy_u("h", "h"), fn.sum("h", "h"))
    assert_tensor_equal(g.ndata["h"], expected)


def test_several_results_at_once() -> None:
    g = _graph()
    g.update_all(
        lambda edges: {"m": edges.src["h"], "n": edges.data["w"]},
        lambda nodes: {"a": nodes.mailbox["m"].sum(1), "b": nodes.mailbox["n"].amax(1)},
        lambda nodes: {**nodes.data, "c": nodes.data["a"] + nodes.data["b"]},
    )
    a, b = ops.copy_u_sum(g, g.ndata["h"]), ops.copy_e_max(g, g.edata["w"])
    torch.testing.assert_close(g.ndata["a"], a)
    torch.testing.assert_close(g.ndata["b"], b)
    torch.testing.assert_close(g.ndata["c"], a + b)


@pytest.mark.parametrize("nodes", [0, 3])
def test_without_edges_no_function_is_called_for_nodes(nodes) -> None:
    g = gossamer.graph(([], []), num_nodes=nodes)
    g.ndata["h"] = torch.ones(nodes, 2)

    def fail(batch):
        raise AssertionError("there is no message to reduce")

    g.update_all(fn.copy_u("h", "m"), fail)
    assert list(g.ndata) == ["h"]
    g.update_all(fn.copy_u("h", "m"), fn.max("m", "out"))
    assert_tensor_equal(g.ndata["out"], torch.zeros(nodes, 2))
    g.apply_edges(lambda edges: {"m": edges.src["h"] * 2})
    assert g.edata["m"].shape == (0, 2)


class TestWrongResults:
    """What a user-defined function must not return."""

    @pytest.mark.parametrize(
        ("result", "error", "text"),
        [
            (lambda x: x, InvalidTypeError, r"returns a dict from .* got Tensor"),
            (lambda x: None, InvalidTypeError, r"returns a dict from .* got NoneType"),
            (lambda x: {"m": x[:0]}, InvalidValueError, r"gave \(0, 3\) for 'm'; expected .* rows"),
            (lambda x: {"m": x.sum()}, InvalidValueError, r"gave \(\) for 'm'; expected a tensor"),
            (lambda x: {"m": 3.0}, InvalidValueError, "gave float for 'm'; expected a tensor"),
            (lambda x: {"m": x.tolist()}, InvalidValueError, "gave list for 'm'"),
            (lambda x: {1: x}, InvalidTypeError, "gave the name 1; a feature name is a str"),
            (lambda x: {"m": x.to("meta")}, InvalidValueError, "gave 'm' on meta but the graph is"),
        ],
    )
    def test_every_function(self, result, error, text) -> None:
        g = _graph()
        with pytest.raises(error, match=rf"(The|A) message function {text}"):
            g.update_all(lambda edges: result(edges.src["h"]), fn.sum("m", "out"))
        with pytest.raises(error, match=rf"(The|A) message function {text}"):
            g.apply_edges(lambda edges: result(edges.src["h"]))
        with pytest.raises(error, match=rf"(The|A) reduce function {text}"):
            g.update_all(_copy, lambda nodes: result(nodes.mailbox["m"].sum(1)))
        with pytest.raises(error, match=rf"(The|A) apply function {text}"):
            g.apply_nodes(lambda nodes: result(nodes.data["h"]))
        assert list(g.ndata) == ["h"]
        assert list(g.edata) == ["w"]

    def test_names_that_change_with_the_degree(self) -> None:
        g = _graph()
        with pytest.raises(InvalidValueError, match="must give the same for every number"):
            g.update_all(
                _copy, lambda nodes: {f"out{nodes.mailbox['m'].shape[1]}": nodes.data["h"]}
            )

    def test_shapes_and_dtypes_that_change_with_the_degree(self) -> None:
        g = _graph()
        with pytest.raises(InvalidValueError, match=r"'out': \(\(1, 3\), torch\.float32\)"):
            g.update_all(_copy, lambda nodes: {"out": nodes.mailbox["m"]})

        def reduce(nodes):
            total = nodes.mailbox["m"].sum(1)
            return {"out": total.double() if nodes.mailbox["m"].shape[1] > 1 else total}

        with pytest.raises(InvalidValueError, match=r"torch\.float32.* and then .*torch\.float64"):
            g.update_all(_copy, reduce)

    def test_an_error_inside_a_function_comes_through(self) -> None:
        with pytest.raises(ZeroDivisionError):
            _graph().update_all(lambda edges: 1 / 0, fn.sum("m", "out"))


def test_ready_made_message_tensors_of_any_kind_are_reduced() -> None:
    g = _graph()
    g.update_all(lambda edges: {"m": torch.ones(6, dtype=torch.int64)}, fn.sum("m", "degree"))
    assert_tensor_equal(g.ndata["degree"], g.in_degrees())
