"""Every layer of `gossamer.nn`, for the contract suite: how to build it and what it takes.

A new layer needs a case in `cases_conv.py` or `cases_other.py`; `test_contract.py` fails without
one.
"""

from __future__ import annotations

import importlib
import pkgutil

from torch import nn

import gossamer.nn
from nn import cases_conv, cases_other
from nn.layer_case import EDGE_WEIGHT, FEAT, WIDTH, Input, LayerCase

__all__ = [
    "EDGE_WEIGHT",
    "FEAT",
    "LAYER_CASES",
    "WIDTH",
    "Input",
    "LayerCase",
    "layer_classes",
]

LAYER_CASES = [*cases_conv.CASES, *cases_other.CASES]

#: Modules that take no graph, or do not return a row per node, edge or graph: the contract does
#: not apply, and each has a test file of its own.
OUTSIDE = {*cases_conv.OUTSIDE, *cases_other.OUTSIDE}


def layer_classes() -> set[type[nn.Module]]:
    """Find every public layer defined anywhere under `gossamer.nn`, but those in `OUTSIDE`."""
    modules = [gossamer.nn] + [
        importlib.import_module(info.name)
        for info in pkgutil.walk_packages(gossamer.nn.__path__, "gossamer.nn.")
    ]
    return {
        value
        for module in modules
        for name, value in vars(module).items()
        if isinstance(value, type)
        and issubclass(value, nn.Module)
        and value.__module__.startswith("gossamer.nn")
        and "._" not in value.__module__
        and not name.startswith("_")
        and name not in OUTSIDE
    }
