"""Sampling graphs: structure, draws and what they return."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable

import pytest
import torch

import gossamer as gs
import gossamer.graphbolt as gb
from gossamer import InvalidTypeError, InvalidValueError, OutOfRangeError, UnknownKeyError
from gossamer.data import MessagesDataset

T = torch.tensor
NAME = f"test-{os.getpid()}"


def _homogeneous(seed: int = 0, nodes: int = 30, edges: int = 200) -> tuple:
    generator = torch.Generator().manual_seed(seed)
    src, dst = torch.randint(0, nodes, (2, edges), generator=generator)
    g = gs.graph((src, dst), num_nodes=nodes)
    return g, gb.from_graph(g, is_homogeneous=True, include_original_edge_id=True)


def _typed() -> tuple:
    generator = torch.Generator().manual_seed(1)
    ends = {
        ("u", "f", "v"): torch.randint(0, 8, (2, 30), generator=generator),
        ("v", "b", "u"): torch.randint(0, 8, (2, 30), generator=generator),
        ("u", "z", "u"): torch.randint(0, 8, (2, 20), generator=generator),
    }
    g = gs.heterograph({k: tuple(v) for k, v in ends.items()}, {"u": 8, "v": 8})
    return g, gb.from_graph(g, include_original_edge_id=True)


@pytest.mark.parametrize("replace", [False, True])
@pytest.mark.parametrize("layer", [False, True])
def test_draws_are_in_edges(replace, layer) -> None:
    g, graph = _homogeneous()
    seeds = T([3, 7, 3, 20])
    draw = graph.sample_layer_neighbors if layer else graph.sample_neighbors
    drawn = draw(seeds, T([4]), replace)
    csc, eids = drawn.sampled_csc, drawn.original_edge_ids
    src, dst = g.find_edges(eids)
    assert torch.equal(src, csc.indices)
    assert torch.equal(dst, seeds[csc.columns()])
    counts, degrees = csc.indptr.diff(), g.in_degrees(seeds)
    if not layer:
        wanted = torch.where(degrees > 0, 4, 0) if replace else degrees.clamp(max=4)
        assert torch.equal(counts, wanted)


def test_all_in_edges() -> None:
    g, graph = _homogeneous()
    seeds = torch.arange(30)
    drawn = graph.in_subgraph(seeds)
    assert torch.equal(drawn.original_edge_ids.sort().values, torch.arange(200))
    assert torch.equal(drawn.sampled_csc.indptr.diff(), g.in_degrees())


@pytest.mark.parametrize("fanouts", [[-1], [-1, -1, -1]])
def test_types_have_their_own_ids(fanouts) -> None:
    g, graph = _typed()
    seeds = {"u": T([0, 5]), "v": T([2])}
    drawn = graph.sample_neighbors(seeds, T(fanouts))
    assert list(drawn.sampled_csc) == ["u:f:v", "u:z:u", "v:b:u"]
    for etype, csc in drawn.sampled_csc.items():
        etype_tuple = gb.etype_str_to_tuple(etype)
        nodes = seeds[etype_tuple[2]]
        eids = g.in_edges(nodes, form="eid", etype=etype_tuple)
        assert sorted(eids.tolist()) == sorted(drawn.original_edge_ids[etype].tolist())
        found = g.find_edges(drawn.original_edge_ids[etype], etype=etype_tuple)
        assert torch.equal(found[0], csc.indices)
        assert torch.equal(found[1], nodes[csc.columns()])


def test_one_fanout_counts_edges_of_all_types() -> None:
    _, graph = _typed()
    drawn = graph.sample_neighbors({"u": torch.arange(8), "v": T([], dtype=torch.int64)}, T([2]))
    counts = sum(csc.indptr.diff() for e, csc in drawn.sampled_csc.items() if e.endswith(":u"))
    assert int(counts.max()) == 2


def test_weights_and_masks() -> None:
    _, graph = _homogeneous()
    weights = (torch.arange(200) % 2).float()
    graph.add_edge_attribute("w", weights)
    graph.add_edge_attribute("m", weights.bool())
    positions = gb.fused_csc_sampling_graph(
        graph.csc_indptr,
        graph.indices,
        edge_attributes={"w": weights, gb.ORIGINAL_EDGE_ID: torch.arange(200)},
    )
    for _ in range(3):
        drawn = positions.sample_neighbors(torch.arange(30), T([3]), probs_name="w")
        assert bool((weights[drawn.original_edge_ids] == 1).all())
    masked = graph.sample_neighbors(torch.arange(30), T([3]), probs_name="m")
    weighted = graph.sample_neighbors(torch.arange(30), T([3]), probs_name="w")
    assert masked.sampled_csc.num_edges() == weighted.sampled_csc.num_edges()


def test_weights_decide_which_edges_a_layer_draws() -> None:
    degree, rows = 20, 400
    edges = torch.arange(rows * degree)
    indptr = torch.arange(len(edges) + 1).clamp(max=rows) * degree
    graph = gb.fused_csc_sampling_graph(indptr, edges)
    weights = torch.where(edges % degree < 5, 8.0, 0.5)
    graph.add_edge_attribute("w", weights)
    graph.add_edge_attribute(gb.ORIGINAL_EDGE_ID, edges)
    seeds = torch.arange(rows)
    drawn = graph.sample_layer_neighbors(seeds, T([4]), probs_name="w", random_seed=T([3]))
    heavy = weights[drawn.original_edge_ids] > 1
    # By the formula of the paper 2.45 heavy ones of a row and 0.46 others, on average.
    assert 0.82 < float(heavy.double().mean()) < 0.86
    graph.add_edge_attribute("w", -weights)
    graph.add_edge_attribute("two", torch.ones(rows * degree, 2))
    with pytest.raises(gs.InvalidValueError, match="'two' must be one number for each"):
        graph.sample_neighbors(T([1]), T([4]), probs_name="two")
    for draw in (graph.sample_layer_neighbors, graph.sample_neighbors):
        with pytest.raises(gs.InvalidValueError, match="'w' must be finite and not negative"):
            draw(T([1]), T([4]), probs_name="w")


def test_layer_draws_with_one_seed_share_sources() -> None:
    _, graph = _homogeneous(edges=600)
    seed = T([5])
    first = graph.sample_layer_neighbors(T([1]), T([3]), random_seed=seed)
    again = graph.sample_layer_neighbors(T([1]), T([3]), random_seed=seed)
    assert torch.equal(first.sampled_csc.indices, again.sampled_csc.indices)


@pytest.mark.parametrize("attribute", ["node", "edge", "both"])
@pytest.mark.parametrize("layer", [False, True])
def test_only_the_past_is_drawn(attribute, layer) -> None:
    _, graph = _homogeneous()
    generator = torch.Generator().manual_seed(3)
    node_times = torch.randint(0, 10, (30,), generator=generator)
    edge_times = torch.randint(0, 10, (200,), generator=generator)
    graph.add_node_attribute("t", node_times)
    graph.add_edge_attribute("t", edge_times)
    graph.add_edge_attribute(gb.ORIGINAL_EDGE_ID, torch.arange(200))
    names = {
        "node_timestamp_attr_name": "t" if attribute != "edge" else None,
        "edge_timestamp_attr_name": "t" if attribute != "node" else None,
    }
    seeds, times = torch.arange(30), torch.randint(0, 10, (30,), generator=generator)
    draw = graph.temporal_sample_layer_neighbors if layer else graph.temporal_sample_neighbors
    drawn = draw(seeds, times, T([-1]), **names)
    of_edge = times[drawn.sampled_csc.columns()]
    expected = torch.ones(200, dtype=torch.bool)
    columns = gb.expand_indptr(graph.csc_indptr, torch.int64)
    if attribute != "edge":
        assert bool((node_times[drawn.sampled_csc.indices] < of_edge).all())
        expected &= node_times[graph.indices] < times[columns]
    if attribute != "node":
        assert bool((edge_times[drawn.original_edge_ids] < of_edge).all())
        expected &= edge_times < times[columns]
    assert drawn.sampled_csc.num_edges() == int(expected.sum())


def test_a_window_bounds_the_past() -> None:
    graph = gb.fused_csc_sampling_graph(
        T([0, 4, 4, 4, 4, 4]), T([1, 2, 3, 4]), edge_attributes={"t": T([1, 5, 3, 4])}
    )
    drawn = graph.temporal_sample_neighbors(
        T([0]), T([5]), T([-1]), seeds_pre_time_window=T([2]), edge_timestamp_attr_name="t"
    )
    assert drawn.sampled_csc.indices.tolist() == [3, 4]


def test_shared_memory() -> None:
    _, graph = _typed()
    shared = graph.copy_to_shared_memory(NAME)
    opened = gb.load_from_shared_memory(NAME)
    for name in ("csc_indptr", "indices", "type_per_edge", "node_type_offset"):
        assert torch.equal(getattr(opened, name), getattr(graph, name))
    assert opened.edge_type_to_id == shared.edge_type_to_id == graph.edge_type_to_id
    with pytest.raises(gs.errors.FileError, match="already"):
        graph.copy_to_shared_memory(NAME)
    del shared
    # Tensors outlive the graph and the name.
    indices = opened.indices
    del opened
    assert torch.equal(indices, graph.indices)
    with pytest.raises(gs.errors.FileError, match="There is no graph"):
        gb.load_from_shared_memory(NAME)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda g: g.sample_neighbors(T([30]), T([1])), OutOfRangeError, "30 is not among the 30"),
        (lambda g: g.sample_neighbors([1], T([1])), InvalidTypeError, "int32 or int64 tensor"),
        (lambda g: g.sample_neighbors({"u": T([1])}, T([1])), InvalidTypeError, "are a tensor"),
        (lambda g: g.sample_neighbors(T([1]), 3), InvalidTypeError, "one-dimensional integer"),
        (lambda g: g.sample_neighbors(T([1]), T([1, 2])), InvalidValueError, "of the 1 edge types"),
        (lambda g: g.sample_neighbors(T([1]), T([-2])), InvalidValueError, "-1 .all edges. or"),
        (
            lambda g: g.sample_neighbors(T([1]), T([1]), probs_name="w"),
            UnknownKeyError,
            "no edge attribute 'w'",
        ),
        (lambda g: g.add_edge_attribute("w", T([1])), InvalidValueError, "200 rows"),
        (
            lambda g: gb.fused_csc_sampling_graph(T([0, 2]), T([0])),
            InvalidValueError,
            "never fall and end",
        ),
        (
            lambda g: gb.fused_csc_sampling_graph(T([0, 1]), T([5])),
            OutOfRangeError,
            "indices go from 5 to 5",
        ),
        (
            lambda g: gb.fused_csc_sampling_graph(T([0, 1]), T([0]), type_per_edge=T([0])),
            InvalidValueError,
            "needs node_type_offset",
        ),
    ],
)
def test_wrong_input(call, error, message) -> None:
    with pytest.raises(error, match=message):
        call(_homogeneous()[1])


@pytest.mark.parametrize("name", ["csc_indptr", "indices"])
def test_structure_is_checked_again_after_a_change_in_place(name) -> None:
    indptr, indices = T([0, 2, 4, 6]), T([1, 2, 0, 2, 0, 1])
    graph = gb.fused_csc_sampling_graph(indptr, indices)
    everything = T([-1])
    assert graph.sample_neighbors(T([0]), everything).sampled_csc.indices.tolist() == [1, 2]
    changed = getattr(graph, name)
    changed += 10**9
    with pytest.raises((InvalidValueError, OutOfRangeError), match=r"csc_indptr must|indices go"):
        graph.sample_neighbors(T([0]), everything)
    changed -= 10**9
    indices[0] = 0
    assert graph.sample_neighbors(T([0]), everything).sampled_csc.indices.tolist() == [0, 2]
    graph.indices = T([2, 2, 0, 2, 0, 1])
    assert graph.sample_neighbors(T([0]), everything).sampled_csc.indices.tolist() == [2, 2]


def test_a_sampling_graph_of_several_types_without_them() -> None:
    g = gs.heterograph({("a", "r", "b"): ([0, 1], [1, 0]), ("b", "s", "a"): ([0], [1])})
    g.edata["w"] = {("a", "r", "b"): T([1.0, 2.0]), ("b", "s", "a"): T([3.0])}
    g.ndata["x"] = {"a": T([0, 1]), "b": T([2, 3])}
    graph = gb.from_graph(g, is_homogeneous=True, include_original_edge_id=True)
    assert graph.csc_indptr.tolist() == [0, 0, 1, 2, 3]
    assert graph.indices.tolist() == [2, 1, 0]
    assert graph.type_per_edge is None
    assert graph.num_nodes == 4
    assert graph.edge_attributes["w"].tolist() == [3.0, 2.0, 1.0]
    assert graph.edge_attributes[gb.ORIGINAL_EDGE_ID].tolist() == [0, 1, 0]
    assert graph.node_attributes["x"].tolist() == [0, 1, 2, 3]
    drawn = graph.sample_neighbors(T([2, 3]), T([-1]))
    assert drawn.sampled_csc.indices.tolist() == [1, 0]


def test_a_bipartite_sampling_graph_without_types() -> None:
    g = gs.heterograph({("a", "r", "b"): ([0, 1, 2], [1, 0, 1])})
    graph = gb.from_graph(g, is_homogeneous=True)
    assert graph.csc_indptr.tolist() == [0, 0, 0, 0, 1, 3]
    assert graph.indices.tolist() == [1, 0, 2]


def test_a_graph_and_its_sampling_graph_share_no_memory() -> None:
    g = gs.graph(([0, 1, 2, 0], [0, 1, 2, 2]))
    g.create_formats_()
    before = [x.clone() for x in g.adj_tensors("csc")]
    graph = gb.from_graph(g, is_homogeneous=True)
    graph.csc_indptr += 10**6
    graph.indices += 10**6
    assert all(torch.equal(a, b) for a, b in zip(g.adj_tensors("csc"), before, strict=True))


@pytest.mark.parametrize("layers", [1, 2])
def test_no_message_of_the_future(layers: int, linked: Callable[[str], str]) -> None:
    graph = MessagesDataset("CollegeMsg", raw_dir=linked("CollegeMsg"))[0]
    src, dst = graph.edges()
    time = graph.edata["time"]
    order = dst.argsort(stable=True)
    counts = torch.bincount(dst, minlength=graph.num_nodes())
    sampling = gb.fused_csc_sampling_graph(
        torch.cat([torch.zeros(1, dtype=torch.int64), counts.cumsum(0)]),
        src[order],
        edge_attributes={"time": time[order], gb.ORIGINAL_EDGE_ID: order},
    )
    items = gb.ItemSet((torch.stack([src, dst], 1), time), names=("seeds", "timestamp"))
    pipe = gb.ItemSampler(items, batch_size=512, shuffle=True, seed=0)
    pipe = pipe.temporal_sample_neighbor(sampling, [5] * layers, edge_timestamp_attr_name="time")
    drawn = 0
    for batch in itertools.islice(pipe, 20):
        limit = batch.timestamp.repeat_interleave(2)
        for subgraph in reversed(batch.sampled_subgraphs):
            csc = subgraph.sampled_csc
            when = time[subgraph.original_edge_ids]
            column = torch.arange(len(csc.indptr) - 1).repeat_interleave(csc.indptr.diff())
            assert bool((when < limit[column]).all())
            drawn += len(when)
            # A node that was drawn has the time of the seed that it was drawn for.
            rows = torch.full((int(csc.indices.max()) + 1,), -1)
            rows[: len(limit)] = limit
            rows[csc.indices] = limit[column]
            limit = rows
    assert drawn > 10_000


def test_in_edges_have_their_positions_as_ids() -> None:
    indptr, indices = T([0, 2, 3, 5, 6]), T([1, 2, 0, 1, 3, 2])
    graph = gb.fused_csc_sampling_graph(indptr, indices)
    assert graph.in_subgraph(T([2, 0])).original_edge_ids.tolist() == [3, 4, 0, 1]
    ids = {gb.ORIGINAL_EDGE_ID: torch.arange(10, 16)}
    graph = gb.fused_csc_sampling_graph(indptr, indices, edge_attributes=ids)
    assert graph.in_subgraph(T([0, 2])).original_edge_ids.tolist() == [10, 11, 13, 14]
    assert "node_attributes" not in repr(graph)
    assert "edge_attributes" in repr(graph)
    typed = gb.fused_csc_sampling_graph(
        T([0, 1, 3]),
        T([1, 0, 1]),
        node_type_offset=T([0, 1, 2]),
        type_per_edge=T([1, 0, 2]),
        node_type_to_id={"a": 0, "b": 1},
        edge_type_to_id={"a:r:b": 0, "b:s:a": 1, "b:t:b": 2},
    )
    found = typed.in_subgraph({"b": T([0]), "a": T([0])}).original_edge_ids
    assert {etype: ids.tolist() for etype, ids in found.items()} == {
        "a:r:b": [1],
        "b:s:a": [0],
        "b:t:b": [2],
    }
