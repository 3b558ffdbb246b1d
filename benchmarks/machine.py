"""The machine of a measurement, and its load."""

from __future__ import annotations

import datetime
import os
import platform
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

STEAL = 0.02  # share of the processors' time above which a measurement counts as disturbed
WAITING = 0.10


def cpu_name() -> str:
    """The processor's name."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return " ".join(line.split(":", 1)[1].split())
    except OSError:
        pass
    return platform.processor() or platform.machine()


def available_memory() -> int | None:
    """Bytes available without swapping; None if unknown."""
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return None


@dataclass(frozen=True)
class Disturbance:
    """What other processes and virtual machines took while something ran.

    Attributes
    ----------
    steal : float
        Share of the processors' time that the hypervisor gave to others.
    waiting : float
        Time that runnable threads waited for a processor, over the time of all processors.
    """

    steal: float
    waiting: float

    def __bool__(self) -> bool:
        return self.steal > STEAL or self.waiting > WAITING

    def __str__(self) -> str:
        return f"{self.steal:.0%} stolen, threads waited {self.waiting:.0%} of the time"


class Watch:
    """The load of other processes since the watch was made; zeros if unknown."""

    def __init__(self, proc: Path = Path("/proc")) -> None:
        self._proc = proc
        self._start = self._read()

    def stop(self) -> Disturbance:
        """The load until now."""
        seconds, steal, waiting = (b - a for a, b in zip(self._start, self._read(), strict=True))
        total = max(seconds, 1e-9) * (os.cpu_count() or 1)
        return Disturbance(steal / total, waiting / total)

    def _read(self) -> tuple[float, float, float]:
        """Seconds: now, stolen, and waited in run queues, each over all processors."""
        steal = waiting = 0.0
        try:
            words = (self._proc / "stat").read_text().split("\n", 1)[0].split()
            steal = int(words[8]) / os.sysconf("SC_CLK_TCK")
            for line in (self._proc / "schedstat").read_text().splitlines():
                words = line.split()
                # cpu<N>: the eighth number is the time that threads waited, in nanoseconds.
                if words and words[0].startswith("cpu"):
                    waiting += int(words[8]) / 1e9
        except (OSError, IndexError, ValueError):
            pass
        return time.monotonic(), steal, waiting


def describe(threads: int) -> dict[str, Any]:
    """Processor, cores, system, load and date."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    return {
        "cpu": cpu_name(),
        "cores": os.cpu_count(),
        "threads": threads,
        "system": f"{platform.system()} {platform.machine()}",
        "load": load,
        "date": datetime.datetime.now().astimezone().strftime("%Y-%m-%d %H:%M"),
    }
