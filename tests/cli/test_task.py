"""From a dataset's name to tensors."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import gossamer
from gossamer.cli import task as task_module
from gossamer.cli.task import load_task, pick_device
from gossamer.data import registry
from gossamer.data.dataset import Dataset
from gossamer.errors import InvalidValueError, UnknownKeyError
from helpers.paths import shared_data

CPU = torch.device("cpu")


class _Tiny(Dataset):
    """Four nodes, a self-loop and a duplicate edge; what the test asks for is taken away."""

    num_classes = 2
    class_names = ("no", "yes")

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

    def __getitem__(self, idx: int) -> gossamer.Graph:
        return self.graph

    def __len__(self) -> int:
        return 1


def _use(monkeypatch: pytest.MonkeyPatch, dataset: Dataset) -> None:
    monkeypatch.setattr(task_module.registry, "info", lambda name: registry.DATASETS["digits"])
    monkeypatch.setattr(task_module.registry, "load", lambda *_, **__: dataset)


def test_the_digits() -> None:
    task = load_task("digits", None, False, CPU)
    assert task.feat.shape == (1797, 64) and task.feat.dtype == torch.float32
    assert task.label.dtype == torch.int64 and task.num_splits == 1
    assert task.class_names == [str(i) for i in range(10)]
    parts = [set(task.nodes(part, 0).tolist()) for part in ("train", "val", "test")]
    assert sum(map(len, parts)) == len(set.union(*parts)) == 1797
    assert task.sizes["edges"] == task.graph.num_edges()


def test_self_loops_are_exactly_one_per_node(monkeypatch: pytest.MonkeyPatch) -> None:
    _use(monkeypatch, _Tiny())
    task = load_task("tiny", None, True, CPU)
    src, dst = task.graph.edges()
    assert sorted(zip(src.tolist(), dst.tolist(), strict=True)) == [
        (0, 0), (0, 1), (1, 1), (1, 2), (2, 2), (2, 3), (3, 3)
    ]  # fmt: skip
    bare = load_task("tiny", None, False, CPU)
    assert bare.graph.num_edges() == 4 and bare.sizes["edges"] == 4
    assert not bare.graph.ndata
    assert bare.class_names == ["no", "yes"]


def test_the_score_is_taken_on_the_given_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    _use(monkeypatch, _Tiny())
    task = load_task("tiny", None, False, CPU)
    probability = np.array([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    assert task.score(probability, torch.tensor([0, 1])) == 0.5
    assert task.score(probability, torch.tensor([2, 3])) == 1.0
    task.metric = "roc_auc"
    assert task.score(probability, torch.tensor([0, 1, 2, 3])) == 0.75


@pytest.mark.parametrize("key", ["feat", "label", "train_mask", "val_mask", "test_mask"])
def test_a_dataset_without_what_training_needs(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    _use(monkeypatch, _Tiny(without=key))
    with pytest.raises(InvalidValueError, match=f"'tiny' has no node feature '{key}'"):
        load_task("tiny", None, False, CPU)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_features_that_are_not_finite(monkeypatch: pytest.MonkeyPatch, value: float) -> None:
    dataset = _Tiny()
    dataset[0].ndata["feat"][2, 0] = value
    _use(monkeypatch, dataset)
    with pytest.raises(
        InvalidValueError, match="NaN or infinite features at 1 nodes, the first is"
    ):
        load_task("tiny", None, True, CPU)


@pytest.mark.parametrize("part", ["train", "val", "test"])
def test_an_empty_part_of_a_split(monkeypatch: pytest.MonkeyPatch, part: str) -> None:
    _use(monkeypatch, _Tiny(empty=part))
    with pytest.raises(InvalidValueError, match=f"'tiny' has a split without {part} nodes"):
        load_task("tiny", None, False, CPU)


def test_an_unknown_dataset_lists_the_known_ones() -> None:
    with pytest.raises(UnknownKeyError, match=r"There is no dataset 'mnist'\. .*digits"):
        load_task("mnist", None, False, CPU)


def test_ten_splits_and_roc_auc() -> None:
    folder = shared_data("heterophilous-graphs")
    task = load_task("minesweeper", str(folder), False, CPU)
    assert task.num_splits == 10 and task.metric == "roc_auc"
    assert all(len(task.nodes("train", split)) == 5000 for split in range(10))
    assert not torch.equal(task.nodes("val", 0), task.nodes("val", 1))


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_cuda_without_a_device() -> None:
    with pytest.raises(InvalidValueError, match="--device cuda: PyTorch finds no CUDA device"):
        pick_device("cuda")
    assert pick_device("auto") == pick_device("cpu") == CPU


@pytest.mark.parametrize(
    ("name", "task"), [("mini-gc", "graph classification"), ("wn18", "knowledge-graph completion")]
)
def test_datasets_for_another_task_are_refused_before_they_are_loaded(name: str, task: str) -> None:
    with pytest.raises(InvalidValueError, match=f"Dataset '{name}' is for {task}, and"):
        load_task(name, None, False, torch.device("cpu"))
