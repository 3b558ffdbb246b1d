"""Scores of all candidates for an end of a triple, beside the scores of the triples."""

from __future__ import annotations

import pytest
import torch

from gossamer.errors import InvalidValueError
from gossamer.nn import TransE
from gossamer.nn.models import ComplEx, DistMult, RotatE, decoders

KINDS = (DistMult, ComplEx, RotatE, TransE)


@pytest.mark.parametrize("missing", ["tail", "head"])
@pytest.mark.parametrize("kind", KINDS)
def test_candidates_get_the_scores_of_their_triples(
    kind: type, missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoders, "_TILE", 4)  # several tiles in rows and columns
    torch.manual_seed(0)
    model, rels = kind(3, 4).double(), torch.tensor([0, 2, 1, 1, 0])
    known, other = (torch.randn(n, 4, dtype=torch.float64, requires_grad=True) for n in (5, 7))
    at_once = model.match(model.query(known, rels, missing), other)
    columns = []
    for node in other:
        ends = known, node.expand_as(known)
        columns.append(model(*(ends if missing == "tail" else ends[::-1]), rels))
    one_by_one = torch.stack(columns, 1)
    torch.testing.assert_close(at_once, one_by_one)
    cotangent, inputs = torch.randn_like(at_once), (known, other, *model.parameters())
    found, wanted = (torch.autograd.grad(x, inputs, cotangent) for x in (at_once, one_by_one))
    torch.testing.assert_close(found, wanted)


@pytest.mark.parametrize("kind", KINDS)
def test_a_candidate_that_is_the_query(kind: type) -> None:
    x = torch.randn(3, 4, requires_grad=True)
    kind(2, 4).match(x, x).sum().backward()
    assert x.grad.isfinite().all()
    with pytest.raises(InvalidValueError, match="missing is one of"):
        kind(2, 4).query(x, torch.tensor([0, 1, 1]), "both")


@pytest.mark.parametrize("kind", KINDS)
def test_no_queries_and_no_candidates(kind: type) -> None:
    model = kind(2, 4)
    assert model.match(torch.empty(0, 4), torch.rand(3, 4)).shape == (0, 3)
    assert model.match(torch.rand(3, 4), torch.empty(0, 4)).shape == (3, 0)
