"""Arguments of stages, stores and graphs that do not fit are refused where they are given."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch

import gossamer as gs
import gossamer.graphbolt as gb
from gossamer import InvalidTypeError, InvalidValueError, OutOfRangeError, UnknownKeyError
from gossamer.graphbolt import arguments

T = torch.tensor


def _graph() -> gb.FusedCSCSamplingGraph:
    return gb.fused_csc_sampling_graph(T([0, 1, 2, 3]), T([1, 2, 0]))


def _typed(**changes: object) -> gb.FusedCSCSamplingGraph:
    """Node types a (2 nodes) and b (1 node); edges b -> a, a -> a and a -> b."""
    parts = {
        "csc_indptr": T([0, 1, 2, 3]),
        "indices": T([2, 0, 1]),
        "node_type_offset": T([0, 2, 3]),
        "type_per_edge": T([0, 1, 2]),
        "node_type_to_id": {"a": 0, "b": 1},
        "edge_type_to_id": {"b:x:a": 0, "a:y:a": 1, "a:z:b": 2},
    }
    return gb.fused_csc_sampling_graph(**{**parts, **changes})


def _pipe() -> gb.ItemSampler:
    return gb.ItemSampler(gb.ItemSet(3, "seeds"), 2)


SAMPLERS = {
    "NeighborSampler": lambda pipe, graph: gb.NeighborSampler(pipe, graph, [1]),
    "LayerNeighborSampler": lambda pipe, graph: gb.LayerNeighborSampler(pipe, graph, [1]),
    "InSubgraphSampler": gb.InSubgraphSampler,
    "UniformNegativeSampler": lambda pipe, graph: gb.UniformNegativeSampler(pipe, graph, 1),
    "TemporalNeighborSampler": lambda pipe, graph: gb.TemporalNeighborSampler(
        pipe, graph, [1], edge_timestamp_attr_name="t"
    ),
    "TemporalLayerNeighborSampler": lambda pipe, graph: gb.TemporalLayerNeighborSampler(
        pipe, graph, [1], edge_timestamp_attr_name="t"
    ),
}


@pytest.mark.parametrize("graph", [None, gs.graph(([0], [1])), "graph", torch.eye(2)])
@pytest.mark.parametrize("name", list(SAMPLERS))
def test_samplers_take_sampling_graphs_alone(name, graph) -> None:
    came = type(graph).__name__
    message = rf"{name}: graph must be a FusedCSCSamplingGraph, got {came}\. Make one with from_gr"
    with pytest.raises(InvalidTypeError, match=message):
        SAMPLERS[name](_pipe(), graph)


@pytest.mark.parametrize("pipe", [None, 3, "abc"])
@pytest.mark.parametrize("name", [*SAMPLERS, "CopyTo", "MiniBatchTransformer", "FeatureFetcher"])
def test_stages_take_stages_alone(name, pipe) -> None:
    others = {
        "CopyTo": lambda pipe, _: gb.CopyTo(pipe, "cpu"),
        "MiniBatchTransformer": lambda pipe, _: gb.MiniBatchTransformer(pipe),
        "FeatureFetcher": lambda pipe, _: gb.FeatureFetcher(pipe, gb.BasicFeatureStore({})),
    }
    message = rf"{name}: datapipe must be a stage .*, got {type(pipe).__name__}"
    with pytest.raises(InvalidTypeError, match=message):
        {**SAMPLERS, **others}[name](pipe, _graph())


@pytest.mark.parametrize(
    ("fanouts", "error", "message"),
    [
        ([1.5], InvalidTypeError, "integer tensor"),
        ([True], InvalidTypeError, "integer tensor"),
        ([T([1.0])], InvalidTypeError, "integer tensor"),
        ([None], InvalidTypeError, "a fanout is an integer"),
        ([-2], InvalidValueError, "-1 .all edges. or more, got -2"),
        ([T([1, 2])], InvalidValueError, "each of the 1 edge types, got 2"),
        ([2**70], InvalidTypeError, "a fanout is an integer"),
        (T(3.0), InvalidValueError, "fanouts is a list"),
        ("10", InvalidValueError, "fanouts is a list"),
        ({"a": 1}, InvalidValueError, "fanouts is a list"),
        (None, InvalidValueError, "fanouts is a list"),
        (1.5, InvalidValueError, "fanouts is a list"),
    ],
)
@pytest.mark.parametrize("layer", [False, True])
def test_fanouts(fanouts, error, message, layer) -> None:
    kind = gb.LayerNeighborSampler if layer else gb.NeighborSampler
    with pytest.raises(error, match=f"{kind.__name__}: .*{message}"):
        kind(_pipe(), _graph(), fanouts)


@pytest.mark.parametrize("fanouts", [2, T(2), np.int64(2), T([2]), [T(2)], (T([2]),)])
def test_forms_of_fanouts(fanouts) -> None:
    assert [f.tolist() for f in gb.NeighborSampler(_pipe(), _graph(), fanouts).fanouts] == [[2]]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: gb.ItemSampler(None, 2), InvalidTypeError, "item_set must be an ItemSet or"),
        (lambda: gb.ItemSampler(gb.ItemSet(3), 0), InvalidValueError, "batch_size is at least 1"),
        (lambda: gb.ItemSampler(gb.ItemSet(3), -1), InvalidValueError, "batch_size is at least 1"),
        (lambda: gb.ItemSampler(gb.ItemSet(3), 2.0), InvalidTypeError, "batch_size is an int"),
        (lambda: gb.ItemSampler(gb.ItemSet(3), 1, seed=1.5), InvalidTypeError, "seed is an int"),
        (
            lambda: gb.ItemSampler(gb.ItemSet(3), 1, 3),
            InvalidTypeError,
            "minibatcher is a",
        ),
        (lambda: gb.ItemSet(3, names=5), InvalidTypeError, "names are texts"),
        (lambda: gb.ItemSet(3, names=[5]), InvalidTypeError, "names are texts"),
        (lambda: gb.HeteroItemSet(None), InvalidTypeError, "a dict from type to ItemSet"),
        (lambda: _pipe().copy_to("nowhere"), InvalidValueError, "CopyTo: device must be a device"),
        (lambda: _pipe().fetch_feature(None), InvalidTypeError, "must be a FeatureStore, got None"),
        (
            lambda: _pipe().fetch_feature(gb.BasicFeatureStore({}), "feat"),
            InvalidTypeError,
            "node_feature_keys is a list of names of features, got 'feat'",
        ),
        (
            lambda: _pipe().fetch_feature(gb.BasicFeatureStore({}), None, {"a:b:c": "w"}),
            InvalidTypeError,
            r"edge_feature_keys\['a:b:c'\] is a list of names",
        ),
        (lambda: gb.BasicFeatureStore(None), InvalidTypeError, "features must be a dict"),
        (
            lambda: gb.BasicFeatureStore({("node", None, "x"): torch.eye(2)}),
            InvalidTypeError,
            r"feature \('node', None, 'x'\) must be a Feature, got Tensor",
        ),
        (
            lambda: gb.BasicFeatureStore({"x": gb.TorchBasedFeature(torch.eye(2))}),
            InvalidValueError,
            r"a key is \(domain, type, name\)",
        ),
        (
            lambda: gb.CPUCachedFeature(gb.TorchBasedFeature(torch.eye(2)), 100),
            InvalidTypeError,
            "cache must be a CPUFeatureCache, got int",
        ),
        (lambda: gb.cpu_cached_feature(None, 100), InvalidTypeError, "must be a Feature, got None"),
        (lambda: gb.CPUFeatureCache(4, torch.float32), InvalidTypeError, "cache_shape is"),
        (
            lambda: _pipe().temporal_sample_neighbor(_graph(), [1]),
            InvalidValueError,
            "the future would be drawn too",
        ),
        (
            lambda: _pipe().exclude_seed_edges(True, ["a:b:c"]),
            InvalidTypeError,
            "reverse_etypes_mapping is a dict",
        ),
        (
            lambda: _pipe().exclude_seed_edges(True, {"a:b:c": "rev_b"}),
            InvalidValueError,
            "An edge type is a string",
        ),
    ],
)
def test_wrong_arguments(call, error, message) -> None:
    with pytest.raises(error, match=message):
        call()


def test_keys_of_features_have_the_form_of_the_graph() -> None:
    store = gb.BasicFeatureStore({("node", None, "x"): gb.TorchBasedFeature(torch.eye(3))})
    pipe = _pipe().sample_neighbor(_graph(), [1])
    with pytest.raises(InvalidTypeError, match="node_feature_keys of this graph are a list of nam"):
        next(iter(pipe.fetch_feature(store, {"a": ["x"]})))
    items = gb.HeteroItemSet({"a": gb.ItemSet(2, "seeds")})
    pipe = gb.ItemSampler(items, 2).sample_neighbor(_typed(), [1])
    with pytest.raises(InvalidTypeError, match="are a dict from type to names"):
        next(iter(pipe.fetch_feature(store, ["x"])))


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"node_type_offset": T([0, 1, 2])}, InvalidValueError, "end at the number of nodes, 3"),
        ({"node_type_offset": T([0, 5, 3])}, InvalidValueError, "never fall"),
        ({"node_type_offset": T([0, 3])}, InvalidValueError, "must have 3 rows"),
        ({"node_type_offset": [0, 2, 3]}, InvalidTypeError, "integer tensor, got list"),
        ({"type_per_edge": T([0.0, 1.0, 2.0])}, InvalidTypeError, "integer tensor, got torch.floa"),
        ({"type_per_edge": T([0, 1, 3])}, OutOfRangeError, "from 0 to 3, but there are 3 edge typ"),
        ({"type_per_edge": T([0, -1, 2])}, OutOfRangeError, "from -1 to 2"),
        ({"type_per_edge": T([1, 0, 2])}, InvalidValueError, "Edge 0 is of type 'a:y:a' .* joins"),
        ({"type_per_edge": T([0, 1, 1])}, InvalidValueError, "Edge 2 is of type 'a:y:a' .* joins"),
        ({"indices": T([2, 2, 1])}, InvalidValueError, "Edge 1 is of type 'a:y:a' .* joins"),
        ({"node_type_to_id": {"a": 1, "b": 2}}, InvalidValueError, "node_type_to_id is a dict"),
        ({"edge_type_to_id": {"a:x:b": 0}}, OutOfRangeError, "there are 1 edge types"),
        (
            {"edge_type_to_id": {"b:x:a": 0, "a:y:a": 1, "a:z:c": 2}},
            UnknownKeyError,
            "no node type of an edge type 'c'",
        ),
    ],
)
def test_types_that_do_not_fit(changes, error, message) -> None:
    with pytest.raises(error, match=message):
        _typed(**changes)


def test_types_are_checked_in_pieces(monkeypatch) -> None:
    monkeypatch.setattr(arguments, "_PIECE", 2)
    assert _typed().num_edges == {"b:x:a": 1, "a:y:a": 1, "a:z:b": 1}
    with pytest.raises(InvalidValueError, match="Edge 2 is of type 'a:y:a'"):
        _typed(type_per_edge=T([0, 1, 1]))


def test_a_structure_that_nobody_checked_is_checked_before_it_is_read() -> None:
    graph = gb.FusedCSCSamplingGraph(T([0, 1, 2]), T([10**9, 0]))
    for other in (graph, graph.to("cpu"), pickle.loads(pickle.dumps(graph))):
        with pytest.raises(OutOfRangeError, match="indices go from 0 to 1000000000"):
            other.sample_neighbors(T([0]), T([-1]))
    typed = _typed()
    typed.type_per_edge[0] = 2
    with pytest.raises(InvalidValueError, match="Edge 0 is of type"):
        typed.in_subgraph({"a": T([0])})


def test_a_checked_graph_is_not_checked_again_in_another_process(monkeypatch) -> None:
    copied = pickle.loads(pickle.dumps(_typed()))
    monkeypatch.setattr(type(copied), "check", lambda self: pytest.fail("checked again"))
    assert copied.in_subgraph({"a": T([0])}).sampled_csc["b:x:a"].indices.tolist() == [0]


@pytest.mark.parametrize(
    ("ids", "error", "message"),
    [
        ([T([0, -1])], OutOfRangeError, "not negative, got -1"),
        ([T([0]), T([-(2**62)])], OutOfRangeError, "not negative"),
        ([T([0.5])], InvalidTypeError, "got torch.float32"),
        ([T([[1]])], InvalidTypeError, "of one dimension"),
        ([[1, 2]], InvalidTypeError, r"got \[1, 2\]"),
    ],
)
def test_ids_to_compact(ids, error, message) -> None:
    with pytest.raises(error, match=message):
        gb.unique_and_compact(ids)
    with pytest.raises(error, match=message):
        gb.unique_and_compact({"a": ids})


def test_ids_of_two_dtypes_are_compacted() -> None:
    narrow = T([7, 3], dtype=torch.int32)
    unique, (first, second) = gb.unique_and_compact([narrow, T([3, 2**40])])
    assert unique.tolist() == [7, 3, 2**40]
    assert (first.tolist(), second.tolist()) == ([0, 1], [1, 2])
    csc = gb.CSCFormatBase(T([0, 1, 2]), narrow)
    nodes, compacted = gb.unique_and_compact_csc_formats(csc, T([3, 9]))
    assert (nodes.tolist(), compacted.indices.tolist()) == ([3, 9, 7], [2, 0])


def test_pairs_with_negative_ids() -> None:
    pipe = gb.ItemSampler(gb.ItemSet(T([[0, 1], [-1, 2]]), "seeds"), 2)
    with pytest.raises(OutOfRangeError, match="not negative, got -1"):
        next(iter(pipe.sample_neighbor(_graph(), [1])))


@pytest.mark.parametrize("deduplicate", [False, True])
@pytest.mark.parametrize("typed", [False, True])
def test_seeds_that_repeat_are_computed_once(typed, deduplicate) -> None:
    """As in DGL 2.1."""
    items = gb.ItemSet(T([1, 0, 1]), "seeds")
    if typed:
        items = gb.HeteroItemSet({"a": items})
    graph = _typed() if typed else _graph()
    pipe = gb.ItemSampler(items, 3).sample_neighbor(graph, [1], deduplicate=deduplicate)
    batch = next(iter(pipe))
    parts = (batch.input_nodes, batch.seeds, batch.compacted_seeds)
    rows, seeds, places = (part["a"] if typed else part for part in parts)
    assert (rows[:2].tolist(), places.tolist()) == ([1, 0], [0, 1, 0])
    assert torch.equal(rows[places], seeds)
    assert batch.blocks[0].num_dst_nodes("a" if typed else None) == 2


@pytest.mark.parametrize("pairs", [False, True])
def test_samplers_without_times_leave_times_alone(pairs) -> None:
    seeds = T([[1, 0], [0, 1], [1, 2]]) if pairs else T([1, 0, 1])
    items = gb.ItemSet((seeds, T([3, 4, 5])), ("seeds", "timestamp"))
    pipe = gb.ItemSampler(items, 3)
    for stage in (pipe.sample_neighbor(_graph(), [1]), pipe.sample_in_subgraph(_graph())):
        batch = next(iter(stage))
        rows = batch.sampled_subgraphs[0].original_column_node_ids
        assert rows.tolist() == ([1, 0, 2] if pairs else [1, 0])
        assert torch.equal(rows[batch.compacted_seeds], seeds)
        assert batch.timestamp.tolist() == [3, 4, 5]


def test_destinations_to_compact_are_different() -> None:
    csc = gb.CSCFormatBase(T([0, 1, 1, 2]), T([5, 6]))
    with pytest.raises(InvalidValueError, match="Only 2 of the 3 destination nodes are different"):
        gb.unique_and_compact_csc_formats(csc, T([1, 0, 1]))
    with pytest.raises(InvalidValueError, match="destination nodes of type 'a' are different"):
        gb.unique_and_compact_csc_formats({"b:x:a": csc}, {"a": T([1, 0, 1])})


LAYERS = {
    "neighbor": lambda pipe, g: pipe.sample_neighbor(g, [2, 2]),
    "layer": lambda pipe, g: pipe.sample_layer_neighbor(g, [2, 2]),
    "by type": lambda pipe, g: pipe.sample_neighbor(g, [T([2, 2, 2])] * 2),
    "temporal": lambda pipe, g: pipe.temporal_sample_neighbor(
        g, [2, 2], edge_timestamp_attr_name="t"
    ),
}


@pytest.mark.parametrize("name", list(LAYERS))
def test_blocks_have_all_types_whatever_the_seeds(name) -> None:
    """As in DGL 2.1: layers read the numbers of nodes of every type."""
    g = gs.heterograph(
        {
            ("u", "f", "v"): ([0, 1, 2, 2], [2, 1, 0, 0]),
            ("v", "b", "u"): ([2, 0], [0, 1]),
            ("u", "z", "u"): ([0, 1], [1, 2]),
        }
    )
    graph = gb.from_graph(g)
    graph.add_edge_attribute("t", torch.zeros(8, dtype=torch.int64))
    part = gb.ItemSet((T([0, 1]), T([5, 5])), ("seeds", "timestamp"))
    batch = next(iter(LAYERS[name](gb.ItemSampler(gb.HeteroItemSet({"v": part}), 2), graph)))
    outer, inner = batch.blocks
    assert outer.canonical_etypes == inner.canonical_etypes == g.canonical_etypes
    assert {t: inner.num_dst_nodes(t) for t in "uv"} == {"u": 0, "v": 2}
    assert {e: inner.num_edges(e) for e in "fbz"} == {"f": 3, "b": 0, "z": 0}
    assert {t: outer.num_dst_nodes(t) for t in "uv"} == {t: inner.num_src_nodes(t) for t in "uv"}
    assert {t: len(batch.input_nodes[t]) for t in "uv"} == {t: outer.num_src_nodes(t) for t in "uv"}
    _, edge_index, _ = batch.sampled_subgraphs[1].to_pyg({t: torch.zeros(9, 1) for t in "uv"})
    assert list(edge_index) == [("u", "f", "v")]
    batch.to("cpu")
    assert batch.blocks[1].num_edges() == 3


@pytest.mark.parametrize("name", ["seeds_timestamp", "seeds_pre_time_window"])
@pytest.mark.parametrize("times", [5, T([5]), {"b": T([5, 5])}, {"a": [5, 5]}])
def test_times_that_do_not_fit(name, times) -> None:
    graph = _typed()
    graph.add_edge_attribute("t", T([1, 2, 3]))
    given = {"seeds_timestamp": {"a": T([5, 5])}, name: times}
    with pytest.raises(InvalidValueError, match=f"{name} must have a number for each of the 2 see"):
        graph.temporal_sample_neighbors(
            {"a": T([0, 1])}, fanouts=T([-1]), edge_timestamp_attr_name="t", **given
        )


def test_negatives_of_a_graph() -> None:
    graph, typed = _graph(), _typed()
    pairs = T([[0, 1], [1, 0]])
    wrong = [
        (graph, "a:y:a", pairs, InvalidTypeError, "edge_type of this graph is None"),
        (typed, None, pairs, InvalidTypeError, "one of the edge types"),
        (typed, "a:q:a", pairs, UnknownKeyError, "no edge type 'a:q:a'"),
        (graph, None, T([0, 1]), InvalidValueError, r"shape \(N, 2\), got \(2,\)"),
        (graph, None, pairs.double(), InvalidTypeError, "int32 or int64"),
    ]
    for own, etype, given, error, message in wrong:
        with pytest.raises(error, match=message):
            own.sample_negative_edges_uniform(etype, given, 1)
    empty = _typed(
        csc_indptr=T([0, 0, 0]),
        indices=T([], dtype=torch.int64),
        node_type_offset=T([0, 2, 2]),
        type_per_edge=T([], dtype=torch.int64),
    )
    with pytest.raises(InvalidValueError, match="no destination node to draw"):
        empty.sample_negative_edges_uniform("a:z:b", pairs, 1)
    drawn = graph.sample_negative_edges_uniform(None, pairs, 2)
    assert drawn[:, 0].tolist() == [0, 0, 1, 1]
    sources, drawn = graph.sample_negative_edges_uniform(None, tuple(pairs.T), 2)
    assert sources is None
    assert drawn.shape == (4,)


def test_a_dataset_of_one_node_type_and_two_edge_types_is_typed() -> None:
    g = gs.heterograph({("n", "a", "n"): ([0, 1], [1, 2]), ("n", "b", "n"): ([2], [0])})
    g.ndata["x"] = torch.eye(3)
    g.ndata["label"] = T([0, 1, 0])
    g.ndata["train_mask"] = T([True, False, True])
    dataset = gb.LegacyDataset([g])
    assert dataset.graph.num_nodes == {"n": 3}
    assert len(dataset.all_nodes_set) == 3
    pipe = gb.ItemSampler(dataset.tasks[0].train_set, 2).sample_neighbor(dataset.graph, [-1])
    batch = next(iter(pipe.fetch_feature(dataset.feature, {"n": ["x"]})))
    assert batch.input_nodes["n"].tolist() == [0, 2, 1]
    assert torch.equal(batch.node_features["n", "x"], torch.eye(3)[[0, 2, 1]])


def test_int32_seeds_of_a_graph_that_needs_int64(monkeypatch) -> None:
    monkeypatch.setattr(arguments, "INT32_MAX", 2)
    with pytest.raises(InvalidTypeError, match="graph with 3 nodes must be int64"):
        _graph().in_subgraph(T([0], dtype=torch.int32))


def test_reverse_edges_of_types_need_their_types() -> None:
    items = gb.HeteroItemSet({"b:x:a": gb.ItemSet(T([[0, 0]]), "seeds")})
    pipe = gb.ItemSampler(items, 1).sample_neighbor(_typed(), [-1])
    with pytest.raises(InvalidValueError, match="need reverse_etypes_mapping"):
        next(iter(pipe.exclude_seed_edges(include_reverse_edges=True)))
    pipe = pipe.exclude_seed_edges(True, {"b:x:a": "a:z:b"})
    drawn = next(iter(pipe)).sampled_subgraphs[0].sampled_csc
    assert {etype: csc.num_edges() for etype, csc in drawn.items()} == {
        "b:x:a": 0,
        "a:y:a": 0,
        "a:z:b": 1,
    }


@pytest.mark.parametrize(
    ("items", "message"),
    [
        (gb.ItemSet(3, "seeds"), r"shape \(N, 2\), got \(2,\)"),
        (gb.HeteroItemSet({"a": gb.ItemSet(2, "seeds")}), r"seeds are nodes of types \['a'\]"),
    ],
)
def test_seed_edges_are_pairs(items, message) -> None:
    graph = _graph() if isinstance(items, gb.ItemSet) else _typed()
    pipe = gb.ItemSampler(items, 2).sample_neighbor(graph, [1]).exclude_seed_edges()
    with pytest.raises(InvalidValueError, match=message):
        next(iter(pipe))
    with pytest.raises(InvalidValueError, match="the batch has no subgraphs"):
        gb.exclude_seed_edges(gb.MiniBatch(seeds=T([[0, 1]])))


@pytest.mark.parametrize("shape", [(2,), (2, 3)])
def test_seeds_of_an_edge_type_are_pairs(shape) -> None:
    wide = gb.ItemSet(torch.zeros(shape, dtype=torch.int64), "seeds")
    pairs = gb.ItemSet(T([[0, 0]]), "seeds")
    items = gb.HeteroItemSet({"b:x:a": pairs, "a:y:a": wide})
    pipe = gb.ItemSampler(items, 3).sample_neighbor(_typed(), [1])
    with pytest.raises(InvalidValueError, match=r"edge type 'a:y:a' must be node pairs of shape"):
        next(iter(pipe))


def test_a_check_forgets_what_was_made_of_earlier_values() -> None:
    graph = _typed()
    assert graph.structure("a:y:a").csc().indices.tolist() == [0]
    graph.indices[1] = 1
    graph.check()
    assert graph.structure("a:y:a").csc().indices.tolist() == [1]
