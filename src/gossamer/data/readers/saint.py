"""The files of GraphSAINT: Flickr and Yelp."""

from __future__ import annotations

import numpy as np

from gossamer.data._build import index_mask, node_graph
from gossamer.data.catalogue.entry import Contents
from gossamer.data.raw import RawFolder
from gossamer.data.readers._checks import (
    array,
    corrupt,
    labels,
    member,
    read_json,
    read_npy,
    within,
)
from gossamer.data.readers._sparse import read_sparse
from gossamer.data.readers.npz import compact

_ROLES = {"train_mask": "tr", "val_mask": "va", "test_mask": "te"}


def saint(raw: RawFolder, num_classes: int, reorder: bool) -> Contents:
    """Read ``adj_full.npz``, ``feats.npy``, ``class_map.json`` and ``role.json``.

    If the class map has lists, they contain 0 or 1 for each of several labels.
    """
    adjacency = read_sparse(raw.path("adj_full.npz"))
    count = adjacency.shape[0]
    path = raw.path("feats.npy")
    features = array(path, read_npy(path), "fiu", (count, None), "features").astype(np.float32)
    g = node_graph(
        adjacency.row,
        adjacency.column,
        count,
        {"feat": features, "label": _classes(raw, count), **_masks(raw, count)},
    )
    return Contents([compact(g) if reorder else g], info={"num_classes": num_classes})


def _classes(raw: RawFolder, count: int) -> np.ndarray:
    path = raw.path("class_map.json")
    classes = read_json(path, dict)
    values = [member(path, classes, str(node)) for node in range(count)]
    if values and isinstance(values[0], list):
        return array(path, values, "biu", (count, None), "the label of a node").astype(np.int64)
    return labels(path, values, count)


def _masks(raw: RawFolder, count: int) -> dict[str, np.ndarray]:
    path = raw.path("role.json")
    roles = read_json(path, dict)
    parts = {
        name: within(path, array(path, member(path, roles, role), "iu", (None,), role), count, role)
        for name, role in _ROLES.items()
    }
    if len(np.unique(np.concatenate(list(parts.values())))) != sum(map(len, parts.values())):
        raise corrupt(path, "a node has several roles")
    return {name: index_mask(part, count) for name, part in parts.items()}
