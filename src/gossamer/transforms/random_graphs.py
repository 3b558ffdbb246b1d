"""Random graphs with a given number of distinct edges."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from gossamer._options import as_device, as_int
from gossamer.errors import InvalidValueError
from gossamer.graph import Graph, graph, heterograph
from gossamer.transforms._relabel import relabel

__all__ = ["rand_bipartite", "rand_graph"]


def rand_graph(
    num_nodes: int,
    num_edges: int,
    idtype: torch.dtype = torch.int64,
    device: torch.device | str = "cpu",
) -> Graph:
    """Return a random graph with `num_edges` distinct edges, drawn uniformly.

    Self-loops are possible, parallel edges are not.

    Parameters
    ----------
    num_nodes, num_edges : int
        Number of nodes and of edges; at most ``num_nodes ** 2`` edges.
    idtype : torch.dtype
        torch.int32 or torch.int64.
    device : torch.device or str
        Device of the graph. Edges are drawn with the random generator of this device.

    Raises
    ------
    InvalidTypeError
        If a number is not an int, or `idtype` is not torch.int32 or torch.int64.
    InvalidValueError
        If a number is negative, or there are fewer pairs of nodes than edges.

    Examples
    --------
    >>> import gossamer as gs
    >>> gs.rand_graph(100, 30)
    Graph(num_nodes=100, num_edges=30)
    """
    num_nodes = as_int(num_nodes, "rand_graph", "num_nodes", 0)
    pairs = _some_pairs(num_nodes, num_nodes, num_edges, device, "rand_graph")
    return graph(pairs, num_nodes=num_nodes, idtype=idtype)


def rand_bipartite(
    utype: str,
    etype: str,
    vtype: str,
    num_src_nodes: int,
    num_dst_nodes: int,
    num_edges: int,
    idtype: torch.dtype = torch.int64,
    device: torch.device | str = "cpu",
) -> Graph:
    """Return a random bipartite graph with `num_edges` distinct edges, drawn uniformly.

    Parameters
    ----------
    utype, etype, vtype : str
        Source type, relation and destination type. If both types are the same, the number of nodes
        is that of the larger side.
    num_src_nodes, num_dst_nodes, num_edges : int
        Number of nodes on each side, and of edges; at most ``num_src_nodes * num_dst_nodes`` edges.
    idtype, device
        As for :func:`rand_graph`.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        As for :func:`rand_graph`.

    Examples
    --------
    >>> import gossamer as gs
    >>> g = gs.rand_bipartite("user", "likes", "item", 50, 100, 10)
    >>> g.num_nodes("user"), g.num_nodes("item"), g.num_edges()
    (50, 100, 10)
    """
    num_src = as_int(num_src_nodes, "rand_bipartite", "num_src_nodes", 0)
    num_dst = as_int(num_dst_nodes, "rand_bipartite", "num_dst_nodes", 0)
    pairs = _some_pairs(num_src, num_dst, num_edges, device, "rand_bipartite")
    counts = {utype: num_src, vtype: num_dst}
    if utype == vtype:
        counts = {utype: max(num_src, num_dst)}
    return heterograph({(utype, etype, vtype): pairs}, counts, idtype=idtype)


def _some_pairs(
    num_src: int, num_dst: int, num_edges: Any, device: Any, name: str
) -> tuple[Tensor, Tensor]:
    num_edges = as_int(num_edges, name, "num_edges", 0)
    device = as_device(device)
    population = num_src * num_dst
    if num_edges > population:
        raise InvalidValueError(
            f"{name}: {num_edges} distinct edges are impossible: {num_src} source and "
            f"{num_dst} destination nodes have {population} pairs only."
        )
    if population >= 2**63:
        raise InvalidValueError(f"{name}: {population} pairs of nodes do not fit 64 bits.")
    pairs = _sample(population, num_edges, device)
    return pairs // max(num_dst, 1), pairs % max(num_dst, 1)


def _sample(population: int, count: int, device: Any) -> Tensor:
    """`count` distinct numbers below `population`, in random order."""
    if population <= 4 * count:
        return torch.randperm(population, device=device)[:count]
    # The first `count` distinct numbers of a random sequence. At least three in four draws are new,
    # so a few rounds are enough.
    drawn = torch.empty(0, dtype=torch.int64, device=device)
    while len(drawn) < count:
        missing = count - len(drawn)
        more = torch.randint(population, (missing + missing // 4 + 8,), device=device)
        drawn, _ = relabel([drawn, more], population)
    return drawn[:count]
