"""Small functions on tensors that pipelines use."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from gossamer import random
from gossamer._options import require
from gossamer.errors import InvalidTypeError, InvalidValueError

__all__ = ["expand_indptr", "index_select", "indptr_edge_ids", "isin", "numpy_save_aligned", "seed"]


def index_select(tensor: Tensor, index: Tensor) -> Tensor:
    """Return the rows `index` of a tensor.

    Examples
    --------
    >>> import gossamer.graphbolt as gb, torch
    >>> gb.index_select(torch.tensor([10, 20, 30]), torch.tensor([2, 0]))
    tensor([30, 10])
    """
    require(tensor, Tensor, "index_select", "tensor")
    require(index, Tensor, "index_select", "index")
    if index.dtype not in (torch.int32, torch.int64):
        raise InvalidTypeError(f"index_select: index is int32 or int64, got {index.dtype}.")
    return tensor.index_select(0, index)


def isin(elements: Tensor, test_elements: Tensor) -> Tensor:
    """Return for each element whether it is in `test_elements`.

    Examples
    --------
    >>> import gossamer.graphbolt as gb, torch
    >>> gb.isin(torch.tensor([1, 2, 3]), torch.tensor([2, 5]))
    tensor([False,  True, False])
    """
    require(elements, Tensor, "isin", "elements")
    require(test_elements, Tensor, "isin", "test_elements")
    return torch.isin(elements, test_elements)


def expand_indptr(
    indptr: Tensor,
    dtype: torch.dtype | None = None,
    node_ids: Tensor | None = None,
    output_size: int | None = None,
) -> Tensor:
    """Return the column of each edge of a CSC.

    Parameters
    ----------
    indptr : Tensor
        ``(N + 1,)``.
    dtype : torch.dtype, optional
        Dtype of the result. Default: that of `node_ids`.
    node_ids : Tensor, optional
        ``(N,)``, the id of each column. Default: 0, ..., N - 1.
    output_size : int, optional
        Number of edges, if known.

    Raises
    ------
    InvalidValueError
        If neither `dtype` nor `node_ids` is given.

    Examples
    --------
    >>> import gossamer.graphbolt as gb, torch
    >>> gb.expand_indptr(torch.tensor([0, 2, 3]), torch.int64)
    tensor([0, 0, 1])
    """
    if dtype is None and node_ids is None:
        raise InvalidValueError("expand_indptr: give dtype or node_ids.")
    require(indptr, Tensor, "expand_indptr", "indptr")
    if node_ids is None:
        node_ids = torch.arange(len(indptr) - 1, dtype=dtype, device=indptr.device)
    columns = node_ids.repeat_interleave(indptr.diff(), output_size=output_size)
    return columns if dtype is None else columns.to(dtype)


def indptr_edge_ids(
    indptr: Tensor,
    dtype: torch.dtype | None = None,
    offset: Tensor | None = None,
    output_size: int | None = None,
) -> Tensor:
    """Return the position of each edge within its column, plus an offset for each column.

    Parameters
    ----------
    indptr : Tensor
        ``(N + 1,)``.
    dtype : torch.dtype, optional
        Default: that of `offset` or of `indptr`.
    offset : Tensor, optional
        ``(N,)``. Default: 0.
    output_size : int, optional
        Number of edges, if known.

    Examples
    --------
    >>> import gossamer.graphbolt as gb, torch
    >>> gb.indptr_edge_ids(torch.tensor([0, 2, 3]), offset=torch.tensor([10, 20]))
    tensor([10, 11, 20])
    """
    require(indptr, Tensor, "indptr_edge_ids", "indptr")
    if offset is not None:
        require(offset, Tensor, "indptr_edge_ids", "offset")
    base = indptr[:-1] if offset is None else indptr[:-1] - offset
    starts = base.repeat_interleave(indptr.diff(), output_size=output_size)
    ids = torch.arange(len(starts), dtype=starts.dtype, device=starts.device) - starts
    return ids.to(dtype or (indptr.dtype if offset is None else offset.dtype))


def numpy_save_aligned(*args: Any, **kwargs: Any) -> None:
    """Save an array with `numpy.save`; the data starts at a multiple of 64 bytes.

    Examples
    --------
    >>> import io, numpy, gossamer.graphbolt as gb
    >>> file = io.BytesIO()
    >>> gb.numpy_save_aligned(file, numpy.arange(3))
    >>> numpy.load(io.BytesIO(file.getvalue()))
    array([0, 1, 2])
    """
    # The format itself pads the header to 64 bytes.
    np.save(*args, **kwargs)


def seed(val: int) -> None:
    """Seed the random numbers of samplers; see :func:`gossamer.seed`.

    Examples
    --------
    >>> import gossamer.graphbolt as gb
    >>> gb.seed(42)
    """
    random.seed(val)
