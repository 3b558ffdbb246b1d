"""Ready models: what they compute, that they learn, and their files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import gossamer as gs
from gossamer.errors import (
    FileError,
    InvalidTypeError,
    InvalidValueError,
    OutOfRangeError,
    UnknownKeyError,
)
from gossamer.nn.models import (
    APPNP,
    GAT,
    GCN,
    GCNII,
    GIN,
    GPS,
    HAN,
    HGT,
    MODELS,
    PNA,
    RGCN,
    ComplEx,
    DistMult,
    GATv2,
    GraphSAGE,
    LightGCN,
    RotatE,
    build_model,
    load_model,
)

STACKS = (GCN, GraphSAGE, GAT, GATv2, GIN)
WHOLE = (APPNP, GCNII)


def ring(nodes: int = 12) -> gs.Graph:
    """Two halves, joined with one another at two places; nodes have self-loops."""
    u = torch.arange(nodes)
    v = (u + 1) % nodes
    return gs.graph((torch.cat([u, v, u]), torch.cat([v, u, u])))


def typed_graph() -> tuple[gs.Graph, dict[str, Tensor]]:
    u, v = torch.tensor([0, 1, 2, 2, 3]), torch.tensor([0, 0, 1, 2, 2])
    g = gs.heterograph({("user", "plays", "game"): (u, v), ("game", "played by", "user"): (v, u)})
    return g, {"user": torch.randn(4, 3), "game": torch.randn(3, 5)}


def two_relations() -> gs.Graph:
    """Users that follow and know one another; nobody follows user 0, nobody knows user 3."""
    follows, knows = ([0, 1, 2, 0], [1, 2, 3, 3]), ([3, 2, 2], [0, 1, 0])
    return gs.heterograph({("user", "follows", "user"): follows, ("user", "knows", "user"): knows})


def examples() -> dict[str, tuple[nn.Module, tuple]]:
    """Each model with arguments of its forward."""
    g, feat = typed_graph()
    joined = two_relations()
    built = {cls.name: (cls(5, 8, 3), (ring(), torch.randn(12, 5))) for cls in (*STACKS, *WHOLE)}
    triples = torch.randn(6, 4), torch.randn(6, 4), torch.tensor([0, 1, 2, 2, 1, 0])
    return built | {
        "gps": (GPS(5, 8, 3), (gs.batch([ring(), ring(5)]), torch.randn(17, 5))),
        "han": (
            HAN.from_graph(joined, feat["user"], 2, 3),
            (joined, feat["user"]),
        ),
        "lightgcn": (LightGCN(12, 4), (ring(),)),
        "pna": (PNA(5, 8, 3, 1.4), (ring(), torch.randn(12, 5))),
        "rgcn": (RGCN.from_graph(g, feat, 8, 3, num_bases=2), (g, feat)),
        "hgt": (HGT.from_graph(g, feat, 8, 3), (g, feat)),
        **{cls.name: (cls(3, 4), triples) for cls in (DistMult, ComplEx, RotatE)},
    }


def test_every_model_has_an_example() -> None:
    assert set(examples()) == set(MODELS)


@pytest.mark.parametrize("name", sorted(MODELS))
def test_file_and_back(name: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    model, inputs = examples()[name]
    model.eval()
    path = tmp_path / "model.safetensors"
    model.save(path)
    loaded = load_model(path)
    assert type(loaded) is type(model)
    assert loaded.options == model.options
    assert loaded.training
    torch.testing.assert_close(loaded.eval()(*inputs), model(*inputs), rtol=0, atol=0)
    assert all(p.requires_grad and p.device.type == "cpu" for p in loaded.parameters())


@pytest.mark.parametrize("name", sorted(MODELS))
def test_gradients_reach_every_weight(name: str) -> None:
    torch.manual_seed(0)
    model, inputs = examples()[name]
    out = model.train()(*inputs)
    parts = out.values() if isinstance(out, dict) else [out]
    sum((x * torch.randn_like(x)).sum() for x in parts).backward()
    assert not [key for key, p in model.named_parameters() if p.grad is None]


@pytest.mark.parametrize("model", STACKS)
def test_stack_is_its_layers(model: type) -> None:
    stack, g, x = model(5, 8, 3, num_layers=3).eval(), ring(), torch.randn(12, 5)
    h = x
    for i, conv in enumerate(stack.convs):
        h = conv(g, h)
        if i < 2:
            h = F.elu(h.flatten(1)) if model in (GAT, GATv2) else h.relu()
    wanted = h.mean(1) if model in (GAT, GATv2) else h
    torch.testing.assert_close(stack(g, x), wanted)
    assert stack(g, x).shape == (12, 3)


@pytest.mark.parametrize("model", STACKS)
def test_blocks_of_all_neighbors_are_the_graph(model: type) -> None:
    stack, g, x = model(5, 8, 3).eval(), ring(), torch.randn(12, 5)
    seeds = torch.tensor([3, 7])
    last = gs.to_block(gs.in_subgraph(g, seeds), seeds)
    middle = last.srcdata[gs.NID]
    first = gs.to_block(gs.in_subgraph(g, middle), middle)
    if model is GCN:
        # Its normalization reads out-degrees, which a block does not know.
        for conv in stack.convs:
            conv._norm = "right"
    out = stack([first, last], x[first.srcdata[gs.NID]])
    torch.testing.assert_close(out, stack(g, x)[seeds])
    with pytest.raises(InvalidValueError, match="2 layers need one graph, or a list of as many"):
        stack([last], x)


def test_appnp_and_gcnii_are_their_parts() -> None:
    g, x = ring(), torch.randn(12, 5)
    model = APPNP(5, 8, 3, k=2, alpha=0.3).eval()
    norm = gs.nn.GraphConv(3, 3, weight=False, bias=False)
    z = h = model.mlp(x)
    for _ in range(2):
        h = 0.7 * norm(g, h) + 0.3 * z
    torch.testing.assert_close(model(g, x), h)

    deep = GCNII(5, 8, 3, num_layers=2).eval()
    # As by the authors; with a bias in each layer, deep models overfit.
    assert all(conv.bias is None for conv in deep.convs)
    start = h = deep.first(x).relu()
    for conv in deep.convs:
        h = conv(g, h, start).relu()
    torch.testing.assert_close(deep(g, x), deep.last(h))


def test_lightgcn_averages_its_steps() -> None:
    g, model = ring(), LightGCN(12, 4, num_layers=2)
    u, v = g.edges()
    matrix = torch.zeros(12, 12).index_put((v, u), torch.ones(len(u)), accumulate=True) / 3
    z = model.embedding
    torch.testing.assert_close(model(g), (z + matrix @ z + matrix @ matrix @ z) / 3)


@pytest.mark.parametrize("bases", [None, 2])
def test_rgcn_averages_by_edge_type(bases: int | None) -> None:
    g, feat = typed_graph()
    model = RGCN.from_graph(g, feat, 6, 3, num_layers=1, num_bases=bases)
    (conv,) = model.convs
    h = model.first(feat)
    weight = conv.linear_r.get_weight()
    types = {etype: i for i, etype in enumerate(g.canonical_etypes)}
    for etype, i in types.items():
        u, v = g.edges(etype=etype)
        sums = torch.zeros(g.num_nodes(etype[2]), 6).index_add(0, v, h[etype[0]][u])
        mean = sums / g.in_degrees(etype=etype).clamp(min=1)[:, None]
        wanted = mean @ weight[i] + h[etype[2]] @ conv.loop_weight + conv.h_bias
        torch.testing.assert_close(model(g, feat)[etype[2]], wanted)


def test_typed_models_refuse_other_types() -> None:
    g, feat = typed_graph()
    other = gs.heterograph({("user", "knows", "user"): ([0], [1])})
    for model in (RGCN.from_graph(g, feat, 8, 3), HGT.from_graph(g, feat, 8, 3)):
        with pytest.raises(InvalidValueError, match=r"built for node types \['game', 'user'\]"):
            model(other, feat)
    with pytest.raises(InvalidValueError, match=r"hidden_size \(6\) must be divisible"):
        HGT.from_graph(g, feat, 6, 3, num_heads=4)


def test_han_weighs_its_relations() -> None:
    g, x = two_relations(), torch.randn(4, 3)
    model = HAN.from_graph(g, x, 2, 3, num_layers=2, num_heads=2).eval()
    h = x
    for convs, score in zip(model.convs, model.scores, strict=True):
        parts = []
        for etype, conv in zip(g.canonical_etypes, convs, strict=True):
            u, v = g.edges(etype=etype)
            z = (h @ conv.fc.weight.T).view(4, 2, 2)
            left, right = (z * conv.attn_l).sum(-1), (z * conv.attn_r).sum(-1)
            out = conv.bias.expand(4, -1).reshape(4, 2, 2).clone()
            for node in range(4):
                into = v == node
                share = F.leaky_relu(left[u[into]] + right[node], 0.2).softmax(0)
                out[node] = out[node] + (share.unsqueeze(-1) * z[u[into]]).sum(0)
            parts.append(F.elu(out).flatten(1))
        weight = torch.stack([score(part).mean() for part in parts]).softmax(0)
        h = weight[0] * parts[0] + weight[1] * parts[1]
    torch.testing.assert_close(model(g, x), model.last(h))


def test_han_refuses_what_it_cannot_join() -> None:
    g, feat = typed_graph()
    with pytest.raises(InvalidValueError, match="AddMetaPaths makes such relations"):
        HAN.from_graph(g, feat["user"], 2, 3)
    x = torch.randn(4, 3)
    model = HAN.from_graph(two_relations(), x, 2, 3)
    with pytest.raises(InvalidValueError, match=r"the graph lacks the relations .*'follows'"):
        model(g, x)
    with pytest.raises(InvalidTypeError, match="the features of one node type, but got dict"):
        model(two_relations(), {"user": x})


def test_gps_attends_within_each_graph() -> None:
    graphs = [ring(4), gs.graph(([], []), num_nodes=0), ring(6)]
    x = torch.randn(10, 5)
    model = GPS(5, 8, 3, num_layers=1, num_heads=2).eval()
    (layer,) = model.layers
    for norm in layer.norms:
        norm.running_mean.normal_()
    h = model.first(x)
    weight, bias = layer.attention.in_proj_weight, layer.attention.in_proj_bias
    attended = []
    for part in (h[:4], h[4:]):
        q, k, v = (part @ weight.T + bias).view(len(part), 3, 2, 4).permute(1, 2, 0, 3)
        share = (q @ k.transpose(1, 2) / 2).softmax(-1)
        attended.append(layer.attention.out_proj((share @ v).transpose(0, 1).flatten(1)))
    batch = gs.batch(graphs)
    joint = layer.norms[0](h + layer.conv(batch, h)) + layer.norms[1](h + torch.cat(attended))
    wanted = model.last(layer.norms[2](joint + layer.feed_forward(joint)))
    torch.testing.assert_close(model(batch, x), wanted)
    with torch.no_grad():
        torch.testing.assert_close(model(batch, x), wanted)
    assert model(graphs[1], x[:0]).shape == (0, 3)
    with pytest.raises(InvalidValueError, match=r"hidden_size \(6\) must be divisible"):
        GPS(5, 6, 3)


def test_decoders_against_complex_numbers() -> None:
    rels = torch.tensor([0, 2, 1, 1, 0])
    head, tail = torch.randn(5, 4), torch.randn(5, 4)

    def number(x: Tensor) -> Tensor:
        return torch.complex(*x.chunk(2, dim=-1))

    model = DistMult(3, 4)
    wanted = torch.einsum("ed,ed,ed->e", head, model.relation.weight[rels], tail)
    torch.testing.assert_close(model(head, tail, rels), wanted)
    model = ComplEx(3, 4)
    product = number(head) * number(model.relation.weight[rels]) * number(tail).conj()
    torch.testing.assert_close(model(head, tail, rels), product.sum(-1).real)
    model = RotatE(3, 4)
    turned = number(head) * torch.exp(1j * model.relation.weight[rels])
    torch.testing.assert_close(model(head, tail, rels), -(turned - number(tail)).abs().sum(-1))
    with pytest.raises(InvalidValueError, match="size must be even"):
        RotatE(3, 5)
    with pytest.raises(InvalidValueError, match=r"head and tail must have shape \(triples, 4\)"):
        model(head[:, :2], tail[:, :2], rels)
    with pytest.raises(OutOfRangeError, match=r"triple types must be 0 \.\.\. 2"):
        model(head, tail, rels + 1)


@pytest.mark.parametrize("model", [*STACKS, *WHOLE, GPS])
def test_learns_two_halves(model: type) -> None:
    """Each node has the class of its half, and features that tell it in two thirds of the cases."""
    torch.manual_seed(0)
    g, label = ring(24), (torch.arange(24) >= 12).long()
    seen = torch.where(torch.rand(24) < 2 / 3, label, 1 - label)
    x = F.one_hot(seen, 2).float()
    classifier = model(2, 16, 2, dropout=0.0)
    optimizer = torch.optim.Adam(classifier.parameters(), lr=0.02)
    for _ in range(80):
        optimizer.zero_grad()
        F.cross_entropy(classifier(g, x), label).backward()
        optimizer.step()
    found = classifier.eval()(g, x).argmax(1)
    assert (found == label).float().mean() > (seen == label).float().mean()


# --- files -------------------------------------------------------------------------------------


def rewrite(path: Path, **metadata: str) -> None:
    from safetensors import safe_open
    from safetensors.torch import save_file

    with safe_open(path, framework="pt") as file:
        state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        kept = file.metadata()
    save_file(state, path, kept | metadata)


def options(**changes: object) -> str:
    return json.dumps(GCN(4, 8, 2).options | changes)


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({"format": "other"}, "no model of Gossamer: its metadata says format 'other'"),
        ({"model": "os.system"}, "no model of Gossamer: .* model 'os.system'"),
        ({"options": "["}, "options of the model in .* are damaged"),
        ({"options": "[1]"}, "options of the model in .* are damaged"),
        ({"options": options(hidden_size=-1)}, "damaged: GCN: hidden_size is at least 1"),
        ({"options": options(unknown=1)}, "damaged: .*unexpected keyword"),
        ({"options": options(num_layers=10**9)}, "1000000000 layers are too many"),
        ({"options": options(hidden_size=10**5)}, "weight .* but its options ask for"),
        ({"options": options(num_layers=3)}, "lacks weight 'convs.2.bias'"),
        ({"options": options(num_layers=1)}, "has the unknown weight 'convs.1.bias'"),
    ],
)
def test_damaged_metadata(metadata: dict, message: str, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    GCN(4, 8, 2).save(path)
    rewrite(path, **metadata)
    with pytest.raises(FileError, match=message):
        load_model(path)


def test_damaged_files(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    with pytest.raises(FileError, match="There is no file"):
        load_model(path)
    GCN(4, 8, 2).save(path)
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(FileError, match="truncated or not a safetensors file"):
        load_model(path)
    with pytest.raises(FileError):
        GCN(4, 8, 2).save(path / "below" / "a file")


def test_build_by_name() -> None:
    assert isinstance(build_model("gat", in_size=4, hidden_size=8, out_size=2), GAT)
    with pytest.raises(UnknownKeyError, match="There is no model 'x'; there are"):
        build_model("x")
    with pytest.raises(InvalidValueError, match="GIN: out_size is at least 1"):
        build_model("gin", in_size=4, hidden_size=8, out_size=0)


def test_a_model_in_a_notebook_tells_its_parts_and_parameters() -> None:
    html = GCN(16, 8, 3)._repr_html_()
    assert f"{16 * 8 + 8 + 8 * 3 + 3:,} parameters" in html
    assert "in_size=16" in html and "GraphConv" in html and ">convs<" in html
