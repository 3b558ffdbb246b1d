"""The text and HTML representation of a graph."""

from __future__ import annotations

import html as html_escape
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from gossamer.graph.frame import Frame, Scheme

if TYPE_CHECKING:
    from gossamer.graph.graph import Graph

__all__ = ["html", "html_table", "text"]

_CELL = "padding:.15em .9em .15em 0;text-align:left;vertical-align:top"


def _scheme(scheme: Scheme) -> str:
    dtype = str(scheme.dtype).removeprefix("torch.")
    if not scheme.shape:
        return dtype
    sizes = ", ".join(f"{size}" for size in scheme.shape)
    return f"{dtype} ({sizes}{',' if len(scheme.shape) == 1 else ''})"


def _rows(graph: Graph) -> list[tuple[str, str, str, Frame]]:
    """(heading, type, count, frame) for each node and edge type."""
    schema = graph.schema
    rows = []
    for i, (ntype, frame) in enumerate(zip(schema.ntypes, graph.node_frames, strict=True)):
        heading = "nodes"
        if schema.is_block:
            heading = "src" if i < schema.num_src_ntypes else "dst"
        rows.append((heading, ntype, f"{frame.num_rows:,}", frame))
    for (src, relation, dst), frame in zip(schema.canonical_etypes, graph.edge_frames, strict=True):
        rows.append(("edges", f"{src} -[{relation}]-> {dst}", f"{frame.num_rows:,}", frame))
    return rows


def _plain(graph: Graph) -> bool:
    return (
        len(graph.relations) == 1
        and len(graph.node_frames) <= 2
        and (graph.is_homogeneous or (graph.is_block and graph.etypes == ["_E"]))
    )


def _title(graph: Graph) -> str:
    name = "Block" if graph.is_block else "Graph"
    if not _plain(graph):
        return (
            f"{name}({len(graph.ntypes)} node types, {len(graph.etypes)} edge types{_notes(graph)})"
        )
    if graph.is_block:
        counts = f"num_src_nodes={graph.num_src_nodes():,}, num_dst_nodes={graph.num_dst_nodes():,}"
    else:
        counts = f"num_nodes={graph.num_nodes():,}"
    return f"{name}({counts}, num_edges={graph.num_edges():,}{_notes(graph)})"


def _notes(graph: Graph) -> str:
    notes = ""
    if graph.batch_size != 1:
        notes += f", batch_size={graph.batch_size:,}"
    if str(graph.idtype) != "torch.int64":
        notes += f", idtype={str(graph.idtype).removeprefix('torch.')}"
    if graph.device.type != "cpu":
        notes += f", device='{graph.device}'"
    return notes


def text(graph: Graph) -> str:
    """Counts of nodes and edges, and dtype and row shape of each feature, in aligned lines."""
    lines = [_title(graph)]
    if _plain(graph):
        names = ["srcdata", "dstdata", "edata"] if graph.is_block else ["ndata", "edata"]
        sections = [(n, f) for n, (*_, f) in zip(names, _rows(graph), strict=True) if f]
        head = max((len(name) for name, _ in sections), default=0)
        for name, frame in sections:
            lines += _features(f"  {name.ljust(head)}  ", frame)
        return "\n".join(lines)
    rows = _rows(graph)
    kind = max(len(heading) for heading, *_ in rows)
    width = max(len(name) for _, name, *_ in rows)
    digits = max(len(count) for *_, count, _ in rows)
    before = None
    for heading, name, count, frame in rows:
        shown = "" if heading == before else heading
        before = heading
        start = f"  {shown.ljust(kind)}  {name.ljust(width)}  {count.rjust(digits)}"
        lines += _features(start + "   ", frame) or [start]
    return "\n".join(lines)


def _features(start: str, frame: Frame) -> list[str]:
    schemes = frame.schemes()
    width = max((len(name) for name in schemes), default=0)
    lines = []
    for name, scheme in schemes.items():
        lines.append(f"{start}{name.ljust(width)}  {_scheme(scheme)}")
        start = " " * len(start)
    return lines


def html(graph: Graph) -> str:
    """A small HTML table for notebooks, with counts, degrees, features and device of the graph."""
    plain = _plain(graph) and graph.etypes == ["_E"] and set(graph.ntypes) == {"_N"}
    rows = []
    for i, (heading, name, count, frame) in enumerate(_rows(graph)):
        features = [f"{feature} {_scheme(scheme)}" for feature, scheme in frame.schemes().items()]
        etype = i - len(graph.node_frames)
        degrees = _degrees(graph, etype) if etype >= 0 else []
        row = [heading, count, degrees, features or "–"]
        rows.append(row if plain else [heading, name, *row[1:]])
    head = ["", "count", "degrees", "features"] if plain else _HEAD
    idtype = str(graph.idtype).removeprefix("torch.")
    return html_table(_title(graph), f"ids {idtype}, device {graph.device}", head, rows)


_HEAD = ["", "type", "count", "degrees", "features"]


def html_table(
    title: str, note: str, head: Sequence[str], rows: Iterable[Sequence[str | Sequence[str]]]
) -> str:
    """A small table for notebooks, from plain text; a cell may have several lines."""
    escape = html_escape.escape

    def cell(value: str | Sequence[str]) -> str:
        lines = [value] if isinstance(value, str) else value
        return f'<td style="{_CELL}">{"<br>".join(escape(line) for line in lines)}</td>'

    headings = "".join(f'<th scope="col" style="{_CELL}">{escape(name)}</th>' for name in head)
    body = "".join(f"<tr>{''.join(map(cell, row))}</tr>" for row in rows)
    return (
        f"<div><strong>{escape(title)}</strong><div>{escape(note)}</div>"
        '<div style="overflow-x:auto"><table style="border-collapse:collapse;margin-top:.4em">'
        f"<thead><tr>{headings}</tr></thead><tbody>{body}</tbody></table></div></div>"
    )


def _degrees(graph: Graph, position: int) -> list[str]:
    """Smallest, largest and mean degree at both ends of an edge type."""
    adjacency = graph._adjacencies[position]
    if graph.device.type == "meta" or 0 in (adjacency.num_src, adjacency.num_dst):
        return []
    ends = (("in", adjacency.in_degrees()), ("out", adjacency.out_degrees()))
    return [
        f"{name} {int(d.min()):,} to {int(d.max()):,}, mean {d.double().mean():.3g}"
        for name, d in ends
    ]
