"""Explanations: which edges, nodes and features a prediction depends on."""

from gossamer.nn.explain.explanation import Explanation
from gossamer.nn.explain.gnnexplainer import GNNExplainer, HeteroGNNExplainer
from gossamer.nn.explain.heteropgexplainer import HeteroPGExplainer
from gossamer.nn.explain.pgexplainer import PGExplainer
from gossamer.nn.explain.subgraphx import HeteroSubgraphX, SubgraphX

__all__ = [
    "Explanation",
    "GNNExplainer",
    "HeteroGNNExplainer",
    "HeteroPGExplainer",
    "HeteroSubgraphX",
    "PGExplainer",
    "SubgraphX",
]
