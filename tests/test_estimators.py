"""Estimators: scikit-learn's own checks, graphs, and links."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.utils.estimator_checks import parametrize_with_checks

import gossamer
from gossamer.data import DigitsDataset, KarateClubDataset
from gossamer.errors import InvalidTypeError, InvalidValueError
from gossamer.estimators import LinkPredictor, NodeClassifier, NodeRegressor

QUICK = {"hidden": 16, "epochs": 40, "dropout": 0.0, "model": "sage", "validation_fraction": 0.0}


@parametrize_with_checks([NodeClassifier(**QUICK), NodeRegressor(**{**QUICK, "epochs": 120})])
def test_checks_of_scikit_learn(estimator: object, check: object) -> None:
    assert check(estimator) is None


def _digits() -> tuple[gossamer.Graph, np.ndarray, np.ndarray, np.ndarray]:
    graph = DigitsDataset()[0]
    names = np.array([f"digit {i}" for i in range(10)])
    train, test = (graph.ndata[f"{part}_mask"].numpy() for part in ("train", "test"))
    return graph, names[graph.ndata["label"].numpy()], train, test


def test_classes_of_a_graph() -> None:
    graph, y, train, test = _digits()
    model = NodeClassifier(epochs=40, random_state=3).fit(graph, y, train)
    assert model.classes_.tolist() == [f"digit {i}" for i in range(10)]
    probability = model.predict_proba(graph)
    np.testing.assert_allclose(probability.sum(1), 1, atol=1e-5)
    np.testing.assert_array_equal(model.predict(), model.classes_[probability.argmax(1)])
    assert (model.predict(graph) == y)[test].mean() > 0.93
    # Labels outside of the mask are not looked at.
    hidden = np.where(train, y, "digit 3")
    again = clone(model).fit(graph, hidden, train)
    np.testing.assert_array_equal(again.predict_proba(), probability)


def test_a_model_predicts_another_graph() -> None:
    graph, y, _, _ = _digits()
    half = gossamer.node_subgraph(graph, torch.arange(900))
    model = NodeClassifier(epochs=40, random_state=0).fit(half, y[:900])
    rest = gossamer.node_subgraph(graph, torch.arange(900, 1797))
    assert model.score(rest, y[900:]) > 0.85
    assert model.n_features_in_ == 64 and model.n_iter_ == 40


def test_the_global_generators_stay_as_they_are() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    NodeClassifier(epochs=2).fit(np.eye(4), [0, 1, 0, 1])
    assert torch.equal(torch.rand(3), expected)


def test_a_search_over_parameters() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 4))
    search = GridSearchCV(NodeClassifier(**QUICK), {"hidden": [4, 8], "lr": [0.01]}, cv=2)
    search.fit(X, X[:, 0] > 0)
    assert search.best_score_ > 0.8


def test_values_of_a_graph() -> None:
    graph, _, train, test = _digits()
    y = graph.ndata["feat"].mean(1).numpy()
    y[~train] = np.nan
    settings = {"epochs": 200, "dropout": 0.0, "weight_decay": 0.0}
    model = NodeRegressor("sage", random_state=0, **settings).fit(graph, y)
    truth = graph.ndata["feat"].mean(1).numpy()[test]
    assert np.abs(model.predict(graph)[test] - truth).mean() < 0.4 * truth.std()


@pytest.mark.parametrize("featured", [False, True])
def test_links(featured: bool) -> None:
    graph = KarateClubDataset()[0] if not featured else _digits()[0]
    model = LinkPredictor(epochs=60, random_state=0, dropout=0.0).fit(graph)
    # The club has too few links to say much.
    assert model.score_ > (0.9 if featured else 0.0)
    u, v = (end[:50].numpy() for end in graph.edges())
    pairs = np.stack([u, v], 1)
    probability = model.predict_proba(pairs)
    np.testing.assert_allclose(probability.sum(1), 1, atol=1e-6)
    assert model.predict(pairs).mean() > 0.8
    with pytest.raises(InvalidValueError, match="node ids must be between 0 and"):
        model.predict_proba([[0, 99_999]])
    with pytest.raises(InvalidValueError, match=r"of shape \(M, 2\), got \(2,\)"):
        model.predict([0, 1])


def test_wrong_input() -> None:
    graph, y, train, _ = _digits()
    with pytest.raises(InvalidValueError, match="the graph has 1797 nodes, y has 3"):
        NodeClassifier().fit(graph, y[:3])
    with pytest.raises(InvalidValueError, match=r"mask must be bool of shape \(1797,\)"):
        NodeClassifier().fit(graph, y, train.astype(int))
    with pytest.raises(InvalidValueError, match="needs two classes"):
        NodeClassifier().fit(graph, y, np.zeros(1797, bool))
    with pytest.raises(InvalidValueError, match="'hidden' must be between 1 and 65536, got 0"):
        NodeClassifier(hidden=0).fit(graph, y)
    with pytest.raises(InvalidValueError, match="validation_fraction must be at least 0"):
        NodeClassifier(validation_fraction=1.0).fit(graph, y)
    bare = gossamer.graph(([0], [1]))
    with pytest.raises(InvalidValueError, match=r"one node type with ndata\['feat'\], got"):
        NodeClassifier().fit(bare, [0, 1])
    with pytest.raises(InvalidTypeError, match=r"LinkPredictor\.fit takes a Graph, got list"):
        LinkPredictor().fit([[0, 1]])
