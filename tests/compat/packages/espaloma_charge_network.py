"""espaloma_charge's network: training steps towards made charges of atoms.

A program for DGL, run unchanged on Gossamer. It needs RDKit and, without its dependency DGL,
``pip install --no-deps espaloma_charge==0.0.8``::

    python -m gossamer.compat.dgl tests/compat/packages/espaloma_charge_network.py

Prints one JSON object a line: the layer, the loss before each of five steps of Adam, and the
greatest total charge of a neutral molecule.
"""

from __future__ import annotations

import json
import sys

import dgl
import torch
from espaloma_charge.models import ChargeEquilibrium, ChargeReadout, Sequential
from espaloma_charge.utils import from_rdkit_mol
from rdkit import Chem, RDLogger

SMILES = ["CCO", "CC(=O)O", "c1ccccc1O", "CCN(CC)CC", "CC(C)C(=O)OC", "C1CCCCC1N"]
LAYERS = {
    "SAGEConv": {"aggregator_type": "mean"},
    "GraphConv": {},
    "GATConv": {"num_heads": 1},
    "TAGConv": {"k": 2},
}


def run(name: str) -> dict:
    torch.manual_seed(0)
    arguments = LAYERS[name]
    layer = getattr(dgl.nn.pytorch, name)
    width = [16, "relu", 16, "relu"] if name != "GATConv" else [16]
    network = Sequential(layer, width, input_units=16, model_kwargs=arguments)
    readout = ChargeReadout(16)
    torch.nn.init.ones_(readout.fc_params.bias)  # a hardness near 0 gives huge charges
    model = torch.nn.Sequential(network, readout, ChargeEquilibrium())
    batch = dgl.batch([from_rdkit_mol(Chem.MolFromSmiles(text)) for text in SMILES])
    batch.ndata["q_ref"] = torch.zeros(batch.num_nodes(), 1)  # read for the total charge only
    target = (batch.ndata["type"] - 6) / -10
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    losses = []
    for _ in range(5):
        optimizer.zero_grad()
        charged = model(batch)
        loss = (charged.ndata["q"] - target).square().mean()
        loss.backward()
        optimizer.step()
        losses.append(round(loss.item(), 4))
    total = dgl.sum_nodes(charged, "q").abs().max().item()
    return {"loss": losses, "total_charge": round(total, 4)}


def main(names: list[str]) -> None:
    RDLogger.DisableLog("rdApp.*")
    torch.set_num_threads(1)
    for name in names or LAYERS:
        print(json.dumps({"layer": name, **run(name)}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
