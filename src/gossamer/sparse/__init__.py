"""Sparse matrices with gradients: graph networks in matrix form."""

from gossamer.sparse.broadcast import sp_add_v, sp_broadcast_v, sp_div_v, sp_mul_v, sp_sub_v
from gossamer.sparse.conversion import (
    from_torch_sparse,
    to_torch_sparse_coo,
    to_torch_sparse_csc,
    to_torch_sparse_csr,
)
from gossamer.sparse.creation import (
    diag,
    from_coo,
    from_csc,
    from_csr,
    from_graph,
    identity,
    spmatrix,
    val_like,
)
from gossamer.sparse.elementwise import add, div, mul, power, sub
from gossamer.sparse.matrix import SparseMatrix
from gossamer.sparse.products import bsddmm, bspmm, matmul, sddmm, spmm, spspmm
from gossamer.sparse.reduction import reduce, smax, smean, smin, softmax, sprod, sum

__all__ = [
    "SparseMatrix",
    "add",
    "bsddmm",
    "bspmm",
    "diag",
    "div",
    "from_coo",
    "from_csc",
    "from_csr",
    "from_graph",
    "from_torch_sparse",
    "identity",
    "matmul",
    "mul",
    "power",
    "reduce",
    "sddmm",
    "smax",
    "smean",
    "smin",
    "softmax",
    "sp_add_v",
    "sp_broadcast_v",
    "sp_div_v",
    "sp_mul_v",
    "sp_sub_v",
    "spmatrix",
    "spmm",
    "sprod",
    "spspmm",
    "sub",
    "sum",
    "to_torch_sparse_coo",
    "to_torch_sparse_csc",
    "to_torch_sparse_csr",
    "val_like",
]
