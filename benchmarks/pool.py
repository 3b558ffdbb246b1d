"""Worker processes, each in the virtual environment of its library."""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
TIMEOUT = 900.0


class WorkerError(Exception):
    """A worker returned an error, died or did not answer."""


@dataclass(frozen=True)
class Contender:
    """A column of the table: name, the adapter's library, the Python that has it, settings."""

    name: str
    library: str
    python: str
    package_path: str | None = None
    threads: int = 2
    environment: Mapping[str, str] = field(default_factory=dict)


class Worker:
    """A running ``benchmarks.worker``, restarted if it has died."""

    def __init__(self, contender: Contender, memory_limit: int | None = None) -> None:
        self.contender, self.memory_limit = contender, memory_limit
        self.process: subprocess.Popen[bytes] | None = None
        self.log = tempfile.TemporaryFile()  # noqa: SIM115  the pool closes it

    def start(self) -> None:
        """Start the process."""
        contender = self.contender
        command = [contender.python, "-m", "benchmarks.worker", "--library", contender.library]
        command += ["--threads", str(contender.threads)]
        if contender.package_path:
            command += ["--package-path", contender.package_path]
        path = os.pathsep.join(p for p in (str(ROOT), os.environ.get("PYTHONPATH")) if p)
        env = os.environ | {"OMP_NUM_THREADS": str(contender.threads), "PYTHONPATH": path}
        try:
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=env | {"DGLBACKEND": "pytorch"} | dict(contender.environment),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self.log,
                preexec_fn=self._limit if self.memory_limit else None,
            )
        except OSError as error:
            raise WorkerError(f"it cannot be started ({error.strerror})") from None

    def _limit(self) -> None:
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (self.memory_limit, self.memory_limit))

    def ask(self, do: str, **request: Any) -> dict:
        """Send a request, wait for the answer."""
        if self.process is None or self.process.poll() is not None:
            self.start()
        try:
            self.process.stdin.write(json.dumps({"do": do, **request}).encode() + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise WorkerError(self._why_ended()) from None
        ready, _, _ = select.select([self.process.stdout], [], [], TIMEOUT)
        line = self.process.stdout.readline() if ready else b""
        if not line:
            self.stop()
            raise WorkerError(self._why_ended() if ready else f"no answer in {TIMEOUT:.0f} s")
        answer = json.loads(line)
        if "error" in answer:
            raise WorkerError(answer["error"])
        return answer

    def _why_ended(self) -> str:
        self.log.seek(0)
        lines = self.log.read().decode(errors="replace").strip().splitlines()
        return "the process ended" + (f": {lines[-1][:300]}" if lines else " without output")

    def stop(self) -> None:
        """End the process, if it runs."""
        if self.process is not None:
            with contextlib.suppress(BrokenPipeError):
                self.process.stdin.close()
            try:
                self.process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process.stdout.close()
            self.process = None


class Pool(dict[str, Worker]):
    """The workers of a run, by column name, stopped together."""

    @classmethod
    def of(cls, contenders: list[Contender], memory_limit: int | None = None) -> Pool:
        """A worker for each contender; none runs yet."""
        return cls({c.name: Worker(c, memory_limit) for c in contenders})

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self.values():
            worker.stop()
            worker.log.close()
