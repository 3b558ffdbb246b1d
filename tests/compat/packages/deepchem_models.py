"""deepchem's models on DGL graphs: fitted to properties of molecules.

A program for DGL, run unchanged on Gossamer. It needs RDKit, scikit-learn, joblib, pandas and,
without their dependency DGL, ``pip install --no-deps deepchem==2.8.0 dgllife==0.3.2``::

    python -m gossamer.compat.dgl tests/compat/packages/deepchem_models.py

Prints one JSON object a line: the model, and its root mean squared error on the molecules that it
is fitted to, before and after.
"""

from __future__ import annotations

import json
import logging
import sys

import deepchem
import numpy as np
import torch
from deepchem.models import torch_models as zoo
from rdkit import Chem, RDLogger
from rdkit.Chem import Descriptors

SMILES = [
    *("CCO", "CC(=O)O", "c1ccccc1O", "CCN(CC)CC", "CC(C)C(=O)OC", "C1CCCCC1N", "CCCl", "CC#N"),
    *("c1ccncc1", "OCC(O)CO", "CC(C)=O", "c1ccc(cc1)C(=O)O", "CCOC(C)=O", "CNC", "CCCCCC"),
    *("C1CCOC1", "c1ccsc1", "CC(N)C(=O)O", "OC1CCCCC1", "CCSCC"),
]


def run(name: str) -> dict:
    np.random.seed(0)  # noqa: NPY002, the packages draw from it
    torch.manual_seed(0)
    pagtn = name == "PAGTN"
    featurizer = (
        deepchem.feat.PagtnMolGraphFeaturizer(max_length=5)
        if pagtn
        else deepchem.feat.MolGraphConvFeaturizer(use_edges=name in ("AttentiveFP", "MPNN"))
    )
    graphs = featurizer.featurize(SMILES)
    values = np.array([[Descriptors.MolLogP(Chem.MolFromSmiles(text))] for text in SMILES])
    data = deepchem.data.NumpyDataset(graphs, values)
    model = MODELS[name](n_tasks=1, batch_size=10, learning_rate=0.003, device=torch.device("cpu"))
    error = deepchem.metrics.Metric(deepchem.metrics.rms_score)
    before = model.evaluate(data, [error])["rms_score"]
    model.fit(data, nb_epoch=20)
    after = model.evaluate(data, [error])["rms_score"]
    return {"before": round(float(before), 4), "after": round(float(after), 4)}


MODELS = {
    "GCN": zoo.GCNModel,
    "GAT": zoo.GATModel,
    "AttentiveFP": zoo.AttentiveFPModel,
    "MPNN": zoo.MPNNModel,
    "PAGTN": zoo.PagtnModel,
}


def main(names: list[str]) -> None:
    logging.disable(logging.WARNING)
    RDLogger.DisableLog("rdApp.*")
    torch.set_num_threads(1)
    for name in names or MODELS:
        print(json.dumps({"model": name, **run(name)}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
