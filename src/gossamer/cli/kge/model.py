"""Vectors of entities and a decoder: initial values, loss and files."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gossamer.nn import NodeEmbedding, TransE
from gossamer.nn.models import ComplEx, DistMult, RotatE

__all__ = ["Embeddings", "self_adversarial_loss"]

_DECODERS = {"transe": TransE, "distmult": DistMult, "complex": ComplEx, "rotate": RotatE}


class Embeddings:
    """A vector for each entity, trained sparsely, and a decoder with one for each relation.

    Vectors are initialized uniformly in an interval that grows with the margin, as in Sun et al.,
    ICLR 2019; those of distmult and complex, which have no margin, from a normal distribution.
    """

    def __init__(self, model: str, entities: int, relations: int, size: int, margin: float) -> None:
        self.decoder: nn.Module = _DECODERS[model](relations, size)
        bound = (margin + 2) / size

        def start(table: Tensor) -> Tensor:
            if model in ("distmult", "complex"):
                return nn.init.normal_(table, std=size**-0.5)
            return nn.init.uniform_(table, -bound, bound)

        self.entities = NodeEmbedding(entities, size, "entities", start)
        if model != "rotate":  # its relations are angles
            start(next(self.decoder.parameters()).data)

    def scores(self, facts: Tensor, negatives: Tensor, missing: str) -> tuple[Tensor, ...]:
        """Return scores of facts (B,), scores with other entities (B, N), and the vectors used."""
        head, relation, tail = facts.T
        known, answer = (head, tail) if missing == "tail" else (tail, head)
        rows = self.entities(torch.cat([known, answer, negatives]))
        known, answer, others = rows.split([len(facts), len(facts), len(negatives)])
        positive = self.decoder(
            *((known, answer) if missing == "tail" else (answer, known)), relation
        )
        negative = self.decoder.match(self.decoder.query(known, relation, missing), others)
        return positive, negative, rows

    def state(self) -> dict[str, Tensor]:
        """Return all weights by name."""
        relation = next(self.decoder.parameters()).detach()
        return {"entities": self.entities.weight, "relations": relation}

    def load(self, state: dict[str, Tensor]) -> None:
        """Overwrite all weights."""
        self.entities.all_set_embedding(state["entities"])
        next(self.decoder.parameters()).data.copy_(state["relations"])


def self_adversarial_loss(
    positive: Tensor,
    negative: Tensor,
    margin: float,
    temperature: float,
    excluded: Tensor | None = None,
    weight: Tensor | None = None,
) -> Tensor:
    r"""Loss of Sun et al., ICLR 2019, for scores :math:`s` of facts and :math:`n_i` of negatives.

    .. math:: -\tfrac12\big(\log\sigma(\gamma + s)
        + \sum_i \mathrm{softmax}_i(\alpha n)\,\log\sigma(-\gamma - n_i)\big)

    averaged over the facts, weighted by `weight`, (B,), if given. No gradient flows through the
    softmax, and the negatives marked by the mask `excluded`, (B, N), are left out of it.
    """
    likely = temperature * negative.detach()
    if excluded is not None:
        likely = likely.masked_fill(excluded, -torch.inf)
    # If all negatives of a fact are excluded, its softmax is over no numbers.
    share = likely.softmax(1).nan_to_num(0.0)
    contrast = (share * F.logsigmoid(-margin - negative)).sum(1)
    losses = -(F.logsigmoid(margin + positive) + contrast) / 2
    return losses.mean() if weight is None else (losses * weight).sum() / weight.sum()
