"""The comparison helpers let equal things pass and name what differs."""

from __future__ import annotations

import pytest
import torch

import gossamer
from helpers.compare import (
    assert_close_to_truth,
    assert_graph_equal,
    assert_tensor_equal,
    random_cotangent_grads,
)


def _graph(u=(0, 1, 2), v=(1, 2, 0), num_nodes=3, idtype=torch.int64):
    return gossamer.graph((torch.tensor(u), torch.tensor(v)), num_nodes=num_nodes, idtype=idtype)


class TestGraphEqual:
    def test_equal(self) -> None:
        g, h = _graph(), _graph()
        g.ndata["x"] = torch.full((3, 2), torch.nan)
        h.ndata["x"] = torch.full((3, 2), torch.nan)
        g.create_formats_()
        assert_graph_equal(g, h)

    @pytest.mark.parametrize(
        ("other", "message"),
        [
            (lambda: _graph(v=(1, 0, 2)), "destinations of"),
            (lambda: _graph(u=(1, 0, 2), v=(2, 1, 0)), "sources of"),
            (lambda: _graph(num_nodes=4), "number of source nodes"),
            (lambda: _graph(idtype=torch.int32), "idtype"),
            (lambda: gossamer.batch([_graph((0,), (0,), 1), _graph((0, 1), (1, 0), 2)]), "batch"),
            (lambda: gossamer.create_block(([0], [0])), "node types"),
            (
                lambda: gossamer.heterograph({("a", "r", "a"): ([0, 1, 2], [1, 2, 0])}),
                "node types",
            ),
        ],
        ids=["order", "sources", "nodes", "idtype", "batch", "block", "schema"],
    )
    def test_different(self, other, message: str) -> None:
        with pytest.raises(AssertionError, match=message):
            assert_graph_equal(other(), _graph())

    def test_features(self) -> None:
        g, h = _graph(), _graph()
        g.ndata["x"], h.ndata["x"] = torch.zeros(3), torch.zeros(3)
        g.edata["w"], h.edata["w"] = torch.zeros(3), torch.tensor([0.0, 0.0, 1.0])
        assert_graph_equal(g, h, features=False)
        with pytest.raises(AssertionError, match="feature 'w' of edges"):
            assert_graph_equal(g, h)
        h.edata["v"] = h.edata.pop("w")
        with pytest.raises(AssertionError, match="feature names of edges"):
            assert_graph_equal(g, h)

    @pytest.mark.parametrize(
        ("damage", "message"),
        [
            (lambda ptr, idx, eid: (ptr.flip(0), idx, eid), "indptr starts at"),
            (lambda ptr, idx, eid: (ptr * 2, idx, eid), "indptr ends at"),
            (lambda ptr, idx, eid: (ptr[[0, 2, 1, 3]], idx, eid), "indptr descends"),
            (lambda ptr, idx, eid: (ptr, idx, eid * 0), "no permutation"),
            (lambda ptr, idx, eid: (ptr, idx.flip(0), eid), "neighbors by slot"),
            (lambda ptr, idx, eid: (ptr, idx, eid[[1, 0, 2]]), "rows by slot"),
            (lambda ptr, idx, eid: (ptr.int(), idx, eid), "indptr is torch.int32"),
        ],
    )
    def test_broken_formats(self, damage, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
        g, h = _graph(), _graph()
        whole = type(g).adj_tensors
        monkeypatch.setattr(
            type(g),
            "adj_tensors",
            lambda self, fmt, etype=None: (
                damage(*whole(self, fmt, etype)) if self is g else whole(self, fmt, etype)
            ),
        )
        with pytest.raises(AssertionError, match=message):
            assert_graph_equal(g, h)


def test_tensor_equal_is_strict_about_dtype_and_equates_nan() -> None:
    nan = torch.tensor([1.0, torch.nan])
    assert_tensor_equal(nan, nan.clone())
    with pytest.raises(AssertionError, match=r"scores: .*dtype"):
        assert_tensor_equal(nan, nan.double(), "scores")


class TestCloseToTruth:
    def test_torch_itself_passes(self) -> None:
        a, b = torch.randn(50, 40, dtype=torch.float64), torch.randn(40, dtype=torch.float64)
        for dtype in (torch.float32, torch.float16, torch.bfloat16):
            plain = a.to(dtype) @ b.to(dtype)
            assert_close_to_truth(plain, a.to(dtype).double() @ b.to(dtype).double(), plain)

    def test_three_times_the_error_fails(self) -> None:
        truth = torch.tensor([1.0, 2.0], dtype=torch.float64)
        plain = torch.tensor([1.001, 2.0])
        assert_close_to_truth(torch.tensor([1.0, 2.0015]), truth, plain)
        with pytest.raises(AssertionError, match=r"largest error 0.003 at \[1\]"):
            assert_close_to_truth(torch.tensor([1.0, 2.003]), truth, plain)

    def test_one_rounding_is_always_allowed(self) -> None:
        truth = torch.tensor([1.0], dtype=torch.float64)
        eps = torch.finfo(torch.float32).eps
        assert_close_to_truth(torch.tensor([1 + eps]), truth, torch.tensor([1.0]))
        with pytest.raises(AssertionError, match="torch's own is 0"):
            assert_close_to_truth(torch.tensor([1 + 3 * eps]), truth, torch.tensor([1.0]))

    def test_infinities_and_nan_must_agree(self) -> None:
        truth = torch.tensor([torch.inf, torch.nan, 1.0], dtype=torch.float64)
        assert_close_to_truth(truth.float(), truth, truth.float())
        with pytest.raises(AssertionError, match="where the truth is not finite"):
            assert_close_to_truth(torch.tensor([-torch.inf, torch.nan, 1.0]), truth, truth.float())
        with pytest.raises(AssertionError, match="not finite where the truth is"):
            assert_close_to_truth(
                torch.tensor([torch.inf, torch.nan, torch.nan]), truth, truth.float()
            )

    def test_shape_and_dtype_count(self) -> None:
        truth = torch.ones(2, dtype=torch.float64)
        with pytest.raises(AssertionError, match="shape"):
            assert_close_to_truth(torch.ones(2, 1), truth, torch.ones(2))
        with pytest.raises(AssertionError, match="float64, but torch gives"):
            assert_close_to_truth(truth, truth, truth.float())

    def test_nothing_to_compare(self) -> None:
        empty = torch.empty(0, 3)
        assert_close_to_truth(empty, empty.double(), empty)


class TestRandomCotangents:
    def test_gradients_follow_the_cotangent(self) -> None:
        x, n, unused = torch.randn(4, 3), torch.tensor([2, 0]), torch.randn(2)
        outputs, grads = random_cotangent_grads(lambda x, n, _: (x[n], x * 2), [x, n, unused])
        assert_tensor_equal(outputs[0], x[n])
        generator = torch.Generator().manual_seed(0)
        first = torch.randn(2, 3, generator=generator, dtype=torch.float64).float()
        second = torch.randn(4, 3, generator=generator, dtype=torch.float64).float()
        expected = 2 * second
        expected[n] += first
        assert_tensor_equal(grads[0], expected)
        assert grads[1] is None
        assert grads[2] is None
        assert not x.requires_grad

    def test_by_name(self) -> None:
        outputs, grads = random_cotangent_grads(lambda a, b: a * b, {"b": torch.ones(2), "a": 3})
        assert_tensor_equal(outputs[0], torch.full((2,), 3.0))
        assert list(grads) == ["b", "a"]
        assert grads["a"] is None
        assert grads["b"].abs().min() > 0

    def test_wrong_row_is_noticed(self) -> None:
        """What ones as cotangents would not notice."""
        x = torch.randn(3, 2)
        _, right = random_cotangent_grads(lambda x: x[[0, 1, 2]], [x])
        _, wrong = random_cotangent_grads(lambda x: x[[1, 0, 2]], [x])
        with pytest.raises(AssertionError, match="grad"):
            assert_tensor_equal(wrong[0], right[0], "grad")

    def test_without_gradient(self) -> None:
        with pytest.raises(AssertionError, match="no output requires a gradient"):
            random_cotangent_grads(lambda x: x.detach(), [torch.ones(1)])
