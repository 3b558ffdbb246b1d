"""dgllife's property predictors, trained for a few epochs on molecules, on either library.

A program for DGL, run unchanged on Gossamer. It needs RDKit and, without its dependency DGL,
``pip install --no-deps dgllife==0.3.2``::

    python -m gossamer.compat.dgl tests/compat/packages/dgllife_zoo.py FOLDER

FOLDER holds MoleculeNet's file ``delaney-processed.csv`` (ESOL). Prints one JSON object a line: the
model and, for each of three seeds, the root mean squared error on 100 molecules after five epochs
on 200 others. Plain ``python`` with DGL 2.1.0 prints the lines of ``golden/dgllife_zoo.jsonl``.
"""

from __future__ import annotations

import csv
import json
import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import dgl
import numpy as np
import torch
from dgllife import model as zoo
from dgllife import utils
from dgllife.model.model_zoo.gatv2_predictor import GATv2Predictor
from rdkit import Chem, RDLogger
from rdkit.Chem import AllChem

TRAINED, TESTED, EPOCHS, BATCH, SEEDS = 200, 100, 5, 32, (0, 1, 2)


def molecules(folder: Path) -> Iterator[tuple[Chem.Mol, float]]:
    """Molecules of at least three atoms, and their measured solubility."""
    with (folder / "delaney-processed.csv").open(newline="") as stream:
        for row in csv.DictReader(stream):
            molecule = Chem.MolFromSmiles(row["smiles"].strip())
            if molecule.GetNumAtoms() > 2:
                yield molecule, float(row["measured log solubility in mols per litre"])


# Ways of making a graph of a molecule.


def canonical(molecule: Chem.Mol) -> dgl.DGLGraph:
    bonds = utils.CanonicalBondFeaturizer(self_loop=True)
    return utils.mol_to_bigraph(molecule, True, utils.CanonicalAtomFeaturizer(), bonds)


def attentive(molecule: Chem.Mol) -> dgl.DGLGraph:
    atoms, bonds = utils.AttentiveFPAtomFeaturizer(), utils.AttentiveFPBondFeaturizer()
    return utils.mol_to_bigraph(molecule, False, atoms, bonds)


def categorical(molecule: Chem.Mol) -> dgl.DGLGraph:
    atoms, bonds = utils.PretrainAtomFeaturizer(), utils.PretrainBondFeaturizer()
    return utils.mol_to_bigraph(molecule, True, atoms, bonds)


def complete(molecule: Chem.Mol) -> dgl.DGLGraph:
    atoms, pairs = utils.WeaveAtomFeaturizer(), utils.WeaveEdgeFeaturizer()
    return utils.mol_to_complete_graph(molecule, True, atoms, pairs)


def pagtn(molecule: Chem.Mol) -> dgl.DGLGraph:
    atoms, pairs = utils.PAGTNAtomFeaturizer(), utils.PAGTNEdgeFeaturizer()
    return utils.mol_to_complete_graph(molecule, True, atoms, pairs)


def drawn(molecule: Chem.Mol) -> dgl.DGLGraph:
    """A complete graph with the distances of a drawing of the molecule."""
    AllChem.Compute2DCoords(molecule)
    places = torch.tensor(molecule.GetConformer().GetPositions(), dtype=torch.float32)
    g = utils.mol_to_complete_graph(molecule)
    u, v = g.edges()
    g.edata["distance"] = (places[u.long()] - places[v.long()]).norm(dim=1, keepdim=True)
    g.ndata["number"] = torch.tensor([atom.GetAtomicNum() for atom in molecule.GetAtoms()])
    return g


# Ways of calling a model.


def on_nodes(model: torch.nn.Module, g: dgl.DGLGraph) -> torch.Tensor:
    return model(g, g.ndata["h"])


def on_both(model: torch.nn.Module, g: dgl.DGLGraph) -> torch.Tensor:
    return model(g, g.ndata["h"], g.edata["e"])


def on_categories(model: torch.nn.Module, g: dgl.DGLGraph) -> torch.Tensor:
    atoms = [g.ndata["atomic_number"], g.ndata["chirality_type"]]
    return model(g, atoms, [g.edata["bond_type"], g.edata["bond_direction_type"]])


def on_distances(model: torch.nn.Module, g: dgl.DGLGraph) -> torch.Tensor:
    return model(g, g.ndata["number"], g.edata["distance"])


def on_bonds(model: torch.nn.Module, g: dgl.DGLGraph) -> torch.Tensor:
    return model(g, torch.zeros(g.num_nodes(), dtype=torch.long), g.edata["e"])


class SAGEPredictor(torch.nn.Module):
    """The zoo has GraphSAGE as an encoder only; its readout and its perceptron complete it."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = zoo.GraphSAGE(74, [32, 32])
        self.readout = zoo.WeightedSumAndMax(32)
        self.predict = zoo.MLPPredictor(64, 32, 1)

    def forward(self, g: dgl.DGLGraph, x: torch.Tensor) -> torch.Tensor:
        return self.predict(self.readout(g, self.encoder(g, x)))


def models() -> dict[str, tuple[Callable, Callable, Callable]]:
    """Model, graph and call by name; sizes are small, so that a run takes a minute."""
    return {
        "GCN": (lambda: zoo.GCNPredictor(74, [32, 32]), canonical, on_nodes),
        "GAT": (lambda: zoo.GATPredictor(74, [16, 16], [4, 4]), canonical, on_nodes),
        "GATv2": (
            lambda: GATv2Predictor(74, [16, 16], [4, 4], agg_modes=["flatten", "mean"]),
            canonical,
            on_nodes,
        ),
        "GraphSAGE": (lambda: SAGEPredictor(), canonical, on_nodes),
        "NF": (lambda: zoo.NFPredictor(74, hidden_feats=[32, 32]), canonical, on_nodes),
        "MPNN": (lambda: zoo.MPNNPredictor(74, 13, 16, 16), canonical, on_both),
        "AttentiveFP": (
            lambda: zoo.AttentiveFPPredictor(39, 10, graph_feat_size=32),
            attentive,
            on_both,
        ),
        "GIN": (
            lambda: zoo.GINPredictor([120, 3], [6, 3], num_layers=3, emb_dim=32, JK="sum"),
            categorical,
            on_categories,
        ),
        "Weave": (lambda: zoo.WeavePredictor(27, 12, gnn_hidden_feats=16), complete, on_both),
        "PAGTN": (
            lambda: zoo.PAGTNPredictor(94, 16, 32, 42, depth=2),
            pagtn,
            on_both,
        ),
        "SchNet": (
            lambda: zoo.SchNetPredictor(16, [16, 16], cutoff=10.0),
            drawn,
            on_distances,
        ),
        "MGCN": (lambda: zoo.MGCNPredictor(16, 2), drawn, on_distances),
        "GNNOGB gcn": (lambda: zoo.GNNOGBPredictor(13, 1, 32, 2), canonical, on_bonds),
        "GNNOGB gin": (
            lambda: zoo.GNNOGBPredictor(13, 1, 32, 2, gnn_type="gin"),
            canonical,
            on_bonds,
        ),
    }


def train(name: str, data: list, seed: int) -> float:
    """Error of a model of this name after training."""
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002, the packages draw from it
    torch.manual_seed(seed)
    make, build, call = models()[name]
    graphs = [build(molecule) for molecule, _ in data]
    values = torch.tensor([value for _, value in data]).view(-1, 1)
    model = make()
    optimizer = torch.optim.Adam(model.parameters(), 3e-3)
    order = torch.Generator().manual_seed(seed)  # of its own: layers may draw for dropout
    for _ in range(EPOCHS):
        model.train()
        for rows in torch.randperm(TRAINED, generator=order).split(BATCH):
            batch = dgl.batch([graphs[i] for i in rows])
            loss = torch.nn.functional.mse_loss(call(model, batch), values[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    model.eval()
    with torch.no_grad():
        answer = call(model, dgl.batch(graphs[TRAINED:]))
    return (answer - values[TRAINED:]).square().mean().sqrt().item()


def main(folder: Path, names: list[str]) -> None:
    RDLogger.DisableLog("rdApp.*")
    torch.set_num_threads(1)
    data = list(molecules(folder))[:: 1128 // (TRAINED + TESTED)][: TRAINED + TESTED]
    for name in names or models():
        errors = [round(train(name, data, seed), 4) for seed in SEEDS]
        print(json.dumps({"model": name, "rmse": errors}), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
