"""Samplers of subgraphs: ShaDow, Cluster-GCN and GraphSAINT, and batches of graphs."""

from __future__ import annotations

from typing import NamedTuple

import pytest
import torch
from scipy.stats import chisquare

import gossamer as gs
from gossamer.dataloading import (
    ClusterGCNSampler,
    DataLoader,
    GraphCollator,
    GraphDataLoader,
    SAINTSampler,
    ShaDowKHopSampler,
)
from gossamer.dataloading._batches import Share
from helpers.compare import assert_graph_equal, assert_graph_valid, assert_tensor_equal


def graph(nodes: int = 30, edges: int = 120) -> gs.Graph:
    generator = torch.Generator().manual_seed(3)
    g = gs.graph(torch.randint(nodes, (2, edges), generator=generator), num_nodes=nodes)
    g.ndata["x"] = torch.arange(nodes) * 2.0
    g.edata["w"] = torch.arange(edges) * 3.0
    return g


# --- ShaDow -------------------------------------------------------------------------------------


def test_all_neighbors_are_the_subgraph_around_the_seeds() -> None:
    g = graph()
    seeds = torch.tensor([4, 9])
    inputs, outputs, sub = ShaDowKHopSampler([-1, -1]).sample(g, seeds)
    around, _ = gs.khop_in_subgraph(g, seeds, 2)
    assert outputs is seeds
    assert_tensor_equal(inputs[:2], seeds)
    assert set(inputs.tolist()) == set(around.ndata[gs.NID].tolist())
    assert_graph_equal(sub, gs.node_subgraph(g, inputs))


def test_few_neighbors_and_excluded_edges() -> None:
    g = graph()
    sampler = ShaDowKHopSampler([2, 2], prefetch_node_feats=["x"], prefetch_edge_feats=["w"])
    loader = DataLoader(g, torch.arange(6), sampler, batch_size=3)
    for inputs, outputs, sub in loader:
        assert 3 <= len(inputs) <= 3 * 7
        assert_tensor_equal(sub.ndata[gs.NID], inputs)
        assert_tensor_equal(inputs[:3], outputs)
        assert_tensor_equal(sub.ndata["x"], inputs * 2.0)
        assert_tensor_equal(sub.edata["w"], sub.edata[gs.EID] * 3.0)
    gone = g.in_edges([0], "eid")
    _, _, sub = ShaDowKHopSampler([-1]).sample(g, torch.tensor([0]), gone)
    assert sub.num_nodes() == 1
    _, _, sub = ShaDowKHopSampler([-1]).sample(g, torch.arange(30), gone)
    assert_graph_valid(sub)
    assert sorted(sub.edata[gs.EID].tolist()) == sorted(set(range(120)) - set(gone.tolist()))


def test_shadow_of_several_types() -> None:
    g = gs.heterograph({("a", "r", "b"): ([0, 1], [0, 1]), ("b", "s", "a"): ([0, 1], [1, 0])})
    inputs, _, sub = ShaDowKHopSampler([1, 1]).sample(g, {"b": torch.tensor([1])})
    assert {t: ids.tolist() for t, ids in inputs.items()} == {"a": [1], "b": [1, 0]}
    assert sub.num_edges("r") == 1


# --- Cluster-GCN --------------------------------------------------------------------------------


def two_cliques() -> gs.Graph:
    u, v = torch.combinations(torch.arange(6)).T
    u, v = torch.cat([u, u + 6]), torch.cat([v, v + 6])
    g = gs.add_reverse_edges(gs.graph((torch.cat([u, u[:1]]), torch.cat([v, v[:1] + 6]))))
    g.ndata["x"] = torch.arange(12.0)
    return g


def test_parts_are_read_from_the_file_that_keeps_them(tmp_path) -> None:
    g, path = two_cliques(), tmp_path / "parts.pkl"
    sampler = ClusterGCNSampler(g, 2, path, prefetch_ndata=["x"])
    parts = list(DataLoader(g, torch.arange(2), sampler))
    nodes = sorted(sorted(sub.ndata[gs.NID].tolist()) for sub in parts)
    assert nodes == [list(range(6)), list(range(6, 12))]
    for sub in parts:
        assert_tensor_equal(sub.ndata["x"], sub.ndata[gs.NID].float())
        assert sub.num_edges() == 30
    again = ClusterGCNSampler(g, 2, path)
    assert_tensor_equal(again.partition_node_ids, sampler.partition_node_ids)
    assert again.sample(g, torch.tensor([1, 0])).num_edges() == g.num_edges()
    for k, other in ((3, g), (2, graph())):
        with pytest.raises(gs.FileError, match="parts of another graph"):
            ClusterGCNSampler(other, k, path)
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(gs.FileError, match="does not hold parts"):
        ClusterGCNSampler(g, 2, path)


# --- GraphSAINT ---------------------------------------------------------------------------------


def test_nodes_come_by_in_degree() -> None:
    g = gs.graph(([0, 0, 1, 2, 3], [1, 2, 2, 3, 3]), num_nodes=5)
    sampler = SAINTSampler("node", 1)
    counts = torch.bincount(torch.cat([sampler.node_sampler(g) for _ in range(4000)]), minlength=5)
    assert counts[[0, 4]].tolist() == [0, 0]
    assert chisquare(counts[1:4], [800, 1600, 1600]).pvalue > 1e-4
    assert SAINTSampler("node", 500).node_sampler(g).tolist() == [1, 2, 3]


def test_edges_come_by_the_degrees_of_their_ends() -> None:
    g = gs.graph(([0, 0, 3], [1, 2, 4]), num_nodes=5)
    sampler = SAINTSampler("edge", 1)
    drawn = [tuple(sampler.edge_sampler(g).tolist()) for _ in range(4000)]
    counts = [drawn.count(pair) for pair in ((0, 1), (0, 2), (3, 4))]
    assert chisquare(counts, [4000 * p for p in (1.5 / 5, 1.5 / 5, 2 / 5)]).pvalue > 1e-4


def test_walks_and_the_subgraphs_that_nodes_induce() -> None:
    g = graph()
    sampler = SAINTSampler("walk", (3, 4), prefetch_ndata=["x"], prefetch_edata=["w"])
    gs.seed(2)
    subs = list(DataLoader(g, torch.arange(5), sampler, num_workers=0))
    assert len({tuple(sub.ndata[gs.NID].tolist()) for sub in subs}) > 1
    for sub in subs:
        assert 1 <= sub.num_nodes() <= 15
        assert_graph_equal(sub, gs.node_subgraph(g, sub.ndata[gs.NID]))
    gs.seed(2)
    for mine, theirs in zip(DataLoader(g, torch.arange(5), sampler), subs, strict=True):
        assert_graph_equal(mine, theirs)


# --- batches of graphs --------------------------------------------------------------------------


class Pair(NamedTuple):
    graph: gs.Graph
    label: torch.Tensor


def molecules(count: int = 5) -> list[gs.Graph]:
    return [gs.graph((torch.arange(n), torch.arange(n) + 1)) for n in range(1, count + 1)]


def test_samples_of_every_form() -> None:
    one, two = molecules(2)
    collate = GraphCollator().collate
    batched = collate([(one, 1, torch.ones(2)), (two, 0, torch.zeros(2))])
    assert_graph_equal(batched[0], gs.batch([one, two]))
    assert batched[1].tolist() == [1, 0]
    assert batched[2].tolist() == [[1, 1], [0, 0]]
    found = collate([{"g": one, "name": "a", "y": 1.5}, {"g": two, "name": "b", "y": 2.5}])
    assert found["g"].batch_size == 2
    assert found["name"] == ["a", "b"]
    assert found["y"].tolist() == [1.5, 2.5]
    pair = collate([Pair(one, torch.tensor(1)), Pair(two, torch.tensor(2))])
    assert isinstance(pair, Pair)
    assert pair.label.tolist() == [1, 2]


@pytest.mark.parametrize("workers", [0, 1])
def test_loader_of_graphs(workers: int) -> None:
    data = [(g, g.num_edges()) for g in molecules()]
    loader = GraphDataLoader(data, batch_size=2, num_workers=workers)
    found = [(g.batch_num_edges().tolist(), y.tolist()) for g, y in loader]
    assert found == [([1, 2], [1, 2]), ([3, 4], [3, 4]), ([5], [5])]
    assert len(loader) == 3
    gs.seed(1)
    shuffled = GraphDataLoader(data, batch_size=5, shuffle=True, collate_fn=lambda items: items)
    ((*items,),) = [list(batch) for batch in shuffled]
    assert sorted(y for _, y in items) == [1, 2, 3, 4, 5]


def test_processes_share_the_graphs(monkeypatch) -> None:
    seen = []
    for rank in range(2):
        monkeypatch.setattr(Share, "of_this_process", classmethod(lambda cls, r=rank: cls(r, 2)))
        loader = GraphDataLoader(molecules(6), use_ddp=True, ddp_seed=3, shuffle=True)
        loader.set_epoch(1)
        seen.append([g.num_edges() for g in loader])
    assert sorted(seen[0] + seen[1]) == [1, 2, 3, 4, 5, 6]


BAD = [
    (lambda g: ShaDowKHopSampler(2), gs.InvalidTypeError, "a list with one int"),
    (lambda g: ShaDowKHopSampler([2]).sample(g, [99]), gs.OutOfRangeError, "Id 99"),
    (lambda g: ClusterGCNSampler(g, 0, None), gs.InvalidValueError, "k is at least 1"),
    (
        lambda g: ClusterGCNSampler(g, 2, None).sample(g, [2]),
        gs.OutOfRangeError,
        "there is no part 2; there are 2",
    ),
    (lambda g: SAINTSampler("x", 1), gs.InvalidValueError, "mode"),
    (lambda g: SAINTSampler("walk", 3), gs.InvalidTypeError, r"\(number of walks, steps\)"),
    (lambda g: SAINTSampler("node", 0), gs.InvalidValueError, "budget is at least 1"),
    (
        lambda g: SAINTSampler("edge", 2).sample(gs.graph(([], []), num_nodes=2), 0),
        gs.InvalidValueError,
        "needs a graph with edges",
    ),
    (
        lambda g: SAINTSampler("walk", (1, 1)).sample(gs.graph(([], []), num_nodes=0), 0),
        gs.InvalidValueError,
        "no nodes to draw",
    ),
    (lambda g: GraphDataLoader(3), gs.InvalidTypeError, "got int"),
    (lambda g: GraphDataLoader([g], use_ddp=True), gs.InvalidValueError, "needs torch.distributed"),
    (lambda g: GraphDataLoader([g]).set_epoch(1), gs.InvalidValueError, "use_ddp=True"),
    (
        lambda g: GraphCollator().collate([(g, torch.ones(1)), (g, torch.ones(2))]),
        gs.InvalidValueError,
        "different shapes",
    ),
    (lambda g: GraphCollator().collate([(g, 1), g]), gs.InvalidTypeError, "forms, Graph and tuple"),
    (
        lambda g: GraphCollator().collate([1, "a"]),
        gs.InvalidTypeError,
        "int and str cannot be",
    ),
    (lambda g: GraphCollator().collate([g, None]), gs.InvalidTypeError, "Graph and NoneType"),
    (lambda g: GraphCollator().collate([(g, 1), (g,)]), gs.InvalidValueError, "different lengths"),
]


@pytest.mark.parametrize(("call", "error", "text"), BAD)
def test_wrong_arguments(call, error: type, text: str) -> None:
    with pytest.raises(error, match=text):
        call(graph())


def test_names_of_samples_come_as_a_tuple() -> None:
    samples = [(graph(), "a", 2.5), (graph(), "b", 1.5)]
    batched, names, numbers = GraphCollator().collate(samples)
    assert (batched.batch_size, names, numbers.tolist()) == (2, ("a", "b"), [2.5, 1.5])
