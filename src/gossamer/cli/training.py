"""Train one seed with early stopping; keep the weights with the best validation score."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

import gossamer
from gossamer.cli.config import TrainConfig
from gossamer.cli.metrics import confusion_matrix
from gossamer.cli.models import NodeClassifier, predict
from gossamer.cli.results import BestModel, Epoch, SeedResult
from gossamer.cli.task import Task
from gossamer.errors import InvalidValueError

__all__ = ["Fit", "evaluate", "fit_seed"]


@dataclass
class Fit:
    """A seed's result, the weights of its best epoch, and what interrupted it."""

    result: SeedResult
    state: dict[str, Tensor]
    interrupt: KeyboardInterrupt | None = None


def fit_seed(task: Task, config: TrainConfig, seed: int, on_epoch: Callable[[Epoch], None]) -> Fit:
    """Train with one seed on split ``seed % num_splits``.

    The best epoch is the one with the highest validation score, then the lowest validation loss;
    test nodes are only looked at. Training stops when neither score nor loss has reached a new best
    for `patience` epochs (Velickovic et al. 2018): on few validation nodes the score alone stands
    still for long while the model still learns. Ctrl-C and SIGTERM end the training and keep what
    there is.

    Raises
    ------
    InvalidValueError
        If the loss is no longer finite.
    KeyboardInterrupt
        If interrupted before the end of the first epoch.
    """
    torch.manual_seed(seed)
    gossamer.seed(seed)
    split = seed % task.num_splits
    model = NodeClassifier(config, task.feat.shape[1], task.num_classes).to(task.feat.device)
    optimizer = torch.optim.Adam(model.parameters(), config.lr, weight_decay=config.weight_decay)
    start = time.perf_counter()
    history: list[Epoch] = []
    # Update rank, epoch and weights together, so that an interrupt cannot separate them.
    best: tuple[tuple[float, float], int, dict[str, Tensor]] | None = None
    lowest_loss, latest_gain = math.inf, 0
    interrupt: KeyboardInterrupt | None = None
    try:
        while len(history) < config.epochs:
            epoch = _run_epoch(model, optimizer, task, split)
            _check_finite(epoch, len(history) + 1, config)
            history.append(epoch)
            rank = (epoch.val_score, -epoch.val_loss)
            if best is None or rank > best[0]:
                state = {k: v.detach().cpu().clone() for k, v in model.state_dict().items()}
                best = (rank, len(history), state)
            if epoch.val_loss < lowest_loss:
                lowest_loss, latest_gain = epoch.val_loss, len(history)
            latest_gain = max(latest_gain, best[1])
            on_epoch(epoch)
            if len(history) - latest_gain >= config.patience:
                break
    except KeyboardInterrupt as error:
        if best is None:
            raise
        interrupt = error
    (val, negative_loss), best_epoch, state = best
    result = SeedResult(
        seed=seed,
        split=split,
        best_epoch=best_epoch,
        val=val,
        test=history[best_epoch - 1].test_score,
        val_loss=-negative_loss,
        seconds=time.perf_counter() - start,
        history=history,
        interrupted=interrupt is not None,
    )
    return Fit(result, state, interrupt)


def _run_epoch(
    model: NodeClassifier, optimizer: torch.optim.Optimizer, task: Task, split: int
) -> Epoch:
    """One full-batch step, then the scores of the new weights."""
    train, val, test = (task.nodes(part, split) for part in ("train", "val", "test"))
    model.train()
    loss = F.cross_entropy(model(task.graph, task.feat)[train], task.label[train])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    model.eval()
    with torch.no_grad():
        scores = model(task.graph, task.feat)
        val_loss = F.cross_entropy(scores[val], task.label[val])
        probability = scores.softmax(1).cpu().numpy()
    return Epoch(
        train_loss=loss.item(),
        val_loss=val_loss.item(),
        val_score=task.score(probability, val),
        test_score=task.score(probability, test),
    )


def _check_finite(epoch: Epoch, number: int, config: TrainConfig) -> None:
    if not (math.isfinite(epoch.train_loss) and math.isfinite(epoch.val_loss)):
        raise InvalidValueError(
            f"Training diverged in epoch {number}: the loss is no longer finite. "
            f"Lower the learning rate (--lr, now {config.lr:g})."
        )


def evaluate(task: Task, config: TrainConfig, fit: Fit) -> BestModel:
    """Predictions, embeddings and confusion matrix of the test nodes at the best epoch."""
    model = NodeClassifier(config, task.feat.shape[1], task.num_classes)
    model.load_state_dict(fit.state)
    probability, embedding = predict(model.to(task.feat.device), task.graph, task.feat)
    test = task.nodes("test", fit.result.split)
    predicted = probability[test].argmax(1).cpu().numpy()
    return BestModel(
        result=fit.result,
        probability=probability.cpu().numpy(),
        embedding=embedding.cpu().numpy(),
        confusion=confusion_matrix(predicted, task.label[test].cpu().numpy(), task.num_classes),
    )
