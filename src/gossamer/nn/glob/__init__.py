"""Readouts: one vector per graph of a batch."""

from gossamer.nn.glob.attention import (
    GlobalAttentionPooling,
    Set2Set,
    SortPooling,
    WeightAndSum,
)
from gossamer.nn.glob.pooling import AvgPooling, MaxPooling, SumPooling
from gossamer.nn.glob.set_transformer import SetTransformerDecoder, SetTransformerEncoder

__all__ = [
    "AvgPooling",
    "GlobalAttentionPooling",
    "MaxPooling",
    "Set2Set",
    "SetTransformerDecoder",
    "SetTransformerEncoder",
    "SortPooling",
    "SumPooling",
    "WeightAndSum",
]
