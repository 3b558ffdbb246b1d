"""Build tasks from graphs, features and labels: self-loops, splits of links, devices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

import gossamer
from gossamer.cli.config import TrainConfig
from gossamer.cli.model_list import MODELS, require_fit
from gossamer.cli.schema import GRAPHS, LINKS, NODES, RATINGS, Schema
from gossamer.cli.targets import LABELS, Target, of_values
from gossamer.cli.task import GraphTask, NodeTask, PairTask
from gossamer.errors import InvalidValueError
from gossamer.transforms import to_homogeneous

__all__ = ["graph_task", "link_task", "node_task", "rating_task"]

Features = Mapping[str, Tensor]
_MOST_LEVELS = 10  # with more distinct ratings, all ratings are one relation


def node_task(
    name: str,
    graph: Any,
    feat: Features,
    end: str,
    label: Tensor,
    masks: Mapping[str, Tensor],
    target: Target,
    config: TrainConfig,
    device: torch.device,
    **more: Any,
) -> NodeTask:
    """Build a task over the nodes of type `end`; `feat` holds features by node type, if any."""
    _check_finite(name, feat)
    sizes = _sizes(graph, feat, end) | {"classes": len(target.names)}
    structure = _structure(graph, config)
    schema = _schema(config, NODES, structure, feat, len(target.names), [end])
    task = NodeTask(
        name,
        schema,
        target,
        label.to(device),
        _columns(masks, len(label), device),
        sizes,
        structure.to(device),
        _floats(feat, device),
        **more,
    )
    task.check()
    return task


def graph_task(
    name: str,
    graphs: list[Any],
    label: Tensor,
    masks: Mapping[str, Tensor],
    target: Target,
    config: TrainConfig,
    device: torch.device,
    **more: Any,
) -> GraphTask:
    """Build a task over whole graphs with features in ``ndata['feat']``."""
    feats = [g.ndata["feat"].float() for g in graphs]
    ntype = graphs[0].ntypes[0]
    _check_finite(name, {ntype: torch.cat(feats)})
    structures = []
    for g, feat in zip(graphs, feats, strict=True):
        structures.append(_structure(g, config).to(device))
        structures[-1].ndata["feat"] = feat.to(device)
    width = feats[0].shape[1]
    nodes, edges = sum(g.num_nodes() for g in graphs), sum(g.num_edges() for g in graphs)
    degrees = torch.cat([g.in_degrees() for g in structures])
    schema = Schema(GRAPHS, {"_N": width}, len(target.names), delta=_delta(degrees))
    require_fit(config.model, schema)
    sizes = {"graphs": len(graphs), "nodes": nodes, "edges": edges, "features": width}
    sizes["classes"] = len(target.names)
    masks = _columns(masks, len(label), device)
    task = GraphTask(name, schema, target, label.to(device), masks, sizes, structures, **more)
    task.check()
    return task


def link_task(
    name: str,
    graph: Any,
    feat: Features,
    etype: tuple[str, str, str],
    config: TrainConfig,
    device: torch.device,
    order: Tensor | None = None,
    **more: Any,
) -> PairTask:
    """Build a link prediction task: 85 % of the links for training, 5 % validation, 10 % test.

    The two directions of a link between nodes of one type count as one link. Validation and test
    contain as many pairs without a link as links. With `order`, such as edge times, the last links
    are held out; otherwise, random links.
    """
    _check_finite(name, feat)
    src, _, dst = etype
    u, v = graph.edges(etype=etype, order="eid")
    both = src == dst
    size = graph.num_nodes(dst)
    rank = torch.arange(len(u)) if order is None else order.argsort(stable=True)
    u, v = u[rank], v[rank]
    if both:
        u, v = torch.minimum(u, v)[u != v], torch.maximum(u, v)[u != v]
    keys = _first_of_each(u * size + v)
    generator = torch.Generator().manual_seed(0)
    if order is None:
        keys = keys[torch.randperm(len(keys), generator=generator)]
    held = [len(keys) * 5 // 100, len(keys) * 10 // 100]
    train, val, test = keys.split([len(keys) - sum(held), *held])
    if not len(val):
        raise InvalidValueError(
            f"Dataset '{name}' has {len(keys)} links, too few to hold some out: 20 are needed."
        )
    absent = _absent(keys, graph.num_nodes(src), size, len(val) + len(test), both, generator)
    items = torch.cat([train, val, test, absent])
    counts = [len(train), len(val), len(test), len(val), len(test)]
    part = torch.repeat_interleave(torch.tensor([0, 1, 2, 1, 2]), torch.tensor(counts))
    label = torch.ones(len(items), 1)
    label[len(keys) :] = 0
    messages = _messages(graph, etype, train, torch.cat([val, test]))
    structure = _structure(messages, config)
    schema = _schema(config, LINKS, structure, feat, 1, [src, dst])
    return PairTask(
        name,
        schema,
        Target(LABELS, ["link"], "roc_auc"),
        label.to(device),
        {name: (part == i)[:, None].to(device) for i, name in enumerate(("train", "val", "test"))},
        _sizes(graph, feat, src) | {"links": len(keys)},
        structure.to(device),
        _floats(feat, device),
        ((items // size).to(device), (items % size).to(device)),
        by_time=order is not None,
        **more,
    )


def rating_task(
    name: str,
    graph: Any,
    feat: Features,
    etype: tuple[str, str, str],
    rate: Tensor,
    masks: Mapping[str, Tensor],
    config: TrainConfig,
    device: torch.device,
    metric: str = "rmse",
) -> PairTask:
    """Build a task over the values of the edges of one type; the graph has the training edges.

    If there are at most 10 distinct values, each is a separate edge type.
    """
    src, relation, dst = etype
    u, v = graph.edges(etype=etype, order="eid")
    train = masks["train"].bool()
    levels = rate.unique()
    groups = {relation: train}
    if MODELS[config.model].typed and len(levels) <= _MOST_LEVELS:
        groups = {f"{relation} {level:g}": train & (rate == level) for level in levels.tolist()}
    edges = {}
    for key, mask in groups.items():
        edges[src, key, dst] = (u[mask], v[mask])
        edges[dst, f"reverse {key}", src] = (v[mask], u[mask])
    structure = gossamer.heterograph(edges, {t: graph.num_nodes(t) for t in {src, dst}})
    label = rate.float()[:, None]
    schema = _schema(config, RATINGS, structure, feat, 1, [src, dst])
    return PairTask(
        name,
        schema,
        of_values(label, train, [relation], metric),
        label.to(device),
        _columns(masks, len(label), device),
        _sizes(graph, feat, src),
        structure.to(device),
        _floats(feat, device),
        (u.to(device), v.to(device)),
        negatives=False,
    )


def _columns(masks: Mapping[str, Tensor], count: int, device: torch.device) -> dict[str, Tensor]:
    """Return the masks as (M, S) bool, with a column per split."""
    return {part: mask.bool().reshape(count, -1).to(device) for part, mask in masks.items()}


def _first_of_each(keys: Tensor) -> Tensor:
    """Return the distinct keys in the order of their first occurrence."""
    _, first = np.unique(keys.numpy(), return_index=True)
    return keys[np.sort(first)]


def _absent(
    keys: Tensor, rows: int, size: int, count: int, both: bool, generator: torch.Generator
) -> Tensor:
    """Draw random pairs without a link."""
    possible = rows * (rows - 1) // 2 if both else rows * size
    if possible - len(keys) < count:
        raise InvalidValueError(
            f"{count} pairs without a link are needed, and there are {possible - len(keys)}. "
            "Give a sparser graph."
        )
    found = torch.zeros(0, dtype=torch.int64)
    while len(found) < count:
        u = torch.randint(rows, (2 * count,), generator=generator)
        v = torch.randint(size, (2 * count,), generator=generator)
        if both:
            u, v = torch.minimum(u, v)[u != v], torch.maximum(u, v)[u != v]
        drawn = _first_of_each(torch.cat([found, u * size + v]))
        found = drawn[~torch.isin(drawn, keys)]
    return found[:count]


def _messages(graph: Any, etype: tuple[str, str, str], train: Tensor, held: Tensor) -> Any:
    """Remove the links `held` from all edge types that join the two node types."""
    src, _, dst = etype
    size = graph.num_nodes(dst)
    u, v = train // size, train % size
    if src == dst and len(graph.canonical_etypes) == 1:
        ends = (torch.cat([u, v]), torch.cat([v, u]))
        return gossamer.graph(ends, num_nodes=size)
    edges = {}
    for other in graph.canonical_etypes:
        a, b = graph.edges(etype=other, order="eid")
        gone = torch.zeros(len(a), dtype=torch.bool)
        if (other[0], other[2]) == (src, dst):
            gone |= torch.isin(a * size + b, held)
        if (other[2], other[0]) == (src, dst):
            gone |= torch.isin(b * size + a, held)
        edges[other] = (a[~gone], b[~gone])
    if len(graph.ntypes) > 1 and not any((s, d) == (dst, src) for s, _, d in edges):
        edges[dst, f"reverse {etype[1]}", src] = (v, u)
    return gossamer.heterograph(edges, {t: graph.num_nodes(t) for t in graph.ntypes})


def _structure(graph: Any, config: TrainConfig) -> Any:
    """Return the graph without features, made homogeneous for untyped models."""
    if len(graph.ntypes) == 1 and not MODELS[config.model].typed:
        if len(graph.canonical_etypes) > 1:
            graph = to_homogeneous(graph)
        src, dst = graph.edges(order="eid")
        if config.self_loops:
            others, nodes = src != dst, graph.nodes()
            src, dst = torch.cat([src[others], nodes]), torch.cat([dst[others], nodes])
        return gossamer.graph((src, dst), num_nodes=graph.num_nodes())
    edges = {etype: graph.edges(etype=etype, order="eid") for etype in graph.canonical_etypes}
    return gossamer.heterograph(edges, {t: graph.num_nodes(t) for t in graph.ntypes})


def _schema(
    config: TrainConfig, level: str, graph: Any, feat: Features, out_size: int, ends: list[str]
) -> Schema:
    """Return the schema of a graph, which the model has to match."""
    rest = {t: graph.num_nodes(t) for t in graph.ntypes if t not in feat}
    degrees = torch.cat([graph.in_degrees(etype=e) for e in graph.canonical_etypes])
    widths = {t: feat[t].shape[1] if t in feat else 0 for t in sorted(graph.ntypes)}
    num_etypes, delta = len(graph.canonical_etypes), _delta(degrees)
    schema = Schema(level, widths, out_size, ends, rest, num_etypes, delta)
    require_fit(config.model, schema)
    return schema


def _delta(degrees: Tensor) -> float:
    return float((degrees + 1.0).log().mean()) if len(degrees) else 1.0


def _sizes(graph: Any, feat: Features, end: str) -> dict[str, int]:
    sizes = {"nodes": graph.num_nodes(), "edges": graph.num_edges()}
    if len(graph.canonical_etypes) > 1:
        sizes |= {"node types": len(graph.ntypes), "edge types": len(graph.canonical_etypes)}
    return sizes | {"features": feat[end].shape[1] if end in feat else 0}


def _floats(feat: Features, device: torch.device) -> dict[str, Tensor]:
    return {t: rows.float().to(device) for t, rows in feat.items()}


def _check_finite(name: str, feat: Features) -> None:
    for rows in feat.values():
        wrong = (~torch.isfinite(rows.reshape(len(rows), -1)).all(1)).nonzero().flatten()
        if len(wrong):
            raise InvalidValueError(
                f"Dataset '{name}' has NaN or infinite features at {len(wrong):,} nodes, the first "
                f"is node {int(wrong[0])}. Replace them in 'feat' before training."
            )
