"""The loss against its formula, and steps that do not depend on when a training was stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from gossamer.cli.kge.model import self_adversarial_loss
from gossamer.cli.kge.options import MODELS, resolved
from gossamer.cli.kge.training import Training
from gossamer.errors import FileError, InvalidValueError

# A relation goes round eight entities, another goes round the other way.
FACTS = np.array([[i, 0, (i + 1) % 8] for i in range(8)] + [[(i + 1) % 8, 1, i] for i in range(8)])


def _training(**given: Any) -> Training:
    return Training(
        resolved({"size": 6, "batch": 8, "negatives": 4, "steps": 12, **given}), FACTS, (8, 2)
    )


def test_loss_is_that_of_the_paper() -> None:
    generator = torch.Generator().manual_seed(0)
    positive = torch.randn(5, generator=generator).double()
    negative = torch.randn(5, 7, generator=generator).double()
    margin, temperature = 2.0, 0.5
    total = 0.0
    for s, others in zip(positive.tolist(), negative.numpy(), strict=True):
        weight = np.exp(temperature * others) / np.exp(temperature * others).sum()
        told = (weight * -np.log(1 / (1 + np.exp(margin + others)))).sum()
        total += (np.log(1 + np.exp(-margin - s)) + told) / 2
    found = self_adversarial_loss(positive, negative, margin, temperature)
    assert found.item() == pytest.approx(total / 5)


def test_excluded_negatives_do_not_count() -> None:
    generator = torch.Generator().manual_seed(0)
    positive, negative = (torch.randn(n, generator=generator).double() for n in ((3,), (3, 5)))
    excluded = torch.rand(3, 5, generator=generator) < 0.5
    excluded[1] = True
    negative.requires_grad_()
    found = self_adversarial_loss(positive, negative, 2.0, 0.5, excluded)
    total = -torch.nn.functional.logsigmoid(2 + positive[1]) / 2
    for i in (0, 2):
        kept = negative[i : i + 1, ~excluded[i]]
        total = total + self_adversarial_loss(positive[i : i + 1], kept, 2.0, 0.5)
    assert found.item() == pytest.approx(total.item() / 3)
    found.backward()
    assert torch.equal(negative.grad == 0, excluded)


def test_facts_are_no_negatives() -> None:
    """An entity that is drawn and completes the fact is left out."""
    training = _training(model="distmult", negatives=64, steps=8)
    seen = []
    scores = training.model.scores

    def recorded(*args: Any) -> Any:
        positive, negative, rows = scores(*args)
        negative.retain_grad()
        seen.append((*args, negative))
        return positive, negative, rows

    training.model.scores = recorded
    for _ in range(8):
        training.run_step()
    known = {tuple(fact) for fact in FACTS.tolist()}
    for facts, negatives, missing, scored in seen:
        for row, (head, relation, tail) in enumerate(facts.tolist()):
            for column, entity in enumerate(negatives.tolist()):
                other = (head, relation, entity) if missing == "tail" else (entity, relation, tail)
                assert (scored.grad[row, column] == 0) == (other in known)


@pytest.mark.parametrize("model", MODELS)
def test_a_stopped_training_goes_on_as_if_it_had_not_been(model: str, tmp_path: Path) -> None:
    whole = _training(model=model)
    losses = [whole.run_step() for _ in range(12)]
    first = _training(model=model)
    for _ in range(5):
        first.run_step()
    first.save(tmp_path / "state")
    second = _training(model=model)
    second.load(tmp_path / "state")
    assert [second.run_step() for _ in range(7)] == losses[5:]
    for name, value in second.model.state().items():
        assert torch.equal(value, whole.model.state()[name])


@pytest.mark.parametrize("model", MODELS)
def test_facts_are_told_from_others(model: str) -> None:
    training = _training(model=model, steps=200, lr=0.05, temperature=0.0)
    losses = [training.run_step() for _ in range(200)]
    assert np.mean(losses[-20:]) < 0.8 * np.mean(losses[:20])


def test_a_state_of_other_settings(tmp_path: Path) -> None:
    _training().save(tmp_path / "state")
    with pytest.raises(FileError, match="missing or damaged"):
        _training(size=8).load(tmp_path / "state")
    (tmp_path / "state").write_bytes(b"nothing")
    with pytest.raises(FileError, match="missing or damaged"):
        _training().load(tmp_path / "state")


def test_a_training_that_diverges() -> None:
    training = _training(model="distmult")
    training.model.entities.all_set_embedding(torch.full((8, 6), torch.inf))
    with pytest.raises(InvalidValueError, match=r"diverged in step 1: .*--lr, now 0\.002"):
        training.run_step()
