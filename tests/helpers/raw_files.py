"""Small datasets in the raw formats of the public ones, to test loaders without those."""

from __future__ import annotations

import pickle
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse

KNOWN, TRAIN, WORDS, CLASSES = 520, 6, 8, 3
TEST_INDEX = (524, 520, 521, 523)  # node 522 is in no file, as 15 of Citeseer's are


def planetoid_parts(seed: int = 0) -> dict[str, Any]:
    """What the files of a small citation network hold: 525 nodes, 8 words, 3 classes."""
    rng = np.random.default_rng(seed)

    def words(rows: int) -> scipy.sparse.csr_matrix:
        return scipy.sparse.csr_matrix(rng.integers(0, 2, (rows, WORDS)).astype(np.float32))

    def one_hot(rows: int) -> np.ndarray:
        return np.eye(CLASSES, dtype=np.int32)[rng.integers(0, CLASSES, rows)]

    allx, ally = words(KNOWN), one_hot(KNOWN)
    graph = defaultdict(list)
    for node in range(KNOWN + 5):
        graph[node] = [int(n) for n in rng.integers(0, KNOWN + 5, rng.integers(0, 4))]
    return {
        "x": allx[:TRAIN],
        "y": ally[:TRAIN],
        "tx": words(len(TEST_INDEX)),
        "ty": one_hot(len(TEST_INDEX)),
        "allx": allx,
        "ally": ally,
        "graph": graph,
    }


def write_planetoid(
    folder: Path, name: str = "cora", parts: dict[str, Any] | None = None, protocol: int = 4
) -> dict[str, Any]:
    """Write ``ind.<name>.*`` into `folder`; return what they hold."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = parts or planetoid_parts()
    for part, value in parts.items():
        (folder / f"ind.{name}.{part}").write_bytes(pickle.dumps(value, protocol=protocol))
    (folder / f"ind.{name}.test.index").write_text("".join(f"{n}\n" for n in TEST_INDEX))
    return parts


def heterophilous_arrays() -> dict[str, np.ndarray]:
    """What the npz of a small heterophilous graph holds: 6 nodes, 5 edges, 10 splits."""
    rng = np.random.default_rng(0)
    part = np.stack([rng.permutation([0, 0, 1, 1, 2, 2]) for _ in range(10)])
    return {
        "node_features": rng.random((6, 4)).astype(np.float32),
        "node_labels": np.array([0, 1, 2, 0, 1, 2]),
        "edges": np.array([[0, 1], [3, 2], [5, 0], [1, 4], [2, 5]]),
        "train_masks": part == 0,
        "val_masks": part == 1,
        "test_masks": part == 2,
    }
