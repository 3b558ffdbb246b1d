"""Line graphs."""

from __future__ import annotations

from gossamer.graph import Graph
from gossamer.graph.arguments import require_homogeneous
from gossamer.graph.frame import Frame
from gossamer.graph.schema import Schema
from gossamer.ops.adjacency import Adjacency

__all__ = ["line_graph"]


def line_graph(g: Graph, backtracking: bool = True, shared: bool = False) -> Graph:
    """Return the line graph, whose nodes are edges, joined to the edges that start where they end.

    Node ``i`` is edge ``i`` of `g`, ``u_i -> v_i``, and ``E' = {(i, j) : v_i = u_j, i != j}``,
    sorted by ``i``, then ``j``. Parallel edges are separate nodes. A self-loop is not joined to
    itself, but to its duplicates.

    Parameters
    ----------
    g : Graph
        One node type and one edge type.
    backtracking : bool
        If False, pairs with ``v_j = u_i``, where edge ``j`` returns to the start of ``i``, are left
        out.
    shared : bool
        If True, the nodes of the result have the edge features of `g`.

    Returns
    -------
    Graph
        A homogeneous graph with the id type of `g`. Batch sizes are dropped.

    Raises
    ------
    InvalidTypeError
        If `g` is not a graph.
    InvalidValueError
        If `g` is a block, has several types, or has too many pairs of edges for its id type.

    Examples
    --------
    >>> import gossamer as gs
    >>> g = gs.graph(([0, 1, 1], [1, 0, 2]))
    >>> gs.line_graph(g).edges()
    (tensor([0, 0, 1]), tensor([1, 2, 0]))
    >>> gs.line_graph(g, backtracking=False).edges()
    (tensor([0]), tensor([2]))
    """
    require_homogeneous(g, "line_graph")
    adjacency = g.adjacency
    row, col = adjacency.coo()
    loops = bool((row == col).any())
    owner, _, follower = adjacency.csr().gather_rows(col)
    if loops or not backtracking:
        kept = owner != follower
        if not backtracking:
            kept &= col.index_select(0, follower) != row.index_select(0, owner)
        owner, follower = owner[kept], follower[kept]
    coo = owner.to(g.idtype), follower.to(g.idtype)
    count = adjacency.num_edges
    frames = [g.edge_frames[0].copy() if shared else Frame(count)]
    frames[0].kind = "node"
    lines = Adjacency(count, count, g.idtype, coo=coo)
    return Graph.from_parts(Schema.homogeneous(), [lines], frames)
