"""Datasets from raw files that the tests write, beside what DGL 2.1.0 makes of the same files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import gossamer.data
from helpers.dataset_cases import CASES, Case, describe

ANSWERS = json.loads((Path(__file__).parent / "golden" / "datasets.json").read_text("utf-8"))
# The attributes of edges, which DGL has under the name of the labels of nodes only.
OURS = ("edge_attr",)
# Leftovers of how DGL builds the graphs: ids before a subgraph or a reordering.
LEFTOVERS = ("__orig__", "_ID", *OURS)
# Facts that only one of the two tells.
OTHER_FACTS = ("num_labels", "num_classes")


def _load(case: Case, folder: Path) -> Any:
    return getattr(gossamer.data, case.dataset)(**case.arguments, raw_dir=str(folder))


def _clean(item: Any) -> Any:
    """An item without the features that only one of the two has."""
    if isinstance(item, dict) and "nodes" in item:
        nodes = {k: [n, _kept(data)] for k, (n, data) in item["nodes"].items()}
        edges = {k: [n, ends, _kept(data)] for k, (n, ends, data) in item["edges"].items()}
        return {"nodes": nodes, "edges": edges}
    return item


def _kept(features: dict[str, str]) -> dict[str, str]:
    return {key: value for key, value in features.items() if key not in LEFTOVERS}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_as_dgl_reads_them(case: Case, tmp_path: Path) -> None:
    case.write(tmp_path)
    expected = ANSWERS[case.name]
    found = json.loads(json.dumps(describe(_load(case, tmp_path))))
    assert found["length"] == expected["length"]
    facts = {**found["facts"], **expected["facts"]}
    assert {key: facts[key] for key in found["facts"]} == found["facts"]
    assert set(expected["facts"]) - set(found["facts"]) <= set(OTHER_FACTS)
    for mine, theirs in zip(found["items"], expected["items"], strict=True):
        assert [_clean(part) for part in mine] == [_clean(part) for part in theirs]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_cache_gives_the_same(case: Case, tmp_path: Path) -> None:
    case.write(tmp_path)
    first, second = _load(case, tmp_path), _load(case, tmp_path)
    assert describe(first) == describe(second)
