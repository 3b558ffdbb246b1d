"""Train GraphSAGE to predict links, on minibatches of links and sampled negatives.

A tenth of the links is held out, with as many random pairs, as in SEAL (Zhang and Chen, NeurIPS
2018). Messages never pass the links of the batch nor their reverses. Cora has features; nodes of
the other graphs have learned embeddings. Links of ml-100k are ratings, whatever their value; its
negatives are other movies for the same user. Negatives of the other graphs:

- pairs: both ends at random, never a link, as those of the test.
- source: another destination for the source of each link.

    python examples/link_prediction.py --dataset USAir
"""

from __future__ import annotations

import argparse

import torch
from torch import Tensor, nn
from torch.nn import functional as F

import gossamer as gs
from _links import SEAL, auc, both_ways, split
from _run import Parser, above, at_least, progress, report
from gossamer.dataloading import (
    DataLoader,
    LaborSampler,
    NeighborSampler,
    as_edge_prediction_sampler,
)
from gossamer.dataloading.negative_sampler import GlobalUniform, PerSourceUniform
from gossamer.nn import SAGEConv

SAMPLERS = {"neighbor": NeighborSampler, "labor": LaborSampler}
NEGATIVES = {"pairs": GlobalUniform, "source": PerSourceUniform}
CITATION = {  # VGAE of Kipf and Welling, with 5 % of the links unused
    "cora": "91.4 ± 0.01 (VGAE)",
    "citeseer": "90.8 ± 0.02 (VGAE)",
    "pubmed": "94.4 ± 0.02 (VGAE)",
}
MOVIES = ("ml-100k", "ml-1m", "ml-10m")


class Model(nn.Module):
    """Two layers of GraphSAGE; the score of a pair is a dot product."""

    def __init__(self, graph: gs.Graph, hidden: int) -> None:
        super().__init__()
        if "feat" in graph.ndata:
            self.rows = nn.Embedding.from_pretrained(graph.ndata["feat"])
        else:
            self.rows = nn.Embedding(graph.num_nodes(), hidden)
        widths = (self.rows.embedding_dim, hidden)
        self.layers = nn.ModuleList(SAGEConv(width, hidden, "mean") for width in widths)

    def forward(self, blocks: list[gs.Graph], nodes: Tensor) -> Tensor:
        h = self.layers[0](blocks[0], self.rows(nodes)).relu()
        return self.layers[1](blocks[1], h)


def scores(pairs: gs.Graph, h: Tensor) -> Tensor:
    """Return the dot product of the ends of each edge."""
    with pairs.local_scope():
        pairs.ndata["h"] = h
        pairs.apply_edges(gs.function.u_dot_v("h", "h", "score"))
        return pairs.edata["score"].squeeze(1)


class OtherMovies:
    """For each rating a random movie for its user; movies are the nodes from `first` on."""

    def __init__(self, first: int) -> None:
        self.first = first

    def __call__(self, graph: gs.Graph, edges: Tensor) -> tuple[Tensor, Tensor]:
        user, _ = graph.find_edges(edges)
        return user, torch.randint(self.first, graph.num_nodes(), user.shape)


def load(name: str, raw_dir: str | None) -> tuple[gs.Graph, int]:
    """Return the graph, both ways, and in a bipartite graph the first id of the second kind."""
    if name in MOVIES:
        data = gs.data.MovieLensDataset(name, 0.1, raw_dir=raw_dir, verbose=False)[0]
        user, movie = data.edges(etype="user-movie")
        users = data.num_nodes("user")
        links = torch.stack([user, movie + users], 1)
        return both_ways(links, users + data.num_nodes("movie")), users
    if name in CITATION:
        return gs.data.CitationGraphDataset(name, raw_dir=raw_dir, verbose=False)[0], 0
    return gs.data.SEALDataset(name, raw_dir=raw_dir, verbose=False)[0], 0


def train(graph: gs.Graph, first: int, args: argparse.Namespace) -> float:
    """Return the AUC of the held-out links after the last epoch."""
    links, held, strangers = split(graph, first)
    known, n = both_ways(links, graph.num_nodes()), len(links)
    sampler = as_edge_prediction_sampler(
        SAMPLERS[args.sampler]([args.fanout] * 2),
        exclude="reverse_id",
        reverse_eids=torch.cat([torch.arange(n) + n, torch.arange(n)]),
        negative_sampler=OtherMovies(first) if first else NEGATIVES[args.negatives](1),
    )
    loader = DataLoader(known, torch.arange(n), sampler, batch_size=args.batch_size, shuffle=True)
    model = Model(graph, args.hidden)
    optimizer = torch.optim.Adam(model.parameters(), lr=args.lr, weight_decay=args.decay)
    for epoch in range(args.epochs):
        progress(epoch + 1, args.epochs, "epoch")
        for inputs, pairs, negatives, blocks in loader:
            h = model(blocks, inputs)
            found = torch.cat([scores(pairs, h), scores(negatives, h)])
            target = torch.zeros_like(found)
            target[: pairs.num_edges()] = 1
            loss = F.binary_cross_entropy_with_logits(found, target)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    with torch.no_grad():
        h = model([known, known], torch.arange(graph.num_nodes()))
    return auc(*((h[u] * h[v]).sum(1) for u, v in (held.T, strangers.T)))


def main(args: argparse.Namespace) -> None:
    """Train with each seed, and print the figure."""
    graph, first = load(args.dataset, args.raw_dir)
    found = []
    for seed in range(args.seeds):
        gs.seed(seed)
        found.append(train(graph, first, args))
        print(f"seed {seed}: test AUC {found[-1]:.2f} %", flush=True)
    report(f"GraphSAGE on {args.dataset}", "AUC", found, (SEAL | CITATION).get(args.dataset))


if __name__ == "__main__":
    parser = Parser(__doc__)
    parser.common([*SEAL, *CITATION, *MOVIES], "such as <dataset>.mat", epochs=40, seeds=5)
    parser.option("--sampler", SAMPLERS, "neighbor", "how neighbors are drawn")
    parser.option("--negatives", NEGATIVES, "pairs", "how negatives are drawn")
    parser.option("--batch-size", at_least(1), 256, "links in a batch")
    parser.option("--fanout", at_least(1), 10, "neighbors drawn for each node and layer")
    parser.option("--hidden", at_least(1), 64, "width of embeddings and layers")
    parser.option("--lr", above(0), 0.01, "learning rate")
    parser.option("--decay", at_least(0.0), 1e-3, "weight decay")
    parser.run(main)
