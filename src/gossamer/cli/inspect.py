"""`gossamer inspect`: print the content of the user's tables, and how they are read."""

from __future__ import annotations

import shlex
from typing import Any

import torch
from torch import Tensor

from gossamer.cli.columns import describe
from gossamer.cli.config import TrainConfig
from gossamer.cli.datasets import bars, degree_counts
from gossamer.cli.own import OwnGraph, load_tables, read_graph
from gossamer.cli.targets import CLASSES
from gossamer.cli.task import Task
from gossamer.cli.text import format_table, program
from gossamer.errors import InvalidValueError
from gossamer.transforms import edge_homophily

__all__ = ["print_tables"]


def print_tables(config: TrainConfig) -> None:
    """Print nodes and edges by type, the use of each column, degrees, target and split.

    Raises
    ------
    InvalidValueError
        If no table is given.
    FileError
        If a table cannot be read.
    """
    if not config.edges:
        raise InvalidValueError("Name your tables of edges with --edges FILE.")
    own = read_graph(config)
    print(format_table(["type", "nodes or edges"], _sizes(own), "<>"))
    for ntype, columns in own.columns.items():
        print(f"\ncolumns of {_name(ntype)} (id: {own.id_columns[ntype]})")
        rows = [[f"  {column['name']}", describe(column)] for column in columns]
        rows += [[f"  {name}", "the target"] for name in config.target
                 if own.graph_table is None and name in own.frames[ntype].columns]  # fmt: skip
        print("\n".join(f"{name:<24} {text}" for name, text in rows) or "  no features")
    if own.unused:
        print()
    for name in own.unused:
        print(f"not used: {name}")
    featureless = [t for t in own.graph.ntypes if t not in own.feat]
    if featureless and own.graph_table is None:
        names = ", ".join(map(_name, featureless))
        print(f"\n{names} without features: a trainable vector for each node")
    degrees = torch.cat([own.graph.in_degrees(etype=e) for e in own.graph.canonical_etypes])
    print(f"\nin-degrees\n{bars(degree_counts(degrees))}")
    if config.target or config.task == "links":
        _print_target(config, own)
    else:
        print("\nChoose the column to predict with --target, or give --task links.")


def _name(ntype: str) -> str:
    return "nodes" if ntype == "_N" else ntype


def _sizes(own: OwnGraph) -> list[list[str]]:
    graph = own.graph
    rows = [[_name(t), f"{graph.num_nodes(t):,}"] for t in graph.ntypes]
    for etype in graph.canonical_etypes:
        name = "edges" if etype == ("_N", "_E", "_N") else " ".join(etype)
        rows.append([name, f"{graph.num_edges(etype):,}"])
    if own.graph_ids is not None:
        rows.insert(0, ["graphs", f"{len(own.graph_ids):,}"])
    return rows


def _print_target(config: TrainConfig, own: OwnGraph) -> None:
    task = load_tables(config, torch.device("cpu"))
    target = task.target
    what = ", ".join(config.target) or "links"
    print(f"\nto predict: {what} ({target.kind} of {task.schema.level}, {target.metric})")
    if target.kind == CLASSES:
        print(bars(_classes(task.label, target.names)))
    elif target.mean:
        for name, mean, scale in zip(target.names, target.mean, target.scale, strict=True):
            print(f"{name}: mean {mean:.4g}, deviation {scale:.4g}")
    parts = [f"{part} {int(mask[:, 0].sum()):,}" for part, mask in task.masks.items()]
    unknown = int((~target.known(task.label)).sum())
    print(f"split: {', '.join(parts)}{f', without a label {unknown:,}' if unknown else ''}")
    line = _homophily(own, task)
    if line:
        print(line)
    print(f"\nTrain: {program()} train {_flags(config)}")


def _classes(label: Tensor, names: list[str]) -> dict[str, int]:
    counts = label[label >= 0].bincount(minlength=len(names))
    return {name: int(n) for name, n in zip(names, counts, strict=True)}


def _homophily(own: OwnGraph, task: Task) -> str:
    graph = own.graph
    if own.graph_ids is not None or len(graph.canonical_etypes) > 1 or task.label.dim() > 1:
        return ""
    u, v = graph.edges()
    known = (task.label[u] >= 0) & (task.label[v] >= 0)
    if not bool(known.any()):
        return ""
    part = graph.edge_subgraph(known.nonzero().squeeze(1), relabel_nodes=False)
    return f"edge homophily: {edge_homophily(part, task.label):.3f}"


def _flags(config: TrainConfig) -> str:
    usual = TrainConfig()
    words: list[str] = []
    values: dict[str, Any] = config.as_dict()
    names = "edges nodes graphs target task ignore split node_id source destination"
    for name in names.split():
        value = values[name]
        if value and value != getattr(usual, name):
            given = [value] if isinstance(value, str) else value
            words += [f"--{name.replace('_', '-')}", *given]
    return shlex.join([*words, *([] if config.reverse else ["--no-reverse"])])
