"""The rows of :mod:`benchmarks.sparse` for Gossamer and DGL, which have one API."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from benchmarks.adapters import Form
from benchmarks.workload import Sizes, Workload

Inputs = Mapping[str, Tensor]


def forms(
    library: str, row: Workload, inputs: Inputs, sizes: Sizes
) -> dict[str, Callable[[], Form]]:
    """The only way to write a row with the library of the given name."""
    sparse = importlib.import_module(f"{library}.sparse")
    return {"sparse": lambda: _ROWS[row.name](sparse, inputs, sizes.nodes)}


def by_place(row: Tensor, col: Tensor, value: Tensor, **more: Tensor) -> dict[str, Tensor]:
    """The entries of a matrix by row and column, and other results unchanged.

    Without zeros, which SciPy does not store.
    """
    row, col, value = (part[value != 0] for part in (row, col, value))
    order = torch.argsort(row.long() * (int(col.max()) + 1) + col, stable=True)
    places = {"row": row[order].long(), "col": col[order].long(), "value": value[order]}
    return places | more


def _entries(matrix: Any) -> dict[str, Tensor]:
    row, col = matrix.coo()
    return by_place(row, col, matrix.val)


def _matrix_form(call: Callable[[], Any]) -> Form:
    return Form(lambda: {"matrix": call()}, lambda: _entries(call()))


def _matrices(sparse: Any, inputs: Inputs, nodes: int, turned: bool) -> tuple[Any, Any]:
    """Two matrices; the second has the transposed pattern if `turned`, entries by row."""
    src, dst, shape = inputs["src"], inputs["dst"], (nodes, nodes)
    first = sparse.spmatrix(torch.stack([src, dst]), inputs["w"], shape)
    pair = torch.stack([src, dst])
    if turned:
        pair = torch.stack([dst, src])[:, torch.argsort(dst * nodes + src)]
    second = sparse.spmatrix(pair, inputs["v"], shape)
    for matrix in (first, second):
        matrix.csr(), matrix.csc()
    return first, second


def _times_dense(sparse: Any, inputs: Inputs, nodes: int) -> Form:
    first, _ = _matrices(sparse, inputs | {"v": inputs["w"]}, nodes, False)
    return Form(lambda: {"out": sparse.spmm(first, inputs["x"])})


def _sddmm(sparse: Any, inputs: Inputs, nodes: int) -> Form:
    first, _ = _matrices(sparse, inputs | {"v": inputs["w"]}, nodes, False)
    x, y = inputs["x"], inputs["y"].t()
    return Form(lambda: {"out": sparse.sddmm(first, x, y).val})


def _sum(sparse: Any, inputs: Inputs, nodes: int) -> Form:
    first, second = _matrices(sparse, inputs, nodes, True)
    return _matrix_form(lambda: first + second)


def _entry_by_entry(sparse: Any, inputs: Inputs, nodes: int) -> Form:
    first, second = _matrices(sparse, inputs, nodes, True)
    return _matrix_form(lambda: first * second)


def _softmax(sparse: Any, inputs: Inputs, nodes: int) -> Form:
    first, _ = _matrices(sparse, inputs | {"v": inputs["w"]}, nodes, False)
    return Form(lambda: {"out": sparse.softmax(first).val})


def _transpose(sparse: Any, inputs: Inputs, nodes: int) -> Form:
    def call() -> dict[str, Tensor]:
        matrix = sparse.spmatrix(torch.stack([inputs["dst"], inputs["src"]]), inputs["w"])
        indptr, indices, value = matrix.csr()
        out = matrix.val if value is None else matrix.val[value]
        return {"indptr": indptr.long(), "indices": indices.long(), "out": out}

    return Form(call)


def _product(sparse: Any, inputs: Inputs, nodes: int) -> Form:
    first, second = _matrices(sparse, inputs, nodes, False)
    return _matrix_form(lambda: first @ second)


def _gradient_of_product(sparse: Any, inputs: Inputs, nodes: int) -> Form:
    given = {"w": inputs["w"].requires_grad_(), "v": inputs["v"].requires_grad_()}
    first, second = _matrices(sparse, inputs | given, nodes, False)

    def call() -> dict[str, Tensor]:
        out = (first @ second).val
        # All ones, since the order of the entries is unspecified.
        grads = torch.autograd.grad(out, list(given.values()), torch.ones_like(out))
        return {f"grad_{name}": grad for name, grad in zip(given, grads, strict=True)}

    return Form(call)


_ROWS: dict[str, Callable[[Any, Inputs, int], Form]] = {
    "sparse x dense": _times_dense,
    "sddmm": _sddmm,
    "sum": _sum,
    "product entry by entry": _entry_by_entry,
    "softmax": _softmax,
    "transpose to CSR": _transpose,
    "sparse x sparse": _product,
    "sparse x sparse fwd+bwd": _gradient_of_product,
}
