"""Triton decides when it is imported whether kernels run on its interpreter.

With ``TRITON_INTERPRET=1`` the contracts of the kernels are tested, on tensors on the CPU. Without
it, `test_interpreter.py` starts those tests in processes of their own.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import numpy as np
import pytest

CONTRACTS = ["test_attention.py", "test_sddmm.py", "test_softmax.py", "test_spmm.py"]
OTHERS = ["test_compile.py", "test_interpreter.py", "test_loading.py"]

collect_ignore = OTHERS if os.environ.get("TRITON_INTERPRET") == "1" else CONTRACTS


@pytest.fixture(autouse=True)
def _silent_numpy() -> Iterator[None]:
    """A GPU says nothing about 0 / 0, which occurs where a block exceeds its tensor."""
    with np.errstate(all="ignore"):
        yield
