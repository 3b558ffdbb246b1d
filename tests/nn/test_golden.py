"""Layers give what DGL 2.1.0 gave with the same `state_dict`, as `golden/record_nn.py` recorded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import gossamer
import gossamer.nn
from nn.golden import convolutions, layers, others

FILES = {"layers": layers, "convolutions": convolutions, "others": others}
RECORDED: dict[str, dict[str, np.ndarray]] = {}
for _name, _file in FILES.items():
    RECORDED |= layers.load(Path(_file.__file__).with_name(f"{_name}.npz")) if _file.CASES else {}
CASES = {name: case for file in FILES.values() for name, case in file.CASES.items()}


def test_recorded_cases_are_the_listed_ones() -> None:
    assert set(RECORDED) == set(CASES), "run tests/nn/golden/record_nn.py again"


@pytest.mark.parametrize("name", CASES)
def test_layer_gives_what_was_recorded(name: str) -> None:
    case, recorded = CASES[name], RECORDED[name]
    layer = layers.make_layer(gossamer, case).double()
    layer.load_state_dict(_part(recorded, "state."), strict=True)
    inputs = {key: value.numpy() for key, value in _part(recorded, "input.").items()}
    cotangents = [recorded[key] for key in sorted(recorded) if key.startswith("cotangent.")]

    found = layers.evaluate(gossamer, case, layer, inputs, cotangents)

    assert found.keys() >= {key for key in recorded if key.startswith("out.")}
    for key in found.keys() | recorded.keys():
        if key.startswith(("out.", "grad.")):
            # A parameter that takes no part has no gradient in one library and 0 in the other.
            other = found.get(key, recorded.get(key))
            got, wanted = found.get(key, 0 * other), recorded.get(key, 0 * other)
            np.testing.assert_allclose(got, wanted, rtol=1e-9, atol=1e-12, err_msg=key)


@pytest.mark.parametrize("name", CASES)
def test_one_seed_draws_what_was_recorded(name: str) -> None:
    found = layers.initial(layers.make_layer(gossamer, CASES[name]))
    recorded = {key: x for key, x in RECORDED[name].items() if key.startswith("initial.")}
    assert found.keys() == recorded.keys()
    for key, value in recorded.items():
        # Vectorized draws may differ in the last bits from processor to processor.
        np.testing.assert_allclose(found[key], value, rtol=1e-5, atol=1e-6, err_msg=key)


def _part(recorded: dict[str, np.ndarray], prefix: str) -> dict[str, torch.Tensor]:
    return {
        key.removeprefix(prefix): torch.tensor(value)
        for key, value in recorded.items()
        if key.startswith(prefix)
    }
