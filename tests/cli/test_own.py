"""The user's own tables: formats, types, columns, targets, splits; from table to prediction."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import pandas
import pytest
import torch

from gossamer.cli import main
from gossamer.cli.columns import describe, encode, fit_columns
from gossamer.cli.config import resolve
from gossamer.cli.labels import given_masks, usual_task
from gossamer.cli.own import load_tables, read_graph
from gossamer.cli.splits import random_masks
from gossamer.cli.tables import edge_files, node_files, read_table
from gossamer.cli.task import GraphTask
from gossamer.errors import FileError, InvalidValueError

CPU = torch.device("cpu")
QUICK = ("--hidden", "8", "--epochs", "30", "--picture", "pca", "--quiet")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Sixty people in three towns, friends within them; the town is hidden in job and age."""
    rng = np.random.default_rng(0)
    town = np.arange(60) % 3
    friends = [(i, (i + 3 * k) % 60) for i in range(60) for k in (1, 2, 5)]
    name = [f"p{i:02}" for i in range(60)]
    pandas.DataFrame(
        {"src": [name[i] for i, _ in friends], "dst": [name[j] for _, j in friends], "since": 1999}
    ).to_csv(tmp_path / "edges.csv", index=False)
    people = pandas.DataFrame(
        {
            "id": name,
            "age": (30 + 10 * town + rng.normal(0, 3, 60)).round(1),
            "job": np.array(["farmer", "miner", "sailor"])[town],
            "motto": [f"{word} number {i}" for i, word in enumerate(["sow", "dig", "sail"] * 20)],
            "planet": "earth",
            "town": np.array(["A", "B", "C"])[town],
            "height": 150.5 + 10 * town,
            "rich": (town == 1).astype(int),
            "happy": (town != 2).astype(int),
        }
    )
    people.loc[7, "age"] = np.nan
    people.loc[11, "town"] = None
    people.to_csv(tmp_path / "people.csv", index=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _load(**settings: object):
    given = {"edges": ["edges.csv"], "nodes": ["people.csv"], "target": ["town"]}
    return load_tables(resolve({**given, "hidden": 8, **settings}), CPU)


def test_a_table_becomes_a_task(folder: Path) -> None:
    task = _load(ignore=["height", "rich", "happy"])
    assert task.target.names == ["A", "B", "C"] and task.target.metric == "accuracy"
    assert task.ids.tolist() == [f"p{i:02}" for i in range(60)]
    expected = torch.arange(60) % 3
    expected[11] = -1
    assert torch.equal(task.label, expected)
    # Age and its gaps, three jobs and another, 64 of the motto; the planet tells nothing.
    assert task.feat["_N"].shape == (60, 2 + 4 + 64)
    src, dst = task.graph.edges()
    assert set(zip(src.tolist(), dst.tolist(), strict=True)) == {
        edge for i in range(60) for k in (0, 1, 2, 5) for edge in ((i, (i + 3 * k) % 60),
                                                                   ((i + 3 * k) % 60, i))
    }  # fmt: skip
    for part, size in (("train", 36), ("val", 11), ("test", 12)):
        items = task.part(part, 0)
        assert abs(len(items) - size) <= 1 and 11 not in items.tolist()
        assert set(task.label[items].tolist()) == {0, 1, 2}


@pytest.mark.parametrize("suffix", [".tsv", ".txt", ".csv.gz", ".parquet", ".feather", ".jsonl"])
def test_every_format_gives_the_same_table(folder: Path, suffix: str) -> None:
    people = read_table("people.csv")
    name = f"again{suffix}"
    match suffix:
        case ".parquet":
            people.to_parquet(name)
        case ".feather":
            people.to_feather(name)
        case ".jsonl":
            people.to_json(name, orient="records", lines=True)
        case _:
            people.to_csv(name, sep=";" if suffix == ".txt" else "\t" if suffix == ".tsv" else ",",
                          index=False)  # fmt: skip
    pandas.testing.assert_frame_equal(read_table(name), people, check_dtype=False)


def test_a_table_of_a_database(folder: Path) -> None:
    with duckdb.connect("base.duckdb") as connection:
        connection.execute("CREATE TABLE people AS SELECT * FROM 'people.csv'")
    assert _load(nodes=["base.duckdb:people"]).ids.tolist() == _load().ids.tolist()
    with pytest.raises(FileError, match="Cannot read table 'x"):
        read_table('base.duckdb:x"; DROP')


def test_columns_of_every_kind() -> None:
    frame = pandas.DataFrame(
        {
            "n": [1.0, 2.0, np.nan, 3.0],
            "flag": [True, False, True, True],
            "day": pandas.to_datetime(["2020-01-01", "2020-01-03", "2020-01-05", "2020-01-07"]),
            "kind": ["a", "b", None, "a"],
            "list": [[1, 2], [3, 4], [5, 6], [7, 8]],
            "empty": [None] * 4,
            "ragged": [[1], [1, 2], [1], [1]],
        }
    )
    columns = fit_columns(frame, ())
    found = encode(frame, json.loads(json.dumps(columns)), "x.csv")
    # The deviation of 1, 2, 3 around their mean.
    scale = (2 / 3) ** 0.5
    np.testing.assert_allclose(found[:, 0], [-1 / scale, 0, 0, 1 / scale], rtol=1e-6)
    assert found[:, 1].tolist() == [0, 0, 1, 0]
    np.testing.assert_allclose(found[:, 2], np.array([1, -3, 1, 1]) / 3**0.5, rtol=1e-6)
    np.testing.assert_allclose(found[:, 3], np.array([-3, -1, 1, 3]) / 5**0.5, rtol=1e-6)
    assert found[:, 4:7].tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 0, 0]]
    assert found[:, 7:].tolist() == [[1, 2], [3, 4], [5, 6], [7, 8]]
    assert [describe(c) for c in columns[5:]] == [
        "left out: no value", "left out: lists of different lengths"
    ]  # fmt: skip
    new = frame.assign(kind=["z", "b", "a", None])
    assert encode(new, columns, "x.csv")[:, 4:7].tolist() == [
        [0, 0, 1], [0, 1, 0], [1, 0, 0], [0, 0, 1]
    ]  # fmt: skip
    with pytest.raises(FileError, match=r"y\.csv has no column 'n', which the model was trained"):
        encode(frame.drop(columns="n"), columns, "y.csv")
    with pytest.raises(FileError, match=r"y\.csv, column 'n': expected a number, but "):
        encode(frame.assign(n="x"), columns, "y.csv")


def test_text_is_hashed_by_words() -> None:
    frame = pandas.DataFrame({"text": [f"word{i} Common" for i in range(60)]})
    columns = fit_columns(frame, ())
    found = encode(frame, columns, "x")
    assert found.shape == (60, 64) and columns[0]["kind"] == "text"
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, rtol=1e-5)
    turned = encode(frame.assign(text=[f"common WORD{i}!" for i in range(60)]), columns, "x")
    np.testing.assert_array_equal(found, turned)


@pytest.mark.parametrize(
    ("values", "task"),
    [
        (["a", "b"], "classification"),
        ([True, False], "classification"),
        ([3, 7, 7], "classification"),
        (list(range(300)), "classification"),
        (list(range(1, 300)), "regression"),
        ([0.5, 1.5], "regression"),
        ([1.0, np.nan, 2.0], "classification"),
    ],
)
def test_what_a_target_is_for(values: list, task: str) -> None:
    assert usual_task(pandas.DataFrame({"y": values}), ["y"]) == task


def test_what_several_targets_are_for() -> None:
    frame = pandas.DataFrame({"a": [0, 1], "b": [1, 0], "c": [0.5, 2]})
    assert usual_task(frame, ["a", "b"]) == "multilabel"
    assert usual_task(frame, ["a", "c"]) == "regression"


def test_given_splits() -> None:
    words = ["train", "Training", "valid", "test", None, ""]
    expected = {"train": [0, 1], "val": [2], "test": [3]}
    for name, frame in (
        (None, pandas.DataFrame({"split": words})),
        ("part", pandas.DataFrame({"part": words})),
        (None, pandas.DataFrame({f"{k}_mask": [i in v for i in range(6)]
                                 for k, v in expected.items()})),
    ):  # fmt: skip
        masks = given_masks(frame, name)
        assert {k: m[:, 0].nonzero().flatten().tolist() for k, m in masks.items()} == expected
    assert given_masks(pandas.DataFrame({"x": [1]}), None) is None
    with pytest.raises(FileError, match="Column 'split' holds 'mine'; it must hold train, val"):
        given_masks(pandas.DataFrame({"split": ["mine"]}), None)
    with pytest.raises(FileError, match="The table has no column 'part', only x"):
        given_masks(pandas.DataFrame({"x": [1]}), "part")


@pytest.mark.parametrize("count", [3, 7, 100])
def test_random_splits_keep_the_shares_of_classes(count: int) -> None:
    label = torch.cat([torch.zeros(count), torch.ones(2 * count), torch.full((5,), -1)]).long()
    masks = random_masks(label, seed=3)
    for value, size in ((0, count), (1, 2 * count)):
        sizes = [int((masks[part][:, 0] & (label == value)).sum()) for part in masks]
        assert sum(sizes) == size
        assert all(
            abs(n - size * share) <= 1 for n, share in zip(sizes, (0.6, 0.2, 0.2), strict=True)
        )
    assert not any(bool(mask[label < 0].any()) for mask in masks.values())


def test_names_of_types() -> None:
    assert edge_files(["a.csv"]) == {("_N", "_E", "_N"): "a.csv"}
    assert edge_files(["x=1/a.csv"]) == {("_N", "_E", "_N"): "x=1/a.csv"}
    assert node_files(["user=a=b.csv"]) == {"user": "a=b.csv"}
    with pytest.raises(InvalidValueError, match="--edges names two tables of type u:a:v"):
        edge_files(["u:a:v=1.csv", "u:a:v=2.csv"])
    with pytest.raises(InvalidValueError, match="--nodes names two tables of type _N"):
        node_files(["1.csv", "2.csv"])


def test_ids_that_are_numbers_here_and_text_there(folder: Path) -> None:
    (folder / "e.csv").write_text("source,destination\n1,2\n2,3\n")
    (folder / "n.csv").write_text("id,y\n1,a\n2,b\n3,a\nx,b\n")
    own = read_graph(resolve({"edges": ["e.csv"], "nodes": ["n.csv"]}))
    assert own.ids["_N"].tolist() == ["1", "2", "3", "x"]
    assert own.graph.num_nodes() == 4 and own.graph.num_edges() == 4


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("model", ["sage", "gcnii"])
def test_train_and_predict_new_people(folder: Path, model: str) -> None:
    argv = ["--edges", "edges.csv", "--nodes", "people.csv", "--target", "town", "--model", model]
    argv += ["--ignore", "height", "rich", "happy"]
    assert main(["train", *argv, *QUICK, "--out", "run"]) == 0
    metrics = json.loads((folder / "run/metrics.json").read_text())
    assert metrics["summary"]["test"]["mean"] > 0.9
    assert main(["predict", "run", "--out", "p.csv", "--quiet"]) == 0
    rows = _read(folder / "p.csv")
    assert [row["node"] for row in rows] == [f"p{i:02}" for i in range(60)]
    assert rows[11]["label"] == "" and rows[11]["predicted"] == "C" and rows[4]["label"] == "B"
    # New people, without a town, with a job that nobody had, columns in another order.
    (folder / "e2.csv").write_text("src,dst\nq1,q2\nq2,q3\n")
    (folder / "n2.csv").write_text(
        "motto,id,job,age\nsail number 3,q1,sailor,51\nsail,q2,sailor,\nsow,q3,smith,30\n"
    )
    new = ["predict", "run", "--edges", "e2.csv", "--nodes", "n2.csv", "--out", "q.csv", "--quiet"]
    assert main(new) == 0
    rows = _read(folder / "q.csv")
    assert [row["node"] for row in rows] == ["q1", "q2", "q3"]
    assert rows[0]["predicted"] == "C" and rows[0]["label"] == ""
    assert sum(float(rows[0][f"p_{town}"]) for town in "ABC") == pytest.approx(1)


@pytest.mark.parametrize(
    ("target", "metric", "columns"),
    [
        (["height"], "mae", ["node", "label", "predicted"]),
        (["rich", "happy"], "f1", ["node", "label_rich", "label_happy", "p_rich", "p_happy"]),
        (["height", "age"], "mae", ["node", "label_height", "label_age", "predicted_height",
                                    "predicted_age"]),
    ],
)  # fmt: skip
def test_values_and_labels(
    folder: Path, target: list[str], metric: str, columns: list[str]
) -> None:
    argv = ["--edges", "edges.csv", "--nodes", "people.csv", "--target", *target]
    argv += ["--ignore", "town", "--dropout", "0", *QUICK]
    assert main(["train", *argv, "--out", "run"]) == 0
    metrics = json.loads((folder / "run/metrics.json").read_text())
    assert metrics["metric"] == metric
    test = metrics["summary"]["test"]["mean"]
    assert test > 0.8 if metric == "f1" else test < 5
    assert (folder / "run/report.html").stat().st_size > 5000
    assert main(["predict", "run", "--out", "p.parquet", "--quiet"]) == 0
    assert pandas.read_parquet("p.parquet").columns.tolist() == columns


@pytest.mark.parametrize("target", ["height", "town"])
def test_unknown_labels_are_empty_or_null(folder: Path, target: str) -> None:
    people = pandas.read_csv("people.csv")
    people.loc[7, target] = None
    people.to_csv("people.csv", index=False)
    argv = ["--edges", "edges.csv", "--nodes", "people.csv", "--target", target]
    assert main(["train", *argv, *QUICK, "--epochs", "1", "--out", "run"]) == 0
    for name in ("p.csv", "p.parquet"):
        assert main(["predict", "run", "--out", name, "--quiet"]) == 0
    unknown = [label == "" for label in (row["label"] for row in _read(folder / "p.csv"))]
    assert unknown == people[target].isna().tolist() and unknown[7]
    assert pandas.read_parquet("p.parquet")["label"].isna().tolist() == unknown


def test_links(folder: Path, fails: Callable[..., str]) -> None:
    argv = ["--edges", "edges.csv", "--nodes", "people.csv", "--task", "links", *QUICK]
    assert main(["train", *argv, "--out", "run"]) == 0
    metrics = json.loads((folder / "run/metrics.json").read_text())
    assert metrics["metric"] == "roc_auc" and metrics["items"] == "links"
    report = re.sub("<[^>]+>", " ", (folder / "run/report.html").read_text())
    parts = re.findall(r"(?:training|validation|test) links\s+([\d,]+)", report)
    counts = [int(count.replace(",", "")) for count in parts]
    assert sum(counts) == metrics["graph"]["links"]
    assert list(metrics["parts"].values()) == counts
    assert main(["predict", "run", "--out", "p.csv", "--quiet"]) == 0
    assert list(_read(folder / "p.csv")[0]) == ["source", "destination", "label", "p_link"]
    new = ("predict", "run", "--edges", "edges.csv", "--nodes", "people.csv")
    assert "--dataset is not for tables" in fails(*new, "--dataset", "cora")
    assert "--raw-dir is not for tables" in fails(*new, "--raw-dir", ".")
    assert "not trained on whole graphs. Omit" in fails(*new, "--graphs", "people.csv")


def test_several_types_and_nodes_without_features(folder: Path) -> None:
    club = pandas.DataFrame({"person": [f"p{i:02}" for i in range(60)],
                             "club": [f"club {i % 3}" for i in range(60)]})  # fmt: skip
    club.to_csv("club.csv", index=False)
    argv = ["--edges", "person:friend:person=edges.csv", "person:in:club=club.csv"]
    argv += ["--nodes", "person=people.csv", "--target", "town", "--ignore", "motto", "job"]
    assert main(["train", *argv, *QUICK, "--out", "run"]) == 0
    config = json.loads((folder / "run/config.json").read_text())
    assert config["model"] == "rgcn" and config["dataset"] == "edges"
    assert json.loads((folder / "run/metrics.json").read_text())["summary"]["test"]["mean"] > 0.8
    assert main(["predict", "run", "--out", "p.csv", "--quiet"]) == 0
    assert len(_read(folder / "p.csv")) == 60


def test_new_nodes_need_features(folder: Path, fails: Callable[..., str]) -> None:
    argv = ["--edges", "u:a:v=edges.csv", "--nodes", "u=people.csv", "--target", "town"]
    assert main(["train", *argv, *QUICK, "--out", "run"]) == 0
    (folder / "e.csv").write_text("src,dst\np00,p01\n")
    line = fails("predict", "run", "--edges", "u:a:v=e.csv", "--nodes", "u=people.csv")
    assert "has a vector for each node of type v, which has no features" in line


def test_whole_graphs(folder: Path) -> None:
    rows = {"nodes": [], "edges": [], "graphs": []}
    for number in range(40):
        size, ring = 4 + number % 7, number % 2
        rows["graphs"].append((f"g{number}", "ring" if ring else "star"))
        rows["nodes"] += [(f"g{number}", i, i % 3) for i in range(size)]
        ends = [(i, (i + 1) % size if ring else 0) for i in range(1 - ring, size)]
        rows["edges"] += [(f"g{number}", i, j) for i, j in ends]
    names = {"nodes": "graph_id,id,x", "edges": "graph_id,src,dst", "graphs": "graph_id,shape"}
    for name, lines in rows.items():
        # Rows in any order.
        np.random.default_rng(0).shuffle(lines)
        text = "\n".join([names[name], *(",".join(map(str, line)) for line in lines)])
        (folder / f"{name}.csv").write_text(text + "\n")
    tables = ["--graphs", "graphs.csv", "--edges", "edges.csv", "--nodes", "nodes.csv"]
    given = {"graphs": "graphs.csv", "edges": ["edges.csv"], "nodes": ["nodes.csv"]}
    task = load_tables(resolve({**given, "target": ["shape"], "ignore": ["x"]}), CPU)
    assert isinstance(task, GraphTask) and len(task.graphs) == 40
    for name, label, graph in zip(task.ids, task.label, task.graphs, strict=True):
        size, ring = 4 + int(name[1:]) % 7, int(name[1:]) % 2
        assert graph.num_nodes() == size and int(label) == 1 - ring
        assert graph.num_edges() == 2 * (size if ring else size - 1)
    assert main(["train", *tables, "--target", "shape", *QUICK, "--out", "run"]) == 0
    assert json.loads((folder / "run/metrics.json").read_text())["summary"]["test"]["mean"] > 0.8
    assert main(["predict", "run", *tables, "--out", "p.csv", "--quiet"]) == 0
    found = _read(folder / "p.csv")
    assert [row["graph"] for row in found] == task.ids.tolist()
    assert np.mean([row["label"] == row["predicted"] for row in found]) > 0.8


def test_inspect_prints_what_it_understood(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tables = ["--edges", "edges.csv", "--nodes", "people.csv"]
    assert main(["inspect", *tables, "--target", "town", "--ignore", "happy"]) == 0
    out = capsys.readouterr().out
    for text in (
        "nodes              60",
        "columns of nodes (id: id)",
        "age                    number, mean 4",
        "job                    category: farmer, miner, sailor",
        "planet                 left out: the same value in all rows",
        "town                   the target",
        "not used: edges.csv: since",
        "to predict: town (classes of nodes, accuracy)",
        "without a label 1",
        "edge homophily: 1.000",
        "gossamer train --edges edges.csv --nodes people.csv --target town --ignore happy",
    ):
        assert text in out, text
    assert main(["inspect", "--edges", "edges.csv"]) == 0
    out = capsys.readouterr().out
    assert "a trainable vector for each node" in out and "Choose the column to predict" in out
    assert main(["inspect", *tables, "--target", "height"]) == 0
    assert "height: mean 1" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--edges", "no.csv", "--target", "x"], "There is no file 'no.csv'"),
        (["--edges", "."], "There is no file '.'"),
        (["--edges", "a.xlsx"], "'a.xlsx' ends in none of .csv, .tsv"),
        (["--edges", "bytes.csv"], "'bytes.csv' is not UTF-8 text"),
        (["--edges", "empty.csv"], "'empty.csv' has no rows"),
        (["--edges", "nothing.csv"], "Cannot read 'nothing.csv': No columns to parse"),
        (["--edges", "bad.parquet"], "Cannot read 'bad.parquet': "),
        (["--edges", "one.csv"], "one.csv needs two columns, for sources and destinations"),
        (["--edges", "edges.csv", "--source", "x"], "edges.csv has no column 'x', only src, dst"),
        (["--edges", "gap.csv", "--target", "town"], "gap.csv: 1 of "),
        (["--edges", "edges.csv"], "There is nothing to predict. Choose a column with --target"),
        (["--edges", "edges.csv", "--target", "x"], "There is no table with the column x"),
        (["--edges", "edges.csv", "--nodes", "people.csv", "--target", "planet"],
         "--target planet has 1 class; two are needed"),
        (["--edges", "edges.csv", "--nodes", "people.csv", "--target", "job", "--task",
          "regression"], "--target job must hold numbers"),
        (["--edges", "edges.csv", "--nodes", "people.csv", "--target", "age", "height", "--task",
          "multilabel"], "--task multilabel: age, height must hold 0 and 1 only"),
        (["--edges", "edges.csv", "--nodes", "people.csv", "--target", "job", "town", "--task",
          "classification"], "--target names 2 columns, and classification takes one"),
        (["--edges", "edges.csv", "--nodes", "people.csv", "--target", "x"],
         "No table of nodes has the column x, only id, age"),
        (["--edges", "u:a=edges.csv"], "Types are given as --nodes TYPE=FILE and --edges SOURCE:"),
        (["--edges", "edges.csv", "--nodes", "few.csv", "--target", "y"],
         "edges.csv: source 'p01' in row 4 is not in few.csv, and 58 others are not either"),
        (["--edges", "edges.csv", "--nodes", "twice.csv", "--target", "y"], "'p00' occurs twice"),
        (["--edges", "edges.csv", "--nodes", "u=people.csv", "--target", "town"],
         "--nodes has the type 'u', which no table of edges has. They have _N"),
        (["--nodes", "people.csv"], "'nodes' is people.csv, but your own tables need --edges"),
        (["--edges", "edges.csv", "--graphs", "people.csv", "--target", "town"],
         "--graphs needs one table of edges and one of nodes"),
    ],
)  # fmt: skip
def test_wrong_tables_are_one_line(
    folder: Path, fails: Callable[..., str], argv: list[str], message: str
) -> None:
    (folder / "a.xlsx").write_text("x")
    (folder / "bytes.csv").write_bytes(b"src,dst\n\xff,\xfe\n")
    (folder / "empty.csv").write_text("src,dst\n")
    (folder / "nothing.csv").write_text("")
    (folder / "bad.parquet").write_bytes(b"PAR1xxxx")
    (folder / "one.csv").write_text("src\n1\n")
    (folder / "gap.csv").write_text("src,dst\np00,p01\np02,\n")
    (folder / "few.csv").write_text("id,y\np00,a\n")
    (folder / "twice.csv").write_text("id,y\np00,a\np00,b\n")
    line = fails("train", *argv)
    assert line.startswith("gossamer train: error: ") and message in line, line
    assert not (folder / "runs").exists()
