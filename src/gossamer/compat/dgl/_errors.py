"""What goes wrong at the door."""

from __future__ import annotations

from gossamer.errors import GossamerError

__all__ = ["NotYetError", "UnknownNameError"]


class NotYetError(GossamerError, RuntimeError):
    """Something of DGL's was used that Gossamer does not have yet."""


class UnknownNameError(GossamerError, AttributeError):
    """A name was asked of a ``dgl`` module that Gossamer does not know."""
