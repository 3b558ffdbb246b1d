"""Choosing among points and coarsening graphs."""

from gossamer.transforms.geometry import farthest_point_sampler, neighbor_matching

__all__ = ["farthest_point_sampler", "neighbor_matching"]
