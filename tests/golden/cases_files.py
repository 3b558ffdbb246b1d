"""Saving graphs to a file and loading them again.

The expressions use ``path``, a file name in a folder of the process's own.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import torch

from golden.harness import Difference, Table

_FOLDER = tempfile.TemporaryDirectory()
_PATH = str(Path(_FOLDER.name) / "graphs.bin")


def _labels() -> dict[str, torch.Tensor]:
    return {"y": torch.tensor([1, 0]), "z": torch.tensor([[0.5, -1.5]])}


def _back(gs: Any, graphs: Any, *args: Any, idx_list: Any = None, **kwargs: Any) -> Any:
    """What comes back of `graphs`, and which formats are there."""
    gs.save_graphs(_PATH, graphs, *args, **kwargs)
    loaded, labels = gs.load_graphs(_PATH, idx_list)
    # DGL lists the edges of a graph that is restricted to CSR or CSC only after it is no longer.
    lifted = [g.formats(["coo", "csr", "csc"]) for g in loaded]
    return lifted, [g.formats() for g in loaded], labels


_SAVED = [
    "back(gs, g)",
    "back(gs, [g])",
    "back(gs, [g], labels())",
    "back(gs, [g, g], None, 'coo')[0]",
    "back(gs, [g], formats='csr')",
    "back(gs, [g], formats='csc')",
    "back(gs, [g], formats=['coo', 'csr'])",
    "back(gs, [g], formats=['csr', 'csc'])[0]",
    "back(gs, [g.formats('csr')])",
    "back(gs, [g.formats('csc')])",
    "back(gs, [g.formats('csc')], formats='csr')",
    "back(gs, [g, gs.graph(([0, 1], [1, 2])), g])[0]",
    "back(gs, [g, gs.graph(([0, 1], [1, 2])), g], idx_list=[1])[0]",
    "back(gs, [g, gs.graph(([0, 1], [1, 2])), g], idx_list=[2, 1, 2])[0]",
]

_CALLS = [
    "gs.save_graphs(path, [gs.graph(([0], [1]))])",
    "gs.save_graphs(path, gs.graph(([0], [1]))); gs.data.utils.load_labels(path)",
    "gs.save_graphs(path, gs.graph(([0], [1])), labels()); gs.data.utils.load_labels(path)",
    "gs.data.utils.save_graphs(path, gs.graph(([0], [1])), labels());"
    " gs.data.utils.load_graphs(path)",
    "gs.save_graphs(path + '/../new/folder/x', gs.graph(([0], [1])));"
    " gs.load_graphs(path + '/../new/folder/x')",
    "gs.save_graphs(path, gs.graph(([0], [1])), {'y': torch.tensor([1, 2, 3])});"
    " gs.load_graphs(path)[1]",
    "gs.save_graphs(path, gs.graph(([0], [1])), {}); gs.load_graphs(path)[1]",
    "gs.save_graphs(path, gs.graph(([0], [1])), {'b': torch.tensor([True, False])});"
    " gs.load_graphs(path)[1]",
    "gs.save_graphs(path, [])",
    "gs.save_graphs(path, 3)",
    "gs.save_graphs(path, [3])",
    "gs.save_graphs(path, (gs.graph(([0], [1])),))",
    "gs.save_graphs(path, gs.graph(([0], [1])), torch.tensor([1]))",
    "gs.save_graphs(path, gs.graph(([0], [1])), {'y': [1]})",
    "gs.save_graphs(path, gs.graph(([0], [1])), formats='nope')",
    "gs.save_graphs(folder, gs.graph(([0], [1])))",
    "gs.save_graphs(3, gs.graph(([0], [1])))",
    "gs.load_graphs(folder)",
    "gs.load_graphs(path + '.nothing')",
    "gs.data.utils.load_labels(path + '.nothing')",
    *(
        f"gs.save_graphs(path, [gs.graph(([0], [1]))] * 3); len(gs.load_graphs(path, {numbers})[0])"
        for numbers in ("[]", "[0]", "[2, 0]", "[3]", "[-1]", "1", "'0'", "torch.tensor([1])")
    ),
]

TABLE = Table(
    area="files",
    expressions=[
        *((e, "homo no_nodes bipartite het shared_name blocks") for e in _SAVED),
        *((e, "simple") for e in _CALLS),
    ],
    differences=[
        Difference("back(*block", "value", "Blocks can be saved; DGL refuses them."),
        Difference(
            "back(*batched",
            "other",
            "A batch is still a batch when it is loaded; DGL loses batch_num_nodes.",
        ),
        Difference(
            "gs.save_graphs(path, gs.graph(([0], [1])), {'b': *",
            "other",
            "Boolean values stay boolean; DGL converts them to uint8.",
        ),
        Difference("gs.save_graphs(path, []) @*", "value", "A file may hold no graphs."),
        Difference("gs.save_graphs(path, (*", "value", "A tuple of graphs may stand for a list."),
        Difference("*torch.tensor([1]))[0]) @*", "value", "Ids may be a tensor everywhere."),
    ],
    names={"back": _back, "labels": _labels, "path": _PATH, "folder": _FOLDER.name},
)
