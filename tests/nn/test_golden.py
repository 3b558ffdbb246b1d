"""Layers give what DGL 2.1.0 gave with the same `state_dict`, as `golden/record_nn.py` recorded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import gossamer
import gossamer.nn
from nn.golden import layers

RECORDED = layers.load(Path(layers.__file__).with_name("layers.npz"))


def test_recorded_cases_are_the_listed_ones() -> None:
    assert set(RECORDED) == set(layers.CASES), "run tests/nn/golden/record_nn.py again"


@pytest.mark.parametrize("name", layers.CASES)
def test_layer_gives_what_was_recorded(name: str) -> None:
    case, recorded = layers.CASES[name], RECORDED[name]
    layer = layers.make_layer(gossamer, case)
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


def _part(recorded: dict[str, np.ndarray], prefix: str) -> dict[str, torch.Tensor]:
    return {
        key.removeprefix(prefix): torch.tensor(value)
        for key, value in recorded.items()
        if key.startswith(prefix)
    }
