"""Shortest distances and the labels made of them, against networkx."""

from __future__ import annotations

import networkx as nx
import pytest
import torch

import gossamer as gs
from gossamer import GossamerError, InvalidTypeError, InvalidValueError, OutOfRangeError
from helpers.graphs import graph_cases


def _random_graph(num_nodes: int, num_edges: int, idtype: torch.dtype) -> gs.Graph:
    u, v = torch.randint(0, num_nodes, (2, num_edges), dtype=idtype)
    return gs.graph((u, v), num_nodes=num_nodes)


def _networkx(g: gs.Graph, directed: bool = True) -> nx.Graph:
    graph = nx.DiGraph() if directed else nx.Graph()
    graph.add_nodes_from(range(g.num_nodes()))
    graph.add_edges_from(zip(*(end.tolist() for end in g.edges()), strict=True))
    return graph


def _lengths(graph: nx.Graph, source: int) -> list[int]:
    found = nx.single_source_shortest_path_length(graph, source)
    return [found.get(node, -1) for node in range(len(graph))]


@pytest.mark.parametrize("idtype", [torch.int32, torch.int64])
@pytest.mark.parametrize("num_edges", [0, 20, 60, 300])
def test_distances_are_those_of_networkx(idtype: torch.dtype, num_edges: int) -> None:
    g = _random_graph(30, num_edges, idtype)
    graph = _networkx(g)
    expected = torch.tensor([_lengths(graph, node) for node in range(30)])
    dist = gs.shortest_dist(g)
    assert dist.dtype == torch.int64
    assert torch.equal(dist, expected)
    assert torch.equal(gs.shortest_dist(g, root=7), expected[7])
    assert torch.equal(gs.shortest_dist(g, root=torch.tensor([3, 7])), expected[[3, 7]])


@pytest.mark.parametrize("num_edges", [0, 20, 60, 300])
def test_paths_lead_from_the_root_to_the_node(num_edges: int) -> None:
    g = _random_graph(30, num_edges, torch.int64)
    dist, paths = gs.shortest_dist(g, return_paths=True)
    assert paths.shape == (30, 30, max(int(dist.max()), 0))
    u, v = (end.tolist() for end in g.edges())
    first_id = {}
    for eid, pair in enumerate(zip(u, v, strict=True)):
        first_id.setdefault(pair, eid)
    for root in range(30):
        for node in range(30):
            path = paths[root, node].tolist()
            walked = path[: max(int(dist[root, node]), 0)]
            assert path[len(walked) :] == [-1] * (len(path) - len(walked))
            here = root
            for eid in walked:
                assert u[eid] == here
                assert first_id[u[eid], v[eid]] == eid
                here = v[eid]
            assert not walked or here == node


def test_paths_of_one_root_are_a_row_of_all_paths() -> None:
    g = _random_graph(20, 50, torch.int64)
    _, one = gs.shortest_dist(g, root=4, return_paths=True)
    _, every = gs.shortest_dist(g, return_paths=True)
    assert torch.equal(one, every[4, :, : one.shape[1]])


@pytest.mark.parametrize("case", graph_cases("homogeneous", exclude="no_nodes"))
def test_named_cases(case) -> None:
    g = case()
    assert gs.shortest_dist(g, root=0).tolist() == _lengths(_networkx(g), 0)


def test_no_nodes_and_no_roots() -> None:
    empty = gs.graph(([], []))
    assert gs.shortest_dist(empty).shape == (0, 0)
    assert gs.shortest_dist(empty, return_paths=True)[1].shape == (0, 0, 0)
    assert gs.shortest_dist(gs.graph(([0], [1])), root=[]).shape == (0, 2)


def _labels(g: gs.Graph, src: int, dst: int) -> list[int]:
    """The formula of the paper, node by node."""
    graph = _networkx(g, directed=False)
    ends = []
    for start, absent in ((src, dst), (dst, src)):
        part = graph.copy()
        part.remove_node(absent)
        ends.append(nx.single_source_shortest_path_length(part, start))
    labels = []
    for node in range(g.num_nodes()):
        if node in (src, dst):
            labels.append(1)
        elif node in ends[0] and node in ends[1]:
            a, b = ends[0][node], ends[1][node]
            d = a + b
            labels.append(1 + min(a, b) + (d // 2) * (d // 2 + d % 2 - 1))
        else:
            labels.append(0)
    return labels


@pytest.mark.parametrize("num_edges", [0, 15, 40, 200])
@pytest.mark.parametrize("pair", [(0, 1), (12, 3)])
def test_labels_follow_the_formula(num_edges: int, pair: tuple[int, int]) -> None:
    g = _random_graph(20, num_edges, torch.int32)
    labels = gs.double_radius_node_labeling(g, *pair)
    assert labels.dtype == torch.int64
    assert labels.tolist() == _labels(g, *pair)


HETERO = {("a", "r", "b"): ([0], [0]), ("b", "s", "a"): ([0], [0])}


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda g: gs.shortest_dist(3), InvalidTypeError, "takes a graph, got int"),
        (lambda g: gs.shortest_dist(g, 9), OutOfRangeError, "9"),
        (lambda g: gs.shortest_dist(g, -1), OutOfRangeError, "-1"),
        (lambda g: gs.shortest_dist(g, [0, 9]), OutOfRangeError, "9"),
        (lambda g: gs.shortest_dist(g, 0.5), InvalidTypeError, "roots"),
        (lambda g: gs.shortest_dist(gs.heterograph(HETERO)), InvalidValueError, "one edge type"),
        (
            lambda g: gs.shortest_dist(gs.heterograph({("a", "r", "b"): ([0], [0])})),
            InvalidValueError,
            "joins a node type with itself",
        ),
        (lambda g: gs.shortest_dist(gs.to_block(g)), InvalidValueError, "does not take a block"),
        (lambda g: gs.double_radius_node_labeling(g, 1, 1), InvalidValueError, "two different"),
        (lambda g: gs.double_radius_node_labeling(g, 1, 9), OutOfRangeError, "9"),
        (lambda g: gs.double_radius_node_labeling(g, -1, 0), OutOfRangeError, "-1"),
        (lambda g: gs.double_radius_node_labeling(g, [0, 1], 2), InvalidValueError, "one node"),
        (lambda g: gs.double_radius_node_labeling(g, "a", 2), GossamerError, "src"),
    ],
)
def test_bad_input(call, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call(gs.graph(([0, 1], [1, 2])))
