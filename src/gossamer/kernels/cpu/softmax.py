"""Softmax over the edges of each row."""

from __future__ import annotations

import torch
from torch import Tensor

from gossamer.kernels._dispatch import kernel
from gossamer.kernels.cpu import _common
from gossamer.kernels.cpu._common import DTYPES, FLOATS, address, core


@kernel("edge_softmax", device="cpu", dtypes=FLOATS)
def edge_softmax(indptr: Tensor, eids: Tensor | None, logits: Tensor) -> Tensor:
    """Normalize the logits of each row; see `gossamer.kernels.reference.edge_softmax`."""
    return _run(indptr, eids, logits, None)


@kernel("edge_softmax_backward", device="cpu", dtypes=FLOATS)
def edge_softmax_backward(indptr: Tensor, eids: Tensor | None, out: Tensor, grad: Tensor) -> Tensor:
    """Return the gradient of the logits; see `reference.edge_softmax_backward`."""
    return _run(indptr, eids, out, grad)


def _run(indptr: Tensor, eids: Tensor | None, x: Tensor, grad: Tensor | None) -> Tensor:
    out = _common.empty(x.shape, x.dtype)
    size = out.numel()
    if size:
        num_slots = x.shape[0]
        core.softmax(
            indptr=indptr.data_ptr(),
            eids=address(eids),
            wide=indptr.dtype is torch.int64,
            num_rows=indptr.shape[0] - 1,
            num_slots=num_slots,
            x=x.data_ptr(),
            grad=address(grad),
            width=size // num_slots,
            dtype=DTYPES[x.dtype],
            out=out.data_ptr(),
            threads=torch.get_num_threads(),
        )
    return out
