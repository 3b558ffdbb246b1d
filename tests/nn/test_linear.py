"""TypedLinear against a loop over the rows."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.func import functional_call

from gossamer.errors import InvalidTypeError, InvalidValueError, OutOfRangeError
from gossamer.nn import TypedLinear
from helpers.compare import random_cotangent_grads

SIZES = (4, 6, 3)
REGULARIZERS = [(), ("basis", 2), ("bdd", 2)]


def matrices(layer: TypedLinear, parameters: dict[str, Tensor]) -> Tensor:
    """The dense matrix of each type, from the formula."""
    weight = parameters["W"]
    if layer.regularizer == "basis":
        return torch.einsum("tb,bio->tio", parameters["coeff"], weight)
    if layer.regularizer == "bdd":
        blocks = weight.view(3, 2, 2, 3)
        return torch.stack([torch.block_diag(*each) for each in blocks])
    return weight


@pytest.mark.parametrize("sort", [False, True])
@pytest.mark.parametrize("regularizer", REGULARIZERS, ids=str)
def test_rows_times_the_matrix_of_their_type(regularizer: tuple, sort: bool) -> None:
    layer = TypedLinear(*SIZES, *regularizer).double()
    types = torch.randint(0, 3, (10,))
    types = types.sort().values if sort else types
    given = {"x": torch.randn(10, 4, dtype=torch.float64)}
    given |= {name: value.detach() for name, value in layer.named_parameters()}

    def by_layer(x: Tensor, **parameters: Tensor) -> Tensor:
        return functional_call(layer, parameters, (x, types, sort))

    def by_formula(x: Tensor, **parameters: Tensor) -> Tensor:
        dense = matrices(layer, parameters)
        return torch.stack([row @ dense[t] for row, t in zip(x, types.tolist(), strict=True)])

    found, wanted = (random_cotangent_grads(f, given) for f in (by_layer, by_formula))
    torch.testing.assert_close(found, wanted)
    leaves = [value.clone().requires_grad_() for value in given.values()]
    assert torch.autograd.gradcheck(
        lambda *values: by_layer(**dict(zip(given, values, strict=True))), leaves, fast_mode=True
    )


@pytest.mark.parametrize("regularizer", REGULARIZERS, ids=str)
def test_get_weight(regularizer: tuple) -> None:
    layer = TypedLinear(*SIZES, *regularizer)
    weight = layer.get_weight()
    assert weight.shape == ((3, 12) if layer.regularizer == "bdd" else (3, 4, 6))


@pytest.mark.parametrize("sort", [False, True])
@pytest.mark.parametrize("regularizer", REGULARIZERS, ids=str)
def test_no_rows(regularizer: tuple, sort: bool) -> None:
    layer = TypedLinear(*SIZES, *regularizer)
    out = layer(torch.empty(0, 4), torch.empty(0, dtype=torch.int64), sort)
    out.sum().backward()
    assert out.shape == (0, 6)


def test_int32_types() -> None:
    layer, x, types = TypedLinear(*SIZES), torch.rand(5, 4), torch.tensor([2, 0, 1, 1, 2])
    torch.testing.assert_close(layer(x, types.int()), layer(x, types))


@pytest.mark.parametrize("regularizer", REGULARIZERS, ids=str)
def test_autocast_and_compile(regularizer: tuple) -> None:
    torch._dynamo.reset()
    layer, x, types = TypedLinear(*SIZES, *regularizer), torch.rand(5, 4), torch.arange(5) % 3
    exact = layer(x, types)
    compiled = torch.compile(layer, backend="aot_eager", fullgraph=True)
    torch.testing.assert_close(compiled(x, types), exact)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = layer(x, types)
    torch.testing.assert_close(out.float(), exact, rtol=0, atol=0.05)


@pytest.mark.parametrize("regularizer", REGULARIZERS, ids=str)
def test_reset_parameters(regularizer: tuple) -> None:
    layer = TypedLinear(*SIZES, *regularizer)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.fill_(9.0)
    layer.reset_parameters()
    assert all((parameter != 9.0).all() for parameter in layer.parameters())


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("x", 2), r"regularizer is one of \['basis', 'bdd'\], got 'x'"),
        (("basis",), "regularizer='basis' needs num_bases"),
        (("bdd", 3), r"in_size \(4\) and out_size \(6\) must be divisible by num_bases \(3\)"),
    ],
)
def test_bad_regularizers(args: tuple, message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        TypedLinear(*SIZES, *args)


def test_bad_input() -> None:
    layer, x, types = TypedLinear(*SIZES), torch.rand(2, 4), torch.tensor([1, 0])
    with pytest.raises(InvalidValueError, match=r"x must have shape \(N, 4\), got \(2, 3\)"):
        layer(torch.rand(2, 3), types)
    with pytest.raises(InvalidTypeError, match="row types must be an integer tensor, but got list"):
        layer(x, [1, 0])
    with pytest.raises(InvalidValueError, match=r"row types must have shape \(2,\)"):
        layer(x, types[:1])
    with pytest.raises(OutOfRangeError, match=r"types must be 0 \.\.\. 2, .* got 0 \.\.\. 3"):
        layer(x, torch.tensor([3, 0]))
    with pytest.raises(InvalidValueError, match="sorted_by_type=True, but x_type does not ascend"):
        layer(x, types, sorted_by_type=True)
