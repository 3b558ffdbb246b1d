"""A name of PyG's that is not there: the error says what to use instead."""

from __future__ import annotations

import re

import pytest

import gossamer
from gossamer import nn


@pytest.mark.parametrize("name", sorted(nn._RENAMED))
def test_a_name_of_pyg(name: str) -> None:
    use = nn._RENAMED[name]
    with pytest.raises(AttributeError, match=f"no attribute '{name}'; use {re.escape(use)}$"):
        getattr(nn, name)
    assert hasattr(nn, use) or any(word.startswith("gossamer.") for word in use.split())


def test_what_the_hints_name_exists() -> None:
    assert gossamer.knn_graph and gossamer.Graph.update_all


def test_an_unknown_name() -> None:
    with pytest.raises(AttributeError, match=r"no attribute 'GrafConv'$"):
        getattr(nn, "Graf" + "Conv")
    assert not hasattr(nn, "GrafConv")
