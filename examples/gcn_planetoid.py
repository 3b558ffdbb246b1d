"""Train GCN on Cora or Citeseer as in Kipf & Welling, ICLR 2017.

"Semi-Supervised Classification with Graph Convolutional Networks", table 2: 81.5 % on Cora, 70.3 %
on Citeseer.

The paper's setting: two layers without bias, 16 hidden units, dropout 0.5 on both inputs, Glorot
weights, Adam with learning rate 0.01, weight decay 5e-4 on the first layer only, rows of the
features sum to one, at most 200 epochs, stop when the validation loss exceeds the mean of its last
ten values.

    python examples/gcn_planetoid.py --dataset cora --seeds 10
"""

from __future__ import annotations

import argparse
import statistics

import torch
from torch import Tensor, nn
from torch.nn import functional as F

import gossamer as gs

PUBLISHED = {"cora": 81.5, "citeseer": 70.3}
DATASETS = {"cora": gs.data.CoraGraphDataset, "citeseer": gs.data.CiteseerGraphDataset}


class GCN(nn.Module):
    """Two graph convolutions with a rectifier between them."""

    def __init__(self, in_feats: int, num_classes: int, hidden: int = 16, dropout: float = 0.5):
        super().__init__()
        self.dropout = dropout
        self.first = gs.nn.GraphConv(in_feats, hidden, bias=False)
        self.second = gs.nn.GraphConv(hidden, num_classes, bias=False)

    def forward(self, graph: gs.Graph, x: Tensor) -> Tensor:
        x = F.dropout(x, self.dropout, self.training)
        h = F.relu(self.first(graph, x))
        h = F.dropout(h, self.dropout, self.training)
        return self.second(graph, h)


def train(graph: gs.Graph, num_classes: int, seed: int, epochs: int = 200, window: int = 10):
    """Return (validation accuracy, test accuracy) in percent of one run."""
    gs.seed(seed)
    x, label = graph.ndata["feat"], graph.ndata["label"]
    masks = {part: graph.ndata[f"{part}_mask"] for part in ("train", "val", "test")}
    model = GCN(x.shape[1], num_classes)
    optimizer = torch.optim.Adam(
        [
            {"params": model.first.parameters(), "weight_decay": 5e-4},
            {"params": model.second.parameters(), "weight_decay": 0.0},
        ],
        lr=0.01,
    )
    losses: list[float] = []
    for _ in range(epochs):
        model.train()
        loss = F.cross_entropy(model(graph, x)[masks["train"]], label[masks["train"]])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

        logits = evaluate(model, graph, x)
        losses.append(F.cross_entropy(logits[masks["val"]], label[masks["val"]]).item())
        if len(losses) > window and losses[-1] > statistics.fmean(losses[-window - 1 : -1]):
            break
    correct = evaluate(model, graph, x).argmax(1) == label
    return tuple(100 * correct[masks[part]].float().mean().item() for part in ("val", "test"))


@torch.no_grad()
def evaluate(model: nn.Module, graph: gs.Graph, x: Tensor) -> Tensor:
    """Return the scores of all nodes."""
    model.eval()
    return model(graph, x)


def main() -> None:
    """Train once for each seed and print mean and standard deviation."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--dataset", choices=DATASETS, default="cora", help="graph to train on (default: cora)"
    )
    parser.add_argument(
        "--raw-dir", help="folder with the files ind.<dataset>.* (default: download them)"
    )
    parser.add_argument("--seeds", type=int, default=10, help="number of runs (default: 10)")
    args = parser.parse_args()
    if args.seeds < 1:
        parser.error(f"--seeds must be at least 1, got {args.seeds}")
    try:
        dataset = DATASETS[args.dataset](raw_dir=args.raw_dir)
    except gs.GossamerError as error:
        parser.exit(2, f"{parser.prog}: error: {error}\n")

    # Some nodes of Citeseer have a self-loop; give every node exactly one.
    graph = gs.add_self_loop(gs.remove_self_loop(dataset[0]))
    scores = []
    for seed in range(args.seeds):
        val, test = train(graph, dataset.num_classes, seed)
        scores.append(test)
        print(f"seed {seed}: validation {val:.1f} %, test {test:.1f} %")
    spread = statistics.stdev(scores) if len(scores) > 1 else 0.0
    print(
        f"GCN on {args.dataset}: {statistics.fmean(scores):.2f} ± {spread:.2f} % over {args.seeds} "
        f"seeds; published {PUBLISHED[args.dataset]} %"
    )


if __name__ == "__main__":
    main()
