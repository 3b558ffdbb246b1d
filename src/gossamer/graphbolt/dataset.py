"""Interfaces of datasets for pipelines, in memory or on disk."""

from __future__ import annotations

from typing import Any

import torch

from gossamer.graphbolt.feature_store import BasicFeatureStore, FeatureStore
from gossamer.graphbolt.item_set import HeteroItemSet, Items, ItemSet
from gossamer.graphbolt.torch_feature import TorchBasedFeature

__all__ = ["Dataset", "LegacyDataset", "OnDiskTask", "SamplingGraph", "Task"]


class SamplingGraph:
    """Base class of graphs to sample from."""

    @property
    def num_nodes(self) -> int | dict[str, int]:
        """Number of nodes, by type in a heterogeneous graph."""
        raise NotImplementedError(f"{type(self).__name__} does not define num_nodes.")

    @property
    def num_edges(self) -> int | dict[str, int]:
        """Number of edges, by type in a heterogeneous graph."""
        raise NotImplementedError(f"{type(self).__name__} does not define num_edges.")

    def copy_to_shared_memory(self, shared_memory_name: str) -> SamplingGraph:
        """Return the graph in shared memory."""
        raise NotImplementedError(f"{type(self).__name__} does not define copy_to_shared_memory.")

    def to(self, device: torch.device | str) -> SamplingGraph:
        """Return the graph on a device."""
        raise NotImplementedError(f"{type(self).__name__} does not define to.")


class Task:
    """A task: metadata, and items for training, validation and testing."""

    @property
    def metadata(self) -> dict[str, Any]:
        """Metadata of the task, such as the number of classes."""
        raise NotImplementedError(f"{type(self).__name__} does not define metadata.")

    @property
    def train_set(self) -> Items | None:
        """Items for training."""
        raise NotImplementedError(f"{type(self).__name__} does not define train_set.")

    @property
    def validation_set(self) -> Items | None:
        """Items for validation."""
        raise NotImplementedError(f"{type(self).__name__} does not define validation_set.")

    @property
    def test_set(self) -> Items | None:
        """Items for testing."""
        raise NotImplementedError(f"{type(self).__name__} does not define test_set.")


class Dataset:
    """A graph, features and tasks."""

    @property
    def tasks(self) -> list[Task]:
        """The tasks."""
        raise NotImplementedError(f"{type(self).__name__} does not define tasks.")

    @property
    def graph(self) -> SamplingGraph:
        """The graph to sample from."""
        raise NotImplementedError(f"{type(self).__name__} does not define graph.")

    @property
    def feature(self) -> FeatureStore:
        """The features."""
        raise NotImplementedError(f"{type(self).__name__} does not define feature.")

    @property
    def dataset_name(self) -> str | None:
        """The name."""
        raise NotImplementedError(f"{type(self).__name__} does not define dataset_name.")

    @property
    def all_nodes_set(self) -> Items:
        """All nodes, by type in a heterogeneous graph, for inference."""
        raise NotImplementedError(f"{type(self).__name__} does not define all_nodes_set.")


class OnDiskTask(Task):
    """A task with the given metadata and sets.

    Parameters
    ----------
    metadata : dict
    train_set, validation_set, test_set : ItemSet or HeteroItemSet, optional
    """

    def __init__(
        self,
        metadata: dict[str, Any],
        train_set: Items | None,
        validation_set: Items | None,
        test_set: Items | None,
    ) -> None:
        self._metadata = metadata
        self._sets = train_set, validation_set, test_set

    @property
    def metadata(self) -> dict[str, Any]:
        """Metadata of the task, such as the number of classes."""
        return self._metadata

    @property
    def train_set(self) -> Items | None:
        """Items for training."""
        return self._sets[0]

    @property
    def validation_set(self) -> Items | None:
        """Items for validation."""
        return self._sets[1]

    @property
    def test_set(self) -> Items | None:
        """Items for testing."""
        return self._sets[2]

    def __repr__(self) -> str:
        names = ("train_set", "validation_set", "test_set")
        sizes = {name: len(items) for name, items in zip(names, self._sets, strict=True) if items}
        return f"{type(self).__name__}(metadata={self._metadata}, sizes={sizes})"


def all_nodes(num_nodes: int | dict[str, int]) -> Items:
    """Return all nodes as items named ``"seeds"``."""
    if isinstance(num_nodes, dict):
        return HeteroItemSet({t: ItemSet(count, names="seeds") for t, count in num_nodes.items()})
    return ItemSet(num_nodes, names="seeds")


class LegacyDataset(Dataset):
    """Adapt a node classification dataset of :mod:`gossamer.data` for pipelines.

    Parameters
    ----------
    legacy : gossamer.data.Dataset
        A dataset of one graph, homogeneous or heterogeneous, with the node features
        ``train_mask``, ``val_mask``, ``test_mask`` and ``label``, such as
        :class:`gossamer.data.AsNodePredDataset`.

    Examples
    --------
    >>> import gossamer as gs, gossamer.graphbolt as gb, torch
    >>> g = gs.graph(([0, 1, 2], [1, 2, 0]))
    >>> g.ndata["label"] = torch.tensor([0, 1, 0])
    >>> g.ndata["feat"] = torch.eye(3)
    >>> for i, name in enumerate(("train_mask", "val_mask", "test_mask")):
    ...     g.ndata[name] = torch.arange(3) == i
    >>> dataset = gb.LegacyDataset([g])
    >>> dataset.tasks[0].train_set[0]
    (tensor(0), tensor(0))
    """

    def __init__(self, legacy: Any) -> None:
        from gossamer.graphbolt.conversion import from_graph

        g = legacy[0]
        self._name = getattr(legacy, "name", type(legacy).__name__)
        self._graph = from_graph(g, is_homogeneous=g.is_homogeneous)
        self._features = _features_of(g)
        metadata = {"name": "node_classification", "num_classes": _num_classes(legacy, g)}
        masks = ("train_mask", "val_mask", "test_mask")
        self._tasks = [OnDiskTask(metadata, *(_masked(g, mask) for mask in masks))]

    @property
    def tasks(self) -> list[Task]:
        """Node classification."""
        return self._tasks

    @property
    def graph(self) -> SamplingGraph:
        """The graph to sample from."""
        return self._graph

    @property
    def feature(self) -> FeatureStore:
        """All node features."""
        return self._features

    @property
    def dataset_name(self) -> str:
        """The name."""
        return self._name

    @property
    def all_nodes_set(self) -> Items:
        """All nodes, by type in a heterogeneous graph."""
        return all_nodes(self._graph.num_nodes)


def _num_classes(legacy: Any, g: Any) -> int:
    if hasattr(legacy, "num_classes"):
        return legacy.num_classes
    labels = [g.nodes[t].data["label"] for t in g.ntypes if "label" in g.nodes[t].data]
    return max((int(x.max()) + 1 for x in labels if len(x)), default=0)


def _masked(g: Any, mask: str) -> Items | None:
    sets = {}
    for ntype in g.ntypes:
        data = g.nodes[ntype].data
        if mask in data and "label" in data:
            nodes = data[mask].bool().nonzero().squeeze(1)
            sets[ntype] = ItemSet((nodes, data["label"][nodes]), ("seeds", "labels"))
    if not sets:
        return None
    return next(iter(sets.values())) if g.is_homogeneous else HeteroItemSet(sets)


def _features_of(g: Any) -> FeatureStore:
    features = {}
    for ntype in g.ntypes:
        key = None if g.is_homogeneous else ntype
        for name, value in g.nodes[ntype].data.items():
            rows = value.view(-1, 1) if value.dim() == 1 else value
            features["node", key, name] = TorchBasedFeature(rows)
    return BasicFeatureStore(features)
