"""Names of DGL's internal graph structure that published programs import.

DGL stores the structure in a C++ object, Gossamer in :class:`gossamer.Graph` itself.
`HeteroGraphIndex` provides the methods of the C++ object.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from gossamer import ops
from gossamer.errors import InvalidTypeError, InvalidValueError
from gossamer.graph import EID, NID, Graph, graph, heterograph
from gossamer.graph.frame import Frame
from gossamer.interop import from_networkx, from_scipy
from gossamer.sparse import SparseMatrix, from_coo

__all__ = [
    "GraphIndex", "HeteroGraphIndex", "_csrmask", "_csrmm", "_csrsum", "combine_frames", "copy_e",
    "copy_u", "copy_v", "create_graph_index", "extract_edge_subframes", "extract_node_subframes",
    "inv", "neg", "set_new_frames", "u_add_v", "u_div_v", "u_dot_v", "u_mul_v", "u_sub_v",
]  # fmt: skip


class HeteroGraphIndex:
    """The structure of a graph with one edge type, without features.

    Parameters
    ----------
    g : Graph
        Graph with one edge type.
    """

    def __init__(self, g: Graph) -> None:
        self._g = g

    def number_of_ntypes(self) -> int:
        """Return the number of node types."""
        return len(self._g.ntypes)

    def number_of_etypes(self) -> int:
        """Return the number of edge types."""
        return len(self._g.canonical_etypes)

    def number_of_nodes(self, ntype: int = 0) -> int:
        """Return the number of nodes of node type number `ntype`."""
        return self._g.num_nodes(self._g.ntypes[ntype])

    def number_of_edges(self, etype: int = 0) -> int:
        """Return the number of edges of edge type number `etype`."""
        return self._g.num_edges(self._g.canonical_etypes[etype])

    def edges(self, etype: int = 0, order: str = "eid") -> tuple[Tensor, Tensor, Tensor]:
        """Return source, destination and id of each edge."""
        return self._g.edges("all", order, etype=self._g.canonical_etypes[etype])

    def reverse(self) -> HeteroGraphIndex:
        """Return the structure with reversed edges."""
        return HeteroGraphIndex(self._g.reverse())

    def adjacency_matrix_tensors(
        self, etype: int = 0, transpose: bool = False, fmt: str = "csr"
    ) -> tuple[Any, ...]:
        """Return the numbers of rows and columns, and the tensors of the adjacency matrix.

        For ``"csr"``: row pointers, column indices and edge ids; for ``"coo"``: rows and columns.
        Rows are sources, or destinations if transposed.
        """
        name = self._g.canonical_etypes[etype]
        shape = self._g.num_nodes(name[0]), self._g.num_nodes(name[2])
        if fmt == "coo":
            u, v = self._g.edges(etype=name)
            return (*shape[::-1], v, u) if transpose else (*shape, u, v)
        if fmt != "csr":
            raise InvalidValueError(f"fmt is 'csr' or 'coo', got {fmt!r}.")
        stored = "csc" if transpose else "csr"
        rows = shape[::-1] if transpose else shape
        return (*rows, *self._g.adj_tensors(stored, etype=name))


GraphIndex = HeteroGraphIndex


def create_graph_index(graph_data: Any, readonly: bool = True) -> HeteroGraphIndex:
    """Create a structure from pairs of nodes, a networkx graph or a matrix."""
    if isinstance(graph_data, (HeteroGraphIndex, Graph)):
        return HeteroGraphIndex(getattr(graph_data, "_g", graph_data))
    if graph_data is None:
        return HeteroGraphIndex(graph(([], [])))
    if hasattr(graph_data, "tocoo"):
        return HeteroGraphIndex(from_scipy(graph_data))
    if hasattr(graph_data, "nodes"):
        return HeteroGraphIndex(from_networkx(graph_data))
    return HeteroGraphIndex(graph(graph_data))


def _graph_of(index: Any) -> Graph:
    g = getattr(index, "_g", index)
    if not isinstance(g, Graph):
        raise InvalidTypeError(f"Expected a graph or its structure, got {type(index).__name__}.")
    return g


def _matrix(index: Any, weights: Tensor) -> SparseMatrix:
    g = _graph_of(index)
    u, v = g.edges()
    source, _, destination = g.canonical_etypes[0]
    return from_coo(u.long(), v.long(), weights, (g.num_nodes(source), g.num_nodes(destination)))


def _parts(matrix: SparseMatrix, like: Any, one_type: bool) -> tuple[HeteroGraphIndex, Tensor]:
    matrix = matrix.coalesce()
    ends = tuple(end.to(_graph_of(like).idtype) for end in matrix.coo())
    if one_type:
        return HeteroGraphIndex(graph(ends, num_nodes=matrix.shape[0])), matrix.val
    counts = {"_SRC": matrix.shape[0], "_DST": matrix.shape[1]}
    return HeteroGraphIndex(heterograph({("_SRC", "_E", "_DST"): ends}, counts)), matrix.val


def _csrmm(
    A: Any, A_weights: Tensor, B: Any, B_weights: Tensor, num_vtypes: int
) -> tuple[HeteroGraphIndex, Tensor]:
    """Multiply two weighted adjacency matrices; return structure and weights."""
    return _parts(_matrix(A, A_weights) @ _matrix(B, B_weights), A, num_vtypes == 1)


def _csrsum(As: Sequence[Any], A_weights: Sequence[Tensor]) -> tuple[HeteroGraphIndex, Tensor]:
    """Add weighted adjacency matrices; return structure and weights."""
    total, *others = (_matrix(a, weights) for a, weights in zip(As, A_weights, strict=True))
    for matrix in others:
        total = total + matrix
    return _parts(total, As[0], len(_graph_of(As[0]).ntypes) == 1)


def _csrmask(A: Any, A_weights: Tensor, B: Any) -> Tensor:
    """Return, for each edge of B, the weight of that edge in A, or 0."""
    matrix = _matrix(A, A_weights).coalesce()
    width = matrix.shape[1]
    row, col = matrix.coo()
    known, order = (row * width + col).sort()
    u, v = (end.long() for end in _graph_of(B).edges())
    wanted = u * width + v
    if not len(known):
        return A_weights.new_zeros(len(wanted))
    place = torch.searchsorted(known, wanted).clamp(max=len(known) - 1)
    return torch.where(known[place] == wanted, matrix.val[order[place]], 0)


def combine_frames(
    frames: Sequence[Frame], ids: Sequence[int], col_names: Sequence[str] | None = None
) -> Frame | None:
    """Concatenate the features that all chosen frames have; return None if there are none.

    With `col_names`, return None if a frame lacks one of them.
    """
    chosen = [frames[i] for i in ids]
    names = list(chosen[0]) if col_names is None else list(col_names)
    shared = [name for name in names if all(name in frame for frame in chosen)]
    if not shared or (col_names is not None and len(shared) < len(names)):
        return None
    columns = {}
    for name in shared:
        parts = [frame[name] for frame in chosen]
        if len({(part.shape[1:], part.dtype) for part in parts}) > 1:
            raise InvalidValueError(
                f"combine_frames: feature {name!r} has several shapes or dtypes: "
                f"{[(tuple(part.shape[1:]), part.dtype) for part in parts]}."
            )
        columns[name] = torch.cat(parts)
    result = Frame(len(next(iter(columns.values()))))
    result.update(columns)
    return result


def extract_node_subframes(
    graph: Graph, nodes_or_device: Any, store_ids: bool = True
) -> list[Frame]:
    """Return the node features of each type, optionally of some nodes or on another device."""
    return [
        _subframe(frame, nodes_or_device, i, NID if store_ids else None)
        for i, frame in enumerate(graph.node_frames)
    ]


def extract_edge_subframes(
    graph: Graph, edges_or_device: Any, store_ids: bool = True
) -> list[Frame]:
    """Return the edge features of each type, optionally of some edges or on another device."""
    return [
        _subframe(frame, edges_or_device, i, EID if store_ids else None)
        for i, frame in enumerate(graph.edge_frames)
    ]


def _subframe(frame: Frame, rows_or_device: Any, position: int, name: str | None) -> Frame:
    if rows_or_device is None:
        return frame.copy()
    if isinstance(rows_or_device, (str, torch.device)):
        return frame.apply(lambda column: column.to(rows_or_device))
    rows = rows_or_device[position]
    if rows is None:
        return frame.copy()
    part = frame.gather(rows.long())
    if name is not None:
        part[name] = rows
    return part


def set_new_frames(
    graph: Graph,
    *,
    node_frames: Sequence[Frame] | None = None,
    edge_frames: Sequence[Frame] | None = None,
) -> None:
    """Replace all node features, all edge features, or both with one frame per type."""
    by_side = (
        ("node_frames", node_frames, [graph.nodes[t].data for t in graph.ntypes]),
        ("edge_frames", edge_frames, [graph.edges[t].data for t in graph.canonical_etypes]),
    )
    for name, frames, features in by_side:
        if frames is None:
            continue
        if len(frames) != len(features):
            raise InvalidValueError(
                f"set_new_frames: {name} has one frame for each of {len(features)} types, got "
                f"{len(frames)}."
            )
        for old, frame in zip(features, frames, strict=True):
            old.clear()
            old.update(frame)


def copy_u(g: Graph, x_node: Tensor, etype: Any = None) -> Tensor:
    """Return, for each edge, the row of its source node. `etype` names the edge type."""
    return x_node[g.edges(etype=etype)[0].long()]


def copy_v(g: Graph, x_node: Tensor, etype: Any = None) -> Tensor:
    """Return, for each edge, the row of its destination node. `etype` names the edge type."""
    return x_node[g.edges(etype=etype)[1].long()]


def copy_e(g: Graph, x_edge: Tensor, etype: Any = None) -> Tensor:
    """Return the rows of the edges. `etype` names the edge type."""
    count = g.num_edges(etype)
    if len(x_edge) != count:
        raise InvalidValueError(f"copy_e: the graph has {count} edges, x_edge {len(x_edge)} rows.")
    return x_edge


def u_add_v(g: Graph, x_node: Tensor, y_node: Tensor, etype: Any = None) -> Tensor:
    """Add the rows of source and destination for each edge of a type."""
    return ops.u_add_v(g.relation(etype), x_node, y_node)


def u_sub_v(g: Graph, x_node: Tensor, y_node: Tensor, etype: Any = None) -> Tensor:
    """Subtract the destination's row from the source's for each edge of a type."""
    return ops.u_sub_v(g.relation(etype), x_node, y_node)


def u_mul_v(g: Graph, x_node: Tensor, y_node: Tensor, etype: Any = None) -> Tensor:
    """Multiply the rows of source and destination for each edge of a type."""
    return ops.u_mul_v(g.relation(etype), x_node, y_node)


def u_div_v(g: Graph, x_node: Tensor, y_node: Tensor, etype: Any = None) -> Tensor:
    """Divide the source's row by the destination's for each edge of a type."""
    return ops.u_div_v(g.relation(etype), x_node, y_node)


def u_dot_v(g: Graph, x_node: Tensor, y_node: Tensor, etype: Any = None) -> Tensor:
    """Compute the inner product of the rows of source and destination for each edge of a type."""
    return ops.u_dot_v(g.relation(etype), x_node, y_node)


def inv(A: SparseMatrix) -> SparseMatrix:
    """Invert a square diagonal matrix."""
    return A.inv()


def neg(A: SparseMatrix) -> SparseMatrix:
    """Negate the values of a matrix."""
    return A.neg()
