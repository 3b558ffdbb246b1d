"""What processes leave in shared memory."""

from __future__ import annotations

import os
import time
from pathlib import Path

__all__ = ["left_files", "nothing_left"]

FOLDER = Path("/dev/shm")


def left_files() -> set[str]:
    """Torch's files of processes that have ended, and of this one.

    Other processes that run now, such as other tests, may have files there.
    """
    names = {path.name for path in FOLDER.glob("torch_*")} if FOLDER.is_dir() else set()
    return {name for name in names if not _runs_elsewhere(name.split("_")[1])}


def _runs_elsewhere(process: str) -> bool:
    return process != str(os.getpid()) and Path("/proc", process).exists()


def nothing_left(before: set[str], seconds: float = 10) -> bool:
    """Whether there are no files but those of `before`, now or within some seconds."""
    end = time.monotonic() + seconds
    while not left_files() <= before:
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True
