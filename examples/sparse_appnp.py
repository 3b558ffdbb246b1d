"""Train APPNP in matrix form on a citation network, public split.

Gasteiger et al., "Predict then Propagate", ICLR 2019: the scores H of a network for each node are
spread with the normalized adjacency matrix,

    Z ← (1 - α) Â Z + α H,  ten times, α = 0.1

The published figure is the one that Chen et al. (GCNII, ICML 2020) quote for this split.

    python examples/sparse_appnp.py --dataset cora --seeds 10
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from _sparse import normalized, run, with_self_loops
from gossamer.sparse import SparseMatrix, val_like

PUBLISHED = {"cora": "83.3", "citeseer": "71.8", "pubmed": "80.1"}


class APPNP(nn.Module):
    """A network of two layers, and personalized PageRank; entries of the matrix are dropped."""

    def __init__(
        self,
        A: SparseMatrix,
        x: Tensor,
        num_classes: int,
        hidden: int = 64,
        steps: int = 10,
        alpha: float = 0.1,
    ):
        super().__init__()
        self.A = normalized(with_self_loops(A))
        self.steps, self.alpha = steps, alpha
        drop = nn.Dropout(0.5)
        first, second = nn.Linear(x.shape[1], hidden), nn.Linear(hidden, num_classes)
        self.network = nn.Sequential(drop, first, nn.ReLU(), drop, second)

    def forward(self, x: Tensor) -> Tensor:
        z = h = self.network(x)
        for _ in range(self.steps):
            A = val_like(self.A, F.dropout(self.A.val, 0.5, self.training))
            z = (1 - self.alpha) * (A @ z) + self.alpha * h
        return z


if __name__ == "__main__":
    run(__doc__, "APPNP", APPNP, PUBLISHED)
