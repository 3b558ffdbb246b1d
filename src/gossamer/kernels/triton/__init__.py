"""The kernels for GPUs, written in Triton.

Same names and meaning as `gossamer.kernels.reference`, for float32, float64, float16 and bfloat16.
For all other kernels, the reference runs. With ``TRITON_INTERPRET=1`` in the environment, these
functions also accept tensors on the CPU.
"""

from __future__ import annotations

from gossamer.kernels.triton import _available  # noqa: F401 (raises ImportError if not)
from gossamer.kernels.triton.attention import attention, attention_backward
from gossamer.kernels.triton.csr import coo_to_csr, number_nodes, transpose, unique_relabel
from gossamer.kernels.triton.grouped_mm import segment_mm, segment_outer
from gossamer.kernels.triton.rows import (
    candidates_of,
    gather_neighbors,
    gather_rows,
    sample_labors,
)
from gossamer.kernels.triton.sampling import sample_neighbors
from gossamer.kernels.triton.sddmm import sddmm
from gossamer.kernels.triton.softmax import edge_softmax, edge_softmax_backward
from gossamer.kernels.triton.spmm import scaled_sum, spmm
from gossamer.kernels.triton.walks import node2vec, random_walk
from gossamer.kernels.triton.winners import spmm_arg_backward

__all__ = [
    "attention",
    "attention_backward",
    "candidates_of",
    "coo_to_csr",
    "edge_softmax",
    "edge_softmax_backward",
    "gather_neighbors",
    "gather_rows",
    "node2vec",
    "number_nodes",
    "random_walk",
    "sample_labors",
    "sample_neighbors",
    "scaled_sum",
    "sddmm",
    "segment_mm",
    "segment_outer",
    "spmm",
    "spmm_arg_backward",
    "transpose",
    "unique_relabel",
]
