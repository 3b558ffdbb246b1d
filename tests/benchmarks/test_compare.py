"""Comparing revisions."""

from __future__ import annotations

import argparse
import subprocess
from pathlib import Path

import pytest
from benchmarks.pool import ROOT

from benchmarks import compare


def test_the_working_tree_is_compared_as_it_stands(tmp_path: Path) -> None:
    with compare.checkout(".", tmp_path / "source") as folder:
        assert folder == ROOT
    assert not (tmp_path / "source").exists()


@pytest.mark.parametrize("words", [["no-such-revision"], [".", "no-such-revision"]])
def test_an_unknown_revision_is_said(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        compare.main(words)
    assert stop.value.code == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert "'no-such-revision' is no revision of this repository; give a branch" in last


def test_a_revision_is_a_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def git(*words: str) -> None:
        person = ["-c", "user.name=somebody", "-c", "user.email=somebody@example.org"]
        subprocess.run(["git", *person, *words], cwd=tmp_path, check=True, capture_output=True)

    git("init")
    (tmp_path / "file").write_text("text")
    git("add", "file")
    git("commit", "-m", "first")
    git("tag", "-a", "one", "-m", "a tag with a message of its own")
    monkeypatch.setattr(compare, "ROOT", tmp_path)
    for name in ("HEAD", "one", "."):
        assert compare.revision(name) == name
    with pytest.raises(argparse.ArgumentTypeError, match="'HEAD:file' is no revision"):
        compare.revision("HEAD:file")


def test_the_help_text_gives_the_rounds_that_are_made(capsys: pytest.CaptureFixture[str]) -> None:
    assert compare.arguments([".", "--small"]).rounds == 7
    with pytest.raises(SystemExit):
        compare.arguments(["--help"])
    assert "visits to each library (7)" in capsys.readouterr().out


@pytest.mark.slow
def test_two_builds_of_one_tree_agree(capsys: pytest.CaptureFixture[str]) -> None:
    assert compare.main([".", ".", "--small", "--rounds", "2", "--rows", "copy_u"]) == 0
    assert "after is " in capsys.readouterr().out
