"""Samplers and loaders: training on minibatches of a graph, and on batches of graphs."""

from gossamer.dataloading import base, negative_sampler
from gossamer.dataloading.base import (
    BlockSampler,
    LazyFeature,
    Sampler,
    set_dst_lazy_features,
    set_edge_lazy_features,
    set_node_lazy_features,
    set_src_lazy_features,
)
from gossamer.dataloading.cluster_gcn import ClusterGCNSampler
from gossamer.dataloading.collators import Collator, EdgeCollator, NodeCollator
from gossamer.dataloading.dataloader import DataLoader
from gossamer.dataloading.dist_dataloader import (
    DistDataLoader,
    DistEdgeDataLoader,
    DistNodeDataLoader,
)
from gossamer.dataloading.edge_prediction import EdgePredictionSampler, as_edge_prediction_sampler
from gossamer.dataloading.exclude import SpotTarget, find_exclude_eids
from gossamer.dataloading.graph_loader import GraphCollator, GraphDataLoader
from gossamer.dataloading.graphsaint import SAINTSampler
from gossamer.dataloading.inference import layerwise_inference
from gossamer.dataloading.labor_sampler import LaborSampler
from gossamer.dataloading.neighbor_sampler import (
    MultiLayerFullNeighborSampler,
    MultiLayerNeighborSampler,
    NeighborSampler,
)
from gossamer.dataloading.shadow import ShaDowKHopSampler

__all__ = [
    "BlockSampler",
    "ClusterGCNSampler",
    "Collator",
    "DataLoader",
    "DistDataLoader",
    "DistEdgeDataLoader",
    "DistNodeDataLoader",
    "EdgeCollator",
    "EdgePredictionSampler",
    "GraphCollator",
    "GraphDataLoader",
    "LaborSampler",
    "LazyFeature",
    "MultiLayerFullNeighborSampler",
    "MultiLayerNeighborSampler",
    "NeighborSampler",
    "NodeCollator",
    "SAINTSampler",
    "Sampler",
    "ShaDowKHopSampler",
    "SpotTarget",
    "as_edge_prediction_sampler",
    "base",
    "find_exclude_eids",
    "layerwise_inference",
    "negative_sampler",
    "set_dst_lazy_features",
    "set_edge_lazy_features",
    "set_node_lazy_features",
    "set_src_lazy_features",
]
