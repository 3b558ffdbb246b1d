"""Scores of pairs and triples against their formulas."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.func import functional_call

from gossamer.errors import InvalidTypeError, InvalidValueError, OutOfRangeError
from gossamer.nn import EdgePredictor, TransE, TransR
from helpers.compare import random_cotangent_grads


def combined(op: str, u: Tensor, v: Tensor) -> Tensor:
    if op in ("dot", "cos"):
        rows = [a @ b for a, b in zip(u, v, strict=True)]
        if op == "cos":
            norms = [(a @ a).sqrt() * (b @ b).sqrt() for a, b in zip(u, v, strict=True)]
            rows = [row / norm for row, norm in zip(rows, norms, strict=True)]
        return torch.stack(rows).unsqueeze(1)
    return u * v if op == "ele" else torch.cat([u, v], 1)


@pytest.mark.parametrize("linear", [False, True])
@pytest.mark.parametrize("op", ["dot", "cos", "ele", "cat"])
def test_pairs(op: str, linear: bool) -> None:
    sizes = {"in_feats": 4, "out_feats": 3, "bias": True} if linear else {}
    layer = EdgePredictor(op, **sizes).double()
    given = {name: torch.randn(5, 4, dtype=torch.float64) for name in "uv"}
    given |= {name: p.detach() for name, p in layer.named_parameters()}

    def by_layer(u: Tensor, v: Tensor, **p: Tensor) -> Tensor:
        return functional_call(layer, p, (u, v))

    def by_formula(u: Tensor, v: Tensor, **p: Tensor) -> Tensor:
        h = combined(op, u, v)
        return h @ p["linear.weight"].T + p["linear.bias"] if linear else h

    found, wanted = (random_cotangent_grads(f, given) for f in (by_layer, by_formula))
    torch.testing.assert_close(found, wanted)


@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize("name", ["TransE", "TransR"])
def test_triples(name: str, p: int) -> None:
    layer = (TransE(3, 4, p=p) if name == "TransE" else TransR(3, 2, 4, p=p)).double()
    rels = torch.tensor([2, 0, 0, 1, 2])
    given = {end: torch.randn(5, 4, dtype=torch.float64) for end in ("head", "tail")}
    given |= {key: value.detach() for key, value in layer.named_parameters()}

    def by_layer(head: Tensor, tail: Tensor, **weights: Tensor) -> Tensor:
        return functional_call(layer, weights, (head, tail, rels))

    def by_formula(head: Tensor, tail: Tensor, **weights: Tensor) -> Tensor:
        rows = []
        for h, t, r in zip(head, tail, rels.tolist(), strict=True):
            if name == "TransR":
                matrix = weights["rel_project.weight"][r].view(4, 2)
                h, t = h @ matrix, t @ matrix
            between = (h + weights["rel_emb.weight"][r] - t).abs()
            rows.append(-between.sum() if p == 1 else -between.square().sum().sqrt())
        return torch.stack(rows)

    found, wanted = (random_cotangent_grads(f, given) for f in (by_layer, by_formula))
    torch.testing.assert_close(found, wanted)


@pytest.mark.parametrize("layer", [EdgePredictor("cat", 4, 3), TransE(3, 4), TransR(3, 2, 4)])
def test_reset_parameters(layer: torch.nn.Module) -> None:
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.fill_(9.0)
    layer.reset_parameters()
    assert all((parameter != 9.0).all() for parameter in layer.parameters())


def test_no_pairs_no_triples() -> None:
    none = torch.empty(0, 4)
    rels = torch.empty(0, dtype=torch.int64)
    assert EdgePredictor("cos", 4, 3)(none, none).shape == (0, 3)
    assert TransE(3, 4)(none, none, rels).shape == (0,)
    assert TransR(3, 2, 4)(none, none, rels).shape == (0,)


def test_bad_input() -> None:
    x, rels = torch.rand(2, 4), torch.tensor([0, 2])
    with pytest.raises(InvalidValueError, match="op is one of"):
        EdgePredictor("sum")
    with pytest.raises(InvalidValueError, match="needs in_feats too"):
        EdgePredictor("dot", out_feats=3)
    with pytest.raises(InvalidValueError, match="h_src and h_dst must have one shape"):
        EdgePredictor("dot")(x, x[:1])
    for layer in (TransE(3, 4), TransR(3, 2, 4)):
        name = type(layer).__name__
        with pytest.raises(InvalidValueError, match=rf"{name}: h_tail must have shape"):
            layer(x, x[:, :3], rels)
        with pytest.raises(InvalidValueError, match=rf"{name}: h_head, h_tail and rels must have"):
            layer(torch.rand(3, 4), x, rels)
        with pytest.raises(InvalidTypeError, match="triple types must be an integer tensor"):
            layer(x, x, rels.float())
        with pytest.raises(OutOfRangeError, match=r"triple types must be 0 \.\.\. 2"):
            layer(x, x, rels + 1)
