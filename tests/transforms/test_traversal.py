"""Breadth first, depth first and topological order against plain loops and networkx."""

from __future__ import annotations

from collections import deque

import networkx
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import gossamer as gs
from helpers.generated import IDTYPES, homogeneous_graphs
from helpers.graphs import graph_cases

Frontiers = tuple[torch.Tensor, ...]


def lists(frontiers: Frontiers) -> list[list[int]]:
    return [frontier.tolist() for frontier in frontiers]


def out_edges(g: gs.Graph, reverse: bool) -> list[list[tuple[int, int]]]:
    """(edge id, node it leads to) for each node, by edge id."""
    u, v = (end.tolist() for end in g.edges())
    if reverse:
        u, v = v, u
    found: list[list[tuple[int, int]]] = [[] for _ in range(g.num_nodes())]
    for eid, (a, b) in enumerate(zip(u, v, strict=True)):
        found[a].append((eid, b))
    return found


def as_networkx(g: gs.Graph, reverse: bool) -> networkx.DiGraph:
    """A simple graph whose neighbors come in the order of edge ids."""
    graph = networkx.DiGraph()
    graph.add_nodes_from(range(g.num_nodes()))
    for node, edges in enumerate(out_edges(g, reverse)):
        graph.add_edges_from((node, other) for _, other in edges)
    return graph


def breadth_first(g: gs.Graph, sources: list[int], reverse: bool) -> tuple[list, list]:
    """A queue of (node, distance), the textbook way."""
    edges, distance = out_edges(g, reverse), dict.fromkeys(sources, 0)
    nodes, tree, queue = [list(sources)] if sources else [], [], deque(dict.fromkeys(sources))
    while queue:
        node = queue.popleft()
        for eid, other in edges[node]:
            if other not in distance:
                distance[other] = distance[node] + 1
                if len(tree) < distance[other]:
                    nodes.append([])
                    tree.append([])
                nodes[distance[other]].append(other)
                tree[distance[other] - 1].append(eid)
                queue.append(other)
    return nodes, tree


@given(g=homogeneous_graphs(min_nodes=1), reverse=st.booleans(), data=st.data())
def test_breadth_first(g, reverse, data):
    sources = data.draw(st.lists(st.integers(0, g.num_nodes() - 1), max_size=4))
    nodes, edges = breadth_first(g, sources, reverse)
    found = gs.bfs_nodes_generator(g, sources, reverse)
    assert lists(found) == nodes
    assert lists(gs.bfs_edges_generator(g, sources, reverse)) == edges
    assert all(frontier.dtype == g.idtype for frontier in found)


@given(g=homogeneous_graphs(min_nodes=1), reverse=st.booleans(), data=st.data())
def test_breadth_first_is_that_of_networkx(g, reverse, data):
    source = data.draw(st.integers(0, g.num_nodes() - 1))
    layers = networkx.bfs_layers(as_networkx(g, reverse), source)
    assert lists(gs.bfs_nodes_generator(g, source, reverse)) == list(layers)
    u, v = g.edges()
    ends = [(int(u[i]), int(v[i])) for e in gs.bfs_edges_generator(g, source, reverse) for i in e]
    if reverse:
        ends = [(b, a) for a, b in ends]
    assert ends == list(networkx.bfs_edges(as_networkx(g, reverse), source))


@given(g=homogeneous_graphs(min_nodes=1), reverse=st.booleans(), data=st.data())
def test_depth_first_is_that_of_networkx(g, reverse, data):
    source = data.draw(st.integers(0, g.num_nodes() - 1))
    graph = as_networkx(g, reverse)
    u, v = (end.tolist() for end in (g.edges()[::-1] if reverse else g.edges()))
    tree = [(u[int(e)], v[int(e)]) for e in gs.dfs_edges_generator(g, source, reverse)]
    assert tree == list(networkx.dfs_edges(graph, source))

    if g.is_multigraph:
        return  # of which networkx has no parallel edges here
    edges, labels = gs.dfs_labeled_edges_generator(g, source, reverse, True, True)
    found = [
        (u[int(edge)], v[int(edge)], ("forward", "reverse", "nontree")[int(label)])
        for edge, label in zip(edges, labels, strict=True)
    ]
    # networkx marks the source by a self-loop.
    wanted = [edge for edge in networkx.dfs_labeled_edges(graph, source) if edge[0] != edge[1]]
    assert [edge for edge in found if edge[0] != edge[1]] == wanted


@given(g=homogeneous_graphs(min_nodes=1), data=st.data())
def test_what_a_depth_first_search_contains(g, data):
    source = data.draw(st.integers(0, g.num_nodes() - 1))
    tree = [int(e) for e in gs.dfs_edges_generator(g, source)]
    edges, labels = gs.dfs_labeled_edges_generator(g, source, False, True, True)
    by_label = {label: [] for label in range(3)}
    for edge, label in zip(edges, labels, strict=True):
        by_label[int(label)].append(int(edge))
    assert by_label[0] == tree
    assert sorted(by_label[1]) == sorted(tree)
    reached = {source, *(int(g.edges()[1][e]) for e in tree)}
    leaving = [e for e, a in enumerate(g.edges()[0].tolist()) if a in reached]
    assert sorted(tree + by_label[2]) == leaving
    plain = gs.dfs_labeled_edges_generator(g, source, False, True, True, return_labels=False)
    assert lists(plain) == lists(edges)


@given(g=homogeneous_graphs(min_nodes=1), reverse=st.booleans(), data=st.data())
def test_several_depth_first_searches_go_on_side_by_side(g, reverse, data):
    sources = data.draw(st.lists(st.integers(0, g.num_nodes() - 1), max_size=4))
    alone = [
        torch.cat([torch.empty(0, dtype=g.idtype), *gs.dfs_edges_generator(g, s, reverse)]).tolist()
        for s in sources
    ]
    together = [
        [edges[step] for edges in alone if step < len(edges)]
        for step in range(max(map(len, alone), default=0))
    ]
    assert lists(gs.dfs_edges_generator(g, sources, reverse)) == together


@st.composite
def acyclic_graphs(draw):
    """Edges lead from earlier to later nodes of a random order."""
    count, idtype = draw(st.integers(0, 8)), draw(IDTYPES)
    order = draw(st.permutations(range(count)))
    pair = st.tuples(st.integers(0, max(count - 1, 0)), st.integers(0, max(count - 1, 0)))
    pairs = [p for p in draw(st.lists(pair, max_size=14)) if p[0] < p[1] < count]
    ends = [order[a] for a, _ in pairs], [order[b] for _, b in pairs]
    return gs.graph(ends, num_nodes=count, idtype=idtype)


@given(g=acyclic_graphs(), reverse=st.booleans())
def test_topological_order(g, reverse):
    found = gs.topological_nodes_generator(g, reverse)
    assert all(frontier.dtype == g.idtype for frontier in found)
    generations = networkx.topological_generations(as_networkx(g, reverse))
    assert [sorted(frontier) for frontier in lists(found)] == [sorted(part) for part in generations]
    # Within a frontier, the order of a queue of nodes that are ready.
    edges = out_edges(g, reverse)
    waiting = [0] * g.num_nodes()
    for part in edges:
        for _, other in part:
            waiting[other] += 1
    queue = [node for node in range(g.num_nodes()) if waiting[node] == 0]
    for node in queue:
        for _, other in edges[node]:
            waiting[other] -= 1
            if waiting[other] == 0:
                queue.append(other)
    assert [node for frontier in lists(found) for node in frontier] == queue


@given(g=homogeneous_graphs(), reverse=st.booleans())
def test_a_cycle_has_no_topological_order(g, reverse):
    if networkx.is_directed_acyclic_graph(as_networkx(g, reverse)):
        assert sum(map(len, gs.topological_nodes_generator(g, reverse))) == g.num_nodes()
    else:
        with pytest.raises(gs.InvalidValueError, match=r"has a cycle, so \d+ of its nodes"):
            gs.topological_nodes_generator(g, reverse)


@pytest.mark.parametrize("idtype", [torch.int32, torch.int64])
def test_the_graph_stays_as_it_was(idtype):
    g = gs.graph(([0, 0, 1], [1, 2, 2]), idtype=idtype)
    for _ in range(2):
        assert lists(gs.topological_nodes_generator(g)) == [[0], [1], [2]]
        assert lists(gs.topological_nodes_generator(g, True)) == [[2], [1], [0]]
        assert g.in_degrees().tolist() == [0, 1, 2]
        assert g.out_degrees().tolist() == [2, 1, 0]


def test_a_long_path_and_a_deep_search():
    count = 3000
    g = gs.graph((torch.arange(count - 1), torch.arange(1, count)))
    assert lists(gs.bfs_nodes_generator(g, 0)) == [[i] for i in range(count)]
    assert lists(gs.dfs_edges_generator(g, 0)) == [[i] for i in range(count - 1)]
    assert lists(gs.topological_nodes_generator(g, True)) == [[i] for i in range(count)][::-1]


@pytest.mark.parametrize("case", graph_cases("homogeneous", exclude="no_nodes"))
def test_every_case(case, device):
    g = case(device)
    nodes, edges = gs.bfs_nodes_generator(g, [0]), gs.bfs_edges_generator(g, [0])
    assert all(t.device == g.device for t in (*nodes, *edges))
    assert (lists(nodes), lists(edges)) == breadth_first(g.cpu(), [0], False)
    assert len(gs.dfs_edges_generator(g, [0])) == sum(map(len, edges))


GENERATORS = [
    gs.bfs_nodes_generator,
    gs.bfs_edges_generator,
    gs.dfs_edges_generator,
    gs.dfs_labeled_edges_generator,
    gs.topological_nodes_generator,
]


@pytest.mark.parametrize("generator", GENERATORS)
@pytest.mark.parametrize(
    ("graph", "error", "text"),
    [
        (3, gs.InvalidTypeError, "takes a graph, got int"),
        (gs.create_block(([0], [0])), gs.InvalidValueError, "does not take a block"),
        (
            gs.heterograph({("a", "r", "b"): ([0], [0])}),
            gs.InvalidValueError,
            "Use to_homogeneous first",
        ),
    ],
)
def test_wrong_graphs(generator, graph, error, text):
    arguments = () if generator is gs.topological_nodes_generator else (0,)
    with pytest.raises(error, match=f"{generator.__name__} takes .*{text}|{text}"):
        generator(graph, *arguments)


@pytest.mark.parametrize("generator", GENERATORS[:-1])
@pytest.mark.parametrize(
    ("source", "error", "text"),
    [
        (5, gs.OutOfRangeError, "Id 5 is not among the nodes"),
        ([0, -1], gs.OutOfRangeError, "Id -1"),
        ([0.5], gs.InvalidTypeError, "must be integers"),
        ("0", gs.InvalidTypeError, "got str"),
        (None, gs.InvalidTypeError, "got NoneType"),
        ([[0]], gs.InvalidValueError, "one-dimensional"),
        (torch.tensor([True]), gs.InvalidValueError, "needs 3 values"),
    ],
)
def test_wrong_sources(generator, source, error, text):
    with pytest.raises(error, match=text):
        generator(gs.graph(([0], [1]), num_nodes=3), source)
