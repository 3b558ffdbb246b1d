"""Graph convolutions."""

from gossamer.nn.conv.gatconv import GATConv
from gossamer.nn.conv.gatv2conv import GATv2Conv
from gossamer.nn.conv.ginconv import GINConv
from gossamer.nn.conv.graphconv import EdgeWeightNorm, GraphConv
from gossamer.nn.conv.sageconv import SAGEConv

__all__ = ["EdgeWeightNorm", "GATConv", "GATv2Conv", "GINConv", "GraphConv", "SAGEConv"]
