"""DGL's switch for LIBXSMM, a library of CPU kernels that Gossamer does not use."""

from __future__ import annotations

from gossamer.errors import InvalidTypeError

__all__ = ["is_libxsmm_enabled", "use_libxsmm"]


def use_libxsmm(flag: bool) -> None:
    """Accepted for compatibility; has no effect.

    DGL may use LIBXSMM for sparse operators on the CPU. Gossamer uses its own kernels: see
    :func:`gossamer.kernels.info` and :func:`gossamer.kernels.use`.

    Parameters
    ----------
    flag : bool
        Ignored.

    Raises
    ------
    InvalidTypeError
        If `flag` is not a bool.

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
    """Whether LIBXSMM is used: always False, see :func:`use_libxsmm`."""
    return False
