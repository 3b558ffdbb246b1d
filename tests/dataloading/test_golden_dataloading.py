"""Samplers and loaders answer as DGL 2.1.0 did where chance decides nothing."""

from __future__ import annotations

from golden.harness import recorded_tests

(
    test_recorded_cases_are_the_listed_ones,
    test_same_as_recorded,
    test_deliberate_differences_are_real,
) = recorded_tests("dataloading")
