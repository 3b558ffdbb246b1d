"""Validation of the edge data from which graphs are built."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gossamer._options import as_device, integer
from gossamer.errors import InvalidTypeError, InvalidValueError, OutOfRangeError
from gossamer.graph.ids import INT32_MAX, as_id_tensor, check_range, in_idtype
from gossamer.ops._torch import is_exporting
from gossamer.ops.adjacency import Adjacency, Compressed

__all__ = ["EdgeData", "checked_count", "common_idtype", "foreign_edges", "foreign_kind"]


class EdgeData:
    """Checked edges of one relation, before the number of nodes is known.

    `idtype` is the id type that the caller passed, or None. If it is None, `default` is used, which
    is set for graphs of several relations, or else the type of the tensors, which must agree.
    """

    def __init__(
        self,
        data: Any,
        idtype: torch.dtype | None,
        device: Any,
        default: torch.dtype | None = None,
    ) -> None:
        if idtype not in (None, torch.int32, torch.int64):
            raise InvalidTypeError(f"idtype is torch.int32 or torch.int64, got {idtype!r}.")
        self.fmt, arrays = _split(data)
        names = ("source ids", "destination ids")
        if self.fmt != "coo":
            names = ("row pointers", "column ids", "edge ids")
        tensors = [as_id_tensor(x, name) for x, name in zip(arrays, names, strict=True)]
        self._check_agreement(arrays, tensors, same_dtype=idtype is None)
        _refuse_meta(tensors)
        idtype = idtype or default
        if idtype is None:
            given = [t for x, t in zip(arrays, tensors, strict=True) if isinstance(x, Tensor)]
            # torch.tensor([]) is floating-point, so empty tensors count only if all are empty.
            given = [t for t in given if t.numel()] or given
            idtype = given[0].dtype if given else torch.int64
        device = tensors[0].device if device is None else as_device(device)
        # COO tensors are stored, so copy them: the caller may write to the originals later.
        copy = self.fmt == "coo"
        self.tensors = [
            in_idtype(tensor, idtype, name, copy=copy).to(device)
            for tensor, name in zip(tensors, names, strict=True)
        ]
        _refuse_meta(self.tensors)
        self.idtype = idtype
        self.device = self.tensors[0].device
        if self.fmt == "coo":
            self._check_pair()
        else:
            self._check_compressed()

    @staticmethod
    def _check_agreement(arrays: Any, tensors: list[Tensor], same_dtype: bool) -> None:
        given = [
            t for x, t in zip(arrays, tensors, strict=True) if isinstance(x, Tensor) and t.numel()
        ]
        if same_dtype and len({t.dtype for t in given}) > 1:
            raise InvalidTypeError(
                f"All ids need one dtype, got {[t.dtype for t in given]}. Convert one with "
                ".long(), or pass idtype=..."
            )
        if len({t.device for t in given}) > 1:
            raise InvalidValueError(
                f"All ids need one device, got {[str(t.device) for t in given]}. "
                "Move one with .to(...)."
            )

    def _check_pair(self) -> None:
        u, v = self.tensors
        if u.shape != v.shape:
            raise InvalidValueError(
                f"There are {u.shape[0]} source ids and {v.shape[0]} destination ids; "
                "an edge needs one of each."
            )
        self._src_bound, self._dst_bound = _bound(u, "source"), _bound(v, "destination")

    def _check_compressed(self) -> None:
        indptr, indices, eids = self.tensors
        count = indices.shape[0]
        proper = indptr.numel() > 0 and int(indptr[0]) == 0 and int(indptr[-1]) == count
        if not proper or bool((indptr.diff() < 0).any()):
            raise InvalidValueError(
                f"Row pointers must rise from 0 to the number of edges, {count}, "
                "without falling in between."
            )
        if eids.numel() not in (0, count):
            raise InvalidValueError(f"There are {count} edges but {eids.numel()} edge ids.")
        if eids.numel():
            check_range(eids, count, "edges")
            if bool((torch.bincount(eids, minlength=count) != 1).any()):
                raise InvalidValueError("Edge ids must be 0 ... E - 1, each once.")
        rows, columns = indptr.shape[0] - 1, _bound(indices, "column")
        by_src = self.fmt == "csr"
        self._src_bound, self._dst_bound = (rows, columns) if by_src else (columns, rows)

    def num_src(self) -> int:
        """Smallest number of source nodes that the edges allow."""
        return self._src_bound

    def num_dst(self) -> int:
        """Smallest number of destination nodes that the edges allow."""
        return self._dst_bound

    def num_nodes(self) -> int:
        """Smallest number of nodes that the edges allow if both ends have the same type."""
        return max(self._src_bound, self._dst_bound)

    def adjacency(self, num_src: int, num_dst: int) -> Adjacency:
        """The edges between `num_src` source and `num_dst` destination nodes."""
        if self.fmt == "coo":
            return Adjacency(num_src, num_dst, self.idtype, coo=tuple(self.tensors))
        indptr, indices, eids = self.tensors
        rows = num_src if self.fmt == "csr" else num_dst
        padding = indptr.new_full((rows + 1 - indptr.shape[0],), indices.shape[0])
        compact = torch.int32
        if max(num_src, num_dst, indices.shape[0]) >= INT32_MAX:
            compact = torch.int64
        compressed = Compressed(
            torch.cat([indptr, padding]).to(compact),
            indices.to(compact, copy=True),
            eids.to(compact, copy=True) if eids.numel() else None,
        )
        return Adjacency(num_src, num_dst, self.idtype, **{self.fmt: compressed})


def _refuse_meta(tensors: list[Tensor]) -> None:
    """Raise if a tensor has no values."""
    # Only tensors of the class itself: subclasses may store values elsewhere.
    if any(type(x) is Tensor and x.is_meta and x.numel() for x in tensors):
        raise InvalidValueError(
            "A graph cannot be built on the meta device, which stores no ids. "
            'Build it on the CPU, then move it with .to("meta").'
        )


def _bound(ids: Tensor, what: str) -> int:
    """One more than the largest id; raise an error for negative ids."""
    if is_exporting() or ids.numel() == 0:
        return 0  # the ids of an exported program are known only when it runs
    low, high = torch.aminmax(ids)
    if low < 0:
        raise OutOfRangeError(f"A {what} id cannot be negative, got {int(low)}.")
    return int(high) + 1


def _split(data: Any) -> tuple[str, Any]:
    """(format, arrays) of edge data."""
    if isinstance(data, tuple) and len(data) == 2 and isinstance(data[0], str):
        fmt, arrays = data
        if fmt not in ("coo", "csr", "csc"):
            raise InvalidValueError(f"Edge data is 'coo', 'csr' or 'csc', got {fmt!r}.")
        if not isinstance(arrays, (tuple, list)) or len(arrays) != (2 if fmt == "coo" else 3):
            wanted = "(u, v)" if fmt == "coo" else "(indptr, indices, edge_ids)"
            raise InvalidValueError(f"Edge data in {fmt!r} is {wanted}.")
        return fmt, arrays
    if isinstance(data, Tensor) and data.dim() == 2 and data.shape[0] == 2:
        return "coo", (data[0], data[1])
    if isinstance(data, tuple) and len(data) == 2:
        return "coo", data
    if isinstance(data, list):
        data = [pair.tolist() if _is_array_pair(pair) else pair for pair in data]
        if any(not isinstance(pair, (tuple, list)) or len(pair) != 2 for pair in data):
            raise InvalidValueError(
                "A list of edges holds (source, destination) pairs. "
                "For two lists of ids, pass a tuple: ([0, 1], [1, 2])."
            )
        return "coo", ([u for u, _ in data], [v for _, v in data])
    raise InvalidTypeError(
        "Edge data is (u, v), a list of pairs, or ('coo' | 'csr' | 'csc', arrays); "
        f"got {type(data).__name__}."
    )


def _is_array_pair(pair: Any) -> bool:
    """Whether an item of a list of edges is a tensor or array of two numbers, that is, an edge."""
    return isinstance(pair, (Tensor, np.ndarray)) and tuple(pair.shape) == (2,)


def foreign_kind(data: Any) -> str | None:
    """ "networkx" or "scipy" if `data` is a graph or matrix of that package."""
    kind = type(data).__module__.partition(".")[0]
    return kind if kind in ("networkx", "scipy") else None


def foreign_edges(data: Any) -> tuple[tuple[Any, Any], int]:
    """Edge data and number of nodes of a networkx graph or a scipy matrix."""
    if foreign_kind(data) == "networkx":
        from gossamer.interop import from_networkx

        data = from_networkx(data)
        return data.edges(), data.num_nodes()
    if not hasattr(data, "tocoo"):
        raise InvalidTypeError(
            f"A graph can be built from a sparse matrix, got {type(data).__name__}."
        )
    matrix = data.tocoo()
    return (matrix.row, matrix.col), max(matrix.shape)


def checked_count(count: Any, least: int, what: str) -> int:
    """`count` as an int that is at least `least`, the number of nodes that the edges imply."""
    number = integer(count)
    if number is None:
        raise InvalidTypeError(f"{what} must be an int, got {count!r}.")
    count = number
    if not 0 <= count < 2**63:
        wrong = "cannot be negative" if count < 0 else "does not fit 64 bits"
        raise InvalidValueError(f"{what} {wrong}, got {count}.")
    if count < least:
        raise InvalidValueError(
            f"{what} is {count}, but the edges name node {least - 1}. It must be at least {least}."
        )
    return count


def common_idtype(parts: Any) -> torch.dtype:
    """int32 if there are tensors of ids and all of them are int32, otherwise int64.

    Empty tensors count only if all are empty, and then only those of an id type, because the
    default dtype of empty tensors is floating-point.
    """
    filled, empty = set(), set()
    for data in parts:
        named = isinstance(data, tuple) and len(data) == 2 and isinstance(data[0], str)
        arrays = data[1] if named else data
        single = getattr(arrays, "ndim", 1) == 0
        if isinstance(arrays, list) or single or not isinstance(arrays, Iterable):
            continue  # lists of pairs become int64, and EdgeData reports anything else
        for x in arrays:
            if isinstance(x, Tensor):
                (filled if x.numel() else empty).add(x.dtype)
    found = filled or empty & {torch.int32, torch.int64}
    return torch.int32 if found == {torch.int32} else torch.int64
