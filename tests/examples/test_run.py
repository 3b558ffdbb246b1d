"""examples/_run.py, which the examples share."""

from __future__ import annotations

import importlib.util
import sys
from argparse import Namespace
from types import ModuleType

import pytest

import gossamer as gs
from helpers.paths import REPOSITORY


@pytest.fixture(scope="module")
def shared() -> ModuleType:
    spec = importlib.util.spec_from_file_location("_run", REPOSITORY / "examples" / "_run.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def parser(shared: ModuleType, monkeypatch: pytest.MonkeyPatch):
    """A parser with the common options, and a way to set the command line."""

    def parser(*argv: str):
        monkeypatch.setattr(sys, "argv", ["example.py", *argv])
        made = shared.Parser("Train something.\n\nMore.")
        made.common(["cora", "citeseer"], "ind.<dataset>.*", epochs=7)
        made.option("--lr", shared.above(0), 0.1, "learning rate")
        made.option("--dropout", shared.share, 0.5, "dropout rate")
        made.option("--decay", shared.at_least(0.0), 0.0, "weight decay")
        return made

    return parser


def test_defaults_and_values(parser, capsys) -> None:
    seen: list[Namespace] = []
    parser("--epochs", "3", "--decay", "1e-3").run(seen.append)
    values = vars(seen[0])
    assert values == {
        "dataset": "cora",
        "raw_dir": None,
        "epochs": 3,
        "seeds": 10,
        "lr": 0.1,
        "dropout": 0.5,
        "decay": 1e-3,
    }
    assert capsys.readouterr().out.rstrip().endswith((" thread", " threads"))


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--epochs", "0"], "argument --epochs: expected an integer of at least 1, got '0'"),
        (["--epochs", "2.5"], "expected an integer of at least 1, got '2.5'"),
        (["--seeds", "ten"], "expected an integer of at least 1, got 'ten'"),
        (["--lr", "0"], "expected a number above 0, got '0'"),
        (["--lr", "inf"], "expected a number above 0, got 'inf'"),
        (["--dropout", "1"], "expected a number of at least 0 and below 1, got '1'"),
        (["--dropout", "nan"], "expected a number of at least 0 and below 1, got 'nan'"),
        (["--decay", "-1"], "expected a number of at least 0.0, got '-1'"),
        (["--dataset", "pubmed"], "invalid choice: 'pubmed'"),
        (["--epoch", "3"], "unrecognized arguments: --epoch 3"),
    ],
)
def test_a_wrong_value_takes_one_line(parser, capsys, argv: list[str], message: str) -> None:
    with pytest.raises(SystemExit) as stop:
        parser(*argv).run(lambda args: None)
    err = capsys.readouterr().err
    assert (stop.value.code, err.count("\n")) == (2, 1)
    assert err.startswith("example.py: error: ") and message in err


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (gs.FileError("There is\nno file."), "There is no file."),
        (ModuleNotFoundError("absent", name="sklearn.metrics"), "needs the package sklearn: pip"),
    ],
)
def test_an_error_takes_one_line(parser, capsys, error: Exception, message: str) -> None:
    def main(args: Namespace) -> None:
        raise error

    with pytest.raises(SystemExit) as stop:
        parser().run(main)
    out, err = capsys.readouterr()
    assert (stop.value.code, out, err.count("\n")) == (2, "", 1)
    assert message in err


def test_other_errors_are_not_hidden(parser) -> None:
    def main(args: Namespace) -> None:
        raise ZeroDivisionError("a mistake in the example")

    with pytest.raises(ZeroDivisionError, match="a mistake"):
        parser().run(main)


def test_report(shared: ModuleType, capsys) -> None:
    shared.report("GCN on cora", "test accuracy", [81.0, 82.0], "81.5 ± 0.5")
    shared.report("RotatE on umls", "MRR", [0.9], None, digits=3)
    assert capsys.readouterr().out == (
        "GCN on cora: test accuracy 81.50 ± 0.71 over 2 runs; published 81.5 ± 0.5\n"
        "RotatE on umls: MRR 0.900 over 1 run; published none\n"
    )


def test_progress_is_for_terminals(shared: ModuleType, monkeypatch, capsys) -> None:
    shared.progress(1, 2, "seed 0: epoch")
    assert capsys.readouterr().err == ""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    shared.progress(1, 2, "seed 0: epoch")
    shared.progress(2, 2, "seed 0: epoch")
    assert capsys.readouterr().err == "\r\033[Kseed 0: epoch 1/2\r\033[K"
