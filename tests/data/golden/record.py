"""Record what DGL 2.1.0 makes of the raw files that the tests write.

Run from the tests folder: ``python data/golden/record.py``, with DGL 2.1.0, scipy, rdflib and nltk.
Files are read by DGL as a user would: only `download` is replaced, by writing the files.
"""

from __future__ import annotations

import json
import os
import pickle
import shutil
import sys
import tempfile
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
warnings.simplefilter("ignore")
os.environ.setdefault("DGLBACKEND", "pytorch")

import dgl.data  # noqa: E402

from helpers.dataset_cases import CASES, Case, describe  # noqa: E402

HERE = Path(__file__).parent


def record(case: Case) -> dict:
    """What DGL answers for one case."""
    cls = getattr(dgl.data, case.dataset)
    folder = tempfile.mkdtemp(dir=os.environ.get("NLTK_DATA"))

    def write(self: object) -> None:
        raw_dir, raw_path = Path(self.raw_dir), Path(self.raw_path)
        keywords = {}
        if "ppi" in case.name.lower():
            keywords["key"] = "edges"  # what today's networkx expects by default
        if case.dataset == "BA2MotifDataset":
            keywords["file"] = "BA-2motifs.pkl"
        case.write(raw_dir if case.folder is None else raw_path / case.folder, **keywords)

    cls.download = write
    try:
        dataset = cls(**case.arguments, raw_dir=folder)
        if os.environ.get("KEEP"):
            keep(case, dataset)
        return describe(dataset)
    finally:
        shutil.rmtree(folder)


def keep(case: Case, dataset: object) -> None:
    """Keep the arrays themselves, to look at where digests differ."""
    found = []
    for number in range(1 if "Fraud" in case.dataset else len(dataset)):
        item = dataset[number]
        g = item if hasattr(item, "canonical_etypes") else item[0]
        edges = {e: [t.numpy() for t in g.edges(etype=e, order="eid")] for e in g.canonical_etypes}
        ndata = {n: {k: v.numpy() for k, v in g.nodes[n].data.items()} for n in g.ntypes}
        edata = {e: {k: v.numpy() for k, v in g.edges[e].data.items()} for e in g.canonical_etypes}
        found.append((edges, ndata, edata))
    Path(os.environ["KEEP"], f"{case.name}.pkl").write_bytes(pickle.dumps(found))


def main() -> None:
    """Write ``datasets.json`` beside this file."""
    answers = {}
    for case in CASES:
        try:
            answers[case.name] = record(case)
        except Exception as error:
            print(f"{case.name}: {type(error).__name__}: {error}"[:300])
    text = json.dumps(answers, indent=1, sort_keys=True)
    (HERE / "datasets.json").write_text(text + "\n")
    print(f"{len(answers)} of {len(CASES)} recorded")


if __name__ == "__main__":
    main()
