"""Protein-protein interactions: several graphs in one node-link JSON file."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gossamer.data._build import GraphPieces, graph_pieces
from gossamer.data.catalogue.entry import Contents
from gossamer.data.raw import RawFolder
from gossamer.data.readers._checks import array, corrupt, member, read_json, read_npy, within


def ppi(raw: RawFolder, mode: str) -> Contents:
    """Read ``<mode>_graph.json``, ``_feats.npy``, ``_labels.npy`` and ``_graph_id.npy``."""
    path = raw.path(f"{mode}_graph.json")
    content = read_json(path, dict)
    count = len(member(path, content, "nodes"))
    links = content.get("links", content.get("edges"))
    if links is None:
        raise corrupt(path, "it has no 'links'")
    try:
        ends = np.array([(link["source"], link["target"]) for link in links]).reshape(-1, 2)
    except (TypeError, KeyError, ValueError) as error:
        raise corrupt(path, f"a link has no source and target ({error})") from None
    ends = within(path, array(path, ends, "iu", (None, 2), "links"), count, "node")
    arrays = {}
    for part, shape in (
        ("feats", (count, None)),
        ("labels", (count, None)),
        ("graph_id", (count,)),
    ):
        file = raw.path(f"{mode}_{part}.npy")
        arrays[part] = array(file, read_npy(file), "fiub", shape, part)
    return Contents(_split(path, ends, arrays), info={"num_labels": int(arrays["labels"].shape[1])})


def _split(path: Path, ends: np.ndarray, arrays: dict[str, np.ndarray]) -> GraphPieces:
    """Return one graph per graph id, in ascending order; nodes keep their order."""
    ids, owner = np.unique(arrays["graph_id"], return_inverse=True)
    if (owner[ends[:, 0]] != owner[ends[:, 1]]).any():
        raise corrupt(path, "a link joins two graphs")
    order = owner.argsort(kind="stable")
    new = np.empty_like(order)
    new[order] = np.arange(len(order))
    # Adjacency order: by source, then by target.
    ends = new[ends]
    source, target = ends[np.lexsort((ends[:, 1], ends[:, 0]))].T
    features = {
        "feat": arrays["feats"][order].astype(np.float32),
        "label": arrays["labels"][order].astype(np.float32),
    }
    num_nodes = np.bincount(owner, minlength=len(ids))
    num_edges = np.bincount(owner[order][source], minlength=len(ids))
    return graph_pieces(source, target, num_nodes, num_edges, features, {})
