"""Errors of the compatibility layer."""

from __future__ import annotations

from gossamer.errors import GossamerError

__all__ = ["NotYetError", "UnknownNameError"]


class NotYetError(GossamerError, RuntimeError):
    """A class or function of DGL was used that Gossamer does not have."""


class UnknownNameError(GossamerError, AttributeError):
    """A ``dgl`` module has no such name in Gossamer."""
