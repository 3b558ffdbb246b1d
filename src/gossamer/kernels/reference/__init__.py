"""The reference kernels: short torch code for any device and any dtype.

Every fast kernel is tested against these. They build a tensor with one entry per slot, so their
memory is proportional to the number of edges times the width of the features.
"""

from __future__ import annotations

from gossamer.kernels.reference.attention import attention, attention_backward
from gossamer.kernels.reference.candidates import candidates_of
from gossamer.kernels.reference.csr import (
    coo_to_csr,
    gather_neighbors,
    gather_rows,
    transpose,
    unique_relabel,
)
from gossamer.kernels.reference.grouped_mm import segment_mm, segment_outer
from gossamer.kernels.reference.labor import labor_chances, sample_labors
from gossamer.kernels.reference.numbering import number_nodes
from gossamer.kernels.reference.reading import read_rows
from gossamer.kernels.reference.sampling import sample_neighbors
from gossamer.kernels.reference.sddmm import sddmm
from gossamer.kernels.reference.softmax import edge_softmax, edge_softmax_backward
from gossamer.kernels.reference.spgemm import csr_match, csr_product, csr_sum, masked_product
from gossamer.kernels.reference.spmm import scaled_sum, spmm, spmm_arg_backward
from gossamer.kernels.reference.topk import topk
from gossamer.kernels.reference.traversal import breadth_first, depth_first, topological
from gossamer.kernels.reference.walks import node2vec, random_walk

__all__ = [
    "attention", "attention_backward", "breadth_first", "candidates_of", "coo_to_csr", "csr_match",
    "csr_product", "csr_sum", "depth_first", "edge_softmax", "edge_softmax_backward",
    "gather_neighbors", "gather_rows", "labor_chances", "masked_product", "node2vec",
    "number_nodes", "random_walk", "read_rows", "sample_labors", "sample_neighbors", "scaled_sum",
    "sddmm", "segment_mm", "segment_outer", "spmm", "spmm_arg_backward", "topk", "topological",
    "transpose", "unique_relabel",
]  # fmt: skip
