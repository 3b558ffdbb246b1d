"""Datasets in a folder with a ``metadata.yaml``, in GraphBolt's layout."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gossamer.errors import FileError, InvalidTypeError, UnknownKeyError
from gossamer.graphbolt import preprocess as preprocessing
from gossamer.graphbolt.dataset import Dataset, OnDiskTask, Task, all_nodes
from gossamer.graphbolt.disk_feature import DiskBasedFeature
from gossamer.graphbolt.feature_store import BasicFeatureStore, FeatureStore
from gossamer.graphbolt.item_set import HeteroItemSet, Items, ItemSet
from gossamer.graphbolt.metadata import (
    OnDiskFeatureData,
    OnDiskFeatureDataFormat,
    OnDiskMetaData,
    OnDiskTVTSet,
    inside,
    read_yaml,
)
from gossamer.graphbolt.sampling_graph import FusedCSCSamplingGraph
from gossamer.graphbolt.torch_feature import TorchBasedFeature

__all__ = ["BuiltinDataset", "OnDiskDataset", "TorchBasedFeatureStore"]


def read_tensor(path: Path, kind: OnDiskFeatureDataFormat, in_memory: bool) -> Tensor:
    """Read a tensor from an ``.npy`` file, which may stay on disk, or a file of `torch.save`."""
    try:
        if kind is OnDiskFeatureDataFormat.TORCH:
            value = torch.load(path, weights_only=True, map_location="cpu", mmap=not in_memory)
        else:
            # Copy-on-write: torch needs a writable array, and the file does not change.
            array = np.load(path, mmap_mode=None if in_memory else "c", allow_pickle=False)
            value = torch.from_numpy(array)
    except (ValueError, OSError, RuntimeError, TypeError, pickle.UnpicklingError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise FileError(f"{path} cannot be read as {kind.value}: {reason}") from None
    if not isinstance(value, Tensor):
        raise FileError(f"{path} holds a {type(value).__name__}, not a tensor.")
    return value


class TorchBasedFeatureStore(BasicFeatureStore):
    """A store of the features listed in the metadata of a dataset.

    Parameters
    ----------
    feat_data : list of OnDiskFeatureData
        Features with ``in_memory: false`` stay on disk; only requested rows are read. Features of a
        dataset with ``storage: float16``, ``bfloat16`` or ``int8`` are read in the same way from a
        compact copy.

    Examples
    --------
    >>> import gossamer.graphbolt as gb, torch, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     torch.save(torch.eye(2), f"{folder}/feat.pt")
    ...     row = gb.OnDiskFeatureData("node", "feat", "torch", f"{folder}/feat.pt")
    ...     gb.TorchBasedFeatureStore([row]).keys()
    [('node', None, 'feat')]
    """

    def __init__(self, feat_data: list[OnDiskFeatureData]) -> None:
        features = {}
        for row in feat_data:
            kind = OnDiskFeatureDataFormat(row.format)
            path = Path(row.path)
            mapped = kind is OnDiskFeatureDataFormat.NUMPY and not row.in_memory
            if row.storage is not None or mapped:
                feature: Any = DiskBasedFeature(path, row.extra_fields)
            else:
                value = read_tensor(path, kind, row.in_memory)
                value = value.view(-1, 1) if value.dim() == 1 else value
                feature = TorchBasedFeature(value, row.extra_fields)
            features[str(getattr(row.domain, "value", row.domain)), row.type, row.name] = feature
        super().__init__(features)

    def pin_memory_(self) -> TorchBasedFeatureStore:
        """Move the features that are in memory to pinned memory."""
        for feature in self._features.values():
            if isinstance(feature, TorchBasedFeature):
                feature.pin_memory_()
        return self

    def is_pinned(self) -> bool:
        """Whether all features are in pinned memory."""
        return all(
            isinstance(feature, TorchBasedFeature) and feature.is_pinned()
            for feature in self._features.values()
        )

    def to(self, device: torch.device | str) -> TorchBasedFeatureStore:
        """Return a store with the features that are in memory on a device."""
        moved = TorchBasedFeatureStore([])
        moved._features = {
            key: feature.to(device) if isinstance(feature, TorchBasedFeature) else feature
            for key, feature in self._features.items()
        }
        return moved


class OnDiskDataset(Dataset):
    """A dataset in a folder with a ``metadata.yaml``.

    The first use builds the CSC of the graph from the edge lists, in bounded memory, into the
    subfolder ``gossamer_preprocessed``; later uses open it. Call :meth:`load` before reading
    `graph`, `feature` or `tasks`.

    Parameters
    ----------
    path : str
        The folder.
    include_original_edge_id : bool
        Whether to keep the edge ids of the edge lists, which edge features need.
    force_preprocess : bool, optional
        Whether to build the CSC again. Default: only if the metadata or the source files have
        changed, or edge ids are missing. Edge lists may be deleted once the CSC is built.
    auto_cast_to_optimal_dtype : bool
        Whether to store ids as int32 if they fit.

    Raises
    ------
    FileError
        If a file is missing, malformed, truncated or outside the folder.

    Examples
    --------
    >>> import gossamer.graphbolt as gb, pathlib, tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> _ = pathlib.Path(folder.name, "edges.csv").write_text("0,1\\n1,2\\n2,0\\n")
    >>> _ = pathlib.Path(folder.name, "metadata.yaml").write_text('''
    ... dataset_name: triangle
    ... graph:
    ...   nodes: [{num: 3}]
    ...   edges: [{format: csv, path: edges.csv}]
    ... ''')
    >>> gb.OnDiskDataset(folder.name).load().graph.indices
    tensor([2, 0, 1], dtype=torch.int32)
    >>> folder.cleanup()
    """

    def __init__(
        self,
        path: str,
        include_original_edge_id: bool = False,
        force_preprocess: bool | None = None,
        auto_cast_to_optimal_dtype: bool = True,
    ) -> None:
        self._folder = Path(path)
        self._file = self._folder / "metadata.yaml"
        self._content = read_yaml(self._file)
        self._meta = OnDiskMetaData.from_dict(self._content, self._file)
        self._built = preprocessing.preprocess_graph(
            self._folder,
            self._content,
            include_original_edge_id=include_original_edge_id,
            force=force_preprocess,
            compact=auto_cast_to_optimal_dtype,
        )
        self._graph: FusedCSCSamplingGraph | None = None
        self._feature: FeatureStore | None = None
        self._tasks: list[Task] | None = None

    @property
    def yaml_data(self) -> dict[str, Any]:
        """The content of ``metadata.yaml``; changes before :meth:`load` take effect."""
        return self._content

    def load(self, tasks: list[str] | None = None) -> OnDiskDataset:
        """Open the graph, the features and the tasks.

        Parameters
        ----------
        tasks : list of str, optional
            Names of the tasks to load. Default: all.
        """
        self._meta = OnDiskMetaData.from_dict(self._content, self._file)
        self._graph = preprocessing.open_graph(self._built)
        self._feature = TorchBasedFeatureStore(
            [self._located(row) for row in self._meta.feature_data]
        )
        if isinstance(tasks, str):
            tasks = [tasks]
        if tasks is not None and not isinstance(tasks, (list, tuple)):
            raise InvalidTypeError(f"load: tasks is a list of names, got {type(tasks).__name__}.")
        known = [task.extra_fields.get("name") for task in self._meta.tasks]
        for name in tasks or ():
            if name not in known:
                raise UnknownKeyError(f"There is no task {name!r}; the dataset has {known}.")
        self._tasks = [
            OnDiskTask(
                task.extra_fields,
                self._items(task.train_set),
                self._items(task.validation_set),
                self._items(task.test_set),
            )
            for task, name in zip(self._meta.tasks, known, strict=True)
            if tasks is None or name in tasks
        ]
        return self

    def _located(self, row: OnDiskFeatureData) -> OnDiskFeatureData:
        path = preprocessing.compact_feature(self._folder, row)
        return replace(row, path=str(path or inside(self._folder, row.path, self._file)))

    def _items(self, sets: list[OnDiskTVTSet]) -> Items | None:
        if not sets:
            return None
        types = [part.type for part in sets]
        if len(set(types)) < len(types) or (None in types and len(types) > 1):
            raise FileError(
                f"{self._file}: the entries of a set must each have a 'type' of their own, unless "
                f"there is one without; got {types}."
            )
        found = {part.type: self._item_set(part) for part in sets}
        return found[None] if None in found else HeteroItemSet(found)

    def _item_set(self, part: OnDiskTVTSet) -> ItemSet:
        tensors = tuple(
            read_tensor(inside(self._folder, row.path, self._file), row.format, row.in_memory)
            for row in part.data
        )
        lengths = {len(tensor) for tensor in tensors}
        if len(lengths) > 1:
            raise FileError(
                f"{self._file}: the files of one set have {sorted(lengths)} rows: "
                f"{[row.path for row in part.data]}."
            )
        names = tuple(row.name for row in part.data)
        return ItemSet(
            tensors if len(tensors) > 1 else tensors[0], None if None in names else names
        )

    def _loaded(self, part: Any) -> Any:
        if part is None:
            raise FileError(f"The dataset {self._folder} is not loaded. Call load() first.")
        return part

    @property
    def graph(self) -> FusedCSCSamplingGraph:
        """The graph to sample from."""
        return self._loaded(self._graph)

    @property
    def feature(self) -> FeatureStore:
        """The features."""
        return self._loaded(self._feature)

    @property
    def tasks(self) -> list[Task]:
        """The tasks."""
        return self._loaded(self._tasks)

    @property
    def dataset_name(self) -> str | None:
        """The name."""
        return self._meta.dataset_name

    @property
    def all_nodes_set(self) -> Items:
        """All nodes, by type in a heterogeneous graph."""
        return all_nodes(self.graph.num_nodes)


#: Published datasets in GraphBolt's layout.
BUILTIN_DATASETS = (
    "cora",
    "cora-seeds",
    "ogbn-products",
    "ogbn-products-seeds",
    "ogbn-arxiv",
    "ogbn-arxiv-seeds",
    "ogbl-citation2",
    "ogbl-citation2-seeds",
    "ogbn-mag",
    "ogbn-mag-seeds",
    "ogb-lsc-mag240m",
    "ogb-lsc-mag240m-seeds",
    "igb-hom-tiny",
    "igb-hom-tiny-seeds",
    "igb-hom-small-seeds",
    "igb-het-tiny-seeds",
    "igb-het-small-seeds",
)


class BuiltinDataset(OnDiskDataset):
    """A published dataset, which is downloaded if it is not in `root`.

    Parameters
    ----------
    name : str
        Name of the dataset, such as ``"ogbn-arxiv-seeds"``.
    root : str
        The folder of all datasets, each in a subfolder with its name.

    Raises
    ------
    UnknownKeyError
        If there is no such dataset.
    FileError
        If it cannot be downloaded. The message says where to put the archive.
    """

    def __init__(self, name: str, root: str = "datasets") -> None:
        if name not in BUILTIN_DATASETS:
            raise UnknownKeyError(
                f"There is no built-in dataset {name!r}; there are {list(BUILTIN_DATASETS)}."
            )
        folder = Path(root) / name
        if not (folder / "metadata.yaml").exists():
            preprocessing.download(name, Path(root))
        super().__init__(str(folder), force_preprocess=False)
