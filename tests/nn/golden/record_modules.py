"""Record what DGL's modules give, for `test_golden_modules.py`.

Run where DGL 2.1.0 is installed, from the root of the repository::

    python tests/nn/golden/record_modules.py

It writes `modules.npz` beside this file: for each case of `modules.py` the shapes and values of the
weights that seed 0 gives, then outputs and gradients. Large arrays are kept as a few random
projections. Everything depends on the names of the cases, so a second run writes the same.
"""

from __future__ import annotations

from pathlib import Path

import dgl
import dgl.nn
from modules import CASES, evaluate, initial

from layers import save

TARGET = Path(__file__).with_name("modules.npz")


def main() -> None:
    """Record every case."""
    recorded = {}
    for name, case in CASES.items():
        module, found = initial(case, dgl)
        found |= evaluate(case, name, dgl, module)
        recorded |= {f"{name}:{key}": value.astype("float32") for key, value in found.items()}
    save(TARGET, recorded)
    print(f"DGL {dgl.__version__}: {len(CASES)} cases, {TARGET.stat().st_size / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
