"""The native kernels for the CPU: wrappers of functions of the extension ``gossamer._core``.

They pass addresses and sizes to the core, which does not depend on torch. Same names and meaning as
`gossamer.kernels.reference`, for float32, float64, float16 and bfloat16 on the CPU.
"""

from __future__ import annotations

from gossamer.kernels.cpu._common import core
from gossamer.kernels.cpu.attention import attention, attention_backward
from gossamer.kernels.cpu.csr import (
    coo_to_csr,
    gather_neighbors,
    gather_rows,
    transpose,
    unique_relabel,
)
from gossamer.kernels.cpu.grouped_mm import segment_mm, segment_outer
from gossamer.kernels.cpu.reading import read_rows
from gossamer.kernels.cpu.sampling import (
    candidates_of,
    labor_chances,
    node2vec,
    number_nodes,
    random_walk,
    sample_labors,
    sample_neighbors,
)
from gossamer.kernels.cpu.sddmm import sddmm
from gossamer.kernels.cpu.softmax import edge_softmax, edge_softmax_backward
from gossamer.kernels.cpu.spgemm import csr_match, csr_product, csr_sum, masked_product
from gossamer.kernels.cpu.spmm import scaled_sum, spmm, spmm_arg_backward
from gossamer.kernels.cpu.topk import topk
from gossamer.kernels.cpu.traversal import breadth_first, depth_first, topological

__all__ = [
    "attention", "attention_backward", "breadth_first", "candidates_of", "coo_to_csr", "core",
    "csr_match", "csr_product", "csr_sum", "depth_first", "edge_softmax", "edge_softmax_backward",
    "gather_neighbors", "gather_rows", "labor_chances", "masked_product", "node2vec",
    "number_nodes", "random_walk", "read_rows", "sample_labors", "sample_neighbors", "scaled_sum",
    "sddmm", "segment_mm", "segment_outer", "spmm", "spmm_arg_backward", "topk", "topological",
    "transpose", "unique_relabel",
]  # fmt: skip
