"""Encodings, neighbour graphs, geometry and modules answer as DGL 2.1.0 did."""

from __future__ import annotations

import pytest

from golden.harness import assert_as_recorded, assert_differences_are_real, load

TABLES = {area: load(area) for area in ("encodings", "geometry", "modules")}
EXPRESSIONS = [(area, e) for area, table in TABLES.items() for e in table.distinct_expressions]


@pytest.mark.parametrize("area", TABLES)
def test_recorded_cases_are_the_listed_ones(area: str) -> None:
    listed = [str(case) for case in TABLES[area].cases]
    assert list(TABLES[area].answers) == listed, "run tests/golden/record.py again"


@pytest.mark.parametrize(("area", "expression"), EXPRESSIONS)
def test_same_as_recorded(area: str, expression: str) -> None:
    assert_as_recorded(TABLES[area], expression)


@pytest.mark.parametrize("area", TABLES)
def test_deliberate_differences_are_real(area: str) -> None:
    assert_differences_are_real(TABLES[area])
