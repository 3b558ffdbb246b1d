"""BA-2motifs: a pickle of dense arrays."""

from __future__ import annotations

import numpy as np
import torch

from gossamer.data._build import graph_pieces
from gossamer.data._pickles import load_values
from gossamer.data.catalogue.entry import Contents
from gossamer.data.raw import RawFolder
from gossamer.data.readers._checks import array, corrupt


def ba2motif(raw: RawFolder) -> Contents:
    """Read ``BA-2motif.pkl``: adjacencies, features and one-hot classes of all graphs."""
    path = raw.path("BA-2motif.pkl")
    content = load_values(path)
    if not isinstance(content, tuple | list) or len(content) != 3:
        raise corrupt(path, "expected adjacencies, features and classes")
    adjacency, features, label = content
    adjacency = array(path, adjacency, "fiub", (None, None, None), "the first array")
    count, size, _ = adjacency.shape
    features = array(path, features, "f", (count, size, None), "the second array")
    label = array(path, label, "fiub", (count, 2), "the third array")
    number, source, target = np.nonzero(adjacency)
    if count and adjacency.shape[2] != size:
        raise corrupt(path, f"the adjacencies have shape {adjacency.shape[1:]}")
    graphs = graph_pieces(
        source + size * number,
        target + size * number,
        np.full(count, size),
        np.bincount(number, minlength=count),
        {"feat": features.reshape(count * size, -1)},
        {},
    )
    return Contents(graphs, {"label": torch.from_numpy(label.astype(np.int64))})
