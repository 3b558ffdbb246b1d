"""Examples on data of one's own, and on data that is wrong: one line, exit code 2."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.paths import shared_data

QUICK = ["--epochs", "2", "--seeds", "1"]


def _tables(folder: Path, **change: str) -> str:
    """Write 60 users in two groups, each of which likes its own games; return the folder."""
    rng = random.Random(0)
    users = "\n".join(f'{i},{i % 2},"{rng.random()}, {i % 2}"' for i in range(60))
    games = "\n".join(str(i) for i in range(10))
    likes = "\n".join(f"{i},{2 * rng.randrange(5) + i % 2}" for i in range(60) for _ in range(3))
    files = {
        "users.csv": f"node_id,label,feat\n{users}\n",
        "games.csv": f"node_id\n{games}\n",
        "likes.csv": f"src_id,dst_id\n{likes}\n",
        "meta.yaml": "dataset_name: games\n"
        "node_data: [{file_name: users.csv, ntype: user}, {file_name: games.csv, ntype: game}]\n"
        "edge_data: [{file_name: likes.csv, etype: [user, likes, game]}]\n",
    }
    for name, text in files.items():
        (folder / name).write_text(text.replace(*change[name]) if name in change else text)
    return str(folder)


@pytest.mark.parametrize("model", ["han", "hgt", "rgcn"])
def test_a_heterogeneous_graph_from_tables(figures: Callable, tmp_path: Path, model: str) -> None:
    argv = ["--dataset", "csv", "--raw-dir", _tables(tmp_path), "--model", model]
    _, figure = figures("heterogeneous_nodes", *argv, "--epochs", "40", "--seeds", "1")
    assert figure > 90


def test_a_table_of_molecules(figures: Callable, tmp_path: Path) -> None:
    pytest.importorskip("rdkit", reason="needs the extra 'chem'")
    # Chains of different lengths between two rings are scaffolds; a known value may be missing.
    rows = [f"c1ccccc1{'C' * n}C1CC1,{n},{n % 2}" for n in range(20)] + ["CC,,1", "CCO,3,"]
    (tmp_path / "chains.csv").write_text("\n".join(["smiles,length,odd", *rows]))
    argv = ["--dataset", "chains", "--raw-dir", str(tmp_path), "--model", "gcn"]
    lines, _ = figures("molecules", *argv, *QUICK)
    assert lines[-1].startswith("gcn on chains: test RMSE ")


def test_one_scaffold_cannot_be_split(run: Callable, tmp_path: Path) -> None:
    pytest.importorskip("rdkit", reason="needs the extra 'chem'")
    (tmp_path / "acids.csv").write_text("smiles,y\nCC(=O)O,1\nC(=O)O,2\n")
    code, out, err = run("molecules", "--dataset", "acids", "--raw-dir", str(tmp_path), *QUICK)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "Too few scaffolds" in err


def test_a_set_of_the_tu_collection(figures: Callable, tmp_path: Path) -> None:
    # Forty pairs of nodes with an edge in both directions.
    files = {
        "A": [f"{2 * i + a}, {2 * i + 3 - a}" for i in range(40) for a in (1, 2)],
        "graph_indicator": [i // 2 + 1 for i in range(80)],
        "graph_labels": [i % 2 for i in range(40)],
        "node_labels": [i % 4 for i in range(80)],
    }
    for part, rows in files.items():
        (tmp_path / f"OWN_{part}.txt").write_text("".join(f"{row}\n" for row in rows))
    argv = ["--dataset", "OWN", "--raw-dir", str(tmp_path), "--steps", "2"]
    lines, _ = figures("graph_classification", *argv, *QUICK)
    assert lines[-1].startswith("gin on OWN: test accuracy ")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"users.csv": ("0,0,", "0,-2,")}, "Labels of 'user' must be classes 0, 1, ..., or -1."),
        ({"users.csv": (",label,", ",group,")}, "One node type must have labels, but none do."),
        ({"users.csv": (', 1"', ', nan"')}, "not finite"),
        ({"likes.csv": ("0,", "77,")}, "likes.csv"),
        ({"meta.yaml": ("users.csv", "other.csv")}, "other.csv"),
    ],
)
def test_wrong_tables(run: Callable, tmp_path: Path, change: dict, message: str) -> None:
    argv = ["--dataset", "csv", "--raw-dir", _tables(tmp_path, **change), *QUICK]
    code, out, err = run("heterogeneous_nodes", *argv)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert message in err


@pytest.mark.parametrize(
    ("name", "argv", "message"),
    [
        ("heterogeneous_nodes", [], "Dataset 'dblp' needs author_label.txt"),
        ("heterogeneous_nodes", ["--dataset", "csv"], "meta.yaml"),
        ("graph_classification", [], "Dataset 'GINDataset' needs MUTAG.txt"),
        ("graph_classification", ["--dataset", "ENZYMES"], "'ENZYMES' needs ENZYMES_A.txt"),
        ("molecules", ["--dataset", "mine"], "Dataset 'mine' needs mine.csv"),
        ("entity_classification", [], "Dataset 'aifb-hetero' needs trainingSet.tsv"),
    ],
)
def test_the_folder_of_another_dataset(
    run: Callable, monkeypatch: pytest.MonkeyPatch, name: str, argv: list[str], message: str
) -> None:
    folder = str(shared_data("planetoid"))
    monkeypatch.setenv("GOSSAMER_DATA_DIR", folder)
    code, out, err = run(name, *argv, "--raw-dir", folder)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert message in err
