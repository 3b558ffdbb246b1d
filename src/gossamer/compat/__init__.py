"""Other libraries' names for Gossamer, so that programs written for them run unchanged."""

from gossamer.compat import dgl

__all__ = ["dgl"]
