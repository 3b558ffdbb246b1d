"""Adapters of datasets, which add a split for a task."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gossamer._options import as_int
from gossamer.data._build import MASKS
from gossamer.data.dataset import Dataset
from gossamer.data.splits import Subset, add_nodepred_split, split_sizes
from gossamer.errors import InvalidTypeError, InvalidValueError, UnknownKeyError
from gossamer.graph import Graph, graph
from gossamer.transforms import edge_subgraph

Edges = tuple[Tensor, Tensor]
_PARTS = ("train_idx", "val_idx", "test_idx")


class _Adapter(Dataset):
    """Base class of the three adapters; further arguments become attributes."""

    def __init__(
        self, dataset: Any, split_ratio: Sequence[float] | None, kind: str, arguments: dict
    ) -> None:
        self.dataset = dataset
        self.split_ratio = split_ratio
        super().__init__(
            getattr(dataset, "name", type(dataset).__name__) + kind,
            hash_key=(split_ratio, getattr(dataset, "name", ""), kind),
            **arguments,
        )


class AsNodePredDataset(_Adapter):
    """A dataset of one graph, with a split of its nodes.

    The graph has ``train_mask``, ``val_mask`` and ``test_mask`` (N,) bool; the attributes
    `train_idx`, `val_idx` and `test_idx` have the same nodes as ids. The graph of `dataset` is not
    changed.

    Parameters
    ----------
    dataset : Dataset
        Its first item is the graph; the nodes have ``label``.
    split_ratio : sequence of 3 float, optional
        Fractions of a random split, drawn from NumPy's global generator. Default: the masks of the
        graph.
    target_ntype : str, optional
        Node type to predict; required if there are several.
    **kwargs
        Further arguments of `Dataset`.

    Raises
    ------
    InvalidValueError
        If there is neither `split_ratio` nor a split, or the fractions do not add up to 1.
    UnknownKeyError
        If the nodes have no ``label``, or there is no such node type.

    Examples
    --------
    >>> from gossamer.data import KarateClubDataset
    >>> dataset = AsNodePredDataset(KarateClubDataset(), [0.8, 0.1, 0.1])
    >>> len(dataset.train_idx), len(dataset.val_idx), len(dataset.test_idx)
    (27, 3, 4)
    """

    def __init__(
        self,
        dataset: Any,
        split_ratio: Sequence[float] | None = None,
        target_ntype: str | None = None,
        **kwargs: Any,
    ) -> None:
        self.target_ntype = target_ntype
        super().__init__(dataset, split_ratio, "-as-nodepred", kwargs)

    def process(self) -> None:
        """Split the nodes."""
        self.g = _graph(self.dataset).clone()
        if self.target_ntype is None and len(self.g.ntypes) > 1:
            raise InvalidValueError(
                "AsNodePredDataset: the graph has several node types "
                f"({', '.join(self.g.ntypes)}). Choose one with target_ntype."
            )
        data = self.g.nodes[self.target_ntype or self.g.ntypes[0]].data
        if "label" not in data:
            raise UnknownKeyError("AsNodePredDataset: the nodes have no feature 'label'.")
        if self.split_ratio is not None:
            add_nodepred_split([self.g], self.split_ratio, self.target_ntype)
        missing = [name for name in MASKS if name not in data]
        if missing:
            raise InvalidValueError(
                f"AsNodePredDataset: the nodes have no '{missing[0]}'. "
                "Give split_ratio to draw a split."
            )
        for name, mask in zip(_PARTS, MASKS, strict=True):
            setattr(self, name, data[mask].bool().nonzero().squeeze(-1))
        self._num_classes = _num_classes(self.dataset, data["label"])

    @property
    def num_classes(self) -> int:
        """Number of classes."""
        return self._num_classes

    def __getitem__(self, idx: int) -> Graph:
        """Return the graph; `idx` must be 0."""
        return self._only(idx, self.g)

    def __len__(self) -> int:
        return 1


class AsLinkPredDataset(_Adapter):
    """A dataset of one graph, with a split of its edges and with negative pairs.

    `val_edges` and `test_edges` are ``((u, v), (negative u, negative v))``. `train_graph` is the
    graph without these edges.

    Parameters
    ----------
    dataset : Dataset
        Its first item is the graph, with one node type and one edge type.
    split_ratio : sequence of 3 float
        Fractions of a random split of the edges, drawn from NumPy's global generator. Default: what
        ``dataset.get_edge_split()`` returns, if it has that method.
    neg_ratio : int, optional
        Number of negative pairs per validation or test edge.
    **kwargs
        Further arguments of `Dataset`.

    Raises
    ------
    InvalidValueError
        If there is neither `split_ratio` nor a split, or the graph has too few negative pairs.
    """

    def __init__(
        self,
        dataset: Any,
        split_ratio: Sequence[float] | None = None,
        neg_ratio: int = 3,
        **kwargs: Any,
    ) -> None:
        self.neg_ratio = as_int(neg_ratio, "AsLinkPredDataset", "neg_ratio", 0)
        super().__init__(dataset, split_ratio, "-as-linkpred", kwargs)

    def process(self) -> None:
        """Split the edges and draw negative pairs."""
        self.g = _graph(self.dataset)
        self.num_nodes = self.g.num_nodes()
        if self.split_ratio is None:
            if not hasattr(self.dataset, "get_edge_split"):
                raise InvalidValueError(
                    "AsLinkPredDataset: the dataset has no get_edge_split(). "
                    "Give split_ratio to draw a split."
                )
            self._take_given(self.dataset.get_edge_split())
            return
        u, v = self.g.edges(order="eid")
        order = torch.from_numpy(np.random.permutation(len(u)))  # noqa: NPY002
        train, val, test = order.split(split_sizes("AsLinkPredDataset", self.split_ratio, len(u)))
        negative = self._no_edges(u, v, self.neg_ratio * (len(val) + len(test)))
        first, last = (slice(self.neg_ratio * len(val)), slice(self.neg_ratio * len(val), None))
        self._val_edges = (u[val], v[val]), (negative[0][first], negative[1][first])
        self._test_edges = (u[test], v[test]), (negative[0][last], negative[1][last])
        # Edges keep their order.
        self._train_graph = edge_subgraph(
            self.g, train.sort().values, relabel_nodes=False, store_ids=False
        )

    def _take_given(self, split: dict) -> None:
        def pairs(part: dict) -> tuple[Edges, Edges]:
            return (tuple(part["edge"].T), tuple(part["edge_neg"].T))

        self._val_edges, self._test_edges = pairs(split["valid"]), pairs(split["test"])
        u, v = split["train"]["edge"].T
        self._train_graph = graph((u, v), num_nodes=self.num_nodes)
        for name, values in self.g.ndata.items():
            self._train_graph.ndata[name] = values

    def _no_edges(self, u: Tensor, v: Tensor, count: int) -> Edges:
        """Draw distinct pairs of different nodes without an edge between them."""
        n = self.num_nodes
        taken = np.unique(np.concatenate([(u * n + v).numpy(), np.arange(n) * (n + 1)]))
        if n * n - len(taken) < count:
            raise InvalidValueError(
                f"AsLinkPredDataset: {count} pairs that are no edges were requested, and there are "
                f"{n * n - len(taken)}. Reduce neg_ratio."
            )
        found = np.zeros(0, dtype=np.int64)
        while len(found) < count:
            missing = count - len(found)
            if n * n <= 4 * (count + len(taken)):
                free = np.setdiff1d(np.arange(n * n), taken)
                found = np.random.permutation(free)[:count]  # noqa: NPY002
            else:
                drawn = np.random.randint(0, n * n, 2 * missing)  # noqa: NPY002
                drawn = drawn[~np.isin(drawn, taken)]
                kept = np.unique(np.concatenate([found, drawn]))
                found = np.random.permutation(kept)[:count]  # noqa: NPY002
        found = torch.from_numpy(found)
        return found // n, found % n

    @property
    def feat_size(self) -> int:
        """Width of ``ndata['feat']``."""
        return self.g.ndata["feat"].shape[-1]

    @property
    def train_graph(self) -> Graph:
        """The graph with the training edges."""
        return self._train_graph

    @property
    def val_edges(self) -> tuple[Edges, Edges]:
        """Validation edges, and negative pairs."""
        return self._val_edges

    @property
    def test_edges(self) -> tuple[Edges, Edges]:
        """Test edges, and negative pairs."""
        return self._test_edges

    def __getitem__(self, idx: int) -> Graph:
        """Return the graph; `idx` must be 0."""
        return self._only(idx, self.g)

    def __len__(self) -> int:
        return 1


class AsGraphPredDataset(_Adapter):
    """A dataset of labeled graphs, with a split of the graphs.

    `train_idx`, `val_idx` and `test_idx` are the numbers of the graphs of each part.

    Parameters
    ----------
    dataset : Dataset
        Its items are pairs of a graph and a label.
    split_ratio : sequence of 3 float, optional
        Fractions of a random split, drawn from NumPy's global generator. Default: what
        ``dataset.get_idx_split()`` returns, or the attributes `train_idx`, `val_idx` and `test_idx`
        of `dataset`.
    **kwargs
        Further arguments of `Dataset`.

    Raises
    ------
    InvalidValueError
        If there is neither `split_ratio` nor a split, or the fractions do not add up to 1.
    """

    def __init__(
        self, dataset: Any, split_ratio: Sequence[float] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(dataset, split_ratio, "-as-graphpred", kwargs)

    def process(self) -> None:
        """Split the graphs."""
        parts = self._given() if self.split_ratio is None else self._drawn()
        for name, part in zip(_PARTS, parts, strict=True):
            setattr(self, name, torch.as_tensor(part, dtype=torch.int64))
        _, label = self.dataset[0]
        label = torch.as_tensor(label)
        self.num_tasks = int(getattr(self.dataset, "num_tasks", 1))
        self.num_classes = int(
            getattr(self.dataset, "num_classes", 0) or max(2, int(label.max()) + 1)
        )

    def _given(self) -> list:
        if hasattr(self.dataset, "get_idx_split"):
            split = self.dataset.get_idx_split()
            return [split[name] for name in ("train", "valid", "test")]
        if all(hasattr(self.dataset, name) for name in _PARTS):
            return [getattr(self.dataset, name) for name in _PARTS]
        raise InvalidValueError(
            "AsGraphPredDataset: the dataset has no split. Give split_ratio to draw one."
        )

    def _drawn(self) -> list[np.ndarray]:
        count = len(self.dataset)
        sizes = split_sizes("AsGraphPredDataset", self.split_ratio, count)
        order = np.random.permutation(count)  # noqa: NPY002
        return np.split(order, np.cumsum(sizes)[:-1])

    @property
    def node_feat_size(self) -> int | None:
        """Width of ``ndata['feat']``, or None."""
        return self._width("ndata")

    @property
    def edge_feat_size(self) -> int | None:
        """Width of ``edata['feat']``, or None."""
        return self._width("edata")

    def _width(self, kind: str) -> int | None:
        data = getattr(self.dataset[0][0], kind)
        return data["feat"].shape[-1] if "feat" in data else None

    def __getitem__(self, idx: int | Tensor) -> Any:
        """Return graph `idx` and its label; for a tensor of numbers, a `Subset`."""
        if isinstance(idx, Tensor) and idx.dim():
            return Subset(self, idx)
        g, label = self.dataset[int(idx)]
        return self._transformed(g), label

    def __len__(self) -> int:
        return len(self.dataset)


def _graph(dataset: Any) -> Graph:
    g = dataset[0]
    if not isinstance(g, Graph):
        raise InvalidTypeError(
            f"Expected a dataset whose first item is a graph, got {type(g).__name__}."
        )
    return g


def _num_classes(dataset: Any, label: Tensor) -> int:
    known = getattr(dataset, "num_classes", None)
    if known is not None:
        return int(known)
    return label.shape[1] if label.dim() > 1 else int(label[~label.isnan()].max()) + 1
