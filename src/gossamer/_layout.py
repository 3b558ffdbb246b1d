"""Positions of the nodes of a small graph in a drawing."""

from __future__ import annotations

import numpy as np

__all__ = ["places"]

_STEPS = 120


def places(count: int, src: np.ndarray, dst: np.ndarray, center: float = 0.1) -> np.ndarray:
    """Compute positions in the unit square with the algorithm of Fruchterman and Reingold.

    Edges attract and nodes repel one another. An additional force toward the center, `center` times
    the distance, keeps unconnected parts close to one another. Initial positions are drawn with a
    fixed seed, so a graph always looks the same.
    """
    if count < 2:
        return np.full((count, 2), 0.5)
    place = np.random.default_rng(0).random((count, 2))
    linked = np.zeros((count, count))
    linked[src, dst] = linked[dst, src] = 1
    ideal = count**-0.5
    for reach in np.linspace(0.1, 0.002, _STEPS):
        apart = place[:, None] - place[None]
        distance = np.maximum(np.linalg.norm(apart, axis=-1), 1e-3)
        force = ideal**2 / distance**2 - linked * distance / ideal
        move = (apart * force[..., None]).sum(1) - center * (place - 0.5)
        length = np.linalg.norm(move, axis=1, keepdims=True)
        place = place + move / np.maximum(length, 1e-9) * np.minimum(length, reach)
    low, high = place.min(0), place.max(0)
    return (place - low) / np.maximum(high - low, 1e-9)
