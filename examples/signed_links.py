"""Train a signed graph network to tell trust from distrust among traders of Bitcoin.

Derr, Ma and Tang, "Signed Graph Convolutional Networks", ICDM 2018, introduced such networks; its
figures are for undirected graphs. The protocol here: 80 % of the ratings at random to train on,
20 % to test on; the sign of a rating is predicted; the score is the area under the ROC curve.
Baseline: a logistic regression on eight numbers, the logarithms of positive and negative ratings
given and received by both traders, without the rating in question.

The model takes means over four kinds of neighbors (trust or distrust, given or received) with a
weight for each, over two layers, from the same numbers of a node and a trainable vector. In each
epoch a tenth of the ratings is predicted from the others.

    python examples/signed_links.py --dataset bitcoinotc
"""

from __future__ import annotations

import argparse
import statistics

import torch
from torch import Tensor, nn
from torch.nn import functional as F

import gossamer as gs
from _run import Parser, above, at_least, progress, report, share, spread

DATASETS = ("bitcoinotc", "bitcoinalpha")
KINDS = (("trusts", "out"), ("distrusts", "out"), ("trusts", "in"), ("distrusts", "in"))


class SignedNetwork(nn.Module):
    """Means over four kinds of neighbors, twice, and the sign of a pair of nodes."""

    def __init__(self, nodes: int, size: int, dropout: float):
        super().__init__()
        self.own = nn.Parameter(0.1 * torch.randn(nodes, size))
        self.first = nn.Linear(len(KINDS), size)
        self.layers = nn.ModuleList(nn.Linear((len(KINDS) + 1) * size, size) for _ in range(2))
        self.dropout = nn.Dropout(dropout)
        self.pair = nn.Sequential(nn.Linear(6 * size, size), nn.ReLU(), nn.Linear(size, 1))

    def forward(self, graph: gs.Graph, ends: tuple[Tensor, Tensor]) -> Tensor:
        h = steps = self.dropout(self.own) + self.first(degrees(graph))
        for layer in self.layers:
            means = [gs.ops.copy_u_mean(graph[kind], h) for kind in graph.etypes]
            h = F.relu(layer(self.dropout(torch.cat([h, *means], 1))))
            steps = torch.cat([steps, h], 1)
        # index_select, since the gradient of steps[end] depends on the number of threads.
        return self.pair(torch.cat([steps.index_select(0, end) for end in ends], 1)).squeeze(1)


def signed_graph(ends: Tensor, positive: Tensor, nodes: int) -> gs.Graph:
    """A graph with an edge type for each sign and direction."""
    edges = {}
    for sign, way in KINDS:
        u, v = ends[:, positive if sign == "trusts" else ~positive]
        edges["trader", f"{sign} {way}", "trader"] = (u, v) if way == "out" else (v, u)
    return gs.heterograph(edges, {"trader": nodes})


def degrees(graph: gs.Graph) -> Tensor:
    """Logarithms of the numbers of edges of each type that end at each node."""
    return torch.stack([graph.in_degrees(etype=kind) for kind in graph.etypes], 1).float().log1p()


def baseline(parts: list[Tensor], ends: Tensor, positive: Tensor, nodes: int) -> float:
    """Return the test score of logistic regression on degrees."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score

    graph = signed_graph(ends[:, parts[0]], positive[parts[0]], nodes)
    counts = degrees(graph).expm1()
    # In-degrees of the four kinds: received trust and distrust, then given.
    inputs = torch.cat([counts[ends[0]], counts[ends[1]]], 1)
    sign = (~positive[parts[0]]).long()
    inputs[parts[0], 2 + sign] -= 1
    inputs[parts[0], 4 + sign] -= 1
    inputs = inputs.clamp(min=0).log1p()
    model = LogisticRegression(max_iter=1000).fit(inputs[parts[0]], positive[parts[0]])
    return 100 * roc_auc_score(positive[parts[1]], model.predict_proba(inputs[parts[1]])[:, 1])


def train(graph: gs.Graph, seed: int, args: argparse.Namespace) -> tuple[float, float]:
    """Return the test scores of the model and of the baseline."""
    from sklearn.metrics import roc_auc_score

    gs.seed(seed)
    ends, positive = torch.stack(graph.edges()), graph.edata["h"].squeeze(1) > 0
    nodes, edges = graph.num_nodes(), graph.num_edges()
    parts = torch.randperm(edges).split([round(0.8 * edges), edges - round(0.8 * edges)])
    model = SignedNetwork(nodes, args.size, args.dropout)
    optimizer = torch.optim.Adam(model.parameters(), args.lr, weight_decay=args.weight_decay)
    for epoch in range(1, args.epochs + 1):
        model.train()
        shuffled = parts[0][torch.randperm(len(parts[0]))]
        asked, known = shuffled.split([len(shuffled) // 10, len(shuffled) - len(shuffled) // 10])
        messages = signed_graph(ends[:, known], positive[known], nodes)
        logits = model(messages, ends[:, asked].unbind())
        loss = F.binary_cross_entropy_with_logits(logits, positive[asked].float())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        progress(epoch, args.epochs, f"seed {seed}: loss {loss.item():.4f}, epoch")
    model.eval()
    with torch.no_grad():
        messages = signed_graph(ends[:, parts[0]], positive[parts[0]], nodes)
        logits = model(messages, ends[:, parts[1]].unbind())
    return 100 * roc_auc_score(positive[parts[1]], logits), baseline(parts, ends, positive, nodes)


def main(args: argparse.Namespace) -> None:
    """Train once for each seed and print mean and standard deviation."""
    # The last graph has all ratings but those of the last days.
    graph = gs.data.registry.load(args.dataset, args.raw_dir)[-1]
    scores = []
    for seed in range(args.seeds):
        scores.append(train(graph, seed, args))
        print(f"seed {seed}: AUC {scores[-1][0]:.2f}, baseline {scores[-1][1]:.2f}", flush=True)
    ours, theirs = zip(*scores, strict=True)
    gain = statistics.fmean(ours) - statistics.fmean(theirs)
    print(f"Logistic regression on degrees: {spread(theirs)}; the model is better by {gain:.2f}")
    report(f"Signed network on {args.dataset}", "AUC", ours, None)


if __name__ == "__main__":
    parser = Parser(__doc__)
    parser.common(DATASETS, "soc-sign-<dataset>.csv", epochs=200, seeds=5)
    parser.option("--size", at_least(1), 32, "width of the vectors")
    parser.option("--dropout", share, 0.3, "dropout rate")
    parser.option("--lr", above(0), 0.005, "learning rate")
    parser.option("--weight-decay", at_least(0.0), 1e-4, "weight decay")
    parser.run(main)
