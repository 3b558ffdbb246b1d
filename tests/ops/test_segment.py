"""segment_reduce, segment_mm and gather_mm against loops over the segments."""

from __future__ import annotations

import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck

from gossamer import ops
from gossamer.errors import InvalidTypeError, InvalidValueError, OutOfRangeError
from helpers.compare import assert_tensor_equal, random_cotangent_grads
from ops import oracle

REDUCERS = ("sum", "mean", "max", "min")
FLOATS = (torch.float32, torch.float64, torch.bfloat16, torch.float16)
LENGTHS = [[2, 0, 3, 1], [6], [0, 0, 6, 0], [1] * 6]


def _segments(lengths, x, reducer):
    owner = torch.repeat_interleave(torch.arange(len(lengths)), lengths.long())
    return oracle.reduce(x, owner, len(lengths), reducer)


class TestSegmentReduce:
    @pytest.mark.parametrize("dtype", FLOATS, ids=str)
    @pytest.mark.parametrize("reducer", REDUCERS)
    @pytest.mark.parametrize("shape", [(), (4,), (2, 3), (0,)], ids=str)
    def test_values_and_gradient(self, shape, reducer, dtype) -> None:
        lengths = torch.randint(0, 9, (40,))
        x = torch.randn(int(lengths.sum()), *shape).to(dtype)

        def run(function, dtype):
            out, grads = random_cotangent_grads(
                lambda x: function(lengths, x, reducer), [x.to(dtype)]
            )
            return (*out, *grads)

        oracle.assert_agrees(
            ("output", "gradient"),
            run(ops.segment_reduce, dtype),
            run(_segments, torch.float64),
            run(_segments, dtype),
        )

    @pytest.mark.parametrize("lengths", LENGTHS, ids=str)
    @pytest.mark.parametrize("reducer", REDUCERS)
    def test_gradcheck(self, reducer, lengths) -> None:
        lengths = torch.tensor(lengths, dtype=torch.int32)
        x = torch.randn(6, 2, dtype=torch.float64, requires_grad=True)
        assert gradcheck(lambda x: ops.segment_reduce(lengths, x, reducer), x)
        assert gradgradcheck(lambda x: ops.segment_reduce(lengths, x, reducer), x)

    @pytest.mark.parametrize("reducer", REDUCERS)
    def test_nothing_to_reduce(self, reducer) -> None:
        none = torch.zeros(0, dtype=torch.int64)
        assert ops.segment_reduce(none, torch.zeros(0, 3), reducer).shape == (0, 3)
        zeros = ops.segment_reduce(torch.tensor([0, 0]), torch.zeros(0, 3), reducer)
        assert_tensor_equal(zeros, torch.zeros(2, 3))

    def test_layout_and_integers(self) -> None:
        lengths = torch.tensor([1, 9, 2, 9, 3])[::2]
        x = torch.arange(12).reshape(2, 6).t()
        out = ops.segment_reduce(lengths, x, "sum")
        assert out.tolist() == [[0, 6], [3, 15], [12, 30]]
        assert out.dtype == torch.int64

    @pytest.mark.parametrize("dtype", [torch.uint8, torch.int8, torch.bool], ids=str)
    def test_sums_of_small_integers_do_not_wrap_around(self, dtype) -> None:
        ones = torch.ones(300, 1, dtype=dtype)
        assert_tensor_equal(ops.segment_reduce(torch.tensor([300]), ones), torch.tensor([[300]]))
        assert ops.segment_reduce(torch.tensor([300]), ones, "mean").tolist() == [[1.0]]
        if dtype is not torch.bool:
            kept = ops.segment_reduce(torch.tensor([300]), ones, "max")
            assert_tensor_equal(kept, torch.ones(1, 1, dtype=dtype))

    @pytest.mark.parametrize(
        ("lengths", "value", "error", "message"),
        [
            ([2, 3], torch.ones(6), InvalidValueError, "add up to 5, but value has 6 rows"),
            ([7, -1], torch.ones(6), InvalidValueError, "cannot be negative, got -1"),
            (
                [2**62, 2**62, 2**62, 2**62 + 6],
                torch.ones(6),
                InvalidValueError,
                "longer than value",
            ),
            ([[6]], torch.ones(6), InvalidValueError, r"one-dimensional, got shape \(1, 1\)"),
            ([6], torch.tensor(1.0), InvalidTypeError, "must be a tensor with rows"),
            ([6], [1.0] * 6, InvalidTypeError, "must be a tensor with rows"),
            ([6.0], torch.ones(6), InvalidTypeError, "int32 or int64 tensor"),
            ([6], torch.ones(6, device="meta"), InvalidValueError, "on cpu but value is on meta"),
            ([6], torch.ones(6, dtype=torch.complex64), InvalidTypeError, r"torch\.complex64"),
            ([6], torch.ones(6, dtype=torch.complex64), InvalidTypeError, r"torch\.complex64"),
        ],
    )
    def test_bad_input(self, lengths, value, error, message) -> None:
        with pytest.raises(error, match=message):
            ops.segment_reduce(torch.tensor(lengths), value)

    def test_unknown_reducer(self) -> None:
        with pytest.raises(InvalidValueError, match=r"one of \['sum'.*got 'prod'"):
            ops.segment_reduce(torch.tensor([2]), torch.ones(2), "prod")


def _matmul_by_segment(a, b, lengths):
    parts = a.split(lengths.tolist())
    return torch.cat([part @ b[i] for i, part in enumerate(parts)])


def _matmul_by_row(a, b, idx):
    return torch.stack([a[i] @ b[j] for i, j in enumerate(idx.tolist())])


class TestGroupedProducts:
    @pytest.mark.parametrize("dtype", FLOATS, ids=str)
    def test_segment_mm(self, dtype) -> None:
        lengths = torch.tensor([5, 0, 12, 1])
        a, b = torch.randn(18, 6).to(dtype), torch.randn(4, 6, 3).to(dtype)

        def run(function, dtype):
            out, grads = random_cotangent_grads(
                lambda a, b: function(a, b, lengths), [a.to(dtype), b.to(dtype)]
            )
            return (*out, *grads)

        oracle.assert_agrees(
            ("output", "gradient of a", "gradient of b"),
            run(ops.segment_mm, dtype),
            run(_matmul_by_segment, torch.float64),
            run(_matmul_by_segment, dtype),
        )

    @pytest.mark.parametrize("dtype", FLOATS, ids=str)
    @pytest.mark.parametrize("idtype", [torch.int32, torch.int64], ids=str)
    def test_gather_mm(self, idtype, dtype) -> None:
        idx = torch.tensor([3, 0, 0, 2, 3, 0, 2, 2, 3], dtype=idtype)
        a, b = torch.randn(9, 6).to(dtype), torch.randn(4, 6, 3).to(dtype)

        def run(function, dtype):
            out, grads = random_cotangent_grads(function, [a.to(dtype), b.to(dtype)])
            return (*out, *grads)

        oracle.assert_agrees(
            ("output", "gradient of a", "gradient of b"),
            run(lambda a, b: ops.gather_mm(a, b, idx_b=idx), dtype),
            run(lambda a, b: _matmul_by_row(a, b, idx), torch.float64),
            run(lambda a, b: _matmul_by_row(a, b, idx), dtype),
        )

    @pytest.mark.parametrize("dtype", FLOATS, ids=str)
    def test_gather_mm_without_a_gradient(self, dtype) -> None:
        idx = torch.tensor([3, 0, 0, 2, 3, 0, 2, 2, 3])
        b = torch.randn(4, 6, 3).to(dtype)
        for a in (torch.randn(9, 6).to(dtype), torch.randn(6, 9).to(dtype).t()):
            oracle.assert_agrees(
                ("output",),
                (ops.gather_mm(a, b, idx_b=idx),),
                (_matmul_by_row(a.double(), b.double(), idx),),
                (_matmul_by_row(a, b, idx),),
            )

    def test_integers(self) -> None:
        idx, lengths = torch.tensor([1, 0, 1]), torch.tensor([2, 1])
        a = torch.full((3, 2), 100, dtype=torch.uint8)
        b = torch.full((2, 2, 2), 100, dtype=torch.uint8)
        assert ops.gather_mm(a, b, idx_b=idx).unique().tolist() == [20_000]
        assert ops.segment_mm(a, b, lengths).unique().tolist() == [20_000]
        a, b = torch.arange(6).reshape(3, 2), torch.arange(8).reshape(2, 2, 2)
        assert_tensor_equal(ops.gather_mm(a, b, idx_b=idx), _matmul_by_row(a, b, idx))
        assert_tensor_equal(ops.segment_mm(a, b, lengths), _matmul_by_segment(a, b, lengths))

    def test_gradcheck(self) -> None:
        lengths, idx = torch.tensor([2, 0, 3]), torch.tensor([2, 0, 2, 2, 0])
        a = torch.randn(5, 3, dtype=torch.float64, requires_grad=True)
        b = torch.randn(3, 3, 2, dtype=torch.float64, requires_grad=True)
        for run in (
            lambda a, b: ops.segment_mm(a, b, lengths),
            lambda a, b: ops.gather_mm(a, b, idx_b=idx),
        ):
            assert gradcheck(run, (a, b))
            assert gradgradcheck(run, (a, b))

    def test_nothing_to_multiply(self) -> None:
        none = torch.zeros(0, dtype=torch.int64)
        for rows, matrices in ((0, 0), (0, 2)):
            a = torch.zeros(rows, 3, requires_grad=True)
            b = torch.zeros(matrices, 3, 2, requires_grad=True)
            lengths = torch.zeros(matrices, dtype=torch.int64)
            for out in (ops.segment_mm(a, b, lengths), ops.gather_mm(a, b, idx_b=none)):
                assert out.shape == (0, 2)
                grads = torch.autograd.grad(out, (a, b), torch.zeros(0, 2))
                assert [x.shape for x in grads] == [a.shape, b.shape]

    def test_transposed_operands(self) -> None:
        a, b = torch.randn(3, 5).t(), torch.randn(2, 4, 3).transpose(1, 2)
        lengths = torch.tensor([1, 4])
        torch.testing.assert_close(ops.segment_mm(a, b, lengths), _matmul_by_segment(a, b, lengths))

    def test_autocast_multiplies_in_low_precision(self) -> None:
        """As torch's own matrix products do."""
        a, b = torch.randn(5, 3, requires_grad=True), torch.randn(2, 3, 2, requires_grad=True)
        lengths, idx = torch.tensor([2, 3]), torch.tensor([0, 0, 1, 1, 1])
        expected = _matmul_by_segment(a, b, lengths)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            for out in (
                ops.segment_mm(a, b, lengths),
                ops.gather_mm(a, b, idx_b=idx),
                ops.segment_mm(a.bfloat16(), b, lengths),
            ):
                assert out.dtype == torch.bfloat16
                torch.testing.assert_close(out.float(), expected, rtol=0.03, atol=0.03)
                flow = torch.randn(5, 2)
                found = torch.autograd.grad(out.float(), (a, b), flow)
                wanted = torch.autograd.grad(expected, (a, b), flow, retain_graph=True)
                torch.testing.assert_close(found, wanted, rtol=0.03, atol=0.03)

    @pytest.mark.parametrize(
        ("change", "error", "message"),
        [
            ({"b": torch.ones(2, 4, 2)}, InvalidValueError, "3 columns but matrices of b have 4"),
            ({"b": torch.ones(3, 2)}, InvalidValueError, "b must be a tensor of 3 dimensions"),
            ({"a": torch.ones(5)}, InvalidValueError, "a must be a tensor of 2 dimensions"),
            ({"a": [[1.0]]}, InvalidTypeError, "a must be a tensor, got list"),
            ({"a": torch.ones(5, 3) > 0}, InvalidTypeError, "a must be floating-point or integer"),
            ({"b": torch.ones(2, 3, 2).cfloat()}, InvalidTypeError, r"but it is torch\.complex64"),
            ({"b": torch.ones(2, 3, 2).double()}, InvalidTypeError, "convert one with"),
            ({"b": torch.ones(2, 3, 2, device="meta")}, InvalidValueError, "meta"),
        ],
    )
    def test_bad_operands(self, change, error, message) -> None:
        given = {"a": torch.ones(5, 3), "b": torch.ones(2, 3, 2)} | change
        with pytest.raises(error, match=message):
            ops.segment_mm(given["a"], given["b"], torch.tensor([2, 3]))
        with pytest.raises(error, match=message):
            ops.gather_mm(given["a"], given["b"], idx_b=torch.tensor([0, 0, 1, 1, 1]))

    def test_bad_segments(self) -> None:
        a, b = torch.ones(5, 3), torch.ones(2, 3, 2)
        with pytest.raises(InvalidValueError, match="3 segments need as many matrices, got 2"):
            ops.segment_mm(a, b, torch.tensor([2, 2, 1]))
        with pytest.raises(InvalidValueError, match="add up to 4, but a has 5 rows"):
            ops.segment_mm(a, b, torch.tensor([2, 2]))

    def test_bad_ids(self) -> None:
        a, b = torch.ones(3, 3), torch.ones(2, 3, 2)
        for ids in ([0, 1, 2], [-1, 0, 1]):
            with pytest.raises(OutOfRangeError, match=r"must be in 0 \.\.\. 1, got"):
                ops.gather_mm(a, b, idx_b=torch.tensor(ids))
        with pytest.raises(InvalidValueError, match=r"each of 3 rows, got shape \(2,\)"):
            ops.gather_mm(a, b, idx_b=torch.tensor([0, 1]))
        with pytest.raises(InvalidTypeError, match="int32 or int64"):
            ops.gather_mm(a, b, idx_b=torch.tensor([0.0, 1.0, 1.0]))
        with pytest.raises(InvalidValueError, match="idx_b is on meta"):
            ops.gather_mm(a, b, idx_b=torch.zeros(3, dtype=torch.int64, device="meta"))
