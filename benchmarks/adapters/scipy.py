"""The rows of :mod:`benchmarks.sparse` for SciPy and for PyTorch's own sparse tensors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import scipy
import scipy.sparse
import torch
from torch import Tensor

from benchmarks.adapters import Form
from benchmarks.adapters.sparse import by_place
from benchmarks.workload import Sizes, Workload

Inputs = Mapping[str, Tensor]


class Adapter:
    """The rows written for SciPy, entries by row (CSR)."""

    def versions(self) -> dict[str, str]:
        """The releases in use."""
        return {"scipy": scipy.__version__, "numpy": np.__version__}

    def matrices(
        self, row: Workload, inputs: Inputs, sizes: Sizes
    ) -> dict[str, Callable[[], Form]]:
        """The only way to write a row."""
        if row.name not in _ROWS:
            raise LookupError("SciPy has no such operation")
        shape = sizes.nodes, sizes.nodes
        held = {name: value.numpy() for name, value in inputs.items()}
        ends = held["src"], held["dst"]
        first = scipy.sparse.csr_matrix((held["w"], ends), shape)
        second = None
        if "v" in held:
            turned = row.graph == "matrix"
            if turned:
                order = np.lexsort(ends)
                ends = ends[1][order], ends[0][order]
            second = scipy.sparse.csr_matrix((held["v"], ends), shape)
        return {"csr": lambda: _ROWS[row.name](first, second, held)}


def _entries(matrix: Any) -> dict[str, Tensor]:
    row, col, value = (torch.from_numpy(part) for part in scipy.sparse.find(matrix))
    return by_place(row, col, value)


def _matrix_form(call: Callable[[], Any]) -> Form:
    return Form(lambda: {"matrix": call()}, lambda: _entries(call()))


def _dense(call: Callable[[], np.ndarray]) -> Form:
    return Form(lambda: {"out": torch.from_numpy(call())})


def _transpose(held: Mapping[str, np.ndarray]) -> Form:
    def call() -> dict[str, Tensor]:
        ends = held["dst"], held["src"]
        matrix = scipy.sparse.csr_matrix(scipy.sparse.coo_matrix((held["w"], ends)))
        found = {"indptr": matrix.indptr, "indices": matrix.indices, "out": matrix.data}
        return {
            k: torch.from_numpy(v).to(None if k == "out" else torch.int64) for k, v in found.items()
        }

    return Form(call)


_ROWS: dict[str, Callable[[Any, Any, Mapping[str, np.ndarray]], Form]] = {
    "sparse x dense": lambda a, b, held: _dense(lambda: a @ held["x"]),
    "sum": lambda a, b, held: _matrix_form(lambda: a + b),
    "product entry by entry": lambda a, b, held: _matrix_form(lambda: a.multiply(b)),
    "transpose to CSR": lambda a, b, held: _transpose(held),
    "sparse x sparse": lambda a, b, held: _matrix_form(lambda: a @ b),
}
