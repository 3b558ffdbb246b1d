"""Link prediction: scores of pairs and triples."""

from gossamer.nn.link.edgepred import EdgePredictor
from gossamer.nn.link.translation import TransE, TransR

__all__ = ["EdgePredictor", "TransE", "TransR"]
