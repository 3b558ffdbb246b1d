"""Tasks: batches and scores of nodes, graphs and pairs, from datasets of every kind."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch.testing import assert_close

import gossamer
from gossamer.cli import catalogued
from gossamer.cli.build import graph_task, link_task, node_task, rating_task
from gossamer.cli.catalogued import as_features, load_dataset
from gossamer.cli.config import TrainConfig, from_mapping
from gossamer.cli.details import describe
from gossamer.cli.metrics import roc_auc
from gossamer.cli.model_list import MODELS, fitting
from gossamer.cli.network import Network
from gossamer.cli.schema import Schema
from gossamer.cli.splits import random_masks
from gossamer.cli.targets import CLASSES, LABELS, VALUES, Target, of_values
from gossamer.cli.task import PARTS, GraphTask, NodeTask, PairTask, pick_device
from gossamer.cli.training import evaluate, fit_seed
from gossamer.data import registry
from gossamer.data.dataset import Dataset
from gossamer.errors import InvalidValueError, UnknownKeyError
from helpers.paths import shared_data

CPU = torch.device("cpu")


def _config(**settings: object) -> TrainConfig:
    return from_mapping({"hidden": 8, "epochs": 3, **settings})


class _Tiny(Dataset):
    """Four nodes, a self-loop and a duplicate edge; what the test asks for is taken away."""

    def __init__(self, without: str = "", empty: str = "") -> None:
        self.without, self.empty = without, empty
        super().__init__("tiny")

    def process(self) -> None:
        graph = gossamer.graph(([0, 1, 1, 2], [1, 1, 2, 3]), num_nodes=4)
        graph.ndata["feat"] = torch.arange(8.0, dtype=torch.float64).reshape(4, 2)
        graph.ndata["label"] = torch.tensor([0, 1, 0, 1], dtype=torch.int32)
        for node, part in enumerate(("train", "val", "test")):
            mask = torch.arange(4) == node
            graph.ndata[f"{part}_mask"] = mask & (part != self.empty)
        if self.without:
            graph.ndata.pop(self.without)
        self.graph = graph

    num_classes = 2
    class_names = ("no", "yes")

    def __getitem__(self, idx: int) -> gossamer.Graph:
        return self.graph

    def __len__(self) -> int:
        return 1


def _load_tiny(monkeypatch: pytest.MonkeyPatch, dataset: Dataset, **settings: object) -> NodeTask:
    entry = registry.DATASETS["digits"]
    monkeypatch.setattr(catalogued.registry, "info", lambda name: entry)
    monkeypatch.setattr(type(entry), "make", lambda *_, **__: dataset)
    return load_dataset(_config(**settings), CPU)


def test_the_digits() -> None:
    task = load_dataset(_config(self_loops=False), CPU)
    assert task.feat["_N"].shape == (1797, 64) and task.feat["_N"].dtype == torch.float32
    assert task.label.dtype == torch.int64 and task.num_splits == 1
    assert task.target.names == [str(i) for i in range(10)]
    parts = [set(task.part(part, 0).tolist()) for part in PARTS]
    assert sum(map(len, parts)) == len(set.union(*parts)) == 1797
    assert task.sizes["edges"] == task.graph.num_edges()


def test_self_loops_are_exactly_one_per_node(monkeypatch: pytest.MonkeyPatch) -> None:
    task = _load_tiny(monkeypatch, _Tiny())
    src, dst = task.graph.edges()
    assert sorted(zip(src.tolist(), dst.tolist(), strict=True)) == [
        (0, 0), (0, 1), (1, 1), (1, 2), (2, 2), (2, 3), (3, 3)
    ]  # fmt: skip
    bare = _load_tiny(monkeypatch, _Tiny(), self_loops=False)
    assert bare.graph.num_edges() == 4 and bare.sizes["edges"] == 4
    assert not bare.graph.ndata
    assert bare.target.names == ["no", "yes"]


def test_the_score_is_taken_on_the_given_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    task = _load_tiny(monkeypatch, _Tiny())
    probability = np.array([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    assert task.score(probability, torch.tensor([0, 1])) == 0.5
    assert task.score(probability, torch.tensor([2, 3])) == 1.0


@pytest.mark.parametrize("key", ["label", "train_mask", "val_mask", "test_mask"])
def test_a_dataset_without_what_training_needs(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    with pytest.raises(InvalidValueError, match=f"'digits' has no node feature '{key}'"):
        _load_tiny(monkeypatch, _Tiny(without=key))


def test_nodes_without_features_get_vectors(monkeypatch: pytest.MonkeyPatch) -> None:
    task = _load_tiny(monkeypatch, _Tiny(without="feat"), epochs=2)
    assert task.feat == {} and task.schema.num_nodes == {"_N": 4}
    model = Network(_config(), task.schema)
    assert [tuple(v.shape) for v in model.vectors] == [(4, 8)]
    for loss in task.losses(model, _config(), 0):
        loss.backward()
    assert model.vectors[0].grad.abs().sum() > 0


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_features_that_are_not_finite(monkeypatch: pytest.MonkeyPatch, value: float) -> None:
    dataset = _Tiny()
    dataset[0].ndata["feat"][2, 0] = value
    with pytest.raises(InvalidValueError, match="NaN or infinite features at 1 nodes, the first"):
        _load_tiny(monkeypatch, dataset)


@pytest.mark.parametrize("part", PARTS)
def test_an_empty_part_of_a_split(monkeypatch: pytest.MonkeyPatch, part: str) -> None:
    with pytest.raises(InvalidValueError, match=f"'digits' has a split without {part} nodes"):
        _load_tiny(monkeypatch, _Tiny(empty=part))


def test_an_unknown_dataset() -> None:
    with pytest.raises(UnknownKeyError, match=r"no dataset 'mnist'.*lists all"):
        load_dataset(_config(dataset="mnist"), CPU)


def test_ten_splits_and_roc_auc() -> None:
    folder = shared_data("heterophilous-graphs")
    task = load_dataset(_config(dataset="minesweeper", raw_dir=str(folder)), CPU)
    assert task.num_splits == 10 and task.target.metric == "roc_auc"
    assert all(len(task.part("train", split)) == 5000 for split in range(10))
    assert not torch.equal(task.part("val", 0), task.part("val", 1))


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_cuda_without_a_device() -> None:
    with pytest.raises(InvalidValueError, match="--device cuda: PyTorch finds no CUDA device"):
        pick_device("cuda")
    assert pick_device("auto") == pick_device("cpu") == CPU


def _dense_sage(task: NodeTask, model: Network) -> torch.Tensor:
    """What a GraphSAGE of two layers gives, from a dense matrix."""
    count = task.graph.num_nodes()
    adjacency = torch.zeros(count, count)
    src, dst = task.graph.edges()
    adjacency.index_put_((dst, src), torch.ones(len(src)), accumulate=True)
    mean = adjacency / adjacency.sum(1, keepdim=True).clamp(min=1)
    h = task.feat["_N"]
    for number, conv in enumerate(model.body.convs):
        h = conv.fc_self(h) + conv.fc_neigh(mean @ h)
        h = h.relu() if number == 0 else h
    return h


def test_sampled_batches_of_all_neighbors_have_the_loss_of_the_graph(small_task: NodeTask) -> None:
    config = _config(model="sage", dropout=0.0, minibatch=True, fanout=[-1], batch_size=16)
    model = Network(config, small_task.schema)
    train = small_task.part("train", 0)
    scores = _dense_sage(small_task, model)
    expected = small_task.target.loss(scores[train], small_task.label[train])
    losses = list(small_task.losses(model, config, 0))
    sizes = torch.tensor([16.0, 16.0, len(train) - 32.0])
    assert len(losses) == 3
    assert_close((torch.stack(losses) * sizes).sum() / len(train), expected)
    (whole,) = small_task.losses(model, _config(model="sage", dropout=0.0), 0)
    assert_close(whole, expected)


@pytest.mark.parametrize("model", fitting(Schema("nodes", {"_N": 3}, 3)))
def test_every_model_trains_on_sampled_nodes(small_task: NodeTask, model: str) -> None:
    config = _config(model=model, minibatch=True, batch_size=20, fanout=[3], heads=2, epochs=4)
    fits = [fit_seed(small_task, config, 1, lambda epoch: None) for _ in range(2)]
    assert fits[0].result.history == fits[1].result.history
    history = fits[0].result.history
    assert history[-1].train_loss < 1.5 * history[0].train_loss


def _typed() -> tuple[gossamer.Graph, dict, torch.Tensor, dict]:
    """Users who like items of their own group, which is the users' class."""
    generator = torch.Generator().manual_seed(1)
    user = torch.arange(60).repeat_interleave(5)
    item = 4 * torch.randint(0, 10, (300,), generator=generator) + user % 4
    graph = gossamer.heterograph(
        {("user", "likes", "item"): (user, item), ("item", "liked", "user"): (item, user)}
    )
    label = torch.arange(60) % 4
    return graph, {"item": torch.eye(4)[torch.arange(40) % 4]}, label, random_masks(label)


@pytest.mark.parametrize("minibatch", [False, True])
@pytest.mark.parametrize("model", ["rgcn", "hgt"])
def test_nodes_of_a_graph_of_several_types(model: str, minibatch: bool) -> None:
    graph, feat, label, masks = _typed()
    config = _config(model=model, epochs=30, heads=2, minibatch=minibatch, batch_size=20)
    target = Target(CLASSES, list("abcd"), "accuracy")
    task = node_task("likes", graph, feat, "user", label, masks, target, config, CPU)
    assert task.schema.in_sizes == {"item": 4, "user": 0} and task.schema.num_etypes == 2
    fit = fit_seed(task, config, 0, lambda epoch: None)
    assert fit.result.test > 0.6
    assert evaluate(task, config, fit).probability.shape == (60, 4)


def test_a_model_for_one_type_is_refused_with_those_that_fit() -> None:
    graph, feat, label, masks = _typed()
    target = Target(CLASSES, list("abcd"), "accuracy")
    with pytest.raises(InvalidValueError, match=r"2 node and 2 edge types\. Choose one of rgcn"):
        node_task("likes", graph, feat, "user", label, masks, target, _config(model="gcn"), CPU)


@pytest.mark.parametrize("model", [name for name in MODELS if "graphs" in MODELS[name].levels])
def test_whole_graphs(model: str) -> None:
    """Cycles and stars, with degrees as features."""
    graphs = []
    for size in range(4, 34):
        nodes = torch.arange(size)
        dst = (nodes + 1) % size if size % 2 else torch.zeros(size, dtype=torch.int64)
        graph = gossamer.graph((torch.cat([nodes, dst]), torch.cat([dst, nodes])))
        graph.ndata["feat"] = (graph.in_degrees() > 2).float()[:, None]
        graphs.append(graph)
    label = torch.arange(4, 34) % 2
    config = _config(model=model, epochs=25, batch_size=8, dropout=0.0)
    target = Target(CLASSES, ["star", "cycle"], "accuracy")
    masks = random_masks(label)
    task = graph_task("shapes", graphs, label, masks, target, config, CPU)
    assert isinstance(task, GraphTask) and task.sizes["graphs"] == 30
    model = Network(config, task.schema)
    scores, _ = task.scores(model)
    one, _ = GraphTask(**{**vars(task), "graphs": task.graphs[3:4]}).scores(model)
    assert_close(scores[3:4], one)
    assert fit_seed(task, config, 0, lambda epoch: None).result.test >= 0.8


@pytest.mark.parametrize("size", [1, 3])
def test_values_of_graphs(size: int) -> None:
    gossamer.seed(0)
    graphs = [gossamer.rand_graph(5 + i % 7, 10) for i in range(240)]
    for graph in graphs:
        graph.ndata["feat"] = torch.ones(graph.num_nodes(), 1)
    count = torch.tensor([[float(graph.num_nodes())] for graph in graphs])
    label = 100 + 10 * count * torch.arange(1, size + 1)
    label[0] = torch.nan
    masks = random_masks(label[:, 0])
    assert not any(bool(mask[0]) for mask in masks.values())
    target = of_values(label, masks["train"][:, 0], [str(i) for i in range(size)], "mae")
    assert_close(target.mean, label[masks["train"][:, 0]].mean(0).tolist())
    config = _config(model="gin", hidden=32, epochs=100, dropout=0.0)
    task = graph_task("sizes", graphs, label, masks, target, config, CPU)
    fit = fit_seed(task, config, 0, lambda epoch: None)
    # The error of the mean of the training graphs, which does not look at a graph.
    test = masks["test"][:, 0]
    guess = float((label[test] - torch.tensor(target.mean)).abs().mean())
    assert fit.result.test < 0.35 * guess and fit.result.metric == "mae"
    assert fit.result.val == min(epoch.val_score for epoch in fit.result.history)


def test_several_labels() -> None:
    graph, feat, _, _ = _typed()
    item = torch.arange(40) % 4
    label = torch.stack([item < 2, item % 2 == 0], 1).float()
    label[0, 0] = torch.nan
    config = _config(model="rgcn", epochs=30)
    target = Target(LABELS, ["low", "even"], "f1")
    masks = random_masks(item)
    task = node_task("likes", graph, feat, "item", label, masks, target, config, CPU)
    assert fit_seed(task, config, 0, lambda epoch: None).result.test > 0.8


def test_links_are_held_out_of_the_graph() -> None:
    graph = gossamer.rand_graph(50, 400)
    config = _config(task="links", self_loops=False)
    task = link_task("random", graph, {}, graph.canonical_etypes[0], config, CPU)
    linked = {frozenset(e) for e in zip(*(end.tolist() for end in graph.edges()), strict=True)}
    linked = {pair for pair in linked if len(pair) == 2}
    pairs = [frozenset(p) for p in zip(*(end.tolist() for end in task.pairs), strict=True)]
    label = task.label[:, 0].bool().tolist()
    assert {p for p, y in zip(pairs, label, strict=True) if y} == linked
    assert not linked & {p for p, y in zip(pairs, label, strict=True) if not y}
    assert len(set(pairs)) == len(pairs)
    seen = {frozenset(e) for e in zip(*(e.tolist() for e in task.graph.edges()), strict=True)}
    train = {pairs[i] for i in task.part("train", 0).tolist()}
    assert seen == train and task.graph.num_edges() == 2 * len(train)
    for part, share in (("val", 0.05), ("test", 0.1)):
        items = task.part(part, 0)
        assert len(items) == 2 * int(share * len(linked))
        assert int(task.label[items].sum()) == len(items) // 2


def test_the_last_links_are_held_out() -> None:
    graph = gossamer.graph((torch.arange(40), torch.arange(40) + 1))
    config = _config(task="links")
    order = torch.arange(40).flip(0)
    task = link_task("path", graph, {}, graph.canonical_etypes[0], config, CPU, order)
    linked = task.label[:, 0] == 1
    test = task.part("test", 0)
    assert sorted(task.pairs[0][test[linked[test]]].tolist()) == [0, 1, 2, 3]
    assert describe(task, 0).by_time


def test_links_between_types_leave_no_way_around() -> None:
    graph, feat, _, _ = _typed()
    etype = ("user", "likes", "item")
    task = link_task("likes", graph, feat, etype, _config(task="links", model="rgcn"), CPU)
    held = task.part("test", 0)
    held = held[task.label[held, 0] == 1]
    gone = set(zip(task.pairs[0][held].tolist(), task.pairs[1][held].tolist(), strict=True))
    for name, turned in (("likes", False), ("liked", True)):
        u, v = (end.tolist() for end in task.graph.edges(etype=name))
        assert not gone & set(zip(v, u, strict=True) if turned else zip(u, v, strict=True))


@pytest.mark.parametrize("model", [name for name in MODELS if "links" in MODELS[name].levels])
def test_every_model_finds_links(model: str) -> None:
    """Two groups, each of which is densely linked."""
    u, v = torch.randint(0, 20, (2, 600), generator=torch.Generator().manual_seed(0))
    graph = gossamer.graph((torch.cat([u, u + 20]), torch.cat([v, v + 20])))
    config = _config(task="links", model=model, epochs=40, dropout=0.0)
    task = link_task("groups", graph, {}, graph.canonical_etypes[0], config, CPU)
    assert isinstance(task, PairTask)
    fit = fit_seed(task, config, 0, lambda epoch: None)
    assert fit.result.test > 0.65
    best = evaluate(task, config, fit)
    test = task.part("test", 0)
    both = np.concatenate([1 - best.probability, best.probability], 1)[test]
    assert roc_auc(both, task.label[test, 0].numpy()) == pytest.approx(fit.result.test)


def test_ratings() -> None:
    graph, _, _, _ = _typed()
    etype = ("user", "likes", "item")
    u, v = graph.edges(etype=etype)
    rate = 1.0 + (u % 4 == 1).float() + 2 * (v % 2).float()
    masks = {part: mask[:, 0] for part, mask in random_masks(None, count=len(u)).items()}
    config = _config(model="rgcn", epochs=60, dropout=0.0)
    task = rating_task("stars", graph, {}, etype, rate, masks, config, CPU)
    assert task.graph.num_edges() == 2 * int(masks["train"].sum())
    assert len(task.graph.canonical_etypes) == 2 * len(rate[masks["train"]].unique())
    assert fit_seed(task, config, 0, lambda epoch: None).result.test < 0.5 * float(rate.std())


def test_kinds_become_columns() -> None:
    two = as_features(torch.tensor([[1, 0], [0, 2]]))
    assert two.tolist() == [[0, 1, 1, 0, 0], [1, 0, 0, 0, 1]]
    assert as_features(torch.tensor([70])).shape == (1, 64)
    assert as_features(torch.tensor([0.5], dtype=torch.float64)).tolist() == [[0.5]]


@pytest.mark.parametrize(
    ("name", "folder", "level", "items"),
    [
        ("gin-mutag", "graph-classification", "graphs", 188),
        ("tu-enzymes", "ENZYMES", "graphs", 600),
        ("ml-100k", "ml-100k", "ratings", 100_000),
        ("bitcoinotc", "bitcoin", "links", None),
        ("USAir", "seal-link-prediction", "links", 2126 + 318),
        ("actor", "heterophilous-graphs", "nodes", 7600),
    ],
)
def test_datasets_of_every_kind(
    name: str, folder: str, level: str, items: int | None, linked: Callable[[str], str]
) -> None:
    config = _config(dataset=name, raw_dir=linked(folder), epochs=1)
    task = load_dataset(config, CPU)
    assert task.schema.level == level
    assert items in (None, len(task.label))
    result = fit_seed(task, config, 0, lambda epoch: None).result
    assert np.isfinite(result.test)


@pytest.mark.parametrize(("name", "kind"), [("BBBP", LABELS), ("ESOL", VALUES)])
def test_one_target_of_graphs(monkeypatch: pytest.MonkeyPatch, name: str, kind: str) -> None:
    entry = registry.DATASETS[name]
    assert entry.classes == 1

    class Molecules(list):
        targets = ("brain",)

    label = torch.arange(40) % 2
    molecules = [(gossamer.rand_graph(4, 6), value.float().reshape(1)) for value in label]
    monkeypatch.setattr(type(entry), "make", lambda *_, **__: Molecules(molecules))
    config = _config(dataset=name, epochs=1)
    task = load_dataset(config, CPU)
    assert (task.target.kind, task.target.names) == (kind, ["brain"])
    assert task.label.tolist() == [[value] for value in label]
    assert np.isfinite(fit_seed(task, config, 0, lambda epoch: None).result.test)


def test_several_types_without_a_split(linked: Callable[[str], str]) -> None:
    options = {"model": "rgcn", "hidden": 8, "epochs": 1, "minibatch": True, "fanout": (2,)}
    config = _config(dataset="dblp", raw_dir=linked("DBLP"), **options)
    task = load_dataset(config, CPU)
    sizes = [int(task.masks[part].sum()) for part in PARTS]
    assert (sum(sizes), len(task.label)) == (4057, 4057)
    assert sizes[0] > 2 * max(sizes[1:])
    assert np.isfinite(fit_seed(task, config, 0, lambda epoch: None).result.test)
