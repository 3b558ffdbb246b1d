"""The files that a run writes during training: the state for resuming, and the history."""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from torch import Tensor

from gossamer._optional import optional_import
from gossamer.cli.checkpoint import checksum, read_safetensors, write_safetensors
from gossamer.cli.files import write_atomic
from gossamer.cli.results import Epoch, SeedResult
from gossamer.cli.training import Trainer
from gossamer.errors import FileError

__all__ = ["HISTORY_NAME", "PROGRESS_NAME", "Progress", "history_csv", "read_history"]

PROGRESS_NAME = "progress.safetensors"
HISTORY_NAME = "history.csv"
_FORMAT = "gossamer-progress-1"
_SECONDS = 10.0  # between two saved states; a killed run loses at most this much


class Progress:
    """The finished seeds of a run and the state of the current one, in its folder.

    Parameters
    ----------
    folder : Path
        Folder of the run.
    fingerprint : str
        A checksum of the data; a run can be resumed only on the same data.
    """

    def __init__(self, folder: Path, fingerprint: str) -> None:
        self.path = folder / PROGRESS_NAME
        self.fingerprint = fingerprint
        self.finished: list[SeedResult] = []
        self._current: tuple[int, dict[str, Tensor], list[Epoch], float] | None = None
        self._saved = time.monotonic()

    def load(self) -> None:
        """Read the state of an earlier run, if there is one.

        Raises
        ------
        FileError
            If the file is damaged, or the data differ.
        """
        if not self.path.is_file():
            return
        tensors, metadata = read_safetensors(self.path)
        if metadata.get("sha256") != checksum(tensors, metadata, ("format", "content")):
            raise FileError(f"'{self.path}' is damaged. Train again in a new folder.")
        content = json.loads(metadata["content"])
        if content["fingerprint"] != self.fingerprint:
            raise FileError(
                f"The run in '{self.path.parent}' was trained on other data. "
                "Train again in a new folder."
            )
        for values in content["finished"]:
            history = [Epoch(*epoch) for epoch in values.pop("history")]
            self.finished.append(SeedResult(**values, history=history))
        if content["seed"] is not None:
            history = [Epoch(*epoch) for epoch in content["history"]]
            self._current = (content["seed"], tensors, history, content["seconds"])

    def start(self, trainer: Trainer) -> None:
        """Restore the state of `trainer` if its seed was interrupted."""
        if self._current is not None and self._current[0] == trainer.seed:
            trainer.restore(*self._current[1:])

    def save(self, trainer: Trainer) -> None:
        """Write the state, if the last saved state is old enough."""
        if time.monotonic() - self._saved >= _SECONDS:
            self._write(trainer)

    def finish(self, seed: SeedResult) -> None:
        """Record a finished seed."""
        self.finished.append(seed)
        self._write(None)

    def _write(self, trainer: Trainer | None) -> None:
        content = {
            "fingerprint": self.fingerprint,
            "finished": [asdict(seed) for seed in self.finished],
            "seed": trainer.seed if trainer else None,
            "history": trainer.history if trainer else [],
            "seconds": trainer.seconds if trainer else 0.0,
        }
        metadata = {"format": _FORMAT, "content": json.dumps(content)}
        tensors = trainer.tensors() if trainer else {}
        write_safetensors(self.path, tensors, metadata, ("format", "content"))
        self.write_history([] if trainer is None else [(trainer.seed, trainer.history)])
        self._saved = time.monotonic()

    def write_history(self, current: Iterable[tuple[int, list[Epoch]]] = ()) -> None:
        """Write history.csv with the finished seeds and the current one."""
        seeds = [(seed.seed, seed.history) for seed in self.finished]
        write_atomic(self.path.parent / HISTORY_NAME, history_csv([*seeds, *current]))

    def remove(self) -> None:
        """Delete the state, at the end of the run."""
        self.path.unlink(missing_ok=True)


def history_csv(seeds: Iterable[tuple[int, list[Epoch]]]) -> str:
    """Return the history as CSV, with a line for each epoch of each seed."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["seed", "epoch", *Epoch._fields])
    for seed, history in seeds:
        writer.writerows([seed, number, *epoch] for number, epoch in enumerate(history, 1))
    return text.getvalue()


def read_history(folder: Path) -> dict[int, list[Epoch]]:
    """Read the history of a run by seed; empty if there is none.

    Raises
    ------
    FileError
        If history.csv is damaged.
    """
    path = folder / HISTORY_NAME
    if not path.is_file():
        return {}
    found: dict[int, list[Epoch]] = {}
    try:
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                epoch = Epoch(*(float(row[name]) for name in Epoch._fields))
                found.setdefault(int(row["seed"]), []).append(epoch)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FileError(f"'{path}' is damaged: {error}.") from None
    return found


@contextmanager
def event_writer(folder: Path | None, seed: int, begun: int) -> Iterator[Any]:
    """Yield a function that writes an epoch as TensorBoard events; without a folder, a no-op.

    Parameters
    ----------
    folder : Path, optional
        Folder of the run.
    seed : int
        Seed, which names the series.
    begun : int
        Number of epochs already recorded.
    """
    if folder is None:
        yield lambda number, epoch: None
        return
    module = optional_import("torch.utils.tensorboard", "--tensorboard", "tensorboard")
    place = str(folder / "tensorboard" / f"seed-{seed}")

    def write(number: int, epoch: Epoch) -> None:
        for name, value in epoch._asdict().items():
            part, _, what = name.partition("_")
            writer.add_scalar(f"{what}/{part}", value, number)

    with module.SummaryWriter(place, purge_step=begun + 1 if begun else None) as writer:
        yield write
