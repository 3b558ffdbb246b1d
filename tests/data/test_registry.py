"""The list of datasets is true."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

import gossamer.data
from gossamer.data import load_data, register_data_args
from gossamer.data.catalogue import embedded, entities, entry, graphs, links, nodes
from gossamer.data.registry import DATASETS, info, load
from gossamer.errors import FileError, UnknownKeyError
from helpers.paths import SHARED_DATA

TASKS = {value for name, value in vars(entry).items() if name.isupper() and isinstance(value, str)}

_FOLDERS = {"cora": "planetoid", "citeseer": "planetoid"}


@pytest.mark.parametrize("name", DATASETS)
def test_sizes_are_those_of_the_data(name: str) -> None:
    listed = DATASETS[name]
    folder = SHARED_DATA / _FOLDERS.get(name, "heterophilous-graphs")
    known = ("CitationGraphDataset", "HeterophilousGraphDataset")
    if listed.download and (
        listed.dataset not in known or not list(folder.glob(f"*{name.replace('-', '_')}*"))
    ):
        pytest.skip(f"the files of {name} are not at hand")
    dataset = load(name, str(folder))
    if listed.graphs != 1:
        assert len(dataset) == listed.graphs
        return
    g = dataset[0]
    features = g.ndata["feat"].shape[1] if "feat" in g.ndata else 0
    masks = g.ndata["train_mask"] if "train_mask" in g.ndata else g.ndata["label"][:, None][:, :0]
    splits = masks.shape[1] if masks.dim() == 2 else 1
    found = (g.num_nodes(), g.num_edges(), features, dataset.num_classes, splits)
    assert found == (listed.nodes, listed.edges, listed.features, listed.classes, listed.splits)
    assert (listed.metric == "accuracy") or listed.classes == 2


@pytest.mark.parametrize("name", ["tox21", "USAIR", "Roman_Empire", "collegemsg"])
def test_case_does_not_matter(name: str) -> None:
    assert info(name).name.lower() == name.lower().replace("_", "-")


def test_names_differ_in_more_than_case() -> None:
    assert len({name.replace("-", "_").casefold() for name in DATASETS}) == len(DATASETS)


def test_what_is_embedded() -> None:
    assert {name for name, listed in DATASETS.items() if not listed.download} == {
        "ba-community",
        "ba-shapes",
        "digits",
        "karate",
        "mini-gc",
        "tree-cycles",
        "tree-grids",
    }
    assert next(iter(DATASETS)) == "digits"


@pytest.mark.parametrize("name", ["roman-empire", "roman_empire"])
def test_hyphens_and_underscores(name: str, tmp_path: Path) -> None:
    assert info(name).name == "roman-empire"
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(FileError, match=r"'roman_empire' needs roman_empire\.npz"):
        load(name, str(tmp_path / "file"))


def test_unknown_name() -> None:
    similar = r"Did you mean cora.*\? `gossamer datasets` lists all"
    with pytest.raises(UnknownKeyError, match=rf"no dataset 'kora'\. {similar}"):
        load("kora")


def test_command_line() -> None:
    parser = argparse.ArgumentParser()
    register_data_args(parser)
    assert load_data(parser.parse_args(["--dataset", "karate"])).name == "karate_club"
    assert "digits, karate, cora" in " ".join(parser.format_help().split())


@pytest.mark.parametrize("name", DATASETS)
def test_every_row_is_complete(name: str) -> None:
    row = DATASETS[name]
    assert hasattr(gossamer.data, row.dataset)
    assert row.task in TASKS
    assert row.description and row.reference and row.licence
    if row.reader:
        assert callable(row.find_reader())
    for file in row.files:
        assert all(url.startswith(("http://", "https://")) for url in file.urls)


def test_a_name_is_listed_once() -> None:
    rows = [*embedded.ROWS, *entities.ROWS, *graphs.ROWS, *links.ROWS, *nodes.ROWS]
    assert len({row.name.replace("-", "_") for row in rows}) == len(rows) == len(DATASETS)
