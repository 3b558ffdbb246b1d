"""Record what DGL's layers give, for `test_golden.py`.

Run where DGL 2.1.0 is installed, from the root of the repository::

    python tests/nn/golden/record_nn.py

It writes `layers.npz` beside this file: for each case of `layers.py` its arguments, the
`state_dict`, the outputs, random cotangents and the gradients they give, in float64. The inputs
depend on the names of the cases and the weights on one seed, so a second run writes the same.
"""

from __future__ import annotations

from pathlib import Path

import dgl
import numpy as np
import torch
from layers import CASES, evaluate, make_inputs, make_layer, save

TARGET = Path(__file__).with_name("layers.npz")


def main() -> None:
    """Record every case."""
    torch.manual_seed(0)
    recorded: dict[str, np.ndarray] = {}
    for name, case in CASES.items():
        layer = make_layer(dgl, case)
        # Biases start at 0, which would hide one that is forgotten.
        with torch.no_grad():
            for parameter in layer.parameters():
                parameter.add_(0.1 * torch.randn_like(parameter))
        inputs = make_inputs(dgl, name, case)
        found = {f"input.{key}": value for key, value in inputs.items()}
        found |= {f"state.{key}": value.numpy() for key, value in layer.state_dict().items()}
        found |= evaluate(dgl, case, layer, inputs)
        recorded |= {f"{name}:{key}": value for key, value in found.items()}
    save(TARGET, recorded)
    print(f"DGL {dgl.__version__}: {len(CASES)} cases, {TARGET.stat().st_size / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
