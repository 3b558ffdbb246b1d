"""The rows of :mod:`benchmarks.data` for Gossamer and DGL, which have one API."""

from __future__ import annotations

import importlib
import shutil
import tempfile
import weakref
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks.adapters import Form
from benchmarks.workload import MOLECULE_NODES, Sizes, Workload

Inputs = Mapping[str, Tensor]

_META = """dataset_name: table
edge_data: [{file_name: edges.csv}]
node_data: [{file_name: nodes.csv}]
"""


def forms(
    library: str, row: Workload, inputs: Inputs, sizes: Sizes
) -> dict[str, Callable[[], Form]]:
    """The only way to write a row with the library of the given name."""
    data = importlib.import_module(f"{library}.data")
    reads = not row.name.startswith("open")
    make = _tables if row.graph == "tables" else _graphs
    return {"data": lambda: make(data, inputs, sizes, reads)}


def _tables(data: Any, inputs: Inputs, sizes: Sizes, reads: bool) -> Form:
    place = Path(tempfile.mkdtemp())
    (place / "meta.yaml").write_text(_META)
    ends = [inputs[name].numpy() for name in ("src", "dst")]
    _write(place / "edges.csv", np.stack([*ends, inputs["w"].numpy()], 1), "%d,%d,%.6f", "src_id,"
           "dst_id,w")  # fmt: skip
    _write(place / "nodes.csv", np.arange(sizes.nodes), "%d", "node_id")

    def run(force: bool = reads) -> dict[str, Any]:
        return {"graph": data.CSVDataset(str(place), force_reload=force, verbose=False)[0]}

    def check() -> dict[str, Tensor]:
        run(True)
        g = run()["graph"]
        src, dst = g.edges()
        return {"src": src, "dst": dst, "w": g.edata["w"].double()}

    return _until_dropped(Form(run, check), place)


def _graphs(data: Any, inputs: Inputs, sizes: Sizes, reads: bool) -> Form:
    folder = tempfile.mkdtemp()
    place = Path(folder) / "MADE"
    place.mkdir()
    count = sizes.nodes // MOLECULE_NODES
    # Edges by graph, with ids from 1.
    ends = np.stack([inputs[name].numpy() for name in ("src", "dst")], 1)
    ends = ends[np.argsort(ends[:, 0] // MOLECULE_NODES, kind="stable")] + 1
    owner = np.repeat(np.arange(count), MOLECULE_NODES)
    _write(place / "MADE_A.txt", ends, "%d, %d")
    _write(place / "MADE_graph_indicator.txt", owner + 1, "%d")
    _write(place / "MADE_graph_labels.txt", np.arange(count) % 2, "%d")
    _write(place / "MADE_node_labels.txt", np.arange(sizes.nodes) % 7, "%d")
    if "x" in inputs:
        x = inputs["x"].numpy()
        _write(place / "MADE_node_attributes.txt", x, ", ".join(["%.6f"] * x.shape[1]))

    class Local(data.TUDataset):
        def download(self) -> None:
            """Copy the files to the folder where DGL looks; only DGL names it."""
            shutil.copytree(place, Path(self.raw_path) / "MADE", dirs_exist_ok=True)

    def run(force: bool = reads) -> dict[str, Any]:
        return {"data": Local("MADE", raw_dir=folder, force_reload=force)}

    def check() -> dict[str, Tensor]:
        run(True)
        opened = run(False)["data"]
        items = [opened[i] for i in range(count)]
        graphs = [item[0] for item in items]
        # DGL leaves ids in each graph.
        names = sorted(name for name in graphs[0].ndata if not name.startswith("_"))
        return {
            "edges": torch.cat([torch.stack(g.edges(order="eid"), 1) for g in graphs]).long(),
            "labels": torch.stack([torch.as_tensor(item[1]).flatten() for item in items]),
            **{n: torch.cat([g.ndata[n].double().view(MOLECULE_NODES, -1) for g in graphs])
               for n in names},
        }  # fmt: skip

    return _until_dropped(Form(run, check), Path(folder))


def _until_dropped(form: Form, folder: Path) -> Form:
    """Delete the folder when the form is dropped; return the form."""
    weakref.finalize(form.run, shutil.rmtree, folder, ignore_errors=True)
    return form


def _write(path: Path, rows: np.ndarray, form: str, header: str = "") -> None:
    np.savetxt(path, rows, fmt=form, header=header, comments="")
