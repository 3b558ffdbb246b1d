"""Atomic writes and folders that cannot be written to."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gossamer.cli.files import prepare_folder, write_atomic
from gossamer.errors import FileError


@pytest.mark.parametrize("content", ["größer\n", b"\x00\xff"])
def test_content_replaces_what_was_there(tmp_path: Path, content: str | bytes) -> None:
    path = tmp_path / "file"
    path.write_text("old and longer than the new content")
    write_atomic(path, content)
    expected = content if isinstance(content, bytes) else content.encode()
    assert path.read_bytes() == expected
    assert os.listdir(tmp_path) == ["file"]


def test_a_failed_write_keeps_the_old_file_and_leaves_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    path.write_text("old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(FileError, match=r"Cannot write .*file: No space left .* --out"):
        write_atomic(path, "new")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["file"]


def test_files_get_the_usual_permissions(tmp_path: Path) -> None:
    write_atomic(tmp_path / "ours", "x")
    (tmp_path / "usual").write_text("x")
    modes = {name: (tmp_path / name).stat().st_mode for name in ("ours", "usual")}
    assert modes["ours"] == modes["usual"]


def test_folders_are_created(tmp_path: Path) -> None:
    assert prepare_folder(tmp_path / "a" / "b").is_dir()
    assert prepare_folder(str(tmp_path / "a")) == tmp_path / "a"
    assert os.listdir(tmp_path / "a" / "b") == []


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(FileError, match=r"Cannot write to folder '.*file.*': .* --out"):
            prepare_folder(path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    try:
        with pytest.raises(FileError, match=r"Cannot write to folder .*: Permission denied"):
            prepare_folder(tmp_path)
    finally:
        tmp_path.chmod(0o755)
