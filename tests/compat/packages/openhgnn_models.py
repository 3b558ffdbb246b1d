"""OpenHGNN's models: two epochs of node classification on a made heterogeneous graph.

A program for DGL, run unchanged on Gossamer. It needs, without their dependency DGL,
``pip install --no-deps openhgnn==0.7.0 ogb``, and
``pip install colorama colorlog gensim igraph line_profiler lmdb optuna ordered_set pandas rdflib
scikit-learn tensorboard tqdm``::

    python -m gossamer.compat.dgl tests/compat/packages/openhgnn_models.py

Prints one JSON object a line: the model, and its accuracy on test nodes; or the error that it
raises. "batches" are drawn by the loaders that OpenHGNN makes.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import tempfile
import warnings

import dgl
import numpy as np
import torch
from openhgnn import Experiment
from openhgnn.dataset import AsNodeClassificationDataset

# Few enough authors and subjects that each has papers: GTN divides by weighted in-degrees.
PAPERS, AUTHORS, SUBJECTS, WIDTH, CLASSES = 240, 30, 6, 64, 3


class Papers(dgl.data.DGLDataset):
    """Papers with authors and subjects; the subjects of a paper depend on its class."""

    def __init__(self) -> None:
        super().__init__("papers", force_reload=True)

    def process(self) -> None:
        generator = np.random.default_rng(0)
        label = generator.integers(0, CLASSES, PAPERS)
        writer = generator.integers(0, AUTHORS // CLASSES, (2, PAPERS)) * CLASSES + label
        subject = generator.integers(0, SUBJECTS // CLASSES, PAPERS) * CLASSES + label
        papers = np.arange(PAPERS)
        wrote = np.concatenate([papers, papers]), writer.reshape(-1)
        self.g = dgl.heterograph(
            {
                ("paper", "paper-author", "author"): wrote,
                ("author", "author-paper", "paper"): wrote[::-1],
                ("paper", "paper-subject", "subject"): (papers, subject),
                ("subject", "subject-paper", "paper"): (subject, papers),
            },
            {"paper": PAPERS, "author": AUTHORS, "subject": SUBJECTS},
        )
        for ntype in self.g.ntypes:
            x = generator.normal(size=(self.g.num_nodes(ntype), WIDTH))
            self.g.nodes[ntype].data["h"] = torch.tensor(x, dtype=torch.float32)
        self.g.nodes["paper"].data["label"] = torch.tensor(label)
        self.num_classes = CLASSES

    @property
    def meta_paths_dict(self) -> dict:
        return {
            "PAP": [("paper", "paper-author", "author"), ("author", "author-paper", "paper")],
            "PSP": [("paper", "paper-subject", "subject"), ("subject", "subject-paper", "paper")],
        }

    def __getitem__(self, index: int) -> dgl.DGLGraph:
        return self.g

    def __len__(self) -> int:
        return 1


BATCHES = {"mini_batch_flag": True, "batch_size": 64, "fanout": 5}
RUNS = {
    "RGCN": {},
    "RGCN, batches": BATCHES,
    "RGAT": {},
    "Rsage": {},
    "CompGCN": {},
    "HGT": {},
    "HGT, batches": BATCHES,
    "SimpleHGN": {},
    "SimpleHGN, batches": BATCHES,
    "HetSANN": {},
    "ieHGCN": {},
    "HGAT": {},
    "HAN, batches": BATCHES,
    "HPN": {},
    "MHNF": {},
    "GTN": {},
    "fastGTN": {},
    "RSHN": {},
    "RHGNN": {},
    "general_HGNN": {},
    "homo_GNN": {},
}


def run(name: str) -> float:
    data = AsNodeClassificationDataset(
        Papers(), labeled_nodes_split_ratio=[0.5, 0.2, 0.3], target_ntype="paper", force_reload=True
    )
    experiment = Experiment(
        model=name.split(",")[0],
        dataset=data,
        task="node_classification",
        gpu=-1,
        use_distributed=False,
        **{"max_epoch": 2, "hidden_dim": WIDTH, "graphbolt": False, **RUNS[name]},
    )
    return experiment.run()["metric"]["test"]["Micro_f1"]


def main(names: list[str]) -> None:
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    for name in names or RUNS:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            try:
                result = {"accuracy": round(float(run(name)), 4)}
            except (Exception, SystemExit) as error:
                result = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps({"model": name, **result}), flush=True)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        os.environ["DGL_DOWNLOAD_DIR"] = os.environ["GOSSAMER_DOWNLOAD_DIR"] = folder
        os.chdir(folder)  # OpenHGNN writes its logs into the current folder
        main(sys.argv[1:])
