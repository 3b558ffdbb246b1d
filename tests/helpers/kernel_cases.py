"""Adjacencies, feature shapes and the float64 truth for the kernel tests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor

from gossamer import kernels
from gossamer.kernels import reference
from helpers.compare import assert_close_to_truth, assert_tensor_equal

DTYPES = [torch.float32, torch.float64, torch.float16, torch.bfloat16]
ID_TYPES = [torch.int32, torch.int64]

# Features of the left and right operand. Widths around those of the vectors (4, 8, 16), tails, and
# every way in which two operands can meet.
SHAPES = {
    "none": ((), ()),
    "one": ((1,), (1,)),
    "scalar": ((7,), (1,)),
    "scalar_wide": ((64,), (1,)),
    "scalar_left": ((1,), (33,)),
    "full": ((40,), (40,)),
    "full_wide": ((300,), (300,)),
    "per_head": ((8, 16), (8, 1)),
    "per_head_left": ((4, 1), (4, 5)),
    "shared_by_heads": ((3, 20), (1, 20)),
    "crossed": ((3, 1, 5), (1, 4, 5)),
    "outer": ((6, 1), (1, 6)),
    "empty": ((0, 4), (1, 4)),
}


@dataclass
class Adjacency:
    """A compressed adjacency with its sizes."""

    indptr: Tensor
    indices: Tensor
    eids: Tensor | None
    num_cols: int

    @property
    def num_rows(self) -> int:
        return len(self.indptr) - 1

    @property
    def num_edges(self) -> int:
        return len(self.indices)

    @property
    def rows(self) -> Tensor:
        """The row of each slot."""
        rows = torch.arange(self.num_rows, dtype=self.indptr.dtype)
        return rows.repeat_interleave(self.indptr.diff().long())


# Degrees of the rows, and number of columns.
_GRAPHS = {
    "random": ([3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8], 10),
    "duplicates": ([40, 30], 2),
    "isolated": ([0, 0, 3, 0, 7, 0], 5),
    "no_edges": ([0, 0, 0], 4),
    "no_rows": ([], 3),
    "one_edge": ([1], 1),
    "many_rows": ([2, 0, 1] * 3000, 50),
    "hub": ([2, 5, 100_000, 0, 4], 1000),
}
GRAPHS = [name for name in _GRAPHS if name != "hub"]  # the hub is large: it has its own tests


def adjacency(name: str, idtype: torch.dtype, shuffled: bool = True) -> Adjacency:
    """Build a named adjacency; `shuffled` gives it edge ids in random order."""
    degrees, num_cols = _GRAPHS[name]
    indptr = torch.zeros(len(degrees) + 1, dtype=idtype)
    indptr[1:] = torch.tensor(degrees, dtype=torch.int64).cumsum(0)
    count = sum(degrees)
    generator = torch.Generator().manual_seed(count)
    indices = torch.randint(num_cols, (count,), generator=generator).to(idtype)
    eids = torch.randperm(count, generator=generator).to(idtype) if shuffled else None
    return Adjacency(indptr, indices, eids, num_cols)


def operand(rows: int, shape: tuple[int, ...], dtype: torch.dtype, seed: int = 0) -> Tensor:
    """Random values of either sign, away from zero so that they can divide."""
    generator = torch.Generator().manual_seed(seed)
    values = torch.rand(rows, *shape, generator=generator, dtype=torch.float64) + 0.25
    sign = torch.randint(2, values.shape, generator=generator) * 2 - 1
    return (values * sign).to(dtype)


def attention_operands(
    adj: Adjacency,
    score: str,
    sizes: tuple[int, int, int],
    dtype: torch.dtype,
    bias: bool = True,
) -> tuple[Tensor | None, ...]:
    """Value, key, query, weight, bias and output bias for heads, features and those of the keys."""
    heads, dim, key_dim = sizes
    features = (heads,) if score == "add" else (heads, key_dim)
    return (
        operand(adj.num_cols, (heads, dim), dtype, seed=1),
        operand(adj.num_cols, features, dtype, seed=2),
        operand(adj.num_rows, features, dtype, seed=3),
        operand(heads, (key_dim,), dtype, seed=4) if score == "add_dot" else None,
        operand(adj.num_edges, (heads,), dtype, seed=5) if bias else None,
        operand(heads, (dim,), dtype, seed=8) if bias else None,
    )


def attention_edges(
    adj: Adjacency, score: str, sizes: tuple[int, int, int], dtype: torch.dtype
) -> tuple[Tensor | None, Tensor]:
    """Keys and values of edges; ``add`` has no keys."""
    heads, dim, key_dim = sizes
    key = None if score == "add" else operand(adj.num_edges, (heads, key_dim), dtype, seed=9)
    return key, operand(adj.num_edges, (heads, dim), dtype, seed=10)


def doubled(*values: Any) -> list[Any]:
    """Give float tensors in float64, anything else unchanged."""
    return [v.double() if torch.is_tensor(v) and v.is_floating_point() else v for v in values]


def truth_and_torch(name: str, *args: Any) -> tuple[Any, Any]:
    """Return the reference's result in float64 and in the precision of `args`."""
    kernel = getattr(reference, name)
    return kernel(*doubled(*args)), kernel(*args)


def assert_accurate(
    actual: Tensor, truth: Tensor, same_precision: Tensor, what: str, terms: int = 1
) -> None:
    """Assert an error of at most twice torch's own; in float64, roundings of a sum of `terms`."""
    if actual.dtype is not torch.float64:
        assert_close_to_truth(actual, truth, same_precision, what)
        return
    # The truth is no more precise than the result: both round each step in their own order.
    finite = truth.isfinite()
    largest = float(truth[finite].abs().max()) if bool(finite.any()) else 0.0
    allowed = 16 * torch.finfo(torch.float64).eps * max(largest, terms)
    assert_tensor_equal(actual[~finite], truth[~finite], f"{what}, where it is not finite")
    torch.testing.assert_close(
        actual, truth, rtol=0, atol=allowed, equal_nan=True, msg=lambda text: f"{what}: {text}"
    )


def assert_accurate_differences(
    actual: Tensor, truth: Tensor, same_precision: Tensor, what: str
) -> None:
    """As good as the reference in the same precision, up to roundings of what it is made of.

    Some results are differences of inner products of about this test's operands, which are near 1:
    a result near 0 is off by roundings of those, in whichever order they are summed.
    """
    if actual.dtype in (torch.float16, torch.bfloat16):
        assert_accurate(actual, truth, same_precision, what)
        return
    own = float((same_precision.double() - truth).abs().max()) if truth.numel() else 0.0
    largest = float(truth.abs().max()) if truth.numel() else 0.0
    # In float64 the truth has roundings of its own, of sums of up to 100,000 terms.
    roundings = 256 if actual.dtype is torch.float64 else 16
    allowed = max(2 * own, roundings * torch.finfo(actual.dtype).eps * max(1.0, largest))
    torch.testing.assert_close(
        actual.double(), truth, rtol=0, atol=allowed, msg=lambda text: f"{what}: {text}"
    )


def require_core() -> None:
    """Skip the test, or the module, where the native kernels are not built."""
    pytest.importorskip("gossamer._core", reason="the native kernels are not built")


def require_native() -> None:
    """Skip the test, or the module, where the native kernels are not built or switched off."""
    require_core()
    if kernels.info()["forced"] == "reference":
        reason = "it is about the native kernels, which are switched off"
        pytest.skip(reason, allow_module_level=True)
