"""Train GraphSAGE on minibatches: sampled neighbors, clusters, or sampled subgraphs.

- neighbor: GraphSAGE, Hamilton et al., NeurIPS 2017: 25 and 10 neighbors of each node.
- labor: LABOR, Balin and Çatalyürek, NeurIPS 2023: as many on average, fewer different ones.
- cluster: Cluster-GCN, Chiang et al., KDD 2019: the nodes of a few parts that METIS finds.
- saint: GraphSAINT, Zeng et al., ICLR 2020: the nodes of random walks; losses weigh one over how
  often a node is drawn. Departure: sums over neighbors are not weighted.

The same network is also trained on the whole graph, with as many steps. Test at the epoch with the
best validation accuracy. 'synthetic' is for speed: half of a node's ten in-edges are of its class.

    python examples/minibatch.py --dataset actor --sampler cluster
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional as F

import gossamer as gs
from _run import Parser, above, at_least, progress, report, share, spread
from gossamer import dataloading as dl
from gossamer.nn.models import GraphSAGE

DATASETS = ("cora", "citeseer", "pubmed", "actor", "cornell", "texas", "wisconsin", "roman_empire")
BLOCKS = {"neighbor": dl.NeighborSampler, "labor": dl.LaborSampler}
PARTS, TOGETHER, SUBGRAPHS, STEPS = 40, 4, 10, 2  # of a batch; of an epoch, of a walk


def synthetic(nodes: int, classes: int = 10, degree: int = 10, width: int = 64) -> gs.Graph:
    """Return a random graph whose classes show in features and edges."""
    gs.seed(0)
    label = torch.randint(classes, (nodes,))
    by_class, count = label.argsort(), label.bincount(minlength=classes)
    v = torch.arange(nodes).repeat_interleave(degree)
    same = (torch.rand(len(v)) * count[label[v]]).long() + (count.cumsum(0) - count)[label[v]]
    u = torch.where(torch.rand(len(v)) < 0.5, by_class[same], torch.randint(nodes, (len(v),)))
    graph = gs.graph((u, v), num_nodes=nodes)
    graph.ndata["label"] = label
    graph.ndata["feat"] = torch.randn(nodes, width) + torch.randn(classes, width)[label] / 4
    part = torch.rand(nodes)
    graph.ndata["train_mask"], graph.ndata["test_mask"] = part < 0.1, part >= 0.2
    graph.ndata["val_mask"] = (part >= 0.1) & (part < 0.2)
    return graph


class Batches:
    """The training nodes in batches: (graph or blocks, inputs, rows of the output, their nodes)."""

    def __init__(self, graph: gs.Graph, mask: Tensor, sampler: str, batch_size: int):
        self.sampler, self.mask = sampler, mask
        self.weight = torch.ones(graph.num_nodes())
        nodes = torch.arange(graph.num_nodes())
        if sampler == "full":
            self.loader = [(graph, nodes, mask, nodes[mask])]
        elif sampler in BLOCKS:
            ids, neighbors = nodes[mask], BLOCKS[sampler]([10, 25])
            self.loader = dl.DataLoader(
                graph, ids, neighbors, batch_size=batch_size, shuffle=True, use_prefetch_thread=True
            )
        elif sampler == "cluster":
            ids, parts = torch.arange(PARTS), dl.ClusterGCNSampler(graph, PARTS, cache_path=None)
            self.loader = dl.DataLoader(graph, ids, parts, batch_size=TOGETHER, shuffle=True)
        else:
            walks = dl.SAINTSampler("walk", (max(len(nodes) // SUBGRAPHS, 1), STEPS))
            self.loader = dl.DataLoader(graph, torch.arange(SUBGRAPHS), walks)
            drawn = torch.cat([sub.ndata[gs.NID] for _ in range(5) for sub in self.loader])
            self.weight = 1 / drawn.bincount(minlength=len(nodes)).clamp(min=1)

    def __iter__(self) -> Iterator[tuple]:
        for batch in self.loader:
            if self.sampler == "full":
                yield batch
            elif self.sampler in BLOCKS:
                inputs, outputs, blocks = batch
                yield blocks, inputs, slice(None), outputs
            else:
                nodes = batch.ndata[gs.NID]
                rows = self.mask[nodes]
                if rows.any():
                    yield batch, nodes, rows, nodes[rows]


def train(
    graph: gs.Graph, masks: list[Tensor], batches: Batches, epochs: int, args: argparse.Namespace
) -> tuple[float, float, float]:
    """Return validation and test accuracy in percent, and the seconds of an epoch's training."""
    x, label = graph.ndata["feat"], graph.ndata["label"]
    model = GraphSAGE(x.shape[1], args.hidden, int(label.max()) + 1, dropout=args.dropout)
    optimizer = torch.optim.Adam(model.parameters(), lr=args.lr, weight_decay=5e-4)
    best, seconds = (0.0, 0.0), 0.0
    for epoch in range(epochs):
        progress(epoch + 1, epochs, f"{batches.sampler}: epoch")
        start = time.perf_counter()
        model.train()
        for part, inputs, rows, nodes in batches:
            losses = F.cross_entropy(model(part, x[inputs])[rows], label[nodes], reduction="none")
            loss = (losses * batches.weight[nodes]).sum() / batches.weight[nodes].sum()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        seconds += time.perf_counter() - start
        model.eval()
        with torch.no_grad():
            correct = (model(graph, x).argmax(1) == label).float()
        val, test = (100 * correct[mask].mean().item() for mask in masks[1:])
        best = (val, test) if val > best[0] else best
    return *best, seconds / epochs


def main(args: argparse.Namespace) -> None:
    """Train on minibatches, then on the whole graph, and print both figures."""
    if args.dataset == "synthetic":
        graph, scores = synthetic(args.nodes), {args.sampler: []}
    else:
        kinds = gs.data.HeterophilousGraphDataset, gs.data.CitationGraphDataset
        graph = kinds[args.dataset in DATASETS[:3]](args.dataset, raw_dir=args.raw_dir)[0]
        scores = {args.sampler: [], "full": []}
    for seed in range(args.seeds):
        masks = [graph.ndata[f"{part}_mask"] for part in ("train", "val", "test")]
        masks = [mask if mask.dim() == 1 else mask[:, seed % mask.shape[1]] for mask in masks]
        epochs = args.epochs
        for sampler, found in scores.items():
            gs.seed(seed)
            batches = Batches(graph, masks[0], sampler, args.batch_size)
            val, test, seconds = train(graph, masks, batches, epochs, args)
            epochs *= len(batches.loader)
            found.append(test)
            line = f"seed {seed}, {sampler}: validation {val:.2f} %, test {test:.2f} %"
            print(f"{line}, {seconds:.3f} s an epoch", flush=True)
    title, whole = f"{args.sampler} on {args.dataset}", "full" in scores and spread(scores["full"])
    report(title, "test accuracy", scores[args.sampler], whole, source="whole graph")


if __name__ == "__main__":
    parser = Parser(__doc__)
    parser.option("--sampler", (*BLOCKS, "cluster", "saint"), "neighbor", "kind of batches")
    parser.common((*DATASETS, "synthetic"), "ind.<dataset>.* or <dataset>.npz", epochs=30)
    parser.option("--nodes", at_least(100), 1_000_000, "size of the synthetic graph")
    parser.option("--batch-size", at_least(1), 512, "nodes in a batch of sampled neighbors")
    parser.option("--hidden", at_least(1), 64, "hidden units")
    parser.option("--dropout", share, 0.5, "dropout rate")
    parser.option("--lr", above(0), 0.01, "learning rate")
    parser.run(main)
