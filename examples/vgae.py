"""Train a graph autoencoder, plain or variational, on the links of a citation network.

Kipf and Welling, "Variational Graph Auto-Encoders", NIPS workshop on Bayesian deep learning 2016,
table 1. The paper's setting: 85 % of the edges to train, 5 % to validate, 10 % to test, with as
many pairs that are not joined; two graph convolutions of 32 and 16 units without bias, inner
products as scores of pairs, Adam with learning rate 0.01, 200 epochs on all pairs of nodes at once,
words of the papers as features, 0 or 1. The test uses the weights after the last epoch.

    python examples/vgae.py --model vgae --dataset cora
"""

from __future__ import annotations

import argparse

import torch
from torch import Tensor, nn
from torch.nn import functional as F

import gossamer as gs
from _run import Parser, above, at_least, progress, report

# AUC and average precision.
PUBLISHED = {
    "gae": {
        "cora": ("91.0 ± 0.02", "92.0 ± 0.03"),
        "citeseer": ("89.5 ± 0.04", "89.9 ± 0.05"),
        "pubmed": ("96.4 ± 0.00", "96.5 ± 0.00"),
    },
    "vgae": {
        "cora": ("91.4 ± 0.01", "92.6 ± 0.01"),
        "citeseer": ("90.8 ± 0.02", "92.0 ± 0.02"),
        "pubmed": ("94.4 ± 0.02", "94.7 ± 0.02"),
    },
}
SHARES = {"val": 0.05, "test": 0.1}


class Encoder(nn.Module):
    """Two graph convolutions: mean and, for the variational model, logarithm of the deviation."""

    def __init__(self, in_feats: int, hidden: int, width: int, variational: bool):
        super().__init__()
        self.variational = variational
        self.first = gs.nn.GraphConv(in_feats, hidden, bias=False, activation=F.relu)
        self.mean = gs.nn.GraphConv(hidden, width, bias=False)
        self.log_std = gs.nn.GraphConv(hidden, width, bias=False)

    def forward(self, graph: gs.Graph, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the embeddings, drawn at random while training, their mean, and the divergence."""
        h = self.first(graph, x)
        mean = self.mean(graph, h)
        if not self.variational:
            return mean, mean, mean.new_zeros(())
        log_std = self.log_std(graph, h)
        noise = torch.randn_like(mean) * log_std.exp()
        divergence = (mean**2 + (2 * log_std).exp() - 1 - 2 * log_std).sum(1).mean() / 2
        return mean + noise, mean, divergence


def split(graph: gs.Graph) -> dict[str, tuple[Tensor, Tensor]]:
    """Return (pairs, labels) by part; the pairs of 'train' are the remaining edges, (2, E)."""
    u, v = graph.edges()
    edges = torch.stack([u, v])[:, u < v]
    edges = edges[:, torch.randperm(edges.shape[1])]
    parts, start = {}, 0
    for name, share in SHARES.items():
        count = int(edges.shape[1] * share)
        joined = edges[:, start : start + count]
        apart = torch.stack(gs.sampling.global_uniform_negative_sampling(graph, count))
        labels = torch.cat([torch.ones(joined.shape[1]), torch.zeros(apart.shape[1])])
        parts[name] = (torch.cat([joined, apart], 1), labels)
        start += count
    parts["train"] = (edges[:, start:], torch.ones(edges.shape[1] - start))
    return parts


def train(graph: gs.Graph, seed: int, args: argparse.Namespace) -> dict[str, tuple[float, float]]:
    """Return (AUC, average precision) in percent of one run, for 'val' and 'test'."""
    from sklearn.metrics import average_precision_score, roc_auc_score

    gs.seed(seed)
    parts, n = split(graph), graph.num_nodes()
    u, v = parts["train"][0]
    known = gs.add_self_loop(gs.graph((torch.cat([u, v]), torch.cat([v, u])), num_nodes=n))
    apart = n * n - known.num_edges()
    weight = apart / known.num_edges()
    x = (graph.ndata["feat"] > 0).float()
    model = Encoder(x.shape[1], args.hidden, args.hidden // 2, args.model == "vgae")
    optimizer = torch.optim.Adam(model.parameters(), lr=args.lr)
    for epoch in range(args.epochs):
        progress(epoch + 1, args.epochs, f"seed {seed}: epoch")
        z, _, divergence = model(known, x)
        # The cross-entropy of all pairs as if none were joined, then what those that are change.
        joined = gs.ops.u_dot_v(known, z, z)
        error = (
            F.softplus(z @ z.T).sum() + (weight * F.softplus(-joined) - F.softplus(joined)).sum()
        )
        # Joined and other pairs weigh the same, and the divergence as much as a row of pairs.
        loss = error / (2 * apart) + divergence / n
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        mean = model(known, x)[1]
    found = {}
    for name in SHARES:
        (u, v), label = parts[name]
        score = (mean[u] * mean[v]).sum(1)
        metrics = (roc_auc_score, average_precision_score)
        found[name] = tuple(100 * metric(label, score) for metric in metrics)
    return found


def main(args: argparse.Namespace) -> None:
    """Train once for each seed and print means and standard deviations."""
    graph = gs.data.CitationGraphDataset(args.dataset, raw_dir=args.raw_dir)[0]
    graph = gs.remove_self_loop(graph)
    scores = []
    for seed in range(args.seeds):
        found = train(graph, seed, args)
        scores.append(found["test"])
        lines = (f"{part} AUC {auc:.2f}, AP {ap:.2f}" for part, (auc, ap) in found.items())
        print(f"seed {seed}: {'; '.join(lines)}", flush=True)
    published = PUBLISHED[args.model][args.dataset]
    for i, metric in enumerate(("AUC", "AP")):
        title = f"{args.model.upper()} on {args.dataset}"
        report(title, metric, [run[i] for run in scores], published[i])


if __name__ == "__main__":
    parser = Parser(__doc__)
    parser.option("--model", PUBLISHED, "vgae", "plain or variational")
    parser.common(PUBLISHED["gae"], "ind.<dataset>.*", epochs=200)
    parser.option("--hidden", at_least(2), 32, "units of the first layer; the second has half")
    parser.option("--lr", above(0), 0.01, "learning rate")
    parser.run(main)
