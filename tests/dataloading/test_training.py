"""Minibatch training reaches what training on the whole graph does."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import gossamer as gs
from gossamer.data import CoraGraphDataset, HeterophilousGraphDataset
from gossamer.dataloading import DataLoader, MultiLayerFullNeighborSampler, NeighborSampler
from gossamer.nn import SAGEConv
from helpers.paths import shared_data

RUNS, EPOCHS = 5, 30


class Sage(nn.Module):
    """Two layers of GraphSAGE over a block each, or twice the whole graph."""

    def __init__(self, inputs: int, classes: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList([SAGEConv(inputs, 32, "mean"), SAGEConv(32, classes, "mean")])
        self.dropout = nn.Dropout(0.5)

    def forward(self, blocks: list[gs.Graph], x: torch.Tensor) -> torch.Tensor:
        h = self.layers[0](blocks[0], self.dropout(x)).relu()
        return self.layers[1](blocks[1], self.dropout(h))


def accuracy(g: gs.Graph, batch_size: int | None, seed: int) -> float:
    """Test accuracy after training on batches, or on the whole graph."""
    gs.seed(seed)
    x, y = g.ndata["feat"], g.ndata["label"]
    model = Sage(x.shape[1], int(y.max()) + 1)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01, weight_decay=5e-4)
    train = g.ndata["train_mask"].nonzero().flatten()
    sampler = NeighborSampler([10, 10], prefetch_node_feats=["feat"], prefetch_labels=["label"])
    loader = DataLoader(g, train, sampler, batch_size=batch_size or 1, shuffle=True)

    def step(out: torch.Tensor, labels: torch.Tensor) -> None:
        optimizer.zero_grad()
        nn.functional.cross_entropy(out, labels).backward()
        optimizer.step()

    for _ in range(EPOCHS):
        model.train()
        if batch_size is None:
            for _ in range(2):  # as many steps as batches
                step(model([g, g], x)[train], y[train])
        else:
            for _, _, blocks in loader:
                step(model(blocks, blocks[0].srcdata["feat"]), blocks[-1].dstdata["label"])
    model.eval()
    test = g.ndata["test_mask"].nonzero().flatten()
    _, _, blocks = MultiLayerFullNeighborSampler(2).sample(g, test)
    with torch.no_grad():
        found = model(blocks, blocks[0].srcdata["feat"]).argmax(1)
    return 100 * float((found == y[test]).double().mean())


def cora(seed: int) -> gs.Graph:
    return CoraGraphDataset(raw_dir=str(shared_data("planetoid")), verbose=False)[0]


def actor(seed: int) -> gs.Graph:
    """Its split number `seed`."""
    g = HeterophilousGraphDataset("actor", str(shared_data("heterophilous-graphs")))[0]
    for part in ("train_mask", "val_mask", "test_mask"):
        g.ndata[part] = g.ndata[part][:, seed].bool()
    return g


@pytest.mark.slow
@pytest.mark.parametrize(("load", "batch_size", "least"), [(cora, 70, 77), (actor, 2280, 33)])
def test_graphsage_within_a_point_of_the_whole_graph(load, batch_size: int, least: float) -> None:
    whole, batches = (
        sum(accuracy(load(seed), size, seed) for seed in range(RUNS)) / RUNS
        for size in (None, batch_size)
    )
    assert whole > least
    assert batches > whole - 1
