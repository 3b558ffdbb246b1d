"""Where raw files are looked for, how they are fetched, and when the cache is used."""

from __future__ import annotations

import io
import os
import shutil
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import torch

from gossamer.data import FlickrDataset, TUDataset, catalogued
from gossamer.data.catalogue.entry import Entry
from gossamer.data.raw import RawFile
from gossamer.errors import FileError, InvalidTypeError, OutOfRangeError
from helpers.raw_formats import write_saint, write_tu


class _Handler(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """Address of a server for the files in ``tmp_path / "www"``."""
    (tmp_path / "www").mkdir()
    handler = partial(_Handler, directory=str(tmp_path / "www"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as serving:
        thread = Thread(target=serving.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{serving.server_port}"
        serving.shutdown()
        thread.join()


@pytest.fixture
def with_files(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Replace the files of Flickr's row."""

    def replace(*files: RawFile) -> None:
        row = catalogued.CATALOGUE["flickr"]
        fields = {name: getattr(row, name) for name in Entry.__dataclass_fields__}
        monkeypatch.setattr(
            catalogued, "CATALOGUE", {"flickr": Entry(**{**fields, "files": files})}
        )

    return replace


def _zipped(folder: Path, top: str = "") -> bytes:
    content = io.BytesIO()
    write_saint(folder, multi_label=False)
    with zipfile.ZipFile(content, "w") as archive:
        for path in folder.iterdir():
            archive.write(path, f"{top}{path.name}")
    return content.getvalue()


@pytest.mark.parametrize("top", ["", "flickr/", "data/flickr/"])
def test_an_archive_is_fetched_from_the_second_address_and_unpacked(
    tmp_path: Path, server: str, with_files: Callable[..., None], top: str
) -> None:
    (tmp_path / "www" / "flickr.zip").write_bytes(_zipped(tmp_path / "source", top))
    with_files(RawFile("flickr.zip", (f"{server}/gone.zip", f"{server}/flickr.zip")))
    g = FlickrDataset(raw_dir=str(tmp_path / "cache"))[0]
    assert g.num_nodes() == 14
    # The second time there is a cache, and a third without it still has the raw files.
    (tmp_path / "www" / "flickr.zip").unlink()
    shutil.rmtree(tmp_path / "source")
    for force in (False, True):
        again = FlickrDataset(raw_dir=str(tmp_path / "cache"), force_reload=force)[0]
        assert again.num_edges() == g.num_edges()


def test_an_archive_at_hand_is_unpacked_without_a_download(
    tmp_path: Path, with_files: Callable[..., None]
) -> None:
    (tmp_path / "flickr.zip").write_bytes(_zipped(tmp_path / "source"))
    with_files(RawFile("flickr.zip", "http://127.0.0.1:9/flickr.zip"))
    assert FlickrDataset(raw_dir=str(tmp_path))[0].num_nodes() == 14


def test_no_address_works(tmp_path: Path, server: str, with_files: Callable[..., None]) -> None:
    with_files(RawFile("flickr.zip", (f"{server}/a.zip", f"{server}/b.zip")))
    with pytest.raises(FileError, match=r"needs adj_full\.npz, .*or flickr\.zip,.*404.*404"):
        FlickrDataset(raw_dir=str(tmp_path / "cache"))


@pytest.mark.parametrize("place", [".", "flickr", "flickr_b05c56ca", "flickr/x/y"])
def test_where_files_are_found(tmp_path: Path, place: str) -> None:
    write_saint(tmp_path / place, multi_label=False)
    assert FlickrDataset(raw_dir=str(tmp_path))[0].num_nodes() == 14


def test_offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOSSAMER_DATA_DIR", str(tmp_path / "mirror"))
    with pytest.raises(FileError, match=r"needs adj_full\.npz.*GOSSAMER_DATA_DIR is set, so noth"):
        FlickrDataset(raw_dir=str(tmp_path / "cache"))
    write_saint(tmp_path / "mirror" / "flickr", multi_label=False)
    assert FlickrDataset(raw_dir=str(tmp_path / "cache"))[0].num_nodes() == 14
    # The cache is written where the user works, not into the mirror.
    assert list((tmp_path / "cache" / "flickr").glob("*.graphs"))
    assert len(list((tmp_path / "mirror" / "flickr").iterdir())) == 4


def test_the_cache_is_made_anew_when_a_raw_file_changes(tmp_path: Path) -> None:
    write_tu(tmp_path / "T", "T")
    assert TUDataset("T", raw_dir=str(tmp_path))[0][0].num_edges() == 5
    path = tmp_path / "T" / "T_graph_labels.txt"
    path.touch()
    TUDataset("T", raw_dir=str(tmp_path))  # another time of change, the same content: no warning
    path.write_text("1\n1\n1\n1\n1\n")
    with pytest.warns(UserWarning, match="the raw files in .* have changed"):
        assert TUDataset("T", raw_dir=str(tmp_path)).num_classes == 1


def test_the_cache_works_without_raw_files_and_is_made_anew_when_broken(tmp_path: Path) -> None:
    folder = tmp_path / "T"
    write_tu(folder, "T")
    TUDataset("T", raw_dir=str(tmp_path))
    (cache,) = folder.glob("*.graphs")
    cache.write_bytes(cache.read_bytes()[:100])
    with pytest.warns(UserWarning, match="cannot be loaded"):
        TUDataset("T", raw_dir=str(tmp_path))
    for path in folder.glob("T_*.txt"):
        path.unlink()
    assert len(TUDataset("T", raw_dir=str(tmp_path))) == 5


def test_a_cache_with_lost_values_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[int] = []
    monkeypatch.setattr(os, "fsync", waits.append)
    write_tu(tmp_path / "T", "T")
    attributes = [g.ndata["node_attr"] for g, _ in TUDataset("T", raw_dir=str(tmp_path))]
    # Since damage is found, writing does not wait for the disk.
    assert waits == []
    (cache,) = (tmp_path / "T").glob("*.graphs")
    content, values = cache.read_bytes(), torch.cat(attributes).numpy().tobytes()
    assert content.count(values) == 1 and any(values)
    cache.write_bytes(content.replace(values, bytes(len(values))))
    with pytest.warns(UserWarning, match="cannot be loaded .*not those that were written"):
        again = TUDataset("T", raw_dir=str(tmp_path))
    assert all(g.ndata["node_attr"].equal(x) for (g, _), x in zip(again, attributes, strict=True))
    assert cache.read_bytes() == content


def test_a_folder_that_cannot_be_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise FileError("Cannot write.")

    monkeypatch.setattr(catalogued, "write_graphs", refuse)
    write_tu(tmp_path / "T", "T")
    assert len(TUDataset("T", raw_dir=str(tmp_path), verbose=True)) == 5
    assert "is not kept: Cannot write." in capsys.readouterr().out


def test_items(tmp_path: Path) -> None:
    write_tu(tmp_path / "T", "T")
    dataset = TUDataset("T", raw_dir=str(tmp_path), transform=lambda g: g.num_nodes())
    assert [item for item, _ in dataset] == [4, 3, 5, 2, 6]
    assert dataset[-1][0] == 6
    with pytest.raises(OutOfRangeError, match="has 5 graphs, counted from 0; there is no number 5"):
        dataset[5]
    with pytest.raises(InvalidTypeError, match="expected the number of a graph, got str"):
        dataset["x"]
    plain = TUDataset("T", raw_dir=str(tmp_path))
    plain[1][0].ndata["mine"] = plain[1][0].ndata["node_labels"]
    assert "mine" in plain[1][0].ndata, "a graph is the same object each time"


MALFORMED = {
    "A": ("1, 2\n2, 3, 4\n", "T_A.txt, line 2: expected 2 values, got 3"),
    "A ": ("1, 2\n\n2, 99\n", r"T_A.txt, line 2: node \(counted from 0\) 98 is not in 0 ... 19"),
    "A  ": ("1, 2\n2, x\n", "T_A.txt, line 2: 'x' is not an integer"),
    "A   ": ("1, 2\n1, 20\n", "line 2: the edge joins two graphs"),
    "graph_indicator": ("1\n1\n3\n", "line 3: graph numbers do not count up from 1"),
    "graph_labels": ("1\n2\n", "it has 2 rows, expected 5"),
    "node_attributes": ("nan\n" * 20, "line 1 holds a value that is not finite"),
    "node_labels": ("1.5\n" * 20, "line 1: '1.5' is not an integer"),
}


@pytest.mark.parametrize("part", MALFORMED)
def test_malformed_tables(tmp_path: Path, part: str) -> None:
    write_tu(tmp_path / "T", "T", edges=False)
    content, message = MALFORMED[part]
    (tmp_path / "T" / f"T_{part.strip()}.txt").write_text(content)
    with pytest.raises(FileError, match=message):
        TUDataset("T", raw_dir=str(tmp_path))
