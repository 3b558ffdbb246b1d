"""Functions on graphs that layers are made of."""

from gossamer.ops import edge_softmax

__all__ = ["edge_softmax"]
