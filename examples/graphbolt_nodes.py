"""Train GraphSAGE on a graph and features that stay on disk.

The graph is written in GraphBolt's layout: an edge list, features and a metadata.yaml.
OnDiskDataset sorts the edges in bounded memory and maps the result. A pipeline draws neighbors and
reads the features of many batches at once (--lookahead). Samplers:

- neighbor: Hamilton et al., NeurIPS 2017.
- labor: layer-neighbor sampling, Balin and Catalyurek, NeurIPS 2023, which draws fewer nodes.

Test at the epoch with the best validation accuracy, with all neighbors, layer after layer.

    python examples/graphbolt_nodes.py --dataset cora --sampler labor
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
import torch
import yaml
from torch.nn import functional as F

import gossamer as gs
import gossamer.graphbolt as gb
from _run import Parser, above, at_least, progress, report, share
from gossamer.nn.models import GraphSAGE

DATASETS = ("cora", "citeseer", "pubmed")
FANOUTS = [25, 10]


def write(graph: gs.Graph, folder: Path, storage: str) -> None:
    """Store a graph in GraphBolt's layout."""
    np.save(folder / "edges.npy", torch.stack(graph.edges()).numpy())
    np.save(folder / "feat.npy", graph.ndata["feat"].numpy())
    sets = {"train": "train_set", "val": "validation_set", "test": "test_set"}
    task: dict = {"name": "classes"}
    for part, name in sets.items():
        nodes = graph.ndata[f"{part}_mask"].nonzero().flatten()
        data = []
        for kind, values in (("seeds", nodes), ("labels", graph.ndata["label"][nodes])):
            np.save(folder / f"{part}-{kind}.npy", values.numpy())
            data.append({"name": kind, "format": "numpy", "path": f"{part}-{kind}.npy"})
        task[name] = [{"data": data}]
    feature = {"domain": "node", "name": "feat", "format": "numpy", "path": "feat.npy"}
    feature["in_memory"] = False
    if storage != "float32":
        feature["storage"] = storage
    content = {
        "graph": {
            "nodes": [{"num": graph.num_nodes()}],
            "edges": [{"format": "numpy", "path": "edges.npy"}],
        },
        "feature_data": [feature],
        "tasks": [task],
    }
    (folder / "metadata.yaml").write_text(yaml.safe_dump(content))


def pipeline(dataset: gb.OnDiskDataset, items: object, args: argparse.Namespace) -> gb.DataLoader:
    """Batches of seeds with blocks and features; all neighbors for other items than training."""
    training = items is dataset.tasks[0].train_set
    pipe = gb.ItemSampler(items, args.batch_size, shuffle=training)
    if not training:
        pipe = pipe.sample_neighbor(dataset.graph, [-1, -1])
    elif args.sampler == "labor":
        pipe = pipe.sample_layer_neighbor(dataset.graph, FANOUTS)
    else:
        pipe = pipe.sample_neighbor(dataset.graph, FANOUTS)
    pipe = pipe.fetch_feature(dataset.feature, ["feat"], lookahead=args.lookahead)
    return gb.DataLoader(pipe)


@torch.no_grad()
def accuracy(model: torch.nn.Module, loader: gb.DataLoader) -> float:
    """Accuracy in percent."""
    model.eval()
    right = [
        (model(batch.blocks, batch.node_features["feat"]).argmax(1) == batch.labels).float()
        for batch in loader
    ]
    return 100 * torch.cat(right).mean().item()


def train(dataset: gb.OnDiskDataset, classes: int, args: argparse.Namespace) -> float:
    """Return the test accuracy in percent at the best validation accuracy."""
    task = dataset.tasks[0]
    loaders = [
        pipeline(dataset, s, args) for s in (task.train_set, task.validation_set, task.test_set)
    ]
    width = dataset.feature.size("node", None, "feat")[0]
    model = GraphSAGE(width, args.hidden, classes, dropout=args.dropout)
    optimizer = torch.optim.Adam(model.parameters(), lr=args.lr, weight_decay=5e-4)
    best = (0.0, 0.0)
    for epoch in range(args.epochs):
        progress(epoch + 1, args.epochs, "epoch")
        model.train()
        for batch in loaders[0]:
            out = model(batch.blocks, batch.node_features["feat"])
            loss = F.cross_entropy(out, batch.labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        val = accuracy(model, loaders[1])
        if val > best[0]:
            best = val, accuracy(model, loaders[2])
    return best[1]


def main(args: argparse.Namespace) -> None:
    """Write the dataset, train with each seed, and print the figure."""
    graph = gs.data.CitationGraphDataset(args.dataset, raw_dir=args.raw_dir, verbose=False)[0]
    classes, scores = int(graph.ndata["label"].max()) + 1, []
    with tempfile.TemporaryDirectory() as folder:
        write(graph, Path(folder), args.storage)
        dataset = gb.OnDiskDataset(folder).load()
        for seed in range(args.seeds):
            gs.seed(seed)
            scores.append(train(dataset, classes, args))
            print(f"seed {seed}: test {scores[-1]:.2f} %", flush=True)
    report(f"{args.sampler} on {args.dataset}", "test accuracy", scores, None)


if __name__ == "__main__":
    parser = Parser(__doc__)
    parser.option("--sampler", ("neighbor", "labor"), "neighbor", "how neighbors are drawn")
    parser.common(DATASETS, "ind.<dataset>.*", epochs=30, seeds=5)
    storages = ("float32", "float16", "bfloat16", "int8")
    parser.option("--storage", storages, "float16", "form of the features on disk")
    parser.option("--lookahead", at_least(0), 8, "batches drawn ahead")
    parser.option("--batch-size", at_least(1), 64, "nodes in a batch")
    parser.option("--hidden", at_least(1), 64, "hidden units")
    parser.option("--dropout", share, 0.5, "dropout rate")
    parser.option("--lr", above(0), 0.01, "learning rate")
    parser.run(main)
