"""Molecules with quantum-chemical properties: QM7b and QM9."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from gossamer.data._build import graph_pieces
from gossamer.data._files import read_npz
from gossamer.data.catalogue.entry import Contents
from gossamer.data.raw import RawFolder
from gossamer.data.readers._checks import array, corrupt
from gossamer.data.readers._mat import read_mat
from gossamer.errors import InvalidValueError

QM9_EDGE_KEYS = [
    "mu",
    "alpha",
    "homo",
    "lumo",
    "gap",
    "r2",
    "zpve",
    "U0",
    "U",
    "H",
    "G",
    "Cv",
    "U0_atom",
    "U_atom",
    "H_atom",
    "G_atom",
    "A",
    "B",
    "C",
]


def qm7b(raw: RawFolder) -> Contents:
    """Read ``qm7b.mat``: each entry of the Coulomb matrix is an edge with feature ``h``."""
    path = raw.path("qm7b.mat")
    matrices, targets = read_mat(path, ("X", "T"))
    matrices = array(path, matrices, "f", (None, None, None), "X")
    targets = array(path, targets, "f", (len(matrices), None), "T").astype(np.float32)
    molecule, source, target = np.nonzero(matrices)
    num_edges = np.bincount(molecule, minlength=len(matrices))
    # Atoms come first, rows of padding last.
    num_nodes = np.zeros(len(matrices), dtype=np.int64)
    np.maximum.at(num_nodes, molecule, np.maximum(source, target) + 1)
    offset = (num_nodes.cumsum() - num_nodes)[molecule]
    strength = matrices[molecule, source, target].astype(np.float32)[:, None]
    graphs = graph_pieces(
        source + offset, target + offset, num_nodes, num_edges, {}, {"h": strength}
    )
    return Contents(graphs, {"label": torch.from_numpy(targets)})


def qm9(raw: RawFolder, label_keys: Sequence[str], cutoff: float) -> Contents:
    """Read ``qm9_eV.npz``; add edges between atoms at most `cutoff` Angstrom apart."""
    path = raw.path("qm9_eV.npz")
    arrays = read_npz(path, ["N", "R", "Z", *label_keys])
    sizes = _sizes(path, arrays["N"], "N")
    total = int(sizes.sum())
    position = array(path, arrays["R"], "f", (total, 3), "R").astype(np.float32)
    element = array(path, arrays["Z"], "iu", (total,), "Z").astype(np.int64)
    label = np.stack(
        [array(path, arrays[key], "f", (len(sizes),), key) for key in label_keys], axis=1
    ).astype(np.float32)
    source, target, num_edges = _near(position, sizes, cutoff)
    graphs = graph_pieces(source, target, sizes, num_edges, {"R": position, "Z": element}, {})
    return Contents(graphs, {"label": torch.from_numpy(label)})


def qm9_edge(raw: RawFolder, label_keys: Sequence[str] | None) -> Contents:
    """Read ``qm9_edge.npz``: bonds with features, atoms with features and positions."""
    path = raw.path("qm9_edge.npz")
    names = ("n_node", "n_edge", "node_attr", "node_pos", "edge_attr", "src", "dst", "targets")
    arrays = read_npz(path, names)
    num_nodes, num_edges = (_sizes(path, arrays[key], key) for key in ("n_node", "n_edge"))
    nodes, edges = int(num_nodes.sum()), int(num_edges.sum())
    targets = array(path, arrays["targets"], "f", (len(num_nodes), len(QM9_EDGE_KEYS)), "targets")
    offset = np.repeat(num_nodes.cumsum() - num_nodes, num_edges)
    limit = np.repeat(num_nodes, num_edges)
    ends = []
    for key in ("src", "dst"):
        end = array(path, arrays[key], "iu", (edges,), key).astype(np.int64)
        if ((end < 0) | (end >= limit)).any():
            raise corrupt(path, f"{key} names an atom that its molecule does not have")
        ends.append(end + offset)
    ndata = {
        "pos": array(path, arrays["node_pos"], "f", (nodes, 3), "node_pos").astype(np.float32),
        "attr": array(path, arrays["node_attr"], "f", (nodes, None), "node_attr").astype(
            np.float32
        ),
    }
    bond = array(path, arrays["edge_attr"], "f", (edges, None), "edge_attr").astype(np.float32)
    graphs = graph_pieces(*ends, num_nodes, num_edges, ndata, {"edge_attr": bond})
    columns = [QM9_EDGE_KEYS.index(key) for key in label_keys or QM9_EDGE_KEYS]
    label = torch.from_numpy(targets[:, columns].astype(np.float32))
    if label_keys is None:
        # As in DGL 2.1.0: the label of a graph is (1, 19).
        label = label[:, None]
    return Contents(graphs, {"label": label})


def check_keys(who: str, keys: Sequence[str], known: Sequence[str]) -> None:
    """Raise InvalidValueError if a key is unknown, or there are no keys."""
    wrong = [key for key in keys if key not in known]
    if wrong or not keys:
        found = f"'{wrong[0]}'" if wrong else "none"
        raise InvalidValueError(f"{who}: label_keys has {found}. Choose among {', '.join(known)}.")


def _sizes(path: Path, sizes: np.ndarray, what: str) -> np.ndarray:
    sizes = array(path, sizes, "iu", (None,), what).astype(np.int64)
    if len(sizes) and sizes.min() < 0:
        raise corrupt(path, f"{what} holds a negative size")
    return sizes


def _near(
    position: np.ndarray, sizes: np.ndarray, cutoff: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return pairs of different atoms of one molecule within the cutoff, by source, then target.

    Molecules of the same size are handled together.
    """
    first = sizes.cumsum() - sizes
    sources, targets, molecules = [], [], []
    for size in np.unique(sizes):
        which = np.flatnonzero(sizes == size)
        atoms = first[which, None] + np.arange(size)
        place = position[atoms]
        distance = np.linalg.norm(place[:, :, None] - place[:, None], axis=-1)
        molecule, u, v = np.nonzero((distance <= cutoff) & ~np.eye(size, dtype=bool))
        sources.append(atoms[molecule, u])
        targets.append(atoms[molecule, v])
        molecules.append(which[molecule])
    empty = np.zeros(0, dtype=np.int64)
    source, target, molecule = (
        np.concatenate([empty, *found]) for found in (sources, targets, molecules)
    )
    order = source.argsort(kind="stable")
    return source[order], target[order], np.bincount(molecule, minlength=len(sizes))
