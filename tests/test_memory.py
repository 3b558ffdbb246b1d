"""Fresh memory is poisoned in every test, and only there."""

from __future__ import annotations

import pytest
import torch

from helpers.memory import poisoned_memory

FLOATS = [torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.complex64]
INTEGERS = [torch.int8, torch.int16, torch.int32, torch.int64]


@pytest.mark.parametrize("dtype", FLOATS)
def test_floating_point_memory_is_nan(dtype: torch.dtype) -> None:
    like = torch.zeros(2, 3, dtype=dtype)
    for fresh in (
        torch.empty(2, 3, dtype=dtype),
        torch.empty_like(like),
        torch.empty_strided((2, 3), (3, 1), dtype=dtype),
        like.new_empty(2, 3),
        like.new_empty_strided((2, 3), (3, 1)),
    ):
        assert fresh.shape == (2, 3)
        assert fresh.isnan().all()


@pytest.mark.parametrize("dtype", INTEGERS)
def test_integer_memory_is_no_valid_index(dtype: torch.dtype) -> None:
    assert (torch.empty(4, dtype=dtype) == torch.iinfo(dtype).min).all()


def test_unsigned_and_bool() -> None:
    assert (torch.empty(4, dtype=torch.uint8) == 255).all()
    assert torch.empty(4, dtype=torch.bool).all()


def test_gradient_flag_and_meta_device_survive() -> None:
    assert torch.empty(2, requires_grad=True).is_leaf
    assert torch.empty(2, requires_grad=True).requires_grad
    assert torch.empty(2, device="meta").shape == (2,)


def test_nondeterministic_operators_still_run() -> None:
    counts = torch.zeros(3).index_add(0, torch.tensor([0, 0, 2]), torch.ones(3))
    assert counts.tolist() == [2, 0, 1]
    assert not torch.are_deterministic_algorithms_enabled()


def test_layers_are_initialized_over_the_poison() -> None:
    layer = torch.nn.Linear(3, 2)
    assert all(bool(p.isfinite().all()) for p in layer.parameters())


@pytest.mark.filterwarnings("default")
def test_compiled_functions_see_the_bare_allocation() -> None:
    def fresh(x: torch.Tensor) -> torch.Tensor:
        return torch.empty_like(x).copy_(x) + 1

    # What an earlier test compiled may have filled the tracer's tables while they were wrapped.
    torch._dynamo.trace_rules.clear_lru_cache()
    compiled = torch.compile(fresh, fullgraph=True, backend="eager")
    assert compiled(torch.ones(3)).tolist() == [2, 2, 2]


def test_the_allocators_come_back() -> None:
    before = torch.empty, torch.Tensor.new_empty
    with pytest.raises(RuntimeError, match="inside"), poisoned_memory():
        assert torch.empty is not before[0]
        raise RuntimeError("inside")
    assert (torch.empty, torch.Tensor.new_empty) == before
