"""Filtered ranks against a plain loop."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gossamer.cli.kge.known import Known
from gossamer.cli.kge.model import Embeddings
from gossamer.cli.kge.options import MODELS
from gossamer.cli.kge.ranking import figures, ranks
from gossamer.errors import InvalidValueError


def _facts(seed: int = 0, count: int = 60) -> np.ndarray:
    rng = np.random.default_rng(seed)
    facts = np.stack([rng.integers(0, n, count) for n in (9, 3, 9)], 1)
    return np.unique(facts, axis=0)


def _model(name: str) -> Embeddings:
    torch.manual_seed(0)
    return Embeddings(name, 9, 3, 4, 1.0)


@pytest.mark.parametrize("name", MODELS)
def test_against_a_loop(name: str) -> None:
    facts, model = _facts(), _model(name)
    everything = {tuple(fact) for fact in facts.tolist()}
    asked = facts[::4]
    found = ranks(model, asked, Known(facts, 3))
    weight = model.entities.weight
    with torch.no_grad():
        for row, (head, relation, tail) in enumerate(asked.tolist()):
            for missing, place in (("tail", 2), ("head", 0)):
                scores = {}
                for entity in range(9):
                    fact = [head, relation, tail]
                    fact[place] = entity
                    if tuple(fact) in everything and entity != (head, tail)[place // 2]:
                        continue
                    h, r, t = torch.tensor(fact)
                    scores[entity] = model.decoder(weight[h, None], weight[t, None], r[None]).item()
                own = scores[(head, tail)[place // 2]]
                rank = 1 + sum(score > own + 1e-6 for score in scores.values())
                assert found[missing][row] == rank


def test_equal_scores_share_the_mean_rank() -> None:
    model = _model("distmult")
    model.load({"entities": torch.ones(9, 4), "relations": torch.ones(3, 4)})
    facts = np.array([[0, 0, 1], [0, 0, 2]])
    rank = ranks(model, facts, Known(facts, 3))
    # Eight entities are left for a tail, with ranks 1 to 8; nine for a head.
    assert rank["tail"].tolist() == [4.5, 4.5]
    assert rank["head"].tolist() == [5.0, 5.0]


def test_figures() -> None:
    found = figures(torch.tensor([1.0, 2.0, 4.0, 20.0]))
    assert found["mrr"] == pytest.approx((1 + 1 / 2 + 1 / 4 + 1 / 20) / 4)
    assert [found[f"hits@{k}"] for k in (1, 3, 10)] == [0.25, 0.5, 0.75]


def test_scores_that_are_no_numbers() -> None:
    model = _model("distmult")
    model.entities.all_set_embedding(torch.full((9, 4), torch.nan))
    with pytest.raises(InvalidValueError, match="the training diverged"):
        ranks(model, _facts(), Known(_facts(), 3))


@pytest.mark.parametrize("missing", ["tail", "head"])
def test_completions_against_a_loop(missing: str) -> None:
    facts = _facts()
    known, everything = Known(facts, 3), {tuple(fact) for fact in facts.tolist()}
    asked = np.concatenate([facts[::5], facts[:3], [[8, 2, 8], [0, 0, 0]]])
    entities = np.array([4, 0, 8, 4, 2])
    mask = known.complete(asked, entities, missing)
    rows, answers = (x.tolist() for x in known.answers(asked, missing))
    for row, (head, relation, tail) in enumerate(asked.tolist()):
        ends = [
            e
            for e in range(9)
            if ((head, relation, e) if missing == "tail" else (e, relation, tail)) in everything
        ]
        assert sorted(a for r, a in zip(rows, answers, strict=True) if r == row) == ends
        assert mask[row].tolist() == [e in ends for e in entities.tolist()]
    assert known.complete(asked[:0], entities, missing).shape == (0, 5)
