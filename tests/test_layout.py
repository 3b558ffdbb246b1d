"""Places of nodes in a drawing."""

from __future__ import annotations

import numpy as np
import pytest

from gossamer._layout import places


@pytest.mark.parametrize("center", [0.1, 0.5])
def test_places_are_by_distance_in_the_graph(center: float) -> None:
    # A path: its ends are farthest from each other, and neighbors are close.
    src, dst = np.arange(9), np.arange(1, 10)
    found = places(10, src, dst, center)
    distance = np.linalg.norm(found[:, None] - found[None], axis=2)
    assert np.isfinite(distance).all()
    assert distance[src, dst].max() < distance[0, 9] / 2


def test_places_without_edges() -> None:
    none = np.zeros(0, dtype=np.int64)
    assert places(0, none, none).shape == (0, 2)
    assert places(1, none, none).tolist() == [[0.5, 0.5]]
    assert np.isfinite(places(3, none, none)).all()
