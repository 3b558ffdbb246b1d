"""Train GAT in matrix form on a citation network, public split.

Veličković et al., "Graph Attention Networks", ICLR 2018. Per head, the weights of the in-edges are
the rows of a sparse matrix:

    softmax(leaky_relu(a_l^T z_j + a_r^T z_i) on A + I) Z,  Z = X W

    python examples/sparse_gat.py --dataset cora --seeds 10
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from _sparse import run, with_self_loops
from gossamer.sparse import SparseMatrix, bspmm, val_like

PUBLISHED = {"cora": "83.0 ± 0.7", "citeseer": "72.5 ± 0.7", "pubmed": "79.0 ± 0.3"}
DROPOUT = 0.6


class Attention(nn.Module):
    """A layer of several heads; the last dimension of its tensors is the head."""

    def __init__(self, in_size: int, out_size: int, heads: int):
        super().__init__()
        self.shape = out_size, heads
        self.linear = nn.Linear(in_size, out_size * heads, bias=False)
        self.left = nn.Parameter(torch.empty(self.shape))
        self.right = nn.Parameter(torch.empty(self.shape))
        self.bias = nn.Parameter(torch.zeros(self.shape))
        for weight in (self.linear.weight, self.left, self.right):
            nn.init.xavier_normal_(weight, gain=nn.init.calculate_gain("relu"))

    def forward(self, A: SparseMatrix, x: Tensor) -> Tensor:
        z = self.linear(F.dropout(x, DROPOUT, self.training)).unflatten(1, self.shape)
        left, right = (z * self.left).sum(1), (z * self.right).sum(1)
        scores = F.leaky_relu(left[A.col] + right[A.row], 0.2)
        weights = val_like(A, scores).softmax().val
        weights = val_like(A, F.dropout(weights, DROPOUT, self.training))
        return bspmm(weights, z) + self.bias


class GAT(nn.Module):
    """Eight heads of eight features, then one head of class scores (eight averaged on Pubmed)."""

    def __init__(self, A: SparseMatrix, x: Tensor, num_classes: int):
        super().__init__()
        self.A = with_self_loops(A)
        self.first = Attention(x.shape[1], 8, heads=8)
        self.second = Attention(64, num_classes, heads=8 if num_classes == 3 else 1)

    def forward(self, x: Tensor) -> Tensor:
        h = F.elu(self.first(self.A, x)).flatten(1)
        return self.second(self.A, h).mean(2)


if __name__ == "__main__":
    run(__doc__, "GAT", GAT, PUBLISHED, lr=0.005)
