"""Train SIGN in matrix form on a citation network, public split.

Frasca et al., "SIGN: Scalable Inception Graph Neural Networks", 2020: the products are made once,
before training, and a network reads them side by side:

    [X W₀, Â X W₁, Â² X W₂, ...]

The paper has no figure for these data sets.

    python examples/sparse_sign.py --dataset cora --seeds 10
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from _sparse import normalized, run, with_self_loops
from gossamer.sparse import SparseMatrix


class SIGN(nn.Module):
    """A linear map for each power of the normalized adjacency matrix."""

    def __init__(
        self, A: SparseMatrix, x: Tensor, num_classes: int, hops: int = 3, hidden: int = 64
    ):
        super().__init__()
        A = normalized(with_self_loops(A))
        self.products = [x]
        for _ in range(hops):
            self.products.append(A @ self.products[-1])
        self.maps = nn.ModuleList([nn.Linear(x.shape[1], hidden) for _ in range(hops + 1)])
        self.last = nn.Linear((hops + 1) * hidden, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        seen = (F.dropout(product, 0.5, self.training) for product in self.products)
        h = torch.cat([linear(each) for linear, each in zip(self.maps, seen, strict=True)], 1)
        return self.last(F.dropout(h.relu(), 0.5, self.training))


if __name__ == "__main__":
    run(__doc__, "SIGN", SIGN, {})
