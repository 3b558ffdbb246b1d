"""Three models of whole graphs, which examples/graph_classification.py trains.

`model(graph, x)` are the scores of the graphs of a batch; `model.penalty` joins the loss.
"""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pad_sequence

import gossamer as gs


class GIN(nn.Module):
    """Sums over neighbors, a perceptron on each; scores of all layers are added."""

    penalty = 0.0

    def __init__(self, in_size: int, out_size: int, width: int, pool: nn.Module):
        super().__init__()
        sizes = [in_size, *[width] * 4]
        self.pool, self.convs = pool, nn.ModuleList()
        self.norms = nn.ModuleList(nn.BatchNorm1d(width) for _ in range(4))
        self.scores = nn.ModuleList(nn.Linear(size, out_size) for size in sizes)
        for size in sizes[:4]:
            hidden = [nn.Linear(size, width), nn.BatchNorm1d(width), nn.ReLU()]
            self.convs.append(gs.nn.GINConv(nn.Sequential(*hidden, nn.Linear(width, width))))

    def forward(self, graph: gs.Graph, h: Tensor) -> Tensor:
        layers = [h]
        for conv, norm in zip(self.convs, self.norms, strict=True):
            layers.append(norm(conv(graph, layers[-1])).relu())
        parts = zip(self.scores, layers, strict=True)
        return sum(F.dropout(f(self.pool(graph, h)), 0.5, self.training) for f, h in parts)


class DGCNN(nn.Module):
    """Convolutions, the first k nodes in the order of the last channel, then a 1-d network."""

    penalty = 0.0

    def __init__(self, in_size: int, out_size: int, k: int):
        super().__init__()
        sizes = [in_size, 32, 32, 32, 1]
        pairs = itertools.pairwise(sizes)
        self.convs = nn.ModuleList(gs.nn.GraphConv(a, b, norm="right") for a, b in pairs)
        self.k = k
        self.head = nn.Sequential(
            *(nn.Conv1d(1, 16, 97, 97), nn.ReLU(), nn.MaxPool1d(2), nn.Conv1d(16, 32, 5)),
            *(nn.ReLU(), nn.Flatten(), nn.Linear(32 * (k // 2 - 4), 128), nn.ReLU()),
            *(nn.Dropout(0.5), nn.Linear(128, out_size)),
        )

    def forward(self, graph: gs.Graph, h: Tensor) -> Tensor:
        looped, layers = gs.add_self_loop(graph), []
        for conv in self.convs:
            h = conv(looped, h).tanh()
            layers.append(h)
        with graph.local_scope():
            graph.ndata["h"] = torch.cat(layers, 1)
            first, _ = gs.topk_nodes(graph, "h", self.k, sortby=-1)
        return self.head(first.flatten(1).unsqueeze(1))


class DiffPool(nn.Module):
    """GraphSAGE, soft clusters, dense layers on the graph of clusters, maxima of both levels."""

    def __init__(self, in_size: int, out_size: int, width: int, clusters: int):
        super().__init__()
        sizes = [in_size, width, width]
        self.embed, self.assign = (
            nn.ModuleList(gs.nn.SAGEConv(a, b, "mean") for a, b in zip(sizes, out, strict=True))
            for out in ([width] * 3, [width, width, clusters])
        )
        self.norms = nn.ModuleList(nn.BatchNorm1d(width) for _ in range(5))
        self.dense = nn.ModuleList(nn.Linear(2 * width, width) for _ in range(2))
        self.last = nn.Sequential(
            nn.Linear(2 * width, width), nn.ReLU(), nn.Linear(width, out_size)
        )

    def forward(self, graph: gs.Graph, x: Tensor) -> Tensor:
        z = s = x
        for i in range(3):
            z = self.norms[i](self.embed[i](graph, z)).relu()
            s = self.assign[i](graph, s if i == 0 else F.layer_norm(s, s.shape[1:]).relu())
        s = s.softmax(1)
        sizes = graph.batch_num_nodes().tolist()
        inside, x, adjacent = (
            pad_sequence(rows.split(sizes), batch_first=True)
            for rows in (s, z, gs.ops.copy_u_sum(graph, s))
        )
        adjacency = inside.mT @ adjacent
        h, overlap = inside.mT @ x, inside.mT @ inside
        # The squared distance of the adjacency matrix and S S^T, without either matrix.
        traces = adjacency.diagonal(dim1=1, dim2=2).sum()
        distance = graph.num_edges() - 2 * traces + overlap.square().sum()
        entropy = -(s * (s + 1e-12).log()).sum(1).mean()
        self.penalty = distance.clamp(min=1e-6).sqrt() / sum(n * n for n in sizes) + entropy
        degree = adjacency.sum(2, keepdim=True).clamp(min=1e-6)
        for linear, norm in zip(self.dense, self.norms[3:], strict=True):
            h = linear(torch.cat([h, adjacency @ h / degree], 2)).mT
            h = norm(h).relu().mT
        return self.last(torch.cat([gs.nn.MaxPooling()(graph, z), h.max(1).values], 1))
