"""Alias of the sparse optimizers for compatibility with DGL."""

from gossamer.optim.sparse import SparseAdagrad, SparseAdam

__all__ = ["SparseAdagrad", "SparseAdam"]
