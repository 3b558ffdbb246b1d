"""GraphPFN's encoder of random weights: training steps, and the order of nodes does not matter.

A program for DGL, run unchanged on Gossamer. It needs ``pip install delu einops huggingface-hub
hyperopt kditransform optuna pandas scikit-learn torch_geometric`` and, without its dependencies,
``pip install --no-deps graphpfn==0.1.1``::

    python -m gossamer.compat.dgl tests/compat/packages/graphpfn_encoder.py

Two layers of the tabular model that it extends, each wrapped with attention over the graph's edges.
Prints one JSON object: the loss before each of five steps of Adam, and the greatest difference of
the result when the edges are listed in another order.
"""

from __future__ import annotations

import json
import warnings

import dgl
import torch
from graphpfn._vendor.limix.model.layer import EncoderBaseLayer
from graphpfn.model.layers import GraphHolder, GraphPFNLayerWrapper

NODES, KNOWN, FEATURES, WIDTH = 30, 20, 4, 192


class Encoder(torch.nn.Module):
    """Layers that share one graph."""

    def __init__(self) -> None:
        super().__init__()
        self.holder = GraphHolder()
        self.layers = torch.nn.ModuleList(
            GraphPFNLayerWrapper(
                EncoderBaseLayer(nhead=6, embed_dim=WIDTH, hid_dim=WIDTH, pre_norm=True),
                self.holder,
                zero_init=False,
            )
            for _ in range(2)
        )

    def forward(self, g: dgl.DGLGraph, x: torch.Tensor) -> torch.Tensor:
        self.holder.graph = g
        for i, layer in enumerate(self.layers):
            x, _, _ = layer(x, None, KNOWN, i)
        return x


def main() -> None:
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    torch.manual_seed(0)
    u, v = torch.randint(NODES, (2, 4 * NODES))
    g, shuffled = (
        dgl.to_bidirected(dgl.to_simple(dgl.graph((u[order], v[order]), num_nodes=NODES)))
        for order in (torch.arange(len(u)), torch.randperm(len(u)))
    )
    x = torch.randn(1, NODES, FEATURES, WIDTH)
    target = torch.randn(1, NODES, FEATURES, WIDTH)
    model = Encoder()
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    losses = []
    for _ in range(5):
        optimizer.zero_grad()
        loss = (model(g, x) - target).square().mean()
        loss.backward()
        optimizer.step()
        losses.append(round(loss.item(), 4))
    with torch.no_grad():
        difference = (model(g, x) - model(shuffled, x)).abs().max().item()
    print(json.dumps({"model": "GraphPFN", "loss": losses, "difference": round(difference, 4)}))


if __name__ == "__main__":
    main()
