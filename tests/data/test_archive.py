"""Archives, sound and malicious."""

from __future__ import annotations

import gzip
import io
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest

from gossamer.data import _archive
from gossamer.data.utils import extract_archive
from gossamer.errors import FileError, InvalidValueError

FILES = {"a.txt": b"alpha", "folder/b.txt": b"beta" * 1000}
TARS = [".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz"]


def make_zip(path: Path, files: dict[str, bytes], modes: dict[str, int] | None = None) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            member = zipfile.ZipInfo(name)
            member.external_attr = (modes or {}).get(name, stat.S_IFREG | 0o644) << 16
            archive.writestr(member, content)
    return path


def make_tar(path: Path, members: list[tuple[tarfile.TarInfo, bytes]]) -> Path:
    mode = {"gz": "w:gz", "tgz": "w:gz", "bz2": "w:bz2", "xz": "w:xz"}.get(path.suffix[1:], "w")
    with tarfile.open(path, mode) as archive:
        for member, content in members:
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def tar_member(name: str, type: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = type, link
    return member


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_zip(tmp_path: Path) -> None:
    extract_archive(make_zip(tmp_path / "a.zip", FILES), tmp_path / "out")
    assert contents(tmp_path / "out") == FILES


@pytest.mark.parametrize("suffix", TARS)
def test_tar(tmp_path: Path, suffix: str) -> None:
    members = [(tar_member(name), content) for name, content in FILES.items()]
    extract_archive(make_tar(tmp_path / f"a{suffix}", members), tmp_path / "out")
    assert contents(tmp_path / "out") == FILES


def test_gz(tmp_path: Path) -> None:
    (tmp_path / "edges.txt.gz").write_bytes(gzip.compress(b"0 1"))
    extract_archive(tmp_path / "edges.txt.gz", tmp_path / "out")
    assert contents(tmp_path / "out") == {"edges.txt": b"0 1"}


def test_overwrite(tmp_path: Path) -> None:
    archive = make_zip(tmp_path / "a.zip", FILES)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.txt").write_bytes(b"mine")
    extract_archive(archive, tmp_path / "out", overwrite=False)
    assert contents(tmp_path / "out") == {"a.txt": b"mine"}
    extract_archive(archive, tmp_path / "out")
    assert contents(tmp_path / "out") == FILES


@pytest.mark.parametrize(
    "name",
    ["../evil", "/evil", "x/../evil", "x/../../evil", "..\\evil", "C:/evil", "C:\\evil"],
)
@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_members_outside_are_refused(tmp_path: Path, name: str, kind: str) -> None:
    if kind == "zip":
        archive = make_zip(tmp_path / "a.zip", {"a.txt": b"", name: b"evil"})
    else:
        archive = make_tar(
            tmp_path / "a.tar", [(tar_member("a.txt"), b""), (tar_member(name), b"evil")]
        )
    with pytest.raises(FileError, match=r"not trusted.*lies outside the target folder"):
        extract_archive(archive, tmp_path / "deep" / "out")
    assert not any("evil" in path.name for path in tmp_path.rglob("*"))
    assert contents(tmp_path / "deep" / "out") == {}


@pytest.mark.parametrize(
    "type", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE]
)
def test_links_and_devices_in_tar_are_refused(tmp_path: Path, type: bytes) -> None:
    archive = make_tar(tmp_path / "a.tar", [(tar_member("x", type, "/etc/passwd"), b"")])
    with pytest.raises(FileError, match="member 'x' is a link or a device"):
        extract_archive(archive, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_links_in_zip_are_refused(tmp_path: Path) -> None:
    archive = make_zip(tmp_path / "a.zip", {"x": b"/etc/passwd"}, {"x": stat.S_IFLNK | 0o777})
    with pytest.raises(FileError, match="member 'x' is not a regular file"):
        extract_archive(archive, tmp_path / "out")


def test_a_link_that_lies_in_the_target_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "folder").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileError, match="lies outside the target folder"):
        extract_archive(make_zip(tmp_path / "a.zip", FILES), tmp_path / "out")
    assert contents(tmp_path / "elsewhere") == {}


@pytest.mark.parametrize("suffix", [".zip", ".tar", ".tar.gz", ".tar.xz", ".gz"])
@pytest.mark.parametrize("kept", [0.0, 0.3, 0.8])
def test_truncated_archives_are_refused(tmp_path: Path, suffix: str, kept: float) -> None:
    path = tmp_path / f"a{suffix}"
    noise = bytes((i * i * 31 + i // 7) % 256 for i in range(5000))
    if suffix == ".zip":
        make_zip(path, {"a": noise})
    elif suffix == ".gz":
        path.write_bytes(gzip.compress(noise))
    else:
        make_tar(path, [(tar_member("a"), noise)])
    whole = path.read_bytes()
    # A tar ends with zeros that nobody misses.
    length = int(kept * len(whole.rstrip(b"\0")))
    path.write_bytes(whole[:length])
    with pytest.raises(FileError, match="truncated or corrupt"):
        extract_archive(path, tmp_path / "out")
    assert contents(tmp_path / "out") == {}


def test_unknown_and_missing(tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match=r"ending in \.zip.*got 'a\.rar'"):
        extract_archive(tmp_path / "a.rar", tmp_path / "out")
    with pytest.raises(FileError, match="There is no archive"):
        extract_archive(tmp_path / "a.zip", tmp_path / "out")


@pytest.mark.parametrize("suffix", [".zip", ".tar.gz", ".gz"])
def test_an_archive_that_unpacks_to_far_more_than_its_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    monkeypatch.setattr(_archive, "_MAX_EXTRA", 1000)
    monkeypatch.setattr(_archive, "_MAX_RATIO", 10)
    archive, content = tmp_path / f"bomb{suffix}", bytes(1_000_000)
    if suffix == ".zip":
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as target:
            target.writestr("zeros", content)
    elif suffix == ".gz":
        archive.write_bytes(gzip.compress(content))
    else:
        with tarfile.open(archive, "w:gz") as target:
            member = tarfile.TarInfo("zeros")
            member.size = len(content)
            target.addfile(member, io.BytesIO(content))
    with pytest.raises(FileError, match="unpacks to more than 10 times its size"):
        extract_archive(archive, tmp_path / "out")
    assert not list((tmp_path / "out").iterdir()), "no file is left"
