"""Train a graph transformer in matrix form on a citation network, public split.

Dwivedi & Bresson, "A Generalization of Transformer Networks to Graphs", 2021. Per head, each node
attends to its neighbors and itself:

    softmax(Q K^T / sqrt(d) on A + I) V

The paper has no figure for these data sets.

    python examples/sparse_transformer.py --dataset cora --seeds 10
"""

from __future__ import annotations

from torch import Tensor, nn

from _sparse import run, with_self_loops
from gossamer.sparse import SparseMatrix, bsddmm, bspmm


class Attention(nn.Module):
    """Scaled dot products on a sparse pattern; the last dimension of its tensors is the head."""

    def __init__(self, size: int, heads: int):
        super().__init__()
        self.shape = size // heads, heads
        self.query, self.key, self.value, self.out = (nn.Linear(size, size) for _ in range(4))

    def forward(self, A: SparseMatrix, x: Tensor) -> Tensor:
        q, k, v = (
            linear(x).unflatten(1, self.shape) for linear in (self.query, self.key, self.value)
        )
        scores = bsddmm(A, q / self.shape[0] ** 0.5, k.transpose(0, 1))
        return self.out(bspmm(scores.softmax(), v).flatten(1))


class Block(nn.Module):
    """Attention and a network for each node, both with a residual."""

    def __init__(self, size: int, heads: int):
        super().__init__()
        self.attention, self.drop = Attention(size, heads), nn.Dropout(0.5)
        self.norms = nn.ModuleList([nn.LayerNorm(size) for _ in range(2)])
        self.network = nn.Sequential(
            nn.Linear(size, 2 * size), nn.ReLU(), nn.Linear(2 * size, size)
        )

    def forward(self, A: SparseMatrix, h: Tensor) -> Tensor:
        h = h + self.drop(self.attention(A, self.norms[0](h)))
        return h + self.drop(self.network(self.norms[1](h)))


class Transformer(nn.Module):
    """Two blocks between linear maps."""

    def __init__(
        self, A: SparseMatrix, x: Tensor, num_classes: int, size: int = 64, heads: int = 8
    ):
        super().__init__()
        self.A = with_self_loops(A)
        self.first = nn.Sequential(nn.Dropout(0.6), nn.Linear(x.shape[1], size))
        self.blocks = nn.ModuleList([Block(size, heads) for _ in range(2)])
        self.last = nn.Sequential(nn.LayerNorm(size), nn.Dropout(0.6), nn.Linear(size, num_classes))

    def forward(self, x: Tensor) -> Tensor:
        h = self.first(x)
        for block in self.blocks:
            h = block(self.A, h)
        return self.last(h)


if __name__ == "__main__":
    run(__doc__, "Graph transformer", Transformer, {}, lr=0.001, weight_decay=5e-3)
