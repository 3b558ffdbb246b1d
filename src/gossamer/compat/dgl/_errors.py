"""Errors of the compatibility layer."""

from __future__ import annotations

from gossamer.errors import GossamerError

__all__ = ["NotYetError", "UnknownNameError"]


class NotYetError(GossamerError, RuntimeError):
    """Raised on using a class or function of DGL that Gossamer does not have."""


class UnknownNameError(GossamerError, AttributeError):
    """Raised if a ``dgl`` module has no such name in Gossamer."""
