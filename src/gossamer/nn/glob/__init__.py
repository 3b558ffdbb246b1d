"""Readouts: one vector per graph of a batch."""

from gossamer.nn.glob.pooling import AvgPooling, MaxPooling, SumPooling

__all__ = ["AvgPooling", "MaxPooling", "SumPooling"]
