"""Sampling answers as DGL 2.1.0 did where chance decides nothing; see `golden/record.py`."""

from __future__ import annotations

import pytest

from golden.harness import assert_as_recorded, assert_differences_are_real, load

TABLE = load("sampling")


def test_recorded_cases_are_the_listed_ones() -> None:
    listed = [str(case) for case in TABLE.cases]
    assert list(TABLE.answers) == listed, "run tests/golden/record.py again"


@pytest.mark.parametrize("expression", TABLE.distinct_expressions)
def test_same_as_recorded(expression: str) -> None:
    assert_as_recorded(TABLE, expression)


def test_deliberate_differences_are_real() -> None:
    assert_differences_are_real(TABLE)
