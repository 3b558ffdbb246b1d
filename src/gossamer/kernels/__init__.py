"""The operators' inner loops: plain functions of tensors, without autograd.

One table picks the implementation by device and dtype. `gossamer.kernels.reference` runs anywhere;
every name here has the same meaning there, and its documentation.

A compressed adjacency is a triple ``(indptr, indices, eids)``: row ``r`` owns the slots
``indptr[r]`` to ``indptr[r + 1] - 1``; slot ``k`` has the neighbour ``indices[k]`` and the edge id
``eids[k]``, or ``k`` when `eids` is None. All three share one dtype, int32 or int64. Features are
``(N, *f)``; two operands have the same number of dimensions and broadcast over ``*f`` as in NumPy.
All tensors are contiguous and on one device. Inputs are trusted: they are validated above.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from gossamer._options import one_of
from gossamer.errors import InvalidValueError
from gossamer.kernels import reference

__all__ = [
    "attention",
    "attention_backward",
    "breadth_first",
    "coo_to_csr",
    "depth_first",
    "edge_softmax",
    "edge_softmax_backward",
    "empty",
    "gather_mm",
    "gather_neighbors",
    "gather_rows",
    "info",
    "keeps_memory",
    "release_memory",
    "scaled_sum",
    "scratch",
    "sddmm",
    "segment_mm",
    "spmm",
    "spmm_arg_backward",
    "topk",
    "topological",
    "transpose",
    "unique_relabel",
    "use",
]


try:
    from gossamer.kernels import cpu as _native
except ImportError as error:
    # A package that was built without a compiler has no extension module; anything else is a bug.
    if "_core" not in str(error):
        raise
    _native = None
    _why_not = str(error)
else:
    _why_not = ""

# GOSSAMER_KERNELS or use(): "reference" switches the native kernels off.
_forced = os.environ.get("GOSSAMER_KERNELS", "")

if _native is not None and "GOSSAMER_IDLE_MIB" in os.environ:
    _mib = os.environ["GOSSAMER_IDLE_MIB"]
    if not _mib.isdecimal():
        raise InvalidValueError(
            f"GOSSAMER_IDLE_MIB is {_mib!r}; it must be a number of MiB, such as 1024, or 0."
        )
    _native.core.set_idle_limit(int(_mib) << 20)

if _native is None and _forced != "reference":
    warnings.warn(
        "gossamer was installed without its native kernels and runs on the slower reference "
        "kernels. Install a C++ compiler (Debian: apt-get install g++ python3-dev, macOS: "
        "xcode-select --install) and reinstall gossamer; GOSSAMER_KERNELS=reference silences this.",
        RuntimeWarning,
        stacklevel=2,
    )

_NATIVE_DTYPES = (torch.float32, torch.float64, torch.float16, torch.bfloat16)


def _pick(x: Tensor | None, y: Tensor | None = None) -> ModuleType:
    """Choose the implementation for operands of which one may be None."""
    if x is None:
        x, y = y, None
    if (
        _native is None
        or _forced == "reference"
        or not x.is_cpu
        or x.dtype not in _NATIVE_DTYPES
        or (y is not None and y.dtype is not x.dtype)
    ):
        return reference
    return _native


def _pick_structure(ids: Tensor) -> ModuleType:
    return _native if _native is not None and _forced != "reference" and ids.is_cpu else reference


def spmm(
    indptr: Tensor,
    indices: Tensor,
    eids: Tensor | None,
    u: Tensor | None,
    e: Tensor | None,
    op: str,
    reduce: str,
    return_argmax: bool = True,
) -> tuple[Tensor, Tensor | None]:
    """Reduce the messages of each row; see `gossamer.kernels.reference.spmm`."""
    return _pick(u, e).spmm(indptr, indices, eids, u, e, op, reduce, return_argmax)


def scaled_sum(
    indptr: Tensor,
    indices: Tensor,
    x: Tensor,
    neighbour_scale: Tensor | None,
    row_scale: Tensor | None,
    self_scale: Tensor | None = None,
) -> Tensor:
    """Sum scaled neighbours; see `gossamer.kernels.reference.scaled_sum`."""
    return _pick(x).scaled_sum(indptr, indices, x, neighbour_scale, row_scale, self_scale)


def spmm_arg_backward(
    indices: Tensor,
    eids: Tensor | None,
    arg: Tensor,
    grad: Tensor,
    u: Tensor | None,
    e: Tensor | None,
    op: str,
    num_u: int,
    num_e: int,
    want_u: bool,
    want_e: bool,
) -> tuple[Tensor | None, Tensor | None]:
    """Give max's and min's gradient to the winners; see `reference.spmm_arg_backward`."""
    kernel = _pick(grad, e if u is None else u).spmm_arg_backward
    return kernel(indices, eids, arg, grad, u, e, op, num_u, num_e, want_u, want_e)


def sddmm(
    src: Tensor,
    dst: Tensor,
    eids: Tensor | None,
    lhs: Tensor | None,
    rhs: Tensor | None,
    op: str,
    lhs_target: str,
    rhs_target: str,
) -> Tensor:
    """Combine two operands on each edge; see `gossamer.kernels.reference.sddmm`."""
    return _pick(lhs, rhs).sddmm(src, dst, eids, lhs, rhs, op, lhs_target, rhs_target)


def edge_softmax(indptr: Tensor, eids: Tensor | None, logits: Tensor) -> Tensor:
    """Normalise the logits of each row; see `gossamer.kernels.reference.edge_softmax`."""
    return _pick(logits).edge_softmax(indptr, eids, logits)


def edge_softmax_backward(indptr: Tensor, eids: Tensor | None, out: Tensor, grad: Tensor) -> Tensor:
    """Return the gradient of the logits; see `reference.edge_softmax_backward`."""
    return _pick(out, grad).edge_softmax_backward(indptr, eids, out, grad)


def attention(
    indptr: Tensor,
    indices: Tensor,
    eids: Tensor | None,
    value: Tensor,
    *others: Any,
) -> tuple[Tensor, Tensor]:
    """Sum values weighted by the softmax of scores; see `gossamer.kernels.reference.attention`."""
    return _pick(value).attention(indptr, indices, eids, value, *others)


def attention_backward(
    by_dst: tuple[Tensor, Tensor, Tensor | None],
    by_src: tuple[Tensor, Tensor, Tensor | None],
    value: Tensor,
    *others: Any,
    overwrite: bool = False,
) -> tuple[Tensor, Tensor, Tensor, Tensor | None, Tensor | None]:
    """Return the gradients of all operands; see `reference.attention_backward`."""
    return _pick(value).attention_backward(by_dst, by_src, value, *others, overwrite=overwrite)


def empty(shape: int | tuple[int, ...], dtype: torch.dtype, device: torch.device) -> Tensor:
    """Allocate a tensor that is about to be filled from one end to the other."""
    if _native is None or device.type != "cpu":
        return torch.empty(shape, dtype=dtype, device=device)
    return _native._common.empty((shape,) if isinstance(shape, int) else tuple(shape), dtype)


def scratch(shape: tuple[int, ...], dtype: torch.dtype, device: torch.device) -> Tensor:
    """Allocate a tensor that is about to be filled and does not outlive the operator."""
    if _native is None or device.type != "cpu":
        return torch.empty(shape, dtype=dtype, device=device)
    return _native._common.scratch(shape, dtype)


def keeps_memory(size: int, like: Tensor) -> bool:
    """Whether the memory of a result of `size` numbers like `like` goes around."""
    return (
        _native is not None
        and _pick(like) is _native
        and _native._common.is_large(size, like.dtype)
    )


def coo_to_csr(
    row: Tensor, col: Tensor, num_rows: int, dtype: torch.dtype | None = None
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Group edges by row; see `gossamer.kernels.reference.coo_to_csr`."""
    return _pick_structure(row).coo_to_csr(row, col, num_rows, dtype)


def transpose(
    indptr: Tensor, indices: Tensor, eids: Tensor | None, num_cols: int
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Turn an adjacency around; see `gossamer.kernels.reference.transpose`."""
    return _pick_structure(indptr).transpose(indptr, indices, eids, num_cols)


def gather_rows(
    indptr: Tensor,
    indices: Tensor,
    eids: Tensor | None,
    rows: Tensor,
    places: Tensor | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """List the slots of some rows; see `gossamer.kernels.reference.gather_rows`."""
    return _pick_structure(indptr).gather_rows(indptr, indices, eids, rows, places)


def gather_neighbors(indptr: Tensor, indices: Tensor, rows: Tensor) -> Tensor:
    """List the neighbours of some rows; see `gossamer.kernels.reference.gather_neighbors`."""
    return _pick_structure(indptr).gather_neighbors(indptr, indices, rows)


def unique_relabel(ids: Tensor, limit: int) -> tuple[Tensor, Tensor]:
    """Number ids as they first appear; see `gossamer.kernels.reference.unique_relabel`."""
    return _pick_structure(ids).unique_relabel(ids, limit)


def breadth_first(
    indptr: Tensor, indices: Tensor, eids: Tensor | None, sources: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Reach nodes level by level; see `gossamer.kernels.reference.breadth_first`."""
    return _pick_structure(indptr).breadth_first(indptr, indices, eids, sources)


def topological(indptr: Tensor, indices: Tensor, in_degrees: Tensor) -> tuple[Tensor, Tensor]:
    """Order nodes behind their in-edges; see `gossamer.kernels.reference.topological`."""
    return _pick_structure(indptr).topological(indptr, indices, in_degrees)


def depth_first(
    indptr: Tensor,
    indices: Tensor,
    eids: Tensor | None,
    source: int,
    has_reverse: bool,
    has_nontree: bool,
) -> tuple[Tensor, Tensor]:
    """Follow slots depth first; see `gossamer.kernels.reference.depth_first`."""
    kernel = _pick_structure(indptr).depth_first
    return kernel(indptr, indices, eids, source, has_reverse, has_nontree)


def topk(values: Tensor, k: int) -> Tensor:
    """Find the smallest entries of each row; see `gossamer.kernels.reference.topk`."""
    return _pick(values).topk(values, k)


def segment_mm(a: Tensor, b: Tensor, seglen: Tensor, out: Tensor | None = None) -> Tensor:
    """Multiply segments of rows by their matrix; see `reference.segment_mm`."""
    return _pick(a, b).segment_mm(a, b, seglen, out)


def gather_mm(a: Tensor, b: Tensor, idx: Tensor) -> Tensor:
    """Multiply each row by the matrix that it names; see `reference.gather_mm`."""
    return _pick(a, b).gather_mm(a, b, idx)


@contextmanager
def use(name: str) -> Iterator[None]:
    """Run the body with one implementation: ``"reference"`` or ``"native"``.

    The environment variable ``GOSSAMER_KERNELS=reference`` does the same for a whole process.

    Raises
    ------
    InvalidValueError
        If there is no such implementation, or the native one was not built.

    Examples
    --------
    >>> from gossamer import kernels
    >>> with kernels.use("reference"):
    ...     kernels.info()["forced"]
    'reference'
    """
    global _forced
    one_of(name, "kernels.use", "name", ("reference", "native"))
    if name == "native" and _native is None:
        raise InvalidValueError(
            f"The native kernels are not installed ({_why_not}). Install a C++ compiler and "
            "reinstall gossamer, or use 'reference'."
        )
    before, _forced = _forced, name
    try:
        yield
    finally:
        _forced = before


def info() -> dict[str, Any]:
    """Tell which kernels run here.

    Returns
    -------
    dict
        ``native`` (are the native kernels installed), ``why_not`` (if they are not), ``forced``
        (what `use` or ``GOSSAMER_KERNELS`` asks for, or ``""``), ``isa`` (the instruction set in
        use, which ``GOSSAMER_ISA`` can lower), ``available_isas``, ``threading`` (the runtime
        that parallel loops run on, which is torch's own), and ``idle_bytes`` (memory that is kept
        for the next large result; see `release_memory`).

    Examples
    --------
    >>> from gossamer import kernels
    >>> sorted(kernels.info())
    ['available_isas', 'forced', 'idle_bytes', 'isa', 'native', 'threading', 'why_not']
    """
    core = None if _native is None else _native.core
    return {
        "native": core is not None,
        "why_not": _why_not,
        "forced": _forced,
        "isa": core.isa() if core else "",
        "available_isas": core.available_isas().split() if core else [],
        "threading": core.threading() if core else "",
        "idle_bytes": core.idle_bytes() if core else 0,
    }


def release_memory() -> None:
    """Give memory that is kept for the next large result back to the system.

    Results above 4 MiB of the native kernels lie in huge pages which, when the tensor dies, are
    kept for the next result, up to an eighth of the machine's memory or ``GOSSAMER_IDLE_MIB`` MiB;
    with 0 they lie in torch's own memory. Under memory pressure the system takes idle ones back by
    itself, so this is for those who want to see them gone. ``resize_`` cannot make such a result
    larger in place. A few MiB of scratch memory of operators go around too, and stay.

    Examples
    --------
    >>> from gossamer import kernels
    >>> kernels.release_memory()
    >>> kernels.info()["idle_bytes"]
    0
    """
    if _native is not None:
        _native.core.release_idle()
