"""The named inputs of the recorded calls, built through the public API of either library."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch


class Input(NamedTuple):
    """A graph and the names that expressions use for one of its edge types and its ends."""

    build: Callable[[Any], Any]
    etype: tuple[str, str, str] | None = None
    utype: str | None = None
    vtype: str | None = None


INPUTS: dict[str, Input] = {}

GROUPS = {
    "homo": ["simple", "awkward", "awkward32", "no_edges", "batched"],
    "bi": ["bipartite", "block"],
    "het": ["hetero", "hetero32", "hetero_batched"],
    "blocks": ["block", "hetero_block"],
}
GROUPS["any"] = [*GROUPS["homo"], "no_nodes", *GROUPS["bi"], *GROUPS["het"], "hetero_block"]


def _input(etype: tuple[str, str, str] | None = None) -> Callable:
    def register(build: Callable[[Any], Any]) -> Callable[[Any], Any]:
        utype, _, vtype = etype or (None, None, None)
        INPUTS[build.__name__] = Input(build, etype, utype, vtype)
        return build

    return register


def _feature(count: int, *shape: int, start: int = 0) -> torch.Tensor:
    """Small multiples of a quarter, both signs, different in each row."""
    size = torch.Size(shape).numel()
    flat = (torch.arange(count * size) * 5 + start) % 13 - 6
    return flat.div(4).reshape(count, *shape)


def _dress(g: Any) -> Any:
    """Give each type a float feature ``h`` or ``w`` and an integer one, ``label`` or ``k``."""
    for start, ntype in enumerate(g.srctypes):
        view = g.srcnodes[ntype].data
        view["h"] = _feature(g.num_src_nodes(ntype), 2, start=start)
        view["label"] = torch.arange(g.num_src_nodes(ntype)) % 3
    two_sided = g.is_block or g.srctypes != g.dsttypes
    for start, ntype in enumerate(g.dsttypes if two_sided else []):
        view = g.dstnodes[ntype].data
        view["h"] = _feature(g.num_dst_nodes(ntype), 2, start=start + 5)
        view["label"] = torch.arange(g.num_dst_nodes(ntype)) % 3
    for start, etype in enumerate(g.canonical_etypes):
        g.edges[etype].data["w"] = _feature(g.num_edges(etype), 1, start=start + 1)
        g.edges[etype].data["k"] = torch.arange(g.num_edges(etype)) % 4
    return g


def _columns(pairs: list[tuple[int, int]], idtype: torch.dtype) -> tuple:
    table = torch.tensor(pairs, dtype=idtype).reshape(-1, 2)
    return table[:, 0].contiguous(), table[:, 1].contiguous()


# Duplicates, self-loops, unsorted, and the last node isolated.
_AWKWARD = [(3, 1), (0, 2), (3, 1), (2, 2), (1, 0), (4, 2), (0, 0), (3, 1), (2, 4)]


def _homogeneous(gs: Any, pairs: list, count: int, idtype: torch.dtype = torch.int64) -> Any:
    return _dress(gs.graph(_columns(pairs, idtype), num_nodes=count, idtype=idtype))


@_input()
def simple(gs: Any) -> Any:
    return _homogeneous(gs, [(0, 1), (0, 2), (1, 2), (2, 3), (3, 0), (3, 4)], 5)


@_input()
def awkward(gs: Any) -> Any:
    return _homogeneous(gs, _AWKWARD, 6)


@_input()
def awkward32(gs: Any) -> Any:
    return _homogeneous(gs, _AWKWARD, 6, torch.int32)


@_input()
def no_edges(gs: Any) -> Any:
    return _homogeneous(gs, [], 3)


@_input()
def no_nodes(gs: Any) -> Any:
    return _homogeneous(gs, [], 0)


@_input()
def batched(gs: Any) -> Any:
    return gs.batch([simple(gs), no_edges(gs), awkward(gs)])


@_input(("user", "rates", "item"))
def bipartite(gs: Any) -> Any:
    edges = _columns([(3, 1), (0, 2), (1, 0), (0, 1), (2, 0), (0, 2)], torch.int64)
    return _dress(gs.heterograph({("user", "rates", "item"): edges}, {"user": 4, "item": 4}))


_HETERO = {
    ("user", "follows", "user"): [(1, 0), (0, 2), (2, 2), (1, 2), (1, 0)],
    ("user", "rates", "item"): [(3, 1), (0, 2), (1, 0), (0, 1)],
    ("item", "rated-by", "user"): [(1, 3), (2, 0), (0, 1)],
    ("tag", "describes", "item"): [],
    ("user", "likes", "item"): [(2, 2), (3, 0), (2, 1)],
}


def _hetero(gs: Any, idtype: torch.dtype) -> Any:
    data = {etype: _columns(pairs, idtype) for etype, pairs in _HETERO.items()}
    return _dress(gs.heterograph(data, {"user": 5, "item": 3, "tag": 2}, idtype=idtype))


@_input(("user", "rates", "item"))
def hetero(gs: Any) -> Any:
    return _hetero(gs, torch.int64)


@_input(("user", "follows", "user"))
def hetero32(gs: Any) -> Any:
    return _hetero(gs, torch.int32)


@_input(("user", "rates", "item"))
def hetero_batched(gs: Any) -> Any:
    return gs.batch([hetero(gs), hetero(gs)])


@_input(("user", "likes", "item"))
def shared_name(gs: Any) -> Any:
    """The relation ``likes`` occurs between several pairs of node types."""
    data = {
        ("user", "likes", "item"): ([1, 0, 1], [0, 1, 0]),
        ("user", "likes", "user"): ([2, 0, 1], [1, 2, 0]),
        ("item", "likes", "item"): ([0], [1]),
    }
    return _dress(gs.heterograph(data, {"user": 3, "item": 2}))


@_input(("_N", "_E", "_N"))
def block(gs: Any) -> Any:
    edges = _columns([(3, 1), (0, 2), (4, 0), (1, 2), (2, 1), (2, 1)], torch.int64)
    return _dress(gs.create_block(edges, num_src_nodes=6, num_dst_nodes=4))


@_input(("user", "rates", "item"))
def hetero_block(gs: Any) -> Any:
    data = {
        ("user", "follows", "user"): ([3, 0, 2], [1, 0, 1]),
        ("user", "rates", "item"): ([3, 1, 0, 2], [0, 1, 1, 0]),
        ("item", "rated-by", "user"): ([1, 0], [0, 0]),
    }
    sizes = {"user": 4, "item": 3}, {"user": 2, "item": 3}
    return _dress(gs.create_block(data, num_src_nodes=sizes[0], num_dst_nodes=sizes[1]))
