"""Wiki-CS: one JSON file."""

from __future__ import annotations

import numpy as np

from gossamer.data._build import node_graph
from gossamer.data.catalogue.entry import Contents
from gossamer.data.raw import RawFolder
from gossamer.data.readers._checks import array, labels, member, read_json, within
from gossamer.data.readers.npz import compact
from gossamer.transforms import to_bidirected

_MASKS = {
    "train_mask": "train_masks",
    "val_mask": "val_masks",
    "stopping_mask": "stopping_masks",
    "test_mask": "test_mask",
}


def wiki_cs(raw: RawFolder) -> Contents:
    """Read ``data.json``: features, labels, neighbors of each node, and masks."""
    path = raw.path("data.json")
    content = read_json(path, dict)
    label = labels(path, member(path, content, "labels"), len(member(path, content, "labels")))
    count = len(label)
    links = member(path, content, "links")
    lengths = [len(neighbors) for neighbors in links]
    flat = array(path, [n for neighbors in links for n in neighbors], "iu", (None,), "links")
    source = np.repeat(np.arange(len(links)), lengths)
    within(path, source, count, "node")
    g = to_bidirected(node_graph(source, within(path, flat, count, "node"), count, {}))
    features = array(path, member(path, content, "features"), "fiu", (count, None), "features")
    masks = {name: np.asarray(member(path, content, key)).T for name, key in _MASKS.items()}
    for name, mask in masks.items():
        shape = (count,) if mask.ndim == 1 else (count, None)
        masks[name] = array(path, mask, "b", shape, name)
    g = node_graph(
        *(ids.numpy() for ids in g.edges()),
        count,
        {"feat": features.astype(np.float32), "label": label, **masks},
    )
    return Contents([compact(g)], info={"num_classes": 10})
