"""DGL's switch for a library of CPU kernels that Gossamer does without."""

from __future__ import annotations

from gossamer.errors import InvalidTypeError

__all__ = ["is_libxsmm_enabled", "use_libxsmm"]


def use_libxsmm(flag: bool) -> None:
    """Accepted so that existing programs run; it changes nothing.

    DGL may hand sparse operators on the CPU to LIBXSMM. Gossamer has kernels of its own instead
    (:func:`gossamer.kernels.info` tells which ones run, and :func:`gossamer.kernels.use` switches
    them), so there is nothing to turn on or off.

    Parameters
    ----------
    flag : bool
        Whether it is wanted.

    Raises
    ------
    InvalidTypeError
        If `flag` is no truth value.

    Examples
    --------
    >>> import gossamer as gs
    >>> gs.use_libxsmm(True)
    >>> gs.is_libxsmm_enabled()
    False
    """
    if not isinstance(flag, int):
        raise InvalidTypeError(f"use_libxsmm: the flag is a bool, got {flag!r}.")


def is_libxsmm_enabled() -> bool:
    """Whether LIBXSMM computes anything: it never does, see :func:`use_libxsmm`."""
    return False
