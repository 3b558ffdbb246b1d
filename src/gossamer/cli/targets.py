"""Targets of predictions: classes, labels (multi-label classification), or values."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from gossamer.cli.metrics import METRICS
from gossamer.errors import InvalidValueError

__all__ = ["CLASSES", "LABELS", "VALUES", "Target"]

CLASSES, LABELS, VALUES = "classes", "labels", "values"


@dataclass(frozen=True)
class Target:
    """The target of a model, which defines loss, prediction and metric.

    Attributes
    ----------
    kind : str
        "classes": labels are (N,) int64, -1 if unknown. "labels": (N, C), 0 or 1, NaN if unknown.
        "values": (N, C), NaN if unknown.
    names : list of str
        C names of the classes, labels or values.
    metric : str
        A key of `METRICS`.
    mean, scale : list of float
        For values, the model predicts ``(value - mean) / scale``.
    """

    kind: str
    names: list[str]
    metric: str
    mean: list[float] = field(default_factory=list)
    scale: list[float] = field(default_factory=list)

    def loss(self, scores: Tensor, label: Tensor) -> Tensor:
        """Compute cross-entropy, binary cross-entropy, or squared error of standardized values."""
        if self.kind == CLASSES:
            return F.cross_entropy(scores, label)
        known = ~label.isnan()
        if self.kind == LABELS:
            return F.binary_cross_entropy_with_logits(scores[known], label[known])
        mean, scale = self._standard(scores)
        return F.mse_loss(scores[known], ((label - mean) / scale)[known])

    def prediction(self, scores: Tensor) -> Tensor:
        """Convert scores to probabilities (N, C), or to values."""
        if self.kind == CLASSES:
            return scores.softmax(1)
        if self.kind == LABELS:
            return scores.sigmoid()
        mean, scale = self._standard(scores)
        return scores * scale + mean

    def score(self, prediction: np.ndarray, label: np.ndarray) -> float:
        """Compute the metric; ranking metrics are averaged over the labels."""
        measure = METRICS[self.metric]
        if self.kind != LABELS or self.metric == "f1":
            return measure(prediction, label)
        if self.metric == "accuracy":
            known = np.isfinite(label)
            return float(((prediction > 0.5) == (label == 1))[known].mean())
        found = []
        for p, y in zip(prediction.T, label.T, strict=True):
            known = np.isfinite(y)
            if len(np.unique(y[known])) == 2:
                found.append(measure(np.stack([1 - p, p], 1)[known], y[known]))
        if not found:
            raise InvalidValueError(
                f"{self.metric} needs a label that holds for some and not for others in each of "
                "train, val and test."
            )
        return float(np.mean(found))

    def known(self, label: Tensor) -> Tensor:
        """Return which rows have a label, (N,) bool."""
        if self.kind == CLASSES:
            return label >= 0
        return ~label.isnan().all(1)

    def _standard(self, like: Tensor) -> tuple[Tensor, Tensor]:
        return torch.tensor(self.mean).to(like), torch.tensor(self.scale).to(like)


def of_values(label: Tensor, train: Tensor, names: list[str], metric: str) -> Target:
    """Create a target of values, standardized by mean and deviation of the rows `train`."""
    rows = label[train]
    mean = rows.nanmean(0)
    scale = (rows - mean).square().nanmean(0).sqrt()
    scale = torch.where(scale > 0, scale, torch.ones_like(scale))
    return Target(VALUES, names, metric, mean.tolist(), scale.tolist())
