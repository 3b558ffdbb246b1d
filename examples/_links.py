"""What the examples of links share: the split and the figure."""

from __future__ import annotations

import torch
from torch import Tensor

import gossamer as gs

# SEAL's graphs, with the AUC of the variational graph autoencoder in its table.
SEAL = {
    "USAir": "89.28 ± 1.99 (VGAE)",
    "NS": "94.04 ± 1.64 (VGAE)",
    "PB": "90.70 ± 0.53 (VGAE)",
    "Yeast": "93.88 ± 0.21 (VGAE)",
    "Celegans": "81.80 ± 2.18 (VGAE)",
    "Power": "71.20 ± 1.65 (VGAE)",
    "Router": "61.51 ± 1.22 (VGAE)",
    "Ecoli": "90.81 ± 0.63 (VGAE)",
}


def split(graph: gs.Graph, first: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """Return training links, a tenth to test, and as many pairs that are no links: (N, 2) each.

    A link is listed once, the smaller id first. In a bipartite graph `first` is the first id of
    the second kind of nodes, and pairs have an end of each kind.
    """
    n = graph.num_nodes()
    u, v = graph.edges()
    links = torch.stack([u, v], 1)[u < v]
    links = links[torch.randperm(len(links))]
    held = len(links) // 10
    a = torch.randint(first or n, (20 * held,))
    b = torch.randint(first, n, (20 * held,))
    strangers = ~graph.has_edges_between(a, b) & (a != b)
    return links[held:], links[:held], torch.stack([a, b], 1)[strangers][:held]


def both_ways(links: Tensor, nodes: int) -> gs.Graph:
    """Return the graph of links and their reverses: edge i + N is the reverse of edge i."""
    u, v = links.T
    return gs.graph((torch.cat([u, v]), torch.cat([v, u])), num_nodes=nodes)


def common_neighbors(graph: gs.Graph, positive: Tensor, negative: Tensor) -> float:
    """AUC of the number of common neighbors of (N, 2) pairs: how easy these pairs are."""
    matrix = graph.adj_external(scipy_fmt="csr")
    ends = (pairs.T.numpy() for pairs in (positive, negative))
    counts = (torch.from_numpy(matrix[u].multiply(matrix[v]).sum(1)).flatten() for u, v in ends)
    return auc(*counts)


def auc(positive: Tensor, negative: Tensor) -> float:
    """Chance in percent that a positive scores above a negative; ties count half."""
    ranked = negative.sort().values
    below = sum(torch.searchsorted(ranked, positive, right=right) for right in (False, True))
    return 50 * (below.double().mean() / len(ranked)).item()
