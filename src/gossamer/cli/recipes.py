"""Default hyper-parameters of `gossamer train` by dataset and model."""

from __future__ import annotations

from typing import Any

__all__ = ["recipe", "varied"]

_CITATION = frozenset({"cora", "citeseer", "pubmed"})
_HETEROPHILOUS = frozenset(
    {"minesweeper", "tolokers", "questions", "roman-empire", "amazon-ratings"}
)

# SAGE and GIN include a node's own features.
_MODEL: dict[str, dict[str, Any]] = {
    "sage": {"self_loops": False},
    "gat": {"hidden": 16, "heads": 4},
    "gatv2": {"hidden": 16, "heads": 4},
    "gin": {"self_loops": False, "norm": "batch"},
}

# GCN: Kipf & Welling 2017, section 5.2. GAT: Velickovic et al. 2018, section 3.3.
_GCN_CITATION = {"hidden": 16, "epochs": 200, "patience": 100}
_GAT_CITATION = {
    "hidden": 8,
    "heads": 8,
    "dropout": 0.6,
    "attn_dropout": 0.6,
    "lr": 0.005,
    "epochs": 1000,
    "patience": 100,
}
_CITATION_MODEL: dict[str, dict[str, Any]] = {
    "gcn": _GCN_CITATION,
    "sage": {**_GCN_CITATION, "hidden": 32},
    "gat": _GAT_CITATION,
    "gatv2": _GAT_CITATION,
    "gin": {**_GCN_CITATION, "hidden": 32},
}

# Residual blocks as in Platonov et al. 2023, but narrower, for training on a CPU.
_RESIDUAL: dict[str, Any] = {
    "layers": 5,
    "residual": True,
    "norm": "layer",
    "dropout": 0.2,
    "lr": 3e-3,
    "weight_decay": 0.0,
    "epochs": 1000,
    "patience": 100,
}


def recipe(dataset: str, model: str) -> dict[str, Any]:
    """Default hyper-parameters of `model` on `dataset`, where they differ from `TrainConfig`.

    Examples
    --------
    >>> recipe("cora", "gcn")["hidden"]
    16
    """
    dataset = dataset.replace("_", "-")
    values = dict(_MODEL.get(model, {}))
    if dataset in _CITATION:
        values.update(_CITATION_MODEL.get(model, {}))
    elif dataset in _HETEROPHILOUS:
        values.update(_RESIDUAL)
    return values


def varied() -> frozenset[str]:
    """The names of all options that some recipe sets.

    Examples
    --------
    >>> "lr" in varied(), "seeds" in varied()
    (True, False)
    """
    recipes = [*_MODEL.values(), *_CITATION_MODEL.values(), _RESIDUAL]
    return frozenset().union(*recipes)
