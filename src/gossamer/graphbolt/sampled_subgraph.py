"""Sampled subgraphs: the sampled edges as CSC, and the ids of their nodes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from gossamer._options import shown
from gossamer.errors import InvalidTypeError, InvalidValueError
from gossamer.graphbolt.types import ByType, etype_str_to_tuple, map_by_type, value_of_type
from gossamer.kernels.rows import row_starts

__all__ = ["CSCFormatBase", "SampledSubgraph", "SampledSubgraphImpl"]


@dataclass
class CSCFormatBase:
    """Compressed columns: column ``j`` has the rows ``indices[indptr[j]:indptr[j + 1]]``.

    Parameters
    ----------
    indptr : Tensor
        ``(N + 1,)``.
    indices : Tensor
        ``(E,)``.

    Raises
    ------
    InvalidValueError
        If `indptr` is not one-dimensional or does not end at the number of indices.

    Examples
    --------
    >>> import gossamer.graphbolt as gb, torch
    >>> gb.CSCFormatBase(torch.tensor([0, 1, 3]), torch.tensor([4, 5, 6])).num_edges()
    3
    """

    indptr: Tensor
    indices: Tensor

    def __post_init__(self) -> None:
        if self.indptr.dim() != 1 or len(self.indptr) == 0:
            raise InvalidValueError(
                f"CSCFormatBase: indptr must have shape (N + 1,), got {tuple(self.indptr.shape)}."
            )
        if int(self.indptr[-1]) != len(self.indices):
            raise InvalidValueError(
                f"CSCFormatBase: indptr ends at {int(self.indptr[-1])}, but there are "
                f"{len(self.indices)} indices."
            )

    def num_edges(self) -> int:
        """Number of indices."""
        return len(self.indices)

    def num_rows(self) -> int:
        """The largest index plus 1."""
        return int(self.indices.max()) + 1 if len(self.indices) else 0

    def columns(self) -> Tensor:
        """The column of each index."""
        counts = self.indptr.diff()
        columns = torch.arange(len(counts), dtype=self.indices.dtype, device=self.indices.device)
        return columns.repeat_interleave(counts, output_size=len(self.indices))

    def apply(self, function: Callable[[Tensor], Tensor]) -> CSCFormatBase:
        """Apply a function to both tensors."""
        return CSCFormatBase(function(self.indptr), function(self.indices))

    def to(self, device: torch.device | str, non_blocking: bool = False) -> CSCFormatBase:
        """Return a copy on a device."""
        return self.apply(lambda x: x.to(device, non_blocking=non_blocking))

    def pin_memory(self) -> CSCFormatBase:
        """Return a copy in pinned memory."""
        return self.apply(lambda x: x.pin_memory())

    def is_pinned(self) -> bool:
        """Whether both tensors are in pinned memory."""
        return self.indptr.is_pinned() and self.indices.is_pinned()


CSC = CSCFormatBase | dict[str, CSCFormatBase]


class SampledSubgraph:
    """The sampled edges of one layer.

    Attributes
    ----------
    sampled_csc : CSCFormatBase or dict of str to CSCFormatBase
        The edges by destination. Indices are positions in `original_row_node_ids`, columns are
        positions in `original_column_node_ids`; if these are None, they are ids of the graph.
    original_column_node_ids, original_row_node_ids : Tensor or dict of Tensor, optional
        Ids of destination and source nodes in the graph.
    original_edge_ids : Tensor or dict of Tensor, optional
        Ids of the edges in the graph.
    """

    sampled_csc: CSC
    original_column_node_ids: ByType | None
    original_row_node_ids: ByType | None
    original_edge_ids: ByType | None

    def exclude_edges(
        self,
        edges: ByType,
        assume_num_node_within_int32: bool = True,
        async_op: bool = False,
    ) -> Any:
        """Return the subgraph without the edges between given pairs of nodes.

        Parameters
        ----------
        edges : Tensor or dict of Tensor
            ``(N, 2)``, the ids of source and destination in the graph.
        assume_num_node_within_int32 : bool
            Ignored: pairs are compared in 64 bits.
        async_op : bool
            Whether to return an object whose ``wait()`` returns the result.

        Returns
        -------
        SampledSubgraphImpl

        Examples
        --------
        >>> import gossamer.graphbolt as gb, torch
        >>> subgraph = gb.SampledSubgraphImpl(
        ...     sampled_csc=gb.CSCFormatBase(torch.tensor([0, 1, 2]), torch.tensor([0, 1])),
        ...     original_column_node_ids=torch.tensor([10, 11]),
        ...     original_row_node_ids=torch.tensor([20, 21]),
        ... )
        >>> subgraph.exclude_edges(torch.tensor([[21, 11]])).sampled_csc.indices
        tensor([0])
        """
        rows, columns = self.original_row_node_ids, self.original_column_node_ids
        if isinstance(self.sampled_csc, dict):
            csc, eids = {}, {}
            for etype, part in self.sampled_csc.items():
                src, _, dst = etype_str_to_tuple(etype)
                ends = value_of_type(rows, src), value_of_type(columns, dst)
                ids = value_of_type(self.original_edge_ids, etype)
                csc[etype], ids = _without(part, *ends, ids, edges.get(etype))
                if ids is not None:
                    eids[etype] = ids
            eids = eids or None
        else:
            csc, eids = _without(self.sampled_csc, rows, columns, self.original_edge_ids, edges)
        result = SampledSubgraphImpl(csc, columns, rows, eids)
        return Done(result) if async_op else result

    def edge_index(self) -> Tensor:
        """Source and destination positions of all edges, ``(2, E)``; homogeneous graphs only."""
        if isinstance(self.sampled_csc, dict):
            raise InvalidValueError("edge_index: the subgraph is heterogeneous.")
        return torch.stack([self.sampled_csc.indices, self.sampled_csc.columns()])

    def to_pyg(self, x: Any) -> tuple[Any, Any, Any]:
        """Return ``((x, x of the destinations), edge_index, size)`` for layers of PyG.

        Parameters
        ----------
        x : Tensor or dict of Tensor
            Features of the source nodes.
        """
        if not isinstance(self.sampled_csc, dict):
            count = len(self.original_column_node_ids)
            size = (len(self.original_row_node_ids), count)
            return (x, x[:count]), self.edge_index(), size
        edge_index, size = {}, {}
        for etype, part in self.sampled_csc.items():
            src, relation, dst = etype_str_to_tuple(etype)
            if dst not in self.original_column_node_ids:
                continue  # an edge type without destinations
            edge_index[src, relation, dst] = torch.stack([part.indices, part.columns()])
            rows, cols = self.original_row_node_ids[src], self.original_column_node_ids[dst]
            size[src, relation, dst] = (len(rows), len(cols))
        targets = {t: x[t][: len(ids)] for t, ids in self.original_column_node_ids.items()}
        return (x, targets), edge_index, size

    def apply(self, function: Callable[[Tensor], Tensor]) -> SampledSubgraphImpl:
        """Apply a function to every tensor."""
        return SampledSubgraphImpl(
            map_by_type(lambda part: part.apply(function), self.sampled_csc),
            map_by_type(function, self.original_column_node_ids),
            map_by_type(function, self.original_row_node_ids),
            map_by_type(function, self.original_edge_ids),
        )

    def to(self, device: torch.device | str, non_blocking: bool = False) -> SampledSubgraphImpl:
        """Return the subgraph on a device."""
        return self.apply(lambda x: x.to(device, non_blocking=non_blocking))

    def pin_memory(self) -> SampledSubgraphImpl:
        """Return the subgraph in pinned memory."""
        return self.apply(lambda x: x.pin_memory())

    def is_pinned(self) -> bool:
        """Whether all tensors are in pinned memory."""
        parts = self.sampled_csc
        return all(
            part.is_pinned() for part in (parts.values() if isinstance(parts, dict) else [parts])
        )


@dataclass
class SampledSubgraphImpl(SampledSubgraph):
    """A sampled subgraph with the given attributes; see `SampledSubgraph`.

    Examples
    --------
    >>> import gossamer.graphbolt as gb, torch
    >>> csc = gb.CSCFormatBase(torch.tensor([0, 1]), torch.tensor([0]))
    >>> gb.SampledSubgraphImpl(csc, torch.tensor([7]), torch.tensor([3])).original_row_node_ids
    tensor([3])
    """

    sampled_csc: CSC | None = None
    original_column_node_ids: ByType | None = None
    original_row_node_ids: ByType | None = None
    original_edge_ids: ByType | None = None


class Done:
    """The result of a completed asynchronous operation."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def wait(self) -> Any:
        """Return the result."""
        return self._value


def _without(
    csc: CSCFormatBase,
    rows: Tensor | None,
    columns: Tensor | None,
    ids: Tensor | None,
    edges: Any,
) -> tuple[CSCFormatBase, Tensor | None]:
    """Return edges and their ids without the edges between given pairs of nodes."""
    kept = _kept_edges(csc, rows, columns, edges)
    if kept is None:
        return csc, ids
    before = row_starts(kept).to(csc.indptr.dtype)
    rest = CSCFormatBase(before[csc.indptr.long()], csc.indices[kept])
    return rest, None if ids is None else ids[kept]


def _kept_edges(
    csc: CSCFormatBase, rows: Tensor | None, columns: Tensor | None, edges: Tensor | None
) -> Tensor | None:
    """Return a mask of the edges that are not among the pairs; None if all are kept."""
    if isinstance(edges, tuple) and len(edges) == 2 and all(isinstance(x, Tensor) for x in edges):
        edges = torch.stack(edges, 1)
    if edges is None:
        return None
    if not isinstance(edges, Tensor) or edges.dim() != 2 or edges.shape[1] != 2:
        shape = f"shape {tuple(edges.shape)}" if isinstance(edges, Tensor) else shown(edges)
        raise InvalidTypeError(f"Edges to exclude are a tensor of shape (n, 2), got {shape}.")
    if len(edges) == 0:
        return None
    if edges.dtype not in (torch.int32, torch.int64):
        raise InvalidTypeError(
            f"Edges to exclude are pairs of ids, int32 or int64, got {edges.dtype}."
        )
    src = csc.indices if rows is None else rows[csc.indices.long()]
    dst = csc.columns()
    dst = dst if columns is None else columns[dst.long()]
    pairs = torch.stack([src, dst], 1).long()
    width = max(int(edges[:, 1].max()), int(pairs[:, 1].max()) if len(pairs) else 0) + 1
    if max(int(edges[:, 0].max()), int(pairs[:, 0].max()) if len(pairs) else 0) >= 2**62 // width:
        return ~(pairs[:, None] == edges[None]).all(2).any(1)
    weights = torch.tensor([width, 1], device=pairs.device)
    return ~torch.isin((pairs * weights).sum(1), (edges.long() * weights).sum(1))
