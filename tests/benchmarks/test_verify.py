"""The comparison that decides whether a row gets a number."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.inputs import make_arrays, make_edges
from benchmarks.registry import SMALL, WORKLOADS
from benchmarks.verify import compare, disagreement, undecided_nodes

TOLERANCE = 1e-3


def _values() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((200, 8)).astype(np.float32)


def test_rounding_passes_and_a_wrong_row_does_not() -> None:
    truth = _values()
    rounded = truth * np.float32(1 + 1e-6)
    assert disagreement(rounded, truth) < TOLERANCE
    swapped = truth.copy()
    swapped[[3, 4]] = swapped[[4, 3]]
    assert disagreement(swapped, truth) > 0.1


def test_small_elements_are_held_against_a_large_row() -> None:
    truth = _values()
    truth[7] *= 1000
    truth[7, 3] = 0
    found = truth.copy()
    found[7, 3] = 0.5  # what rounding does to a sum of a million terms
    assert disagreement(found, truth) < TOLERANCE
    found[8, 3] += 0.5
    assert disagreement(found, truth) > TOLERANCE


@pytest.mark.parametrize("bad", [np.nan, np.inf, 0.0])
def test_one_wrong_element_is_seen(bad: float) -> None:
    truth = _values() + 3
    found = truth.copy()
    found[17, 2] = bad
    assert disagreement(found, truth) > TOLERANCE


def test_shapes_and_integers_must_be_equal() -> None:
    assert disagreement(np.zeros(3), np.zeros((3, 1))) == np.inf
    assert disagreement(np.array([1, 2]), np.array([1, 2])) == 0
    assert disagreement(np.array([1, 2]), np.array([2, 1])) == np.inf
    assert disagreement(np.zeros((0, 4)), np.zeros((0, 4))) == 0


def test_only_undecided_rows_may_stray() -> None:
    truth = _values()
    found = truth.copy()
    found[[3, 150]] += 0.5
    assert disagreement(found, truth, np.array([3, 150])) < TOLERANCE
    assert disagreement(found, truth, np.array([3])) > TOLERANCE
    found[3, 0] = np.nan
    assert disagreement(found, truth, np.array([3, 150])) == np.inf
    results = {"a": {"out": truth}, "b": {"out": found}}
    assert compare(results, "a", undecided={"grad": np.array([3, 150])})[1]


def test_a_share_of_the_numbers_may_differ() -> None:
    right = np.random.default_rng(0).standard_normal((100, 10))
    wrong = right.copy()
    wrong[3, 2], wrong[50, 9] = 9, -9
    assert disagreement(wrong, right, may_differ=0.001) > 1
    assert disagreement(wrong, right, may_differ=0.002) < 1e-9
    wrong[0, 0] = np.nan
    assert disagreement(wrong, right, may_differ=0.5) == float("inf")


def test_ends_of_an_edge_at_the_kink_are_undecided() -> None:
    row, sizes = WORKLOADS["GATConv fwd+bwd"], SMALL["skew"]
    src, dst = make_edges(row, sizes)
    arrays = make_arrays(row, sizes)
    assert undecided_nodes(src, dst, arrays).tolist() == []
    # Node 5 mirrors node 9, and both look at themselves as at others: their scores cancel.
    arrays["x"][5] = -arrays["x"][9]
    arrays["att_dst"] = arrays["att_src"]
    src, dst = np.append(src[src != dst], 5), np.append(dst[src != dst], 9)
    found = undecided_nodes(src, dst, arrays)
    at_both = np.isin(src, (5, 9)) & np.isin(dst, (5, 9)) & (src != dst)
    assert found.tolist() == np.union1d(src[at_both], dst[at_both]).tolist() == [5, 9]


def test_every_library_and_result_is_compared() -> None:
    truth = _values()
    results = {
        "a": {"out": truth, "grad_x": truth},
        "b": {"out": truth, "grad_x": 2 * truth},
        "c": {"out": truth},
    }
    worst, faults = compare(results, "a")
    assert worst["b"] > TOLERANCE
    assert len(faults) == 2
    assert faults[0].startswith("grad_x of b is off a's")
    assert compare({"a": results["a"], "b": results["b"]}, "a", tolerance=2.0)[1] == []
    assert faults[1] == "grad_x comes from only one of c and a"
