"""Three models of molecules, which examples/molecules.py trains.

Each is built with the widths of nodes, edges, layers and output, and a dropout rate; `model(graph,
x, edge)` are the predictions for the molecules of a batch.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

import gossamer as gs


class GCN(nn.Module):
    """Two convolutions with residual maps; a weighted sum and the maximum of the atoms."""

    def __init__(self, node: int, edge: int, width: int, out: int, dropout: float):
        super().__init__()
        sizes = [(node, width), (width, width)]
        self.convs = nn.ModuleList(
            gs.nn.GraphConv(a, b, norm="none", allow_zero_in_degree=True) for a, b in sizes
        )
        self.residuals = nn.ModuleList(nn.Linear(a, b) for a, b in sizes)
        self.norms = nn.ModuleList(nn.BatchNorm1d(width) for _ in sizes)
        self.dropout = nn.Dropout(dropout)
        self.sum = gs.nn.WeightAndSum(width)
        self.max = gs.nn.MaxPooling()
        self.last = nn.Sequential(
            *(nn.Dropout(dropout), nn.Linear(2 * width, width), nn.ReLU()),
            *(nn.BatchNorm1d(width), nn.Linear(width, out)),
        )

    def forward(self, graph: gs.Graph, h: Tensor, edge: Tensor) -> Tensor:
        for conv, residual, norm in zip(self.convs, self.residuals, self.norms, strict=True):
            h = norm(self.dropout(conv(graph, h).relu() + residual(h).relu()))
        return self.last(torch.cat([self.sum(graph, h), self.max(graph, h)], 1))


class MPNN(nn.Module):
    """Messages by a matrix for each bond, a gated update, Set2Set as readout."""

    def __init__(self, node: int, edge: int, width: int, out: int, dropout: float, steps: int = 6):
        super().__init__()
        self.first = nn.Linear(node, width)
        bond = nn.Sequential(nn.Linear(edge, 32), nn.ReLU(), nn.Linear(32, width * width))
        self.conv = gs.nn.NNConv(width, width, bond, "sum")
        self.update = nn.GRUCell(width, width)
        self.read = gs.nn.Set2Set(width, n_iters=6, n_layers=3)
        self.last = nn.Sequential(
            nn.Linear(2 * width, width), nn.ReLU(), nn.Dropout(dropout), nn.Linear(width, out)
        )
        self.steps = steps

    def forward(self, graph: gs.Graph, x: Tensor, edge: Tensor) -> Tensor:
        h = self.first(x).relu()
        for _ in range(self.steps):
            h = self.update(self.conv(graph, h, edge).relu(), h)
        return self.last(self.read(graph, h))


class AttentiveFP(nn.Module):
    """Attention over bonds, then over neighbors, then over atoms; each step feeds a gated unit."""

    def __init__(
        self, node: int, edge: int, width: int, out: int, dropout: float, layers: int = 2,
        times: int = 2,
    ):  # fmt: skip
        super().__init__()
        self.atom = nn.Linear(node, width)
        self.neighbor = nn.Linear(node + edge, width)
        self.steps = nn.ModuleList(_Step(width, dropout) for _ in range(layers))
        self.reads = nn.ModuleList(_Step(width, dropout) for _ in range(times))
        self.dropout = nn.Dropout(dropout)
        self.last = nn.Linear(width, out)

    def forward(self, graph: gs.Graph, x: Tensor, edge: Tensor) -> Tensor:
        u, v = graph.edges(order="eid")
        h = F.leaky_relu(self.atom(x))
        value = F.leaky_relu(self.neighbor(torch.cat([x[u], edge], 1)))
        for step in self.steps:
            h = step(graph, h, value, v)
            value = h[u]
        # Each molecule is one more node, into which the atoms send.
        sizes = graph.batch_num_nodes()
        owner = torch.repeat_interleave(torch.arange(len(sizes)), sizes)
        atoms = torch.arange(graph.num_nodes())
        whole = gs.create_block((atoms, owner), len(atoms), len(sizes))
        molecule = gs.nn.SumPooling()(graph, h)
        for read in self.reads:
            molecule = read(whole, molecule, h, owner)
        return self.last(self.dropout(molecule))


class _Step(nn.Module):
    """Attention of nodes over what comes in along their edges, then a gated unit."""

    def __init__(self, width: int, dropout: float):
        super().__init__()
        self.score = nn.Linear(2 * width, 1)
        self.value = nn.Sequential(nn.Dropout(dropout), nn.Linear(width, width))
        self.update = nn.GRUCell(width, width)

    def forward(self, graph: gs.Graph, h: Tensor, value: Tensor, target: Tensor) -> Tensor:
        score = F.leaky_relu(self.score(torch.cat([h[target], value], 1)))
        share = gs.ops.edge_softmax(graph, score)
        context = gs.ops.copy_e_sum(graph, share * self.value(value))
        return self.update(F.elu(context), h).relu()
