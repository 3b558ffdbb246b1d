"""DGL's other name for the sparse optimizers."""

from gossamer.optim.sparse import SparseAdagrad, SparseAdam

__all__ = ["SparseAdagrad", "SparseAdam"]
