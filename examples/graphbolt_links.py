"""Train GraphSAGE to predict links, with a GraphBolt pipeline and sampled negatives.

A tenth of the links is held out, with as many random pairs, as in SEAL (Zhang and Chen, NeurIPS
2018). A batch is links and negatives; the links and their reverses are excluded from the
neighborhoods that are drawn for them. Nodes have learned embeddings instead of features. Negatives:

- pairs: both ends at random, as those of the test.
- source: another destination for the source of each link, GraphBolt's sample_uniform_negative.

    python examples/graphbolt_links.py --dataset USAir
"""

from __future__ import annotations

import argparse

import torch
from torch import Tensor, nn
from torch.nn import functional as F

import gossamer as gs
import gossamer.graphbolt as gb
from _links import SEAL, auc, both_ways, split
from _run import Parser, above, at_least, progress, report
from gossamer.nn import SAGEConv


class Model(nn.Module):
    """Two layers of GraphSAGE over embeddings; the score of a pair is a dot product."""

    def __init__(self, nodes: int, hidden: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(nodes, hidden)
        self.layers = nn.ModuleList(SAGEConv(hidden, hidden, "mean") for _ in range(2))

    def forward(self, blocks: list[gs.Graph], nodes: Tensor, pairs: Tensor) -> Tensor:
        h = self.layers[0](blocks[0], self.embedding(nodes)).relu()
        h = self.layers[1](blocks[1], h)
        return (h[pairs[:, 0]] * h[pairs[:, 1]]).sum(1)


class RandomPairs(gb.NegativeSampler):
    """Negatives with both ends drawn at random."""

    def __init__(self, datapipe: gb.ItemSampler, nodes: int) -> None:
        super().__init__(datapipe, negative_ratio=1)
        self.nodes = nodes

    def _sample_with_etype(self, seeds: Tensor, etype: str | None = None) -> Tensor:
        return torch.randint(self.nodes, seeds.shape)


def train(graph: gs.Graph, args: argparse.Namespace) -> float:
    """Return the AUC of the held-out links after the last epoch."""
    links, held, strangers = split(graph)
    known = both_ways(links, graph.num_nodes())
    sampling = gb.from_graph(known, is_homogeneous=True, include_original_edge_id=True)

    pipe = gb.ItemSampler(gb.ItemSet(links, names="seeds"), args.batch_size, shuffle=True)
    if args.negatives == "pairs":
        pipe = RandomPairs(pipe, graph.num_nodes())
    else:
        pipe = pipe.sample_uniform_negative(sampling, 1)
    pipe = pipe.sample_neighbor(sampling, [args.fanout] * 2)
    loader = gb.DataLoader(pipe.exclude_seed_edges(include_reverse_edges=True))

    model = Model(graph.num_nodes(), args.hidden)
    optimizer = torch.optim.Adam(model.parameters(), lr=args.lr, weight_decay=1e-3)
    for epoch in range(args.epochs):
        progress(epoch + 1, args.epochs, "epoch")
        for batch in loader:
            scores = model(batch.blocks, batch.input_nodes, batch.compacted_seeds)
            loss = F.binary_cross_entropy_with_logits(scores, batch.labels.float())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    with torch.no_grad():
        nodes = torch.arange(graph.num_nodes())
        scores = model([known, known], nodes, torch.cat([held, strangers]))
    return auc(scores[: len(held)], scores[len(held) :])


def main(args: argparse.Namespace) -> None:
    """Train with each seed, and print the figure."""
    graph = gs.data.SEALDataset(args.dataset, raw_dir=args.raw_dir, verbose=False)[0]
    scores = []
    for seed in range(args.seeds):
        gs.seed(seed)
        scores.append(train(graph, args))
        print(f"seed {seed}: test AUC {scores[-1]:.2f} %", flush=True)
    report(f"GraphSAGE on {args.dataset}", "AUC", scores, SEAL[args.dataset])


if __name__ == "__main__":
    parser = Parser(__doc__)
    parser.common(SEAL, "<dataset>.mat", epochs=40, seeds=5)
    parser.option("--batch-size", at_least(1), 256, "links in a batch")
    parser.option("--negatives", ("pairs", "source"), "pairs", "how negatives are drawn")
    parser.option("--fanout", at_least(1), 10, "neighbors drawn for each node and layer")
    parser.option("--hidden", at_least(1), 64, "width of embeddings and layers")
    parser.option("--lr", above(0), 0.01, "learning rate")
    parser.run(main)
