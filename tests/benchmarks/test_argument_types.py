"""Wrong values end a command before it measures, and the line says what was expected."""

from __future__ import annotations

import importlib.util
import os
import re
from argparse import ArgumentTypeError
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks import argument_types, compare, graph_ops, ops


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--threads", "x"], "argument --threads: 'x' is not a whole number of at least 1"),
        (["--threads", "0"], "argument --threads: '0' is not a whole number of at least 1"),
        (["--rounds", "2.5"], "argument --rounds: '2.5' is not a whole number of at least 1"),
        (["--seed", "-1"], "argument --seed: '-1' is not a whole number of at least 0"),
        (["--budget", "nan"], "argument --budget: 'nan' is not a number above 0"),
        (["--budget", "-1"], "argument --budget: '-1' is not a number above 0"),
        (["--budget", "soon"], "argument --budget: 'soon' is not a number above 0"),
        (["--memory-limit", "-1"], "argument --memory-limit: '-1' is not a number above 0"),
        (["--memory-limit", "inf"], "argument --memory-limit: 'inf' is not a number above 0"),
        (["--json", "/nonexistent/x.json"], "--json: there is no folder /nonexistent for x.json"),
        (["--plot", "/nonexistent/x.png"], "--plot: there is no folder /nonexistent for x.png"),
        (["--json", "."], "argument --json: . is a folder; name a file"),
    ],
)
def test_wrong_values_are_said(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        ops.arguments(words)
    assert stop.value.code == 2
    assert said in capsys.readouterr().err


def test_right_values_are_read(tmp_path: Path) -> None:
    file = str(tmp_path / "x.json")
    words = ["--threads", "3", "--seed", "0", "--budget", "0.5", "--json", file]
    options = ops.arguments([*words, "--memory-limit", "1.5"])
    assert (options.threads, options.seed, options.budget) == (3, 0, 0.5)
    assert (options.memory_limit, options.json) == (1.5, tmp_path / "x.json")


def test_a_file_without_permission_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(os, "access", lambda path, mode: asked.append(path))
    old = tmp_path / "old.json"
    old.touch()
    for path in (old, tmp_path / "new.json"):
        with pytest.raises(ArgumentTypeError, match=r"\.json cannot be written"):
            argument_types.output(str(path))
    assert asked == [old, tmp_path]


def test_pictures_need_matplotlib(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ArgumentTypeError, match="pip install matplotlib"):
        argument_types.picture(str(tmp_path / "x.png"))


def test_pictures_have_a_format_that_matplotlib_writes(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    for name in ("x.png", "x.SVG", "x"):
        assert argument_types.picture(str(tmp_path / name)) == tmp_path / name
    with pytest.raises(ArgumentTypeError, match=r"writes no \.jason but .*png"):
        argument_types.picture(str(tmp_path / "x.jason"))


@pytest.mark.parametrize("arguments", [ops.arguments, graph_ops.arguments, compare.arguments])
def test_every_option_has_a_help_text(
    arguments: Callable, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "1000")
    with pytest.raises(SystemExit):
        arguments(["--help"])
    shown = capsys.readouterr().out
    assert len(re.findall(r"^  --", shown, re.MULTILINE)) > 10
    # The text stands on the option's line or, where that is long, on the next one.
    assert re.findall(r"^  --\S+(?: \S+)?\n(?! {24}\S)", shown, re.MULTILINE) == []
