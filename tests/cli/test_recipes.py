"""Default hyper-parameters."""

from __future__ import annotations

import pytest

from gossamer.cli.config import MODELS, options
from gossamer.cli.recipes import recipe


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
