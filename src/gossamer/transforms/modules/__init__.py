"""Transform modules: objects with settings that are called on graphs."""

from gossamer.transforms.modules.augmentation import (
    AddEdge,
    DropEdge,
    DropNode,
    FeatMask,
    NodeShuffle,
)
from gossamer.transforms.modules.base import BaseTransform, Compose
from gossamer.transforms.modules.diffusion import GDC, PPR, HeatKernel, SIGNDiffusion
from gossamer.transforms.modules.encoding import SVDPE, LapPE, RandomWalkPE
from gossamer.transforms.modules.features import GCNNorm, RowFeatNormalizer
from gossamer.transforms.modules.structure import (
    AddMetaPaths,
    AddReverse,
    AddSelfLoop,
    KHopGraph,
    LineGraph,
    RemoveSelfLoop,
    ToLevi,
    ToSimple,
)

__all__ = [
    "GDC", "PPR", "SVDPE", "AddEdge", "AddMetaPaths", "AddReverse", "AddSelfLoop", "BaseTransform",
    "Compose", "DropEdge", "DropNode", "FeatMask", "GCNNorm", "HeatKernel", "KHopGraph", "LapPE",
    "LineGraph", "NodeShuffle", "RandomWalkPE", "RemoveSelfLoop", "RowFeatNormalizer",
    "SIGNDiffusion", "ToLevi", "ToSimple",
]  # fmt: skip
