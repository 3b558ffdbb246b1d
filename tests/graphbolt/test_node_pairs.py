"""The names of GraphBolt 2.1 for the pairs of a mini-batch, with answers of DGL 2.1.0."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import gossamer as gs
import gossamer.graphbolt as gb

T = torch.tensor
PAIRS = T([[0, 1], [2, 3], [1, 2]])
GRAPH = gb.fused_csc_sampling_graph(T([0, 2, 3, 5, 6]), T([1, 2, 0, 1, 3, 2]))


def _batch(items: Any, names: Any, negatives: int = 0) -> gb.MiniBatch:
    pipe = gb.ItemSampler(gb.ItemSet(items, names), batch_size=3)
    if negatives:
        pipe = pipe.sample_uniform_negative(GRAPH, negatives)
    return next(iter(pipe.sample_neighbor(GRAPH, [-1])))


def _in_graph(batch: gb.MiniBatch, places: tuple) -> list:
    return [batch.input_nodes[ids].tolist() for ids in places]


class _Given(gb.NegativeSampler):
    """A sampler as it is written for version 2.1: pairs and negative ones are ``(u, v)``."""

    def __init__(self, pipe: gb.ItemSampler, ends: Any) -> None:
        super().__init__(pipe, 2)
        self.ends = ends

    def _sample_with_etype(self, node_pairs: Any, etype: str | None = None) -> Any:
        u, v = node_pairs
        return self.ends(u, v)


@pytest.mark.parametrize(
    ("ends", "srcs", "dsts"),
    [
        (lambda u, v: (None, torch.stack([u, v], 1)), None, [[0, 1], [2, 3], [1, 2]]),
        (lambda u, v: (None, v.repeat_interleave(2) * 0 + 3), None, [[3, 3]] * 3),
        (lambda u, v: (torch.stack([v, u], 1), None), [[1, 0], [3, 2], [2, 1]], None),
        (lambda u, v: (u.repeat_interleave(2), u.repeat(2)), None, [[0, 2], [1, 0], [2, 1]]),
    ],
)  # fmt: skip
def test_samplers_of_version_2_1(ends, srcs, dsts) -> None:
    items = gb.ItemSampler(gb.ItemSet(PAIRS, "node_pairs"), batch_size=3)
    batch = next(iter(_Given(items, ends).sample_neighbor(GRAPH, [-1])))
    assert [ids.tolist() for ids in batch.node_pairs] == [[0, 2, 1], [1, 3, 2]]
    assert (None if batch.negative_srcs is None else batch.negative_srcs.tolist()) == srcs
    assert batch.negative_dsts.tolist() == (dsts or [[1, 1], [3, 3], [2, 2]])
    if srcs is None:
        assert batch.compacted_negative_srcs is None
    else:
        assert batch.input_nodes[batch.compacted_negative_srcs].tolist() == srcs
    assert batch.labels.tolist() == [True] * 3 + [False] * 6


def test_samplers_of_version_2_1_by_edge_type() -> None:
    items = gb.HeteroItemSet({"a:x:b": gb.ItemSet(PAIRS, "node_pairs")})
    pipe = _Given(
        gb.ItemSampler(items, batch_size=3), lambda u, v: (torch.stack([v, v], 1), v.repeat(2))
    )
    batch = next(iter(pipe))
    assert batch.negative_srcs["a:x:b"].tolist() == [[1, 1], [3, 3], [2, 2]]
    assert batch.negative_dsts["a:x:b"].tolist() == [[1, 3], [2, 1], [3, 2]]


def test_too_few_negative_pairs() -> None:
    items = gb.ItemSampler(gb.ItemSet(PAIRS, "node_pairs"), batch_size=3)
    with pytest.raises(gs.InvalidValueError, match=r"2 negative pairs for each of 3 .* got \(3,\)"):
        next(iter(_Given(items, lambda u, v: (None, v))))


def test_positive_pairs() -> None:
    batch = _batch(PAIRS, "node_pairs")
    assert [ids.tolist() for ids in batch.node_pairs] == [[0, 2, 1], [1, 3, 2]]
    assert _in_graph(batch, batch.compacted_node_pairs) == [[0, 2, 1], [1, 3, 2]]
    assert _in_graph(batch, batch.positive_node_pairs) == [[0, 2, 1], [1, 3, 2]]
    assert batch.negative_node_pairs is None
    assert batch.negative_dsts is None


def test_negative_pairs_follow_their_positive_one() -> None:
    batch = _batch(PAIRS, "node_pairs", negatives=2)
    assert [ids.tolist() for ids in batch.node_pairs] == [[0, 2, 1], [1, 3, 2]]
    u, v = batch.negative_node_pairs
    assert u.shape == v.shape == (3, 2)
    assert batch.input_nodes[u].tolist() == [[0, 0], [2, 2], [1, 1]]
    assert torch.equal(batch.input_nodes[v], batch.negative_dsts)
    assert torch.equal(batch.compacted_negative_dsts, v)
    assert batch.negative_srcs is batch.compacted_negative_srcs is None
    (u, v), labels = batch.node_pairs_with_labels
    assert u.shape == v.shape == (9,)
    assert torch.equal(labels, T([1.0] * 3 + [0.0] * 6))


def test_labels_of_the_pairs_are_kept() -> None:
    batch = _batch((PAIRS, T([1.0, 0.0, 1.0])), ("node_pairs", "labels"))
    assert _in_graph(batch, batch.compacted_node_pairs) == [[0, 2, 1], [1, 3, 2]]
    pairs, labels = batch.node_pairs_with_labels
    assert _in_graph(batch, pairs) == [[0, 2, 1], [1, 3, 2]]
    assert labels.tolist() == [1, 0, 1]


def test_nodes_are_no_pairs() -> None:
    batch = _batch(T([0, 1, 2]), "seed_nodes")
    assert batch.node_pairs is batch.compacted_node_pairs is batch.node_pairs_with_labels is None


def test_pairs_of_several_types() -> None:
    batch = gb.MiniBatch(
        compacted_seeds={"a:r:b": PAIRS, "b:s:a": PAIRS[:2]},
        labels={"a:r:b": T([True, False, False]), "b:s:a": T([True, False])},
        indexes={"a:r:b": T([0, 0, 0]), "b:s:a": T([0, 0])},
    )
    assert {e: v.tolist() for e, v in batch.compacted_negative_dsts.items()} == {
        "a:r:b": [[3, 2]],
        "b:s:a": [[3]],
    }


def test_features_that_all_types_have_become_attributes() -> None:
    g = gs.graph(([0, 1, 2], [1, 2, 0]))
    g.ndata["x"], g.edata["w"] = T([5, 6, 7]), T([1.0, 2.0, 3.0])
    graph = gb.from_graph(g)
    assert graph.node_attributes["x"].tolist() == [5, 6, 7]
    assert graph.edge_attributes["w"].tolist() == [3, 1, 2]

    several = gs.heterograph({("a", "r", "b"): ([0, 1], [1, 0]), ("b", "s", "a"): ([0], [1])})
    several.ndata["x"] = {"a": T([1, 2]), "b": T([3, 4])}
    several.nodes["a"].data["only"] = T([1, 2])
    several.edata["w"] = {"r": T([1.0, 2.0]), "s": T([3.0])}
    graph = gb.from_graph(several)
    assert {name: x.tolist() for name, x in graph.node_attributes.items()} == {"x": [1, 2, 3, 4]}
    assert graph.edge_attributes["w"].tolist() == [3, 2, 1]


def test_negative_destinations_of_the_items() -> None:
    wrong = T([[3, 3], [0, 1], [1, 0]])
    for order in ((0, 1), (1, 0)):  # of the parts
        items, names = (PAIRS, wrong), ("node_pairs", "negative_dsts")
        batch = _batch(tuple(items[i] for i in order), tuple(names[i] for i in order))
        assert [ids.tolist() for ids in batch.node_pairs] == [[0, 2, 1], [1, 3, 2]]
        assert torch.equal(batch.negative_dsts, wrong)
        assert batch.input_nodes[batch.compacted_negative_dsts].tolist() == wrong.tolist()
        assert batch.labels.tolist() == [True] * 3 + [False] * 6
        assert batch.indexes.tolist() == [0, 1, 2, 0, 0, 1, 1, 2, 2]
        assert batch.seeds[3:, 0].tolist() == [0, 0, 2, 2, 1, 1]
    with pytest.raises(gs.InvalidValueError, match=r"\(P, K\), a row for each of the 3 node pairs"):
        _batch((PAIRS, T([3, 0, 1])), ("node_pairs", "negative_dsts"))
    with pytest.raises(gs.InvalidValueError, match="node pairs have the shape"):
        gb.MiniBatch().negative_dsts = wrong


def test_negative_destinations_by_type() -> None:
    batch = gb.MiniBatch(seeds={"a:x:b": T([[0, 1]]), "a:y:b": T([[2, 3]])})
    batch.negative_dsts = {"a:x:b": T([[7, 8]])}
    assert batch.seeds["a:x:b"].tolist() == [[0, 1], [0, 7], [0, 8]]
    assert batch.seeds["a:y:b"].tolist() == [[2, 3]]
    assert batch.labels["a:x:b"].tolist() == [True, False, False]
    assert batch.labels["a:y:b"] is batch.indexes["a:y:b"] is None


def test_batches_made_of_the_names_of_graphbolt_2_1() -> None:
    """Values as in DGL 2.1.0."""
    assert gb.MiniBatch(seed_nodes=T([4, 2])).seed_nodes.tolist() == [4, 2]
    batch = gb.MiniBatch(node_pairs=(T([0, 4]), T([1, 0])), negative_dsts=T([[1, 2], [3, 4]]))
    assert [ids.tolist() for ids in batch.node_pairs] == [[0, 4], [1, 0]]
    assert batch.negative_dsts.tolist() == [[1, 2], [3, 4]]
    typed = gb.MiniBatch(node_pairs={"a:x:b": (T([0, 1]), T([1, 2]))})
    assert [ids.tolist() for ids in typed.node_pairs["a:x:b"]] == [[0, 1], [1, 2]]
    with pytest.raises(gs.InvalidValueError, match="one of seeds, seed_nodes and node_pairs"):
        gb.MiniBatch(seeds=T([1]), seed_nodes=T([1]))


def test_a_stage_may_set_pairs() -> None:
    def turned(batch: gb.MiniBatch) -> gb.MiniBatch:
        batch.node_pairs = batch.node_pairs[::-1]
        return batch

    items = gb.ItemSampler(gb.ItemSet(T([[0, 1], [2, 3]]), "node_pairs"), 2)
    (batch,) = items.transform(turned)
    assert batch.seeds.tolist() == [[1, 0], [3, 2]]


def test_arguments_of_graphbolt_2_1() -> None:
    items = gb.ItemSet(T([3, 1, 2]), "seed_nodes")
    pipe = gb.ItemSampler(items, 2, shuffle=True, use_indexing=False, buffer_size=1)
    seeds = [batch.seed_nodes for batch in pipe.copy_to("cpu", extra_attrs=["input_nodes"])]
    assert [len(part) for part in seeds] == [2, 1]
    assert torch.cat(seeds).sort()[0].tolist() == [1, 2, 3]
