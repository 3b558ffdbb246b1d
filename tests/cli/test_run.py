"""`gossamer train` as a user runs it: files, table, exit codes, interrupts, wrong input."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from gossamer.cli import main, run
from gossamer.cli.checkpoint import load_checkpoint
from gossamer.cli.config import resolve
from gossamer.cli.results import RunResult
from helpers.paths import REPOSITORY, shared_data

FILES = {"checkpoint.safetensors", "config.json", "history.csv", "metrics.json", "report.html"}
TINY = ("--hidden", "4", "--epochs", "2", "--picture", "pca", "--device", "cpu")


def _metrics(out: Path) -> dict:
    return json.loads((out / "metrics.json").read_text(encoding="utf-8"))


def test_the_files_of_a_run(trained: Path) -> None:
    assert {path.name for path in trained.iterdir()} >= FILES
    assert not [path for path in trained.iterdir() if path.name.startswith(".")]
    metrics = _metrics(trained)
    assert [seed["seed"] for seed in metrics["seeds"]] == [0, 1]
    assert metrics["metric"] == "accuracy" and metrics["interrupted"] is False
    assert metrics["summary"]["test"]["mean"] > 0.5
    assert metrics["environment"]["torch"] and metrics["environment"]["kernels"]
    assert metrics["num_parameters"] == 64 * 16 + 16 + 16 * 10 + 10
    best = max(metrics["seeds"], key=lambda seed: (seed["val"], -seed["val_loss"]))
    info = load_checkpoint(trained).info
    assert (info.seed, info.val, info.test) == (best["seed"], best["val"], best["test"])
    assert info.seed == metrics["best_seed"] and info.best_epoch == best["best_epoch"]


def test_the_written_configuration_trains_the_same_again(trained: Path, tmp_path: Path) -> None:
    config = str(trained / "config.json")
    assert main(["train", "--config", config, "--out", str(tmp_path)]) == 0
    first, second = _metrics(trained), _metrics(tmp_path)
    for metrics in (first, second):
        # The number of threads is one of the process, which other tests change.
        del metrics["config"]["out"], metrics["summary"]["seconds"], metrics["environment"]
        for seed in metrics["seeds"]:
            del seed["seconds"]
    assert first == second


def test_the_weights_are_the_same_on_any_number_of_threads(tmp_path: Path) -> None:
    weights = []
    for threads in ("1", "2"):
        out = tmp_path / threads
        argv = ["train", "--seeds", "1", "--out", str(out), *TINY, "--quiet"]
        environment = {**os.environ, "OMP_NUM_THREADS": threads}
        # The tests set it, and the command must do so itself.
        environment.pop("MKL_CBWR", None)
        command = [sys.executable, "-m", "gossamer", *argv]
        subprocess.run(command, env=environment, check=True, timeout=300)
        assert str(_metrics(out)["environment"]["threads"]) == threads
        weights.append(load_checkpoint(out).model.state_dict())
    torch.testing.assert_close(*weights, rtol=0, atol=0)


def test_a_later_seed_alone_repeats_its_row(trained: Path, tmp_path: Path) -> None:
    config = str(trained / "config.json")
    argv = ["train", "--config", config, "--seeds", "1", "--seed", "1", "--out", str(tmp_path)]
    assert main(argv) == 0
    one, two = _metrics(tmp_path)["seeds"][0], _metrics(trained)["seeds"][1]
    assert {**one, "seconds": 0} == {**two, "seconds": 0}


def test_the_closing_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["train", "--model", "sage", "--seeds", "2", *TINY]) == 0
    out = capsys.readouterr().out
    assert out.startswith("Training sage on digits: 1,797 nodes, ")
    latest = Path("runs/digits-sage/latest")
    metrics = _metrics(latest)
    for seed in metrics["seeds"]:
        assert f"{100 * seed['val']:.2f}" in out and f"{100 * seed['test']:.2f}" in out
    test = metrics["summary"]["test"]
    assert f"{100 * test['mean']:.2f} ± {100 * test['std']:.2f}" in out
    folder = latest.parent / os.readlink(latest)
    assert out.endswith(f"The report is {folder / 'report.html'}\n")
    assert f" -m gossamer predict {folder} --out predictions.csv\n" in out


def test_the_table_gives_mean_and_deviation(recorded: RunResult) -> None:
    assert run.closing_table(recorded).splitlines()[-1].split() == [
        "mean", "2", "85.00", "±", "5.00", "85.00", "±", "10.00", "1.5"
    ]  # fmt: skip


def test_quiet_prints_warnings_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--quiet", "--out", str(tmp_path / "weak"), *TINY]) == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert all(line.startswith("gossamer train: warning: ") for line in err.splitlines())
    longer = [*TINY[2:], "--epochs", "60"]
    assert main(["train", "--quiet", "--out", str(tmp_path / "sound"), *longer]) == 0
    assert capsys.readouterr() == ("", "")


def test_ten_splits_with_roc_auc(tmp_path: Path) -> None:
    folder = shared_data("heterophilous-graphs")
    argv = ["train", "--dataset", "minesweeper", "--raw-dir", str(folder), "--seeds", "2"]
    argv += ["--seed", "9", "--layers", "1", "--epochs", "2", "--hidden", "4"]
    assert main([*argv, "--picture", "pca", "--quiet", "--out", str(tmp_path)]) == 0
    metrics = _metrics(tmp_path)
    assert metrics["metric"] == "roc_auc"
    assert [(seed["seed"], seed["split"]) for seed in metrics["seeds"]] == [(9, 9), (10, 0)]
    assert "ROC AUC" in (tmp_path / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--dataset", "mnist"], "There is no dataset 'mnist'. `gossamer datasets` lists all"),
        (["--dataset", "wn18"], "Dataset 'wn18' is for knowledge-graph completion, which `gossam"),
        (["--dataset", "chickenpox"], "does not support. examples/forecast.py in the repository"),
        (["--dataset", "sst"], "Dataset 'sst' is for classes of the nodes of trees, which `gossa"),
        (["--model", "mlp"], "'model' must be one of gcn, sage, gat, gatv2, gin, pna, appnp, "),
        (["--model", "rgcn", "--dataset", "gin-mutag"], "Dataset "),
        (["--raw-dir", "."], "Dataset 'digits' is part of Gossamer and reads no files. Omit"),
        (["--task", "regression"], "Dataset 'digits' is for node classification, not for --task"),
        (["--hidden", "65536", "--layers", "200"], "Training needs about "),
        (["--minibatch", "--fanout", "5", "4", "3"], "--fanout gives 3 numbers for 2 layers"),
        (["--fanout", "5"], "'fanout' is 5, but without minibatches every step takes the whole gr"),
        (["--hidden", "0"], "'hidden' must be between 1 and 65536, got 0"),
        (["--config", "nowhere.yaml"], "Cannot read configuration file 'nowhere.yaml'"),
        (["--config", "run.yaml"], "Unknown configuration key 'hiden'. Did you mean 'hidden'?"),
        (["--out", "."], "The folder '.' is not empty: it holds 'run.yaml'"),
        (["--out", "\udcff"], r"The argument '\udcff' is not UTF-8 text"),
        (
            ["--dataset", "cora", "--raw-dir", "run.yaml"],
            "--raw-dir 'run.yaml' is a file. Give",
        ),
        (["--threads", "4096"], "--threads is 4096, but this machine has"),
        (["--out", "run.yaml/below"], "Cannot write to folder 'run.yaml/below': Not a directory"),
        (["--out", "/dev/null"], "Cannot write to folder '/dev/null'"),
    ],
)
def test_wrong_input_is_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fails: Callable[..., str],
    argv: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("run.yaml").write_text("hiden: 3\n")
    line = fails("train", *argv)
    assert line.startswith(("gossamer train: error: ", "gossamer: error: ")) and message in line
    assert [path.name for path in tmp_path.iterdir()] == ["run.yaml"], "something is left behind"


def test_a_corrupt_download_is_one_line(tmp_path: Path, fails: Callable[..., str]) -> None:
    source = shared_data("planetoid")
    for path in source.rglob("ind.cora.*"):
        (tmp_path / path.name).write_bytes(path.read_bytes()[:100])
    line = fails("train", "--dataset", "cora", "--raw-dir", str(tmp_path), "--out", str(tmp_path))
    assert "corrupt" in line or "truncated" in line


@pytest.mark.parametrize("package", ["matplotlib", "safetensors", "sklearn", "tqdm"])
def test_missing_packages_are_named_before_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: Callable[..., str], package: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    line = fails("train", "--out", str(tmp_path / "out"))
    assert f"gossamer train needs the package '{package}'" in line and "extra 'train'" in line
    assert not (tmp_path / "out").exists()
    assert "no dataset 'coro'" in fails("train", "--dataset", "coro")


def test_a_bug_keeps_its_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(run, "load_task", broken)
    with pytest.raises(RuntimeError, match="a bug"):
        main(["train", "--out", str(tmp_path)])


def test_an_interrupt_before_anything_is_learnt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(run, "fit_seed", interrupt)
    assert main(["train", "--quiet", "--out", str(tmp_path)]) == 130
    assert capsys.readouterr().err == "gossamer train: interrupted.\n"
    assert [path.name for path in tmp_path.iterdir()] == ["config.json"]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_leaves_all_files(tmp_path: Path, number: signal.Signals, code: int) -> None:
    # The handler is set by hand: a shell that started the tests in the background has ignored it.
    program = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "from gossamer.cli import main; sys.exit(main())"
    )
    argv = ["train", "--seeds", "9999", "--out", str(tmp_path), *TINY]
    process = subprocess.Popen(
        [sys.executable, "-c", program, *argv],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=_environment(),
    )
    try:
        for line in process.stdout:
            if line.startswith("  seed 1:"):
                break
        process.send_signal(number)
        _, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == code, err
    lines = [line for line in err.splitlines() if "warning" not in line]
    assert len(lines) == 1
    assert lines[0].startswith("gossamer train: interrupted. Best checkpoint so far (seed ")
    metrics = _metrics(tmp_path)
    assert metrics["interrupted"] is True and len(metrics["seeds"]) >= 2
    assert load_checkpoint(tmp_path).info.seed == metrics["best_seed"]
    assert resolve({}, str(tmp_path / "config.json")).seeds == 9999
    assert {path.name for path in tmp_path.iterdir()} == FILES | {"progress.safetensors"}


def test_a_signal_before_anything_is_learnt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run, "fit_seed", lambda *_: os.kill(os.getpid(), signal.SIGTERM))
    before = signal.getsignal(signal.SIGTERM)
    assert main(["train", "--quiet", "--out", str(tmp_path)]) == 143
    assert capsys.readouterr().err == "gossamer train: interrupted.\n"
    assert [path.name for path in tmp_path.iterdir()] == ["config.json"]
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize("lr", ["1000", "1e-9"])
def test_a_useless_model_is_told(
    lr: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", "--quiet", "--lr", lr, "--out", str(tmp_path), *TINY]) == 0
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("gossamer train: warning: The model is no better than logistic")
    assert f"(--lr, now {float(lr):g})" in last


def test_a_bad_environment_variable_is_one_line() -> None:
    environment = {**_environment(), "GOSSAMER_IDLE_MIB": "much"}
    command = [sys.executable, "-m", "gossamer", "info"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 2
    assert done.stderr.startswith("gossamer info: error: GOSSAMER_IDLE_MIB is 'much'; it must be")
    assert done.stderr.count("\n") == 1


def _environment() -> dict[str, str]:
    """The environment of a subprocess that must find the package as this process does."""
    path = os.pathsep.join([str(REPOSITORY / "src"), os.environ.get("PYTHONPATH", "")])
    return {**os.environ, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}
