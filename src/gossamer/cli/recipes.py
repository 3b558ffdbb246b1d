"""Default hyper-parameters of `gossamer train` by dataset and model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["predicted", "recipe", "usual_model", "varied"]

# SAGE and GIN include the features of the node itself.
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


# Whole graphs: Xu et al. 2019, section 7, with a fixed number of layers.
_GRAPHS: dict[str, Any] = {
    "layers": 4,
    "hidden": 32,
    "norm": "batch",
    "weight_decay": 0.0,
    "batch_size": 64,
    "self_loops": False,
}
_LINKS: dict[str, Any] = {"dropout": 0.0, "weight_decay": 0.0}
# A vector for each node, and relations with a matrix each: Schlichtkrull et al. 2018, section 5.
_TYPED: dict[str, dict[str, Any]] = {
    "rgcn": {"hidden": 16, "weight_decay": 5e-4, "dropout": 0.2},
    "hgt": {"hidden": 64, "heads": 4, "dropout": 0.2},
}


def _family(dataset: str) -> tuple[str, str, str]:
    """Return class, task and source of a dataset of the catalogue, or empty strings."""
    # Imported here, because the parser must not load torch.
    from gossamer.data import registry
    from gossamer.errors import UnknownKeyError

    try:
        entry = registry.info(dataset)
    except UnknownKeyError:
        return "", "", ""
    return entry.dataset, entry.task, entry.reference


def usual_model(dataset: str, values: Mapping[str, Any]) -> str:
    """Return the default model for a dataset or for the user's tables."""
    edges = values.get("edges")
    if edges:
        if values.get("graphs"):
            return "gin"
        types = {name.rpartition("=")[0] for name in (*edges, *values.get("nodes", ()))}
        ends = {end for name in types if ":" in name for end in name.split(":")[::2]}
        return "rgcn" if max(len(types), len(ends)) > 1 else "gcn"
    if values.get("task") == "links":
        return "gcn"
    task = _family(dataset)[1]
    if "graph" in task.split():
        return "gin"
    return "rgcn" if task in ("entity classification", "rating prediction") else "gcn"


def predicted(dataset: str, values: Mapping[str, Any]) -> str | None:
    """Return what a run predicts: "nodes", "links" or "graphs"; None for an unknown dataset.

    Examples
    --------
    >>> predicted("cora", {}), predicted("cora", {"task": "links"}), predicted("aifb", {})
    ('nodes', 'links', 'nodes')
    """
    if values.get("task") == "links":
        return "links"
    if values.get("edges"):
        return "graphs" if values.get("graphs") else "nodes"
    words = _family(dataset)[1].split()
    known = {"graph": "graphs", "link": "links", "rating": "links", "node": "nodes"}
    known["entity"] = "nodes"
    return next((level for word, level in known.items() if word in words), None)


def recipe(dataset: str, model: str, values: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the hyper-parameters of `model` on `dataset` that differ from `TrainConfig`.

    A recipe belongs to a family of datasets: those of one class of `gossamer.data` and one source,
    or those of one task. `values` are the given settings; with ``edges``, the data are the user's
    tables.

    Examples
    --------
    >>> recipe("cora", "gcn")["hidden"]
    16
    """
    given = values or {}
    own = bool(given.get("edges"))
    cls, task, source = ("", "", "") if own else _family(dataset)
    found = dict(_MODEL.get(model, {}))
    found.update(_TYPED.get(model, {}))
    if given.get("task") == "links" or "link" in task.split() or task == "rating prediction":
        found.update(_LINKS)
    elif given.get("graphs") or "graph" in task.split():
        found.update(_GRAPHS)
    elif cls == "CitationGraphDataset":
        found.update(_CITATION_MODEL.get(model, {}))
    elif cls == "HeterophilousGraphDataset" and source.startswith("Platonov"):
        found.update(_RESIDUAL)
    return found


def varied() -> frozenset[str]:
    """Return the names of all options that are set by any recipe.

    Examples
    --------
    >>> "lr" in varied(), "seeds" in varied()
    (True, False)
    """
    recipes = [*_MODEL.values(), *_CITATION_MODEL.values(), *_TYPED.values()]
    recipes += [_RESIDUAL, _GRAPHS, _LINKS]
    return frozenset().union(*recipes)
