"""The models of `gossamer train`, with the tasks and graphs that each supports."""

from __future__ import annotations

from dataclasses import dataclass

from gossamer.cli.schema import GRAPHS, LINKS, NODES, RATINGS, Schema
from gossamer.cli.text import format_table
from gossamer.errors import InvalidValueError

__all__ = ["ATTENTION", "MODELS", "STACKS", "ModelFacts", "fitting", "print_models", "require_fit"]

STACKS = ("gcn", "sage", "gat", "gatv2", "gin")
ATTENTION = ("gat", "gatv2")
_ALL = (NODES, GRAPHS, LINKS, RATINGS)


@dataclass(frozen=True)
class ModelFacts:
    """Title and source of a model, its tasks, and whether it uses node and edge types."""

    title: str
    reference: str
    levels: tuple[str, ...] = _ALL
    typed: bool = False


MODELS = {
    "gcn": ModelFacts("GCN", "Kipf & Welling, 2017"),
    "sage": ModelFacts("GraphSAGE", "Hamilton et al., 2017"),
    "gat": ModelFacts("GAT", "Velickovic et al., 2018"),
    "gatv2": ModelFacts("GATv2", "Brody et al., 2022"),
    "gin": ModelFacts("GIN", "Xu et al., 2019"),
    "pna": ModelFacts("PNA", "Corso et al., 2020"),
    "appnp": ModelFacts("APPNP", "Gasteiger et al., 2019"),
    "gcnii": ModelFacts("GCNII", "Chen et al., 2020"),
    "lightgcn": ModelFacts("LightGCN", "He et al., 2020", (LINKS,)),
    "rgcn": ModelFacts("R-GCN", "Schlichtkrull et al., 2018", (NODES, LINKS, RATINGS), True),
    "hgt": ModelFacts("HGT", "Hu et al., 2020", (NODES, LINKS, RATINGS), True),
}


def fitting(schema: Schema) -> list[str]:
    """Return the models that support a task and graph."""
    return [
        name
        for name, facts in MODELS.items()
        if schema.level in facts.levels and (facts.typed or schema.homogeneous)
    ]


def require_fit(model: str, schema: Schema) -> None:
    """Raise an error that lists the suitable models if `model` is not one of them."""
    fit = fitting(schema)
    if model not in fit:
        graph = "" if schema.homogeneous else (
            f" of a graph with {len(schema.in_sizes)} node and {schema.num_etypes} edge types"
        )  # fmt: skip
        raise InvalidValueError(
            f"Model '{model}' is not for predicting {schema.level}{graph}. Choose one of "
            f"{', '.join(fit)} with --model."
        )
    if model == "lightgcn" and any(schema.in_sizes.values()):
        raise InvalidValueError(
            "Model 'lightgcn' is for graphs without node features: it has a vector for each node. "
            "Choose gcn or sage, or omit the features."
        )


def print_models() -> None:
    """Print a row for each model."""
    rows = [
        [name, facts.title, ", ".join(facts.levels), "several" if facts.typed else "one",
         facts.reference]
        for name, facts in MODELS.items()
    ]  # fmt: skip
    print(format_table(["name", "model", "predicts", "types", "reference"], rows))
    print("\nTrain one: gossamer train --dataset NAME --model NAME")
