"""Models of nodes and links with the interface of scikit-learn: ``fit``, ``predict``, ``score``.

They are trained as by `gossamer train`, and require the extra `train`. Import the module by name:

>>> from gossamer.estimators import NodeClassifier
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from typing import Any

import numpy as np
import torch
from torch import Tensor

import gossamer
from gossamer._optional import optional_import
from gossamer.cli.build import link_task, node_task
from gossamer.cli.config import TrainConfig, from_mapping
from gossamer.cli.network import Network
from gossamer.cli.schema import LINKS
from gossamer.cli.splits import random_masks
from gossamer.cli.targets import CLASSES, Target, of_values
from gossamer.cli.task import NodeTask, pick_device
from gossamer.cli.training import fit_seed
from gossamer.errors import InvalidTypeError, InvalidValueError
from gossamer.graph import Graph

__all__ = ["LinkPredictor", "NodeClassifier", "NodeRegressor"]

_PURPOSE = "gossamer.estimators"
_base = optional_import("sklearn.base", _PURPOSE, "train")
_validation = optional_import("sklearn.utils.validation", _PURPOSE, "train")
_multiclass = optional_import("sklearn.utils.multiclass", _PURPOSE, "train")


class _Estimator(_base.BaseEstimator):
    """Base class of the estimators: parameters, and training with one seed.

    scikit-learn reads the parameters from the signature of the constructor.
    """

    def __init__(
        self,
        model: str = "gcn",
        hidden: int = 64,
        layers: int = 2,
        heads: int = 1,
        dropout: float = 0.5,
        norm: str = "none",
        residual: bool = False,
        self_loops: bool = True,
        lr: float = 0.01,
        weight_decay: float = 5e-4,
        epochs: int = 200,
        patience: int = 50,
        minibatch: bool = False,
        fanout: tuple[int, ...] = (10,),
        batch_size: int = 1024,
        validation_fraction: float = 0.1,
        device: str = "auto",
        random_state: Any = None,
    ) -> None:
        self.model = model
        self.hidden = hidden
        self.layers = layers
        self.heads = heads
        self.dropout = dropout
        self.norm = norm
        self.residual = residual
        self.self_loops = self_loops
        self.lr = lr
        self.weight_decay = weight_decay
        self.epochs = epochs
        self.patience = patience
        self.minibatch = minibatch
        self.fanout = fanout
        self.batch_size = batch_size
        self.validation_fraction = validation_fraction
        self.device = device
        self.random_state = random_state

    def _config(self, **more: Any) -> TrainConfig:
        names = {f.name for f in fields(TrainConfig)}
        given = {key: value for key, value in self.get_params().items() if key in names}
        return from_mapping({"dataset": "", **given, **more} | {"dataset": "own"})

    def _train(self, task: Any, config: TrainConfig) -> None:
        seed = _seed(self.random_state)
        with _own_random_numbers():
            fit = fit_seed(task, config, seed, lambda epoch: None)
            self.model_ = Network(config, task.schema).to(task.label.device)
        if fit.interrupt is not None:
            raise fit.interrupt
        self.model_.load_state_dict(fit.state)
        self.target_ = task.target
        self.n_iter_ = fit.result.epochs

    def _train_nodes(
        self, graph: Graph, feat: dict[str, Tensor], label: Tensor, masks: Any, target: Target
    ) -> None:
        config = self._config()
        self._task: NodeTask = node_task(
            "own", graph, feat, graph.ntypes[0], label, masks, target, config,
            pick_device(self.device),
        )  # fmt: skip
        self._train(self._task, config)

    def _targets(self, y: Any, graph: Graph) -> np.ndarray:
        """`y` as a vector with an entry for each node."""
        y = _validation.column_or_1d(np.asarray(y), warn=True)
        if len(y) != graph.num_nodes():
            raise InvalidValueError(
                f"{type(self).__name__}: the graph has {graph.num_nodes()} nodes, y has {len(y)}."
            )
        return y

    def _input(self, X: Any, reset: bool) -> tuple[Graph, dict[str, Tensor]]:
        """Graph and features of `X`; the rows of an array are nodes without edges."""
        if isinstance(X, Graph):
            if len(X.ntypes) > 1 or "feat" not in X.ndata:
                raise InvalidValueError(
                    f"{type(self).__name__}: the graph must have one node type with ndata['feat'], "
                    f"got node types {X.ntypes} with {sorted(X.nodes[X.ntypes[0]].data)}."
                )
            rows = X.ndata["feat"].detach().cpu().numpy()
            _validation.validate_data(self, rows, reset=reset, ensure_min_samples=1)
            return X, {X.ntypes[0]: X.ndata["feat"].float()}
        rows = _validation.validate_data(self, X, reset=reset)
        graph = gossamer.graph(([], []), num_nodes=len(rows))
        return graph, {"_N": torch.from_numpy(np.ascontiguousarray(rows, dtype=np.float32))}

    def _scores(self, X: Any) -> np.ndarray:
        """Predictions (N, C) for a graph; if `X` is None, for the training graph."""
        _validation.check_is_fitted(self)
        if X is None:
            task = self._task
        else:
            graph, feat = self._input(X, reset=False)
            feat = dict(zip(self.model_.schema.in_sizes, feat.values(), strict=True))
            label = torch.zeros(graph.num_nodes(), dtype=torch.int64)
            mask = torch.ones(len(label), 1, dtype=torch.bool)
            masks = dict.fromkeys(("train", "val", "test"), mask)
            task = node_task(
                "own", graph, feat, graph.ntypes[0], label, masks, self.target_,
                self._config(minibatch=False), pick_device(self.device),
            )  # fmt: skip
        scores, _ = task.scores(self.model_)
        return self.target_.prediction(scores).cpu().numpy()

    def _masks(self, known: Tensor, mask: Any) -> dict[str, Tensor]:
        """Masks of the nodes for training, and for choosing the best epoch."""
        if mask is not None:
            mask = torch.as_tensor(np.asarray(mask))
            if mask.shape != known.shape or mask.dtype != torch.bool:
                raise InvalidValueError(
                    f"{type(self).__name__}: mask must be bool of shape {tuple(known.shape)}, got "
                    f"{mask.dtype} of shape {tuple(mask.shape)}."
                )
            known = torch.where(mask, known, -1)
        if not bool((known >= 0).any()):
            raise InvalidValueError(f"{type(self).__name__}: no node has a label to train on.")
        share = float(self.validation_fraction)
        if not 0 <= share < 1:
            raise InvalidValueError(
                f"validation_fraction must be at least 0 and below 1, got {share}."
            )
        masks = random_masks(known, (1 - share, share, 0.0), _seed(self.random_state))
        classes = known[known >= 0].unique()
        # With few nodes, all of them are used for both.
        if not share or len(known[masks["val"][:, 0]].unique()) < len(classes):
            masks["train"] = masks["val"] = (known >= 0)[:, None]
        return masks | {"test": masks["val"]}


def _seed(random_state: Any) -> int:
    utils = optional_import("sklearn.utils", _PURPOSE, "train")
    if isinstance(random_state, int | np.integer):
        return int(random_state) % 2**32
    return int(utils.check_random_state(random_state).randint(2**31))


@contextmanager
def _own_random_numbers() -> Iterator[None]:
    """Restore the global random generators at the end of the context."""
    state, plain = np.random.get_state(), random.getstate()  # noqa: NPY002
    with torch.random.fork_rng():
        yield
    np.random.set_state(state)  # noqa: NPY002
    random.setstate(plain)


class NodeClassifier(_base.ClassifierMixin, _Estimator):
    """Classify nodes with a graph neural network.

    Parameters
    ----------
    model : str
        A model for nodes, as listed by ``gossamer models``.
    hidden, layers, heads, dropout, norm, residual, self_loops
        Architecture of the model, as in the flags of ``gossamer train``.
    lr, weight_decay, epochs, patience, minibatch, fanout, batch_size
        Training settings, as in the flags of ``gossamer train``.
    validation_fraction : float
        Fraction of the labeled nodes used to choose the best epoch. If these nodes do not contain
        every class, all labeled nodes are used both for training and for this choice.
    device : {"auto", "cpu", "cuda"}
        Device for training and prediction.
    random_state : int, RandomState or None
        Seed of the initial weights, dropout and the choice of validation nodes.

    Attributes
    ----------
    classes_ : array (C,)
        The classes, sorted.
    n_features_in_ : int
        Width of the features.
    n_iter_ : int
        Number of epochs.
    model_ : torch.nn.Module
        The trained model.

    Examples
    --------
    >>> from gossamer.data import DigitsDataset
    >>> from gossamer.estimators import NodeClassifier
    >>> graph = DigitsDataset()[0]
    >>> y, train, test = (graph.ndata[k] for k in ("label", "train_mask", "test_mask"))
    >>> model = NodeClassifier(epochs=30, random_state=0).fit(graph, y, train)
    >>> model.predict_proba(graph).shape
    (1797, 10)
    >>> bool((model.predict(graph) == y.numpy())[test].mean() > 0.9)
    True
    """

    def fit(self, X: Any, y: Any, mask: Any = None) -> NodeClassifier:
        """Train on a graph.

        Parameters
        ----------
        X : Graph, or array (N, D)
            A graph with features in ``ndata['feat']``, or an array, whose rows are nodes without
            edges.
        y : array (N,)
            Class of each node. Those of nodes not in `mask` are ignored.
        mask : array (N,) of bool, optional
            Nodes whose class is known. Default: all.

        Raises
        ------
        InvalidValueError
            If shapes do not fit, or a parameter is out of range.
        """
        if not isinstance(X, Graph):
            X, y = _validation.validate_data(self, X, y)
        graph, feat = self._input(X, reset=True)
        y = self._targets(y, graph)
        known = np.ones(len(y), bool) if mask is None else np.asarray(mask)
        _multiclass.check_classification_targets(y[known])
        self.classes_ = np.unique(y[known])
        if len(self.classes_) < 2:
            raise InvalidValueError(
                f"NodeClassifier needs two classes, and y has one class: {self.classes_}."
            )
        label = torch.full((len(y),), -1)
        label[torch.from_numpy(known)] = torch.from_numpy(np.searchsorted(self.classes_, y[known]))
        target = Target(CLASSES, [str(c) for c in self.classes_], "accuracy")
        self._train_nodes(graph, feat, label, self._masks(label, mask), target)
        return self

    def predict_proba(self, X: Any = None) -> np.ndarray:
        """Return class probabilities (N, C); if `X` is None, for nodes of the training graph."""
        return self._scores(X)

    def predict(self, X: Any = None) -> np.ndarray:
        """Return the most probable class of each node, (N,)."""
        found = self.predict_proba(X).argmax(1)
        return self.classes_[found]


class NodeRegressor(_base.RegressorMixin, _Estimator):
    """Predict values of nodes with a graph neural network.

    The parameters are those of `NodeClassifier`; ``score`` returns the R² of scikit-learn.

    Attributes
    ----------
    n_features_in_ : int
        Width of the features.
    n_iter_ : int
        Number of epochs.
    model_ : torch.nn.Module
        The trained model.

    Examples
    --------
    >>> import gossamer as gs, numpy as np, torch
    >>> from gossamer.estimators import NodeRegressor
    >>> graph = gs.graph((torch.arange(50), (torch.arange(50) + 1) % 50))
    >>> graph.ndata["feat"] = torch.linspace(-1, 1, 50)[:, None]
    >>> y = graph.ndata["feat"][:, 0].numpy() * 3
    >>> NodeRegressor("sage", random_state=0, dropout=0.0).fit(graph, y).score(graph, y) > 0.8
    True
    """

    def fit(self, X: Any, y: Any, mask: Any = None) -> NodeRegressor:
        """Train on a graph; the arguments are those of `NodeClassifier.fit`, but `y` holds numbers.

        Raises
        ------
        InvalidValueError
            If shapes do not fit, or a parameter is out of range.
        """
        if not isinstance(X, Graph):
            X, y = _validation.validate_data(self, X, y, y_numeric=True)
        graph, feat = self._input(X, reset=True)
        y = self._targets(y, graph).astype(np.float32)
        known = torch.where(torch.from_numpy(np.isfinite(y)), 0, -1)
        masks = self._masks(known, mask)
        label = torch.from_numpy(y)[:, None]
        either = (masks["train"] | masks["val"])[:, 0]
        target = of_values(label, either, ["value"], "rmse")
        self._train_nodes(graph, feat, label, masks, target)
        return self

    def predict(self, X: Any = None) -> np.ndarray:
        """Return the value of each node, (N,); if `X` is None, for nodes of the training graph."""
        return self._scores(X)[:, 0]


class LinkPredictor(_Estimator):
    """Predict whether two nodes are linked, with a graph neural network.

    The parameters are those of `NodeClassifier`. 5 % of the links are used to choose the best
    epoch. Without ``ndata['feat']``, nodes have trainable vectors.

    Attributes
    ----------
    score_ : float
        Area under the ROC curve for 10 % of the links, which are held out, and the same number of
        pairs without a link.
    model_ : torch.nn.Module
        The trained model.

    Examples
    --------
    >>> from gossamer.data import KarateClubDataset
    >>> from gossamer.estimators import LinkPredictor
    >>> model = LinkPredictor(epochs=50, random_state=0).fit(KarateClubDataset()[0])
    >>> model.predict_proba([[0, 1], [16, 26]]).shape
    (2, 2)
    """

    def fit(self, X: Graph, y: Any = None) -> LinkPredictor:
        """Train on the links of a graph of one node type and one edge type; `y` is ignored."""
        if not isinstance(X, Graph):
            raise InvalidTypeError(f"LinkPredictor.fit takes a Graph, got {type(X).__name__}.")
        feat = {X.ntypes[0]: X.ndata["feat"]} if "feat" in X.ndata else {}
        config = self._config(task=LINKS)
        etype = X.canonical_etypes[0]
        self._task = link_task("own", X, feat, etype, config, pick_device(self.device))
        self._train(self._task, config)
        scores, _ = self._task.scores(self.model_)
        test = self._task.part("test", 0)
        self.score_ = self._task.score(self.target_.prediction(scores).cpu().numpy(), test)
        return self

    def predict_proba(self, pairs: Any) -> np.ndarray:
        """Return probabilities (M, 2) that pairs (M, 2) of nodes are not linked and are linked."""
        _validation.check_is_fitted(self)
        task, model = self._task, self.model_
        ids = torch.as_tensor(np.asarray(pairs), device=task.label.device)
        count = task.graph.num_nodes()
        if ids.dim() != 2 or ids.shape[1] != 2 or ids.is_floating_point():
            raise InvalidValueError(
                f"LinkPredictor: pairs must be node ids of shape (M, 2), got {tuple(ids.shape)}."
            )
        if len(ids) and not 0 <= int(ids.min()) <= int(ids.max()) < count:
            raise InvalidValueError(
                f"LinkPredictor: node ids must be between 0 and {count - 1}, got "
                f"{int(ids.min())} to {int(ids.max())}."
            )
        model.eval()
        with torch.no_grad():
            u, v = ids.long().unbind(1)
            scores = model(task.graph, model.inputs(task.feat), (u, v))
        linked = self.target_.prediction(scores).cpu().numpy()
        return np.concatenate([1 - linked, linked], 1)

    def predict(self, pairs: Any) -> np.ndarray:
        """Predict whether pairs (M, 2) of nodes are linked, (M,) bool."""
        return self.predict_proba(pairs)[:, 1] > 0.5
