"""The life of a dataset: cache, download, process, save."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

import gossamer as gs
from gossamer.data import BuiltinDataset, Dataset, KarateClubDataset
from gossamer.data import dataset as module
from gossamer.errors import FileError, InvalidTypeError, OutOfRangeError


class Recorder(Dataset):
    """Notes which steps are taken; keeps its data in a file."""

    def __init__(self, **arguments: object) -> None:
        self.steps: list[str] = []
        super().__init__("recorder", **arguments)

    @property
    def _file(self) -> Path:
        return Path(self.save_path) / "data"

    def download(self) -> None:
        self.steps.append("download")
        Path(self.raw_path).mkdir(parents=True)

    def process(self) -> None:
        self.steps.append("process")
        self.items = "abc"

    def has_cache(self) -> bool:
        return self._file.exists()

    def save(self) -> None:
        self.steps.append("save")
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._file.write_text(self.items)

    def load(self) -> None:
        self.steps.append("load")
        self.items = self._file.read_text("ascii")

    def __getitem__(self, idx: int) -> str:
        return self.items[idx]

    def __len__(self) -> int:
        return len(self.items)


def test_first_time_then_cache_then_forced(tmp_path: Path) -> None:
    where = {"url": "https://host/x.zip", "raw_dir": str(tmp_path)}
    assert Recorder(**where).steps == ["download", "process", "save"]
    assert Recorder(**where).steps == ["load"]
    # The raw data is still there, so a reload does not download.
    assert Recorder(**where, force_reload=True).steps == ["process", "save"]


def test_download_is_called_without_a_url_too(tmp_path: Path) -> None:
    assert Recorder(raw_dir=str(tmp_path)).steps == ["download", "process", "save"]  # as in DGL


@pytest.mark.parametrize("method", ["download", "save"])
def test_a_class_that_keeps_files_finds_raw_dir(tmp_path: Path, method: str) -> None:
    def write(self: Dataset) -> None:
        Path(self.raw_dir, "notes.txt").write_text("a")

    parts = {"process": lambda self: None, method: write}
    type("Notes", (Dataset,), parts)("notes", raw_dir=str(tmp_path / "a" / "b"))
    assert (tmp_path / "a" / "b" / "notes.txt").read_text("ascii") == "a"


def test_a_broken_cache_is_made_anew(tmp_path: Path) -> None:
    file = Path(Recorder(raw_dir=str(tmp_path)).save_path) / "data"
    file.write_bytes(b"\xff")
    with pytest.warns(UserWarning, match="cache of dataset 'recorder' .*UnicodeDecodeError"):
        dataset = Recorder(raw_dir=str(tmp_path))
    assert dataset.steps == ["load", "process", "save"]  # the raw data is still there
    assert file.read_text("ascii") == "abc"


def test_paths_and_hash(tmp_path: Path) -> None:
    dataset = Recorder(
        raw_dir=str(tmp_path / "r"), save_dir=str(tmp_path / "s"), hash_key=(1, 2), verbose=True
    )
    assert dataset.raw_path == str(tmp_path / "r" / "recorder")
    assert dataset.save_path == str(tmp_path / "s" / "recorder")
    assert (dataset.name, dataset.url, dataset.verbose) == ("recorder", None, True)
    assert dataset.hash == "90cdbfff"  # as DGL 2.1.0 has it
    assert repr(dataset) == f'Dataset("recorder", num_graphs=3, save_path={dataset.save_path})'


def test_folders_default_to_the_cache_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOSSAMER_DOWNLOAD_DIR", str(tmp_path))
    assert Recorder().raw_dir == Recorder().save_dir == str(tmp_path)
    assert Recorder().hash == "f9065fa7"  # as DGL 2.1.0 has it


def test_nothing_is_written_where_nothing_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOSSAMER_DOWNLOAD_DIR", str(tmp_path / "cache"))
    assert len(KarateClubDataset()) == 1
    assert not (tmp_path / "cache").exists()


def test_a_dataset_may_make_its_graphs_in_its_constructor() -> None:
    class Made(Dataset):
        def __init__(self) -> None:
            super().__init__("made")
            self.graphs = [gs.graph(([0], [1]))]

        def __getitem__(self, idx: int) -> gs.Graph:
            return self.graphs[idx]

        def __len__(self) -> int:
            return len(self.graphs)

    assert [g.num_edges() for g in Made()] == [1]


@pytest.mark.parametrize("method", ["__getitem__", "__len__"])
def test_what_a_subclass_must_define(method: str) -> None:
    def answer(self: Dataset, *_: int) -> int:
        return 0

    names = {"process", "__getitem__", "__len__"} - {method}
    incomplete = type("Incomplete", (Dataset,), dict.fromkeys(names, answer))
    with pytest.raises(InvalidTypeError, match=rf"Incomplete must define {method}\(\)"):
        print(len(incomplete("x")), incomplete("x")[0])


def test_transform_must_be_callable() -> None:
    with pytest.raises(InvalidTypeError, match="Recorder: transform must be callable, got int"):
        Recorder(transform=3)


def test_single_graph(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    dataset = KarateClubDataset(transform=lambda g: calls.append(g) or "changed")
    assert calls == []
    assert dataset[0] == "changed"
    assert len(calls) == 1
    assert len(list(KarateClubDataset())) == 1
    with pytest.raises(OutOfRangeError, match="single graph, number 0; there is no number 1"):
        dataset[1]


class Words(BuiltinDataset):
    def process(self) -> None:
        self.words = Path(self.raw_path, "words.txt").read_text("ascii").split()

    def __getitem__(self, idx: int) -> str:
        return self.words[idx]

    def __len__(self) -> int:
        return len(self.words)


@pytest.mark.parametrize("file", ["words.zip", "words.txt"])
def test_builtin_datasets_unpack_archives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    def fetch(url: str, path: str, log: bool) -> str:
        target = Path(path) / url.rpartition("/")[2]
        if target.suffix == ".zip":
            with zipfile.ZipFile(target, "w") as archive:
                archive.writestr("words.txt", "a b")
        else:
            target.write_text("a b")
        return str(target)

    monkeypatch.setattr(module, "download", fetch)
    dataset = Words("words", url=f"https://host/{file}", raw_dir=str(tmp_path))
    assert list(dataset.words) == ["a", "b"]


def test_unwritable_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(FileError, match=r"Cannot create the folder .*raw_dir"):
        Words("words", url="https://host/words.txt", raw_dir=str(tmp_path / "file"))
