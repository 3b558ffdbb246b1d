"""Random parts of graphs, for training on more than fits at once."""

from gossamer.sampling.neighbors import sample_neighbors

__all__ = ["sample_neighbors"]
