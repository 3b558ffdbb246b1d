"""Edges by row: CSR and CSC."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

from gossamer.errors import InvalidTypeError
from gossamer.ops import _torch, csr

__all__ = ["Compressed", "check_one_dtype", "contiguous"]


class Compressed(NamedTuple):
    """Rows of neighbors: CSR if rows are sources, CSC if rows are destinations.

    Row ``r`` consists of the slots ``indptr[r]`` to ``indptr[r + 1] - 1``. Slot ``k`` has the
    neighbor ``indices[k]`` and the edge id ``eids[k]``, or ``k`` if `eids` is None.
    """

    indptr: Tensor
    indices: Tensor
    eids: Tensor | None

    def gather_rows(
        self, rows: Tensor, places: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """(i, neighbor, edge id) of each slot in the rows ``rows[i]``, row by row.

        With `places`, each neighbor is replaced by its entry in `places`, and slots with a negative
        entry are left out.
        """
        return csr.gather_rows(*self, rows, places)

    def gather_neighbors(self, rows: Tensor) -> Tensor:
        """The neighbors of `rows`, row by row."""
        return csr.gather_neighbors(self.indptr, self.indices, rows)

    def slot_rows(self) -> Tensor:
        """The row of each slot."""
        return torch.repeat_interleave(self.indptr.diff(), output_size=self.indices.shape[0])

    def expand(self) -> tuple[Tensor, Tensor]:
        """(row, neighbor) of each edge, in the order of edge ids."""
        rows, neighbors = self.slot_rows(), self.indices
        if self.eids is None:
            return rows, neighbors
        position = self.eids.long()
        return (
            torch.empty_like(rows).index_copy_(0, position, rows),
            torch.empty_like(neighbors).index_copy_(0, position, neighbors),
        )


def check_one_dtype(parts: Any, idtype: torch.dtype) -> None:
    """Raise unless all ids of a format have the same dtype: `idtype`, or int32 if they fit."""
    found = {x.dtype for x in parts or () if x is not None}
    if len(found) > 1 or not found <= {idtype, torch.int32}:
        names = ", ".join(sorted(map(str, found)))
        raise InvalidTypeError(f"A structure of {idtype} ids needs one dtype of ids, got {names}.")


def contiguous(parts: Any) -> Any:
    """Return COO, CSR or CSC with contiguous tensors, copied if necessary."""
    if parts is None:
        return None
    if _torch.under_transform():
        csr.refuse_transformed(parts[0], "ids of a graph")
    if all(x is None or x.is_contiguous() for x in parts):
        return parts
    copies = (None if x is None else x.contiguous() for x in parts)
    return Compressed(*copies) if isinstance(parts, Compressed) else tuple(copies)
