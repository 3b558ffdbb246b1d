"""Write small files with DGL's ``save_graphs``, and beside them what DGL loads from them.

Run where DGL 2.1.0 is installed, from the root of the repository::

    python tests/golden/record_archives.py

The file ``first_format`` has the format of DGL 0.4, which DGL 2.1.0 can still write and read.

Bytes 32 to 4096 of such a file are whatever the memory of the process held; they are set to zero,
and DGL reads the file after that.
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from golden.harness import encode
from golden.inputs import INPUTS

FOLDER = Path(__file__).parent / "archives"

DTYPES = ("bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32")
DTYPES += ("float64", "complex64", "complex128")

LABELS = {
    "y": torch.arange(6),
    "largest value": torch.tensor([[0.5, -1.5]]),
    "none": torch.empty(0, 3),
}


def contents(dgl: Any) -> dict[str, tuple]:
    """Name of each file, and the graphs, labels and formats given to save_graphs."""

    def built(*names: str) -> list:
        return [INPUTS[name].build(dgl) for name in names]

    awkward, awkward32 = built("awkward", "awkward32")
    dtypes = dgl.graph(([0], [1]))
    for name in DTYPES:
        dtypes.ndata[name] = torch.tensor([1, 0]).to(getattr(torch, name))
    dtypes.ndata["matrix"] = torch.arange(12.0).reshape(2, 3, 2).transpose(1, 2)
    dtypes.ndata["no columns"] = torch.empty(2, 0)
    many = built("simple", "awkward", "awkward32", "no_edges", "no_nodes", "batched")
    return {
        "homogeneous": (many, LABELS, None),
        "heterogeneous": (built("bipartite", "hetero32", "shared_name"), None, None),
        "csr": ([awkward], None, "csr"),
        "csc": ([awkward32], None, "csc"),
        "all_formats": (built("awkward", "bipartite"), None, ["coo", "csr", "csc"]),
        "restricted": ([awkward.formats("csr"), awkward32.formats(["coo", "csc"])], None, None),
        "dtypes": ([dtypes], None, None),
        "first_format": (built("simple", "awkward", "no_edges"), LABELS, None),
    }


def write_first_format(path: Path, graphs: list, labels: dict[str, torch.Tensor]) -> None:
    """Write homogeneous graphs as DGL 0.4 did."""
    import dgl
    from dgl.data import graph_serialize

    class OldGraph:
        """What the writer asks a graph for."""

        batch_size = 1

        def __init__(self, graph: Any) -> None:
            u, v = (end.long() for end in graph.edges())
            self._graph = dgl.graph_index.from_coo(graph.num_nodes(), u, v, True)
            self.ndata = self._node_frame = dict(graph.ndata)
            self.edata = self._edge_frame = dict(graph.edata)

    entries = [graph_serialize.GraphData.create(OldGraph(graph)) for graph in graphs]
    arrays = {name: dgl.backend.zerocopy_to_dgl_ndarray(v) for name, v in labels.items()}
    graph_serialize._CAPI_SaveDGLGraphs_V0(str(path), entries, arrays)


def encoded(graph: Any) -> Any:
    """The graph as JSON, which knows no complex numbers."""
    # DGL lists the edges of a restricted graph only when it is restricted no longer.
    graph = graph.formats(["coo", "csr", "csc"])
    if graph.is_homogeneous:
        for name, value in list(graph.ndata.items()):
            if value.is_complex():
                graph.ndata[name] = torch.view_as_real(value)
    return encode(graph)


def main() -> None:
    """Write the files and ``archives.json``."""
    import dgl

    warnings.simplefilter("ignore")
    FOLDER.mkdir(exist_ok=True)
    loaded = {}
    for name, (graphs, labels, formats) in contents(dgl).items():
        path = FOLDER / f"{name}.bin"
        if name == "first_format":
            write_first_format(path, graphs, labels)
        else:
            dgl.save_graphs(str(path), graphs, labels, formats)
        content = path.read_bytes()
        path.write_bytes(content[:32] + bytes(4096 - 32) + content[4096:])
        graphs, labels = dgl.load_graphs(str(path))
        loaded[name] = {
            "graphs": [encoded(graph) for graph in graphs],
            "formats": [graph.formats() for graph in graphs],
            "labels": encode(labels),
        }
    lines = ",\n".join(f'"{n}": {json.dumps(v, separators=(",", ":"))}' for n, v in loaded.items())
    (FOLDER / "archives.json").write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
