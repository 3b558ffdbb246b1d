"""Farthest points and matchings: what they promise, and plain loops that do the same."""

from __future__ import annotations

import pytest
import torch

import gossamer as gs
from gossamer import InvalidTypeError, InvalidValueError, OutOfRangeError
from gossamer.geometry import farthest_point_sampler, neighbor_matching
from helpers.graphs import graph_cases


def _farthest(points: torch.Tensor, npoints: int, start: int) -> list[int]:
    """One set of points, by the definition."""
    chosen = [start]
    while len(chosen) < npoints:
        apart = torch.cdist(points, points[chosen]).amin(1)
        chosen.append(int(apart.argmax()))
    return chosen


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 20, 3), (2, 50, 1)])
def test_each_point_is_the_farthest(shape: tuple[int, ...], dtype: torch.dtype) -> None:
    pos = torch.rand(shape, dtype=torch.float64).to(dtype)
    count = shape[1]
    got = farthest_point_sampler(pos, min(count, 12), start_idx=count // 2)
    assert got.dtype == torch.int64
    wide = pos.float() if dtype == torch.float16 else pos
    assert got.tolist() == [_farthest(one, min(count, 12), count // 2) for one in wide]


def test_first_points_are_random_and_follow_the_seed() -> None:
    pos = torch.rand(30, 40, 2)
    gs.seed(5)
    first = farthest_point_sampler(pos, 4)
    gs.seed(5)
    assert torch.equal(farthest_point_sampler(pos, 4), first)
    assert len(first[:, 0].unique()) > 10
    for row, points in zip(first.tolist(), pos, strict=True):
        assert row == _farthest(points, 4, row[0])


def test_all_points_are_a_permutation() -> None:
    got = farthest_point_sampler(torch.rand(5, 33, 3), 33, 0)
    assert torch.equal(got.sort(dim=1).values, torch.arange(33).expand(5, 33))


# --- matching -------------------------------------------------------------------------------------


def _clusters(cluster: torch.Tensor) -> list[list[int]]:
    members: dict[int, list[int]] = {}
    for node, name in enumerate(cluster.tolist()):
        members.setdefault(name, []).append(node)
    return list(members.values())


def _assert_maximal_matching(g: gs.Graph, cluster: torch.Tensor, usable: set) -> None:
    alone = set()
    for nodes in _clusters(cluster):
        assert len(nodes) <= 2
        if len(nodes) == 2:
            assert tuple(nodes) in usable or tuple(nodes[::-1]) in usable
        else:
            alone |= set(nodes)
    assert not [pair for pair in usable if pair[0] != pair[1] and set(pair) <= alone]


@pytest.mark.parametrize("case", graph_cases("homogeneous"))
def test_a_matching_is_maximal(case) -> None:
    g = case()
    pairs = set(zip(*(end.tolist() for end in g.edges()), strict=True))
    cluster = neighbor_matching(g, relabel_idx=False)
    assert cluster.dtype == g.idtype
    _assert_maximal_matching(g, cluster, pairs)
    assert all(int(cluster[nodes[0]]) == min(nodes) for nodes in _clusters(cluster))
    numbered = neighbor_matching(g)
    assert numbered.unique().tolist() == list(range(len(numbered.unique())))


@pytest.mark.parametrize("num_edges", [0, 30, 400])
def test_weights_decide_and_negative_ones_forbid(num_edges: int) -> None:
    u, v = torch.randint(0, 40, (2, num_edges))
    g = gs.to_bidirected(gs.graph((u, v), num_nodes=40))
    weights = torch.randn(g.num_edges())
    ends = list(zip(*(end.tolist() for end in g.edges()), strict=True))
    usable = {pair for pair, weight in zip(ends, weights.tolist(), strict=True) if weight >= 0}
    _assert_maximal_matching(g, neighbor_matching(g, weights), usable)


def test_proposals_go_to_the_heaviest_neighbor() -> None:
    """In a star, the heaviest of the leaves that take part in a round wins the center."""
    leaves = 60
    star = gs.to_bidirected(gs.graph((torch.zeros(leaves).long(), torch.arange(1, leaves + 1))))
    weights = torch.stack(star.edges()).amax(0).float()
    partners = []
    for _ in range(50):
        cluster = neighbor_matching(star, weights, relabel_idx=False)
        partners.append(int((cluster[1:] == 0).nonzero()) + 1)
    # The heaviest takes part in a round with the center half of the time.
    assert sum(partner == leaves for partner in partners) > 10
    assert min(partners) > leaves // 2


def test_matchings_follow_the_seed_and_differ() -> None:
    g = gs.to_bidirected(gs.graph(tuple(torch.randint(0, 50, (2, 150))), num_nodes=50))
    gs.seed(1)
    first = neighbor_matching(g)
    gs.seed(1)
    assert torch.equal(neighbor_matching(g), first)
    assert any(not torch.equal(neighbor_matching(g), first) for _ in range(10))


POS = torch.rand(2, 5, 3)
HETERO = {("a", "r", "b"): ([0], [0]), ("b", "s", "a"): ([0], [0])}


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda g: farthest_point_sampler(POS, 6), InvalidValueError, "npoints is 6, .* 5 points"),
        (lambda g: farthest_point_sampler(POS, 0), InvalidValueError, "npoints is at least 1"),
        (lambda g: farthest_point_sampler(POS, -1), InvalidValueError, "npoints is at least 1"),
        (lambda g: farthest_point_sampler(POS, 1.5), InvalidTypeError, "npoints is an int"),
        (lambda g: farthest_point_sampler(POS, 2, 5), OutOfRangeError, "start_idx is 5, .* 5 p"),
        (lambda g: farthest_point_sampler(POS, 2, -1), OutOfRangeError, "start_idx is -1"),
        (lambda g: farthest_point_sampler(POS, 2, 0.5), InvalidTypeError, "start_idx is an int"),
        (lambda g: farthest_point_sampler(POS[0], 2), InvalidValueError, r"shape \(B, N, D\)"),
        (lambda g: farthest_point_sampler(POS[:, :0], 2), InvalidValueError, "set is empty"),
        (lambda g: farthest_point_sampler(POS.long(), 2), InvalidTypeError, "got torch.int64"),
        (lambda g: farthest_point_sampler([[0.0]], 1), InvalidTypeError, "tensor, got list"),
        (lambda g: farthest_point_sampler(POS / 0, 1), InvalidValueError, "infinite or not"),
        (lambda g: neighbor_matching(g, torch.ones(3)), InvalidValueError, r"shape \(3,\).* 2 edg"),
        (lambda g: neighbor_matching(g, torch.ones(2, 1)), InvalidValueError, "number per edge"),
        (lambda g: neighbor_matching(g, [1.0, 2.0]), InvalidTypeError, "tensor .*, got list"),
        (lambda g: neighbor_matching(gs.heterograph(HETERO)), InvalidValueError, "one edge type"),
        (lambda g: neighbor_matching(gs.to_block(g)), InvalidValueError, "take a block"),
        (lambda g: neighbor_matching(3), InvalidTypeError, "takes a graph, got int"),
    ],
)
def test_bad_input(call, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call(gs.graph(([0, 1], [1, 2])))
