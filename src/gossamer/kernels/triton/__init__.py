"""The kernels for GPUs, written in Triton.

Same names and meaning as `gossamer.kernels.reference`, for float32, float64, float16 and bfloat16.
The kernels that are not here run on the reference. With ``TRITON_INTERPRET=1`` in the environment,
these functions also take tensors on the CPU.
"""

from __future__ import annotations

import warnings

try:
    import triton as _triton  # noqa: F401
except ImportError as error:
    _MESSAGE = (
        "Tensors on a GPU run on the slower reference kernels because triton cannot be imported "
        f"({error}). Install it with `pip install triton`."
    )
    warnings.warn(_MESSAGE, RuntimeWarning, stacklevel=2)
    raise ImportError(_MESSAGE) from error

from gossamer.kernels.triton.attention import attention, attention_backward
from gossamer.kernels.triton.sddmm import sddmm
from gossamer.kernels.triton.softmax import edge_softmax, edge_softmax_backward
from gossamer.kernels.triton.spmm import spmm

__all__ = [
    "attention",
    "attention_backward",
    "edge_softmax",
    "edge_softmax_backward",
    "sddmm",
    "spmm",
]
