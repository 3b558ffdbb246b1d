"""Train GCN in matrix form on a citation network, public split.

Kipf & Welling, "Semi-Supervised Classification with Graph Convolutional Networks", ICLR 2017:

    softmax(Â relu(Â X W₁) W₂),  Â = D^(-1/2) (A + I) D^(-1/2)

    python examples/sparse_gcn.py --dataset cora --seeds 10
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from _sparse import normalized, run, with_self_loops
from gossamer.sparse import SparseMatrix

PUBLISHED = {"cora": "81.5", "citeseer": "70.3", "pubmed": "79.0"}


class GCN(nn.Module):
    """Two products with the normalized adjacency matrix."""

    def __init__(self, A: SparseMatrix, x: Tensor, num_classes: int, hidden: int = 16):
        super().__init__()
        self.A = normalized(with_self_loops(A))
        self.first = nn.Linear(x.shape[1], hidden, bias=False)
        self.second = nn.Linear(hidden, num_classes, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        h = self.A @ self.first(F.dropout(x, 0.5, self.training))
        return self.A @ self.second(F.dropout(h.relu(), 0.5, self.training))


if __name__ == "__main__":
    run(__doc__, "GCN", GCN, PUBLISHED)
