"""Facts that are known: the completions of a fact, and tests for one completion."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

__all__ = ["Known"]


class Known:
    """All entities that complete a fact, by its other end and relation.

    Parameters
    ----------
    facts : numpy.ndarray
        Head, relation and tail of each fact, (facts, 3).
    num_relations : int
        Number of relations.
    """

    def __init__(self, facts: np.ndarray, num_relations: int) -> None:
        self._relations = num_relations
        self._by_key, self._by_answer = {}, {}
        for missing in ("tail", "head"):
            keys, answers = self._keys(facts, missing), facts[:, 2 if missing == "tail" else 0]
            order = keys.argsort(kind="stable")
            self._by_key[missing] = keys[order], answers[order]
            order = answers.argsort(kind="stable")
            self._by_answer[missing] = answers[order], keys[order]

    def _keys(self, facts: np.ndarray, missing: str) -> np.ndarray:
        return facts[:, 0 if missing == "tail" else 2] * self._relations + facts[:, 1]

    def answers(self, facts: np.ndarray, missing: str) -> tuple[Tensor, Tensor]:
        """Row and entity of each completion of each fact."""
        rows, answers = _matches(*self._by_key[missing], self._keys(facts, missing))
        return torch.from_numpy(rows), torch.from_numpy(answers)

    def counts(self, facts: np.ndarray, missing: str) -> Tensor:
        """Number of completions of each fact, (facts,)."""
        return torch.from_numpy(_range(self._by_key[missing][0], self._keys(facts, missing))[1])

    def complete(self, facts: np.ndarray, entities: np.ndarray, missing: str) -> Tensor:
        """Return whether entities complete facts: a mask, (facts, entities)."""
        asked, row = np.unique(self._keys(facts, missing), return_inverse=True)
        distinct, column = np.unique(entities, return_inverse=True)
        # There are few entities, and they have fewer facts than the given facts have completions.
        end, key = _matches(*self._by_answer[missing], distinct)
        found = np.isin(key, asked)
        mask = np.zeros((len(asked), len(distinct)), dtype=bool)
        mask[np.searchsorted(asked, key[found]), end[found]] = True
        return torch.from_numpy(mask[row][:, column])


def _range(keys: np.ndarray, asked: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First place and number of places of each asked key among sorted ones."""
    first, last = (np.searchsorted(keys, asked, side) for side in ("left", "right"))
    return first, last - first


def _matches(
    keys: np.ndarray, values: np.ndarray, asked: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Number of an asked key and value, for all values of each asked key; `keys` are sorted."""
    first, count = _range(keys, asked)
    rows = np.repeat(np.arange(len(asked)), count)
    slots = np.arange(count.sum()) - np.repeat(count.cumsum() - count, count)
    return rows, values[slots + np.repeat(first, count)]
