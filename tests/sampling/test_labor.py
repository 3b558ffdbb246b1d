"""LABOR: probabilities by the paper's formula, unbiased estimates, and how few sources it reads."""

from __future__ import annotations

import pytest
import torch

import gossamer as gs
from gossamer import kernels
from gossamer.sampling import sample_labors
from helpers.compare import assert_graph_equal, assert_tensor_equal

REPEATS = 3000
FANOUT = 3


def graph() -> gs.Graph:
    """Rows of 2 to 12 in-edges that share their sources."""
    degrees = torch.tensor([12, 7, 2, 5, 9])
    v = torch.arange(5).repeat_interleave(degrees)
    u = torch.cat([torch.randperm(12)[:d] for d in degrees.tolist()]) + 5
    g = gs.graph((u, v), num_nodes=17)
    g.edata["w"] = torch.rand(len(u)) + 0.1
    g.ndata["x"] = torch.rand(17, dtype=torch.float64)
    return g


def chances(g: gs.Graph, w: torch.Tensor, rounds: int) -> torch.Tensor:
    """The probability of each edge; rows are the nodes 0 to 4, whose edges lie row by row."""
    starts = torch.cat([torch.zeros(1, dtype=torch.int64), g.in_degrees()[:5].cumsum(0)])
    sources = g.edges()[0].int()
    return kernels.labor_chances(starts, sources, w, g.num_nodes(), FANOUT, rounds)


def frequencies(g: gs.Graph, **options) -> tuple[torch.Tensor, torch.Tensor]:
    """How often each edge is drawn, and the weighted mean of ``x`` in every row and repeat.

    A repeat is a copy of the graph: its sources have random numbers of their own.
    """
    many = gs.batch([g] * REPEATS)
    seeds = (torch.arange(REPEATS).unsqueeze(1) * 17 + torch.arange(5)).flatten()
    sub, weights = sample_labors(many, seeds, FANOUT, random_seed=1, **options)
    counts = torch.bincount(sub.edata[gs.EID] % g.num_edges(), minlength=g.num_edges())
    src, dst = sub.edges()
    weight = weights[0].double() if len(weights[0]) else torch.ones(len(src)).double()
    both = torch.zeros(2, many.num_nodes(), dtype=torch.float64)
    both[0].index_add_(0, dst, weight * many.ndata["x"][src])
    both[1].index_add_(0, dst, weight)
    return counts / REPEATS, (both[0] / both[1]).view(REPEATS, 17)[:, :5]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("rounds", [0, 1, -1])
def test_probabilities_solve_the_equation_of_the_paper(weighted: bool, rounds: int) -> None:
    g = graph()
    owner = g.edges()[1]
    w = g.edata["w"].double() if weighted else torch.ones(g.num_edges(), dtype=torch.float64)
    p = chances(g, w, rounds)

    def sums(x: torch.Tensor) -> torch.Tensor:
        return torch.zeros(5, dtype=torch.float64).index_add_(0, owner, x)

    degree = g.in_degrees()[:5].double()
    goal = (1 / FANOUT - 1 / degree).clamp(min=0) * sums(w) ** 2
    torch.testing.assert_close(sums(w * w / p) - sums(w * w), goal, rtol=1e-9, atol=1e-9)
    if not weighted and rounds == 0:
        torch.testing.assert_close(p, (FANOUT / degree).clamp(max=1)[owner])
    options = {"prob": "w"} if weighted else {}
    found, _ = frequencies(g, importance_sampling=rounds, **options)
    bound = 4.5 * (p * (1 - p) / REPEATS).sqrt() + 1e-6
    assert bool(((found - p).abs() <= bound).all())


def test_more_rounds_read_fewer_sources() -> None:
    g = graph()
    source = g.edges()[0]
    w = torch.ones(g.num_edges(), dtype=torch.float64)
    expected = []
    for rounds in (0, 1, 2, -1):
        p = chances(g, w, rounds)
        largest = torch.zeros(17, dtype=torch.float64).scatter_reduce_(0, source, p, "amax")
        expected.append(float(largest.sum()))
    assert expected[0] > expected[1] >= expected[2] >= expected[3]


@pytest.mark.parametrize("options", [{"importance_sampling": 1}, {"prob": "w"}])
def test_weighted_means_estimate_the_mean_of_all(options: dict) -> None:
    """The ratio of two unbiased sums: its own bias falls with the number of edges drawn."""
    g = graph()
    src, dst = g.edges()
    w = g.edata["w"].double() if "prob" in options else torch.ones(len(src)).double()
    sums = torch.zeros(2, 5, dtype=torch.float64)
    sums[0].index_add_(0, dst, w * g.ndata["x"][src])
    sums[1].index_add_(0, dst, w)
    _, means = frequencies(g, **options)
    found = means.nanmean(0)
    torch.testing.assert_close(found, sums[0] / sums[1], rtol=0, atol=0.04)


def test_threads_do_not_change_a_weighted_draw() -> None:
    g = gs.rand_graph(500, 40_000)
    g.edata["w"] = torch.rand(40_000) + 0.01
    nodes = torch.arange(500)
    found = []
    before = torch.get_num_threads()
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            found.append(
                sample_labors(g, nodes, 9, prob="w", importance_sampling=-1, random_seed=2)
            )
    finally:
        torch.set_num_threads(before)
    for sub, weights in found[1:]:
        assert_graph_equal(sub, found[0][0])
        assert_tensor_equal(weights[0], found[0][1][0])


def test_rows_with_the_same_neighbors_draw_the_same() -> None:
    u = torch.arange(3, 30)
    g = gs.graph((u.repeat(3), torch.arange(3).repeat_interleave(27)))
    sub, weights = sample_labors(g, [0, 1, 2], 5, random_seed=8)
    rows = sub.edges()[0].view(3, -1)
    assert_tensor_equal(rows[0], rows[1])
    assert_tensor_equal(rows[0], rows[2])
    assert [len(w) for w in weights] == [0]


def test_seeds_name_the_numbers() -> None:
    g = graph()
    nodes = torch.arange(5)
    first, _ = sample_labors(g, nodes, FANOUT, random_seed=4)
    assert_graph_equal(sample_labors(g, nodes, FANOUT, random_seed=torch.tensor(4))[0], first)
    moved, _ = sample_labors(g, nodes, FANOUT, random_seed=4, seed2_contribution=1.0)
    assert_graph_equal(sample_labors(g, nodes, FANOUT, random_seed=5)[0], moved)
    pair = torch.tensor([4, 9])
    there, _ = sample_labors(g, nodes, FANOUT, random_seed=pair, seed2_contribution=1.0)
    assert_graph_equal(sample_labors(g, nodes, FANOUT, random_seed=9)[0], there)


def test_numbers_on_the_way_are_uniform() -> None:
    u = torch.arange(1, 20_001)
    g = gs.graph((u, torch.zeros_like(u)))
    for share in (0.0, 0.3, 1.0):
        sub, _ = sample_labors(g, [0], 5000, random_seed=1, seed2_contribution=share)
        assert abs(sub.num_edges() - 5000) < 300


def test_all_edges_excluded_edges_and_directions() -> None:
    g = graph()
    sub, _ = sample_labors(g, torch.arange(5), -1)
    assert_graph_equal(sub, gs.in_subgraph(g, torch.arange(5)))
    sub, _ = sample_labors(g, torch.arange(5), 99, exclude_edges=[3, 4])
    assert sub.edata[gs.EID].tolist() == [e for e in range(35) if e not in (3, 4)]
    sub, _ = sample_labors(g, torch.arange(17), 99, "out", prob="w", exclude_edges=[3])
    assert sorted(sub.edata[gs.EID].tolist()) == [e for e in range(35) if e != 3]
    masked, _ = sample_labors(g, [0], -1, prob=(torch.arange(35) % 2).bool())
    assert masked.edata[gs.EID].tolist() == [1, 3, 5, 7, 9, 11]


BAD = [
    ({"importance_sampling": -2}, gs.InvalidValueError, "at least -1, got -2"),
    ({"importance_sampling": 1.5}, gs.InvalidTypeError, "is an int"),
    ({"seed2_contribution": 1.5}, gs.InvalidValueError, "from 0 to 1, got 1.5"),
    ({"random_seed": torch.zeros(3).long()}, gs.InvalidTypeError, "one int, or two"),
    ({"edge_dir": "up"}, gs.InvalidValueError, "is 'in' or 'out'"),
    ({"prob": "no"}, gs.UnknownKeyError, "feature 'no'"),
    ({"prob": -torch.ones(35)}, gs.InvalidValueError, "finite and not negative"),
    ({"exclude_edges": [99]}, gs.OutOfRangeError, "Id 99"),
]


@pytest.mark.parametrize(("options", "error", "text"), BAD)
def test_wrong_arguments(options: dict, error: type, text: str) -> None:
    with pytest.raises(error, match=text):
        sample_labors(graph(), [0], 2, **options)
