"""Hypothesis strategies for small graphs of every kind, with a feature on each type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from hypothesis import strategies as st

if TYPE_CHECKING:
    from gossamer import Graph

IDTYPES = st.sampled_from([torch.int32, torch.int64])

_ETYPES = [("a", "r", "a"), ("a", "r", "b"), ("b", "s", "a"), ("c", "s", "b")]


def _edges(draw: Any, num_src: int, num_dst: int) -> list[tuple[int, int]]:
    if not num_src or not num_dst:
        return []
    pair = st.tuples(st.integers(0, num_src - 1), st.integers(0, num_dst - 1))
    return draw(st.lists(pair, max_size=12))


def _columns(pairs: list[tuple[int, int]], idtype: torch.dtype) -> tuple:
    table = torch.tensor(pairs, dtype=idtype).reshape(-1, 2)
    return table[:, 0].contiguous(), table[:, 1].contiguous()


def with_features(g: Graph) -> Graph:
    """`g` with the feature ``x`` on every type: the number of each node or edge, as a float."""
    for ntype in g.ntypes:
        g.nodes[ntype].data["x"] = torch.arange(g.num_nodes(ntype)).double()
    for etype in g.canonical_etypes:
        g.edges[etype].data["x"] = torch.arange(g.num_edges(etype)).double()
    return g


@st.composite
def homogeneous_graphs(draw: Any, min_nodes: int = 0) -> Graph:
    """Up to 7 nodes and 12 edges: duplicates, self-loops, isolated nodes, nothing at all."""
    import gossamer

    count, idtype = draw(st.integers(min_nodes, 7)), draw(IDTYPES)
    edges = _columns(_edges(draw, count, count), idtype)
    return with_features(gossamer.graph(edges, num_nodes=count, idtype=idtype))


@st.composite
def heterogeneous_graphs(draw: Any) -> Graph:
    """One to four relations between up to three node types, of up to 5 nodes each."""
    import gossamer

    etypes = draw(st.lists(st.sampled_from(_ETYPES), min_size=1, unique=True))
    ntypes = sorted({end for src, _, dst in etypes for end in (src, dst)})
    counts = {ntype: draw(st.integers(0, 5)) for ntype in ntypes}
    idtype = draw(IDTYPES)
    data = {
        (src, relation, dst): _columns(_edges(draw, counts[src], counts[dst]), idtype)
        for src, relation, dst in etypes
    }
    return with_features(gossamer.heterograph(data, counts, idtype=idtype))


def graphs() -> st.SearchStrategy[Graph]:
    """Homogeneous and heterogeneous graphs."""
    return st.one_of(homogeneous_graphs(), heterogeneous_graphs())


@st.composite
def some_nodes(draw: Any, g: Graph, *, unique: bool = True) -> dict[str, list[int]]:
    """Ids of some nodes of every type of `g`, in any order."""
    return {
        ntype: draw(st.lists(st.integers(0, g.num_nodes(ntype) - 1), max_size=6, unique=unique))
        if g.num_nodes(ntype)
        else []
        for ntype in g.ntypes
    }
