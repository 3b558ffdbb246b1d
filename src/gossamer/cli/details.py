"""Facts about the data and scores of simpler models, for the report."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

import gossamer
from gossamer._optional import optional_import
from gossamer.cli.targets import CLASSES

if TYPE_CHECKING:
    from gossamer.cli.task import Task

__all__ = ["Details", "describe", "fit_baselines", "interval", "per_class"]

# Fitting a linear model to more numbers than this would take longer than the training.
_MOST_NUMBERS = 20_000_000
_STRENGTHS = (0.01, 1.0, 100.0)


@dataclass
class Details:
    """Facts about a run that are computed from its data.

    Attributes
    ----------
    parts : dict of str to array
        Items of "train", "val" and "test" in the split of the best seed.
    num_splits : int
        Number of splits of the dataset.
    baselines : list of (str, float)
        Test score of models that do not use the graph, by name.
    homophily : float, optional
        Fraction of edges that join equal labels.
    pictures : array (N, H, W), optional
        The items, if they are images.
    by_time : bool
        Whether the split is by time.
    """

    parts: dict[str, np.ndarray]
    num_splits: int = 1
    baselines: list[tuple[str, float]] = field(default_factory=list)
    homophily: float | None = None
    pictures: np.ndarray | None = None
    by_time: bool = False

    def sizes(self) -> dict[str, int]:
        """Number of items in each part."""
        return {name: len(items) for name, items in self.parts.items()}


def describe(task: Task, split: int) -> Details:
    """Compute facts about the data of a task in one split."""
    parts = {part: task.part(part, split).cpu().numpy() for part in task.masks}
    details = Details(parts, task.num_splits, by_time=task.by_time)
    if task.target.kind != CLASSES:
        return details
    label = task.label.cpu()
    feat = np.zeros((len(label), 0), dtype=np.float32)
    if hasattr(task, "feat") and task.schema.homogeneous:
        known = label >= 0
        graph = gossamer.remove_self_loop(gossamer.node_subgraph(task.graph.cpu(), known))
        if graph.num_edges():
            details.homophily = gossamer.edge_homophily(graph, label[known])
    if hasattr(task, "feat") and task.schema.ends[0] in task.feat:
        feat = task.feat[task.schema.ends[0]].cpu().numpy()
    if task.picture_shape is not None:
        details.pictures = feat.reshape(-1, *task.picture_shape)
    details.baselines = fit_baselines(feat, label.numpy(), parts, task.target.score)
    return details


Score = Callable[[np.ndarray, np.ndarray], float]


def fit_baselines(
    feat: np.ndarray, label: np.ndarray, parts: dict[str, np.ndarray], score: Score
) -> list[tuple[str, float]]:
    """Compute the test score of the largest class, and of logistic regression on the features.

    The strength of the regularization is chosen on the validation items. The regression is skipped
    if the data are too large for a quick fit or have a single class.

    Parameters
    ----------
    feat : array (N, D)
        Features.
    label : array (N,)
        Classes.
    parts : dict of str to array
        Items of "train", "val" and "test".
    score : callable
        Function that scores probabilities (M, C) against labels (M,).
    """
    train, val, test = (parts[name][label[parts[name]] >= 0] for name in ("train", "val", "test"))
    count = np.bincount(label[train], minlength=int(label.max()) + 1)
    constant = np.tile(count / count.sum(), (len(test), 1))
    found = [("largest class", score(constant, label[test]))]
    if np.count_nonzero(count) < 2 or not 0 < len(train) * feat.shape[1] <= _MOST_NUMBERS:
        return found
    linear = optional_import("sklearn.linear_model", "The report", "train")
    exceptions = optional_import("sklearn.exceptions", "The report", "train")
    best = None
    for strength in _STRENGTHS:
        model = linear.LogisticRegression(C=strength, max_iter=200)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", exceptions.ConvergenceWarning)
            model.fit(feat[train], label[train])
        scores = []
        for part in (val, test):
            # Classes that do not occur in training have probability 0.
            probability = np.zeros((len(part), len(count)))
            probability[:, model.classes_] = model.predict_proba(feat[part])
            scores.append(score(probability, label[part]))
        best = max(best or (-math.inf, 0.0), tuple(scores))
    return [*found, ("logistic regression", best[1])]


def interval(values: Sequence[float], items: int) -> tuple[float, float, str]:
    """Compute a 95 % confidence interval of a mean score; also return what it is based on.

    For several seeds, Student's t interval of their mean; for one seed, Wilson's interval of a
    fraction of `items` items.

    Examples
    --------
    >>> low, high, how = interval([0.9], 100)
    >>> round(low, 3), round(high, 3), how
    (0.826, 0.945, '100 test items')
    """
    stats = optional_import("scipy.stats", "The report", "train")
    mean, count = float(np.mean(values)), len(values)
    if count > 1:
        half = float(stats.t.ppf(0.975, count - 1) * np.std(values, ddof=1) / math.sqrt(count))
        return mean - half, mean + half, f"{count} seeds"
    low, high = stats.binomtest(round(mean * items), items).proportion_ci(method="wilson")
    return float(low), float(high), f"{items:,} test items"


def per_class(confusion: np.ndarray) -> np.ndarray:
    """Compute precision, recall and F1 of each class, (C, 3), from a confusion matrix.

    A class that is never predicted has precision 0, one without items recall 0, as in scikit-learn.

    Examples
    --------
    >>> per_class(np.array([[3, 1], [0, 4]])).round(2).tolist()
    [[1.0, 0.75, 0.86], [0.8, 1.0, 0.89]]
    """
    hits = np.diag(confusion).astype(float)
    precision = hits / np.maximum(confusion.sum(0), 1)
    recall = hits / np.maximum(confusion.sum(1), 1)
    f1 = 2 * hits / np.maximum(confusion.sum(0) + confusion.sum(1), 1)
    return np.stack([precision, recall, f1], 1)
