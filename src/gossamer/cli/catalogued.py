"""Load datasets of the catalogue as tasks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

import gossamer
from gossamer.cli.build import graph_task, link_task, node_task, rating_task
from gossamer.cli.config import TrainConfig
from gossamer.cli.parts import open_parts
from gossamer.cli.splits import random_masks
from gossamer.cli.targets import CLASSES, LABELS, Target, of_values
from gossamer.cli.task import PARTS, Task
from gossamer.data import registry
from gossamer.data.catalogue.entry import (
    ENTITIES,
    EVENTS,
    GRAPHS,
    LINKS,
    MULTI_LABEL,
    MULTI_LABEL_GRAPHS,
    NODES,
    RATINGS,
    REGRESSION,
    SERIES,
    TRIPLES,
    Entry,
)
from gossamer.errors import InvalidValueError

__all__ = ["load_dataset"]

_MODES = {"train": "train", "val": "valid", "test": "test"}
_GRAPH_TASKS = (GRAPHS, MULTI_LABEL_GRAPHS, REGRESSION)
_OTHERS = "Choose another; `gossamer datasets` lists them."
_HINTS = {
    TRIPLES: "Use `gossamer kge train`.",
    SERIES: "examples/forecast.py in the repository trains a model on it.",
}
_WIDEST = 64  # one-hot columns; larger values share the last one


def load_dataset(config: TrainConfig, device: torch.device, verbose: bool = False) -> Task:
    """Load a dataset by its registered name and move it to `device`.

    Raises
    ------
    UnknownKeyError
        If no dataset has that name.
    InvalidValueError
        If the dataset lacks features, labels or masks that training needs, a feature is not finite,
        or `raw_dir` is not a folder or is not used by the dataset.
    FileError
        If its files are missing or corrupt.
    """
    entry = registry.info(config.dataset)
    if config.task not in (None, "links") and config.task != _level(entry):
        raise InvalidValueError(
            f"Dataset '{entry.name}' is for {entry.task}, not for --task {config.task}. Omit "
            "--task, or give --task links."
        )
    load = _loader(entry)
    if load is None and config.task != "links":
        raise InvalidValueError(
            f"Dataset '{entry.name}' is for {_purpose(entry)}, which `gossamer train` does not "
            f"support. {_HINTS.get(entry.task, _OTHERS)}"
        )
    raw_dir = config.raw_dir
    if raw_dir is not None and not entry.download:
        raise InvalidValueError(
            f"Dataset '{entry.name}' is part of Gossamer and reads no files. Omit --raw-dir."
        )
    if raw_dir is not None and Path(raw_dir).is_file():
        raise InvalidValueError(
            f"--raw-dir '{raw_dir}' is a file. Give the folder that holds the files."
        )

    def open_dataset(**arguments: Any) -> Any:
        return entry.make(raw_dir=raw_dir, verbose=verbose, **arguments)

    if config.task == "links":
        load = _links
    task = load(entry, open_dataset, config, device)
    task.picture_shape = getattr(getattr(gossamer.data, entry.dataset), "picture_shape", None)
    return task


def _purpose(entry: Entry) -> str:
    return "classes of the nodes of trees" if entry.dataset == "SSTDataset" else entry.task


def _level(entry: Entry) -> str:
    if entry.task in _GRAPH_TASKS:
        return "graphs"
    return {EVENTS: "links", LINKS: "links", RATINGS: "ratings"}.get(entry.task, "nodes")


def _loader(entry: Entry) -> Any:
    if entry.task in (NODES, MULTI_LABEL):
        return _node_graphs if entry.graphs > 1 else _nodes
    if entry.task in _GRAPH_TASKS:
        return None if entry.dataset == "SSTDataset" else _graphs
    return {ENTITIES: _entities, EVENTS: _events, LINKS: _links, RATINGS: _ratings}.get(entry.task)


def _nodes(entry: Entry, open_dataset: Any, config: TrainConfig, device: torch.device) -> Task:
    dataset = open_dataset()
    graph = dataset[0]
    data = graph.ndata
    _require(entry, data, ("label",))
    label = data["label"]
    masks = {part: data[f"{part}_mask"] for part in PARTS if f"{part}_mask" in data}
    if not masks:
        known = label if label.dim() == 1 else label[:, 0]
        masks = random_masks(known, seed=0)
    _require(entry, data, [f"{part}_mask" for part in PARTS if part not in masks])
    count = max(mask.reshape(len(label), -1).shape[1] for mask in masks.values())
    masks = {part: m.reshape(len(label), -1).expand(-1, count) for part, m in masks.items()}
    feat = {graph.ntypes[0]: as_features(data["feat"])} if "feat" in data else {}
    label, target = _judged(entry, dataset, label)
    return node_task(entry.name, graph, feat, graph.ntypes[0], label, masks, target, config, device)


def _node_graphs(
    entry: Entry, open_dataset: Any, config: TrainConfig, device: torch.device
) -> Task:
    """Build a task over the nodes of many graphs, which are batched into one."""
    dataset, graphs, of_graph = _pieces(entry, open_dataset)
    graph = gossamer.batch(graphs)
    part = of_graph.repeat_interleave(graph.batch_num_nodes())
    masks = {name: part == number for number, name in enumerate(PARTS)}
    label, target = _judged(entry, dataset, graph.ndata["label"])
    feat = {graph.ntypes[0]: as_features(graph.ndata["feat"])}
    return node_task(entry.name, graph, feat, graph.ntypes[0], label, masks, target, config, device)


def _pieces(entry: Entry, open_dataset: Any) -> tuple[Any, list[Any], Tensor | None]:
    """Return a dataset, all its items, and the part of each (0 train, 1 val, 2 test) or None.

    Some classes open one part at a time.
    """
    parts = open_parts(entry, open_dataset)
    items = [dataset[i] for dataset in parts.values() for i in range(len(dataset))]
    dataset = next(iter(parts.values()))
    if "" in parts:
        return dataset, items, None
    numbers = torch.tensor([PARTS.index(name) for name in parts])
    found = numbers.repeat_interleave(torch.tensor([len(part) for part in parts.values()]))
    if "val" not in parts:
        inner = random_masks(torch.where(found == 0, 0, -1), (0.9, 0.1, 0.0))
        found[inner["val"][:, 0]] = 1
    return dataset, items, found


def _entities(entry: Entry, open_dataset: Any, config: TrainConfig, device: torch.device) -> Task:
    """Build a task over nodes of one type; a fifth of the training nodes is used for validation."""
    dataset = open_dataset()
    graph, end = dataset[0], dataset.predict_category
    data = graph.nodes[end].data
    if "train_mask" in data:
        train = data["train_mask"].bool()
        inner = random_masks(torch.where(train, data["label"], -1), (0.8, 0.2, 0.0), seed=0)
        masks = {**inner, "test": data["test_mask"].bool()}
    else:
        masks = random_masks(data["label"], seed=0)
    found = {t: graph.nodes[t].data for t in graph.ntypes}
    feat = {t: as_features(own["feat"]) for t, own in found.items() if "feat" in own}
    label, target = _judged(entry, dataset, data["label"])
    return node_task(entry.name, graph, feat, end, label, masks, target, config, device)


def _graphs(entry: Entry, open_dataset: Any, config: TrainConfig, device: torch.device) -> Task:
    dataset, pairs, part = _pieces(entry, open_dataset)
    graphs = [pair[0] for pair in pairs]
    label = torch.stack([torch.as_tensor(pair[1]) for pair in pairs])
    if entry.task == GRAPHS:
        # A class is a number or a tensor of one number, depending on the dataset.
        label = label.reshape(len(label))
    if part is not None:
        masks = {name: part == number for number, name in enumerate(PARTS)}
    else:
        masks = _given_masks(dataset, len(graphs))
    if masks is None:
        masks = random_masks(label if not label.is_floating_point() else None, seed=0,
                             count=len(graphs))  # fmt: skip
    label, target = _judged(entry, dataset, label, masks)
    _give_features(graphs, getattr(dataset, "feature", None))
    return graph_task(entry.name, graphs, label, masks, target, config, device)


def _given_masks(dataset: Any, count: int) -> dict[str, Tensor] | None:
    if hasattr(dataset, "train_mask"):
        return {part: getattr(dataset, f"{part}_mask") for part in PARTS}
    if not hasattr(dataset, "get_idx_split"):
        return None
    split = dataset.get_idx_split()
    masks = {}
    for part, mode in _MODES.items():
        masks[part] = torch.zeros(count, dtype=torch.bool)
        masks[part][torch.as_tensor(split[mode])] = True
    return masks


def _give_features(graphs: list[Any], table: Tensor | None) -> None:
    """Set ``ndata['feat']`` of each graph: its features, or the degrees of its nodes."""
    names = ("feat", "attr", "node_attr", "node_labels")
    name = next((n for n in names if n in graphs[0].ndata), None)
    if table is not None:
        feats = [table[g.ndata["_ID"]] for g in graphs]
    elif name is not None:
        feats = [g.ndata[name] for g in graphs]
    else:
        feats = [g.in_degrees() for g in graphs]
    rows = as_features(torch.cat(feats)).split([len(feat) for feat in feats])
    for g, feat in zip(graphs, rows, strict=True):
        g.ndata["feat"] = feat


def _ratings(entry: Entry, open_dataset: Any, config: TrainConfig, device: torch.device) -> Task:
    graph = open_dataset()[0]
    etype = next(e for e in graph.canonical_etypes if e[0] == "user")
    data = graph.edges[etype].data
    masks = {part: data[f"{mode}_mask"] for part, mode in _MODES.items()}
    # Models use either features or a trainable vector per node; the latter works better here.
    return rating_task(
        entry.name, graph, {}, etype, data["rate"], masks, config, device, entry.metric
    )


def _events(entry: Entry, open_dataset: Any, config: TrainConfig, device: torch.device) -> Task:
    """Build a task over links in time order; the last graph has all links."""
    dataset = open_dataset()
    graph = dataset[len(dataset) - 1]
    order = torch.arange(graph.num_edges())
    return link_task(entry.name, graph, {}, graph.canonical_etypes[0], config, device, order)


def _links(entry: Entry, open_dataset: Any, config: TrainConfig, device: torch.device) -> Task:
    if entry.graphs != 1 or entry.task not in (NODES, MULTI_LABEL, LINKS):
        raise InvalidValueError(
            f"--task links needs one graph of nodes, and dataset '{entry.name}' is for "
            f"{entry.task}. {_OTHERS}"
        )
    graph = open_dataset()[0]
    feat = {graph.ntypes[0]: as_features(graph.ndata["feat"])} if "feat" in graph.ndata else {}
    return link_task(entry.name, graph, feat, graph.canonical_etypes[0], config, device)


def _judged(
    entry: Entry, dataset: Any, label: Tensor, masks: dict[str, Tensor] | None = None
) -> tuple[Tensor, Target]:
    """Return the labels in the form that their target requires, and the target."""
    if entry.task in (MULTI_LABEL, MULTI_LABEL_GRAPHS, REGRESSION):
        label = label.float().reshape(len(label), -1)
        names = [str(n) for n in getattr(dataset, "targets", range(label.shape[1]))]
        if entry.task != REGRESSION:
            return label, Target(LABELS, names, entry.metric)
        return label, of_values(label, masks["train"].bool(), names, entry.metric)
    count = int(dataset.num_classes)
    names = getattr(dataset, "class_names", None) or range(count)
    metric = entry.metric if entry.metric != "f1" else "accuracy"
    return label.long(), Target(CLASSES, [str(n) for n in names], metric)


def _require(entry: Entry, data: Any, names: Any) -> None:
    for name in names:
        if name not in data:
            raise InvalidValueError(
                f"Dataset '{entry.name}' has no node feature '{name}', which training needs. "
                "Choose another; `gossamer datasets` lists them."
            )


def as_features(values: Tensor) -> Tensor:
    """Return floating-point features unchanged, and integers as one-hot columns.

    Examples
    --------
    >>> as_features(torch.tensor([2, 0]))
    tensor([[0., 0., 1.],
            [1., 0., 0.]])
    """
    if values.is_floating_point():
        return values.float().reshape(len(values), -1)
    columns = values.long().reshape(len(values), -1).T
    if len(columns) > _WIDEST:
        return values.float()
    codes = [column.clamp(0, _WIDEST - 1) for column in columns]
    return torch.cat([torch.nn.functional.one_hot(code).float() for code in codes], 1)
