"""Train Deep Graph Infomax on a citation network, Veličković et al., ICLR 2019.

Table 2: test accuracy 82.3 ± 0.6 % on Cora, 71.8 ± 0.7 % on Citeseer, 76.8 ± 0.6 % on Pubmed.

The paper's setting: an encoder of one graph convolution with 512 units and PReLU learns to tell the
nodes of the graph from those of the graph with shuffled features, by a bilinear score with the mean
of all nodes; Adam with learning rate 0.001, stop after 20 epochs without a lower loss. A logistic
regression on the fixed embeddings of the training nodes then gives the accuracy: Adam with learning
rate 0.01, 100 steps. The paper averages 50 regressions on one encoder; here each run has its own.

    python examples/dgi.py --dataset cora --seeds 10
"""

from __future__ import annotations

import argparse
import copy

import torch
from torch import Tensor, nn
from torch.nn import functional as F

import gossamer as gs
from _run import Parser, at_least, progress, report

PUBLISHED = {"cora": "82.3 ± 0.6", "citeseer": "71.8 ± 0.7", "pubmed": "76.8 ± 0.6"}
PATIENCE = 20


class Infomax(nn.Module):
    """An encoder, and the score of a node's embedding against the summary of the graph."""

    def __init__(self, in_feats: int, width: int):
        super().__init__()
        self.project = nn.Parameter(torch.empty(in_feats, width))
        nn.init.xavier_uniform_(self.project)
        self.conv = gs.nn.GraphConv(width, width, weight=False)
        self.activation = nn.PReLU()
        # Glorot's bound for a bilinear map to one number, which is far smaller than for a matrix.
        self.bilinear = nn.Parameter(torch.empty(1, width, width))
        nn.init.xavier_uniform_(self.bilinear)

    def encode(self, graph: gs.Graph, projected: Tensor) -> Tensor:
        """Return the embeddings of nodes whose projected features are given."""
        return self.activation(self.conv(graph, projected))

    def forward(self, graph: gs.Graph, words: Tensor) -> Tensor:
        """Return the loss of one corruption."""
        projected = words @ self.project
        real = self.encode(graph, projected)
        fake = self.encode(graph, projected[torch.randperm(len(projected))])
        summary = self.bilinear[0] @ real.mean(0).sigmoid()
        scores = torch.cat([real @ summary, fake @ summary])
        truth = torch.cat([torch.ones(len(real)), torch.zeros(len(fake))])
        return F.binary_cross_entropy_with_logits(scores, truth)


def embed(graph: gs.Graph, args: argparse.Namespace, seed: int) -> Tensor:
    """Train an encoder without labels and return the embeddings of all nodes."""
    words = graph.ndata["feat"].to_sparse()
    model = Infomax(words.shape[1], args.hidden)
    optimizer = torch.optim.Adam(model.parameters(), lr=args.lr)
    lowest, best, waited = float("inf"), model.state_dict(), 0
    for epoch in range(args.epochs):
        progress(epoch + 1, args.epochs, f"seed {seed}: epoch")
        loss = model(graph, words)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        waited += 1
        if loss.item() < lowest:
            lowest, best, waited = loss.item(), copy.deepcopy(model.state_dict()), 0
        if waited == PATIENCE:
            break
    model.load_state_dict(best)
    with torch.no_grad():
        return model.encode(graph, words @ model.project)


def classify(graph: gs.Graph, h: Tensor, num_classes: int, steps: int = 100) -> dict[str, float]:
    """Return the accuracy in percent of a logistic regression on the training nodes, by mask."""
    label = graph.ndata["label"]
    train = graph.ndata["train_mask"]
    regression = nn.Linear(h.shape[1], num_classes)
    nn.init.xavier_uniform_(regression.weight)
    optimizer = torch.optim.Adam(regression.parameters(), lr=0.01)
    for _ in range(steps):
        loss = F.cross_entropy(regression(h[train]), label[train])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    correct = (regression(h).argmax(1) == label).float()
    return {
        part: 100 * correct[graph.ndata[f"{part}_mask"]].mean().item() for part in ("val", "test")
    }


def main(args: argparse.Namespace) -> None:
    """Train once for each seed and print mean and standard deviation."""
    dataset = gs.data.CitationGraphDataset(args.dataset, raw_dir=args.raw_dir)
    # Some nodes of Citeseer have a self-loop; give every node exactly one.
    graph = gs.add_self_loop(gs.remove_self_loop(dataset[0]))
    scores = []
    for seed in range(args.seeds):
        gs.seed(seed)
        accuracy = classify(graph, embed(graph, args, seed), dataset.num_classes)
        scores.append(accuracy["test"])
        print(
            f"seed {seed}: validation {accuracy['val']:.1f} %, test {accuracy['test']:.1f} %",
            flush=True,
        )
    report(f"DGI on {args.dataset}", "test accuracy", scores, PUBLISHED[args.dataset])


if __name__ == "__main__":
    parser = Parser(__doc__)
    parser.common(PUBLISHED, "ind.<dataset>.*", epochs=2000)
    parser.option("--hidden", at_least(1), 512, "width of the embeddings")
    parser.option("--lr", at_least(0.0), 1e-3, "learning rate")
    parser.run(main)
