"""Layers: graph convolutions and readouts."""

from gossamer.nn import conv, functional, glob
from gossamer.nn.conv import (
    EdgeWeightNorm,
    GATConv,
    GATv2Conv,
    GINConv,
    GraphConv,
    SAGEConv,
)
from gossamer.nn.functional import edge_softmax
from gossamer.nn.glob import AvgPooling, MaxPooling, SumPooling
from gossamer.nn.node_embedding import NodeEmbedding

__all__ = [
    "AvgPooling",
    "EdgeWeightNorm",
    "GATConv",
    "GATv2Conv",
    "GINConv",
    "GraphConv",
    "MaxPooling",
    "NodeEmbedding",
    "SAGEConv",
    "SumPooling",
    "conv",
    "edge_softmax",
    "functional",
    "glob",
]
