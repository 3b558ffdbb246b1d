"""Conversion of ids of the graph to positions among the nodes of a batch."""

from __future__ import annotations

import itertools
from typing import Any

import torch
from torch import Tensor

from gossamer._options import shown
from gossamer.errors import InvalidTypeError, InvalidValueError, OutOfRangeError
from gossamer.graphbolt.sampled_subgraph import CSC, CSCFormatBase, Done
from gossamer.graphbolt.types import ByType, etype_str_to_tuple
from gossamer.sampling import _core

__all__ = ["compact_csc_format", "unique_and_compact", "unique_and_compact_csc_formats"]


def unique_and_compact(
    nodes: list[Tensor] | dict[str, list[Tensor]],
    rank: int = 0,
    world_size: int = 1,
    async_op: bool = False,
) -> Any:
    """Find the distinct ids of several tensors and replace each id by its position among them.

    Parameters
    ----------
    nodes : list of Tensor or dict of str to list of Tensor
        Ids, by node type in a heterogeneous graph.
    rank, world_size : int
        Ignored: ids are not divided among processes.
    async_op : bool
        Whether to return an object whose ``wait()`` returns the result.

    Returns
    -------
    unique : Tensor or dict of str to Tensor
        The distinct ids in the order in which they first appear.
    compacted : list of Tensor or dict of str to list of Tensor
        The positions.

    Examples
    --------
    >>> import gossamer.graphbolt as gb, torch
    >>> gb.unique_and_compact([torch.tensor([5, 3, 5]), torch.tensor([7, 3])])
    (tensor([5, 3, 7]), [tensor([0, 1, 0]), tensor([2, 1])])
    """
    if isinstance(nodes, dict):
        unique, places, _ = _number(list(nodes.values()))
        result = dict(zip(nodes, unique, strict=True)), dict(zip(nodes, places, strict=True))
    else:
        unique, places, _ = _number([nodes])
        result = unique[0], places[0]
    return Done(result) if async_op else result


def _number(lists: list[list[Tensor]]) -> tuple[list[Tensor], list[list[Tensor]], list[int]]:
    """Number the ids of each type; see `_core.number_nodes`."""
    dtypes = set()
    for part in itertools.chain.from_iterable(lists):
        integers = isinstance(part, Tensor) and part.dtype in (torch.int32, torch.int64)
        if not integers or part.dim() != 1:
            raise InvalidTypeError(
                "Ids to compact are int32 or int64 tensors of one dimension, got "
                f"{part.dtype if isinstance(part, Tensor) else shown(part)}."
            )
        dtypes.add(part.dtype)
    dtype = dtypes.pop() if len(dtypes) == 1 else torch.int64
    lists = [[part.to(dtype).contiguous() for part in parts] for parts in lists]
    return _core.number_nodes(lists, [_limit(parts) for parts in lists])


def _limit(parts: list[Tensor]) -> int:
    """Return the largest id plus one."""
    limit = 0
    for part in parts:
        if len(part):
            least, most = (int(end) for end in part.aminmax())
            if least < 0:
                raise OutOfRangeError(f"Ids to compact are not negative, got {least}.")
            limit = max(limit, most + 1)
    return limit


def unique_and_compact_csc_formats(
    csc_formats: CSC,
    unique_dst_nodes: ByType,
    rank: int = 0,
    world_size: int = 1,
    async_op: bool = False,
) -> Any:
    """Replace ids by positions among the distinct nodes, of which destinations come first.

    Parameters
    ----------
    csc_formats : CSCFormatBase or dict of str to CSCFormatBase
        Sampled edges with ids of the graph as indices.
    unique_dst_nodes : Tensor or dict of str to Tensor
        The destination nodes, each once.
    rank, world_size : int
        Ignored: ids are not divided among processes.
    async_op : bool
        Whether to return an object whose ``wait()`` returns the result.

    Raises
    ------
    InvalidValueError
        If a destination node occurs more than once.

    Returns
    -------
    unique_nodes : Tensor or dict of str to Tensor
        Destination nodes, then the other source nodes in the order in which they first appear.
    compacted : CSCFormatBase or dict of str to CSCFormatBase
        Indices are positions among them.

    Examples
    --------
    >>> import gossamer.graphbolt as gb, torch
    >>> csc = gb.CSCFormatBase(torch.tensor([0, 2, 3]), torch.tensor([5, 6, 7]))
    >>> nodes, compacted = gb.unique_and_compact_csc_formats(csc, torch.tensor([6, 8]))
    >>> nodes, compacted.indices
    (tensor([6, 8, 5, 7]), tensor([2, 0, 3]))
    """
    if isinstance(csc_formats, dict):
        result = _compact_types(csc_formats, unique_dst_nodes)
    else:
        unique, places, first = _number([[unique_dst_nodes, csc_formats.indices]])
        _check_unique(first[0], len(unique_dst_nodes), "")
        result = unique[0], CSCFormatBase(csc_formats.indptr, places[0][1])
    return Done(result) if async_op else result


def _compact_types(
    csc_formats: dict[str, CSCFormatBase], dst_nodes: dict[str, Tensor]
) -> tuple[dict[str, Tensor], dict[str, CSCFormatBase]]:
    lists: dict[str, list[Tensor]] = {ntype: [ids] for ntype, ids in dst_nodes.items()}
    where = {}
    for etype, csc in csc_formats.items():
        src = etype_str_to_tuple(etype)[0]
        # The first list of a type holds its destinations, of which there may be none.
        parts = lists.setdefault(src, [csc.indices[:0]])
        where[etype] = src, len(parts)
        parts.append(csc.indices)
    unique, places, first = _number(list(lists.values()))
    for (ntype, parts), distinct in zip(lists.items(), first, strict=True):
        _check_unique(distinct, len(parts[0]), f" of type {ntype!r}")
    places_of = dict(zip(lists, places, strict=True))
    compacted = {
        etype: CSCFormatBase(csc_formats[etype].indptr, places_of[src][position])
        for etype, (src, position) in where.items()
    }
    return dict(zip(lists, unique, strict=True)), compacted


def _check_unique(distinct: int, count: int, of_type: str) -> None:
    if distinct < count:
        raise InvalidValueError(
            f"Only {distinct} of the {count} destination nodes{of_type} are different, but each is "
            "to be computed once. Take seeds that are unique in a batch, or sample with "
            "deduplicate=False."
        )


def compact_csc_format(
    csc_formats: CSC, dst_nodes: ByType, dst_timestamps: ByType | None = None
) -> tuple[Any, ...]:
    """Replace ids by positions, with a separate source node for each edge.

    Temporal samplers use this: a node at two times counts as two nodes.

    Parameters
    ----------
    csc_formats : CSCFormatBase or dict of str to CSCFormatBase
        Sampled edges with ids of the graph as indices.
    dst_nodes : Tensor or dict of str to Tensor
        The destination nodes.
    dst_timestamps : Tensor or dict of str to Tensor, optional
        Their times.

    Returns
    -------
    original_row_ids : Tensor or dict of str to Tensor
        Destination nodes, then the source node of each edge.
    compacted : CSCFormatBase or dict of str to CSCFormatBase
        Indices are positions among them.
    timestamps : Tensor or dict of str to Tensor
        Only with `dst_timestamps`: the time of each row, which is that of its destination.

    Examples
    --------
    >>> import gossamer.graphbolt as gb, torch
    >>> csc = gb.CSCFormatBase(torch.tensor([0, 2, 3]), torch.tensor([5, 6, 6]))
    >>> rows, compacted = gb.compact_csc_format(csc, torch.tensor([6, 8]))
    >>> rows, compacted.indices
    (tensor([6, 8, 5, 6, 6]), tensor([2, 3, 4]))
    """
    if not isinstance(csc_formats, dict):
        rows = torch.cat([dst_nodes, csc_formats.indices])
        compacted = _one_row_per_edge(csc_formats, len(dst_nodes))
        if dst_timestamps is None:
            return rows, compacted
        later = dst_timestamps[csc_formats.columns().long()]
        return rows, compacted, torch.cat([dst_timestamps, later])
    rows = {ntype: [ids] for ntype, ids in dst_nodes.items()}
    times = {ntype: [ids] for ntype, ids in (dst_timestamps or {}).items()}
    compacted = {}
    for etype, csc in csc_formats.items():
        src, _, dst = etype_str_to_tuple(etype)
        before = sum(len(part) for part in rows.setdefault(src, []))
        compacted[etype] = _one_row_per_edge(csc, before)
        rows[src].append(csc.indices)
        if dst_timestamps is not None:
            none = next(iter(dst_timestamps.values()))[:0]
            later = dst_timestamps.get(dst, none)[csc.columns().long()]
            times.setdefault(src, []).append(later)
    rows = {ntype: torch.cat(parts) for ntype, parts in rows.items()}
    if dst_timestamps is None:
        return rows, compacted
    return rows, compacted, {ntype: torch.cat(parts) for ntype, parts in times.items()}


def _one_row_per_edge(csc: CSCFormatBase, first: int) -> CSCFormatBase:
    indices = torch.arange(
        first, first + csc.num_edges(), dtype=csc.indices.dtype, device=csc.indices.device
    )
    return CSCFormatBase(csc.indptr, indices)
