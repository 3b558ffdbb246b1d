"""Baselines, intervals and scores of classes, against scikit-learn and scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import precision_recall_fscore_support

from gossamer.cli.details import fit_baselines, interval, per_class
from gossamer.cli.metrics import accuracy, confusion_matrix

PARTS = {"train": np.arange(60), "val": np.arange(60, 90), "test": np.arange(90, 150)}


def test_baselines_of_separable_classes() -> None:
    rng = np.random.default_rng(0)
    label = rng.integers(0, 3, 150)
    feat = np.eye(3)[label] + 0.1 * rng.normal(size=(150, 3))
    (name, largest), (linear_name, linear) = fit_baselines(feat, label, PARTS, accuracy)
    common = np.bincount(label[:60]).argmax()
    assert (name, largest) == ("largest class", (label[90:] == common).mean())
    assert linear_name == "logistic regression" and linear > 0.95


def test_features_without_meaning_give_chance() -> None:
    rng = np.random.default_rng(1)
    label = rng.integers(0, 2, 150)
    found = dict(fit_baselines(rng.normal(size=(150, 4)), label, PARTS, accuracy))
    assert abs(found["logistic regression"] - 0.5) < 0.2


def test_one_class_to_learn_from_has_no_regression() -> None:
    label = np.zeros(150, int)
    label[100:] = 1
    found = fit_baselines(np.ones((150, 2)), label, PARTS, accuracy)
    assert [name for name, _ in found] == ["largest class"]


def test_a_class_that_occurs_in_test_only_has_probability_0() -> None:
    rng = np.random.default_rng(0)
    label = rng.integers(0, 2, 150)
    label[140:] = 2
    feat = np.eye(3)[label]
    assert dict(fit_baselines(feat, label, PARTS, accuracy))["logistic regression"] == 50 / 60


def test_interval_of_several_seeds_is_students() -> None:
    values = [0.8, 0.82, 0.85, 0.81]
    low, high, how = interval(values, 100)
    expected = stats.t.interval(0.95, 3, np.mean(values), stats.sem(values))
    assert (low, high) == pytest.approx(expected) and how == "4 seeds"


@pytest.mark.parametrize("right", [0, 3, 50, 100])
def test_interval_of_one_seed_is_wilsons(right: int) -> None:
    # The ends are the fractions p whose z score is the quantile: Wilson 1927.
    low, high, how = interval([right / 100], 100)
    for end in {low, high} - {0.0, 1.0}:
        z = abs(right / 100 - end) / np.sqrt(end * (1 - end) / 100)
        assert z == pytest.approx(stats.norm.ppf(0.975))
    assert low <= right / 100 <= high and low < high
    assert how == "100 test items"


def test_scores_of_classes() -> None:
    rng = np.random.default_rng(0)
    label, guess = rng.integers(0, 4, 80), rng.integers(0, 3, 80)
    expected = precision_recall_fscore_support(label, guess, zero_division=0)[:3]
    found = per_class(confusion_matrix(guess, label, 4))
    np.testing.assert_allclose(found, np.stack(expected, 1))
