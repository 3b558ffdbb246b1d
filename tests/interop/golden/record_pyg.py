"""Record what PyG says of the graphs of `pyg_cases.py`, for `test_pyg.py`.

Run where torch_geometric 2.8.1 is installed, from the root of the repository::

    python tests/interop/golden/record_pyg.py

It writes `pyg.json` beside this file: for each case the number of nodes, and for each attribute its
value and whether PyG counts it to nodes or edges. A second run writes the same.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
import torch_geometric
from pyg_cases import CASES
from torch_geometric import data as pyg

TARGET = Path(__file__).with_name("pyg.json")


def describe(store: Any) -> dict[str, Any]:
    """The attributes of a store, and its number of nodes if it has nodes."""
    attributes = {
        name: [
            value.tolist() if isinstance(value, torch.Tensor) else value,
            "node" if store.is_node_attr(name) else "edge" if store.is_edge_attr(name) else None,
        ]
        for name, value in store.to_dict().items()
    }
    return {"attributes": attributes, "num_nodes": getattr(store, "num_nodes", None)}


def main() -> None:
    """Record every case."""
    recorded = {}
    for name, build in CASES.items():
        data = build(pyg)
        kinds = [""]
        if isinstance(data, pyg.HeteroData):
            kinds = [*data.node_types, *data.edge_types]
        stores = {"/".join([kind] if isinstance(kind, str) else kind): kind for kind in kinds}
        recorded[name] = {
            key: describe(data[kind] if kind else data) for key, kind in stores.items()
        }
    TARGET.write_text(json.dumps(recorded) + "\n", encoding="utf-8")
    print(f"torch_geometric {torch_geometric.__version__}: {len(CASES)} cases")


if __name__ == "__main__":
    main()
