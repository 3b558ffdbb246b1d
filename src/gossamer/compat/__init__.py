"""Compatibility layers that run programs written for other libraries."""

from gossamer.compat import dgl

__all__ = ["dgl"]
