"""One seed: the best epoch, early stopping, interrupts, divergence, reproducibility."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from gossamer.cli import training
from gossamer.cli.config import from_mapping
from gossamer.cli.model_list import fitting
from gossamer.cli.network import Network
from gossamer.cli.results import Epoch
from gossamer.cli.schema import Schema
from gossamer.cli.task import NodeTask
from gossamer.cli.training import Trainer, evaluate, fit_seed
from gossamer.errors import InvalidValueError


def _ignore(epoch: Epoch) -> None:
    pass


def _config(**settings: object):
    return from_mapping({"hidden": 8, "epochs": 6, **settings})


def test_the_best_epoch_is_chosen_on_validation_nodes(small_task: NodeTask) -> None:
    result = fit_seed(small_task, _config(epochs=12), 3, _ignore).result
    ranks = [(epoch.val_score, -epoch.val_loss) for epoch in result.history]
    assert result.best_epoch == 1 + ranks.index(max(ranks))
    best = result.history[result.best_epoch - 1]
    assert (result.val, result.val_loss, result.test) == (
        best.val_score,
        best.val_loss,
        best.test_score,
    )
    assert result.epochs == 12 and not result.interrupted and result.seconds > 0


def test_the_kept_weights_are_those_of_the_best_epoch(small_task: NodeTask) -> None:
    # At this rate the last epochs are worse: their weights would give another score.
    config = _config(lr=1.0, epochs=40)
    fit = fit_seed(small_task, config, 0, _ignore)
    assert fit.result.history[-1].val_score < fit.result.val
    best = evaluate(small_task, config, fit)
    assert small_task.score(best.probability, small_task.part("val", 0)) == fit.result.val
    assert small_task.score(best.probability, small_task.part("test", 0)) == fit.result.test
    assert best.confusion.trace() / best.confusion.sum() == pytest.approx(fit.result.test)
    assert best.embedding.shape == (90, 8)


@pytest.mark.parametrize("model", fitting(Schema("nodes", {"_N": 3}, 3)))
def test_training_learns_and_a_seed_repeats_itself(small_task: NodeTask, model: str) -> None:
    config = _config(model=model, hidden=8, heads=2, lr=0.03, epochs=5)
    first, second, other = (fit_seed(small_task, config, seed, _ignore) for seed in (5, 5, 6))
    assert first.result.history == second.result.history
    assert first.result.history != other.result.history
    assert first.result.history[-1].train_loss < first.result.history[0].train_loss
    for name, value in first.state.items():
        assert torch.equal(value, second.state[name]), name


def test_patience_ends_the_training(small_task: NodeTask) -> None:
    seen: list[Epoch] = []
    config = _config(epochs=500, patience=3, lr=0.3)
    result = fit_seed(small_task, config, 0, seen.append).result
    lowest_loss = 1 + min(range(len(seen)), key=lambda i: seen[i].val_loss)
    assert result.epochs == max(result.best_epoch, lowest_loss) + 3 < 500
    assert seen == result.history


def test_a_falling_loss_keeps_the_training_going(
    small_task: NodeTask, monkeypatch: pytest.MonkeyPatch
) -> None:
    losses = [1.0, 0.9, 0.8, 0.7, 0.7, 0.7, 0.7]
    epochs = iter([Epoch(1.0, loss, 0.9 if loss == 1.0 else 0.5, 0.0) for loss in losses])
    monkeypatch.setattr(training.Trainer, "_run_epoch", lambda *_: next(epochs))
    result = fit_seed(small_task, _config(epochs=50, patience=2), 0, _ignore).result
    assert (result.epochs, result.best_epoch) == (6, 1)


def test_of_equal_epochs_the_first_counts(
    small_task: NodeTask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training.Trainer, "_run_epoch", lambda *_: Epoch(1.0, 1.0, 0.5, 0.5))
    result = fit_seed(small_task, _config(epochs=50, patience=4), 0, _ignore).result
    assert (result.epochs, result.best_epoch) == (5, 1)


def test_each_seed_takes_its_split(small_task: NodeTask) -> None:
    masks = {part: mask.clone() for part, mask in small_task.masks.items()}
    # In split 1 all training nodes are of one class, which a run on it must learn to predict.
    masks["train"][:, 1] &= small_task.label == 2
    task = replace(small_task, masks=masks)
    config = _config(epochs=30, lr=0.1)
    fits = [fit_seed(task, config, seed, _ignore) for seed in (4, 5)]
    assert [fit.result.split for fit in fits] == [0, 1]
    assert fits[0].result.test > 0.7
    final = _config(epochs=30, patience=30, lr=0.1)
    one_class = evaluate(task, final, fit_seed(task, final, 7, _ignore))
    assert (one_class.probability.argmax(1) == 2).mean() > 0.9


def test_an_interrupt_keeps_the_best_epoch_so_far(small_task: NodeTask) -> None:
    seen: list[Epoch] = []

    def interrupt(epoch: Epoch) -> None:
        seen.append(epoch)
        if len(seen) == 4:
            raise KeyboardInterrupt

    fit = fit_seed(small_task, _config(epochs=50), 0, interrupt)
    assert fit.result.interrupted and fit.result.history == seen
    assert fit.result.val == max(epoch.val_score for epoch in seen)
    assert fit.state


def test_an_interrupt_before_the_first_epoch_passes_through(
    small_task: NodeTask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Network, "forward", interrupt)
    with pytest.raises(KeyboardInterrupt):
        fit_seed(small_task, _config(), 0, _ignore)


def test_a_diverging_loss_names_the_learning_rate(small_task: NodeTask) -> None:
    broken = replace(small_task, feat={"_N": small_task.feat["_N"] * float("inf")})
    with pytest.raises(InvalidValueError, match=r"diverged in epoch 1: .* \(--lr, now 0\.25\)"):
        fit_seed(broken, _config(lr=0.25), 0, _ignore)


@pytest.mark.parametrize("settings", [{}, {"norm": "batch"}, {"minibatch": True, "batch_size": 20}])
@pytest.mark.parametrize("stop", [1, 4, 7])
def test_a_restored_trainer_goes_on_bit_for_bit(
    small_task: NodeTask, settings: dict, stop: int
) -> None:
    config = _config(epochs=8, model="sage", **settings)
    whole = fit_seed(small_task, config, 3, _ignore)
    first = Trainer(small_task, config, 3)
    for _ in range(stop):
        first.run_epoch()
    saved = {name: value.clone() for name, value in first.tensors().items()}
    history = list(first.history)
    first.run_epoch()

    def restore(trainer: Trainer) -> None:
        trainer.restore(saved, history, 1.5)

    second = fit_seed(small_task, config, 3, _ignore, restore)
    assert second.result.history == whole.result.history
    assert second.result.best_epoch == whole.result.best_epoch
    assert second.result.seconds > 1.5
    for name, value in whole.state.items():
        assert torch.equal(value, second.state[name]), name
