"""Default hyper-parameters."""

from __future__ import annotations

import pytest

from gossamer.cli.config import from_mapping, options
from gossamer.cli.model_list import MODELS
from gossamer.cli.recipes import recipe, usual_model


def test_citation_networks_use_the_papers_settings() -> None:
    gcn = recipe("cora", "gcn")
    assert gcn["hidden"] == 16
    gat = recipe("citeseer", "gat")
    assert (gat["hidden"], gat["heads"], gat["dropout"], gat["lr"]) == (8, 8, 0.6, 0.005)


def test_hyphens_and_underscores_name_the_same_dataset() -> None:
    assert recipe("roman_empire", "sage") == recipe("roman-empire", "sage")
    assert recipe("roman-empire", "sage")["residual"] is True


@pytest.mark.parametrize("model", MODELS)
def test_recipes_only_set_options_and_are_not_shared(model: str) -> None:
    for dataset in ("digits", "cora", "minesweeper", "unheard-of"):
        values = recipe(dataset, model)
        assert values.keys() <= options().keys()
        values["hidden"] = -1
        assert recipe(dataset, model).get("hidden") != -1


def test_a_recipe_belongs_to_a_family() -> None:
    platonov = ("minesweeper", "roman-empire", "chameleon_filtered", "squirrel_filtered")
    assert all(recipe(name, "gcn") == recipe("tolokers", "gcn") for name in platonov)
    assert all(recipe(name, "gin")["layers"] == 4 for name in ("gin-mutag", "tu-enzymes", "zinc"))
    assert recipe("geom-texas", "gcn") == recipe("wisconsin", "gcn")
    # The user's own data may have any name.
    assert recipe("cora", "gcn", {"edges": ("cora.csv",)}) == {}


@pytest.mark.parametrize(
    ("values", "model"),
    [
        ({"dataset": "cora"}, "gcn"),
        ({"dataset": "aifb"}, "rgcn"),
        ({"dataset": "gin-mutag"}, "gin"),
        ({"dataset": "ml-100k"}, "rgcn"),
        ({"edges": ["a.csv"]}, "gcn"),
        ({"edges": ["a.csv"], "graphs": "g.csv"}, "gin"),
        ({"edges": ["u:a:v=a.csv", "u:b:v=b.csv"]}, "rgcn"),
        ({"edges": ["u:a:v=a.csv"], "task": "links"}, "rgcn"),
        ({"edges": ["u:a:u=a.csv"]}, "gcn"),
        ({"dataset": "cora", "model": "gat"}, "gat"),
    ],
)
def test_the_model_that_is_used_where_none_is_given(values: dict, model: str) -> None:
    assert from_mapping(values).model == model
    if "model" not in values:
        assert usual_model(values.get("dataset", ""), values) == model
