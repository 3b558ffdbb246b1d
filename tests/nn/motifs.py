"""A graph with planted houses, a model that tells their nodes apart, and the area under the ROC."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

import gossamer as gs

# A house: a roof, two shoulders, two feet; it stands on the graph with its first foot.
HOUSE = [(0, 1), (0, 2), (1, 2), (1, 3), (2, 4), (3, 4)]
ROLES = [1, 2, 2, 3, 3]
FOOT = 3


def base_edges(nodes: int, each: int, generator: torch.Generator) -> list[tuple[int, int]]:
    """Barabasi and Albert: every new node joins `each` others, the popular ones more often."""
    ends = list(range(each))
    edges = []
    for node in range(each, nodes):
        chosen: set[int] = set()
        while len(chosen) < each:
            chosen.add(ends[int(torch.randint(len(ends), (), generator=generator))])
        edges += [(node, other) for other in chosen]
        ends += [*chosen, *[node] * each]
    return edges


def planted_houses(
    nodes: int = 60, houses: int = 15, seed: int = 0
) -> tuple[gs.Graph, Tensor, Tensor]:
    """A graph, the role of each node (0 outside of houses) and the house of each edge, or -1."""
    generator = torch.Generator().manual_seed(seed)
    edges = [(u, v, -1) for u, v in base_edges(nodes, 3, generator)]
    labels = [0] * nodes
    for house in range(houses):
        first = nodes + 5 * house
        edges += [(first + a, first + b, house) for a, b in HOUSE]
        door = int(torch.randint(nodes, (), generator=generator))
        edges.append((first + FOOT, door, -1))
        labels += ROLES
    u, v, house = torch.tensor(edges).T
    g = gs.graph((torch.cat([u, v]), torch.cat([v, u])))
    return g, torch.tensor(labels), torch.cat([house, house])


class RoleModel(nn.Module):
    """Three convolutions; takes edge weights under the name that each explainer uses."""

    def __init__(self, classes: int = 4, width: int = 20) -> None:
        super().__init__()
        sizes = (10, width, width)
        self.convs = nn.ModuleList(
            gs.nn.GraphConv(size, width, allow_zero_in_degree=True) for size in sizes
        )
        self.out = nn.Linear(3 * width, classes)

    def forward(
        self,
        graph: gs.Graph,
        feat: Tensor,
        embed: bool = False,
        edge_weight: Tensor | None = None,
        eweight: Tensor | None = None,
    ) -> Tensor:
        weight = eweight if edge_weight is None else edge_weight
        layers = []
        for conv in self.convs:
            feat = conv(graph, feat, edge_weight=weight).relu()
            layers.append(feat)
        joined = torch.cat(layers, -1)
        return joined if embed else self.out(joined)


def trained_model(g: gs.Graph, labels: Tensor, epochs: int = 150) -> tuple[RoleModel, Tensor]:
    """The model, and the features it was trained on: degrees, which say little of a role."""
    torch.manual_seed(0)
    feat, model = F.one_hot(g.in_degrees().clamp(max=9), 10).float(), RoleModel()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(epochs):
        optimizer.zero_grad()
        F.cross_entropy(model(g, feat), labels).backward()
        optimizer.step()
    return model.eval(), feat


def roc_auc(scores: Tensor, truth: Tensor) -> float:
    """Probability that a true one has the larger score; ties count half."""
    above = scores[truth][:, None] - scores[~truth]
    return float(((above > 0).double() + 0.5 * (above == 0).double()).mean())
