"""Filtered ranks of facts among all their completions."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from gossamer.cli.kge.known import Known
from gossamer.cli.kge.model import Embeddings
from gossamer.errors import InvalidValueError

__all__ = ["figures", "ranks"]

_BATCH = 128


@torch.no_grad()
def ranks(model: Embeddings, facts: np.ndarray, known: Known) -> dict[str, Tensor]:
    """Compute the rank of each fact, (facts,), with the tail and with the head missing.

    Other completions that are known facts are ignored. Equal scores get their mean rank.

    Raises
    ------
    InvalidValueError
        If a score is not a number.
    """
    found: dict[str, list[Tensor]] = {"tail": [], "head": []}
    everything = model.entities.weight
    for start in range(0, len(facts), _BATCH):
        part = facts[start : start + _BATCH]
        head, relation, tail = torch.from_numpy(part).T
        for missing, known_end, answer in (("tail", head, tail), ("head", tail, head)):
            query = model.decoder.query(everything[known_end], relation, missing)
            scores = model.decoder.match(query, everything)
            if scores.isnan().any():
                raise InvalidValueError(
                    "A score is not a number: the training diverged. Lower --lr."
                )
            own = scores.gather(1, answer[:, None])
            scores[known.answers(part, missing)] = -torch.inf  # including the answer itself
            higher, equal = (scores > own).sum(1), (scores == own).sum(1)
            found[missing].append(1 + higher + equal / 2)
    return {missing: torch.cat([torch.empty(0), *rows]) for missing, rows in found.items()}


def figures(rank: Tensor) -> dict[str, float]:
    """Compute the mean reciprocal rank, and the fractions of ranks up to 1, 3 and 10."""
    hits = {f"hits@{k}": (rank <= k).double().mean().item() for k in (1, 3, 10)}
    return {"mrr": rank.double().reciprocal().mean().item(), **hits}
