"""Scores of a node classifier, on NumPy arrays."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gossamer.errors import InvalidValueError

__all__ = ["METRICS", "accuracy", "confusion_matrix", "mean_std", "roc_auc"]


def accuracy(probability: np.ndarray, label: np.ndarray) -> float:
    """Fraction of rows whose most probable class is the label.

    Parameters
    ----------
    probability : array (N, C)
        Any score that grows with the class's probability.
    label : array (N,)
        Class indices.

    Examples
    --------
    >>> accuracy(np.array([[0.9, 0.1], [0.2, 0.8]]), np.array([0, 0]))
    0.5
    """
    return float((probability.argmax(1) == label).mean())


def roc_auc(probability: np.ndarray, label: np.ndarray) -> float:
    r"""Area under the ROC curve of class 1 against class 0.

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
            "roc_auc needs nodes of both classes in each of train, val and test mask; "
            "one of them holds only one class."
        )
    _, group, size = np.unique(probability[:, 1], return_inverse=True, return_counts=True)
    mean_rank = np.cumsum(size) - (size - 1) / 2
    rank_sum = mean_rank[group.reshape(-1)][positive].sum()
    above = rank_sum - num_positive * (num_positive + 1) / 2
    return float(above / (num_positive * num_negative))


METRICS = {"accuracy": accuracy, "roc_auc": roc_auc}


def confusion_matrix(predicted: np.ndarray, label: np.ndarray, num_classes: int) -> np.ndarray:
    """Counts (C, C): row is the true class, column the predicted one.

    Examples
    --------
    >>> confusion_matrix(np.array([0, 1, 1]), np.array([0, 0, 1]), 2).tolist()
    [[1, 1], [0, 1]]
    """
    cell = label.astype(np.int64) * num_classes + predicted.astype(np.int64)
    counts = np.bincount(cell, minlength=num_classes**2)
    return counts.reshape(num_classes, num_classes)


def mean_std(values: Sequence[float]) -> tuple[float, float | None]:
    """Mean and sample standard deviation; the latter is None for a single value.

    Examples
    --------
    >>> mean_std([1.0, 3.0])
    (2.0, 1.4142135623730951)
    """
    std = float(np.std(values, ddof=1)) if len(values) > 1 else None
    return float(np.mean(values)), std
