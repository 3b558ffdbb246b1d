"""The operators' inner loops: plain functions of tensors, without autograd.

A dispatch table picks the function by the device and dtype of the operands (`_dispatch.py`);
`gossamer.kernels.reference` documents each kernel and runs wherever no faster one is registered.

A compressed adjacency is a triple ``(indptr, indices, eids)``: row ``r`` owns the slots
``indptr[r]`` to ``indptr[r + 1] - 1``; slot ``k`` has the neighbor ``indices[k]`` and the edge id
``eids[k]``, or ``k`` when `eids` is None. All three share one dtype, int32 or int64. Features are
``(N, *f)``; two operands have the same number of dimensions and broadcast over ``*f`` as in NumPy.
All tensors are contiguous and on one device. Kernels trust their input: it is validated in
`gossamer.ops`.
"""

from __future__ import annotations

import warnings

from gossamer.kernels import reference
from gossamer.kernels._dispatch import (
    DeviceMemoryError,
    check_environment,
    dispatched,
    info,
    native,
    use,
)
from gossamer.kernels._memory import empty, keeps_memory, release_memory, scratch, set_idle_limit

__all__ = [
    "DeviceMemoryError", "attention", "attention_backward", "breadth_first", "candidates_of",
    "coo_to_csr", "csr_match", "csr_product", "csr_sum", "depth_first", "edge_softmax",
    "edge_softmax_backward", "empty", "gather_neighbors", "gather_rows", "info", "keeps_memory",
    "labor_chances", "masked_product", "node2vec", "number_nodes", "random_walk", "read_rows",
    "reference", "release_memory", "sample_labors", "sample_neighbors", "scaled_sum", "scratch",
    "sddmm", "segment_mm", "segment_outer", "spmm", "spmm_arg_backward", "topk", "topological",
    "transpose", "unique_relabel", "use",
]  # fmt: skip

attention = dispatched("attention")
attention_backward = dispatched("attention_backward")
breadth_first = dispatched("breadth_first")
candidates_of = dispatched("candidates_of")
sample_neighbors = dispatched("sample_neighbors")
sample_labors = dispatched("sample_labors")
labor_chances = dispatched("labor_chances")
number_nodes = dispatched("number_nodes")
random_walk = dispatched("random_walk")
node2vec = dispatched("node2vec")
read_rows = dispatched("read_rows")
coo_to_csr = dispatched("coo_to_csr")
csr_match = dispatched("csr_match")
csr_product = dispatched("csr_product")
csr_sum = dispatched("csr_sum")
depth_first = dispatched("depth_first")
edge_softmax = dispatched("edge_softmax")
edge_softmax_backward = dispatched("edge_softmax_backward")
gather_neighbors = dispatched("gather_neighbors")
gather_rows = dispatched("gather_rows")
masked_product = dispatched("masked_product")
scaled_sum = dispatched("scaled_sum")
sddmm = dispatched("sddmm")
segment_mm = dispatched("segment_mm")
segment_outer = dispatched("segment_outer")
spmm = dispatched("spmm")
spmm_arg_backward = dispatched("spmm_arg_backward")
topk = dispatched("topk")
topological = dispatched("topological")
transpose = dispatched("transpose")
unique_relabel = dispatched("unique_relabel")

if check_environment() != "reference" and native() is None:
    warnings.warn(
        "gossamer was installed without its native kernels and runs on the slower reference "
        "kernels. Install a C++ compiler (Debian: apt-get install g++ python3-dev, macOS: "
        "xcode-select --install) and reinstall gossamer; GOSSAMER_KERNELS=reference silences this.",
        RuntimeWarning,
        stacklevel=2,
    )
set_idle_limit()
