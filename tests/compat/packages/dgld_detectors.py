"""dgld's anomaly detectors and its loaders: fit and score the nodes of a made graph.

A program for DGL, run unchanged on Gossamer. It needs, without their dependency DGL,
``pip install --no-deps dgld==0.3.0 ogb`` and
``pip install joblib networkx pandas scikit-learn termcolor texttable tqdm wget``::

    python -m gossamer.compat.dgl tests/compat/packages/dgld_detectors.py

Prints one JSON object a line: the detector, and the area under the ROC curve of its scores for
injected anomalies, after a few epochs; or the error that it raises.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
from collections.abc import Callable

import dgl
import numpy as np
import torch
from DGLD import models as zoo
from DGLD.models.AAGNN import AAGNN_batch
from DGLD.utils.common import seed_everything
from DGLD.utils.inject_anomalies import inject_contextual_anomalies, inject_structural_anomalies
from sklearn.metrics import roc_auc_score

NODES, WIDTH = 300, 16


def injected() -> dgl.DGLGraph:
    """Three communities, with anomalies from dgld in their structure and their features."""
    generator = np.random.default_rng(0)
    community = np.arange(NODES) % 3
    near = generator.random((NODES, NODES)) < np.where(community[:, None] == community, 0.04, 0.002)
    u, v = np.nonzero(np.triu(near, 1))
    g = dgl.graph((np.concatenate([u, v]), np.concatenate([v, u])), num_nodes=NODES)
    centers = generator.normal(size=(3, WIDTH))
    x = np.abs(centers[community] + 0.3 * generator.normal(size=(NODES, WIDTH)))
    g.ndata["feat"] = torch.tensor(x, dtype=torch.float32)
    g.ndata["label"] = torch.zeros(NODES)
    g = inject_contextual_anomalies(inject_structural_anomalies(g, 5, 2), 20, 5, 2)
    return dgl.add_self_loop(dgl.remove_self_loop(dgl.to_simple(g)))


def detectors() -> dict[str, tuple[Callable, dict, dict]]:
    """By name: a detector, and the arguments of ``fit`` and ``predict``."""
    some, many = {"num_epoch": 3}, {"num_epoch": 20}
    walks = {"num_workers": 0, "batch_size": 100}
    rounds = {**walks, "auc_test_rounds": 4}
    batches = {"batch_size": 100}
    return {
        "DOMINANT": (lambda: zoo.DOMINANT(WIDTH, 16, 0.1), many, {}),
        "AnomalyDAE": (lambda: zoo.AnomalyDAE(WIDTH, NODES, 16, 16, 0.1), many, {}),
        "ComGA": (lambda: zoo.ComGA(NODES, WIDTH, 32, 16, 8, 0.1), many, {}),
        "ALARM": (lambda: zoo.ALARM(WIDTH, 16, 0.1, 2, 0, [1, 1]), many, {}),
        "CONAD": (lambda: zoo.CONAD(WIDTH), many, {}),
        "CONAD, batches": (lambda: zoo.CONAD(WIDTH), {**some, **batches}, batches),
        "GCNAE": (lambda: zoo.GCNAE(WIDTH), many, {}),
        "GCNAE, batches": (lambda: zoo.GCNAE(WIDTH), {**some, **batches}, batches),
        "MLPAE": (lambda: zoo.MLPAE(WIDTH), {**many, "device": "cpu"}, {}),
        "DONE": (lambda: zoo.DONE(WIDTH, NODES), many, {}),
        "DONE, batches": (lambda: zoo.DONE(WIDTH, NODES), {**some, **batches}, batches),
        "AdONE": (lambda: zoo.AdONE(WIDTH, NODES), many, {}),
        "AdONE, batches": (lambda: zoo.AdONE(WIDTH, NODES), {**some, **batches}, batches),
        "GAAN": (lambda: zoo.GAAN(8, [16, 16], WIDTH, [16, 16], 16), many, {}),
        "GUIDE": (lambda: zoo.GUIDE(WIDTH, 16, 6, 4), many, {}),
        "AAGNN": (lambda: AAGNN_batch(WIDTH, 16), many, {}),
        "ONE": (lambda: zoo.ONE(NODES, 8), {"num_epoch": 1}, {}),
        "SCAN": (lambda: zoo.SCAN(), {}, {}),
        "CoLA": (lambda: zoo.CoLA(WIDTH, 16), {**some, **walks}, rounds),
        "ANEMONE": (lambda: zoo.ANEMONE(WIDTH, 16), {**some, **walks}, rounds),
        "SLGAD": (lambda: zoo.SLGAD(WIDTH, 16), {**some, **walks}, rounds),
    }


def score(name: str, g: dgl.DGLGraph) -> float:
    seed_everything(0)
    make, fit, predict = detectors()[name]
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        detector = make()
        detector.fit(g.clone(), **fit)
        scores = detector.predict(g.clone(), **predict)
    scores = np.asarray(scores, dtype=np.float64).reshape(-1)
    return roc_auc_score(g.ndata["label"].numpy() > 0, scores)


def main(names: list[str]) -> None:
    torch.set_num_threads(1)
    with contextlib.redirect_stdout(io.StringIO()):
        g = injected()
    for name in names or detectors():
        try:
            result = {"auc": round(score(name, g), 4)}
        except Exception as error:
            result = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps({"detector": name, **result}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
