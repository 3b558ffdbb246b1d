"""Tasks: items with labels and splits, their batches, and their scores from a model.

A `Task` has M items: nodes, graphs, or pairs of nodes.
"""

from __future__ import annotations

import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

import gossamer
from gossamer.cli.config import TrainConfig
from gossamer.cli.network import Network
from gossamer.cli.schema import Schema
from gossamer.cli.targets import Target
from gossamer.dataloading import DataLoader, NeighborSampler, ShaDowKHopSampler
from gossamer.errors import InvalidValueError

__all__ = ["PARTS", "GraphTask", "NodeTask", "PairTask", "Task", "pick_device"]

PARTS = ("train", "val", "test")


@dataclass
class Task(ABC):
    """Items with labels and splits.

    Attributes
    ----------
    label : Tensor
        Labels in the form described in `Target`.
    masks : dict of str to Tensor
        (M, S) bool for "train", "val" and "test", with a column per split.
    sizes : dict of str to int
        Counts for the headline and the report.
    ids : numpy.ndarray, optional
        The user's ids of the items; default: 0, 1, 2 ...
    columns : dict, optional
        How tables are converted to features, stored with the model for reading other tables.
    picture_shape : tuple, optional
        Height and width, if the features of an item are the pixels of an image.
    by_time : bool
        Whether the split is by time, with the last items as test items.
    """

    name: str
    schema: Schema
    target: Target
    label: Tensor
    masks: dict[str, Tensor]
    sizes: dict[str, int]
    ids: np.ndarray | None = field(default=None, kw_only=True)
    columns: dict[str, Any] | None = field(default=None, kw_only=True)
    picture_shape: tuple[int, int] | None = field(default=None, kw_only=True)
    by_time: bool = field(default=False, kw_only=True)

    @property
    def num_splits(self) -> int:
        """S, the number of splits."""
        return self.masks["train"].shape[1]

    def part(self, name: str, split: int) -> Tensor:
        """Return the indices of the items of "train", "val" or "test" in one split."""
        return self.masks[name][:, split].nonzero().squeeze(1)

    def score(self, prediction: np.ndarray, items: Tensor) -> float:
        """Compute the metric on `items`, given the predictions (M, C) of all items."""
        index = items.cpu().numpy()
        return self.target.score(prediction[index], self.label.cpu().numpy()[index])

    def fingerprint(self) -> str:
        """Return a checksum of labels and splits, which identifies the data of a resumed run."""
        parts = [self.label, *self.masks.values()]
        data = b"".join(part.cpu().contiguous().numpy().tobytes() for part in parts)
        return f"{zlib.crc32(data):08x}"

    def check(self) -> None:
        """Raise an error if a part of a split is empty."""
        for part, mask in self.masks.items():
            if not bool(mask.any(0).all()):
                raise InvalidValueError(
                    f"Dataset '{self.name}' has a split without {part} {self.schema.level}. Check "
                    f"'{part}_mask'."
                )

    @abstractmethod
    def losses(self, model: Network, config: TrainConfig, split: int) -> Iterator[Tensor]:
        """Yield the loss of each batch of an epoch."""

    @abstractmethod
    def scores(self, model: Network) -> tuple[Tensor, Tensor]:
        """Compute scores (M, C) and embeddings (M, H) of all items, in evaluation mode."""


@dataclass
class NodeTask(Task):
    """Nodes of one type in one graph; `feat` holds features by node type."""

    graph: Any
    feat: dict[str, Tensor]

    def losses(self, model: Network, config: TrainConfig, split: int) -> Iterator[Tensor]:
        """Yield the loss of one batch of all nodes or, with `minibatch`, of sampled batches."""
        train = self.part("train", split)
        if not config.minibatch:
            scores = model(self.graph, model.inputs(self.feat))
            yield self.target.loss(scores[train], self.label[train])
            return
        only = len(self.schema.in_sizes) == 1
        end = self.schema.ends[0]
        # Models other than stacks need a subgraph instead of one block per layer.
        sampler = NeighborSampler if model.layered else ShaDowKHopSampler
        loader = DataLoader(
            self.graph,
            train if only else {end: train},
            sampler(config.fanouts()),
            batch_size=config.batch_size,
            shuffle=True,
            num_workers=config.workers,
            use_prefetch_thread=not config.workers,
        )
        for sources, seeds, graphs in loader:
            if only:
                sources, seeds = {end: sources}, {end: seeds}
            feat = model.inputs(self.feat, sources)
            graph = [block.to(self.label.device) for block in graphs] if model.layered else graphs
            scores = model(graph, feat)[: len(seeds[end])]
            yield self.target.loss(scores, self.label[seeds[end]])

    def scores(self, model: Network) -> tuple[Tensor, Tensor]:
        """Compute the scores of all nodes from the whole graph."""
        model.eval()
        with torch.no_grad():
            embedding = model.embed(self.graph, model.inputs(self.feat))
            return model.decide(self.graph, embedding), embedding


@dataclass
class GraphTask(Task):
    """Whole graphs of one node type, with features in ``ndata['feat']``."""

    graphs: list[Any]

    def losses(self, model: Network, config: TrainConfig, split: int) -> Iterator[Tensor]:
        """Yield the losses of batches of graphs in random order."""
        train = self.part("train", split)
        train = train[torch.randperm(len(train)).to(train.device)]
        for items in train.split(config.batch_size):
            graph = self._batch(items.tolist())
            scores = model(graph, {self.schema.ends[0]: graph.ndata["feat"]})
            yield self.target.loss(scores, self.label[items])

    def scores(self, model: Network) -> tuple[Tensor, Tensor]:
        """Compute the scores of all graphs."""
        model.eval()
        scores, embeddings = [], []
        with torch.no_grad():
            for start in range(0, len(self.graphs), _AT_ONCE):
                graph = self._batch(range(start, min(start + _AT_ONCE, len(self.graphs))))
                embeddings.append(model.embed(graph, {self.schema.ends[0]: graph.ndata["feat"]}))
                scores.append(model.decide(graph, embeddings[-1]))
        return torch.cat(scores), torch.cat(embeddings)

    def _batch(self, items: Any) -> Any:
        return gossamer.batch([self.graphs[i] for i in items]).to(self.label.device)


_AT_ONCE = 512


@dataclass
class PairTask(Task):
    """Pairs of nodes, labeled by whether they are linked or by the value of the link.

    The graph contains the training links. Labels are (M, 1). With `negatives`, each epoch draws as
    many random pairs as there are training links and treats them as pairs without a link.
    """

    graph: Any
    feat: dict[str, Tensor]
    pairs: tuple[Tensor, Tensor]
    negatives: bool = True

    def losses(self, model: Network, config: TrainConfig, split: int) -> Iterator[Tensor]:
        """Yield the loss of one batch of all links and as many random pairs."""
        train = self.part("train", split)
        u, v = (end[train] for end in self.pairs)
        label = self.label[train]
        if self.negatives:
            linked = label[:, 0] == 1
            u, v = u[linked], v[linked]
            tails = torch.randint(self.graph.num_nodes(self.schema.ends[-1]), (len(v),))
            heads = u[torch.randperm(len(u)).to(u.device)]
            u, v = torch.cat([u, heads]), torch.cat([v, tails.to(v.device)])
            label = torch.cat([label[linked], torch.zeros_like(label[linked])])
        yield self.target.loss(model(self.graph, model.inputs(self.feat), (u, v)), label)

    def scores(self, model: Network) -> tuple[Tensor, Tensor]:
        """Compute the scores of all pairs, and the vectors of their sources."""
        model.eval()
        with torch.no_grad():
            vectors = model.embed(self.graph, model.inputs(self.feat))
            source = vectors[self.schema.ends[0]][self.pairs[0]]
            return model.decide(self.graph, vectors, self.pairs), source


def pick_device(name: str) -> torch.device:
    """Return the device for "auto", "cpu" or "cuda".

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
