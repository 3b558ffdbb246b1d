"""Whether the Triton kernels can run here: if not, importing this module warns and raises."""

from __future__ import annotations

import warnings

import torch


def _why_not() -> str:
    """Return why the kernels cannot run here, or an empty string."""
    try:
        import triton  # noqa: F401
    except ImportError as error:
        return f"triton cannot be imported ({error}). Install it with `pip install triton`."
    for i in range(torch.cuda.device_count()):
        if torch.cuda.get_device_capability(i) < (7, 0):
            name = torch.cuda.get_device_name(i)
            return f"{name} is too old for triton, which needs compute capability 7.0."
    return ""


if _why_not():
    _MESSAGE = f"Tensors on a GPU run on the slower reference kernels because {_why_not()}"
    warnings.warn(_MESSAGE, RuntimeWarning, stacklevel=2)
    raise ImportError(_MESSAGE)
