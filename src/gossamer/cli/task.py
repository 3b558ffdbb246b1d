"""The task of a dataset: one graph with validated features, labels and splits."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

import gossamer
from gossamer.cli.metrics import METRICS
from gossamer.data import registry
from gossamer.data.catalogue.entry import NODES
from gossamer.errors import InvalidValueError

__all__ = ["Task", "load_task", "pick_device"]


@dataclass
class Task:
    """Node classification on one homogeneous graph.

    ``feat`` is (N, D) float32, ``label`` (N,) int64; the masks are (N, S) bool, a column per split.
    """

    name: str
    graph: Any
    feat: Tensor
    label: Tensor
    masks: dict[str, Tensor]
    num_classes: int
    class_names: list[str]
    metric: str
    sizes: dict[str, int]

    @property
    def num_splits(self) -> int:
        """S, the number of train/val/test splits."""
        return self.masks["train"].shape[1]

    def nodes(self, part: str, split: int) -> Tensor:
        """Ids of the nodes of "train", "val" or "test" in one split."""
        return self.masks[part][:, split].nonzero().squeeze(1)

    def score(self, probability: np.ndarray, nodes: Tensor) -> float:
        """The dataset's metric on some nodes, given the probabilities (N, C) of all."""
        index = nodes.cpu().numpy()
        return METRICS[self.metric](probability[index], self.label.cpu().numpy()[index])


def pick_device(name: str) -> torch.device:
    """The device for "auto", "cpu" or "cuda".

    Raises
    ------
    InvalidValueError
        If `device` is "cuda" and PyTorch finds no CUDA device.
    """
    available = torch.cuda.is_available()
    if name == "cuda" and not available:
        raise InvalidValueError(
            "--device cuda: PyTorch finds no CUDA device here. Use --device cpu, or install a "
            "CUDA build of PyTorch on a machine with a GPU."
        )
    return torch.device("cuda" if available and name != "cpu" else "cpu")


def load_task(
    name: str, raw_dir: str | None, self_loops: bool, device: torch.device, verbose: bool = False
) -> Task:
    """Load a dataset by its registered name and move it to `device`.

    Raises
    ------
    UnknownKeyError
        If no dataset has that name.
    InvalidValueError
        If the dataset lacks features, labels or masks for node classification, a feature is not
        finite, or `raw_dir` is not a folder.
    FileError
        If its files are missing or corrupt.
    """
    info = registry.info(name)
    if info.task != NODES or info.graphs != 1:
        raise InvalidValueError(
            f"Dataset '{name}' is for {info.task}, and `gossamer train` is for {NODES} on one "
            "graph. Choose another; `gossamer datasets` lists them."
        )
    if raw_dir is not None and Path(raw_dir).exists() and not Path(raw_dir).is_dir():
        raise InvalidValueError(
            f"--raw-dir '{raw_dir}' is a file. Give the folder that holds the dataset's files."
        )
    dataset = registry.load(name, raw_dir, verbose=verbose)
    graph = dataset[0]
    data = graph.ndata
    missing = [key for key in _FEATURES if key not in data]
    if missing:
        raise InvalidValueError(
            f"Dataset '{name}' has no node feature '{missing[0]}', which training needs. "
            "Choose another; `gossamer datasets` lists them."
        )
    _check_finite(name, data["feat"])
    masks = {
        part: data[f"{part}_mask"].bool().reshape(graph.num_nodes(), -1).to(device)
        for part in ("train", "val", "test")
    }
    _check_masks(name, masks)
    num_classes = int(dataset.num_classes)
    names = getattr(dataset, "class_names", None) or range(num_classes)
    sizes = {"nodes": graph.num_nodes(), "edges": graph.num_edges(), "classes": num_classes}
    return Task(
        name=info.name,
        graph=_structure(graph, self_loops).to(device),
        feat=data["feat"].float().to(device),
        label=data["label"].long().to(device),
        masks=masks,
        num_classes=num_classes,
        class_names=[str(n) for n in names],
        metric=info.metric,
        sizes={**sizes, "features": data["feat"].shape[1]},
    )


def _structure(graph: Any, self_loops: bool) -> Any:
    """The graph without features; with `self_loops`, with exactly one self-loop on each node."""
    src, dst = graph.edges()
    if self_loops:
        others, nodes = src != dst, graph.nodes()
        src, dst = torch.cat([src[others], nodes]), torch.cat([dst[others], nodes])
    return gossamer.graph((src, dst), num_nodes=graph.num_nodes())


_FEATURES = ("feat", "label", "train_mask", "val_mask", "test_mask")


def _check_finite(name: str, feat: Tensor) -> None:
    wrong = (~torch.isfinite(feat.reshape(len(feat), -1)).all(1)).nonzero().flatten()
    if len(wrong):
        raise InvalidValueError(
            f"Dataset '{name}' has NaN or infinite features at {len(wrong):,} nodes, the first is "
            f"node {int(wrong[0])}. Replace them in 'feat' before training."
        )


def _check_masks(name: str, masks: dict[str, Tensor]) -> None:
    for part, mask in masks.items():
        if not bool(mask.any(0).all()):
            raise InvalidValueError(
                f"Dataset '{name}' has a split without {part} nodes. Check '{part}_mask'."
            )
