"""Pooling, heterogeneous layers and the other modules, for the contract suite."""

from __future__ import annotations

import gossamer.nn
from nn.layer_case import WIDTH, LayerCase

#: Names of modules to which the contract does not apply.
OUTSIDE: set[str] = set()

CASES = [
    LayerCase(name, getattr(gossamer.nn, name), per="graph", out=(WIDTH,))
    for name in ("SumPooling", "AvgPooling", "MaxPooling")
]
