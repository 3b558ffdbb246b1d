"""Scores against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as oracle

from gossamer.cli.metrics import (
    accuracy,
    average_precision,
    confusion_matrix,
    f1,
    mae,
    mean_std,
    rmse,
    roc_auc,
)
from gossamer.errors import InvalidValueError


def _case(seed: int, size: int, levels: int) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities of two classes, with ties if `levels` is small, and labels of both."""
    rng = np.random.default_rng(seed)
    score = rng.integers(0, levels, size) / levels
    label = rng.integers(0, 2, size)
    label[:2] = 0, 1
    return np.stack([1 - score, score], 1).astype(np.float32), label


@pytest.mark.parametrize("levels", [1, 2, 5, 10_000])
@pytest.mark.parametrize("size", [2, 3, 50, 1000])
def test_roc_auc_equals_scikit_learn(size: int, levels: int) -> None:
    probability, label = _case(size + levels, size, levels)
    expected = oracle.roc_auc_score(label, probability[:, 1])
    assert roc_auc(probability, label) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("only", [0, 1])
def test_roc_auc_needs_both_classes(only: int) -> None:
    with pytest.raises(InvalidValueError, match="roc_auc needs both classes"):
        roc_auc(np.full((4, 2), 0.5), np.full(4, only))


def test_accuracy_and_confusion_matrix_equal_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    probability, label = rng.random((200, 7)), rng.integers(0, 6, 200)
    predicted = probability.argmax(1)
    assert accuracy(probability, label) == pytest.approx(oracle.accuracy_score(label, predicted))
    expected = oracle.confusion_matrix(label, predicted, labels=range(7))
    np.testing.assert_array_equal(confusion_matrix(predicted, label, 7), expected)
    assert confusion_matrix(predicted, label, 7)[6].sum() == 0


def test_the_deviation_is_the_samples_and_absent_for_one_value() -> None:
    values = [0.81, 0.79, 0.85]
    mean, std = mean_std(values)
    assert mean == pytest.approx(np.mean(values))
    assert std == pytest.approx(np.std(values, ddof=1))
    assert mean_std([0.5]) == (0.5, None)


@pytest.mark.parametrize(("size", "levels"), [(6, 3), (60, 7), (60, 1000)])
def test_average_precision_equals_scikit_learn(size: int, levels: int) -> None:
    rng = np.random.default_rng(size + levels)
    score = rng.integers(0, levels, size) / levels
    label = np.append([0, 1], rng.integers(0, 2, size - 2))
    found = average_precision(np.stack([1 - score, score], 1), label)
    assert found == pytest.approx(oracle.average_precision_score(label, score))
    with pytest.raises(InvalidValueError, match="needs positives"):
        average_precision(np.stack([1 - score, score], 1), 0 * label)


def test_errors_and_f1_equal_scikit_learn_and_leave_out_what_is_missing() -> None:
    rng = np.random.default_rng(0)
    value, label = rng.normal(size=(2, 40, 3))
    assert mae(value, label) == pytest.approx(oracle.mean_absolute_error(label, value))
    error = oracle.mean_squared_error(label.ravel(), value.ravel())
    assert rmse(value, label) == pytest.approx(error**0.5)
    chosen, right = (value > 0).astype(float), (label > 0).astype(float)
    expected = oracle.f1_score(right, chosen, average="micro")
    assert f1(chosen, right) == pytest.approx(expected)
    label[0] = right[0] = np.nan
    assert mae(value, label) == pytest.approx(np.abs(value[1:] - label[1:]).mean())
    assert f1(chosen, right) == f1(chosen[1:], right[1:])
