"""Known facts: all completions of a fact, and tests of single completions."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

__all__ = ["Known"]


class Known:
    """Lookup of the entities that complete a fact, by its other end and relation.

    Parameters
    ----------
    facts : numpy.ndarray
        Head, relation and tail of each fact, of shape (facts, 3).
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
        """Return row and entity of each completion of each fact."""
        rows, answers = _matches(*self._by_key[missing], self._keys(facts, missing))
        return torch.from_numpy(rows), torch.from_numpy(answers)

    def counts(self, facts: np.ndarray, missing: str) -> Tensor:
        """Count the completions of each fact, (facts,)."""
        return torch.from_numpy(_range(self._by_key[missing][0], self._keys(facts, missing))[1])

    def complete(self, facts: np.ndarray, entities: np.ndarray, missing: str) -> Tensor:
        """Return whether entities complete facts: a mask, (facts, entities)."""
        asked, row = np.unique(self._keys(facts, missing), return_inverse=True)
        distinct, column = np.unique(entities, return_inverse=True)
        # The few entities occur in fewer facts than there are completions of the given facts.
        end, key = _matches(*self._by_answer[missing], distinct)
        found = np.isin(key, asked)
        mask = np.zeros((len(asked), len(distinct)), dtype=bool)
        mask[np.searchsorted(asked, key[found]), end[found]] = True
        return torch.from_numpy(mask[row][:, column])


def _range(keys: np.ndarray, asked: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the first position and the number of positions of each key in sorted keys."""
    first, last = (np.searchsorted(keys, asked, side) for side in ("left", "right"))
    return first, last - first


def _matches(
    keys: np.ndarray, values: np.ndarray, asked: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return (query number, value) for all values of each queried key; `keys` are sorted."""
    first, count = _range(keys, asked)
    rows = np.repeat(np.arange(len(asked)), count)
    slots = np.arange(count.sum()) - np.repeat(count.cumsum() - count, count)
    return rows, values[slots + np.repeat(first, count)]
