"""`gossamer train --resume`: after every kind of end, the same result to the last bit."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gossamer.cli import main, progress
from gossamer.cli.checkpoint import load_checkpoint
from gossamer.cli.progress import read_history
from gossamer.errors import FileError
from helpers.paths import REPOSITORY

TINY = ("--hidden", "4", "--picture", "pca", "--device", "cpu", "--quiet", "--threads", "1")
LONG = ("--seeds", "3", "--epochs", "40", "--norm", "batch", *TINY)

# A run that saves after every epoch, and takes a moment for each.
PROGRAM = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
from gossamer.cli import main, progress, training
progress._SECONDS = 0.0
run = training.Trainer._run_epoch
training.Trainer._run_epoch = lambda *args: (time.sleep(0.01), run(*args))[1]
sys.exit(main())
"""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The undisturbed run."""
    out = tmp_path_factory.mktemp("whole") / "run"
    assert main(["train", *LONG, "--out", str(out)]) == 0
    return out


def _start(out: Path, **limits: object) -> subprocess.Popen:
    path = os.pathsep.join([str(REPOSITORY / "src"), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "train", *LONG, "--out", str(out)],
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        **limits,
    )


def _wait_for(process: subprocess.Popen, out: Path, seed: int, epochs: int) -> None:
    """Wait until the history on disk has so many epochs of a seed."""
    deadline = time.monotonic() + 120
    while len(read_history(out).get(seed, ())) < epochs:
        assert process.poll() is None and time.monotonic() < deadline, process.communicate()
        time.sleep(0.01)


def _assert_same(found: Path, expected: Path) -> None:
    states = [load_checkpoint(out).model.state_dict() for out in (found, expected)]
    assert states[0].keys() == states[1].keys()
    for name, value in states[0].items():
        assert value.equal(states[1][name]), name
    assert (found / "history.csv").read_bytes() == (expected / "history.csv").read_bytes()
    contents = [json.loads((out / "metrics.json").read_text()) for out in (found, expected)]
    for content in contents:
        del content["summary"]["seconds"], content["config"]["out"]
        for seed in content["seeds"]:
            del seed["seconds"]
    assert contents[0] == contents[1]
    names = [{path.name for path in out.iterdir()} for out in (found, expected)]
    assert names[0] == names[1]


@pytest.mark.parametrize(
    ("number", "code", "seed", "epochs"),
    [
        (signal.SIGINT, 130, 0, 7),
        (signal.SIGTERM, 143, 1, 20),
        (signal.SIGKILL, -9, 1, 3),
    ],
)
def test_resuming_after_a_signal(
    whole: Path, tmp_path: Path, number: signal.Signals, code: int, seed: int, epochs: int
) -> None:
    out = tmp_path / "run"
    process = _start(out)
    _wait_for(process, out, seed, epochs)
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == code, err
    if code > 0:
        assert f"Resume with: gossamer train --resume {out}" in err
        assert json.loads((out / "metrics.json").read_text())["interrupted"] is True
    assert main(["train", "--resume", str(out), "--quiet"]) == 0
    _assert_same(out, whole)


def test_resuming_after_a_full_disk(whole: Path, tmp_path: Path) -> None:
    """Files may grow to 16 kB, which the state of a later seed exceeds, as the history grows."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (16_000, 16_000))

    out = tmp_path / "run"
    process = _start(out, preexec_fn=limit)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 2, err
    assert "gossamer train: error: Cannot write" in err and err.count("\n") == 1
    assert (out / "progress.safetensors").is_file()
    assert main(["train", "--resume", str(out), "--quiet"]) == 0
    _assert_same(out, whole)


def test_two_interruptions(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_SECONDS", 0.0)
    out = tmp_path / "run"
    argv = ["train", *LONG, "--out", str(out)]
    save = progress.Progress.save

    def stop_at(epoch: int) -> Callable[..., None]:
        def stopping(self: progress.Progress, trainer: object) -> None:
            save(self, trainer)
            if trainer.seed == 1 and len(trainer.history) == epoch:
                raise KeyboardInterrupt

        return stopping

    for epoch in (5, 17):
        monkeypatch.setattr(progress.Progress, "save", stop_at(epoch))
        assert main(argv) == 130
        argv = ["train", "--resume", str(out), "--quiet"]
    monkeypatch.setattr(progress.Progress, "save", save)
    assert main(argv) == 0
    _assert_same(out, whole)


def test_events_for_tensorboard_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    monkeypatch.setattr(progress, "_SECONDS", 0.0)
    save, out = progress.Progress.save, tmp_path / "run"

    def stopping(self: progress.Progress, trainer: object) -> None:
        save(self, trainer)
        if len(trainer.history) == 4:
            raise KeyboardInterrupt

    monkeypatch.setattr(progress.Progress, "save", stopping)
    argv = ["train", "--tensorboard", "--epochs", "9", *TINY, "--out", str(out)]
    assert main(argv) == 130
    monkeypatch.setattr(progress.Progress, "save", save)
    assert main(["train", "--resume", str(out), "--quiet"]) == 0
    events = accumulator.EventAccumulator(str(out / "tensorboard/seed-0")).Reload()
    history = read_history(out)[0]
    for tag, field in (("loss/train", "train_loss"), ("score/test", "test_score")):
        found = events.Scalars(tag)
        assert [event.step for event in found] == list(range(1, 10))
        expected = [getattr(epoch, field) for epoch in history]
        assert [event.value for event in found] == pytest.approx(expected)


def test_what_cannot_be_resumed(
    whole: Path, tmp_path: Path, fails: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "is finished; there is nothing to resume" in fails("train", "--resume", str(whole))
    assert "There is no run in" in fails("train", "--resume", str(tmp_path))
    line = fails("train", "--resume", str(whole), "--lr", "1")
    assert "--resume uses the settings of the run; --lr cannot be changed" in line
    monkeypatch.setattr(progress, "_SECONDS", 0.0)
    out = tmp_path / "run"
    save = progress.Progress.save

    def stopping(self: progress.Progress, trainer: object) -> None:
        save(self, trainer)
        raise KeyboardInterrupt

    monkeypatch.setattr(progress.Progress, "save", stopping)
    assert main(["train", *TINY, "--out", str(out)]) == 130
    state = out / "progress.safetensors"
    data = bytearray(state.read_bytes())
    data[-3] ^= 1
    state.write_bytes(data)
    assert "progress.safetensors' is damaged" in fails("train", "--resume", str(out))
    with pytest.raises(FileError, match="was trained on other data"):
        data[-3] ^= 1
        state.write_bytes(data)
        progress.Progress(out, "another").load()
