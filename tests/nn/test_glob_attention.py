"""The weighing readouts against a loop over the graphs of a batch."""

from __future__ import annotations

import pickle
from functools import partial

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call

import gossamer as gs
from gossamer.errors import InvalidTypeError, InvalidValueError
from gossamer.nn import (
    GlobalAttentionPooling,
    Set2Set,
    SetTransformerDecoder,
    SetTransformerEncoder,
    SortPooling,
    WeightAndSum,
)
from helpers.compare import random_cotangent_grads

SIZES = [4, 0, 1, 6]
WIDTH = 6


def make_batch(idtype: torch.dtype = torch.int64) -> gs.Graph:
    return gs.batch([gs.graph(([], []), num_nodes=size, idtype=idtype) for size in SIZES])


def gate_and_values() -> GlobalAttentionPooling:
    return GlobalAttentionPooling(nn.Linear(WIDTH, 1), nn.Linear(WIDTH, 3))


LAYERS = {
    "SortPooling": partial(SortPooling, 3),
    "GlobalAttentionPooling": lambda: GlobalAttentionPooling(nn.Linear(WIDTH, 1)),
    "GlobalAttentionPooling-values": gate_and_values,
    "WeightAndSum": partial(WeightAndSum, WIDTH),
    "Set2Set": partial(Set2Set, WIDTH, 3, 2),
    "encoder": partial(SetTransformerEncoder, WIDTH, 2, 4, 5, 2),
    "encoder-induced": partial(SetTransformerEncoder, WIDTH, 2, 4, 5, 2, "isab", 3),
    "decoder": partial(SetTransformerDecoder, WIDTH, 2, 4, 5, 1, 3),
}
PER_NODE = ("encoder", "encoder-induced")


# --- the formulas, one graph at a time -------------------------------------------------------


def linear(p: dict, name: str, x: Tensor) -> Tensor:
    out = x @ p[f"{name}.weight"].T
    return out + p[f"{name}.bias"] if f"{name}.bias" in p else out


def norm(p: dict, name: str, x: Tensor) -> Tensor:
    centered = x - x.mean(-1, keepdim=True)
    scaled = centered / (centered.square().mean(-1, keepdim=True) + 1e-5).sqrt()
    return scaled * p[f"{name}.weight"] + p[f"{name}.bias"]


def block(p: dict, name: str, x: Tensor, y: Tensor) -> Tensor:
    q, k, v = (linear(p, f"{name}.proj_{c}", rows) for c, rows in (("q", x), ("k", y), ("v", y)))
    heads = []
    for i in range(2):
        of = slice(4 * i, 4 * i + 4)
        share = (
            (q[:, of] @ k[:, of].T / 2).softmax(-1) if len(y) else torch.zeros(len(x), 0).double()
        )
        heads.append(share @ v[:, of])
    h = norm(p, f"{name}.norm_in", x + linear(p, f"{name}.proj_o", torch.cat(heads, -1)))
    return norm(p, f"{name}.norm_inter", h + feed(p, f"{name}.ffn", h))


def feed(p: dict, name: str, x: Tensor) -> Tensor:
    return linear(p, f"{name}.3", linear(p, f"{name}.0", x).relu())


def sort_pooling(p: dict, x: Tensor) -> Tensor:
    rows = sorted(x.sort(-1).values, key=lambda row: -row[-1].detach().item())[:3]
    rows += [torch.zeros(WIDTH).double()] * (3 - len(rows))
    return torch.cat(rows)


def attention_pooling(p: dict, x: Tensor) -> Tensor:
    values = linear(p, "feat_nn", x) if "feat_nn.weight" in p else x
    return (linear(p, "gate_nn", x).softmax(0) * values).sum(0)


def weight_and_sum(p: dict, x: Tensor) -> Tensor:
    return (linear(p, "atom_weighting.0", x).sigmoid() * x).sum(0)


def set2set(p: dict, x: Tensor) -> Tensor:
    lstm = nn.LSTM(2 * WIDTH, WIDTH, 2).double()
    own = {name.removeprefix("lstm."): value for name, value in p.items()}
    star, state = torch.zeros(2 * WIDTH).double(), None
    for _ in range(3):
        given = (star.view(1, 1, -1),) if state is None else (star.view(1, 1, -1), state)
        q, state = functional_call(lstm, own, given)
        q = q.flatten()
        star = torch.cat([q, (x @ q).softmax(0) @ x])
    return star


def encoder(p: dict, x: Tensor) -> Tensor:
    for i in range(2):
        x = block(p, f"layers.{i}.mha", x, x)
    return x


def induced_encoder(p: dict, x: Tensor) -> Tensor:
    for i in range(2):
        points = block(p, f"layers.{i}.mha.0", p[f"layers.{i}.inducing_points"], x)
        x = block(p, f"layers.{i}.mha.1", x, points)
    return x


def decoder(p: dict, x: Tensor) -> Tensor:
    seeds = block(p, "pma.mha", p["pma.seed_vectors"], feed(p, "pma.ffn", x))
    return block(p, "layers.0.mha", seeds, seeds).flatten()


FORMULAS = {
    "SortPooling": sort_pooling,
    "GlobalAttentionPooling": attention_pooling,
    "GlobalAttentionPooling-values": attention_pooling,
    "WeightAndSum": weight_and_sum,
    "Set2Set": set2set,
    "encoder": encoder,
    "encoder-induced": induced_encoder,
    "decoder": decoder,
}


@pytest.mark.parametrize("idtype", [torch.int64, torch.int32], ids=str)
@pytest.mark.parametrize("name", LAYERS)
def test_matches_the_formula(name: str, idtype: torch.dtype) -> None:
    g, layer = make_batch(idtype), LAYERS[name]().double()
    assert g.batch_num_nodes().dtype is idtype
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    given = {"feat": torch.randn(sum(SIZES), WIDTH, dtype=torch.float64)}
    given |= {key: value.detach() for key, value in layer.named_parameters()}

    def by_layer(feat: Tensor, **p: Tensor) -> Tensor:
        return functional_call(layer, p, (g, feat))

    def by_formula(feat: Tensor, **p: Tensor) -> Tensor:
        parts = [FORMULAS[name](p, x) for x in feat.split(SIZES)]
        return torch.cat(parts) if name in PER_NODE else torch.stack(parts)

    found, wanted = (random_cotangent_grads(f, given) for f in (by_layer, by_formula))
    torch.testing.assert_close(found[0], wanted[0])
    for key, grad in found[1].items():
        torch.testing.assert_close(grad, wanted[1][key], msg=lambda text, key=key: f"{key}: {text}")


@pytest.mark.parametrize("name", LAYERS)
def test_the_order_of_the_nodes_does_not_matter(name: str) -> None:
    layer, g = LAYERS[name]().double(), gs.graph(([], []), num_nodes=7)
    x, order = torch.randn(7, WIDTH, dtype=torch.float64), torch.randperm(7)
    out, moved = layer(g, x), layer(g, x[order])
    torch.testing.assert_close(moved, out[order] if name in PER_NODE else out)


@pytest.mark.parametrize("name", LAYERS)
def test_bad_input(name: str) -> None:
    g, layer = make_batch(), LAYERS[name]()
    with pytest.raises(InvalidValueError, match=r"one row per node \(11\)"):
        layer(g, torch.rand(10, WIDTH))
    with pytest.raises(InvalidTypeError, match=type(layer).__name__):
        layer("graph", torch.rand(11, WIDTH))


def test_weights_of_attention_sum_to_one() -> None:
    pool, g = gate_and_values(), make_batch()
    out, weights = pool(g, torch.rand(11, WIDTH), get_attention=True)
    assert out.shape == (4, 3)
    assert weights.shape == (11, 1)
    sums = torch.stack([part.sum() for part in weights.split(SIZES)])
    torch.testing.assert_close(sums, torch.tensor([1.0, 0.0, 1.0, 1.0]))


def test_equal_last_features_keep_their_order() -> None:
    x = torch.tensor([[1.0, 5.0], [2.0, 5.0], [0.0, 6.0]])
    out = SortPooling(3)(gs.graph(([], []), num_nodes=3), x)
    torch.testing.assert_close(out, torch.tensor([[0.0, 6.0, 1.0, 5.0, 2.0, 5.0]]))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (partial(SortPooling, 0), "k is at least 1"),
        (partial(Set2Set, 4, 0, 1), "n_iters is at least 1"),
        (partial(SetTransformerEncoder, 4, 2, 2, 4, 1, "isab"), "'isab' needs m"),
        (partial(SetTransformerEncoder, 4, 2, 2, 4, 1, "xab"), "block_type is one of"),
        (partial(SetTransformerDecoder, 4, 2, 2, 4, 1, 0), "k is at least 1"),
        (partial(SetTransformerDecoder, 4, 2, 2, 4, 1, 1, 1.5), "dropouth is a number from 0 to 1"),
    ],
)
def test_bad_options(build: partial, message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        build()


@pytest.mark.parametrize("name", ["SortPooling", "Set2Set", "encoder", "decoder"])
def test_features_are_a_matrix(name: str) -> None:
    with pytest.raises(InvalidValueError, match=r"must be a matrix, .* got shape \(11, 2, "):
        LAYERS[name]()(make_batch(), torch.rand(11, 2, WIDTH))


@pytest.mark.parametrize("name", ["encoder", "decoder"])
def test_dropout_only_while_training(name: str) -> None:
    build = LAYERS[name]
    layer = build(dropouth=0.5, dropouta=0.5)
    g, x = make_batch(), torch.rand(11, WIDTH)
    assert not torch.equal(layer(g, x), layer(g, x))
    layer.eval()
    torch.testing.assert_close(layer(g, x), layer(g, x), rtol=0, atol=0)


@pytest.mark.parametrize("name", LAYERS)
def test_batches_without_nodes(name: str) -> None:
    layer, empty = LAYERS[name](), gs.graph(([], []), num_nodes=0)
    x = torch.empty(0, WIDTH)
    per_graph = [layer(g, x) for g in (empty, gs.batch([empty, empty]))]
    if name in PER_NODE:
        assert [tuple(out.shape) for out in per_graph] == [(0, WIDTH), (0, WIDTH)]
        return
    one, two = per_graph
    torch.testing.assert_close(two, torch.cat([one, one]))
    assert one.isfinite().all()


@pytest.mark.parametrize("options", [(), (1, "isab", 3)], ids=["plain", "induced"])
def test_encoder_pickles_resets_and_runs_under_autocast(options: tuple) -> None:
    g, x = make_batch(), torch.rand(11, WIDTH)
    layer = SetTransformerEncoder(WIDTH, 2, 4, 5, *options)
    exact = layer(g, x)
    torch.testing.assert_close(pickle.loads(pickle.dumps(layer))(g, x), exact, rtol=0, atol=0)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = layer(g, x)
    torch.testing.assert_close(out.float(), exact, rtol=0, atol=0.2)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.fill_(9.0)
    layer.reset_parameters()
    assert all((parameter != 9.0).all() for parameter in layer.parameters())
    given = [x.double().requires_grad_()]
    assert torch.autograd.gradcheck(lambda feat: layer.double()(g, feat), given, fast_mode=True)
