"""Training on minibatches of several node types: authors of DBLP."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import gossamer as gs
from gossamer.dataloading import DataLoader, NeighborSampler, layerwise_inference
from gossamer.nn import HeteroGraphConv, SAGEConv
from helpers.paths import shared_data


def dblp() -> tuple[gs.Graph, torch.Tensor]:
    """Papers with authors, venues and terms; and the labels of authors, -1 where there is none."""

    def read(name: str) -> np.ndarray:
        return np.loadtxt(shared_data("DBLP", name), np.int64, delimiter="\t", usecols=(0, 1))

    ties = {other: read(f"paper_{other}.txt") for other in ("author", "conf", "term")}
    papers = np.unique(np.concatenate([tie[:, 0] for tie in ties.values()]))
    ends, counts, numbers = {}, {"paper": len(papers)}, {}
    for other, tie in ties.items():
        numbers[other], column = np.unique(tie[:, 1], return_inverse=True)
        pair = torch.from_numpy(np.searchsorted(papers, tie[:, 0])), torch.from_numpy(column)
        ends["paper", f"paper-{other}", other] = pair
        ends[other, f"{other}-paper", "paper"] = pair[::-1]
        counts[other] = len(numbers[other])
    label = torch.full((counts["author"],), -1)
    for author, own in read("author_label.txt"):
        label[np.searchsorted(numbers["author"], author)] = int(own)
    return gs.heterograph(ends, counts), label


class Model(nn.Module):
    """Two layers over learned embeddings of all types."""

    def __init__(self, g: gs.Graph, hidden: int) -> None:
        super().__init__()
        self.tables = nn.ModuleDict({t: nn.Embedding(g.num_nodes(t), hidden) for t in g.ntypes})
        sizes = [(hidden, hidden), (hidden, 4)]
        self.layers = nn.ModuleList(
            HeteroGraphConv({r: SAGEConv(i, o, "mean") for r in g.etypes}) for i, o in sizes
        )

    def rows(self, nodes: dict) -> dict:
        return {t: self.tables[t](ids) for t, ids in nodes.items()}

    def first(self, block: gs.Graph, h: dict) -> dict:
        return {t: x.relu() for t, x in self.layers[0](block, h).items()}


@pytest.mark.slow
def test_authors_of_dblp() -> None:
    gs.seed(0)
    g, label = dblp()
    known = (label >= 0).nonzero().flatten()
    known = known[torch.randperm(len(known))]
    train, test = known[: len(known) // 5], known[len(known) // 5 :]
    model = Model(g, 32)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01, weight_decay=1e-3)
    loader = DataLoader(
        g, {"author": train}, NeighborSampler([10, 10]), batch_size=128, shuffle=True
    )
    for _ in range(15):
        for inputs, outputs, blocks in loader:
            out = model.layers[1](blocks[1], model.first(blocks[0], model.rows(inputs)))["author"]
            loss = nn.functional.cross_entropy(out, label[outputs["author"]])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    nodes = {t: torch.arange(g.num_nodes(t)) for t in g.ntypes}
    h = layerwise_inference(g, [model.first, model.layers[1]], model.rows(nodes), 2048)
    right = h["author"][test].argmax(1) == label[test]
    assert right.double().mean() > 0.85
