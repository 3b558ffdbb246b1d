"""Results of a training run, for metrics.json, the table and the report."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from gossamer.cli.config import TrainConfig
from gossamer.cli.details import Details
from gossamer.cli.metrics import mean_std, rank, text

__all__ = ["BestModel", "Epoch", "RunResult", "SeedResult"]


class Epoch(NamedTuple):
    """The losses and scores of an epoch."""

    train_loss: float
    val_loss: float
    val_score: float
    test_score: float


@dataclass
class SeedResult:
    """The result of one seed: the best epoch by validation score, and the scores at this epoch."""

    seed: int
    split: int
    best_epoch: int
    val: float
    test: float
    val_loss: float
    seconds: float
    history: list[Epoch]
    interrupted: bool = False
    metric: str = "accuracy"
    confusion: list[list[int]] | None = None

    @property
    def epochs(self) -> int:
        """Number of finished epochs."""
        return len(self.history)

    def better_than(self, other: SeedResult | None) -> bool:
        """Return whether this run has the better validation score or, if equal, the lower loss."""
        return other is None or self._rank() > other._rank()

    def _rank(self) -> tuple[float, float]:
        return rank(self.metric, self.val, self.val_loss)


@dataclass
class BestModel:
    """The run with the best validation score, and predictions of its model for all items.

    ``probability`` holds the probabilities (M, C) or the predicted values; ``embedding`` (M, D) is
    the input of the last layer; ``confusion`` is None unless classes are predicted.
    """

    result: SeedResult
    probability: np.ndarray
    embedding: np.ndarray
    confusion: np.ndarray | None


@dataclass
class RunResult:
    """The results of all seeds of one ``gossamer train``."""

    config: TrainConfig
    metric: str
    class_names: list[str]
    label: np.ndarray
    graph: dict[str, int]
    num_parameters: int
    environment: dict[str, Any]
    seeds: list[SeedResult] = field(default_factory=list)
    best: BestModel | None = None
    interrupted: bool = False
    items: str = "nodes"
    kind: str = "classes"
    details: Details | None = None

    @property
    def scored(self) -> str:
        """The name of the scored items: pairs of nodes if links are predicted."""
        return "pairs" if self.items == "links" else self.items

    def sizes(self) -> dict[str, int] | None:
        """Number of `items` in each part of the split of the best seed.

        Pairs without a link, which are scored as well, are not counted.
        """
        if self.details is None:
            return None
        if self.items != "links":
            return self.details.sizes()
        linked = self.label.reshape(len(self.label), -1)[:, 0] == 1
        return {part: int(linked[items].sum()) for part, items in self.details.parts.items()}

    @property
    def confusion(self) -> np.ndarray | None:
        """Confusion matrix of the test items, summed over all seeds."""
        known = [seed.confusion for seed in self.seeds if seed.confusion is not None]
        return np.sum(known, axis=0) if known else None

    @property
    def metric_title(self) -> str:
        """The display name of the metric."""
        titles = {"ap": "average precision", "roc_auc": "ROC AUC"}
        if self.metric in ("f1", "mae", "rmse"):
            return self.metric.upper()
        return titles.get(self.metric, self.metric)

    def text(self, mean: float, std: float | None = None) -> str:
        """Format a score, and its deviation if given, in printed units."""
        return text(self.metric, mean, std)

    def summary(self, name: str) -> tuple[float, float | None]:
        """Compute mean and standard deviation of a `SeedResult` field over the finished seeds.

        An interrupted seed is included only if there is no other.
        """
        finished = [result for result in self.seeds if not result.interrupted] or self.seeds
        return mean_std([getattr(result, name) for result in finished])

    def to_json(self) -> str:
        """Return the content of metrics.json."""
        keys = (
            "seed", "split", "best_epoch", "epochs", "val", "test", "val_loss", "seconds",
            "interrupted",
        )  # fmt: skip
        best = self.best.confusion if self.best else None
        confusion, details = self.confusion, self.details
        summary = {}
        for name in ("val", "test", "best_epoch", "seconds"):
            mean, std = self.summary(name)
            summary[name] = {"mean": mean, "std": std}
        content = {
            "dataset": self.config.dataset,
            "model": self.config.model,
            "items": self.items,
            "kind": self.kind,
            "metric": self.metric,
            "interrupted": self.interrupted,
            "summary": summary,
            "seeds": [{key: getattr(result, key) for key in keys} for result in self.seeds],
            "best_seed": self.best.result.seed if self.best else None,
            "confusion_matrix": None if best is None else best.tolist(),
            "class_names": self.class_names,
            "confusion_matrix_all_seeds": None if confusion is None else confusion.tolist(),
            "graph": self.graph,
            "parts": self.sizes(),
            "baselines": dict(details.baselines) if details else None,
            "homophily": details.homophily if details else None,
            "num_parameters": self.num_parameters,
            "config": self.config.as_dict(),
            "environment": self.environment,
        }
        return json.dumps(content, indent=2, allow_nan=False) + "\n"
