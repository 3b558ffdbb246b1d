"""Sparse matrices answer as DGL 2.1.0 did; see `golden/record.py`."""

from __future__ import annotations

import pytest

from golden.harness import recorded_tests

# torch says so on the first use of these layouts.
pytestmark = pytest.mark.filterwarnings("ignore:Sparse CS[RC] tensor support is in beta")

(
    test_recorded_cases_are_the_listed_ones,
    test_same_as_recorded,
    test_deliberate_differences_are_real,
) = recorded_tests("sparse")
