"""Whole pipelines: sampling, negatives, exclusion, features, loaders."""

from __future__ import annotations

import gc
import pickle
import threading

import pytest
import torch

import gossamer as gs
import gossamer.graphbolt as gb
from gossamer import InvalidTypeError, InvalidValueError
from gossamer.sampling import _core

T = torch.tensor


def _graph(nodes: int = 40, edges: int = 300) -> tuple:
    generator = torch.Generator().manual_seed(0)
    src, dst = torch.randint(0, nodes, (2, edges), generator=generator)
    g = gs.graph((src, dst), num_nodes=nodes)
    return g, gb.from_graph(g, is_homogeneous=True, include_original_edge_id=True)


def _store(nodes: int = 40, edges: int = 300) -> gb.BasicFeatureStore:
    return gb.BasicFeatureStore(
        {
            ("node", None, "x"): gb.TorchBasedFeature(torch.arange(nodes).view(-1, 1).float()),
            ("edge", None, "w"): gb.TorchBasedFeature(torch.arange(edges).view(-1, 1).float()),
        }
    )


def _pipeline(graph, seed: int = 3, layer: bool = False):
    items = gb.ItemSet((torch.arange(40), torch.arange(40) % 3), ("seeds", "labels"))
    pipe = gb.ItemSampler(items, 8, shuffle=True, seed=seed)
    pipe = (
        pipe.sample_layer_neighbor(graph, [3, 4]) if layer else pipe.sample_neighbor(graph, [3, 4])
    )
    return pipe.fetch_feature(_store(), ["x"], ["w"])


@pytest.mark.parametrize("layer", [False, True])
def test_blocks_and_features_belong_together(layer) -> None:
    g, graph = _graph()
    for batch in _pipeline(graph, layer=layer):
        outer, inner = batch.blocks
        assert torch.equal(outer.srcdata[gs.NID], batch.input_nodes)
        assert torch.equal(batch.node_features["x"].squeeze(1).long(), batch.input_nodes)
        assert torch.equal(batch.input_nodes[: outer.num_dst_nodes()], inner.srcdata[gs.NID])
        assert torch.equal(inner.srcdata[gs.NID][: inner.num_dst_nodes()], batch.seeds)
        assert torch.equal(batch.labels, batch.seeds % 3)
        for number, block in enumerate(batch.blocks):
            eids = block.edata[gs.EID]
            assert torch.equal(batch.edge_features[number]["w"].squeeze(1).long(), eids)
            src, dst = g.find_edges(eids)
            rows, cols = block.edges()
            nodes = block.srcdata[gs.NID]
            assert torch.equal(nodes[rows], src)
            assert torch.equal(nodes[cols], dst)


def test_a_pipeline_can_be_pickled_and_left_at_any_batch() -> None:
    """Workers that are started anew need the former."""
    g, graph = _graph()
    items = gb.ItemSet(torch.stack(g.edges(), 1)[:20], "seeds")
    pipe = gb.ItemSampler(items, 5, seed=1).sample_uniform_negative(graph, 2)
    pipe = pipe.sample_neighbor(graph, [3]).exclude_seed_edges(True).transform()
    batches = iter(pipe)
    next(batches)
    assert _core.current_stream() is None  # the caller draws its own random numbers
    for batch, other in zip(pipe, pickle.loads(pickle.dumps(pipe)), strict=True):
        assert torch.equal(batch.input_nodes, other.input_nodes)


@pytest.mark.parametrize("dtype", [torch.int32, torch.int64])
@pytest.mark.parametrize("typed", [False, True])
@pytest.mark.parametrize("pairs", [False, True])
def test_seeds_of_both_dtypes(dtype, typed, pairs) -> None:
    """The batch has the dtype of its seeds, as in DGL."""
    g = gs.graph(([0, 1, 2, 2], [1, 2, 0, 1]))
    g.ndata["x"] = torch.eye(3)
    graph = gb.from_graph(g, is_homogeneous=not typed, include_original_edge_id=True)
    part = gb.ItemSet(T([[2, 1], [0, 2]] if pairs else [2, 1], dtype=dtype), "seeds")
    kind = g.canonical_etypes[0] if pairs else g.ntypes[0]
    kind = gb.etype_tuple_to_str(kind) if pairs else kind
    pipe = gb.ItemSampler(gb.HeteroItemSet({kind: part}) if typed else part, 2)
    key = ("node", g.ntypes[0] if typed else None, "x")
    store = gb.BasicFeatureStore({key: gb.TorchBasedFeature(torch.eye(3))})
    names = {g.ntypes[0]: ["x"]} if typed else ["x"]
    batch = next(iter(pipe.sample_neighbor(graph, [-1, -1]).fetch_feature(store, names)))
    rows = batch.input_nodes[g.ntypes[0]] if typed else batch.input_nodes
    places = batch.compacted_seeds[kind] if typed else batch.compacted_seeds
    assert rows.dtype == places.dtype == dtype
    assert torch.equal(rows[places.long()], T([[2, 1], [0, 2]] if pairs else [2, 1]).to(dtype))
    x = batch.node_features[g.ntypes[0], "x"] if typed else batch.node_features["x"]
    assert torch.equal(x, torch.eye(3)[rows.long()])
    for block in batch.blocks:
        assert block.idtype == block.srcdata[gs.NID].dtype == dtype
        src, dst = g.find_edges(block.edata[gs.EID])
        u, v = block.edges()
        assert torch.equal(block.srcdata[gs.NID][u].long(), src)
        assert torch.equal(block.srcdata[gs.NID][v].long(), dst)


@pytest.mark.parametrize("seed", [None, 5])
@pytest.mark.parametrize("persistent", [False, True])
def test_every_epoch_has_an_order_of_its_own_whatever_the_workers(seed, persistent) -> None:
    def epochs(workers: int) -> list[list[int]]:
        gs.seed(1)
        pipe = gb.ItemSampler(gb.ItemSet(40, "seeds"), 8, shuffle=True, seed=seed)
        loader = gb.DataLoader(pipe, num_workers=workers, persistent_workers=persistent)
        return [torch.cat([batch.seeds for batch in loader]).tolist() for _ in range(3)]

    alone = epochs(0)
    assert len({tuple(order) for order in alone}) == 3
    assert epochs(2) == alone


@pytest.mark.parametrize("workers", [1, 2])
def test_workers_change_no_batch(workers) -> None:
    _, graph = _graph()
    alone = [batch.input_nodes for batch in gb.DataLoader(_pipeline(graph))]
    shared = [b.input_nodes for b in gb.DataLoader(_pipeline(graph), num_workers=workers)]
    assert len(alone) == len(shared) == len(gb.DataLoader(_pipeline(graph)))
    assert all(torch.equal(a, b) for a, b in zip(alone, shared, strict=True))


def test_an_error_in_a_stage_reaches_the_loop() -> None:
    def fail(batch: gb.MiniBatch) -> gb.MiniBatch:
        raise ValueError("stage failed")

    pipe = gb.ItemSampler(gb.ItemSet(4, "seeds"), 2).transform(fail)
    with pytest.raises(ValueError, match="stage failed"):
        list(gb.DataLoader(pipe))


def test_a_loop_may_end_early() -> None:
    _, graph = _graph()
    before = threading.active_count()
    for _ in gb.DataLoader(_pipeline(graph)):
        assert threading.active_count() == before + 1
        break
    gc.collect()
    assert threading.active_count() == before


def test_without_deduplication_each_edge_has_its_source() -> None:
    _, graph = _graph()
    pipe = gb.ItemSampler(gb.ItemSet(6, "seeds"), 6)
    batch = next(iter(pipe.sample_neighbor(graph, [4], deduplicate=False)))
    block = batch.blocks[0]
    assert block.num_src_nodes() == 6 + block.num_edges()


def test_links_with_negatives_and_exclusion() -> None:
    g, graph = _graph()
    pairs = torch.stack(g.edges(), 1)
    pipe = gb.ItemSampler(gb.ItemSet(pairs, "seeds"), 50, seed=0)
    pipe = pipe.sample_uniform_negative(graph, 2).sample_neighbor(graph, [-1])
    pipe = pipe.exclude_seed_edges(include_reverse_edges=True)
    for batch in pipe:
        nodes = batch.sampled_subgraphs[-1].original_column_node_ids
        assert torch.equal(nodes[batch.compacted_seeds], batch.seeds)
        count = int(batch.labels.sum())
        assert len(batch.seeds) == 3 * count
        assert torch.equal(batch.seeds[count:, 0], batch.seeds[:count, 0].repeat_interleave(2))
        assert torch.equal(batch.indexes[:count], torch.arange(count))
        positive = {tuple(pair) for pair in batch.seeds[:count].tolist()}
        positive |= {pair[::-1] for pair in positive}
        block = batch.blocks[0]
        src, dst = (block.srcdata[gs.NID][end].tolist() for end in block.edges())
        assert not positive & set(zip(src, dst, strict=True))


def test_typed_links() -> None:
    g = gs.heterograph({("u", "f", "v"): ([0, 1, 2, 2], [2, 1, 0, 0]), ("v", "b", "u"): ([2], [0])})
    graph = gb.from_graph(g)
    items = gb.HeteroItemSet({"u:f:v": gb.ItemSet(T([[0, 2], [1, 1]]), "seeds")})
    pipe = gb.ItemSampler(items, 2).sample_uniform_negative(graph, 1).sample_neighbor(graph, [2])
    batch = next(iter(pipe))
    columns = batch.sampled_subgraphs[0].original_column_node_ids
    ends = batch.compacted_seeds["u:f:v"]
    assert torch.equal(columns["u"][ends[:, 0]], batch.seeds["u:f:v"][:, 0])
    assert torch.equal(columns["v"][ends[:, 1]], batch.seeds["u:f:v"][:, 1])
    assert batch.blocks[0].num_dst_nodes("v") == len(columns["v"])


def test_time_flows_through_layers() -> None:
    _, graph = _graph()
    times = torch.randint(0, 20, (300,), generator=torch.Generator().manual_seed(1))
    graph.add_edge_attribute("t", times)
    graph.add_edge_attribute(gb.ORIGINAL_EDGE_ID, torch.arange(300))
    items = gb.ItemSet((torch.arange(40), torch.full((40,), 10)), ("seeds", "timestamp"))
    pipe = gb.ItemSampler(items, 10)
    pipe = pipe.temporal_sample_neighbor(graph, [2, 3], edge_timestamp_attr_name="t")
    for batch in pipe:
        for layer in range(2):
            assert bool((times[batch.edge_ids(layer)] < 10).all())


def test_pyg_layers_get_their_form() -> None:
    _, graph = _graph()
    batch = next(iter(_pipeline(graph)))
    (x, target), edge_index, size = batch.sampled_subgraphs[0].to_pyg(batch.node_features["x"])
    assert size == (len(x), len(target))
    assert int(edge_index[0].max()) < len(x)
    assert int(edge_index[1].max()) < len(target)


def test_moving() -> None:
    _, graph = _graph()
    batch = next(iter(_pipeline(graph).copy_to("cpu")))
    assert batch.to("cpu").blocks[0].device == torch.device("cpu")
    assert not batch.is_pinned()


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda pipe, g: list(pipe.sample_uniform_negative(g, 1)), InvalidValueError, r"\(N, 2\)"),
        (lambda pipe, g: list(pipe.sample_neighbor(g, [])), InvalidValueError, "fanouts is a list"),
        (
            lambda pipe, g: pipe.sample_neighbor(g, ["a"]),
            InvalidTypeError,
            "a fanout is an int",
        ),
        (
            lambda pipe, g: list(
                gb.ItemSampler(gb.ItemSet([1], "seeds"), 2).sample_neighbor(g, [1])
            ),
            InvalidTypeError,
            "Seeds must be an int32 or int64 tensor, got list. Make the item set of a tensor",
        ),
        (lambda pipe, g: pipe.fetch_feature({}), InvalidTypeError, "must be a FeatureStore"),
        (lambda pipe, g: gb.DataLoader([1]), InvalidTypeError, "starts with an ItemSampler"),
        (lambda pipe, g: pipe.transform(3), InvalidTypeError, "a function or None"),
        (
            lambda pipe, g: list(gb.ItemSampler(gb.ItemSet(3, "x"), 2).sample_neighbor(g, [1])),
            InvalidValueError,
            "no seeds",
        ),
        (
            lambda pipe, g: list(gb.ItemSampler(gb.ItemSet(3), 2).sample_neighbor(g, [1])),
            InvalidValueError,
            "no seeds",
        ),
        (
            lambda pipe, g: list(gb.ItemSampler(gb.ItemSet(3), 2).sample_uniform_negative(g, 1)),
            InvalidValueError,
            "UniformNegativeSampler: the batch has no seeds",
        ),
        (
            lambda pipe, g: list(
                pipe.temporal_sample_neighbor(g, [1], edge_timestamp_attr_name=gb.ORIGINAL_EDGE_ID)
            ),
            InvalidValueError,
            "no timestamps",
        ),
        (
            lambda pipe, g: gb.MiniBatch().compute_blocks(),
            InvalidValueError,
            "no sampled subgraphs",
        ),
    ],
)
def test_wrong_input(call, error, message) -> None:
    pipe = gb.ItemSampler(gb.ItemSet(4, "seeds"), 2)
    with pytest.raises(error, match=message):
        call(pipe, _graph()[1])


def test_a_batch_in_a_notebook_tells_the_shapes_of_its_fields() -> None:
    html = gb.MiniBatch(seeds=torch.arange(3), labels={"<a>": torch.ones(3, 2)})._repr_html_()
    assert ">seeds<" in html and ">int64 (3,)<" in html
    assert "&lt;a&gt; float32 (3, 2)" in html and "input_nodes" not in html
