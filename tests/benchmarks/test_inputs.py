"""The generated inputs: seeded, skewed, and read back as they were written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from benchmarks.inputs import cora_edges, make_arrays, make_edges, read, skewed_edges, write
from benchmarks.registry import FULL, SMALL, WORKLOADS
from benchmarks.workload import RELATIONS


def test_edges_are_skewed_at_both_ends_and_sorted_by_destination() -> None:
    src, dst = skewed_edges(2_000, 40_000, seed=3)
    assert (np.diff(dst) >= 0).all()
    assert (np.diff(src)[np.diff(dst) == 0] >= 0).all()
    for ends in (src, dst):
        assert ends.min() >= 0
        assert ends.max() < 2_000
        degrees = np.bincount(ends, minlength=2_000)
        # The power law gives its first node 40,000 / sum(rank ** -0.7) edges, 20 is the mean.
        expected = 40_000 / np.sum(np.arange(1, 2_001) ** -0.7)
        assert degrees.max() == pytest.approx(expected, rel=0.2)
        assert np.median(degrees) < 20


def test_edges_follow_the_seed_and_the_order() -> None:
    first, again = skewed_edges(50, 400, seed=1), skewed_edges(50, 400, seed=1)
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, skewed_edges(50, 400, seed=2))
    shuffled = skewed_edges(50, 400, seed=1, order="random")
    assert (np.diff(shuffled[1]) < 0).any()
    assert sorted(zip(*first, strict=True)) == sorted(zip(*shuffled, strict=True))


def test_a_quarter_of_the_edges_enter_the_hub() -> None:
    row, sizes = WORKLOADS["copy_u/sum hub"], SMALL["hub"]
    src, dst = make_edges(row, sizes)
    assert (np.diff(dst) >= 0).all()
    second, hub = np.sort(np.bincount(dst))[-2:]
    assert second < sizes.edges / 10 < sizes.edges / 4 <= hub
    np.testing.assert_array_equal(np.sort(src), np.sort(make_edges(WORKLOADS["u_dot_v"], sizes)[0]))


def test_every_relation_has_rows() -> None:
    relation = make_arrays(WORKLOADS["gather_mm"], FULL["few rows"])["relation"]
    counts = np.bincount(relation)
    assert len(counts) == RELATIONS
    assert counts.min() > 0
    assert counts[-1] > 5 * counts[0]


def test_the_cora_like_graph_is_symmetric_simple_and_has_self_loops() -> None:
    sizes = FULL["cora"]
    src, dst = cora_edges(sizes)
    pairs = set(zip(src.tolist(), dst.tolist(), strict=True))
    assert len(src) == len(pairs) == sizes.edges == 13_264
    assert pairs == {(v, u) for u, v in pairs}
    assert {(v, v) for v in range(sizes.nodes)} <= pairs


@pytest.mark.parametrize("name", sorted(WORKLOADS))
def test_arrays_have_the_row_s_shapes_and_come_back_from_disk(name: str, tmp_path: Path) -> None:
    row = WORKLOADS[name]
    sizes = SMALL[row.graph]
    edges, arrays = make_edges(row, sizes), make_arrays(row, sizes)
    for array in row.arrays:
        assert arrays[array].shape == row.shape(array, sizes)
        assert arrays[array].dtype == np.float32
    write(tmp_path, edges, arrays)
    found = read(tmp_path)
    assert found.keys() == {"src", "dst", *arrays}
    np.testing.assert_array_equal(found["dst"], edges[1])
    for array, value in arrays.items():
        np.testing.assert_array_equal(found[array], value)


def test_unsorted_edges_are_the_same_edges() -> None:
    row, sizes = WORKLOADS["copy_u/sum"], SMALL["skew"]
    plain, mixed = make_edges(row, sizes), make_edges(row, sizes, unsorted=True)
    assert (np.diff(plain[1]) >= 0).all()
    assert (np.diff(mixed[1]) < 0).any()
    np.testing.assert_array_equal(np.bincount(plain[1]), np.bincount(mixed[1]))
