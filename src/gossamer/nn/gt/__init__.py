"""Graph transformers: dense layers, and encodings of degrees, distances, paths and positions."""

from gossamer.nn.gt.biased_mha import BiasedMHA
from gossamer.nn.gt.egt import EGTLayer
from gossamer.nn.gt.encoders import (
    DegreeEncoder,
    PathEncoder,
    SpatialEncoder,
    SpatialEncoder3d,
)
from gossamer.nn.gt.graphormer import GraphormerLayer
from gossamer.nn.gt.lap_pos_encoder import LapPosEncoder

__all__ = [
    "BiasedMHA",
    "DegreeEncoder",
    "EGTLayer",
    "GraphormerLayer",
    "LapPosEncoder",
    "PathEncoder",
    "SpatialEncoder",
    "SpatialEncoder3d",
]
