"""Convolutions against the formulas of their papers, in dense matrices or edge by edge.

Values and the gradient of each input and parameter, under a random cotangent.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gossamer import nn as gnn
from helpers.graphs import GraphCase
from nn.dense import Tensors, assert_matches, dense_cases, destinations, draw_features, ends, matrix

if TYPE_CHECKING:
    from gossamer import Graph

# Few and small: the contract suite sees more of them.
NAMES = {
    "duplicate_edges",
    "self_loops",
    "isolated_nodes",
    "no_edges",
    "no_nodes",
    "batched",
    "bipartite_sparse",
    "bipartite_no_sources",
    "block_sparse",
}
ANY = [case for case in dense_cases() if case.values[0].name in NAMES]
SQUARE = [case for case in ANY if "homogeneous" in case.values[0].labels]

Oracle = Callable[..., Tensor]


# --- parts of formulas -----------------------------------------------------------------------


def linear(own: Tensors, name: str, x: Tensor) -> Tensor:
    """A linear layer by the name of its parameters."""
    y = x @ own[f"{name}.weight"].T
    bias = own.get(f"{name}.bias")
    return y if bias is None else y + bias


def gather(g: Graph, messages: Tensor, kind: str = "sum") -> Tensor:
    """Reduce the messages of each destination, one after the other; 0 without messages."""
    _, v = ends(g)
    reduce = {
        "sum": lambda m: m.sum(0),
        "mean": lambda m: m.mean(0),
        "max": lambda m: m.amax(0),
        "min": lambda m: m.amin(0),
    }[kind]
    rows = [messages[v == node] for node in range(g.num_dst_nodes())]
    zero = messages[:0].sum(0)
    return torch.stack([reduce(m) if len(m) else zero for m in rows]) if rows else zero[None][:0]


def softmax(g: Graph, scores: Tensor) -> Tensor:
    """Softmax over the in-edges of each destination, for each edge."""
    _, v = ends(g)
    exp = scores.exp()
    return exp / gather(g, exp)[v]


def normalized(g: Graph, weight: Tensor | None = None, *, out: bool = False) -> Tensor:
    """The adjacency matrix between inverse roots of degrees, or of weighted degrees."""
    a = matrix(g, weight)
    rows = a.sum(1)
    columns = a.sum(0) if out or weight is not None else rows
    if weight is None:
        rows, columns = rows.clamp(min=1), columns.clamp(min=1)
    else:  # where there is no edge, the entry is 0 anyway
        rows, columns = rows + (rows == 0), columns + (columns == 0)
    return rows[:, None] ** -0.5 * a * columns**-0.5


def edges(g: Graph, *shape: int, positive: bool = False) -> Tensor:
    draw = torch.rand if positive else torch.randn
    return draw(g.num_edges(), *shape, dtype=torch.float64) + 0.5 * positive


def nodes(g: Graph, *shape: int) -> Tensor:
    return torch.randn(g.num_src_nodes(), *shape, dtype=torch.float64)


def prepared(layer: nn.Module) -> nn.Module:
    """The layer in float64, with no parameter left at 0."""
    for parameter in layer.double().parameters():
        nn.init.normal_(parameter, 0, 0.5)
    return layer


def with_pair(g: Graph, width: int, width_dst: int) -> tuple[Tensors, int | tuple[int, int]]:
    """Features, and the `in_feats` to build a layer with."""
    inputs = draw_features(g, width, width_dst)
    return inputs, (width, width_dst) if "feat_dst" in inputs else width


# --- hops --------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", SQUARE)
@pytest.mark.parametrize("weighted", [False, True], ids=["unweighted", "weighted"])
class TestHops:
    def inputs(self, g: Graph, width: int, weighted: bool) -> Tensors:
        return draw_features(g, width, weighted=weighted)

    def test_tag(self, case: GraphCase, weighted: bool) -> None:
        g = case()

        def oracle(own: Tensors, feat: Tensor, edge_weight: Tensor | None = None) -> Tensor:
            a = normalized(g, edge_weight)
            return torch.tanh(linear(own, "lin", torch.cat([feat, a @ feat, a @ a @ feat], 1)))

        layer = prepared(gnn.TAGConv(5, 3, activation=torch.tanh))
        assert_matches(layer, g, self.inputs(g, 5, weighted), oracle)

    @pytest.mark.parametrize("sizes", [(5, 3), (3, 5)], ids=["narrowing", "widening"])
    @pytest.mark.parametrize("norm", [None, torch.tanh], ids=["plain", "norm"])
    def test_sg(self, case: GraphCase, weighted: bool, sizes: tuple, norm: Callable | None) -> None:
        g = case()

        def oracle(own: Tensors, feat: Tensor, edge_weight: Tensor | None = None) -> Tensor:
            a = normalized(g, edge_weight)
            h = a @ a @ feat
            return linear(own, "fc", h if norm is None else norm(h))

        layer = prepared(gnn.SGConv(*sizes, 2, norm=norm, allow_zero_in_degree=True))
        assert_matches(layer, g, self.inputs(g, sizes[0], weighted), oracle)

    def test_appnp(self, case: GraphCase, weighted: bool) -> None:
        g = case()

        def oracle(own: Tensors, feat: Tensor, edge_weight: Tensor | None = None) -> Tensor:
            a = 0.7 * normalized(g, edge_weight, out=True)
            return a @ (a @ feat + 0.3 * feat) + 0.3 * feat

        assert_matches(gnn.APPNPConv(2, 0.3), g, self.inputs(g, 5, weighted), oracle)

    @pytest.mark.parametrize("project", [True, False])
    def test_gcn2(self, case: GraphCase, weighted: bool, project: bool) -> None:
        g = case()
        beta = math.log(0.7 / 2 + 1)

        def oracle(
            own: Tensors, feat: Tensor, feat_0: Tensor, edge_weight: Tensor | None = None
        ) -> Tensor:
            a = normalized(g, edge_weight)
            eye = torch.eye(5, dtype=torch.float64)
            one = (1 - beta) * eye + beta * own["weight1"]
            two = one if project else (1 - beta) * eye + beta * own["weight2"]
            return 0.7 * a @ feat @ one + 0.3 * feat_0 @ two + own["bias"]

        layer = gnn.GCN2Conv(5, 2, 0.3, 0.7, project, allow_zero_in_degree=True)
        inputs = self.inputs(g, 5, weighted) | {"feat_0": nodes(g, 5)}
        assert_matches(prepared(layer), g, inputs, oracle)


@pytest.mark.parametrize("case", SQUARE)
@pytest.mark.parametrize("k", [1, 2, 4])
def test_cheb(case: GraphCase, k: int) -> None:
    g = case()

    def oracle(own: Tensors, feat: Tensor) -> Tensor:
        eye = torch.eye(g.num_nodes(), dtype=torch.float64)
        laplacian = 2 / 1.6 * (eye - normalized(g)) - eye
        terms = [feat, laplacian @ feat]
        while len(terms) < k:
            terms.append(2 * laplacian @ terms[-1] - terms[-2])
        return torch.tanh(linear(own, "linear", torch.cat(terms[:k], 1)))

    class Scaled(gnn.ChebConv):
        def forward(self, graph: Graph, feat: Tensor) -> Tensor:
            return super().forward(graph, feat, [1.6] * graph.batch_size)

    layer = prepared(Scaled(5, 3, k, torch.tanh))
    assert_matches(layer, g, draw_features(g, 5), oracle)


# --- messages of the ends ----------------------------------------------------------------------


@pytest.mark.parametrize("case", ANY)
@pytest.mark.parametrize("batch_norm", [False, True])
def test_edgeconv(case: GraphCase, batch_norm: bool) -> None:
    g = case()
    u, v = ends(g)

    def oracle(own: Tensors, feat: Tensor, feat_dst: Tensor | None = None) -> Tensor:
        x_dst = destinations(g, feat, feat_dst)
        messages = linear(own, "theta", x_dst[v] - feat[u]) + linear(own, "phi", x_dst[v])
        if batch_norm:
            messages = messages / math.sqrt(1 + 1e-5) * own["bn.weight"] + own["bn.bias"]
        return gather(g, messages, "max")

    layer = gnn.EdgeConv(5, 3, batch_norm, allow_zero_in_degree=True).eval()
    assert_matches(prepared(layer), g, draw_features(g, 5, 5), oracle)


@pytest.mark.parametrize("case", ANY)
def test_agnn(case: GraphCase) -> None:
    g = case()
    u, v = ends(g)

    def oracle(own: Tensors, feat: Tensor, feat_dst: Tensor | None = None) -> Tensor:
        x_dst = destinations(g, feat, feat_dst)
        cosine = F.cosine_similarity(feat[u], x_dst[v], dim=-1)
        return gather(g, softmax(g, own["beta"] * cosine)[:, None] * feat[u])

    layer = gnn.AGNNConv(1.5, allow_zero_in_degree=True).double()
    assert_matches(layer, g, draw_features(g, 5, 5), oracle)


@pytest.mark.parametrize("case", ANY)
def test_dotgat(case: GraphCase) -> None:
    g = case()
    u, v = ends(g)
    inputs, sizes = with_pair(g, 5, 4)
    pair = isinstance(sizes, tuple)

    def oracle(own: Tensors, feat: Tensor, feat_dst: Tensor | None = None) -> Tensor:
        x_dst = destinations(g, feat, feat_dst)
        z = linear(own, "fc_src" if pair else "fc", feat).view(-1, 2, 3)
        z_dst = linear(own, "fc_dst" if pair else "fc", x_dst).view(-1, 2, 3)
        scores = (z[u] * z_dst[v]).sum(-1) / math.sqrt(3)
        return gather(g, softmax(g, scores)[..., None] * z[u])

    layer = prepared(gnn.DotGatConv(sizes, 3, 2, allow_zero_in_degree=True))
    assert_matches(layer, g, inputs, oracle)


@pytest.mark.parametrize("case", ANY)
@pytest.mark.parametrize("kind", ["mean", "sum", "max", "min"])
def test_cugraph_sage(case: GraphCase, kind: str) -> None:
    g = case()
    u, _ = ends(g)
    inputs, sizes = with_pair(g, 5, 4)

    def oracle(own: Tensors, feat: Tensor, feat_dst: Tensor | None = None) -> Tensor:
        x_dst = destinations(g, feat, feat_dst)
        return linear(own, "linear", torch.cat([gather(g, feat[u], kind), x_dst], 1))

    assert_matches(prepared(gnn.CuGraphSAGEConv(sizes, 3, kind)), g, inputs, oracle)


@pytest.mark.parametrize("case", ANY)
def test_cugraph_gat_is_gat(case: GraphCase) -> None:
    g = case()
    inputs, sizes = with_pair(g, 5, 4)
    layer = prepared(gnn.CuGraphGATConv(sizes, 3, 2, residual=True))
    same = gnn.GATConv(sizes, 3, 2, residual=True, allow_zero_in_degree=True).double()
    same.load_state_dict(layer.state_dict())
    feat = (inputs["feat"], inputs["feat_dst"]) if "feat_dst" in inputs else inputs["feat"]
    torch.testing.assert_close(layer(g, feat, max_in_degree=3), same(g, feat))


# --- edge features -----------------------------------------------------------------------------


@pytest.mark.parametrize("case", ANY)
@pytest.mark.parametrize("kind", ["sum", "mean", "max"])
@pytest.mark.parametrize("residual", [None, "identity", "linear"])
def test_gmm(case: GraphCase, kind: str, residual: str | None) -> None:
    g = case()
    u, _ = ends(g)
    width = 3 if residual == "identity" else 5
    inputs, sizes = with_pair(g, width, width)

    def oracle(
        own: Tensors, feat: Tensor, pseudo: Tensor, feat_dst: Tensor | None = None
    ) -> Tensor:
        z = linear(own, "fc", feat).view(-1, 4, 3)
        away = (pseudo[:, None] - own["mu"]) ** 2 * own["inv_sigma"] ** 2
        kernel = torch.exp(-0.5 * away.sum(-1))
        h = gather(g, kernel[..., None] * z[u], kind).sum(1) + own["bias"]
        x_dst = destinations(g, feat, feat_dst)
        return h if residual is None else h + _residual(own, residual, x_dst)

    layer = gnn.GMMConv(sizes, 3, 2, 4, kind, residual is not None, allow_zero_in_degree=True)
    assert_matches(prepared(layer), g, inputs | {"pseudo": edges(g, 2)}, oracle)


def _residual(own: Tensors, residual: str, x: Tensor) -> Tensor:
    return x if residual == "identity" else linear(own, "res_fc", x)


@pytest.mark.parametrize("case", ANY)
@pytest.mark.parametrize("kind", ["sum", "mean", "max"])
@pytest.mark.parametrize("residual", [None, "identity", "linear"])
def test_nnconv(case: GraphCase, kind: str, residual: str | None) -> None:
    g = case()
    u, _ = ends(g)
    width = 3 if residual == "identity" else 5
    inputs, sizes = with_pair(g, width, width)

    def oracle(own: Tensors, feat: Tensor, efeat: Tensor, feat_dst: Tensor | None = None) -> Tensor:
        w = linear(own, "edge_func", efeat).view(-1, width, 3)
        if kind == "max":  # of each product, before they are summed
            h = gather(g, feat[u][..., None] * w, "max").sum(1)
        else:
            h = gather(g, torch.einsum("ei,eio->eo", feat[u], w), kind)
        h = h + own["bias"]
        x_dst = destinations(g, feat, feat_dst)
        return h if residual is None else h + _residual(own, residual, x_dst)

    layer = gnn.NNConv(sizes, 3, nn.Linear(2, 3 * width), kind, residual is not None)
    assert_matches(prepared(layer), g, inputs | {"efeat": edges(g, 2)}, oracle)


@pytest.mark.parametrize("case", ANY)
def test_cfconv(case: GraphCase) -> None:
    g = case()
    u, _ = ends(g)

    def shifted(x: Tensor) -> Tensor:
        return torch.log(0.5 * x.exp() + 0.5)

    def oracle(own: Tensors, feat: Tensor, edge_feats: Tensor, feat_dst=None) -> Tensor:
        inner = shifted(linear(own, "project_edge.0", edge_feats))
        messages = linear(own, "project_node", feat)[u]
        messages = messages * shifted(linear(own, "project_edge.2", inner))
        return shifted(linear(own, "project_out.0", gather(g, messages)))

    layer = prepared(gnn.CFConv(5, 2, 4, 3))
    assert_matches(layer, g, draw_features(g, 5) | {"edge_feats": edges(g, 2)}, oracle)


@pytest.mark.parametrize("case", ANY)
def test_gine(case: GraphCase) -> None:
    g = case()
    u, _ = ends(g)

    def oracle(own: Tensors, feat: Tensor, edge_feat: Tensor, feat_dst=None) -> Tensor:
        h = gather(g, torch.relu(feat[u] + edge_feat))
        h = h + (1 + own["eps"]) * destinations(g, feat, feat_dst)
        return linear(own, "apply_func", h)

    layer = prepared(gnn.GINEConv(nn.Linear(5, 3), learn_eps=True))
    assert_matches(layer, g, draw_features(g, 5, 5) | {"edge_feat": edges(g, 5)}, oracle)


@pytest.mark.parametrize("case", SQUARE)
@pytest.mark.parametrize("part", ["nodes", "edges"])
@pytest.mark.parametrize("widths", [(5, 2, 3), (4, 4, 4)], ids=["plain", "residual"])
def test_gatedgcn(case: GraphCase, part: str, widths: tuple) -> None:
    g = case()
    u, v = ends(g)

    def finish(own: Tensors, h: Tensor, before: Tensor, name: str) -> Tensor:
        h = h / math.sqrt(1 + 1e-5) * own[f"{name}.weight"] + own[f"{name}.bias"]
        return torch.tanh(h) + (before if widths == (4, 4, 4) else 0)

    def oracle(own: Tensors, feat: Tensor, edge_feat: Tensor) -> Tensor:
        e = linear(own, "D", feat)[u] + linear(own, "E", feat)[v] + linear(own, "C", edge_feat)
        gate = torch.sigmoid(e)
        sums = gather(g, gate * linear(own, "B", feat)[u]) / (gather(g, gate) + 1e-6)
        if part == "edges":
            return finish(own, e, edge_feat, "bn_edge")
        return finish(own, linear(own, "A", feat) + sums, feat, "bn_node")

    class Part(gnn.GatedGCNConv):
        def forward(self, graph: Graph, feat: Tensor, edge_feat: Tensor) -> Tensor:
            return super().forward(graph, feat, edge_feat)[part == "edges"]

    layer = prepared(Part(*widths, activation=torch.tanh).eval())
    inputs = draw_features(g, widths[0]) | {"edge_feat": edges(g, widths[1])}
    assert_matches(layer, g, inputs, oracle)


@pytest.mark.parametrize("case", ANY)
@pytest.mark.parametrize("part", ["nodes", "edges"])
def test_egat(case: GraphCase, part: str) -> None:
    g = case()
    u, v = ends(g)
    inputs, sizes = with_pair(g, 5, 4)

    def oracle(
        own: Tensors, feat: Tensor, efeats: Tensor, feat_dst: Tensor | None = None
    ) -> Tensor:
        x_dst = destinations(g, feat, feat_dst)
        e = linear(own, "fc_ni", feat)[u] + linear(own, "fc_nj", x_dst)[v]
        e = F.leaky_relu(e + linear(own, "fc_fij", efeats) + own["bias"]).view(-1, 2, 4)
        share = softmax(g, (e * own["attn"]).sum(-1))
        z = linear(own, "fc_node_src", feat).view(-1, 2, 3)
        return e if part == "edges" else gather(g, share[..., None] * z[u])

    class Part(gnn.EGATConv):
        def forward(self, graph: Graph, nfeats: Tensor, efeats: Tensor) -> Tensor:
            return super().forward(graph, nfeats, efeats)[part == "edges"]

    layer = prepared(Part(sizes, 2, 3, 4, 2))
    layer.set_allow_zero_in_degree(True)
    assert_matches(layer, g, inputs | {"efeats": edges(g, 2)}, oracle)


@pytest.mark.parametrize("case", ANY)
@pytest.mark.parametrize("residual", [False, True])
def test_edgegat(case: GraphCase, residual: bool) -> None:
    g = case()
    u, v = ends(g)
    inputs, sizes = with_pair(g, 5, 4)
    pair = isinstance(sizes, tuple)

    def oracle(own: Tensors, feat: Tensor, edge_feat: Tensor, feat_dst=None) -> Tensor:
        x_dst = destinations(g, feat, feat_dst)
        z = linear(own, "fc_src" if pair else "fc", feat).view(-1, 2, 3)
        z_dst = linear(own, "fc_dst" if pair else "fc", x_dst).view(-1, 2, 3)
        z_edge = linear(own, "fc_edge", edge_feat).view(-1, 2, 3)
        scores = (own["attn_l"] * z)[u] + (own["attn_r"] * z_dst)[v] + own["attn_edge"] * z_edge
        share = softmax(g, F.leaky_relu(scores.sum(-1), 0.3))
        h = gather(g, share[..., None] * (z[u] + z_edge)) + own["bias"].view(2, 3)
        if residual:
            h = h + linear(own, "res_fc", x_dst).view(-1, 2, 3)
        return torch.tanh(h)

    options = {"negative_slope": 0.3, "residual": residual, "activation": torch.tanh}
    layer = gnn.EdgeGATConv(sizes, 2, 3, 2, allow_zero_in_degree=True, **options)
    assert_matches(prepared(layer), g, inputs | {"edge_feat": edges(g, 2)}, oracle)


@pytest.mark.parametrize("case", ANY)
def test_atomic(case: GraphCase) -> None:
    g = case()
    u, _ = ends(g)

    def oracle(own: Tensors, feat: Tensor, distances: Tensor, feat_dst=None) -> Tensor:
        cutoff, mean, scale = (
            own[f"radial_pooling.{name}"].flatten()
            for name in ("interaction_cutoffs", "rbf_kernel_means", "rbf_kernel_scaling")
        )
        radial = torch.exp(-scale * (distances - mean) ** 2)
        radial = radial * 0.5 * (torch.cos(math.pi * distances / cutoff) + 1)
        radial = radial * (distances <= cutoff)
        return gather(g, feat[u][:, :, None] * radial[:, None]).flatten(1)

    radial = [torch.tensor(row) for row in ([1.0, 2.0], [0.0, 1.0], [0.5, 0.3])]
    layer = gnn.AtomicConv(*radial).double()
    inputs = draw_features(g, 3) | {"distances": edges(g, 1, positive=True)}
    assert_matches(layer, g, inputs, oracle)


@pytest.mark.parametrize("case", SQUARE)
@pytest.mark.parametrize("part", ["features", "coordinates"])
def test_egnn(case: GraphCase, part: str) -> None:
    g = case()
    u, v = ends(g)

    def mlp(own: Tensors, name: str, x: Tensor) -> Tensor:
        return linear(own, f"{name}.2", F.silu(linear(own, f"{name}.0", x)))

    def oracle(own: Tensors, feat: Tensor, coord_feat: Tensor, edge_feat: Tensor) -> Tensor:
        away = coord_feat[u] - coord_feat[v]
        square = (away**2).sum(-1, keepdim=True)
        inner = torch.cat([feat[u], feat[v], square, edge_feat], 1)
        message = F.silu(mlp(own, "edge_mlp", inner))
        if part == "features":
            return mlp(own, "node_mlp", torch.cat([feat, gather(g, message)], 1))
        unit = torch.where(square > 0, away / (square + (square == 0)).sqrt(), 0)
        return coord_feat + gather(g, mlp(own, "coord_mlp", message) * unit, "mean")

    class Part(gnn.EGNNConv):
        def forward(self, graph: Graph, feat: Tensor, **kwargs: Tensor) -> Tensor:
            return super().forward(graph, feat, **kwargs)[part == "coordinates"]

    inputs = draw_features(g, 5) | {"coord_feat": nodes(g, 3), "edge_feat": edges(g, 2)}
    assert_matches(prepared(Part(5, 4, 3, 2)), g, inputs, oracle)


# --- recurrences and towers --------------------------------------------------------------------


@pytest.mark.parametrize("case", SQUARE)
@pytest.mark.parametrize("types", [1, 3])
def test_gatedgraph(case: GraphCase, types: int) -> None:
    g = case()
    u, _ = ends(g)
    etypes = torch.randint(types, (g.num_edges(),))

    def oracle(own: Tensors, feat: Tensor) -> Tensor:
        h = torch.cat([feat, feat.new_zeros(len(feat), 2)], 1)
        for _ in range(2):
            each = torch.stack([linear(own, f"linears.{t}", h) for t in range(types)])
            a = gather(g, each[etypes, u])
            x = (a @ own["gru.weight_ih"].T + own["gru.bias_ih"]).chunk(3, 1)
            y = (h @ own["gru.weight_hh"].T + own["gru.bias_hh"]).chunk(3, 1)
            reset, update = torch.sigmoid(x[0] + y[0]), torch.sigmoid(x[1] + y[1])
            h = (1 - update) * torch.tanh(x[2] + reset * y[2]) + update * h
        return h

    class Typed(gnn.GatedGraphConv):
        def forward(self, graph: Graph, feat: Tensor) -> Tensor:
            return super().forward(graph, feat, etypes)

    assert_matches(prepared(Typed(4, 6, 2, types)), g, draw_features(g, 4), oracle)


AGGREGATORS = ["mean", "max", "min", "sum", "var"]
SCALERS = ["identity", "amplification", "attenuation"]


def tower(
    g: Graph, own: Tensors, i: int, x: Tensor, edge_feat: Tensor | None, more: Callable
) -> Tensor:
    """A tower of PNAConv in evaluation mode; `more` makes further aggregates of the messages."""
    u, v = ends(g)
    parts = [x[u], x[v]] + ([] if edge_feat is None else [edge_feat])
    m = linear(own, f"towers.{i}.M", torch.cat(parts, 1))
    mean = gather(g, m, "mean")
    gathered = [mean, gather(g, m, "max"), gather(g, m, "min"), gather(g, m)]
    gathered.append(gather(g, (m - mean[v]) ** 2, "mean"))
    gathered = torch.cat([*gathered, *more(m, x)], 1)
    degree = g.in_degrees().double()[:, None]
    amplification = torch.log(degree + 1) / 1.3
    attenuation = torch.where(degree > 0, 1 / amplification, 0)
    scaled = [gathered, gathered * amplification, gathered * attenuation]
    sizes = g.batch_num_nodes().repeat_interleave(g.batch_num_nodes())
    h = linear(own, f"towers.{i}.U", torch.cat([x, *scaled], 1)) / sizes[:, None].sqrt()
    weight, bias = own[f"towers.{i}.batchnorm.weight"], own[f"towers.{i}.batchnorm.bias"]
    return h / math.sqrt(1 + 1e-5) * weight + bias


@pytest.mark.parametrize("case", SQUARE)
@pytest.mark.parametrize("with_edges", [False, True])
def test_pna(case: GraphCase, with_edges: bool) -> None:
    g = case()

    def oracle(own: Tensors, feat: Tensor, edge_feat: Tensor | None = None) -> Tensor:
        parts = enumerate(feat.chunk(2, 1))
        h = [tower(g, own, i, x, edge_feat, lambda m, x: []) for i, x in parts]
        return F.leaky_relu(linear(own, "mixing_layer.0", torch.cat(h, 1)), 0.01) + feat

    options = {"num_towers": 2, "edge_feat_size": 2 if with_edges else 0}
    layer = prepared(gnn.PNAConv(4, 4, AGGREGATORS, SCALERS, 1.3, **options).eval())
    inputs = draw_features(g, 4) | ({"edge_feat": edges(g, 2)} if with_edges else {})
    assert_matches(layer, g, inputs, oracle)


@pytest.mark.parametrize("case", SQUARE)
@pytest.mark.parametrize("with_edges", [False, True])
def test_dgn(case: GraphCase, with_edges: bool) -> None:
    g = case()
    u, v = ends(g)

    def oracle(
        own: Tensors, feat: Tensor, eig_vec: Tensor, edge_feat: Tensor | None = None
    ) -> Tensor:
        def directed(m: Tensor, x: Tensor) -> list[Tensor]:
            field = eig_vec[u] - eig_vec[v]
            field = field / (gather(g, field.abs())[v] + 1e-30)
            smooth = gather(g, field[:, 1:2].abs() * m)
            slope = gather(g, field[:, :1] * m) - gather(g, field[:, :1]) * x
            return [smooth, slope.abs()]

        h = tower(g, own, 0, feat, edge_feat, directed)
        return F.leaky_relu(linear(own, "mixing_layer.0", h), 0.01)

    aggregators = [*AGGREGATORS, "dir2-av", "dir1-dx"]
    options = {"edge_feat_size": 2 if with_edges else 0}
    layer = prepared(gnn.DGNConv(4, 3, aggregators, SCALERS, 1.3, **options).eval())
    inputs = draw_features(g, 4) | {"eig_vec": nodes(g, 2)}
    assert_matches(layer, g, inputs | ({"edge_feat": edges(g, 2)} if with_edges else {}), oracle)


@pytest.mark.parametrize("name", ["std", "moment3", "moment4", "moment5"])
def test_higher_moments_are_those_of_numpy(name: str) -> None:
    """Of one node with many messages, for which no root is taken of 0."""
    import numpy as np

    import gossamer as gs

    g = gs.graph((torch.arange(1, 8), torch.zeros(7, dtype=torch.int64)), num_nodes=8)
    layer = prepared(gnn.PNAConv(2, 2, [name], ["identity"], 1.0, residual=False).eval())
    x, found = nodes(g, 2), []
    layer.towers[0].U.register_forward_pre_hook(lambda module, args: found.append(args[0]))
    layer(g, x)
    messages = layer.towers[0].M(torch.cat([x[1:], x[:1].expand(7, 2)], 1)).detach().numpy()
    if name == "std":
        expected = messages.std(0)
    else:
        order = int(name[-1])
        moment = ((messages - messages.mean(0)) ** order).mean(0)
        expected = np.sign(moment) * np.abs(moment) ** (1 / order)
    np.testing.assert_allclose(found[0][0, 2:].detach().numpy(), expected, rtol=1e-9)


@pytest.mark.parametrize("case", SQUARE)
@pytest.mark.parametrize("precond", [True, False])
@pytest.mark.parametrize("attention", [False, True])
def test_twirls_unfolding(case: GraphCase, precond: bool, attention: bool) -> None:
    g = case()
    u, v = ends(g)

    def oracle(own: Tensors, feat: Tensor) -> Tensor:
        def attend(y: Tensor) -> Tensor:
            square = ((own["etas"] * (y[u] - y[v])) ** 2).sum(-1)
            return (square + 1e-7).pow(-0.5).clamp(max=1 / 0.2) + 1e-9

        weight = torch.ones(len(u), dtype=torch.float64)
        y = feat
        for k in range(3):
            degree = gather(g, weight)
            d = 0.7 * degree + 0.3 if precond else degree + (degree == 0)
            a = d[:, None] ** -0.5 * matrix(g, weight) * d**-0.5
            kept = 0.6 if precond else 1 - 0.4 * 0.7 - 0.4
            y = kept * y + 0.4 * 0.7 * a @ y + 0.4 * (feat / d[:, None] if precond else feat)
            if attention and k == 1:
                weight = attend(y)
        return y + 0 * own["etas"]

    options = {"attn_aft": 2 if attention else -1, "use_eta": True, "precond": precond}
    layer = gnn.TWIRLSUnfoldingAndAttention(5, 0.4, 0.7, 3, **options).double()
    assert_matches(layer, g, draw_features(g, 5), oracle)
