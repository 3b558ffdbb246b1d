"""The registry of named graph cases.

A test asks for the cases that it supports and gets every one of them, in both id types::

    from helpers.graphs import graph_cases

    @pytest.mark.parametrize("case", graph_cases("homogeneous", exclude="zero_in_degree"))
    def test_something(case):
        g = case()

A case is built anew on each call, so a test may change what it gets. `LABELS` says what each label
promises; `tests/test_graph_cases.py` holds the cases to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
import torch

if TYPE_CHECKING:
    from gossamer import Graph

LABELS = {
    # Exactly one of these five.
    "homogeneous": "one node type and one edge type",
    "bipartite": "one edge type between two different node types",
    "heterogeneous": "several edge types",
    "block": "a message-flow graph made by create_block, with one edge type",
    "heterogeneous_block": "a message-flow graph with several edge types",
    # Any of these.
    "batched": "made of several graphs by batch",
    "isolated": "has a node without any edge (never said of blocks)",
    "zero_in_degree": "a destination node has no in-edges in some relation",
    "hub": "one node has more than 200 in-edges",
    "duplicates": "an edge occurs more than once",
    "self_loops": "an edge leads from a node to itself, within one node type",
    "unsorted": "in some relation neither sources nor destinations come in ascending order",
    "no_edges": "no edge at all",
    "no_nodes": "no node at all",
    "empty_relation": "a relation without edges beside others that have some",
}

Builder = Callable[[torch.dtype], "Graph"]


@dataclass(frozen=True)
class GraphCase:
    """A named graph with an id type; call it to build the graph."""

    name: str
    labels: frozenset[str]
    idtype: torch.dtype
    build: Builder

    def __call__(self, device: torch.device | str = "cpu") -> Graph:
        return self.build(self.idtype).to(device)

    @property
    def id(self) -> str:
        """Name for reports: ``hub-int32``."""
        return f"{self.name}-{str(self.idtype).removeprefix('torch.')}"

    def __repr__(self) -> str:
        return self.id


_REGISTRY: dict[str, tuple[frozenset[str], Builder]] = {}


def _case(*labels: str) -> Callable[[Builder], Builder]:
    def register(build: Builder) -> Builder:
        _REGISTRY[build.__name__] = (frozenset(labels), build)
        return build

    return register


def graph_cases(
    *labels: str,
    exclude: str | Iterable[str] = (),
    idtypes: Iterable[torch.dtype] = (torch.int32, torch.int64),
) -> list:
    """Return pytest parameters: the cases that carry all of `labels` and none of `exclude`."""
    excluded = {exclude} if isinstance(exclude, str) else set(exclude)
    unknown = (set(labels) | excluded) - set(LABELS)
    if unknown:
        raise ValueError(f"unknown graph labels {sorted(unknown)}; known: {sorted(LABELS)}")
    idtypes = list(idtypes)
    cases = [
        GraphCase(name, has, idtype, build)
        for name, (has, build) in _REGISTRY.items()
        if has.issuperset(labels) and not has & excluded
        for idtype in idtypes
    ]
    if not cases:
        raise ValueError(f"no graph case has {sorted(labels)} without {sorted(excluded)}")
    return [pytest.param(case, id=case.id) for case in cases]


def _homogeneous(pairs: Iterable[tuple[int, int]], num_nodes: int, idtype: torch.dtype) -> Graph:
    import gossamer

    return gossamer.graph(_columns(pairs, idtype), num_nodes=num_nodes, idtype=idtype)


def _columns(
    pairs: Iterable[tuple[int, int]], idtype: torch.dtype
) -> tuple[torch.Tensor, torch.Tensor]:
    table = torch.tensor(list(pairs), dtype=idtype).reshape(-1, 2)
    return table[:, 0].contiguous(), table[:, 1].contiguous()


def _heterograph(
    relations: dict[tuple[str, str, str], list[tuple[int, int]]],
    num_nodes: dict[str, int],
    idtype: torch.dtype,
) -> Graph:
    import gossamer

    data = {relation: _columns(pairs, idtype) for relation, pairs in relations.items()}
    return gossamer.heterograph(data, num_nodes, idtype=idtype)


# --- homogeneous -----------------------------------------------------------------------------


@_case("homogeneous")
def ring(idtype: torch.dtype) -> Graph:
    return _homogeneous([(i, (i + 1) % 6) for i in range(6)], 6, idtype)


@_case("homogeneous", "unsorted")
def unsorted(idtype: torch.dtype) -> Graph:
    pairs = [(3, 1), (0, 2), (4, 0), (1, 3), (2, 4), (0, 1), (3, 0), (1, 2)]
    return _homogeneous(pairs, 5, idtype)


@_case("homogeneous", "self_loops")
def self_loops(idtype: torch.dtype) -> Graph:
    return _homogeneous([(0, 0), (0, 1), (1, 1), (2, 2), (2, 0), (3, 3)], 4, idtype)


@_case("homogeneous", "duplicates", "zero_in_degree", "unsorted")
def duplicate_edges(idtype: torch.dtype) -> Graph:
    pairs = [(2, 1), (0, 1), (2, 1), (1, 3), (0, 1), (2, 1), (3, 2)]
    return _homogeneous(pairs, 4, idtype)


@_case("homogeneous", "isolated", "zero_in_degree")
def isolated_nodes(idtype: torch.dtype) -> Graph:
    """Nodes 0, 3 and 6 have no edges: the first, one in the middle and the last."""
    return _homogeneous([(1, 2), (2, 4), (4, 5), (5, 1)], 7, idtype)


@_case("homogeneous", "hub", "zero_in_degree", "unsorted")
def hub(idtype: torch.dtype) -> Graph:
    """Node 0 hears from 300 nodes; only five others hear from anyone."""
    pairs = [(0, i) for i in range(1, 6)] + [(1 + 7 * i % 300, 0) for i in range(300)]
    return _homogeneous(pairs, 301, idtype)


@_case("homogeneous", "duplicates", "self_loops", "unsorted")
def random_multigraph(idtype: torch.dtype) -> Graph:
    """Thirty nodes, 240 edges: four in-edges for each node and as many random ones, shuffled."""
    generator = torch.Generator().manual_seed(20)
    nodes = torch.arange(30).repeat(4)
    near = torch.stack([(nodes + torch.arange(120) // 30 + 1) % 30, nodes], dim=1)
    far = torch.randint(0, 30, (118, 2), generator=generator)
    extra = torch.tensor([[7, 7], [7, 7]])
    pairs = torch.cat([near, far, extra])[torch.randperm(240, generator=generator)]
    return _homogeneous([(u, v) for u, v in pairs.tolist()], 30, idtype)


@_case("homogeneous", "self_loops")
def single_node(idtype: torch.dtype) -> Graph:
    return _homogeneous([(0, 0)], 1, idtype)


@_case("homogeneous", "no_edges", "isolated", "zero_in_degree")
def no_edges(idtype: torch.dtype) -> Graph:
    return _homogeneous([], 5, idtype)


@_case("homogeneous", "no_edges", "no_nodes")
def no_nodes(idtype: torch.dtype) -> Graph:
    return _homogeneous([], 0, idtype)


@_case("homogeneous", "batched", "self_loops", "isolated", "zero_in_degree")
def batched(idtype: torch.dtype) -> Graph:
    """Four graphs, one of them without edges and one without nodes."""
    import gossamer

    return gossamer.batch([ring(idtype), no_edges(idtype), no_nodes(idtype), self_loops(idtype)])


@_case("homogeneous", "batched", "self_loops", "unsorted")
def batched_connected(idtype: torch.dtype) -> Graph:
    """Three graphs in which each node has an in-edge."""
    import gossamer

    return gossamer.batch([unsorted(idtype), single_node(idtype), ring(idtype)])


# --- one relation between two node types -----------------------------------------------------

_RATES = ("user", "rates", "item")


@_case("bipartite", "unsorted")
def bipartite(idtype: torch.dtype) -> Graph:
    pairs = [(3, 1), (0, 2), (1, 0), (0, 1), (2, 0)]
    return _heterograph({_RATES: pairs}, {"user": 4, "item": 3}, idtype)


@_case("bipartite", "duplicates", "isolated", "zero_in_degree", "unsorted")
def bipartite_sparse(idtype: torch.dtype) -> Graph:
    """More items than users; item 1, 3 and 5 and user 2 have no edges."""
    pairs = [(1, 4), (0, 2), (1, 4), (0, 0)]
    return _heterograph({_RATES: pairs}, {"user": 3, "item": 6}, idtype)


@_case("bipartite", "no_edges", "isolated", "zero_in_degree")
def bipartite_no_sources(idtype: torch.dtype) -> Graph:
    return _heterograph({_RATES: []}, {"user": 0, "item": 3}, idtype)


@_case("bipartite", "no_edges", "isolated")
def bipartite_no_destinations(idtype: torch.dtype) -> Graph:
    return _heterograph({_RATES: []}, {"user": 3, "item": 0}, idtype)


# --- several relations -----------------------------------------------------------------------


@_case("heterogeneous", "isolated", "zero_in_degree", "unsorted", "self_loops", "empty_relation")
def heterogeneous(idtype: torch.dtype) -> Graph:
    relations = {
        ("user", "follows", "user"): [(1, 0), (0, 2), (2, 2), (1, 2)],
        ("user", "rates", "item"): [(3, 1), (0, 2), (1, 0), (0, 1)],
        ("item", "rated-by", "user"): [(1, 3), (2, 0), (0, 1), (1, 0)],
        ("tag", "describes", "item"): [],
    }
    return _heterograph(relations, {"user": 5, "item": 3, "tag": 2}, idtype)


@_case("heterogeneous", "zero_in_degree", "duplicates", "unsorted")
def heterogeneous_shared_name(idtype: torch.dtype) -> Graph:
    """The relation name ``likes`` occurs between several pairs of node types."""
    relations = {
        ("user", "likes", "item"): [(1, 0), (0, 1), (1, 0)],
        ("user", "likes", "user"): [(2, 1), (0, 2), (1, 0)],
        ("item", "likes", "item"): [(0, 1)],
    }
    return _heterograph(relations, {"user": 3, "item": 2}, idtype)


@_case("heterogeneous", "no_edges", "isolated", "zero_in_degree")
def heterogeneous_no_edges(idtype: torch.dtype) -> Graph:
    relations = {("user", "follows", "user"): [], ("user", "rates", "item"): []}
    return _heterograph(relations, {"user": 2, "item": 0}, idtype)


@_case(
    "heterogeneous",
    "batched",
    "isolated",
    "zero_in_degree",
    "unsorted",
    "self_loops",
    "empty_relation",
)
def heterogeneous_batched(idtype: torch.dtype) -> Graph:
    import gossamer

    return gossamer.batch([heterogeneous(idtype), heterogeneous(idtype)])


# --- message-flow graphs: the destinations are the first sources ------------------------------


@_case("block", "unsorted")
def block(idtype: torch.dtype) -> Graph:
    import gossamer

    pairs = [(3, 1), (0, 2), (4, 0), (1, 2), (2, 1)]
    return gossamer.create_block(
        _columns(pairs, idtype), num_src_nodes=5, num_dst_nodes=3, idtype=idtype
    )


@_case("block", "duplicates", "self_loops", "zero_in_degree")
def block_sparse(idtype: torch.dtype) -> Graph:
    import gossamer

    pairs = [(0, 0), (2, 0), (2, 0), (3, 2)]
    return gossamer.create_block(
        _columns(pairs, idtype), num_src_nodes=6, num_dst_nodes=4, idtype=idtype
    )


@_case("block", "no_edges", "zero_in_degree")
def block_no_edges(idtype: torch.dtype) -> Graph:
    import gossamer

    return gossamer.create_block(
        _columns([], idtype), num_src_nodes=3, num_dst_nodes=3, idtype=idtype
    )


@_case("heterogeneous_block", "self_loops", "unsorted", "zero_in_degree")
def heterogeneous_block(idtype: torch.dtype) -> Graph:
    import gossamer

    data = {
        ("user", "follows", "user"): _columns([(3, 1), (0, 0), (2, 1)], idtype),
        ("user", "rates", "item"): _columns([(3, 0), (1, 1), (0, 1), (2, 0)], idtype),
        ("item", "rated-by", "user"): _columns([(1, 0), (0, 0)], idtype),
    }
    return gossamer.create_block(
        data,
        num_src_nodes={"user": 4, "item": 3},
        num_dst_nodes={"user": 2, "item": 2},
        idtype=idtype,
    )
