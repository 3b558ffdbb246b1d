"""Exceptions: a base class, and a subclass for each kind of error.

Each subclass also derives from the corresponding built-in exception::

    GossamerError
    ├── InvalidValueError   (ValueError)   an invalid value, shape or combination
    ├── InvalidTypeError    (TypeError)    a wrong Python type or dtype
    ├── UnknownKeyError     (KeyError)     a type, feature or option that does not exist
    ├── OutOfRangeError     (IndexError)   a node, edge or graph id that does not exist
    ├── FileError           (OSError)      a file that is missing, truncated, corrupt or not trusted
    └── MissingExtraError   (ImportError)  an optional package that is not installed

`gossamer.kernels.DeviceMemoryError` is defined elsewhere, because it derives from an exception of
torch, which this module does not import.
"""

from __future__ import annotations

__all__ = [
    "FileError", "GossamerError", "InvalidTypeError", "InvalidValueError", "MissingExtraError",
    "OutOfRangeError", "UnknownKeyError",
]  # fmt: skip


class GossamerError(Exception):
    """Base class of Gossamer's exceptions.

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
    """An invalid value, shape or combination of arguments."""


class InvalidTypeError(GossamerError, TypeError):
    """A wrong Python type, dtype or device."""


class UnknownKeyError(GossamerError, KeyError):
    """A node type, edge type, feature or option that does not exist."""

    # KeyError prints the repr of its argument, which would quote the message.
    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


class OutOfRangeError(GossamerError, IndexError):
    """A node, edge or graph id that does not exist."""


class FileError(GossamerError, OSError):
    """A file or folder that is missing, unwritable, truncated, corrupt or not trusted."""


class MissingExtraError(GossamerError, ImportError):
    """An optional package that is not installed; the message names the extra to install."""
