"""The tool that breaks layers: it finds something to break in each, and the break takes effect."""

from __future__ import annotations

import importlib.util

import torch

from gossamer.nn import WeightBasis
from helpers.paths import REPOSITORY

SPEC = importlib.util.spec_from_file_location("mutate", REPOSITORY / "tools" / "mutate.py")
mutate = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(mutate)

# Readouts, tables, and modules that only call others.
WITHOUT_ENDS = {
    "AvgPooling",
    "DeepWalk",
    "GlobalAttentionPooling",
    "GroupRevRes",
    "HeteroEmbedding",
    "HeteroLinear",
    "JumpingKnowledge",
    "LapPosEncoder",
    "MaxPooling",
    "NodeEmbedding",
    "Sequential",
    "Set2Set",
    "SetTransformerDecoder",
    "SetTransformerEncoder",
    "SortPooling",
    "SpatialEncoder3d",
    "SumPooling",
    "TypedLinear",
    "WeightAndSum",
    "WeightBasis",
}


def test_every_layer_has_three_breaks() -> None:
    found = {name: mutate.breaks(layer) for name, layer in mutate.layers().items()}
    assert len(found) > 60
    assert all(sign and normalization for sign, normalization, _ in found.values())
    assert {name for name, (*_, ends) in found.items() if ends is None} == WITHOUT_ENDS


def test_the_break_is_of_the_formula() -> None:
    sign, normalization, ends = mutate.breaks(mutate.layers()["DotGatConv"])
    assert sign.text == "the result times -1"
    assert normalization.text == "z_dst / self._out_feats ** 0.5 -> z_dst * self._out_feats ** 0.5"
    assert ends.text == "relation = relation.reverse()"


def test_a_break_takes_effect() -> None:
    layer = WeightBasis((2, 3), num_bases=1, num_outputs=2)
    before, forward = layer(), WeightBasis.forward
    try:
        mutate.apply(mutate.breaks(WeightBasis)[0])
        torch.testing.assert_close(layer(), -before)
    finally:
        WeightBasis.forward = forward
    torch.testing.assert_close(layer(), before)


def test_the_tests_of_a_layer_are_its_own_first() -> None:
    files = [file.name for file, _ in mutate.runs_of(mutate.layers()["EGTLayer"])]
    assert files[0] == "test_gt.py"
    assert files[-4:] == list(mutate.SHARED)
