"""ALIGNN, its force field and its equivariant form: training steps on made crystals.

A program for DGL, run unchanged on Gossamer. It needs ``pip install jarvis-tools pydantic-settings
scikit-learn matplotlib pandas ase lmdb`` and, without its dependencies,
``pip install --no-deps alignn==2026.8.11``::

    python -m gossamer.compat.dgl tests/compat/packages/alignn_models.py

Prints one JSON object a line: the model, and its loss before each of five steps of Adam.
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable

import dgl
import torch
from alignn.graphs import Graph
from alignn.models.alignn import ALIGNN, ALIGNNConfig
from alignn.models.alignn_atomwise import ALIGNNAtomWise, ALIGNNAtomWiseConfig
from alignn.models.ealignn_atomwise import eALIGNNAtomWise, eALIGNNAtomWiseConfig
from jarvis.core.atoms import Atoms

STEPS = 5


def crystals() -> list[Atoms]:
    """Zinc blende and rock salt cells of different sizes."""
    found = []
    for i, elements in enumerate((["Si", "C"], ["Na", "Cl"], ["Ga", "As"], ["Mg", "O"])):
        size = 4.3 + 0.2 * i
        lattice = [[0, size / 2, size / 2], [size / 2, 0, size / 2], [size / 2, size / 2, 0]]
        place = 0.25 if i % 2 == 0 else 0.48
        found.append(Atoms(lattice_mat=lattice, coords=[[0, 0, 0], [place] * 3], elements=elements))
    return found


def batch() -> tuple[dgl.DGLGraph, dgl.DGLGraph, torch.Tensor]:
    """Crystals, their line graphs and their lattices."""
    pairs = [
        Graph.atom_dgl_multigraph(atoms, cutoff=5.0, max_neighbors=8, atom_features="cgcnn")
        for atoms in crystals()
    ]
    lattices = torch.stack([torch.tensor(a.lattice_mat, dtype=torch.float32) for a in crystals()])
    return dgl.batch([g for g, _ in pairs]), dgl.batch([lines for _, lines in pairs]), lattices


def energies(answer: object) -> torch.Tensor:
    return answer["out"] if isinstance(answer, dict) else answer


def forces_too(answer: dict) -> torch.Tensor:
    return answer["out"].square().mean() + answer["grad"].square().mean()


def models() -> dict[str, tuple[torch.nn.Module, Callable]]:
    target = torch.tensor([1.0, 2.0, 3.0, 4.0])
    small = {"alignn_layers": 2, "gcn_layers": 2, "hidden_features": 32}
    atomwise = {**small, "atom_input_features": 92, "calculate_gradient": False}
    forces = {**atomwise, "calculate_gradient": True, "gradwise_weight": 1.0}

    def fit(answer: object) -> torch.Tensor:
        return torch.nn.functional.mse_loss(energies(answer), target)

    return {
        "ALIGNN": (ALIGNN(ALIGNNConfig(name="alignn", **small)), fit),
        "ALIGNNAtomWise": (
            ALIGNNAtomWise(ALIGNNAtomWiseConfig(name="alignn_atomwise", **atomwise)),
            fit,
        ),
        "ALIGNNAtomWise, forces": (
            ALIGNNAtomWise(ALIGNNAtomWiseConfig(name="alignn_atomwise", **forces)),
            forces_too,
        ),
        "eALIGNNAtomWise": (
            eALIGNNAtomWise(eALIGNNAtomWiseConfig(name="ealignn_atomwise", **atomwise)),
            fit,
        ),
    }


def main(names: list[str]) -> None:
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    for name in names or models():
        torch.manual_seed(0)
        model, loss_of = models()[name]
        optimizer = torch.optim.Adam(model.parameters(), 3e-3)
        losses = []
        for _ in range(STEPS):
            optimizer.zero_grad()
            loss = loss_of(model(batch()))
            loss.backward()
            optimizer.step()
            losses.append(round(loss.item(), 4))
        print(json.dumps({"model": name, "loss": losses}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
