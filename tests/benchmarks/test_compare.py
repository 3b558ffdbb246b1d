"""Comparing revisions."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks.pool import ROOT

from benchmarks import compare


def test_the_working_tree_is_compared_as_it_stands(tmp_path: Path) -> None:
    with compare.checkout(".", tmp_path / "source") as folder:
        assert folder == ROOT
    assert not (tmp_path / "source").exists()


def test_an_unknown_revision_is_said() -> None:
    with pytest.raises(SystemExit, match="no-such-revision"):
        compare.main(["no-such-revision"])


def test_the_help_text_gives_the_rounds_that_are_made(capsys: pytest.CaptureFixture[str]) -> None:
    assert compare.arguments([".", "--small"]).rounds == 7
    with pytest.raises(SystemExit):
        compare.arguments(["--help"])
    assert "visits to each library (7)" in capsys.readouterr().out


@pytest.mark.slow
def test_two_builds_of_one_tree_agree(capsys: pytest.CaptureFixture[str]) -> None:
    assert compare.main([".", ".", "--small", "--rounds", "2", "--rows", "copy_u"]) == 0
    assert "after is " in capsys.readouterr().out
