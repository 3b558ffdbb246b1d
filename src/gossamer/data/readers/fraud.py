"""Reviews of Yelp and users of Amazon: three relations over the nodes of a MATLAB file."""

from __future__ import annotations

import numpy as np
import torch

from gossamer._optional import optional_import
from gossamer.data._build import MASKS, index_mask
from gossamer.data.catalogue.entry import Contents
from gossamer.data.raw import RawFolder
from gossamer.data.readers._checks import array, corrupt, labels
from gossamer.data.readers._mat import read_mat
from gossamer.graph import heterograph

# The first users of Amazon have no verified class.
_UNLABELLED = {"Amazon.mat": 3305}


def fraud(
    raw: RawFolder,
    file: str,
    ntype: str,
    relations: tuple[str, ...],
    seed: int,
    train_size: float,
    val_size: float,
) -> Contents:
    """Read features and classes, and draw a random split of the labeled nodes."""
    sparse = optional_import("scipy.sparse", "Reading a fraud dataset")
    path = raw.path(file)
    features, label, *matrices = read_mat(path, ("features", "label", *relations))
    dense = features.toarray() if sparse.issparse(features) else features
    count = dense.shape[0]
    dense = array(path, dense, "fiu", (count, None), "features").astype(np.float32)
    label = labels(path, np.ravel(label), count)
    edges = {}
    for name, matrix in zip(relations, matrices, strict=True):
        if not sparse.issparse(matrix) or matrix.shape != (count, count):
            raise corrupt(path, f"{name} is not a sparse matrix of {count} rows and columns")
        # By column, then by row: the order of the file.
        entries = matrix.tocsc().tocoo()
        ends = (entries.row, entries.col)
        edges[ntype, name, ntype] = tuple(torch.from_numpy(end.astype(np.int64)) for end in ends)
    g = heterograph(edges, {ntype: count})
    g.nodes[ntype].data["feature"] = torch.from_numpy(dense)
    g.nodes[ntype].data["label"] = torch.from_numpy(label)
    first = min(_UNLABELLED.get(file, 0), count)
    for name, mask in zip(MASKS, _split(count, first, seed, train_size, val_size), strict=True):
        g.nodes[ntype].data[name] = torch.from_numpy(mask)
    return Contents([g], info={"num_classes": 2})


def _split(
    count: int, first: int, seed: int, train_size: float, val_size: float
) -> list[np.ndarray]:
    """Return the masks of a random split of nodes first ... count-1."""
    order = np.random.RandomState(seed).permutation(np.arange(first, count))
    train = int(train_size * len(order))
    val = int(val_size * len(order))
    # The last nodes are for validation, those in between for testing.
    train_part, test_part, val_part = np.split(order, [train, max(train, len(order) - val)])
    return [index_mask(part, count) for part in (train_part, val_part, test_part)]
