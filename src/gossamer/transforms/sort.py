"""Sort neighbors by tag."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from gossamer._options import one_of
from gossamer.errors import InvalidTypeError, InvalidValueError, OutOfRangeError
from gossamer.graph import Graph
from gossamer.graph.arguments import require_graph
from gossamer.graph.ids import as_id_tensor
from gossamer.ops.adjacency import Adjacency, Compressed

__all__ = ["sort_csc_by_tag", "sort_csr_by_tag"]

# A larger table of offsets (256 GiB) indicates a mistake, such as ids passed as tags.
_MOST_OFFSETS = 2**35


def sort_csr_by_tag(
    g: Graph, tag: Tensor, tag_offset_name: str = "_TAG_OFFSET", tag_type: str = "node"
) -> Graph:
    """Sort the out-edges of each node by tag in CSR, and store the offsets of the tags.

    Edges keep their ids; only their order within a row of the CSR changes. Edges with the same tag
    are sorted by id. Biased sampling uses this order to draw neighbors by tag.

    Parameters
    ----------
    g : Graph
        One edge type. It may be a block or a batch, and so is the result.
    tag : Tensor
        Tags 0, 1, 2, ... of destination nodes, ``(N_dst,)``, or of edges, ``(E,)``.
    tag_offset_name : str
        Name of a new feature of source nodes, ``(N_src, T + 1)`` in the id type of the graph, where
        ``T`` is one more than the largest tag. The out-edges of node ``u`` with tag ``t`` are at
        positions ``offset[u, t]`` to ``offset[u, t + 1] - 1`` of its row.
    tag_type : {"node", "edge"}
        Whether `tag` belongs to nodes or edges.

    Returns
    -------
    Graph
        A graph with the features of `g`, restricted to the format "csr", because other formats
        would lose the order.

    Raises
    ------
    InvalidTypeError
        If `g` is not a graph or tags are not integers.
    InvalidValueError
        If there are several edge types, `tag_type` is unknown, there are too many or too few tags,
        or a tag is so large that the table of offsets does not fit in memory.
    OutOfRangeError
        If a tag is negative.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> g = gs.graph(([0, 0, 0, 1], [0, 1, 2, 0]))
    >>> tagged = gs.sort_csr_by_tag(g, torch.tensor([1, 0, 1]))
    >>> tagged.adj_tensors("csr")[1], tagged.ndata["_TAG_OFFSET"]
    (tensor([1, 0, 2, 0]), tensor([[0, 1, 3],
            [0, 0, 1],
            [0, 0, 0]]))
    """
    return _sorted_by_tag(g, tag, tag_offset_name, tag_type, "sort_csr_by_tag")


def sort_csc_by_tag(
    g: Graph, tag: Tensor, tag_offset_name: str = "_TAG_OFFSET", tag_type: str = "node"
) -> Graph:
    """Sort the in-edges of each node by tag in CSC, and store the offsets of the tags.

    Like :func:`sort_csr_by_tag` with sources and destinations exchanged: tags belong to source
    nodes, ``(N_src,)``, or edges, and the new feature belongs to destination nodes.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> g = gs.graph(([0, 1, 2, 0], [0, 0, 0, 1]))
    >>> tagged = gs.sort_csc_by_tag(g, torch.tensor([1, 0, 1]))
    >>> tagged.adj_tensors("csc")[1], tagged.ndata["_TAG_OFFSET"]
    (tensor([1, 0, 2, 0]), tensor([[0, 1, 3],
            [0, 0, 1],
            [0, 0, 0]]))
    """
    return _sorted_by_tag(g, tag, tag_offset_name, tag_type, "sort_csc_by_tag")


def _sorted_by_tag(g: Graph, tag: Any, offset_name: str, tag_type: str, name: str) -> Graph:
    require_graph(g, name)
    if len(g.canonical_etypes) != 1:
        raise InvalidValueError(
            f"{name} takes a graph of one edge type, got {g.canonical_etypes}. Select "
            "one first, as in g.edge_type_subgraph([etype])."
        )
    one_of(tag_type, name, "tag_type", ("node", "edge"))
    if not isinstance(offset_name, str):
        raise InvalidTypeError(f"{name}: tag_offset_name is a str, got {offset_name!r}.")
    adjacency, by_source = g.adjacency, name == "sort_csr_by_tag"
    compressed = adjacency.csr() if by_source else adjacency.csc()
    if tag_type == "edge":
        count, behind = adjacency.num_edges, compressed.eids
    else:
        count = adjacency.num_dst if by_source else adjacency.num_src
        behind = compressed.indices
    tags = _checked_tags(g, tag, count, f"{tag_type}s", name)
    if behind is not None:
        tags = tags.index_select(0, behind)
    rows, num_tags = len(compressed.indptr) - 1, int(tags.max()) + 1 if len(tags) else 0
    if rows * num_tags > _MOST_OFFSETS:
        raise InvalidValueError(
            f"{name}: with the tag {num_tags - 1}, the table of offsets would have {rows} x "
            f"{num_tags + 1} entries. Number the tags 0, 1, 2, ... without gaps."
        )
    arranged, offsets = _arranged(compressed, tags, num_tags)
    fmt = "csr" if by_source else "csc"
    relation = Adjacency(
        adjacency.num_src, adjacency.num_dst, g.idtype, **{fmt: arranged}, allowed=(fmt,)
    )
    frames = [frame.copy() for frame in g.node_frames]
    owner = frames[g.schema.endpoints[0][0 if by_source else 1]]
    owner[offset_name] = offsets.to(g.idtype)
    edge_frames = [frame.copy() for frame in g.edge_frames]
    return g.replaced(relations=[relation], node_frames=frames, edge_frames=edge_frames)


def _checked_tags(g: Graph, tag: Any, count: int, what: str, name: str) -> Tensor:
    tags = as_id_tensor(tag, "tags", g.device)
    if len(tags) != count:
        raise InvalidValueError(
            f"{name} needs a tag for each of the {count} {what}, got {len(tags)}."
        )
    if count and int(tags.min()) < 0:
        raise OutOfRangeError(f"{name}: tags cannot be negative, got {int(tags.min())}.")
    return tags.long()


def _arranged(compressed: Compressed, tags: Tensor, num_tags: int) -> tuple[Compressed, Tensor]:
    """The rows sorted by tag, and the offset of each tag in each row."""
    indptr, indices, eids = compressed
    rows = len(indptr) - 1
    row = torch.repeat_interleave(indptr.diff().long(), output_size=len(tags))
    keys, order = torch.sort(row * num_tags + tags, stable=True)
    counts = torch.bincount(keys, minlength=rows * num_tags).view(rows, num_tags)
    offsets = torch.nn.functional.pad(counts.cumsum(1), (1, 0))
    eids = order.to(indptr.dtype) if eids is None else eids.index_select(0, order)
    return Compressed(indptr, indices.index_select(0, order), eids), offsets
