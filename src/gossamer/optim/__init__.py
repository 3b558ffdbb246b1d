"""Sparse optimizers: update only the rows of :class:`gossamer.nn.NodeEmbedding` that were used."""

from gossamer.optim import pytorch
from gossamer.optim.sparse import SparseAdagrad, SparseAdam

__all__ = ["SparseAdagrad", "SparseAdam", "pytorch"]
