"""Homophily and label informativeness against the formulas of the papers, node by node."""

from __future__ import annotations

import math
from collections import Counter

import pytest
import torch

import gossamer as gs
from gossamer import InvalidTypeError, InvalidValueError
from helpers.graphs import graph_cases

MEASURES = {
    "node_homophily": gs.node_homophily,
    "edge_homophily": gs.edge_homophily,
    "linkx_homophily": gs.linkx_homophily,
    "adjusted_homophily": gs.adjusted_homophily,
    "edge_label_informativeness": gs.edge_label_informativeness,
    "node_label_informativeness": gs.node_label_informativeness,
}


def _edges(g: gs.Graph) -> list[tuple[int, int]]:
    return list(zip(*(end.tolist() for end in g.edges()), strict=True))


def _simple(edges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    return sorted({*edges, *((v, u) for u, v in edges)})


def _node_homophily(edges: list, y: list[int]) -> float:
    total = 0.0
    for node in range(len(y)):
        neighbors = [u for u, v in edges if v == node]
        if neighbors:
            total += sum(y[u] == y[node] for u in neighbors) / len(neighbors)
    return total / len(y) if y else math.nan


def _edge_homophily(edges: list, y: list[int]) -> float:
    return sum(y[u] == y[v] for u, v in edges) / len(edges) if edges else math.nan


def _linkx_homophily(edges: list, y: list[int]) -> float:
    """Equation 1 of Lim et al."""
    if not y or max(y) == 0:
        return math.nan
    total = 0.0
    for label in range(max(y) + 1):
        inside = [(u, v) for u, v in edges if y[v] == label]
        if inside:
            share = sum(y[u] == label for u, _ in inside) / len(inside)
            total += max(0.0, share - y.count(label) / len(y))
    return total / max(y)


def _degree_shares(edges: list, y: list[int]) -> dict[int, float]:
    ends = Counter(y[u] for u, _ in edges)
    return {label: count / len(edges) for label, count in ends.items()}


def _adjusted_homophily(edges: list, y: list[int]) -> float:
    """Section 3 of Platonov et al."""
    edges = _simple(edges)
    chance = sum(share**2 for share in _degree_shares(edges, y).values())
    if not edges or chance == 1:
        return math.nan
    return (_edge_homophily(edges, y) - chance) / (1 - chance)


def _edge_label_informativeness(edges: list, y: list[int]) -> float:
    """LI_edge of Platonov et al.: mutual information over entropy."""
    edges = _simple(edges)
    share = _degree_shares(edges, y)
    entropy = -sum(p * math.log(p) for p in share.values())
    if not entropy:
        return math.nan
    pairs = Counter((y[u], y[v]) for u, v in edges)
    information = 0.0
    for (a, b), count in pairs.items():
        p = count / len(edges)
        information += p * math.log(p / (share[a] * share[b]))
    return information / entropy


def _node_label_informativeness(edges: list, y: list[int]) -> float:
    """LI_node of Platonov et al., over nodes that have neighbors."""
    edges = _simple(edges)
    share = _degree_shares(edges, y)
    nodes = {label: count / len(y) for label, count in Counter(y).items()}
    entropy = -sum(p * math.log(p) for p in nodes.values())
    if not edges or not entropy:
        return math.nan
    degree = Counter(u for u, _ in edges)
    pairs: Counter = Counter()
    for u, v in edges:
        pairs[y[u], y[v]] += 1 / (len(degree) * degree[u])
    information = sum(p * math.log(p / (nodes[a] * share[b])) for (a, b), p in pairs.items())
    return information / entropy


ORACLES = {name: globals()[f"_{name}"] for name in MEASURES}


@pytest.mark.parametrize("name", MEASURES)
@pytest.mark.parametrize("classes", [1, 2, 4, 9])
@pytest.mark.parametrize("case", graph_cases("homogeneous", exclude="hub"))
def test_measures_follow_the_papers(case, name: str, classes: int) -> None:
    g = case()
    y = (torch.arange(g.num_nodes()) * 5 + 1) % classes
    expected = ORACLES[name](_edges(g), y.tolist())
    assert MEASURES[name](g, y) == pytest.approx(expected, abs=2e-5, nan_ok=True)


@pytest.mark.parametrize("name", MEASURES)
def test_measures_of_a_random_graph(name: str) -> None:
    g = gs.graph(tuple(torch.randint(0, 40, (2, 120))), num_nodes=45)
    y = torch.randint(0, 4, (45,))
    value = MEASURES[name](g, y)
    assert isinstance(value, float)
    assert value == pytest.approx(ORACLES[name](_edges(g), y.tolist()), abs=2e-5)
    assert MEASURES[name](g.int(), y.to(torch.int16)) == pytest.approx(value)


def test_labels_that_are_not_classes_can_be_compared() -> None:
    g = gs.graph(([0, 1, 2], [1, 2, 0]))
    y = torch.tensor([-1.0, -1.0, 2.5])
    assert gs.edge_homophily(g, y) == pytest.approx(1 / 3)
    assert gs.node_homophily(g, y) == pytest.approx(1 / 3)


def test_booleans_are_two_classes() -> None:
    g = gs.graph(([0, 1, 2, 2], [1, 2, 0, 3]))
    y = torch.tensor([True, True, False, False])
    for measure in MEASURES.values():
        assert measure(g, y) == pytest.approx(measure(g, y.long()))


def test_eps_is_added_to_the_joint_shares() -> None:
    g = gs.to_bidirected(gs.graph(([0, 0, 1, 2, 3], [1, 2, 2, 3, 4])))
    y = torch.tensor([0, 1, 1, 0, 2])
    small, large = (gs.edge_label_informativeness(g, y, eps) for eps in (1e-10, 0.1))
    assert large < small
    assert gs.node_label_informativeness(g, y, 0.0) == pytest.approx(
        ORACLES["node_label_informativeness"](_edges(g), y.tolist())
    )


HETERO = {("a", "r", "b"): ([0], [0]), ("b", "s", "a"): ([0], [0])}
CLASSES_ONLY = [name for name in MEASURES if name not in ("node_homophily", "edge_homophily")]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda f, g: f(g, torch.zeros(2).long()), InvalidValueError, r"3 nodes, .* shape \(2,\)"),
        (lambda f, g: f(g, torch.zeros(3, 1).long()), InvalidValueError, r"shape \(3, 1\)"),
        (lambda f, g: f(g, [0, 1, 2]), InvalidTypeError, "labels as a tensor, got list"),
        (lambda f, g: f(3, torch.zeros(3).long()), InvalidTypeError, "takes a graph, got int"),
        (
            lambda f, g: f(gs.heterograph(HETERO), torch.zeros(1).long()),
            InvalidValueError,
            "one edge type",
        ),
        (lambda f, g: f(gs.to_block(g), torch.zeros(3).long()), InvalidValueError, "take a block"),
    ],
)
@pytest.mark.parametrize("name", MEASURES)
def test_bad_input(name: str, call, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call(MEASURES[name], gs.graph(([0, 1], [1, 2])))


@pytest.mark.parametrize("name", CLASSES_ONLY)
def test_classes_are_whole_numbers_from_0(name: str) -> None:
    g = gs.graph(([0, 1], [1, 2]))
    with pytest.raises(InvalidTypeError, match=r"classes 0, 1, 2, \.\.\., got torch\.float32"):
        MEASURES[name](g, torch.zeros(3))
    with pytest.raises(InvalidValueError, match="got -1"):
        MEASURES[name](g, torch.tensor([0, -1, 1]))


@pytest.mark.parametrize("name", CLASSES_ONLY[2:])
def test_eps_is_not_negative(name: str) -> None:
    with pytest.raises(InvalidValueError, match="eps is a number of at least 0, got -1"):
        MEASURES[name](gs.graph(([0], [1])), torch.tensor([0, 1]), eps=-1)


@pytest.mark.parametrize("name", MEASURES)
def test_measures_are_computed_in_float64(name: str) -> None:
    g = gs.rand_graph(50, 700)
    y = torch.randint(0, 3, (50,))
    first = MEASURES[name](g, y)
    torch.set_default_dtype(torch.float64)
    try:
        assert MEASURES[name](g, y) == first
    finally:
        torch.set_default_dtype(torch.float32)
    assert first != float(torch.tensor(first, dtype=torch.float32))
