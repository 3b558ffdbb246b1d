"""Attributed graphs in npz archives: gnn-benchmark and Reddit."""

from __future__ import annotations

import numpy as np

from gossamer.data._build import node_graph
from gossamer.data._files import read_npz
from gossamer.data.catalogue.entry import Contents
from gossamer.data.raw import RawFolder
from gossamer.data.readers._checks import array, corrupt, labels
from gossamer.data.readers._sparse import read_sparse
from gossamer.graph import Graph
from gossamer.transforms import reorder_graph, to_bidirected


def attributed(raw: RawFolder, file: str, num_classes: int) -> Contents:
    """Read an adjacency matrix ``adj_*``, features ``attr_*`` and ``labels``.

    Each edge exists once in each direction; nodes and edges are in a compact order.
    """
    path = raw.path(file)
    adjacency = read_sparse(path, "adj_")
    count = adjacency.shape[0]
    if adjacency.shape[1] != count:
        raise corrupt(path, f"the adjacency matrix has shape {adjacency.shape}")
    features = read_sparse(path, "attr_")
    array(path, features.row, "iu", (None,), "attr_indptr")
    if features.shape[0] != count:
        raise corrupt(path, f"{features.shape[0]} rows of features for {count} nodes")
    label = labels(path, read_npz(path, ["labels"])["labels"], count)
    both = to_bidirected(node_graph(adjacency.row, adjacency.column, count, {})).edges()
    features = {"feat": features.dense(), "label": label}
    g = node_graph(*(ids.numpy() for ids in both), count, features)
    return Contents([compact(g)], info={"num_classes": num_classes})


def reddit(raw: RawFolder, self_loop: bool) -> Contents:
    """Read ``reddit_graph.npz`` (or ``reddit_self_loop_graph.npz``) and ``reddit_data.npz``."""
    name = "reddit_self_loop_graph.npz" if self_loop else "reddit_graph.npz"
    adjacency = read_sparse(raw.path(name))
    count = adjacency.shape[0]
    path = raw.path("reddit_data.npz")
    arrays = read_npz(path, ["feature", "label", "node_types"])
    part = array(path, arrays["node_types"], "iu", (count,), "node_types")
    features = {
        "train_mask": part == 1,
        "val_mask": part == 2,
        "test_mask": part == 3,
        "feat": array(path, arrays["feature"], "fiu", (count, None), "feature").astype(np.float32),
        "label": labels(path, arrays["label"], count),
    }
    g = node_graph(adjacency.row, adjacency.column, count, features)
    return Contents([compact(g)], info={"num_classes": 41})


def compact(g: Graph) -> Graph:
    """Reorder nodes by reverse Cuthill-McKee, which keeps neighbors close, and edges by target."""
    return reorder_graph(g, node_permute_algo="rcmk", edge_permute_algo="dst", store_ids=False)
