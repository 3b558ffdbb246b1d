"""Batches: many graphs in one, with the sizes needed to separate them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from gossamer._options import as_int
from gossamer.errors import InvalidTypeError, InvalidValueError, OutOfRangeError
from gossamer.graph.arguments import feature_names, require_graph
from gossamer.graph.frame import Frame, columns_of
from gossamer.graph.graph import Graph
from gossamer.graph.ids import ALL, EID, NID
from gossamer.ops.adjacency import Adjacency

__all__ = ["batch", "slice_batch", "unbatch"]


def batch(graphs: Iterable[Graph], ndata: Any = ALL, edata: Any = ALL) -> Graph:
    """Combine graphs into one graph whose parts are not connected.

    Parameters
    ----------
    graphs : list of Graph
        Graphs with the same types, id type and device. A batch is treated as the graphs in it.
    ndata, edata : list of str, None, or ALL
        Node and edge features to keep: those listed, none, or all. A feature must have the same row
        shape and dtype in all graphs.

    Returns
    -------
    Graph
        A graph whose nodes and edges are in the order of `graphs`; :meth:`Graph.batch_num_nodes`
        and :meth:`Graph.batch_num_edges` return the sizes.

    Raises
    ------
    InvalidTypeError
        If `graphs` is not a list of graphs.
    InvalidValueError
        If there is no graph, or types, features, id types or devices differ.

    Examples
    --------
    >>> import gossamer as gs
    >>> bg = gs.batch([gs.graph(([0], [1])), gs.graph(([0, 1], [1, 2]))])
    >>> bg.batch_num_nodes(), bg.edges()
    (tensor([2, 3]), (tensor([0, 2, 3]), tensor([1, 3, 4])))
    """
    if not isinstance(graphs, Iterable) or isinstance(graphs, Tensor):
        raise InvalidTypeError(f"batch takes a list of graphs, got {type(graphs).__name__}.")
    graphs = list(graphs)
    _check_alike(graphs)
    first = graphs[0]
    schema = first.schema
    form = {"dtype": torch.int64, "device": first.device}
    # Group the parts by type once: each pass over many small graphs takes noticeable time.
    relations = list(zip(*[graph._adjacencies for graph in graphs], strict=True))
    node_parts = list(zip(*[graph._node_frames for graph in graphs], strict=True))
    edge_parts = list(zip(*[graph._edge_frames for graph in graphs], strict=True))
    counts = [[frame.num_rows for frame in part] for part in node_parts]
    edge_counts = [[frame.num_rows for frame in part] for part in edge_parts]
    sizes = [torch.tensor(own, **form) for own in counts]
    edge_sizes = [torch.tensor(own, **form) for own in edge_counts]
    offsets = [(size.cumsum(0) - size).to(first.idtype) for size in sizes]
    adjacencies = []
    for i, (src, dst) in enumerate(schema.endpoints):
        coo = _side_by_side(relations[i], edge_sizes[i], offsets[src], offsets[dst])
        shape = sum(counts[src]), sum(counts[dst])
        adjacencies.append(Adjacency(*shape, first.idtype, coo=coo))
    node_frames = [
        _join(part, own, ndata, f"node type '{name}'")
        for part, own, name in zip(node_parts, counts, schema.ntypes, strict=True)
    ]
    edge_frames = [
        _join(part, own, edata, f"edge type {name}")
        for part, own, name in zip(edge_parts, edge_counts, schema.canonical_etypes, strict=True)
    ]
    result = Graph.from_parts(schema, adjacencies, node_frames, edge_frames)
    inner_nodes = [graph._batch_num_nodes for graph in graphs]
    inner_edges = [graph._batch_num_edges for graph in graphs]
    result._batch_num_nodes = {
        name: _inner_sizes(inner_nodes, name, sizes[i]).to(first.idtype)
        for name, i in schema.ntype_ids.items()
    }
    result._batch_num_edges = {
        etype: _inner_sizes(inner_edges, etype, edge_sizes[i]).to(first.idtype)
        for i, etype in enumerate(schema.canonical_etypes)
    }
    return result


def _side_by_side(
    relations: Sequence[Adjacency], counts: Tensor, src: Tensor, dst: Tensor
) -> tuple[Tensor, Tensor]:
    """The ends of all edges, offset by the number of nodes of the graphs before."""
    ends = [relation.coo() for relation in relations]
    both = torch.cat([*[row for row, _ in ends], *[col for _, col in ends]])
    total = len(both) // 2
    offset = src.repeat_interleave(counts, output_size=total)
    row, col = both[:total], both[total:]
    row.add_(offset)
    col.add_(offset if dst is src else dst.repeat_interleave(counts, output_size=total))
    return row, col


def _inner_sizes(inner: list[Mapping[Any, Tensor] | None], key: Any, sizes: Tensor) -> Tensor:
    """The size of each graph, or of the graphs in it if it is a batch, which has `inner` sizes."""
    if not any(inner):
        return sizes
    pieces = [
        sizes[i : i + 1] if value is None else value[key].to(sizes.dtype)
        for i, value in enumerate(inner)
    ]
    return torch.cat(pieces)


def _check_alike(graphs: list[Graph]) -> None:
    if not graphs:
        raise InvalidValueError("There is no graph to batch; the list is empty.")
    for kind in set(map(type, graphs)):
        if not issubclass(kind, Graph):
            number = [type(graph) for graph in graphs].index(kind)
            raise InvalidTypeError(
                f"batch takes a list of graphs; element {number} is of type {kind.__name__}."
            )
    first = graphs[0]
    relations = [graph._adjacencies[0] for graph in graphs]
    if (
        len({id(graph._schema) for graph in graphs}) == 1
        and len({relation.idtype for relation in relations}) == 1
        and len({relation.device for relation in relations}) == 1
    ):
        return
    # The slow check finds what differs.
    for i, graph in enumerate(graphs):
        for what, value, wanted in (
            ("types", graph.schema, first.schema),
            ("id type", graph.idtype, first.idtype),
            ("device", graph.device, first.device),
        ):
            if value is not wanted and value != wanted:
                raise InvalidValueError(
                    f"Graphs of a batch need the same {what}: graph {i} has {value}, "
                    f"graph 0 has {wanted}."
                )


def _join(frames: Sequence[Frame], counts: Sequence[int], wanted: Any, where: str) -> Frame:
    """One frame with the rows of all frames."""
    result = Frame(sum(counts), frames[0].kind)
    if wanted is None:
        return result
    everything = isinstance(wanted, str) and wanted == ALL
    numbers: Sequence[int] = range(len(frames))
    if everything and 0 in counts:  # frames without rows need not have the features
        numbers = [i for i in numbers if counts[i]] or [0]
        frames = [frames[i] for i in numbers]
    names = list(frames[0]) if everything else feature_names(wanted, "batch: the features to keep")
    columns = columns_of(frames)
    if everything and set(map(len, columns)) != {len(names)}:
        _raise_different_names(frames, numbers, names, everything, where)
    for name in names:
        try:
            parts = [own[name] for own in columns]
        except KeyError:
            _raise_different_names(frames, numbers, names, everything, where)
            raise
        if set(map(type, parts)) != {Tensor}:
            parts = [frame[name] for frame in frames]  # gathers those that are not yet
        # torch.cat promotes dtypes, skips empty vectors, and refuses all other differences.
        if len({x.dtype for x in parts}) > 1 or len(set(map(Tensor.dim, parts))) > 1:
            _raise_different_schemes(frames, numbers, name, where)
        try:
            result[name] = torch.cat(parts)
        except RuntimeError:
            _raise_different_schemes(frames, numbers, name, where)
            raise
    return result


def _raise_different_names(
    frames: Sequence[Frame], numbers: Sequence[int], names: list[str], everything: bool, where: str
) -> None:
    """Raise an error for the first frame that lacks a feature or has an additional one."""
    for i, frame in zip(numbers, frames, strict=True):
        missing = [name for name in names if name not in frame]
        extra = [name for name in frame if name not in names] if everything else []
        if missing or extra:
            raise InvalidValueError(
                f"Graphs of a batch need the same features on {where}: graph {i} has "
                f"{list(frame)}, expected {names}. Choose features with ndata=[...] or edata=[...]."
            )


def _raise_different_schemes(
    frames: Sequence[Frame], numbers: Sequence[int], name: str, where: str
) -> None:
    """Raise an error for the first frame whose feature differs in row shape or dtype."""
    scheme = frames[0].scheme(name)
    for i, frame in zip(numbers, frames, strict=True):
        if frame.scheme(name) != scheme:
            raise InvalidValueError(
                f"Feature {name!r} on {where} differs between graphs: graph {i} has "
                f"{tuple(frame.scheme(name))}, graph {numbers[0]} has {tuple(scheme)}."
            )


def unbatch(
    g: Graph,
    node_split: Tensor | Mapping[str, Tensor] | None = None,
    edge_split: Tensor | Mapping[Any, Tensor] | None = None,
) -> list[Graph]:
    """Split a batch into its graphs.

    Parameters
    ----------
    g : Graph
        A batch or, if splits are given, any graph that consists of consecutive unconnected parts.
    node_split, edge_split : Tensor or dict of Tensor, optional
        Number of nodes and of edges in each graph; a dict by type if there are several types.
        Default: the batch sizes of `g`.

    Returns
    -------
    list of Graph
        The graphs, whose features are views of those of the batch.

    Raises
    ------
    InvalidValueError
        If `g` is a batch of blocks, the splits do not add up, or an edge joins two of the graphs.

    Examples
    --------
    >>> import gossamer as gs
    >>> bg = gs.batch([gs.graph(([0], [1])), gs.graph(([0, 1], [1, 2]))])
    >>> [graph.num_nodes() for graph in gs.unbatch(bg)]
    [2, 3]
    """
    require_graph(g, "unbatch")
    schema = g.schema
    if schema.is_block:
        raise InvalidValueError("Batches of blocks cannot be split; unbatch their inputs.")
    sorted_schema, order = schema.by_name()  # as in DGL
    g = g.replaced()
    if node_split is not None:
        g.set_batch_num_nodes(node_split)
    if edge_split is not None:
        g.set_batch_num_edges(edge_split)
    nodes = [g.batch_num_nodes(name).long() for name in schema.ntypes]
    edges = [g.batch_num_edges(etype).long() for etype in schema.canonical_etypes]
    if len({len(split) for split in (*nodes, *edges)}) != 1:
        raise InvalidValueError(
            "Node and edge splits disagree on the number of graphs: "
            f"{[len(split) for split in nodes]} and {[len(split) for split in edges]}."
        )
    node_counts = [split.tolist() for split in nodes]
    edge_counts = [split.tolist() for split in edges]
    adjacencies = [
        _split_edges(adjacency, count, nodes[src], nodes[dst])
        for adjacency, count, (src, dst) in zip(g.relations, edges, schema.endpoints, strict=True)
    ]
    node_frames = [_split_frame(*pair) for pair in zip(g.node_frames, node_counts, strict=True)]
    edge_frames = [_split_frame(*pair) for pair in zip(g.edge_frames, edge_counts, strict=True)]
    return [
        Graph.from_parts(sorted_schema, list(adjacency), list(node_frame), list(edge_frame))
        for adjacency, node_frame, edge_frame in zip(
            zip(*(adjacencies[i] for i in order), strict=True),
            zip(*node_frames, strict=True),
            zip(*(edge_frames[i] for i in order), strict=True),
            strict=True,
        )
    ]


def _split_edges(adjacency: Adjacency, counts: Tensor, src: Tensor, dst: Tensor) -> list[Adjacency]:
    row, col = adjacency.coo()
    ends = []
    for ids, sizes in ((row, src), (col, dst)):
        local = ids - (sizes.cumsum(0) - sizes).repeat_interleave(counts).to(ids.dtype)
        _check_inside(local, sizes.repeat_interleave(counts))
        ends.append(local.split(counts.tolist()))
    return [
        Adjacency(num_src, num_dst, adjacency.idtype, coo=tuple(coo))
        for num_src, num_dst, *coo in zip(src.tolist(), dst.tolist(), *ends, strict=True)
    ]


def _check_inside(local: Tensor, sizes: Tensor | int) -> None:
    """Raise unless both ends of each edge are in the graph that it belongs to."""
    if bool(((local < 0) | (local >= sizes)).any()):
        raise InvalidValueError(
            "An edge joins two graphs of the split, so the graph cannot be split there."
        )


def _split_frame(frame: Frame, counts: list[int]) -> list[Frame]:
    pieces = [Frame(count, frame.kind) for count in counts]
    for name in frame:
        for piece, value in zip(pieces, frame[name].split(counts), strict=True):
            piece[name] = value
    return pieces


def slice_batch(g: Graph, gid: int, store_ids: bool = False) -> Graph:
    """Return one graph of a batch.

    Parameters
    ----------
    g : Graph
        A batch.
    gid : int
        Index of the graph; negative indices count from the end.
    store_ids : bool
        If True, features ``gossamer.NID`` and ``gossamer.EID`` of the result store the ids in `g`.

    Raises
    ------
    OutOfRangeError
        If there is no such graph.
    InvalidValueError
        If an edge joins this graph with another one, or `g` is a batch of blocks.

    Examples
    --------
    >>> import gossamer as gs
    >>> bg = gs.batch([gs.graph(([0], [1])), gs.graph(([0, 1], [1, 2]))])
    >>> gs.slice_batch(bg, 1).edges()
    (tensor([0, 1]), tensor([1, 2]))
    """
    require_graph(g, "slice_batch")
    gid = as_int(gid, "slice_batch", "the number of a graph")
    if not -g.batch_size <= gid < g.batch_size:
        raise OutOfRangeError(f"There is no graph {gid} in a batch of {g.batch_size}.")
    if g.is_block:
        raise InvalidValueError("Batches of blocks cannot be split; slice their inputs.")
    gid %= g.batch_size
    starts, stops, node_frames = [], [], []
    for name, frame in zip(g.schema.ntypes, g.node_frames, strict=True):
        start, stop = _span(g.batch_num_nodes(name), gid)
        starts.append(start)
        stops.append(stop)
        node_frames.append(_rows_between(frame, start, stop, NID if store_ids else None, g))
    adjacencies, edge_frames = [], []
    for i, etype in enumerate(g.schema.canonical_etypes):
        start, stop = _span(g.batch_num_edges(etype), gid)
        row, col = g.relations[i].coo()
        src, dst = g.schema.endpoints[i]
        coo = row[start:stop] - starts[src], col[start:stop] - starts[dst]
        sizes = stops[src] - starts[src], stops[dst] - starts[dst]
        for local, size in zip(coo, sizes, strict=True):
            _check_inside(local, size)
        adjacencies.append(Adjacency(*sizes, g.idtype, coo=coo))
        frame = _rows_between(g.edge_frames[i], start, stop, EID if store_ids else None, g)
        edge_frames.append(frame)
    return Graph.from_parts(g.schema, adjacencies, node_frames, edge_frames)


def _span(sizes: Tensor, gid: int) -> tuple[int, int]:
    start = int(sizes[:gid].sum())
    return start, start + int(sizes[gid])


def _rows_between(frame: Frame, start: int, stop: int, ids: str | None, g: Graph) -> Frame:
    piece = Frame(stop - start, frame.kind)
    for name in frame:
        piece[name] = frame[name][start:stop]
    if ids is not None:
        piece[ids] = torch.arange(start, stop, dtype=g.idtype, device=g.device)
    return piece
