"""UPFD: trees of users who spread a piece of news."""

from __future__ import annotations

import numpy as np
import torch

from gossamer.data._build import MASKS, graph_pieces, index_mask
from gossamer.data.catalogue.entry import Contents
from gossamer.data.raw import RawFolder
from gossamer.data.readers._checks import array, corrupt, labels, read_npy, within
from gossamer.data.readers._sparse import read_sparse
from gossamer.data.readers._tables import check_ids, read_table


def fake_news(raw: RawFolder, feature_name: str) -> Contents:
    """Read ``A.txt``, ``node_graph_id.npy``, ``graph_labels.npy``, index files and features.

    The features of all nodes are one table; ``_ID`` of a graph's nodes has their rows.
    """
    path = raw.path("graph_labels.npy")
    classes = read_npy(path)
    label = labels(path, classes, len(classes))
    path = raw.path("node_graph_id.npy")
    owner = within(
        path, array(path, read_npy(path), "iu", (None,), "graph id"), len(label), "graph"
    )
    if (np.diff(owner) < 0).any():
        raise corrupt(path, "the nodes of a graph are not together")
    path = raw.path("A.txt")
    pairs = read_table(path, 2)
    check_ids(path, pairs, len(owner), "node")
    belongs = owner[pairs]
    if (belongs[:, 0] != belongs[:, 1]).any() or (np.diff(belongs[:, 0]) < 0).any():
        raise corrupt(path, "an edge joins two graphs, or graphs are not in order")
    graphs = graph_pieces(
        *pairs.T,
        np.bincount(owner, minlength=len(label)),
        np.bincount(belongs[:, 0], minlength=len(label)),
        {"_ID": np.arange(len(owner))},
        {"_ID": np.arange(len(pairs))},
    )
    path = raw.path(f"new_{feature_name}_feature.npz")
    feature = read_sparse(path).dense()
    if len(feature) != len(owner):
        raise corrupt(path, f"it has {len(feature)} rows for {len(owner)} nodes")
    tensors = {"label": torch.from_numpy(label), "feature": torch.from_numpy(feature)}
    for mask, part in zip(MASKS, ("train", "val", "test"), strict=True):
        path = raw.path(f"{part}_idx.npy")
        index = within(path, array(path, read_npy(path), "iu", (None,), part), len(label), "graph")
        tensors[mask] = torch.from_numpy(index_mask(index, len(label)))
    return Contents(graphs, tensors, {"num_classes": 2})
