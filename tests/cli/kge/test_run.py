"""`gossamer kge train` as a command: formats, files, resuming, one-line errors."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import safetensors.torch
import torch

from gossamer.cli import main
from gossamer.cli.folders import reopened
from helpers.paths import REPOSITORY, shared_data

NAMES = ["a", "b", "c", "d", "e"]
RELATIONS = ["likes", "knows"]
FACTS = {
    "train": [(h, (h + t) % 2, t) for h in range(5) for t in range(5) if (h, t) != (0, 4)],
    "valid": [(0, 0, 4)],
    "test": [(4, 0, 4), (0, 1, 4)],
}
QUICK = ["--size", "4", "--batch", "8", "--negatives", "4", "--steps", "6", "--quiet"]


def _write(folder: Path, layout: str = "words") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for part, facts in FACTS.items():
        if layout == "numbers":
            rows = [f"{h} {t} {r}" for h, r, t in facts]
            text = "\n".join([str(len(rows)), *rows])
            (folder / f"{part}2id.txt").write_text(text)
            continue
        order = (1, 0, 2) if layout == "relation first" else (0, 1, 2)
        rows = [(NAMES[h], RELATIONS[r], NAMES[t]) for h, r, t in facts]
        lines = ["\t".join(row[i] for i in order) for row in rows]
        (folder / f"{part}.txt").write_text("\n".join(lines) + "\n")
    kinds = (("entity", "entities", NAMES), ("relation", "relations", RELATIONS))
    for kind, plural, names in kinds:
        if layout == "numbers":
            rows = [f"{name}\t{i}" for i, name in enumerate(names)]
            (folder / f"{kind}2id.txt").write_text("\n".join([str(len(rows)), *rows]))
        elif layout == "dictionaries":
            text = "".join(f"{i}\t{name}\n" for i, name in enumerate(names))
            (folder / f"{plural}.dict").write_text(text)
    return folder


def _train(out: Path, *argv: str) -> dict:
    assert main(["kge", "train", "--out", str(out), *QUICK, *argv]) == 0
    return json.loads((out / "metrics.json").read_text())


@pytest.mark.parametrize("model", ["transe", "distmult", "complex", "rotate"])
def test_what_it_writes(tmp_path: Path, model: str, capsys: pytest.CaptureFixture[str]) -> None:
    data = _write(tmp_path / "tribe")
    metrics = _train(tmp_path / "out", "--data", str(data), "--model", model)
    assert capsys.readouterr() == ("", "")
    assert metrics["test"]["facts"] == 2 and 0 < metrics["test"]["mrr"] <= 1
    weights = safetensors.torch.load_file(tmp_path / "out" / "model.safetensors")
    assert weights["entities"].shape == (5, 4) and len(weights["relations"]) == 2
    assert (tmp_path / "out" / "entities.tsv").read_text() == "0\ta\n1\tb\n2\tc\n3\td\n4\te\n"
    report = (tmp_path / "out" / "report.md").read_text()
    assert report.startswith(f"# {model} on tribe\n\n5 entities, 2 relations, 24 / 1 / 2 facts")
    assert "| knows | 1 |" in report
    assert not (tmp_path / "out" / ".lock").exists()


def test_layouts_of_files_are_the_same_facts(tmp_path: Path) -> None:
    layouts = ("dictionaries", "numbers")
    found = [
        _train(tmp_path / f"out {layout}", "--data", str(_write(tmp_path / layout, layout)))
        for layout in layouts
    ]
    assert found[0]["losses"] == found[1]["losses"]
    assert found[0]["test"] == found[1]["test"]
    found = [
        _train(tmp_path / f"out {layout}", "--data", str(_write(tmp_path / layout, layout)))
        for layout in ("words", "relation first")
    ]
    assert found[0]["losses"] == found[1]["losses"]


def test_the_number_of_threads_does_not_count(tmp_path: Path) -> None:
    data, threads = str(_write(tmp_path / "tribe")), torch.get_num_threads()
    try:
        for count in ("1", "2"):
            if int(count) <= (os.cpu_count() or 1):
                _train(tmp_path / count, "--data", data, "--threads", count)
    finally:
        torch.set_num_threads(threads)
    weights = [safetensors.torch.load_file(f) for f in tmp_path.glob("[12]/model.safetensors")]
    assert all(torch.equal(weights[0][name], weights[-1][name]) for name in weights[0])


def test_killed_and_resumed(tmp_path: Path) -> None:
    data, argv = str(_write(tmp_path / "tribe")), ["--steps", "3000", "--save-every", "100"]
    out = tmp_path / "killed"
    command = [sys.executable, "-m", "gossamer", "kge", "train", "--data", data, "--out", str(out)]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "src"), "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen([*command, *QUICK, *argv], env=environment)
    deadline = time.monotonic() + 60
    while not (out / "state.safetensors").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    with safetensors.safe_open(out / "state.safetensors", "pt") as file:
        step = int(file.metadata()["step"])
    assert 100 <= step < 3000
    assert main(["kge", "train", "--resume", str(out), "--quiet"]) == 0
    metrics = json.loads((out / "metrics.json").read_text())
    whole = _train(tmp_path / "whole", "--data", data, *argv)
    assert metrics["losses"] == whole["losses"]
    assert metrics["test"] == whole["test"]


def test_resuming_what_cannot_be(tmp_path: Path, fails: Callable[..., str]) -> None:
    data = _write(tmp_path / "tribe")
    assert "holds no run" in fails("kge", "train", "--resume", str(tmp_path))
    out = tmp_path / "out"
    _train(out, "--data", str(data))
    resume = ("kge", "train", "--resume", str(out))
    assert "--lr cannot be given with --resume" in fails(*resume, "--lr", "0.1")
    with reopened(out):
        assert "has not ended yet" in fails(*resume)
    (out / ".lock").write_text("left by a run that was killed")
    (data / "test.txt").write_text("a\tlikes\tb\n")
    assert "have changed since" in fails(*resume)


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--data", "nowhere"], "There is no folder 'nowhere'"),
        (["--data", ".", "--size", "1"], "argument --size: 1 is not between 2 and"),
        (["--data", ".", "--lr", "fast"], "argument --lr: 'fast' is not a number"),
        (["--data", ".", "--lr", "nan"], "argument --lr: nan is not between"),
        (["--data", ".", "--model", "cube"], "argument --model: invalid choice: 'cube'"),
        (["--data", ".", "--resume", "."], "not allowed with argument"),
        ([], "one of the arguments --data --resume is required"),
    ],
)
def test_wrong_options(
    tmp_path: Path, fails: Callable[..., str], monkeypatch, argv: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert message.lower() in fails("kge", "train", *argv).lower()


def test_files_that_are_wrong(tmp_path: Path, fails: Callable[..., str]) -> None:
    data = _write(tmp_path / "tribe")
    (data / "valid.txt").unlink()
    assert "There is no file" in fails("kge", "train", "--data", str(data), *QUICK)
    (data / "valid.txt").write_text("a\tlikes\n")
    message = fails("kge", "train", "--data", str(data), *QUICK)
    assert "valid.txt" in message and "line 1: expected head, relation and tail, got 2" in message
    assert "size must be even" in fails(
        "kge", "train", "--data", str(_write(tmp_path / "tribe")), *QUICK, "--size", "5"
    )


@pytest.mark.slow
@pytest.mark.parametrize(("model", "least"), [("transe", 0.6), ("rotate", 0.75), ("complex", 0.8)])
def test_umls(tmp_path: Path, model: str, least: float) -> None:
    data = str(shared_data("kg-small", "umls"))
    argv = ["--model", model, "--steps", "4000", "--size", "64", "--batch", "256"]
    argv += ["--negatives", "64", "--lr", "0.01"]
    metrics = _train(tmp_path / "out", "--data", data, *argv)
    assert metrics["test"]["mrr"] > least


@pytest.mark.slow
def test_wn18(tmp_path: Path) -> None:
    argv = ["--model", "complex", "--steps", "3000", "--lr", "0.03", "--rank", "1000"]
    argv += ["--penalty", "0.001"]
    metrics = _train(tmp_path / "out", "--data", str(shared_data("WN18")), *argv)
    assert metrics["test"]["mrr"] > 0.88
