"""Errors of the compatibility layer."""

from __future__ import annotations

from gossamer.errors import GossamerError

__all__ = ["NotYetError", "UnknownNameError"]


class NotYetError(GossamerError, RuntimeError):
    """A class or function of DGL was used that Gossamer does not have."""


class UnknownNameError(GossamerError, AttributeError):
    """A name was asked of a ``dgl`` module that Gossamer does not know."""
