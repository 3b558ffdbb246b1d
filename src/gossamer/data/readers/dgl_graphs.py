"""Graphs in DGL's own file format: CLUSTER, PATTERN and ZINC."""

from __future__ import annotations

from gossamer.data.catalogue.entry import Contents
from gossamer.data.raw import RawFolder
from gossamer.data.readers._checks import corrupt
from gossamer.graph import load_graphs


def dgl_graphs(raw: RawFolder, file: str, label: str | None) -> Contents:
    """Read all graphs of the file; `label` is the name of the labels of graphs, if any."""
    path = raw.path(file)
    graphs, labels = load_graphs(path)
    if label is None:
        return Contents(graphs)
    if label not in labels or len(labels[label]) != len(graphs):
        raise corrupt(path, f"it has no '{label}' for each of its {len(graphs)} graphs")
    return Contents(graphs, {"label": labels[label]})
