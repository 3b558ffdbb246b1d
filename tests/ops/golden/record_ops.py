"""Record what DGL's operators give, for `test_golden.py`.

Run where DGL 2.1.0 is installed, from the root of the repository::

    python tests/ops/golden/record_ops.py

It writes `operators.npz` beside this file: inputs, outputs, cotangents and gradients of each case
of `operators.py`, in float64. The inputs depend on the names of the cases alone, so a second run
writes the same.
"""

from __future__ import annotations

from pathlib import Path

import dgl
import numpy as np
from operators import CASES, evaluate

TARGET = Path(__file__).with_name("operators.npz")


def main() -> None:
    """Record every case."""
    recorded = {
        f"{name}:{key}": value for name in CASES for key, value in evaluate(dgl, name).items()
    }
    # One array and a table of contents: 1,500 files in an archive would be mostly headers.
    index = [f"{key} {','.join(map(str, value.shape))}" for key, value in recorded.items()]
    values = np.concatenate([value.ravel() for value in recorded.values()])
    np.savez_compressed(TARGET, index=np.array(index), values=values)
    print(f"DGL {dgl.__version__}: {len(CASES)} cases, {TARGET.stat().st_size / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
