"""Graphs that dgllife builds of molecules, described so that two libraries can be compared.

A program for DGL, run unchanged on either. Where DGL 2.1.0, dgllife 0.3.2 and RDKit are installed::

    python tests/compat/dgllife_graphs.py MOLECULENET_FOLDER > tests/compat/golden/dgllife.json

and in an environment with Gossamer, dgllife (``pip install --no-deps dgllife==0.3.2``) and RDKit::

    python -m gossamer.compat.dgl tests/compat/dgllife_graphs.py MOLECULENET_FOLDER

Molecules are named by file and row; of edges and features there are digests, not the data.
"""

from __future__ import annotations

import csv
import hashlib
import json
import sys
from pathlib import Path

import dgl
import numpy as np
import torch
from dgllife.utils import (
    AttentiveFPAtomFeaturizer,
    AttentiveFPBondFeaturizer,
    CanonicalAtomFeaturizer,
    CanonicalBondFeaturizer,
    MolToBigraph,
    PAGTNAtomFeaturizer,
    PAGTNEdgeFeaturizer,
    PretrainAtomFeaturizer,
    PretrainBondFeaturizer,
    WeaveAtomFeaturizer,
    WeaveEdgeFeaturizer,
    mol_to_complete_graph,
    mol_to_nearest_neighbor_graph,
    smiles_to_bigraph,
)
from rdkit import Chem, RDLogger

FILES = ["delaney-processed", "BBBP", "Lipophilicity", "clintox", "tox21"]
PER_FILE = 8


def molecules(folder: Path) -> dict[str, str]:
    """SMILES of rows spread evenly over each file, by ``file:row``."""
    found = {}
    for name in FILES:
        with (folder / f"{name}.csv").open(newline="") as stream:
            rows = [row["smiles"].strip() for row in csv.DictReader(stream)]
        for row in range(0, len(rows), len(rows) // PER_FILE):
            molecule = Chem.MolFromSmiles(rows[row])
            # Some rows cannot be parsed; some have an atom "*", which not every featurizer takes.
            if molecule is not None and all(a.GetAtomicNum() for a in molecule.GetAtoms()):
                found[f"{name}:{row}"] = rows[row]
    return found


def builders() -> dict:
    """Ways in which dgllife makes a graph of a SMILES."""
    loops = {"self_loop": True}
    fp = AttentiveFPAtomFeaturizer(), AttentiveFPBondFeaturizer()
    return {
        "plain": smiles_to_bigraph,
        "canonical": lambda s: smiles_to_bigraph(
            s, True, CanonicalAtomFeaturizer(), CanonicalBondFeaturizer(**loops)
        ),
        "attentive_fp": lambda s: smiles_to_bigraph(s, False, *fp, canonical_atom_order=False),
        "pretrain": lambda s: smiles_to_bigraph(
            s, True, PretrainAtomFeaturizer(), PretrainBondFeaturizer()
        ),
        "virtual": lambda s: MolToBigraph(
            node_featurizer=CanonicalAtomFeaturizer(),
            edge_featurizer=CanonicalBondFeaturizer(),
            num_virtual_nodes=2,
            explicit_hydrogens=True,
        )(Chem.MolFromSmiles(s)),
        "weave": lambda s: mol_to_complete_graph(
            Chem.MolFromSmiles(s), True, WeaveAtomFeaturizer(), WeaveEdgeFeaturizer()
        ),
        "pagtn": lambda s: mol_to_complete_graph(
            Chem.MolFromSmiles(s), True, PAGTNAtomFeaturizer(), PAGTNEdgeFeaturizer()
        ),
        "nearest": nearest,
    }


def nearest(smiles: str) -> dgl.DGLGraph:
    """Atoms on a helix, joined to those within reach."""
    molecule = Chem.MolFromSmiles(smiles)
    turns = np.arange(molecule.GetNumAtoms())
    places = np.stack([np.cos(turns), np.sin(turns), 0.3 * turns], axis=1)
    return mol_to_nearest_neighbor_graph(
        molecule, places, 1.7, max_num_neighbors=4, node_featurizer=CanonicalAtomFeaturizer()
    )


def digest(tensor: torch.Tensor) -> list:
    """Shape, dtype and a digest of the values."""
    values = tensor.contiguous().numpy().tobytes()
    name = str(tensor.dtype).removeprefix("torch.")
    return [list(tensor.shape), name, hashlib.sha256(values).hexdigest()[:16]]


def describe(g: dgl.DGLGraph) -> dict:
    """Everything about a graph."""
    return {
        "num_nodes": g.num_nodes(),
        "num_edges": g.num_edges(),
        "edges": [digest(ids) for ids in g.edges()],
        "ndata": {name: digest(x) for name, x in sorted(g.ndata.items())},
        "edata": {name: digest(x) for name, x in sorted(g.edata.items())},
    }


def main(folder: Path) -> None:
    """Print the graphs of every molecule, and of their batches, as JSON with a graph a line."""
    RDLogger.DisableLog("rdApp.*")
    smiles = molecules(folder)
    lines = {}
    for builder, build in builders().items():
        graphs = {name: build(text) for name, text in smiles.items()}
        for name, g in graphs.items():
            lines[f"{builder} {name}"] = describe(g)
        batch = dgl.batch(list(graphs.values()))
        lines[f"{builder} batch"] = {
            **describe(batch),
            "sizes": [digest(batch.batch_num_nodes()), digest(batch.batch_num_edges())],
        }
        again = dgl.unbatch(batch)
        assert [describe(g) for g in again] == [lines[f"{builder} {name}"] for name in graphs]
    text = ",\n".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in lines.items())
    print(f"{{\n{text}\n}}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
