"""Exceptions: one root, and one kind for each way that input can be wrong.

Every kind also derives from the Python built-in that means the same, so code that does not know
Gossamer can still tell the cases apart::

    GossamerError
    ├── InvalidValueError   (ValueError)   a value, shape or combination that makes no sense
    ├── InvalidTypeError    (TypeError)    a wrong Python type or dtype
    ├── UnknownKeyError     (KeyError)     a type, feature or option that is not there
    ├── OutOfRangeError     (IndexError)   a node, edge or graph id that does not exist
    ├── FileError           (OSError)      a file that is missing, truncated, corrupt or not trusted
    └── MissingExtraError   (ImportError)  an optional package that is not installed
"""

from __future__ import annotations

__all__ = [
    "FileError",
    "GossamerError",
    "InvalidTypeError",
    "InvalidValueError",
    "MissingExtraError",
    "OutOfRangeError",
    "UnknownKeyError",
]


class GossamerError(Exception):
    """Root of every error that Gossamer raises on purpose.

    Examples
    --------
    >>> import gossamer
    >>> try:
    ...     gossamer.graph(([0, 1], [1]))
    ... except gossamer.GossamerError as error:
    ...     print(type(error).__name__)
    InvalidValueError
    """


class InvalidValueError(GossamerError, ValueError):
    """A value, shape or combination of arguments that makes no sense."""


class InvalidTypeError(GossamerError, TypeError):
    """A wrong Python type, dtype or device."""


class UnknownKeyError(GossamerError, KeyError):
    """A node type, edge type, feature or option that does not exist."""

    # KeyError prints the repr of its argument, which would put the message in quotes.
    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


class OutOfRangeError(GossamerError, IndexError):
    """A node, edge or graph id that does not exist."""


class FileError(GossamerError, OSError):
    """A file or folder that is missing, unwritable, truncated, corrupt or not trusted."""


class MissingExtraError(GossamerError, ImportError):
    """An optional package that is not installed; the message names the extra that brings it."""
