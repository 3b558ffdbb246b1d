"""Small sets in the layout of OGB, opened by OGB's package, described as JSON.

A program for DGL, run unchanged on either, in an environment with ogb 1.3.6 and DGL 2.1.0 or
Gossamer::

    python tests/compat/ogb_datasets.py EMPTY_FOLDER > tests/compat/golden/ogb.json
    python -m gossamer.compat.dgl tests/compat/ogb_datasets.py EMPTY_FOLDER
"""

from __future__ import annotations

import builtins
import functools
import json
import os
import sys

import numpy as np
import torch
from ogb.graphproppred import DglGraphPropPredDataset, collate_dgl
from ogb.io import DatasetSaver
from ogb.linkproppred import DglLinkPropPredDataset
from ogb.nodeproppred import DglNodePropPredDataset

RNG = np.random.default_rng(0)


def graph(nodes, edges):
    return {
        "edge_index": RNG.integers(0, nodes, (2, edges)),
        "num_nodes": nodes,
        "node_feat": RNG.integers(0, 9, (nodes, 3)).astype(np.float32),
        "edge_feat": RNG.integers(0, 9, (edges, 2)).astype(np.float32),
    }


def save(name, graphs, labels, split, task, hetero=False):
    saver = DatasetSaver(name, is_hetero=hetero, version=1)
    saver.save_graph_list(graphs)
    if labels is not None:
        saver.save_target_labels(labels)
    saver.save_split(split, split_name="random")
    os.makedirs("mapping", exist_ok=True)
    open("mapping/README.md", "w").close()
    saver.copy_mapping_dir("mapping")
    saver.save_task_info(**task)
    return saver.get_meta_dict()


def describe(g):
    frames = {f"{t}": g.nodes[t].data for t in g.ntypes}
    frames.update({"/".join(e): g.edges[e].data for e in g.canonical_etypes})
    return {
        "nodes": {t: g.num_nodes(t) for t in g.ntypes},
        "edges": {"/".join(e): [x.tolist() for x in g.edges(etype=e)] for e in g.canonical_etypes},
        "data": {
            name: {key: [str(x.dtype), x.tolist()] for key, x in sorted(data.items())}
            for name, data in frames.items()
        },
    }


def plain(value):
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value.tolist() if hasattr(value, "tolist") else value


def nodes():
    split = {"train": np.arange(5), "valid": np.arange(5, 8), "test": np.arange(8, 10)}
    task = {"task_type": "multiclass classification", "eval_metric": "acc", "num_classes": 3}
    meta = save("ogbn-toy", [graph(10, 20)], RNG.integers(0, 3, (10, 1)), split, task)
    # The second time from the cache that the first one wrote.
    opened = [DglNodePropPredDataset("ogbn-toy", meta_dict=meta) for _ in range(2)]
    g, label = opened[0][0]
    assert describe(opened[1][0][0]) == describe(g)
    return [describe(g), label.tolist(), plain(opened[1].get_idx_split())]


def kinds():
    typed = {
        "edge_index_dict": {
            ("author", "writes", "paper"): RNG.integers(0, 4, (2, 6)),
            ("paper", "cites", "paper"): RNG.integers(0, 5, (2, 7)),
        },
        "edge_feat_dict": {("paper", "cites", "paper"): RNG.random((7, 2)).astype(np.float32)},
        "node_feat_dict": {"paper": RNG.random((5, 3)).astype(np.float32)},
        "num_nodes_dict": {"author": 4, "paper": 5},
    }
    split = {
        "train": {"paper": np.arange(3)},
        "valid": {"paper": np.array([3])},
        "test": {"paper": np.array([4])},
    }
    task = {"task_type": "multiclass classification", "eval_metric": "acc", "num_classes": 3}
    labels = {"paper": RNG.integers(0, 3, (5, 1))}
    meta = save("ogbn-kinds", [typed], labels, split, task, hetero=True)
    opened = [DglNodePropPredDataset("ogbn-kinds", meta_dict=meta) for _ in range(2)]
    g, label = opened[1][0]
    return [describe(g), plain(label), plain(opened[1].get_idx_split())]


def links():
    split = {
        part: {"edge": RNG.integers(0, 8, (4, 2)), "edge_neg": RNG.integers(0, 8, (4, 2))}
        for part in ("train", "valid", "test")
    }
    task = {"task_type": "link prediction", "eval_metric": "hits@20"}
    meta = save("ogbl-toy", [graph(8, 12)], None, split, task)
    opened = [DglLinkPropPredDataset("ogbl-toy", meta_dict=meta) for _ in range(2)]
    return [describe(opened[1][0]), plain(opened[1].get_edge_split())]


def graphs():
    sizes = [(4, 6), (3, 0), (5, 9), (2, 3)]
    split = {"train": [0, 2], "valid": [1], "test": [3]}
    split = {part: torch.tensor(items) for part, items in split.items()}
    task = {"task_type": "binary classification", "eval_metric": "rocauc", "num_classes": 2}
    labels = RNG.integers(0, 2, (4, 1))
    meta = save("ogbg-toy", [graph(*size) for size in sizes], labels, split, task)
    opened = [DglGraphPropPredDataset("ogbg-toy", meta_dict=meta) for _ in range(2)]
    dataset = opened[1]
    part = dataset[dataset.get_idx_split()["train"]]
    g, label = collate_dgl([part[i] for i in range(len(part))])
    return [
        [[describe(g), label.tolist()] for g, label in dataset],
        [describe(g), g.batch_num_nodes().tolist(), label.tolist()],
    ]


if __name__ == "__main__":
    # OGB 1.3.6 was written for a torch whose load() took any pickle, and asks before it replaces
    # files.
    torch.load = functools.partial(torch.load, weights_only=False)
    builtins.input = lambda *_: "n"
    os.chdir(sys.argv[1])
    shown, sys.stdout = sys.stdout, sys.stderr
    found = {part.__name__: part() for part in (nodes, kinds, links, graphs)}
    json.dump(found, shown)
