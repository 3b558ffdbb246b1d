"""Modules give what DGL 2.1.0's gave, as `golden/record_modules.py` recorded.

The names and shapes of a `state_dict`, the initial weights of one seed, then outputs and gradients
with those weights moved.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import gossamer
import gossamer.nn
from nn.golden import layers, modules

RECORDED = layers.load(Path(modules.__file__).with_name("modules.npz"))


def test_recorded_cases_are_the_listed_ones() -> None:
    assert set(RECORDED) == set(modules.CASES), "run tests/nn/golden/record_modules.py again"


@pytest.mark.parametrize("name", modules.CASES)
def test_module_gives_what_was_recorded(name: str) -> None:
    case, recorded = modules.CASES[name], RECORDED[name]
    module, found = modules.initial(case, gossamer)
    shapes = [key for key in recorded if key.startswith("shape.")]
    assert sorted(key for key in found if key.startswith("shape.")) == sorted(shapes)
    for key in found:
        # Single precision draws, in another release of torch.
        np.testing.assert_allclose(found[key], recorded[key], rtol=1e-5, atol=1e-6, err_msg=key)

    found = modules.evaluate(case, name, gossamer, module)
    wanted = {key for key in recorded if key.startswith(("out", "grad."))}
    assert found.keys() == wanted
    rtol, atol = (1e-3, 1e-4) if case.single else (2e-5, 2e-6)
    for key in found:
        np.testing.assert_allclose(found[key], recorded[key], rtol=rtol, atol=atol, err_msg=key)
