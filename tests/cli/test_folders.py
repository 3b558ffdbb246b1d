"""Each run has a folder of its own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gossamer.cli.folders import reopened, run_folder
from gossamer.errors import FileError


def _run(parent: Path) -> Path:
    with run_folder(None, "cora-gcn", parent) as folder:
        (folder / "result").write_text(folder.name)
    return folder


def test_runs_get_dated_folders_and_latest_is_the_last(tmp_path: Path) -> None:
    folders = [_run(tmp_path) for _ in range(5)]
    assert len({folder.name for folder in folders}) == 5
    for folder in folders:
        assert folder.parent == tmp_path / "cora-gcn"
        assert re.fullmatch(r"\d{4}-\d\d-\d\d-\d{4}-[0-9a-f]{4}", folder.name)
        assert [path.name for path in folder.iterdir()] == ["result"]
    latest = tmp_path / "cora-gcn" / "latest"
    assert latest.is_symlink() and latest.resolve() == folders[-1].resolve()
    assert len(list(latest.parent.iterdir())) == 6


def test_a_run_that_leaves_nothing_leaves_no_folder(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), run_folder(None, "a", tmp_path / "runs"):
        raise KeyboardInterrupt
    assert list((tmp_path / "runs").iterdir()) == []


@pytest.mark.parametrize("there", [False, True])
def test_a_named_folder_is_new_or_empty(tmp_path: Path, there: bool) -> None:
    out = tmp_path / "mine"
    if there:
        out.mkdir()
    with run_folder(str(out), "a") as folder:
        assert folder == out
        (folder / "result").write_text("first")
    used = r"mine' is not empty: it holds 'result'\. .* --out"
    with pytest.raises(FileError, match=used), run_folder(str(out), "a"):
        pytest.fail("a used folder was given")
    assert [path.name for path in out.iterdir()] == ["result"]
    assert (out / "result").read_text() == "first"


def test_a_second_run_is_locked_out(tmp_path: Path) -> None:
    with run_folder(str(tmp_path), "a"):
        locked = pytest.raises(FileError, match="Another run writes to the folder")
        with locked, run_folder(str(tmp_path), "a"):
            pytest.fail("two runs got one folder")
        assert [path.name for path in tmp_path.iterdir()] == [".lock"]
    assert list(tmp_path.iterdir()) == []


def test_a_lock_that_a_killed_run_has_left_is_taken_over(tmp_path: Path) -> None:
    (tmp_path / "result").write_text("half")
    (tmp_path / ".lock").write_text("")
    with reopened(tmp_path) as folder:
        assert folder == tmp_path.resolve()
        going = pytest.raises(FileError, match="The run has not ended yet")
        with going, reopened(tmp_path):
            pytest.fail("two runs got one folder")
    assert [path.name for path in tmp_path.iterdir()] == ["result"]
