"""The graph transformer modules against their formulas, written with loops."""

from __future__ import annotations

import copy
import math
import pickle
from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

import gossamer as gs
from gossamer.errors import InvalidTypeError, InvalidValueError
from gossamer.nn import (
    BiasedMHA,
    DegreeEncoder,
    EGTLayer,
    GraphormerLayer,
    LapPosEncoder,
    PathEncoder,
    SpatialEncoder,
    SpatialEncoder3d,
)
from helpers.compare import assert_tensor_equal, random_cotangent_grads

B, N, D, H = 2, 4, 6, 2


def linear(p: dict, name: str, x: Tensor) -> Tensor:
    return F.linear(x, p[f"{name}.weight"], p.get(f"{name}.bias"))


def norm(p: dict, name: str, x: Tensor) -> Tensor:
    return F.layer_norm(x, x.shape[-1:], p[f"{name}.weight"], p[f"{name}.bias"])


def attention(p: dict, prefix: str, x: Tensor, bias: Tensor, mask: Tensor, product: bool) -> Tensor:
    """One graph, one head and one query at a time."""
    q, k, v = (linear(p, f"{prefix}{name}_proj", x) for name in "qkv")
    rows = []
    for u in range(len(x)):
        heads = []
        for h in range(H):
            of = slice(h * D // H, (h + 1) * D // H)
            seen = [w for w in range(len(x)) if not mask[u, w]]
            scores = [q[u, of] @ k[w, of] / math.sqrt(D / H) for w in seen]
            extra = [bias[u, w, h] for w in seen]
            both = [a * b if product else a + b for a, b in zip(scores, extra, strict=True)]
            heads.append(torch.stack(both).softmax(0) @ v[seen][:, of])
        rows.append(torch.cat(heads))
    return linear(p, f"{prefix}out_proj", torch.stack(rows))


def mha(p: dict, x: Tensor, bias: Tensor, mask: Tensor, product: bool = False) -> Tensor:
    given = zip(x, bias, mask, strict=True)
    return torch.stack([attention(p, "", *each, product) for each in given])


def graphormer(p: dict, x: Tensor, bias: Tensor, mask: Tensor, first: bool = False) -> Tensor:
    def ffn(h: Tensor) -> Tensor:
        return linear(p, "ffn.3", linear(p, "ffn.0", h).relu())

    rows = []
    for h, b, m in zip(x, bias, mask, strict=True):
        if first:
            h = h + attention(p, "attn.", norm(p, "attn_layer_norm", h), b, m, False)
            rows.append(h + ffn(norm(p, "ffn_layer_norm", h)))
        else:
            h = norm(p, "attn_layer_norm", h + attention(p, "attn.", h, b, m, False))
            rows.append(norm(p, "ffn_layer_norm", h + ffn(h)))
    return torch.stack(rows)


ATTENTIONS = {
    "mha": (partial(BiasedMHA, D, H), mha),
    "mha-product": (
        partial(BiasedMHA, D, H, bias=False, attn_bias_type="mul"),
        partial(mha, product=True),
    ),
    "graphormer": (partial(GraphormerLayer, D, 5, H), graphormer),
    "graphormer-first": (
        partial(GraphormerLayer, D, 5, H, norm_first=True),
        partial(graphormer, first=True),
    ),
}


def moved(layer: nn.Module) -> nn.Module:
    """In float64 and evaluation mode, with weights that are not 0 or 1."""
    layer = layer.double().eval()
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return layer


def check(layer: nn.Module, inputs: dict[str, Tensor], formula: Callable[..., object]) -> None:
    given = inputs | {name: p.detach() for name, p in layer.named_parameters()}

    def by_layer(**values: Tensor) -> object:
        own = {name: values.pop(name) for name in dict(layer.named_parameters())}
        return functional_call(layer, own, tuple(values.values()))

    def by_formula(**values: Tensor) -> object:
        own = {name: values.pop(name) for name in dict(layer.named_parameters())}
        return formula(own, *values.values())

    found, wanted = (random_cotangent_grads(f, given) for f in (by_layer, by_formula))
    torch.testing.assert_close(found[0], wanted[0])
    for name in given:
        zero = torch.zeros(())
        got, grad = (zero if x[1][name] is None else x[1][name] for x in (found, wanted))
        torch.testing.assert_close(got, grad.expand_as(got), msg=lambda t, n=name: f"{n}: {t}")


@pytest.mark.parametrize("name", ATTENTIONS)
def test_attention(name: str) -> None:
    build, formula = ATTENTIONS[name]
    mask = torch.rand(B, N, N) < 0.4
    mask[:, range(N), range(N)] = False
    inputs = {
        "x": torch.randn(B, N, D).double(),
        "bias": torch.randn(B, N, N, H).double(),
        "mask": mask,
    }
    check(moved(build()), inputs, formula)


@pytest.mark.parametrize("virtual", [0, 1])
def test_egt(virtual: int) -> None:
    layer = moved(EGTLayer(D, 3, H, virtual))
    with torch.no_grad():
        layer.qkv_proj.weight.mul_(5)  # so that some scores are clipped
    dim = D // H

    def ffn(p: dict, name: str, x: Tensor) -> Tensor:
        return linear(p, f"{name}.3", F.elu(linear(p, f"{name}.1", norm(p, f"{name}.0", x))))

    def formula(p: dict, x: Tensor, edges: Tensor) -> tuple[Tensor, Tensor]:
        nodes, pairs = [], []
        for h, e in zip(x, edges, strict=True):
            ln = norm(p, "mha_ln_e", e)
            gates, extra = linear(p, "gate", ln).sigmoid(), linear(p, "edge_input", ln)
            q, k, v = linear(p, "qkv_proj", norm(p, "mha_ln_h", h)).view(N, 3, dim, H).unbind(1)
            scores = torch.stack(
                [
                    torch.stack([(q[u] * k[w]).sum(0).clamp(-5, 5) for w in range(N)])
                    for u in range(N)
                ]
            )
            scores = scores + extra
            share = scores.softmax(1) * gates
            rows = []
            for u in range(N):
                scale = 1 if u < virtual else (1 + gates[u].sum(0)).log()
                rows.append((share[u].unsqueeze(1) * v).sum(0) * scale)
            new = h + linear(p, "node_output", torch.stack(rows).flatten(1))
            nodes.append(new + ffn(p, "node_ffn", new))
            new = e + linear(p, "edge_output", scores)
            pairs.append(new + ffn(p, "edge_ffn", new))
        return torch.stack(nodes), torch.stack(pairs)

    inputs = {"x": torch.randn(B, N, D).double(), "e": 3 * torch.randn(B, N, N, 3).double()}
    check(layer, inputs, formula)


def test_egt_mask_hides_nodes() -> None:
    """What a node must not see changes nothing for it."""
    layer = moved(EGTLayer(D, 3, H, 0, edge_update=False))
    x, e = torch.randn(1, N, D).double(), torch.randn(1, N, N, 3).double()
    mask = torch.zeros(1, N, N).double()
    mask[:, :3, 3] = float("-inf")
    out = layer(x, e, mask)
    x, e = x.clone(), e.clone()
    x[:, 3] += 1
    e[:, :3, 3] += 1
    torch.testing.assert_close(layer(x, e, mask)[:, :3], out[:, :3])
    torch.testing.assert_close(layer(x[:, :3], e[:, :3, :3]), out[:, :3])


def test_degrees() -> None:
    layer = moved(DegreeEncoder(3, 4))
    degrees = torch.tensor([[[0, 1, 9]], [[3, 0, 2]]])
    first, second = layer.encoder1.weight, layer.encoder2.weight
    wanted = torch.stack([first[0] + second[3], first[1] + second[0], first[3] + second[2]])
    torch.testing.assert_close(layer(degrees), wanted.unsqueeze(0))
    one = moved(DegreeEncoder(3, 4, "out"))
    torch.testing.assert_close(one(degrees[1]), one.encoder.weight[torch.tensor([[3, 0, 2]])])
    assert not DegreeEncoder(3, 4, "in")(torch.zeros(1, 2, dtype=torch.long)).any()


def test_distances() -> None:
    layer = SpatialEncoder(2, H)
    dist = torch.tensor([[[0, 1], [7, -1]]])
    torch.testing.assert_close(
        layer(dist), layer.embedding_table.weight[torch.tensor([[[1, 2], [3, 0]]])]
    )
    assert not layer(dist)[0, 1, 1].any()


@pytest.mark.parametrize("length", [1, 3, 5])
def test_paths(length: int) -> None:
    layer = moved(PathEncoder(3, 4, H))
    dist = torch.randint(-1, 6, (B, N, N))

    def formula(p: dict, dist: Tensor, path: Tensor) -> Tensor:
        weight = p["embedding_table.weight"].view(3, H, 4)
        rows = []
        for d, edges in zip(dist.flatten(), path.flatten(0, 2), strict=True):
            steps = [weight[i] @ edges[i] for i in range(min(length, 3))]
            rows.append(sum(steps) / min(max(int(d), 1), 3))
        return torch.stack(rows).view(B, N, N, H)

    check(layer, {"dist": dist, "path": torch.randn(B, N, N, length, 4).double()}, formula)


@pytest.mark.parametrize("typed", [False, True])
def test_positions(typed: bool) -> None:
    layer = moved(SpatialEncoder3d(3, H, max_node_type=4))

    def formula(p: dict, coord: Tensor, types: Tensor | None = None) -> Tensor:
        rows = []
        for b in range(B):
            for u in range(N):
                for v in range(N):
                    s, t = (0, 0) if types is None else (int(types[b, u]) + 2, int(types[b, v]) + 7)
                    gamma = p["gamma.weight"][s] + p["gamma.weight"][t]
                    beta = p["beta.weight"][s] + p["beta.weight"][t]
                    width = p["stds"].abs() + 0.01
                    far = (coord[b, u] - coord[b, v]).square().sum().sqrt()
                    z = (gamma * far + beta - p["means"]) / width
                    psi = (-z * z / 2).exp() / (width * math.sqrt(2 * math.pi))
                    hidden = linear(p, "linear_layer_1", psi)
                    hidden = hidden * (1 + torch.erf(hidden / math.sqrt(2))) / 2
                    rows.append(linear(p, "linear_layer_2", hidden))
        return torch.stack(rows).view(B, N, N, H)

    coord, types = torch.randn(B, N, 3).double(), torch.randint(0, 4, (B, N))
    given = (coord, types) if typed else (coord,)
    torch.testing.assert_close(layer(*given), formula(dict(layer.named_parameters()), *given))
    layer(coord.requires_grad_(), *given[1:]).sum().backward()
    # The distance of a point from itself has a corner; its gradient is 0.
    assert coord.grad.isfinite().all()


def test_eigenvectors_by_a_set_network() -> None:
    layer = moved(LapPosEncoder("DeepSet", 3, 3, 4, num_post_layer=2))
    values, vectors = torch.randn(5, 3).double(), torch.randn(5, 3).double()
    vectors[3:, 2] = values[3:, 2] = float("nan")

    def formula(p: dict, values: Tensor, vectors: Tensor) -> Tensor:
        rows = []
        for value, vector in zip(values, vectors, strict=True):
            total = torch.zeros(4).double()
            for i in range(3):
                if not value[i].isnan():
                    h = linear(p, "linear", torch.stack([vector[i], value[i]])).relu()
                    h = linear(p, "pe_encoder.1", h).relu()
                    total = total + linear(p, "pe_encoder.3", h).relu()
            h = linear(p, "post_mlp.0", total).relu()
            rows.append(linear(p, "post_mlp.2", h).relu())
        return torch.stack(rows)

    check(layer, {"values": values.nan_to_num(), "vectors": vectors.nan_to_num()}, formula)
    wanted = formula(dict(layer.named_parameters()), values, vectors)
    torch.testing.assert_close(layer(values, vectors), wanted)


def test_eigenvectors_by_a_transformer() -> None:
    """The order of the eigenvectors does not matter, and absent ones count for nothing."""
    layer = moved(LapPosEncoder("Transformer", 2, 4, 6, n_head=2, num_post_layer=1))
    values, vectors = torch.randn(5, 4).double(), torch.randn(5, 4).double()
    out, order = layer(values, vectors), torch.tensor([2, 0, 3, 1])
    torch.testing.assert_close(layer(values[:, order], vectors[:, order]), out)
    values[:, 3] = vectors[:, 3] = float("nan")
    fewer = LapPosEncoder("Transformer", 2, 3, 6, n_head=2, num_post_layer=1).double().eval()
    fewer.load_state_dict(layer.state_dict())
    torch.testing.assert_close(layer(values, vectors), fewer(values[:, :3], vectors[:, :3]))


def test_signs_and_graphs_of_lap_pe() -> None:
    g = gs.graph(([0, 1, 2, 1, 2, 0], [1, 2, 0, 0, 1, 2]))
    vectors, values = gs.lap_pe(g, 4, padding=True, return_eigval=True)
    encoder = LapPosEncoder("Transformer", 1, 4, 8)
    assert encoder(values.expand(3, 4), vectors).isfinite().all()


LAYERS = {
    "BiasedMHA": (partial(BiasedMHA, D, H), (torch.rand(B, N, D),)),
    "GraphormerLayer": (partial(GraphormerLayer, D, 5, H), (torch.rand(B, N, D),)),
    "EGTLayer": (
        partial(EGTLayer, D, 3, H, 0, edge_update=False),
        (torch.rand(B, N, D), torch.rand(B, N, N, 3)),
    ),
    "DegreeEncoder": (partial(DegreeEncoder, 3, 4), (torch.randint(0, 5, (2, B, N)),)),
    "SpatialEncoder": (partial(SpatialEncoder, 3, H), (torch.randint(-1, 5, (B, N, N)),)),
    "SpatialEncoder3d": (partial(SpatialEncoder3d, 3, H), (torch.rand(B, N, 3),)),
    "PathEncoder": (
        partial(PathEncoder, 3, 4, H),
        (torch.randint(0, 4, (B, N, N)), torch.rand(B, N, N, 3, 4)),
    ),
    "LapPosEncoder": (
        partial(LapPosEncoder, "DeepSet", 2, 3, 4, batch_norm=True),
        (torch.rand(5, 3), torch.rand(5, 3)),
    ),
    "LapPosEncoder-transformer": (
        partial(LapPosEncoder, "Transformer", 1, 3, 4),
        (torch.rand(5, 3), torch.rand(5, 3)),
    ),
}


@pytest.mark.parametrize("name", LAYERS)
def test_pickle_reset_autocast_and_backward(name: str) -> None:
    build, inputs = LAYERS[name]
    layer = build().eval()
    out = layer(*inputs)
    for other in (pickle.loads(pickle.dumps(layer)), copy.deepcopy(layer)):
        torch.testing.assert_close(other(*inputs), out, rtol=0, atol=0)
    out.backward(torch.randn_like(out))
    assert all(p.grad is None or p.grad.isfinite().all() for p in layer.parameters())
    with torch.autocast("cpu", dtype=torch.bfloat16):
        torch.testing.assert_close(layer(*inputs).float(), out, rtol=0.1, atol=0.1)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.fill_(123.0)
    layer.reset_parameters()
    kept = [key for key, p in layer.named_parameters() if (p == 123.0).any()]
    assert not kept


@pytest.mark.slow
@pytest.mark.parametrize("name", ["BiasedMHA", "GraphormerLayer", "EGTLayer", "PathEncoder"])
def test_compiled(name: str) -> None:
    build, inputs = LAYERS[name]
    torch._dynamo.reset()
    layer = build().eval()
    compiled = torch.compile(layer, backend="aot_eager", fullgraph=True)
    torch.testing.assert_close(compiled(*inputs), layer(*inputs))


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int64, torch.float32, torch.float64])
def test_a_mask_of_numbers_forbids_where_it_is_not_zero(dtype: torch.dtype) -> None:
    x, forbidden = torch.rand(B, N, D), torch.rand(B, N, N) > 0.5
    forbidden[:, :, 0] = False
    for layer in (BiasedMHA(D, H).eval(), GraphormerLayer(D, 5, H).eval()):
        expected = layer(x, attn_mask=forbidden)
        for value in (1, 7):
            assert_tensor_equal(layer(x, attn_mask=forbidden.to(dtype) * value), expected)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (partial(BiasedMHA, 5, 2), InvalidValueError, r"feat_size \(5\) must be divisible"),
        (partial(BiasedMHA, 6, 2, attn_bias_type="x"), InvalidValueError, "attn_bias_type is one"),
        (partial(EGTLayer, 5, 3, 2, 0), InvalidValueError, "EGTLayer: feat_size"),
        (partial(DegreeEncoder, 3, 4, "x"), InvalidValueError, "direction is one of"),
        (partial(LapPosEncoder, "x", 1, 3, 4), InvalidValueError, "model_type is one of"),
        (
            partial(LapPosEncoder, "Transformer", 1, 3, 4, 3),
            InvalidValueError,
            r"dim \(4\) must be divisible by n_head \(3\)",
        ),
        (partial(LapPosEncoder, "DeepSet", 0, 3, 4), InvalidValueError, "num_layer is at least 1"),
        (
            lambda: BiasedMHA(6, 2)(torch.rand(2, 6)),
            InvalidValueError,
            r"must have shape \(batch, nodes, 6\), but got \(2, 6\)",
        ),
        (
            lambda: BiasedMHA(6, 2)(torch.rand(1, 2, 6), torch.rand(1, 2, 2, 3)),
            InvalidValueError,
            r"attn_bias must have shape \(1, 2, 2, 2\)",
        ),
        (
            lambda: DegreeEncoder(3, 4)(torch.zeros(1, 2, dtype=torch.long)),
            InvalidValueError,
            r"stacked to shape \(2, batch, nodes\)",
        ),
        (
            lambda: SpatialEncoder(3)(torch.rand(1, 2, 2)),
            InvalidTypeError,
            "dist must be an integer",
        ),
        (
            lambda: PathEncoder(3, 4)(torch.zeros(1, 2, 2), torch.rand(1, 2, 2, 3, 5)),
            InvalidValueError,
            "edges have 5 features, but the layer was built for 4",
        ),
        (
            lambda: PathEncoder(3, 4)(torch.zeros(1, 2, 2), torch.rand(1, 2, 3, 4)),
            InvalidValueError,
            "path_data must have shape",
        ),
        (
            lambda: SpatialEncoder3d(3, 1, 4)(torch.rand(1, 2, 3), torch.tensor([[0, 4]])),
            InvalidValueError,
            r"node types must be 0 \.\.\. 3",
        ),
        (
            lambda: LapPosEncoder("DeepSet", 1, 3, 4)(torch.rand(2, 4), torch.rand(2, 3)),
            InvalidValueError,
            r"eigvals must have shape \(nodes, 3\)",
        ),
    ],
)
def test_bad_input(call: Callable, error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        call()
