"""Scores of predictions, on NumPy arrays."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gossamer.errors import InvalidValueError

__all__ = [
    "METRICS", "accuracy", "average_precision", "confusion_matrix", "f1", "lower_is_better", "mae",
    "mean_std", "points", "rank", "rmse", "roc_auc", "text",
]  # fmt: skip


def accuracy(probability: np.ndarray, label: np.ndarray) -> float:
    """Compute the fraction of rows whose most probable class is the label.

    Parameters
    ----------
    probability : array (N, C)
        Scores that increase with the probability of the class.
    label : array (N,)
        Class indices.

    Examples
    --------
    >>> accuracy(np.array([[0.9, 0.1], [0.2, 0.8]]), np.array([0, 0]))
    0.5
    """
    return float((probability.argmax(1) == label).mean())


def roc_auc(probability: np.ndarray, label: np.ndarray) -> float:
    r"""Compute the area under the ROC curve of class 1 against class 0.

    .. math:: AUC = P(s_i > s_j) + P(s_i = s_j) / 2, \quad y_i = 1, y_j = 0

    Computed from ranks; ties have their mean rank (Mann & Whitney 1947).

    Parameters
    ----------
    probability : array (N, 2)
        Probabilities of the two classes.
    label : array (N,)
        0 or 1.

    Raises
    ------
    InvalidValueError
        If only one of the classes occurs.

    Examples
    --------
    >>> roc_auc(np.array([[0.9, 0.1], [0.4, 0.6], [0.2, 0.8]]), np.array([0, 1, 0]))
    0.5
    """
    positive = label == 1
    num_positive = int(positive.sum())
    num_negative = len(label) - num_positive
    if num_positive == 0 or num_negative == 0:
        raise InvalidValueError(
            "roc_auc needs both classes in each of train, val and test; one of them holds only "
            "one class."
        )
    _, group, size = np.unique(probability[:, 1], return_inverse=True, return_counts=True)
    mean_rank = np.cumsum(size) - (size - 1) / 2
    rank_sum = mean_rank[group.reshape(-1)][positive].sum()
    above = rank_sum - num_positive * (num_positive + 1) / 2
    return float(above / (num_positive * num_negative))


def average_precision(probability: np.ndarray, label: np.ndarray) -> float:
    """Compute the mean over the positives of the precision among scores at least as high.

    Parameters and errors are those of `roc_auc`.

    Examples
    --------
    >>> average_precision(np.array([[0.1, 0.9], [0.4, 0.6], [0.8, 0.2]]), np.array([0, 1, 1]))
    0.5833333333333333
    """
    order = np.argsort(-probability[:, 1], kind="stable")
    score, positive = probability[order, 1], label[order] == 1
    # Among equal scores, only the last position counts all of them.
    last = np.append(np.flatnonzero(np.diff(score)), len(score) - 1)
    found = positive.cumsum()[last]
    if not len(found) or found[-1] == 0:
        raise InvalidValueError("Average precision needs positives in train, val and test.")
    return float((np.diff(found, prepend=0) * found / (last + 1)).sum() / found[-1])


def f1(probability: np.ndarray, label: np.ndarray) -> float:
    """Compute F1 over all labels of all rows (micro average), with threshold 0.5.

    Examples
    --------
    >>> f1(np.array([[0.9, 0.2], [0.7, 0.8]]), np.array([[1, 0], [0, 1]]))
    0.8
    """
    chosen, right = probability > 0.5, label == 1
    known = np.isfinite(label)
    hits = (chosen & right).sum()
    return float(2 * hits / max(1, (chosen & known).sum() + right.sum()))


def mae(value: np.ndarray, label: np.ndarray) -> float:
    """Compute the mean absolute error; missing labels are ignored.

    Examples
    --------
    >>> mae(np.array([1.0, 2.0]), np.array([1.0, 4.0]))
    1.0
    """
    return float(np.nanmean(np.abs(value - label)))


def rmse(value: np.ndarray, label: np.ndarray) -> float:
    """Compute the root mean squared error; missing labels are ignored.

    Examples
    --------
    >>> rmse(np.array([1.0, 2.0]), np.array([1.0, 4.0]))
    1.4142135623730951
    """
    return float(np.sqrt(np.nanmean((value - label) ** 2)))


METRICS = {
    "accuracy": accuracy,
    "roc_auc": roc_auc,
    "ap": average_precision,
    "f1": f1,
    "mae": mae,
    "rmse": rmse,
}


def lower_is_better(metric: str) -> bool:
    """Return whether lower values of a metric are better."""
    return metric in ("mae", "rmse")


def rank(metric: str, score: float, loss: float) -> tuple[float, float]:
    """Return a key for comparison: larger for a better score, then for a lower loss."""
    return (-score if lower_is_better(metric) else score), -loss


def points(metric: str, score: float) -> float:
    """Convert a score to printed units: fractions to percent, errors unchanged."""
    return score if lower_is_better(metric) else 100 * score


def text(metric: str, mean: float, std: float | None = None) -> str:
    """Format a score, and its deviation if given, in printed units.

    Examples
    --------
    >>> text("accuracy", 0.8153, 0.0042), text("mae", 0.8153)
    ('81.53 ± 0.42', '0.8153')
    """
    digits = 4 if lower_is_better(metric) else 2
    found = f"{points(metric, mean):.{digits}f}"
    return found if std is None else f"{found} ± {points(metric, std):.{digits}f}"


def confusion_matrix(predicted: np.ndarray, label: np.ndarray, num_classes: int) -> np.ndarray:
    """Compute the counts (C, C); rows are true classes, columns predicted ones.

    Examples
    --------
    >>> confusion_matrix(np.array([0, 1, 1]), np.array([0, 0, 1]), 2).tolist()
    [[1, 1], [0, 1]]
    """
    cell = label.astype(np.int64) * num_classes + predicted.astype(np.int64)
    counts = np.bincount(cell, minlength=num_classes**2)
    return counts.reshape(num_classes, num_classes)


def mean_std(values: Sequence[float]) -> tuple[float, float | None]:
    """Compute mean and sample standard deviation; the latter is None for a single value.

    Examples
    --------
    >>> mean_std([1.0, 3.0])
    (2.0, 1.4142135623730951)
    """
    std = float(np.std(values, ddof=1)) if len(values) > 1 else None
    return float(np.mean(values)), std
