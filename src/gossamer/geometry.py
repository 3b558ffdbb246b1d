"""Point sampling and graph coarsening."""

from gossamer.transforms.geometry import farthest_point_sampler, neighbor_matching

__all__ = ["farthest_point_sampler", "neighbor_matching"]
