"""The operators give what DGL 2.1.0 gave, as `golden/record_ops.py` recorded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import gossamer
from ops.golden import operators


def _recorded() -> dict[str, dict[str, np.ndarray]]:
    cases: dict[str, dict[str, np.ndarray]] = {}
    with np.load(Path(operators.__file__).with_name("operators.npz")) as file:
        values, start = file["values"], 0
        for line in file["index"].tolist():
            key, _, sizes = line.partition(" ")
            shape = tuple(int(size) for size in sizes.split(",") if size)
            case, _, name = key.partition(":")
            stop = start + int(np.prod(shape))
            cases.setdefault(case, {})[name] = values[start:stop].reshape(shape)
            start = stop
    return cases


RECORDED = _recorded()


def test_recorded_cases_are_the_listed_ones() -> None:
    assert set(RECORDED) == set(operators.CASES), "run tests/ops/golden/record_ops.py again"


@pytest.mark.parametrize("name", operators.CASES)
def test_operator_gives_what_was_recorded(name: str) -> None:
    found = operators.evaluate(gossamer, name, RECORDED[name])
    assert set(found) == set(RECORDED[name])
    for key, expected in RECORDED[name].items():
        np.testing.assert_allclose(found[key], expected, rtol=1e-12, atol=1e-12, err_msg=key)
