"""Record what DGL's layers give, for `test_golden.py`.

Run where DGL 2.1.0 is installed, from the root of the repository::

    PYTHONPATH=tests python tests/nn/golden/record_nn.py [layers] [convolutions] [others]

For each file of cases, `NAME.py`, it writes `NAME.npz` beside it: for each case its arguments, a
few numbers of the parameters as drawn from seed 0, the `state_dict`, the outputs, random cotangents
and the gradients they give, in float64. The inputs depend on the names of the cases, so a second
run writes the same.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import dgl
import numpy as np
import torch

from nn.golden.layers import Case, evaluate, initial, make_inputs, make_layer, save


def record(name: str) -> None:
    """Record every case of a file."""
    cases: dict[str, Case] = importlib.import_module(f"nn.golden.{name}").CASES
    recorded: dict[str, np.ndarray] = {}
    for number, (title, case) in enumerate(cases.items()):
        layer = make_layer(dgl, case)
        found = initial(layer)
        layer = layer.double()
        # Biases start at 0, which would hide one that is forgotten.
        torch.manual_seed(number)
        with torch.no_grad():
            for parameter in layer.parameters():
                if parameter.requires_grad:
                    parameter.add_(0.1 * torch.randn_like(parameter))
        inputs = make_inputs(dgl, title, case)
        found |= {f"input.{key}": value for key, value in inputs.items()}
        found |= {f"state.{key}": value.numpy().copy() for key, value in layer.state_dict().items()}
        # Some layers make constants of the default dtype.
        torch.set_default_dtype(torch.float64)
        found |= evaluate(dgl, case, layer, inputs)
        torch.set_default_dtype(torch.float32)
        recorded |= {f"{title}:{key}": value for key, value in found.items()}
    target = Path(__file__).with_name(f"{name}.npz")
    save(target, recorded)
    print(f"DGL {dgl.__version__}: {len(cases)} cases, {target.stat().st_size / 1024:.0f} KiB")


if __name__ == "__main__":
    for name in sys.argv[1:] or ("layers", "convolutions", "others"):
        record(name)
