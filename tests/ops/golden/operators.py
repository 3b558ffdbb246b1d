"""The calls whose results are recorded, in words that DGL and Gossamer share."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
import torch

# Duplicate edges, self-loops, no order; every node has an in-edge, since DGL's own operators give
# infinities to a node without any, and Gossamer's 0.
SRC = [4, 0, 3, 0, 1, 4, 2, 0, 4, 3, 1]
DST = [1, 2, 1, 2, 1, 4, 2, 3, 1, 0, 3]
NODES = 5
ROWS = {"u": NODES, "v": NODES, "e": len(SRC)}

SHAPES = {
    "plain": ((3,), (3,)),
    "vector": ((), ()),
    "weight": ((4,), (1,)),
    "heads": ((2, 3), (2, 1)),
    "channels": ((2, 3), (3,)),
    "ways": ((2, 1, 3), (1, 2, 1)),
}
BINARY = ("add", "sub", "mul", "div")
REDUCERS = ("sum", "mean", "max", "min")


def cases() -> dict[str, dict[str, Any]]:
    """Each case: the function's name, its arguments before and after the operands, the operands."""
    found: dict[str, dict[str, Any]] = {}

    def add(name: str, function: str, shapes: dict[str, tuple], **more: Any) -> None:
        found[f"{function}-{name}"] = {"function": function, "shapes": shapes, **more}

    for kind, (lhs, rhs) in SHAPES.items():
        for op in BINARY:
            for reducer in REDUCERS:
                add(kind, f"u_{op}_e_{reducer}", {"u": lhs, "e": rhs})
            add(kind, f"u_{op}_v", {"u": lhs, "v": rhs})
            add(kind, f"e_{op}_v", {"e": lhs, "v": rhs})
            add(kind, f"v_{op}_u", {"v": lhs, "u": rhs})
    for kind, (lhs, _) in SHAPES.items():
        for reducer in REDUCERS:
            add(kind, f"copy_u_{reducer}", {"u": lhs})
            add(kind, f"copy_e_{reducer}", {"e": lhs})
        add(kind, "u_dot_v", {"u": lhs, "v": lhs})
        add(kind, "e_dot_u", {"e": lhs, "u": lhs})
        for norm_by in ("dst", "src"):
            add(f"{kind}-{norm_by}", "edge_softmax", {"e": lhs}, keywords={"norm_by": norm_by})
    return found


CASES = cases()


def evaluate(
    library: Any, name: str, recorded: dict[str, np.ndarray] | None = None
) -> dict[str, np.ndarray]:
    """Inputs, output, cotangent and gradients of one case, in float64."""
    case = CASES[name]
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    inputs = {}
    for target, shape in case["shapes"].items():
        drawn = rng.uniform(0.5, 1.5, (ROWS[target], *shape)).round(3) * rng.choice([-1.0, 1.0])
        inputs[target] = drawn if recorded is None else recorded[f"input.{target}"]
    tensors = [torch.tensor(x, requires_grad=True) for x in inputs.values()]
    g = library.graph((torch.tensor(SRC), torch.tensor(DST)), num_nodes=NODES)
    out = getattr(library.ops, case["function"])(g, *tensors, **case.get("keywords", {}))
    flow = (
        rng.standard_normal(tuple(out.shape)).round(2)
        if recorded is None
        else recorded["cotangent"]
    )
    grads = torch.autograd.grad(out, tensors, torch.tensor(flow))
    return {
        **{f"input.{target}": x for target, x in inputs.items()},
        "out": out.detach().numpy(),
        "cotangent": flow,
        **{f"grad.{target}": x.numpy() for target, x in zip(inputs, grads)},  # noqa: B905
    }
