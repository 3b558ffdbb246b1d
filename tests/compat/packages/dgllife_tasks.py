"""dgllife's models of molecules to generate, reactions and binding: some steps on either library.

A program for DGL, run unchanged on Gossamer. It needs RDKit and, without its dependency DGL,
``pip install --no-deps dgllife==0.3.2``::

    python -m gossamer.compat.dgl tests/compat/packages/dgllife_tasks.py

Prints one JSON object a line: the model, and its loss before each of five steps of Adam. Plain
``python`` with DGL 2.1.0 prints the lines of ``golden/dgllife_tasks.jsonl``.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
from collections.abc import Callable

import dgl
import numpy as np
import torch
from dgllife import data as sets
from dgllife import model as zoo
from dgllife import utils
from dgllife.utils import jtvae
from rdkit import Chem, RDLogger
from rdkit.Chem import AllChem
from torch.nn import functional as F

SMILES = ["CCO", "CC(=O)O", "c1ccccc1O", "CCN(CC)CC", "CC(C)C(=O)OC", "C1CCCCC1N"]
TREES = ["CC1CCC(CC1)C(C)N", "c1ccc(cc1)Cc1ccccc1CC(=O)N", "CC(C)c1ccc(OC2CCCC2)cc1"]
STEPS = 5


def graph(smiles: str) -> dgl.DGLGraph:
    bonds = utils.CanonicalBondFeaturizer(self_loop=True)
    return utils.smiles_to_bigraph(smiles, True, utils.CanonicalAtomFeaturizer(), bonds)


def placed(smiles: str) -> tuple[Chem.Mol, np.ndarray]:
    """A molecule and a drawing of it, slightly bent into space."""
    molecule = Chem.MolFromSmiles(smiles)
    AllChem.Compute2DCoords(molecule)
    places = molecule.GetConformer().GetPositions()
    return molecule, np.round(4 * (places + 0.3 * np.sin(places[:, ::-1]))) / 4


def dgmg() -> tuple[torch.nn.Module, Callable]:
    atoms, bonds = ["C", "N", "O"], [Chem.BondType.SINGLE, Chem.BondType.DOUBLE]
    model = zoo.DGMG(atoms, bonds, node_hidden_size=16, dropout=0.0)
    molecules = [Chem.MolFromSmiles(text) for text in ("CCO", "CC(=O)O", "CCN(CC)CC")]
    sequences = [
        model.env.get_decision_sequence(m, list(range(m.GetNumAtoms()))) for m in molecules
    ]
    return model, lambda: -sum(model(actions, compute_log_prob=True) for actions in sequences)


def junction_trees() -> tuple[torch.nn.Module, Callable]:
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as stream:
        stream.write("\n".join(TREES))
        stream.flush()
        vocab = jtvae.JTVAEVocab(stream.name)
        vocab.vocab.sort()  # it comes from a set
        vocab.vmap = {text: i for i, text in enumerate(vocab.vocab)}
        vocab.slots = [jtvae.vocab.get_slots(text) for text in vocab.vocab]
        trees = sets.JTVAEDataset(stream.name, vocab, training=True)
        items = [trees[i] for i in range(len(trees))]
    collate = sets.JTVAECollator(training=True)
    model = zoo.JTNNVAE(vocab, 16, 8, 3)
    # The model adds features to the batch, so each step needs a new one.
    return model, lambda: model(*collate(items))[0]


def reaction_center() -> tuple[torch.nn.Module, Callable]:
    graphs = [graph(text) for text in SMILES]
    batch = dgl.batch(graphs)
    pairs = dgl.batch(
        [dgl.graph(torch.ones(g.num_nodes(), g.num_nodes()).nonzero().unbind(1)) for g in graphs]
    )
    features, labels = torch.rand(pairs.num_edges(), 4), torch.rand(pairs.num_edges(), 5).round()
    model = zoo.WLNReactionCenter(74, 13, 4, 16, 2)

    def loss() -> torch.Tensor:
        scores, _ = model(batch, pairs, batch.ndata["h"], batch.edata["e"], features)
        return F.binary_cross_entropy_with_logits(scores, labels)

    return model, loss


def reaction_ranking() -> tuple[torch.nn.Module, Callable]:
    reactants = dgl.batch([graph("CCO"), graph("CC(=O)O")])
    products = dgl.batch([graph(text) for text in ("CCN", "COC", "CC(=O)N", "CC(O)O", "OCCO")])
    model = zoo.WLNReactionRanking(74, 13, 16, 2)

    def loss() -> torch.Tensor:
        scores = model(
            reactants,
            reactants.ndata["h"],
            reactants.edata["e"],
            products,
            products.ndata["h"],
            products.edata["e"],
            torch.zeros(5, 1),
            [2, 3],
        )
        return sum(F.cross_entropy(part.T, torch.tensor([0])) for part in scores.split([2, 3]))

    return model, loss


def atomic_convolution() -> tuple[torch.nn.Module, Callable]:
    sizes = {"max_num_ligand_atoms": 8, "max_num_protein_atoms": 9, "max_num_neighbors": 4}
    complexes = [
        utils.ACNN_graph_construction_and_featurization(
            *(part[0] for part in pair), *(part[1] for part in pair), **sizes
        )
        for pair in complexes_of()
    ]
    batch = dgl.batch(complexes)
    model = zoo.ACNN([8, 8], [0.3, 0.3, 0.1], [0.0, 0.0], torch.tensor([6.0, 7.0, 8.0]))
    return model, lambda: F.mse_loss(model(batch), torch.tensor([[1.0], [2.0], [3.0]]))


def potential_net() -> tuple[torch.nn.Module, Callable]:
    pairs = [
        utils.PN_graph_construction_and_featurization(
            *(part[0] for part in pair), *(part[1] for part in pair)
        )
        for pair in complexes_of()
    ]
    bonds, near = dgl.batch([pair[0] for pair in pairs]), dgl.batch([pair[1] for pair in pairs])
    width = bonds.ndata["h"].shape[1]
    model = zoo.PotentialNet(width, width, 16, 16, 9, 1, 1, [8], [0.0, 0.0, 0.0])
    return model, lambda: F.mse_loss(model(bonds, near), torch.tensor([[1.0], [2.0], [3.0]]))


def complexes_of() -> list:
    return [(placed(a), placed(b)) for a, b in zip(SMILES[::2], SMILES[1::2], strict=True)]


def links() -> tuple[torch.nn.Module, Callable]:
    g = graph("CC(C)C(=O)OC")
    encoder, scorer = zoo.GCN(74, [16, 16]), zoo.HadamardLinkPredictor(16, 16)
    u, v = g.edges()
    model = torch.nn.ModuleList([encoder, scorer])

    def loss() -> torch.Tensor:
        x = encoder(g, g.ndata["h"])
        there, other = scorer(x[u], x[v]), scorer(x[u], x[v.flip(0)])
        return F.softplus(-there).mean() + F.softplus(other).mean()

    return model, loss


MODELS = {
    "DGMG": dgmg,
    "JTNNVAE": junction_trees,
    "WLNReactionCenter": reaction_center,
    "WLNReactionRanking": reaction_ranking,
    "ACNN": atomic_convolution,
    "PotentialNet": potential_net,
    "HadamardLinkPredictor": links,
}


def main(names: list[str]) -> None:
    RDLogger.DisableLog("rdApp.*")
    torch.set_num_threads(1)
    for name in names or MODELS:
        random.seed(0)
        np.random.seed(0)  # noqa: NPY002, the packages draw from it
        torch.manual_seed(0)
        model, loss_of = MODELS[name]()
        optimizer = torch.optim.Adam(model.parameters(), 1e-2)
        losses = []
        for _ in range(STEPS):
            optimizer.zero_grad()
            loss = loss_of()
            loss.backward()
            optimizer.step()
            losses.append(round(loss.item(), 4))
        print(json.dumps({"model": name, "loss": losses}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
