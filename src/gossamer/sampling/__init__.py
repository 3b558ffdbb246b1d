"""Random samples of graphs, for training on graphs that are too large to process at once."""

from gossamer.sampling.biased import sample_neighbors_biased
from gossamer.sampling.fused import sample_neighbors_fused
from gossamer.sampling.labor import sample_labors
from gossamer.sampling.negative import global_uniform_negative_sampling
from gossamer.sampling.neighbors import sample_neighbors
from gossamer.sampling.pinsage import PinSAGESampler, RandomWalkNeighborSampler
from gossamer.sampling.randomwalks import node2vec_random_walk, pack_traces, random_walk
from gossamer.sampling.topk import select_topk

__all__ = [
    "PinSAGESampler",
    "RandomWalkNeighborSampler",
    "global_uniform_negative_sampling",
    "node2vec_random_walk",
    "pack_traces",
    "random_walk",
    "sample_labors",
    "sample_neighbors",
    "sample_neighbors_biased",
    "sample_neighbors_fused",
    "select_topk",
]
