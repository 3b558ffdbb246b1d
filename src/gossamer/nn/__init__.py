"""Layers: graph convolutions and readouts.

Layers work under `torch.compile` and `torch.export`. An exported program takes the edges as
tensors and builds the graph itself; the number of nodes comes from the shape of the features:

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

An exported program does not check ids. Three modules cannot be exported: `SAGEConv` with
``"lstm"``, because it depends on the degrees; `Set2Set`, because it contains an LSTM; and
`SetTransformerDecoder`, because it depends on the size of the largest graph.
"""

# ruff: noqa: F403 (names are listed where they are defined)

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
from gossamer.nn.conv import *
from gossamer.nn.explain import *
from gossamer.nn.factory import *
from gossamer.nn.functional import *
from gossamer.nn.glob import *
from gossamer.nn.gt import *
from gossamer.nn.hetero import HeteroEmbedding, HeteroGraphConv, HeteroLinear
from gossamer.nn.linear import *
from gossamer.nn.link import *
from gossamer.nn.network_emb import *
from gossamer.nn.sparse_emb import *
from gossamer.nn.utils import *

__all__ = [
    *conv.__all__, *explain.__all__, *factory.__all__, *functional.__all__, *glob.__all__,
    *gt.__all__, *linear.__all__, *link.__all__, *network_emb.__all__, *sparse_emb.__all__,
    *utils.__all__, "HeteroEmbedding", "HeteroGraphConv", "HeteroLinear", "conv", "explain",
    "factory", "functional", "glob", "gt", "hetero", "linear", "link", "models", "network_emb",
    "sparse_emb", "utils",
]  # fmt: skip

# Names in PyG; the error for such a name says what to use instead.
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
