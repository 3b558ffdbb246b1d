"""Datasets of tables: what DGL 2.1.0 makes of the same files, Parquet, and malformed files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from gossamer.data import CSVDataset, ParquetDataset
from gossamer.errors import FileError, InvalidTypeError

META = "dataset_name: t\nedge_data:\n- file_name: e.csv\nnode_data:\n- file_name: n.csv\n"
ONE = {
    "meta.yaml": META,
    "e.csv": 'src_id,dst_id,w,feat\n4,0,1,"0.5,0.25"\n0,2,2,"0.75,1"\n2,4,3,"2,3"\n',
    "n.csv": "node_id,label,x,feat,train_mask\n"
    '2,1,0.5,"1,2",True\n0,0,1.5,"3,4",False\n4,1,2.5,"5,6",True\n',
}
TYPED = {
    "meta.yaml": "dataset_name: t\nedge_data:\n- file_name: e1.csv\n  etype: [user, f, user]\n"
    "- file_name: e2.csv\n  etype: [user, l, item]\nnode_data:\n- file_name: n1.csv\n"
    "  ntype: user\n- file_name: n2.csv\n  ntype: item\n",
    "e1.csv": "src_id,dst_id,w\na,b,1\nb,a,2\n",
    "e2.csv": "src_id,dst_id\na,x\nb,y\n",
    "n1.csv": "node_id,label\na,0\nb,1\n",
    "n2.csv": 'node_id,feat\ny,"1,2"\nx,"3,4"\n',
}
SEVERAL = {
    "meta.yaml": META + "graph_data:\n  file_name: g.csv\n",
    "e.csv": "graph_id,src_id,dst_id,feat\n0,0,1,0.5\n1,1,0,0.25\n1,0,1,0.75\n",
    "n.csv": "graph_id,node_id,feat\n0,0,1\n0,1,2\n1,0,3\n1,1,4\n",
    "g.csv": 'graph_id,label,feat\n0,0,"1,2"\n1,1,"3,4"\n',
}


def _write(folder: Path, files: dict[str, str], **changes: str) -> str:
    for name, text in {**files, **{k.replace("_", "."): v for k, v in changes.items()}}.items():
        (folder / name).write_text(text)
    return str(folder)


def _load(folder: Path, files: dict[str, str], **changes: str) -> CSVDataset:
    return CSVDataset(_write(folder, files, **changes), verbose=False)


def test_one_graph(tmp_path: Path) -> None:
    dataset = _load(tmp_path, ONE)
    g = dataset[0]
    assert (len(dataset), dataset.name, g.ntypes, g.etypes) == (1, "t", ["_V"], ["_E"])
    # Nodes in the order of their ids, edges in the order of the file: as in DGL.
    assert [end.tolist() for end in g.edges(order="eid")] == [[2, 0, 1], [0, 1, 2]]
    assert g.ndata["label"].equal(torch.tensor([0, 1, 1]))
    assert g.ndata["x"].equal(torch.tensor([1.5, 0.5, 2.5]))
    assert g.ndata["feat"].equal(torch.tensor([[3, 4], [1, 2], [5, 6]]))
    assert g.ndata["train_mask"].equal(torch.tensor([False, True, True]))
    assert g.edata["w"].equal(torch.tensor([1, 2, 3]))
    assert g.edata["feat"].equal(torch.tensor([[0.5, 0.25], [0.75, 1], [2, 3]]))


def test_the_cache_is_used_and_made_anew(tmp_path: Path) -> None:
    _load(tmp_path, ONE)
    (cache,) = (tmp_path / "t").glob("*.graphs")
    written = cache.stat().st_mtime_ns
    assert _load(tmp_path, ONE)[0].num_edges() == 3
    assert cache.stat().st_mtime_ns == written
    with pytest.warns(UserWarning, match="the raw files in .* have changed"):
        dataset = _load(tmp_path, ONE, e_csv="src_id,dst_id\n0,2\n")
    assert dataset[0].num_edges() == 1


def test_types(tmp_path: Path) -> None:
    g = _load(tmp_path, TYPED)[0]
    assert g.nodes["item"].data["feat"].tolist() == [[3, 4], [1, 2]]
    assert [end.tolist() for end in g.edges(etype="f")] == [[0, 1], [1, 0]]
    assert [end.tolist() for end in g.edges(etype="l")] == [[0, 1], [0, 1]]
    assert g.edges["f"].data["w"].tolist() == [1, 2]


def test_several_graphs(tmp_path: Path) -> None:
    dataset = _load(tmp_path, SEVERAL)
    (first, values), (second, _) = dataset[0], dataset[1]
    assert {key: value.tolist() for key, value in values.items()} == {"label": [0], "feat": [1, 2]}
    assert dataset.data["label"].tolist() == [[0], [1]]
    assert first.ndata["feat"].tolist() == [1, 2]
    assert [end.tolist() for end in second.edges(order="eid")] == [[1, 0], [0, 1]]
    assert second.edata["feat"].tolist() == [0.25, 0.75]


def test_one_value_is_returned_as_it_is_and_graphs_may_be_empty(tmp_path: Path) -> None:
    dataset = _load(tmp_path, SEVERAL, g_csv="graph_id,label\n0,5\n1,6\n2,7\n")
    g, label = dataset[2]
    assert (g.num_nodes(), g.num_edges(), label.tolist()) == (0, 0, [7])


def test_separator_and_names_of_columns(tmp_path: Path) -> None:
    meta = (
        'dataset_name: t\nseparator: "\\t"\nedge_data:\n- file_name: e.csv\n  src_id_field: a\n'
        "  dst_id_field: b\nnode_data:\n- file_name: n.csv\n  node_id_field: c\n"
    )
    files = {"meta.yaml": meta, "e.csv": "a\tb\n5\t9\n", "n.csv": "c\tf\n5\t1\n9\t2\n"}
    g = _load(tmp_path, files)[0]
    assert (g.edges()[1].tolist(), g.ndata["f"].tolist(), list(g.ndata)) == ([1], [1, 2], ["f"])


def test_parsers(tmp_path: Path) -> None:
    def double(frame: Any) -> dict:
        return {"k": 2 * np.array(frame["label"])}

    dataset = CSVDataset(_write(tmp_path, ONE), verbose=False, ndata_parser=double)
    assert dataset[0].ndata["k"].tolist() == [0, 2, 2]
    assert not list(tmp_path.glob("t/*")), "no cache, since a parser cannot be told apart"
    with pytest.raises(InvalidTypeError, match="must return a dict, got list"):
        CSVDataset(str(tmp_path), verbose=False, ndata_parser=lambda frame: [])


def test_parsers_by_type(tmp_path: Path) -> None:
    dataset = CSVDataset(
        _write(tmp_path, TYPED),
        verbose=False,
        ndata_parser={"user": lambda frame: {"k": np.array(frame["label"])}},
        edata_parser={("user", "f", "user"): lambda frame: {"q": np.array(frame["w"])}},
    )
    g = dataset[0]
    assert list(g.nodes["user"].data) == ["k"]
    assert list(g.nodes["item"].data) == ["feat"]
    assert g.edges["f"].data["q"].tolist() == [1, 2]


def test_parquet(tmp_path: Path) -> None:
    nodes = pd.DataFrame({"node_id": [7, 3], "x": [0.5, 1.5], "feat": [[1.0, 2.0], [3.0, 4.0]]})
    nodes.to_parquet(tmp_path / "n.parquet")
    pd.DataFrame({"src_id": [7], "dst_id": [3]}).to_parquet(tmp_path / "e.parquet")
    (tmp_path / "meta.yaml").write_text(META.replace("csv", "parquet"))
    g = ParquetDataset(str(tmp_path), verbose=False)[0]
    assert [end.tolist() for end in g.edges()] == [[1], [0]]
    assert g.ndata["feat"].equal(torch.tensor([[3.0, 4.0], [1.0, 2.0]]))


MALFORMED = {
    "no such column": (ONE, {"n_csv": "id,x\n0,1\n"}, "n.csv has no column 'node_id', only 'id'"),
    "empty id": (ONE, {"n_csv": "node_id,x\n0,1\n,2\n"}, "n.csv: line 3: 'node_id' is empty"),
    "id twice": (ONE, {"n_csv": "node_id\n0\n2\n0\n4\n"}, "n.csv: line 4: 'node_id' 0 occurs"),
    "unknown id": (ONE, {"e_csv": "src_id,dst_id\n0,2\n9,0\n"}, "line 3: 'src_id' 9 is no node"),
    "text": (ONE, {"n_csv": "node_id,s\n0,a\n2,b\n4,c\n"}, "column 's', row 0: 'a' is not a num"),
    "ragged": (ONE, {"n_csv": 'node_id,s\n0,"1,2"\n2,"1"\n4,"1,2"\n'}, "row 1 has 1 numbers"),
    "no value": (ONE, {"n_csv": "node_id,y\n0,1\n4,2\n2,\n"}, "n.csv: line 4: 'y' has no value"),
    "short row": (ONE, {"e_csv": "src_id,dst_id,w\n0,2,1\n2,0\n"}, "e.csv: line 3: 'w' has no"),
    "long rows": (ONE, {"e_csv": "src_id,dst_id\n0,2,7\n2,0,7\n"}, "e.csv: line 2 has more values"),
    "ragged rows": (ONE, {"e_csv": "src_id,dst_id\n0,2\n1,2,3,4\n"}, "e.csv: .*line 3"),
    "no edges": (ONE, {"meta_yaml": "dataset_name: t\nnode_data: []\n"}, "lacks the key 'edge_d"),
    "unknown key": (ONE, {"meta_yaml": META + "edge_dat: 1\n"}, "unknown key 'edge_dat'"),
    "key in table": (ONE, {"meta_yaml": META + "  src_field: a\n"}, "'src_field' in node_data"),
    "not yaml": (ONE, {"meta_yaml": "a: [1"}, "meta.yaml is not YAML"),
    "no dict": (ONE, {"meta_yaml": "5"}, "expected keys and values, got int"),
    "escape": (ONE, {"meta_yaml": META.replace("n.csv", "../n.csv")}, "must lie in the folder"),
    "name": (ONE, {"meta_yaml": META.replace("name: t", "name: ../t", 1)}, "name of a folder"),
    "version": (ONE, {"meta_yaml": META + "version: 2.0\n"}, "version 2.0 is not known"),
    "etype": (TYPED, {"meta_yaml": TYPED["meta.yaml"].replace("[user, f, user]", "f")}, "list of"),
    "no type": (
        TYPED,
        {"meta_yaml": TYPED["meta.yaml"].replace("  ntype: item\n", "")},
        "lacks the key 'ntype' in node_data",
    ),
    "unknown type": (
        TYPED,
        {"meta_yaml": TYPED["meta.yaml"].replace("l, item", "l, thing")},
        "joins nodes of type 'thing', and meta.yaml has only user, item",
    ),
    "graph missing": (SEVERAL, {"g_csv": "graph_id,y\n0,1\n"}, "g.csv: it lacks graph 1"),
    "graph twice": (SEVERAL, {"g_csv": "graph_id,y\n0,1\n1,1\n1,1\n"}, "graph 1 occurs twice"),
    "no graph table": (SEVERAL, {"meta_yaml": META}, "no graph_data, and the tables hold 2 graphs"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed(tmp_path: Path, name: str) -> None:
    files, changes, message = MALFORMED[name]
    with pytest.raises(FileError, match=message):
        _load(tmp_path, files, **changes)


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"no file .*meta\.yaml"):
        CSVDataset(str(tmp_path / "nothing"))
