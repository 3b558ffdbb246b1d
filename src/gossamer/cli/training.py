"""Train one seed with early stopping; keep the weights with the best validation score."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

import gossamer
from gossamer.cli.config import TrainConfig
from gossamer.cli.metrics import confusion_matrix, rank
from gossamer.cli.network import Network
from gossamer.cli.results import BestModel, Epoch, SeedResult
from gossamer.cli.targets import CLASSES
from gossamer.cli.task import Task
from gossamer.errors import InvalidValueError

__all__ = ["Fit", "Trainer", "evaluate", "fit_seed"]


@dataclass
class Fit:
    """A seed's result, the weights of its best epoch, and the interrupt that ended it, if any."""

    result: SeedResult
    state: dict[str, Tensor]
    interrupt: KeyboardInterrupt | None = None


@dataclass
class Best:
    """The best epoch so far and its weights."""

    rank: tuple[float, float]
    epoch: int
    state: dict[str, Tensor]


@dataclass
class Trainer:
    """The training of one seed on split ``seed % num_splits``, epoch by epoch.

    `tensors` and `history` contain the whole state, so a restored training gives the same result as
    an uninterrupted one.
    """

    task: Task
    config: TrainConfig
    seed: int
    history: list[Epoch] = field(default_factory=list)
    best: Best | None = None
    seconds: float = 0.0

    def __post_init__(self) -> None:
        gossamer.seed(self.seed)
        self.split = self.seed % self.task.num_splits
        device = self.task.label.device
        self.model = Network(self.config, self.task.schema).to(device)
        self.optimizer = torch.optim.Adam(
            self.model.parameters(), self.config.lr, weight_decay=self.config.weight_decay
        )
        self._lowest_loss, self._latest_gain = math.inf, 0

    @property
    def finished(self) -> bool:
        """Whether the maximum number of epochs or the patience is reached."""
        count = len(self.history)
        patience = count - self._latest_gain >= self.config.patience
        return count >= self.config.epochs or (count > 0 and patience)

    def run_epoch(self) -> Epoch:
        """Train on all batches once, and record the scores of the new weights."""
        start = time.perf_counter()
        epoch = self._run_epoch()
        if not (math.isfinite(epoch.train_loss) and math.isfinite(epoch.val_loss)):
            raise InvalidValueError(
                f"Training diverged in epoch {len(self.history) + 1}: the loss is no longer "
                f"finite. Lower the learning rate (--lr, now {self.config.lr:g})."
            )
        self.seconds += time.perf_counter() - start
        self._record(epoch)
        return epoch

    def _run_epoch(self) -> Epoch:
        """Take a step for each batch, then compute the scores of the new weights."""
        task = self.task
        self.model.train()
        losses = []
        for loss in task.losses(self.model, self.config, self.split):
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            losses.append(loss.item())
        train_loss = sum(losses) / len(losses)
        scores, _ = task.scores(self.model)
        val, test = task.part("val", self.split), task.part("test", self.split)
        val_loss = task.target.loss(scores[val], task.label[val]).item()
        if not math.isfinite(val_loss):
            return Epoch(train_loss, val_loss, math.nan, math.nan)
        prediction = task.target.prediction(scores).cpu().numpy()
        return Epoch(
            train_loss, val_loss, task.score(prediction, val), task.score(prediction, test)
        )

    def _record(self, epoch: Epoch) -> None:
        self.history.append(epoch)
        new = rank(self.task.target.metric, epoch.val_score, epoch.val_loss)
        if self.best is None or new > self.best.rank:
            state = {k: v.detach().cpu().clone() for k, v in self.model.state_dict().items()}
            # One assignment, so that an interrupt leaves rank, epoch and weights consistent.
            self.best = Best(new, len(self.history), state)
        if epoch.val_loss < self._lowest_loss:
            self._lowest_loss, self._latest_gain = epoch.val_loss, len(self.history)
        self._latest_gain = max(self._latest_gain, self.best.epoch)

    def tensors(self) -> dict[str, Tensor]:
        """Return weights, best weights, and the states of the optimizer and random generators."""
        found = {f"model.{k}": v for k, v in self.model.state_dict().items()}
        found |= {f"best.{k}": v for k, v in self.best.state.items()}
        for number, values in self.optimizer.state_dict()["state"].items():
            found |= {f"optimizer.{number}.{key}": value for key, value in values.items()}
        found["random"] = torch.get_rng_state()
        if torch.cuda.is_available():
            found["random.cuda"] = torch.cuda.get_rng_state()
        return {name: value.detach().cpu() for name, value in found.items()}

    def restore(self, tensors: dict[str, Tensor], history: list[Epoch], seconds: float) -> None:
        """Restore the state from copies of `tensors` and `history`."""

        def below(prefix: str) -> dict[str, Tensor]:
            return {k[len(prefix) :]: v for k, v in tensors.items() if k.startswith(prefix)}

        for epoch in history:
            self._record(epoch)
        self.best.state = below("best.")
        self.seconds = seconds
        self.model.load_state_dict(below("model."))
        state = self.optimizer.state_dict()
        state["state"] = {}
        for name, value in below("optimizer.").items():
            number, _, key = name.partition(".")
            state["state"].setdefault(int(number), {})[key] = value
        self.optimizer.load_state_dict(state)
        torch.set_rng_state(tensors["random"])
        if "random.cuda" in tensors and torch.cuda.is_available():
            torch.cuda.set_rng_state(tensors["random.cuda"])

    def result(self, interrupted: bool) -> SeedResult:
        """Return the best epoch and its scores."""
        best = self.history[self.best.epoch - 1]
        return SeedResult(
            seed=self.seed,
            split=self.split,
            best_epoch=self.best.epoch,
            val=best.val_score,
            test=best.test_score,
            val_loss=best.val_loss,
            seconds=self.seconds,
            history=self.history,
            interrupted=interrupted,
            metric=self.task.target.metric,
        )


def fit_seed(
    task: Task,
    config: TrainConfig,
    seed: int,
    on_epoch: Callable[[Epoch], None],
    start: Callable[[Trainer], None] | None = None,
    save: Callable[[Trainer], None] | None = None,
) -> Fit:
    """Train with one seed.

    The best epoch has the best validation score, then the lowest validation loss; test items are
    not used. Training stops when neither score nor loss has improved for `patience` epochs
    (Velickovic et al. 2018): with few validation nodes, the score alone is constant for many epochs
    while the model still improves. Ctrl-C and SIGTERM end the training and keep the best epoch.

    Parameters
    ----------
    task, config, seed
        The task, the settings, and the seed of all random numbers.
    on_epoch : callable
        Called with each `Epoch`.
    start : callable, optional
        Called with the trainer before the first epoch, to restore it.
    save : callable, optional
        Called with the trainer after each epoch, to save it.

    Raises
    ------
    InvalidValueError
        If the loss is no longer finite.
    KeyboardInterrupt
        If interrupted before the end of the first epoch.
    """
    trainer = Trainer(task, config, seed)
    if start is not None:
        start(trainer)
    interrupt: KeyboardInterrupt | None = None
    try:
        while not trainer.finished:
            on_epoch(trainer.run_epoch())
            if save is not None:
                save(trainer)
    except KeyboardInterrupt as error:
        if trainer.best is None:
            raise
        interrupt = error
    return Fit(trainer.result(interrupt is not None), trainer.best.state, interrupt)


def evaluate(task: Task, config: TrainConfig, fit: Fit) -> BestModel:
    """Compute predictions, embeddings and test confusion matrix at the best epoch."""
    model = Network(config, task.schema)
    model.load_state_dict(fit.state)
    scores, embedding = task.scores(model.to(task.label.device))
    prediction = task.target.prediction(scores).cpu().numpy()
    confusion = None
    if task.target.kind == CLASSES:
        test = task.part("test", fit.result.split).cpu().numpy()
        label = task.label.cpu().numpy()[test]
        confusion = confusion_matrix(prediction[test].argmax(1), label, len(task.target.names))
    return BestModel(fit.result, prediction, embedding.cpu().numpy(), confusion)
