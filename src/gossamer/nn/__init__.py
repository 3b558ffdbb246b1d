"""Layers: graph convolutions and readouts.

Layers work under `torch.compile` and `torch.export`. An exported program takes the edges as
tensors and builds the graph itself, with the number of nodes from a shape:

>>> import torch, gossamer as gs
>>> class Model(torch.nn.Module):
...     def __init__(self):
...         super().__init__()
...         self.conv = gs.nn.GraphConv(4, 2, allow_zero_in_degree=True)
...     def forward(self, src, dst, x):
...         return self.conv(gs.graph((src, dst), num_nodes=x.shape[0]), x)
>>> nodes, edges = (torch.export.Dim(name, min=3, max=2**28) for name in ("nodes", "edges"))
>>> shapes = {"src": {0: edges}, "dst": {0: edges}, "x": {0: nodes}}
>>> example = torch.tensor([0, 1, 2]), torch.tensor([1, 2, 0]), torch.rand(3, 4)
>>> program = torch.export.export(Model(), example, dynamic_shapes=shapes, strict=False)
>>> program.module()(torch.tensor([0, 1, 2, 3]), torch.tensor([1, 2, 3, 4]), torch.rand(5, 4)).shape
torch.Size([5, 2])

An exported program does not check ids. `SAGEConv` with ``"lstm"``, `Set2Set` and
`SetTransformerDecoder` cannot be exported: they depend on the degrees, hold an LSTM, or depend on
the size of the largest graph.
"""

from typing import NoReturn

from gossamer.nn import (
    conv,
    explain,
    factory,
    functional,
    glob,
    gt,
    hetero,
    linear,
    link,
    models,
    network_emb,
    sparse_emb,
    utils,
)
from gossamer.nn.conv import (
    AGNNConv,
    APPNPConv,
    AtomicConv,
    CFConv,
    ChebConv,
    CuGraphGATConv,
    CuGraphRelGraphConv,
    CuGraphSAGEConv,
    DenseChebConv,
    DenseGraphConv,
    DenseSAGEConv,
    DGNConv,
    DotGatConv,
    EdgeConv,
    EdgeGATConv,
    EdgeWeightNorm,
    EGATConv,
    EGNNConv,
    GATConv,
    GatedGCNConv,
    GatedGraphConv,
    GATv2Conv,
    GCN2Conv,
    GINConv,
    GINEConv,
    GMMConv,
    GraphConv,
    GroupRevRes,
    HGTConv,
    NNConv,
    PNAConv,
    RelGraphConv,
    SAGEConv,
    SGConv,
    TAGConv,
    TWIRLSConv,
    TWIRLSUnfoldingAndAttention,
)
from gossamer.nn.explain import (
    Explanation,
    GNNExplainer,
    HeteroGNNExplainer,
    HeteroPGExplainer,
    HeteroSubgraphX,
    PGExplainer,
    SubgraphX,
)
from gossamer.nn.factory import KNNGraph, RadiusGraph, SegmentedKNNGraph
from gossamer.nn.functional import edge_softmax
from gossamer.nn.glob import (
    AvgPooling,
    GlobalAttentionPooling,
    MaxPooling,
    Set2Set,
    SetTransformerDecoder,
    SetTransformerEncoder,
    SortPooling,
    SumPooling,
    WeightAndSum,
)
from gossamer.nn.gt import (
    BiasedMHA,
    DegreeEncoder,
    EGTLayer,
    GraphormerLayer,
    LapPosEncoder,
    PathEncoder,
    SpatialEncoder,
    SpatialEncoder3d,
)
from gossamer.nn.hetero import HeteroEmbedding, HeteroGraphConv, HeteroLinear
from gossamer.nn.linear import TypedLinear
from gossamer.nn.link import EdgePredictor, TransE, TransR
from gossamer.nn.network_emb import DeepWalk, MetaPath2Vec
from gossamer.nn.node_embedding import NodeEmbedding
from gossamer.nn.utils import JumpingKnowledge, LabelPropagation, Sequential, WeightBasis

__all__ = [
    "AGNNConv",
    "APPNPConv",
    "AtomicConv",
    "AvgPooling",
    "BiasedMHA",
    "CFConv",
    "ChebConv",
    "CuGraphGATConv",
    "CuGraphRelGraphConv",
    "CuGraphSAGEConv",
    "DGNConv",
    "DeepWalk",
    "DegreeEncoder",
    "DenseChebConv",
    "DenseGraphConv",
    "DenseSAGEConv",
    "DotGatConv",
    "EGATConv",
    "EGNNConv",
    "EGTLayer",
    "EdgeConv",
    "EdgeGATConv",
    "EdgePredictor",
    "EdgeWeightNorm",
    "Explanation",
    "GATConv",
    "GATv2Conv",
    "GCN2Conv",
    "GINConv",
    "GINEConv",
    "GMMConv",
    "GNNExplainer",
    "GatedGCNConv",
    "GatedGraphConv",
    "GlobalAttentionPooling",
    "GraphConv",
    "GraphormerLayer",
    "GroupRevRes",
    "HGTConv",
    "HeteroEmbedding",
    "HeteroGNNExplainer",
    "HeteroGraphConv",
    "HeteroLinear",
    "HeteroPGExplainer",
    "HeteroSubgraphX",
    "JumpingKnowledge",
    "KNNGraph",
    "LabelPropagation",
    "LapPosEncoder",
    "MaxPooling",
    "MetaPath2Vec",
    "NNConv",
    "NodeEmbedding",
    "PGExplainer",
    "PNAConv",
    "PathEncoder",
    "RadiusGraph",
    "RelGraphConv",
    "SAGEConv",
    "SGConv",
    "SegmentedKNNGraph",
    "Sequential",
    "Set2Set",
    "SetTransformerDecoder",
    "SetTransformerEncoder",
    "SortPooling",
    "SpatialEncoder",
    "SpatialEncoder3d",
    "SubgraphX",
    "SumPooling",
    "TAGConv",
    "TWIRLSConv",
    "TWIRLSUnfoldingAndAttention",
    "TransE",
    "TransR",
    "TypedLinear",
    "WeightAndSum",
    "WeightBasis",
    "conv",
    "edge_softmax",
    "explain",
    "factory",
    "functional",
    "glob",
    "gt",
    "hetero",
    "linear",
    "link",
    "models",
    "network_emb",
    "sparse_emb",
    "utils",
]

# What PyG calls them; a wrong name gets an answer that says what to use instead.
_RENAMED = {
    "APPNP": "APPNPConv",
    "DynamicEdgeConv": "EdgeConv with gossamer.knn_graph",
    "GCNConv": "GraphConv",
    "GlobalAttention": "GlobalAttentionPooling",
    "HeteroConv": "HeteroGraphConv",
    "MaxAggregation": "MaxPooling",
    "MeanAggregation": "AvgPooling",
    "MessagePassing": "torch.nn.Module with gossamer.Graph.update_all",
    "Node2Vec": "DeepWalk",
    "RGCNConv": "RelGraphConv",
    "ResGatedGraphConv": "GatedGCNConv",
    "SortAggregation": "SortPooling",
    "SumAggregation": "SumPooling",
    "global_add_pool": "SumPooling",
    "global_max_pool": "MaxPooling",
    "global_mean_pool": "AvgPooling",
}


def __getattr__(name: str) -> NoReturn:
    hint = f"; use {_RENAMED[name]}" if name in _RENAMED else ""
    raise AttributeError(f"module 'gossamer.nn' has no attribute {name!r}{hint}")
