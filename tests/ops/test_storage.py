"""Copies and rows in memory that the kernels keep."""

from __future__ import annotations

import pytest
import torch
from torch.autograd import forward_ad

from gossamer.ops._storage import copied_ids, gathered


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.int64])
@pytest.mark.parametrize("rows", [5, 40_000])  # below and above what the kernels keep memory for
def test_gathered_rows(rows: int, dtype: torch.dtype) -> None:
    source = (torch.rand(rows, 64) * 100).to(dtype)
    index = torch.randint(rows, (rows,))
    assert torch.equal(gathered(source, index), source[index])
    assert torch.equal(gathered(source, index.int()), source[index])


# torch's own forward mode loads its formulas through torch.jit.script.
@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:FutureWarning")
@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")
def test_derivatives_of_gathered_rows() -> None:
    index = torch.randint(40_000, (40_000,))
    source = torch.rand(40_000, 64, requires_grad=True)
    gathered(source, index).sum().backward()
    assert torch.equal(source.grad[:, 0].long(), torch.bincount(index, minlength=40_000))
    source, tangent = source.detach(), torch.rand(40_000, 64)
    with forward_ad.dual_level():
        rows = gathered(forward_ad.make_dual(source, tangent), index)
        assert torch.equal(forward_ad.unpack_dual(rows).tangent, tangent[index])
    rows, changes = torch.func.jvp(lambda x: gathered(x, index), (source,), (tangent,))
    assert torch.equal(changes, tangent[index])


@pytest.mark.parametrize("count", [0, 5, 1_000_000])  # below and above what they keep memory for
@pytest.mark.parametrize("dtype", [None, torch.int32, torch.int64])
def test_copies_of_ids_share_nothing(count: int, dtype: torch.dtype | None) -> None:
    ids = torch.arange(2 * count)[::2]
    for copy in (copied_ids(ids, dtype), torch.func.vmap(lambda x: copied_ids(x, dtype))(ids)):
        assert copy.dtype == (dtype or torch.int64)
        assert torch.equal(copy.long(), ids)
        copy += 1
        assert torch.equal(ids, torch.arange(2 * count)[::2])


def test_copies_of_ids_compile() -> None:
    ids = torch.arange(1_000_000)
    compiled = torch.compile(lambda x: copied_ids(x, torch.int32), backend="eager", fullgraph=True)
    assert torch.equal(compiled(ids), ids.int())
