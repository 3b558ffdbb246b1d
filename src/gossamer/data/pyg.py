"""Conversion of PyG datasets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from gossamer.data.dataset import Dataset
from gossamer.errors import InvalidTypeError, InvalidValueError, OutOfRangeError
from gossamer.graph import Graph
from gossamer.interop import from_pyg

__all__ = ["PyGDataset"]

_NAMES = {"x": "feat", "y": "label", "edge_attr": "feat"}


class PyGDataset(Dataset):
    """The graphs of a PyG ``InMemoryDataset``, or of any sequence of ``Data`` or ``HeteroData``.

    Each graph is converted with :func:`gossamer.interop.from_pyg`; tensors are shared where PyG
    shares them. ``x`` and ``edge_attr`` are renamed to ``feat``, and ``y`` to ``label``, the names
    that models, adapters and `AsNodePredDataset` expect; masks and all others keep their names.

    Parameters
    ----------
    dataset : torch_geometric.data.InMemoryDataset or sequence
        A dataset with at least one graph.
    transform : callable, optional
        Applied to each graph when it is requested.

    Attributes
    ----------
    labels : Tensor or None
        Labels of the graphs ``(N,)`` or ``(N, T)``, if ``y`` belongs to graphs. It belongs to nodes
        if it has as many rows as nodes in every graph.
    num_classes : int or None
        Number of classes as counted by PyG.
    rest : list of dict
        Further attributes of each graph as a whole.

    Raises
    ------
    InvalidTypeError
        If `dataset` is not a sequence, or its items are not objects of PyG.
    InvalidValueError
        If it is empty, or only some graphs have labels, or labels of different shapes.
    """

    labels: Tensor | None

    def __init__(self, dataset: Any, transform: Callable[[Graph], Graph] | None = None) -> None:
        if not hasattr(dataset, "__len__") or not hasattr(dataset, "__getitem__"):
            raise InvalidTypeError(
                f"PyGDataset takes a dataset of PyG or a list, got {type(dataset).__name__}."
            )
        if not len(dataset):
            raise InvalidValueError("PyGDataset: the dataset has no graphs.")
        self._source = dataset
        name = getattr(dataset, "name", None)
        super().__init__(str(name or type(dataset).__name__), transform=transform)

    def process(self) -> None:
        """Convert all graphs."""
        items = [self._source[i] for i in range(len(self._source))]
        pairs = [from_pyg(item, return_rest=True) for item in items]
        self._graphs = [g for g, _ in pairs]
        self.rest = [rest for _, rest in pairs]
        self.num_classes: int | None = getattr(self._source, "num_classes", None)
        of_graphs = any("y" in rest for rest in self.rest) or any(
            "y" in frame for g in self._graphs for frame in g.edge_frames
        )
        self.labels = self._take_labels() if of_graphs else None
        for g in self._graphs:
            for frame in (*g.node_frames, *g.edge_frames):
                for old in [key for key in _NAMES if key in frame]:
                    frame[_NAMES[old]] = frame.pop(old)

    def _take_labels(self) -> Tensor:
        """Return the labels of graphs and remove them from the features and attributes."""
        labels: list[Tensor] = []
        for number, (g, rest) in enumerate(zip(self._graphs, self.rest, strict=True)):
            # In a graph of one node or edge, a graph label has the shape of a feature.
            found = [part for part in (rest, *g.node_frames, *g.edge_frames) if "y" in part]
            if not found:
                raise InvalidValueError(f"PyGDataset: graph {number} has no y, others have one.")
            labels.append(torch.as_tensor(found[0].pop("y")))
            if labels[-1].shape != labels[0].shape:
                raise InvalidValueError(
                    f"PyGDataset: y of graph {number} has shape {tuple(labels[-1].shape)}, that of "
                    f"graph 0 {tuple(labels[0].shape)}. Give all graphs labels of one shape, or a "
                    "row for each node."
                )
        stacked = torch.stack(labels)
        # PyG writes the label of a graph as one row.
        return stacked.squeeze(1) if stacked.dim() > 1 and stacked.shape[1] == 1 else stacked

    def __len__(self) -> int:
        """Return the number of graphs."""
        return len(self._graphs)

    def __getitem__(self, idx: int) -> Any:
        """Return graph `idx`, transformed if there is a `transform`, and its label if any."""
        if not -len(self) <= idx < len(self):
            raise OutOfRangeError(f"PyGDataset has {len(self)} graphs; there is no number {idx}.")
        g = self._transformed(self._graphs[idx])
        return g if self.labels is None else (g, self.labels[idx])
