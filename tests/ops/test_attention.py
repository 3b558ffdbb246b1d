"""graph_attention against messages per edge, built by indexing."""

from __future__ import annotations

import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck

import gossamer as gs
from gossamer import kernels, ops
from gossamer.errors import InvalidTypeError, InvalidValueError
from helpers.compare import assert_tensor_equal, random_cotangent_grads
from helpers.graphs import graph_cases
from helpers.kernel_cases import require_native
from ops import oracle

SCORES = ("add", "dot", "add_dot")


def _draw(g, score, *, batch=(), heads=2, dim=3, key_dim=4, bias=True, dtype=torch.float64):
    """Operands by name, all wanting a gradient."""
    features = () if score == "add" else (key_dim,)
    shapes = {
        "value": (g.num_src_nodes(), *batch, heads, dim),
        "key": (g.num_src_nodes(), *batch, heads, *features),
        "query": (g.num_dst_nodes(), *batch, heads, *features),
    }
    if score == "add_dot":
        shapes["weight"] = (heads, key_dim)
    if bias:
        shapes["bias"] = (g.num_edges(), *batch, heads)
        shapes["out_bias"] = (heads, dim)
    return {
        name: torch.randn(shape, dtype=torch.float64).to(dtype).requires_grad_()
        for name, shape in shapes.items()
    }


def _compare(g, score, operands, **options) -> None:
    names = list(operands)

    def run(function, dtype):
        def call(*tensors):
            given = dict(zip(names, tensors, strict=True))
            return function(g, *(given.pop(x) for x in ("value", "key", "query")), score, **given)

        out, grads = random_cotangent_grads(call, [x.detach().to(dtype) for x in operands.values()])
        return (*out, *grads)

    dtype = operands["value"].dtype
    found = run(lambda *a, **k: ops.graph_attention(*a, **k, **options), dtype)
    truth, plain = run(oracle.graph_attention, torch.float64), run(oracle.graph_attention, dtype)
    what = ("output", *(f"gradient of {name}" for name in names))
    if dtype is torch.bfloat16:
        oracle.assert_agrees(what, found, truth, plain)
        return
    for name, actual, expected in zip(what, found, truth, strict=True):
        # A score's gradient is a difference of inner products of a size of about 10, and is off by
        # roundings of those also where it is near 0.
        largest = max(10.0, float(expected.abs().max()) if expected.numel() else 0.0)
        torch.testing.assert_close(
            actual.double(),
            expected,
            rtol=0,
            atol=8 * torch.finfo(dtype).eps * largest,
            msg=lambda text, n=name: f"{n}: {text}",
        )


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16], ids=str)
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("batch", [(), (3,), (2, 2)], ids=str)
@pytest.mark.parametrize("score", SCORES)
def test_values_and_gradients(score, batch, bias, dtype) -> None:
    g = oracle.larger()
    _compare(g, score, _draw(g, score, batch=batch, bias=bias, dtype=dtype))


EDGES = {
    "edge keys": ("dot", ("edge_key",)),
    "edge values": ("dot", ("edge_value",)),
    "both": ("dot", ("edge_key", "edge_value")),
    "edge keys of GATv2": ("add_dot", ("edge_key",)),
    "both of GATv2": ("add_dot", ("edge_key", "edge_value")),
    "edge values of GAT": ("add", ("edge_value",)),
}


def _draw_edges(g, names, operands) -> None:
    """Add operands of edges, which have the row shape of key and value."""
    for name in names:
        like = operands[name.removeprefix("edge_")]
        x = torch.randn((g.num_edges(), *like.shape[1:]), dtype=torch.float64)
        operands[name] = x.to(like.dtype).requires_grad_()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16], ids=str)
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("batch", [(), (2,)], ids=str)
@pytest.mark.parametrize(("score", "names"), EDGES.values(), ids=EDGES)
def test_edge_operands(score, names, batch, bias, dtype) -> None:
    g = oracle.larger()
    operands = _draw(g, score, batch=batch, bias=bias, dtype=dtype)
    _draw_edges(g, names, operands)
    _compare(g, score, operands)


@pytest.mark.parametrize(("score", "names"), EDGES.values(), ids=EDGES)
def test_edge_operands_twice(score, names) -> None:
    g = oracle.lopsided()
    operands = _draw(g, score)
    _draw_edges(g, names, operands)

    def run(*tensors):
        torch.manual_seed(3)
        given = dict(zip(operands, tensors, strict=True))
        return ops.graph_attention(g, **given, score=score, dropout=0.3)

    assert gradcheck(run, tuple(operands.values()))
    assert gradgradcheck(run, tuple(operands.values()))


@pytest.mark.parametrize("names", [(), ("edge_key",), ("edge_key", "edge_value")])
def test_scale(names) -> None:
    g = oracle.larger()
    operands = _draw(g, "dot")
    _draw_edges(g, names, operands)
    for scale in (0.5, -2.0, 0.0):
        found = ops.graph_attention(g, **operands, scale=scale)
        truth = oracle.graph_attention(g, score="dot", **operands, scale=scale)
        torch.testing.assert_close(found, truth)


def test_edge_operands_under_transforms_and_the_compiler() -> None:
    g = oracle.lopsided()
    operands = {k: x.detach() for k, x in _draw(g, "dot").items()}
    _draw_edges(g, ("edge_key", "edge_value"), operands)
    edge_key = operands.pop("edge_key").detach()
    edge_value = operands.pop("edge_value").detach()

    def run(edge_key, edge_value):
        return ops.graph_attention(g, **operands, edge_key=edge_key, edge_value=edge_value).sum()

    wanted = torch.autograd.functional.jacobian(run, (edge_key, edge_value))
    torch.testing.assert_close(torch.func.grad(run, (0, 1))(edge_key, edge_value), wanted)
    compiled = torch.compile(run, backend="eager", fullgraph=True)
    torch.testing.assert_close(compiled(edge_key, edge_value), run(edge_key, edge_value))


def test_dropout_draws_the_same_with_edge_operands() -> None:
    g = oracle.larger()
    operands = {k: x.detach() for k, x in _draw(g, "dot").items()}
    zeros = torch.zeros(g.num_edges(), 2, 4, dtype=torch.float64)
    out = []
    for extra in ({}, {"edge_key": zeros}, {"edge_value": zeros[..., :3]}):
        torch.manual_seed(1)
        out.append(ops.graph_attention(g, **operands, **extra, dropout=0.5))
    torch.testing.assert_close(out[1], out[0])
    torch.testing.assert_close(out[2], out[0])


@pytest.mark.parametrize(
    ("score", "given", "message"),
    [
        ("add", {"edge_key": torch.ones(7, 2)}, "edge_key goes with score 'dot' or 'add_dot'"),
        ("dot", {"edge_key": torch.ones(7, 2, 3)}, r"edge_key must be \(E, \*\(2, 4\)\)"),
        ("dot", {"edge_value": torch.ones(7, 2)}, r"edge_value must be \(E, \*\(2, 3\)\)"),
        ("dot", {"edge_value": torch.ones(6, 2, 3)}, "edge operand must have 7 rows"),
        ("add_dot", {"scale": 2}, "scale goes with score 'dot' only, got 2 for 'add_dot'"),
        ("dot", {"scale": float("nan")}, "scale must be finite"),
    ],
)
def test_bad_edge_operands(score, given, message) -> None:
    g = oracle.lopsided()
    operands = _draw(g, score, dtype=torch.float32)
    with pytest.raises(InvalidValueError, match=message):
        ops.graph_attention(g, **operands, score=score, **given)


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize(
    "case", graph_cases("homogeneous") + graph_cases("bipartite") + graph_cases("block")
)
def test_graph_cases(case, score) -> None:
    g = case()
    _compare(g, score, _draw(g, score))


@pytest.mark.parametrize("dropout", [0.0, 0.4])
@pytest.mark.parametrize("score", SCORES)
def test_gradcheck_twice(score, dropout) -> None:
    g = oracle.lopsided()
    operands = _draw(g, score)

    def run(*tensors):
        torch.manual_seed(3)
        given = dict(zip(operands, tensors, strict=True))
        return ops.graph_attention(g, **given, score=score, dropout=dropout)

    assert gradcheck(run, tuple(operands.values()))
    assert gradgradcheck(run, tuple(operands.values()))


@pytest.mark.parametrize("score", SCORES)
def test_gradients_to_differentiate_again_where_operands_depend_on_one_another(score) -> None:
    """As in GAT, where key and query are products of the value, and GATv2, where they are one."""
    g = gs.graph(([2, 0, 0, 2, 1, 2, 0], [3, 1, 3, 2, 1, 3, 1]))
    others = {name: x for name, x in _draw(g, score).items() if "bias" in name}
    root = torch.randn(g.num_nodes(), 2, 3, dtype=torch.float64, requires_grad=True)

    def run(value):
        key = value.sum(-1) if score == "add" else value
        weight = {"weight": value.mean(0)} if score == "add_dot" else {}
        return ops.graph_attention(g, value, key, key * 2, score, **weight, **others)

    value = root.tanh()
    out, wanted = run(value), [root, value, *others.values()]
    flow = torch.randn_like(out)
    once = torch.autograd.grad(out, wanted, flow, retain_graph=True)
    again = torch.autograd.grad(out, wanted, flow, create_graph=True)
    torch.testing.assert_close(again, once)
    assert gradgradcheck(run, root)


@pytest.mark.parametrize("score", SCORES)
def test_gradients_to_differentiate_again_are_as_precise_in_16_bit(score) -> None:
    """No more than the gradients of the kernel may they be rounded in between."""
    g = gs.rand_graph(500, 1_500)
    operands = _draw(g, score, dim=7, key_dim=7, bias=False, dtype=torch.bfloat16)
    precise = {name: x.detach().double().requires_grad_() for name, x in operands.items()}
    out, wanted = (ops.graph_attention(g, **x, score=score) for x in (operands, precise))
    flow = torch.randn_like(out)
    truth = torch.autograd.grad(wanted, list(precise.values()), flow.double())
    once = torch.autograd.grad(out, list(operands.values()), flow, retain_graph=True)
    again = torch.autograd.grad(out, list(operands.values()), flow, create_graph=True)
    for name, right, one, two in zip(operands, truth, once, again, strict=True):
        errors = [float((x.detach().double() - right).abs().max()) for x in (one, two)]
        assert errors[1] <= 1.25 * errors[0] + 1e-2, (name, errors)


def test_only_the_gradients_that_are_wanted() -> None:
    g = oracle.awkward()
    operands = _draw(g, "add_dot")
    for name in operands:
        given = {x: t.detach().requires_grad_(x == name) for x, t in operands.items()}
        out = ops.graph_attention(g, **given, score="add_dot")
        out.backward(torch.randn_like(out))
        assert [x for x, t in given.items() if t.grad is not None] == [name]


@pytest.mark.parametrize("score", SCORES)
def test_dropout_is_the_same_in_every_implementation(score) -> None:
    g = oracle.larger()
    operands = {name: x.detach() for name, x in _draw(g, score).items()}

    def run():
        torch.manual_seed(11)
        return ops.graph_attention(g, **operands, score=score, dropout=0.5)

    found = run()
    with kernels.use("reference"):
        torch.testing.assert_close(run(), found)
    torch.manual_seed(12)
    other = ops.graph_attention(g, **operands, score=score, dropout=0.5)
    assert not torch.equal(other, found)


def test_dropout_keeps_the_mean() -> None:
    """Each of 20,000 nodes has the same neighbors: the average over them comes near the sum."""
    n = 20_000
    u, v = torch.arange(3).repeat(n), torch.arange(n).repeat_interleave(3)
    g = gs.heterograph({("a", "r", "b"): (u, v)}, {"a": 3, "b": n})
    value = torch.tensor([1.0, 2.0, 4.0], dtype=torch.float64).view(3, 1, 1)
    zero = torch.zeros(3, 1, dtype=torch.float64), torch.zeros(n, 1, dtype=torch.float64)
    out = ops.graph_attention(g, value, *zero, "add", dropout=0.5)
    expected = float(value.mean())
    # The variance of one term is its square, and there are three of a third each.
    spread = float((value / 3).square().sum()) ** 0.5 / n**0.5
    assert abs(float(out.mean()) - expected) < 5 * spread
    assert not ops.graph_attention(g, value, *zero, "add", dropout=1.0).any()


@pytest.mark.parametrize("score", SCORES)
def test_no_edges_and_no_nodes(score) -> None:
    for g in (gs.graph(([], []), num_nodes=3), gs.graph(([], []))):
        operands = _draw(g, score)
        out = ops.graph_attention(g, **operands, score=score)
        assert_tensor_equal(out.detach(), operands["out_bias"].detach().expand(g.num_nodes(), 2, 3))
        out.backward(torch.randn_like(out))
        assert not operands["key"].grad.any()


def test_no_tensor_of_edges_times_features(monkeypatch) -> None:
    """What the kernels ask for: at most, for a bias's gradient, a number for each edge and head."""
    require_native()
    from gossamer.kernels.cpu import _common

    asked = []

    def empty(shape, dtype):
        asked.append(torch.Size(shape).numel())
        return torch.empty(shape, dtype=dtype)

    monkeypatch.setattr(_common, "empty", empty)
    g = gs.graph((torch.randint(20, (5_000,)), torch.randint(20, (5_000,))), num_nodes=20)
    with kernels.use("native"):
        for bias, most in ((True, g.num_edges() * 2), (False, g.num_edges() - 1)):
            asked.clear()
            for score in SCORES:
                operands = _draw(g, score, dim=16, key_dim=16, bias=bias)
                out = ops.graph_attention(g, **operands, score=score)
                out.backward(torch.randn_like(out))
            assert 0 < max(asked) <= most


class TestAsTorchSeesIt:
    """Registered, compiled, mapped."""

    # torch 2.14's own opcheck reads the gradient of tensors that are no leaves.
    @pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor:UserWarning")
    @pytest.mark.parametrize("score", SCORES)
    def test_opcheck(self, score) -> None:
        g = oracle.awkward()
        operands = _draw(g, score)
        structure = list(g.adjacency.structure(by_dst=True, by_src=True, slots=True))
        inputs = [operands.get(x) for x in ("value", "key", "query", "weight", "bias", "out_bias")]
        seed = torch.tensor(5)
        edges = [None, None]
        if score != "add":
            edges = [torch.randn(g.num_edges(), 2, n, dtype=torch.float64) for n in (4, 3)]
            edges = [x.requires_grad_() for x in edges]
        arguments = (structure, *inputs, seed, score, 0.2, 0.25, *edges)
        result = torch.library.opcheck(torch.ops.gossamer.graph_attention.default, arguments)
        assert set(result.values()) == {"SUCCESS"}
        out, norms = torch.ops.gossamer.graph_attention.default(*arguments)
        *detached, key, value = (None if x is None else x.detach() for x in (*inputs, *edges))
        back = (structure, *detached, seed, score, 0.2, 0.25, key, value)
        operator = torch.ops.gossamer.graph_attention_backward.default
        result = torch.library.opcheck(
            operator, (*back, out.detach(), norms.detach(), torch.randn_like(out))
        )
        assert set(result.values()) == {"SUCCESS"}

    @pytest.mark.parametrize("score", SCORES)
    def test_vmap_and_func_grad(self, score) -> None:
        g = oracle.awkward()
        operands = {name: x.detach() for name, x in _draw(g, score).items()}
        values = torch.randn(3, *operands.pop("value").shape, dtype=torch.float64)

        def run(value):
            return ops.graph_attention(g, value, **operands, score=score)

        torch.testing.assert_close(
            torch.vmap(run)(values), torch.stack([run(value) for value in values])
        )
        flow = torch.randn(7, 2, 3, dtype=torch.float64)
        found = torch.func.grad(lambda x: (run(x) * flow).sum())(values[0])
        leaf = values[0].clone().requires_grad_()
        torch.testing.assert_close(found, torch.autograd.grad(run(leaf), leaf, flow)[0])

    def test_autocast_takes_the_values_dtype(self) -> None:
        g = oracle.larger()
        operands = {name: x.detach().float() for name, x in _draw(g, "dot").items()}
        operands["value"] = operands["value"].bfloat16()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            assert ops.graph_attention(g, **operands).dtype is torch.bfloat16
        with pytest.raises(InvalidTypeError, match=r"value is torch\.bfloat16 but key is"):
            ops.graph_attention(g, **operands)


class TestBadInput:
    """One clear error for each mistake."""

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"score": "cosine"}, r"score is one of \['add', 'dot', 'add_dot'\], got 'cosine'"),
            ({"dropout": 1.5}, "dropout is a number from 0 to 1, got 1.5"),
            ({"negative_slope": float("nan")}, "negative_slope must be finite"),
            ({"value": torch.zeros(7, 2)}, r"value must be \(N_src, \*, heads, features\)"),
            ({"value": torch.zeros(6, 2, 3)}, "must have 7 rows"),
            ({"key": torch.zeros(7, 2)}, r"key must be \(N, \*, heads, features\).*\(7, 2\)"),
            ({"query": torch.zeros(7, 2, 5)}, r"query must be.*key has shape \(7, 2, 4\)"),
            ({"weight": torch.zeros(2, 4)}, "weight goes with score 'add_dot' and only there"),
            ({"bias": torch.zeros(9, 3)}, r"bias must be \(9, 2\).*got shape \(9, 3\)"),
            ({"score": "add_dot"}, "weight is missing"),
            ({"out_bias": torch.zeros(2)}, r"out_bias must be.*\(2, 3\), got shape \(2,\)"),
            (
                {"score": "add_dot", "weight": torch.zeros(4, 2)},
                r"\(heads, features\) = \(2, 4\), got shape \(4, 2\)",
            ),
        ],
    )
    def test_values(self, change, message) -> None:
        with pytest.raises(InvalidValueError, match=message):
            self._call(**change)

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"value": [1.0]}, "must be a torch.Tensor, got list"),
            ({"value": torch.zeros(7, 2, 3, dtype=torch.int64)}, "must be floating-point"),
            ({"key": torch.zeros(7, 2, 4, dtype=torch.float64)}, "value is torch.float32 but key"),
            ({"score": "add_dot", "weight": 3.0}, "weight must be a torch.Tensor, got float"),
            ({"g": "graph"}, "A gossamer.Graph is expected"),
        ],
    )
    def test_types(self, change, message) -> None:
        with pytest.raises(InvalidTypeError, match=message):
            self._call(**change)

    @staticmethod
    def _call(**change):
        g = change.pop("g", oracle.awkward())
        given = {
            "value": torch.zeros(7, 2, 3),
            "key": torch.zeros(7, 2, 4),
            "query": torch.zeros(7, 2, 4),
            **change,
        }
        return ops.graph_attention(g, **given)
