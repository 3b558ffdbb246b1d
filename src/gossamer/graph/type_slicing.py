"""``g[etype]``: the subgraph of one edge type, or of several merged into one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from gossamer.errors import InvalidValueError, UnknownKeyError
from gossamer.graph.frame import Frame
from gossamer.graph.ids import NID, NTYPE
from gossamer.graph.schema import Schema
from gossamer.ops.adjacency import Adjacency

if TYPE_CHECKING:
    from gossamer.graph.graph import Graph

__all__ = ["Merged", "merge", "slice_types"]


class Merged(NamedTuple):
    """Several relations merged into one, and the positions of the node types on each side."""

    adjacency: Adjacency
    src_positions: list[int]
    dst_positions: list[int]


def merge(graph: Graph, positions: list[int]) -> Merged:
    """Concatenate the edges of several edge types, and the nodes of their types."""
    ends = [graph.schema.endpoints[i] for i in positions]
    src_positions = sorted({src for src, _ in ends})
    dst_positions = sorted({dst for _, dst in ends})
    src_offset, num_src = _offsets(graph, src_positions)
    dst_offset, num_dst = _offsets(graph, dst_positions)
    rows, cols = [], []
    for i, (src, dst) in zip(positions, ends, strict=True):
        row, col = graph.relations[i].coo()
        rows.append(row + src_offset[src])
        cols.append(col + dst_offset[dst])
    coo = torch.cat(rows), torch.cat(cols)
    return Merged(Adjacency(num_src, num_dst, graph.idtype, coo=coo), src_positions, dst_positions)


def _offsets(graph: Graph, positions: list[int]) -> tuple[dict[int, int], int]:
    offsets, total = {}, 0
    for position in positions:
        offsets[position] = total
        total += graph.node_frames[position].num_rows
    return offsets, total


def slice_types(graph: Graph, key: Any) -> Graph:
    """See `Graph.__getitem__`."""
    positions = _matching(graph.schema, key)
    schema = graph.schema
    if len(positions) == 1:
        position = positions[0]
        src, dst = schema.endpoints[position]
        etype = schema.canonical_etypes[position]
        frames = [graph.node_frames[src]]
        if src != dst or schema.is_block:
            frames.append(graph.node_frames[dst])
        return graph.from_parts(
            _schema_of(etype, src == dst, schema.is_block),
            [graph.relations[position]],
            frames,
            [graph.edge_frames[position]],
        )
    adjacency, src_positions, dst_positions = merge(graph, positions)
    etype = (
        "+".join(schema.ntypes[i] for i in src_positions),
        "+".join(sorted(schema.etypes[i] for i in positions)),
        "+".join(schema.ntypes[i] for i in dst_positions),
    )
    same = src_positions == dst_positions and not schema.is_block
    frames = [_concatenate(graph, graph.node_frames, src_positions)]
    if not same:
        frames.append(_concatenate(graph, graph.node_frames, dst_positions))
    edges = _concatenate(graph, graph.edge_frames, positions)
    return graph.from_parts(_schema_of(etype, same, schema.is_block), [adjacency], frames, [edges])


def _schema_of(etype: tuple[str, str, str], same: bool, is_block: bool) -> Schema:
    src, _, dst = etype
    if same and not is_block:
        return Schema((src,), (etype,))
    return Schema((src, dst), (etype,), 1 if is_block else None)


def _matching(schema: Schema, key: Any) -> list[int]:
    if isinstance(key, slice) and key == slice(None):
        key = (slice(None), slice(None), slice(None))
    if isinstance(key, str):
        key = (slice(None), key, slice(None))
    if not isinstance(key, tuple):
        return [schema.etype_id(key)]
    if len(key) != 3:
        raise InvalidValueError(
            "Slice a graph by an edge type, or by (source, relation, destination) with ':' for "
            f"any, got {key!r}."
        )
    for part in key:
        if isinstance(part, slice) and part != slice(None):
            raise InvalidValueError(f"The only slice of types is ':', got {part!r}.")
    wanted = [(i, name) for i, name in enumerate(key) if not isinstance(name, slice)]
    found = [
        position
        for position, etype in enumerate(schema.canonical_etypes)
        if all(etype[i] == name for i, name in wanted)
    ]
    if not found:
        shown = ", ".join(":" if isinstance(part, slice) else repr(part) for part in key)
        raise UnknownKeyError(
            f"No edge type matches ({shown}); there are {list(schema.canonical_etypes)}."
        )
    return found


def _concatenate(graph: Graph, frames: list[Frame], positions: list[int]) -> Frame:
    """The rows of several types, with their common features and their original types and ids."""
    chosen = [frames[i] for i in positions]
    counts = [frame.num_rows for frame in chosen]
    result = Frame(sum(counts), chosen[0].kind)
    for name in chosen[0]:
        if all(name in f and f.scheme(name) == chosen[0].scheme(name) for f in chosen):
            result[name] = torch.cat([frame[name] for frame in chosen])
    form = {"dtype": graph.idtype, "device": graph.device}
    types = torch.tensor(positions, **form)
    result[NTYPE] = types.repeat_interleave(torch.tensor(counts, device=graph.device))
    result[NID] = torch.cat([torch.arange(count, **form) for count in counts])
    return result
