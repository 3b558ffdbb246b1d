"""Handling of SIGTERM, which clusters send before they end a job, like Ctrl-C."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

__all__ = ["EXIT_INTERRUPTED", "EXIT_TERMINATED", "Terminated", "termination_raises"]

# 128 plus the number of the signal, as shells report it.
EXIT_INTERRUPTED = 130
EXIT_TERMINATED = 143


class Terminated(KeyboardInterrupt):
    """Raised when the process receives SIGTERM."""


@contextmanager
def termination_raises() -> Iterator[None]:
    """Make SIGTERM raise `Terminated` in the block, as Ctrl-C raises KeyboardInterrupt."""
    # Python runs signal handlers in the main thread, and only that thread can set them.
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)


def _terminate(*_: object) -> NoReturn:
    raise Terminated("SIGTERM")
