"""Train a recurrent graph network to forecast weekly cases of chickenpox.

Rozemberczki et al., "PyTorch Geometric Temporal", CIKM 2021, table 3: mean squared errors from
1.113 to 1.128 on chickenpox (Hungary), 1.117 ± 0.011 for T-GCN (Zhao et al., 2020).

The paper's setting: four weeks predict the next one, values are standardized, the last fifth of the
weeks is tested on, the weights are updated after each week, 32 units, Adam with learning rate 0.01.
The model is a gated recurrent unit whose gates are graph convolutions, over the four weeks. Always
predicting 0, the mean, is the baseline. Departures: fewer epochs (see --help).

    python examples/forecast.py --dataset chickenpox
"""

from __future__ import annotations

import argparse

import torch
from torch import Tensor, nn
from torch.nn import functional as F

import gossamer as gs
from _run import Parser, above, at_least, progress, report, share

PUBLISHED = {"chickenpox": "1.117 ± 0.011"}
DATASETS = ("chickenpox", "pedalme_london")
LAGS, TEST = 4, 0.2


class GraphGRU(nn.Module):
    """A gated recurrent unit with graph convolutions for linear maps; one number for each node."""

    def __init__(self, hidden: int, dropout: float):
        super().__init__()
        self.hidden, self.dropout = hidden, nn.Dropout(dropout)
        self.gates = gs.nn.GraphConv(1 + hidden, 2 * hidden, norm="none")
        self.fresh = gs.nn.GraphConv(1 + hidden, hidden, norm="none")
        self.last = nn.Linear(hidden, 1)

    def forward(self, graph: gs.Graph, weeks: Tensor) -> Tensor:
        """Forecast from values (nodes, weeks)."""
        weight = graph.edata["norm"]
        h = weeks.new_zeros(len(weeks), self.hidden)
        for week in weeks.split(1, 1):
            gates = self.gates(graph, torch.cat([week, h], 1), edge_weight=weight).sigmoid()
            update, reset = gates.chunk(2, 1)
            fresh = self.fresh(graph, torch.cat([week, reset * h], 1), edge_weight=weight).tanh()
            h = update * h + (1 - update) * fresh
        return self.last(self.dropout(F.relu(h))).squeeze(1)


def train(graph: gs.Graph, seed: int, args: argparse.Namespace) -> float:
    """Return the mean squared error of the last fifth of the weeks."""
    gs.seed(seed)
    values = graph.ndata["feat"]
    targets = range(LAGS, values.shape[1])
    cut = LAGS + round((1 - TEST) * len(targets))
    model = GraphGRU(args.hidden, args.dropout)
    optimizer = torch.optim.Adam(model.parameters(), args.lr)
    for epoch in range(1, args.epochs + 1):
        model.train()
        for week in range(LAGS, cut):
            loss = F.mse_loss(model(graph, values[:, week - LAGS : week]), values[:, week])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        progress(epoch, args.epochs, f"seed {seed}: epoch")
    model.eval()
    with torch.no_grad():
        forecasts = [
            model(graph, values[:, week - LAGS : week]) for week in range(cut, targets.stop)
        ]
    error = F.mse_loss(torch.stack(forecasts, 1), values[:, cut:]).item()
    zero = values[:, cut:].square().mean().item()
    print(f"seed {seed}: test error {error:.4f}; of the mean {zero:.4f}", flush=True)
    return error


def main(args: argparse.Namespace) -> None:
    """Train once for each seed and print mean and standard deviation."""
    graph = gs.data.SpatioTemporalDataset(args.dataset, raw_dir=args.raw_dir)[0]
    graph = gs.add_self_loop(gs.remove_self_loop(graph), edge_feat_names=["weight"], fill_data=1.0)
    graph.edata["norm"] = gs.nn.EdgeWeightNorm("both")(graph, graph.edata["weight"])
    scores = [train(graph, seed, args) for seed in range(args.seeds)]
    title = f"Graph GRU on {args.dataset}"
    report(title, "mean squared error", scores, PUBLISHED.get(args.dataset), digits=3)


if __name__ == "__main__":
    parser = Parser(__doc__)
    parser.common(DATASETS, "<dataset>.json", epochs=10, seeds=5)
    parser.option("--hidden", at_least(1), 32, "width of the state")
    parser.option("--dropout", share, 0.0, "dropout rate")
    parser.option("--lr", above(0), 0.01, "learning rate")
    parser.run(main)
