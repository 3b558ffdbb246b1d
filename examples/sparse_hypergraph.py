"""Train a hypergraph network in matrix form on a citation network, public split.

Feng et al., "Hypergraph Neural Networks", AAAI 2019. Each node makes a hyperedge of itself and its
neighbors, a column of the incidence matrix H:

    softmax(L relu(L X W₁ + b₁) W₂ + b₂),  L = D_v^(-1/2) H D_e^(-1) H^T D_v^(-1/2)

    python examples/sparse_hypergraph.py --dataset cora --seeds 10
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from _sparse import run, with_self_loops
from gossamer.sparse import SparseMatrix, diag

PUBLISHED = {"cora": "81.6", "pubmed": "80.1"}


def laplacian(H: SparseMatrix) -> SparseMatrix:
    """Return the matrix L of an incidence matrix (nodes, hyperedges)."""
    of_nodes, of_edges = diag(H.sum(1)) ** -0.5, diag(H.sum(0)) ** -1
    return of_nodes @ H @ of_edges @ H.T @ of_nodes


class HGNN(nn.Module):
    """Two products with the matrix of the hypergraph."""

    def __init__(self, A: SparseMatrix, x: Tensor, num_classes: int, hidden: int = 16):
        super().__init__()
        self.L = laplacian(with_self_loops(A))
        self.first, self.second = nn.Linear(x.shape[1], hidden), nn.Linear(hidden, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        h = self.L @ self.first(F.dropout(x, 0.5, self.training))
        return self.L @ self.second(F.dropout(h.relu(), 0.5, self.training))


if __name__ == "__main__":
    run(__doc__, "Hypergraph network", HGNN, PUBLISHED, lr=0.01)
