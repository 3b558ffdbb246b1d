"""matgl's models: two epochs on made crystals, with energies, forces and stresses.

A program for DGL, run unchanged on Gossamer. It needs ``pip install pymatgen ase lightning boto3``
and, without its dependency DGL, ``pip install --no-deps matgl==1.3.0``::

    python -m gossamer.compat.dgl tests/compat/packages/matgl_models.py

Prints one JSON object a line: the model, and its loss on the training set after each epoch.
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import sys
import warnings
from functools import partial

import lightning
import numpy as np
import torch
from matgl import models as zoo
from matgl.ext.pymatgen import Structure2Graph
from matgl.graph.data import MGLDataLoader, MGLDataset, collate_fn_graph, collate_fn_pes
from matgl.utils.training import ModelLightningModule, PotentialLightningModule
from pymatgen.core import Lattice, Structure

ELEMENTS, CUTOFF, EPOCHS = ("Na", "Cl", "Mg", "O"), 4.5, 2


def crystals() -> list[Structure]:
    """Rock salt and caesium chloride lattices with displaced atoms."""
    generator = np.random.default_rng(0)
    found = []
    for i in range(8):
        kinds, size = (["Na", "Cl"], 3.6) if i % 2 else (["Mg", "O"], 3.1)
        lattice = Lattice.from_parameters(size, 1.05 * size, size, 90, 90 + i, 90)
        crystal = Structure(lattice, kinds, [[0, 0, 0], [0.5, 0.5, 0.5]])
        crystal.make_supercell([2, 1, 1])
        crystal.perturb(float(generator.uniform(0.02, 0.1)))
        found.append(crystal)
    return found


def labels(structures: list[Structure], magnetic: bool) -> dict[str, list]:
    """Energies, forces and stresses that depend smoothly on the lattice and the positions."""
    made = {
        "energies": [-2.0 * len(s) + s.volume / 50 for s in structures],
        "forces": [(0.1 * np.sin(s.cart_coords)).tolist() for s in structures],
        "stresses": [(0.01 * s.lattice.matrix).tolist() for s in structures],
    }
    if magnetic:
        made["magmoms"] = [np.cos(s.cart_coords[:, :1]).tolist() for s in structures]
    return made


def train(name: str) -> list[float]:
    lightning.seed_everything(0)
    structures = crystals()
    lines = {"M3GNet": {}, "CHGNet": {"directed_line_graph": True}}.get(name)
    as_property = name == "MEGNet"
    collate = collate_fn_graph if as_property else partial(collate_fn_pes, include_stress=True)
    if lines is not None:
        collate = partial(collate, include_line_graph=True)
    if name == "CHGNet":
        collate = partial(collate, include_magmom=True)
    made = labels(structures, name == "CHGNet")
    data = MGLDataset(
        structures=structures,
        labels={"energies": made["energies"]} if as_property else made,
        converter=Structure2Graph(ELEMENTS, CUTOFF),
        include_line_graph=lines is not None,
        threebody_cutoff=3.5,
        save_cache=False,
        **(lines or {}),
    )
    subset = torch.utils.data.Subset(data, range(len(data)))
    loader, _ = MGLDataLoader(subset, subset, collate, batch_size=4, num_workers=0)
    model = getattr(zoo, name)(element_types=ELEMENTS, cutoff=CUTOFF, **SIZES[name])
    if as_property:
        module = ModelLightningModule(model)
    else:
        magmom = 0.1 if name == "CHGNet" else 0.0
        module = PotentialLightningModule(
            model, include_line_graph=lines is not None, stress_weight=0.1, magmom_weight=magmom
        )
    losses = Losses()
    lightning.Trainer(
        max_epochs=EPOCHS,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=[losses],
    ).fit(module, loader)
    return losses.seen


class Losses(lightning.Callback):
    """Collects the loss of each epoch."""

    def __init__(self) -> None:
        self.seen: list[float] = []

    def on_train_epoch_end(self, trainer: lightning.Trainer, module: object) -> None:
        self.seen.append(round(float(trainer.callback_metrics["train_Total_Loss"]), 4))


SIZES = {
    "MEGNet": {},
    "M3GNet": {"is_intensive": False, "threebody_cutoff": 3.5, "units": 16},
    "CHGNet": {"threebody_cutoff": 3.5},
    "TensorNet": {"is_intensive": False, "units": 16},
    "SO3Net": {"is_intensive": False, "units": 16, "lmax": 2},
}


def main(names: list[str]) -> None:
    warnings.simplefilter("ignore")
    logging.disable(logging.INFO)
    torch.set_num_threads(1)
    for name in names or SIZES:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            losses = train(name)
        print(json.dumps({"model": name, "loss": losses}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
