"""Transfer of batches from worker processes without the features of the graph.

The main process has the graph, so a batch contains only the ids of the rows. The rows are read when
the features are first accessed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from torch import Tensor

from gossamer.dataloading.lazy import LazyFeature, map_graphs
from gossamer.graph import Graph
from gossamer.graph.frame import Frame, Gathered
from gossamer.utils import recursive_apply

__all__ = ["pack", "unpack"]


class _Link(NamedTuple):
    """A column that is the rows `index` of a column of the parent; None means all rows."""

    kind: str
    position: int
    name: str
    index: Tensor | None


# For each name in a frame: a link, a placeholder, or None for a column that is sent itself.
_Links = dict[str, _Link | LazyFeature | None]


@dataclass
class _Packed:
    """A graph without its linked features."""

    graph: Graph
    node_links: list[_Links]
    edge_links: list[_Links]


def pack(batch: Any, parent: Any) -> Any:
    """Return the batch with links in place of features of `parent`."""
    if not isinstance(parent, Graph):
        return batch
    known: dict[int, tuple[str, int, str]] = {}
    for kind, frames in (("node", parent.node_frames), ("edge", parent.edge_frames)):
        for position, frame in enumerate(frames):
            for name, column in frame.columns.items():
                known[id(column)] = kind, position, name
    return map_graphs(batch, lambda g: _pack_graph(g, known))


def _pack_graph(g: Graph, known: dict[int, tuple[str, int, str]]) -> Any:
    nodes, node_links = _pack_frames(g.node_frames, known)
    edges, edge_links = _pack_frames(g.edge_frames, known)
    return _Packed(g.replaced(node_frames=nodes, edge_frames=edges), node_links, edge_links)


def _pack_frames(
    frames: Sequence[Frame], known: dict[int, tuple[str, int, str]]
) -> tuple[list[Frame], list[_Links]]:
    packed, links = [], []
    for frame in frames:
        own = {name: _link(column, known) for name, column in frame.columns.items()}
        left = {name: column for name, column in frame.columns.items() if own[name] is None}
        packed.append(frame.with_columns(left))
        links.append(own)
    return packed, links


def _link(column: Any, known: dict[int, tuple[str, int, str]]) -> _Link | LazyFeature | None:
    if isinstance(column, LazyFeature):
        return column
    index = None
    while id(column) not in known:
        if not isinstance(column, Gathered):
            return None
        index = column.index if index is None else column.index.index_select(0, index.long())
        column = column.source
    return _Link(*known[id(column)], index)


def unpack(batch: Any, parent: Any) -> Any:
    """Restore a packed batch; features are read from `parent` when first requested."""
    return recursive_apply(batch, _unpack_graph, parent)


def _unpack_graph(packed: Any, parent: Graph) -> Any:
    if not isinstance(packed, _Packed):
        return packed
    nodes = _unpack_frames(packed.graph.node_frames, packed.node_links, parent)
    edges = _unpack_frames(packed.graph.edge_frames, packed.edge_links, parent)
    return packed.graph.replaced(node_frames=nodes, edge_frames=edges)


def _unpack_frames(frames: Sequence[Frame], links: Sequence[_Links], parent: Graph) -> list[Frame]:
    whole = []
    for frame, own in zip(frames, links, strict=True):
        columns = {}
        for name, link in own.items():
            if link is None:
                columns[name] = frame.columns[name]
                continue
            if isinstance(link, LazyFeature):
                columns[name] = link
                continue
            of_kind = parent.node_frames if link.kind == "node" else parent.edge_frames
            source = of_kind[link.position].columns[link.name]
            columns[name] = source if link.index is None else Gathered(source, link.index)
        whole.append(frame.with_columns(columns))
    return whole
