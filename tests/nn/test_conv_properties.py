"""What single convolutions promise beyond their formula."""

from __future__ import annotations

import threading

import pytest
import torch
from torch import Tensor, nn

import gossamer as gs
from gossamer import nn as gnn
from gossamer.errors import GossamerError, InvalidTypeError, InvalidValueError, OutOfRangeError

RING = gs.graph(([0, 1, 2, 3, 4, 0, 2, 2], [1, 2, 3, 4, 0, 2, 0, 0]), num_nodes=5)


def rotation(seed: int, *, reflect: bool) -> Tensor:
    """An orthogonal matrix of determinant 1, or -1."""
    generator = torch.Generator().manual_seed(seed)
    q, _ = torch.linalg.qr(torch.randn(3, 3, generator=generator, dtype=torch.float64))
    flip = torch.ones(3, dtype=torch.float64)
    flip[0] = (-1 if reflect else 1) * torch.det(q).sign()
    return q * flip


@pytest.mark.parametrize("reflect", [False, True])
def test_egnn_is_equivariant(reflect: bool) -> None:
    layer = gnn.EGNNConv(4, 8, 5, 2).double()
    h, x, a = (torch.randn(*shape, dtype=torch.float64) for shape in ((5, 4), (5, 3), (8, 2)))
    turn, shift = rotation(1, reflect=reflect), torch.randn(3, dtype=torch.float64)
    features, places = layer(RING, h, x, a)
    turned_features, turned_places = layer(RING, h, x @ turn + shift, a)
    torch.testing.assert_close(turned_features, features)
    torch.testing.assert_close(turned_places, places @ turn + shift)
    assert not torch.allclose(places, x), "the coordinates must move"


def test_egnn_of_two_nodes_at_one_place() -> None:
    g = gs.graph(([0, 1], [1, 0]))
    x = torch.zeros(2, 3, requires_grad=True)
    _, places = gnn.EGNNConv(4, 8, 5)(g, torch.randn(2, 4), x)
    assert not places.any()
    (grad,) = torch.autograd.grad(places.sum(), x)
    assert grad.isfinite().all()


def dense(g: gs.Graph) -> Tensor:
    u, v = g.edges()
    zeros = torch.zeros(g.num_nodes(), g.num_nodes())
    return zeros.index_put((v, u), torch.ones(g.num_edges()), accumulate=True)


class TestDenseIsSparse:
    x = torch.randn(5, 4)

    @pytest.mark.parametrize("norm", ["both", "right", "none"])
    def test_graphconv(self, norm: str) -> None:
        sparse, full = gnn.GraphConv(4, 3, norm), gnn.DenseGraphConv(4, 3, norm)
        nn.init.normal_(sparse.bias)
        full.load_state_dict(sparse.state_dict())
        torch.testing.assert_close(full(dense(RING), self.x), sparse(RING, self.x))

    def test_sageconv(self) -> None:
        sparse, full = gnn.SAGEConv(4, 3, "gcn"), gnn.DenseSAGEConv(4, 3)
        nn.init.normal_(full.fc.bias)
        state = full.state_dict()
        sparse.load_state_dict({"fc_neigh.weight": state["fc.weight"], "bias": state["fc.bias"]})
        torch.testing.assert_close(full(dense(RING), self.x), sparse(RING, self.x))

    @pytest.mark.parametrize("k", [1, 2, 4])
    def test_chebconv(self, k: int) -> None:
        sparse, full = gnn.ChebConv(4, 3, k, None), gnn.DenseChebConv(4, 3, k)
        nn.init.normal_(full.bias)
        state = full.state_dict()
        weight = state["W"].flatten(0, 1).t()
        sparse.load_state_dict({"linear.weight": weight, "linear.bias": state["bias"]})
        expected = sparse(RING, self.x, [1.7])
        torch.testing.assert_close(full(dense(RING), self.x, 1.7), expected)

    def test_largest_eigenvalue(self) -> None:
        g = gs.to_bidirected(RING)
        (largest,) = gs.laplacian_lambda_max(g)
        conv = gnn.DenseChebConv(4, 3, 3)
        torch.testing.assert_close(
            conv(dense(g), self.x), conv(dense(g), self.x, largest), rtol=1e-4, atol=1e-4
        )

    def test_pair(self) -> None:
        conv = gnn.DenseSAGEConv(4, 3)
        out = conv(torch.ones(2, 5), (self.x, self.x[:2]))
        torch.testing.assert_close(out, conv(torch.ones(5, 5), self.x)[:2] * 1.0)

    def test_matrix_of_the_wrong_shape(self) -> None:
        with pytest.raises(InvalidValueError, match=r"^DenseChebConv: adj must be a square"):
            gnn.DenseChebConv(4, 3, 2)(torch.ones(4, 5), self.x)
        with pytest.raises(InvalidValueError, match=r"one row per node \(4\)"):
            gnn.DenseGraphConv(4, 3)(torch.ones(5, 4), self.x)
        with pytest.raises(InvalidTypeError, match=r"^DenseSAGEConv: adj must be a dense tensor"):
            gnn.DenseSAGEConv(4, 3)([[1.0]], self.x)


def test_cugraph_rgcn_averages_each_type() -> None:
    etypes = torch.tensor([0, 1, 0, 1, 0, 1, 0, 1])
    layer = gnn.CuGraphRelGraphConv(4, 3, 2, self_loop=False, bias=False, apply_norm=True).double()
    x = torch.randn(5, 4, dtype=torch.float64)
    u, v = RING.edges()
    expected = torch.zeros(5, 3, dtype=torch.float64)
    for rel, weight in enumerate(layer.linear_r.get_weight()):
        for node in range(5):
            found = u[(v == node) & (etypes == rel)]
            if len(found):
                expected[node] += x[found].mean(0) @ weight
    torch.testing.assert_close(layer(RING, x, etypes), expected)


def test_cached_features_are_kept() -> None:
    layer, x = gnn.SGConv(4, 3, 2, cached=True), torch.randn(5, 4)
    out = layer(RING, x)
    torch.testing.assert_close(layer(RING, 2 * x), out)
    with pytest.raises(InvalidValueError, match=r"^SGConv: cached=True keeps .* with 5 nodes"):
        layer(gs.add_self_loop(gs.rand_graph(6, 9)), torch.randn(6, 4))


def test_edge_dropout_of_appnp() -> None:
    layer, x = gnn.APPNPConv(1, 0.0, edge_drop=0.5), torch.ones(1000, 1)
    nodes = torch.arange(1000)
    out = layer(gs.graph((nodes, nodes)), x)
    assert sorted(out.unique().tolist()) == [0.0, 2.0]
    assert 400 < int((out == 0).sum()) < 600
    torch.testing.assert_close(layer.eval()(gs.graph((nodes, nodes)), x), x)


def test_lstm_leaves_a_graph_alone_that_threads_share() -> None:
    g = gs.graph((torch.randint(50, (200,)), torch.randint(50, (200,))), num_nodes=50)
    layer, x = gnn.SAGEConv(4, 3, "lstm"), torch.randn(50, 4)
    expected, found = layer(g, x), []

    def work() -> None:
        with torch.no_grad():
            for _ in range(10):
                found.append(layer(g, x))
                assert not g.ndata

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 40
    assert not g.ndata
    assert not g.edata
    for out in found:
        torch.testing.assert_close(out, expected)


def test_twirls_adds_the_missing_self_loops() -> None:
    layer, x = gnn.TWIRLSConv(4, 3, 8, 2), torch.randn(5, 4)
    whole = gs.add_self_loop(gs.remove_self_loop(RING))
    torch.testing.assert_close(layer(RING, x), layer(whole, x))


X = torch.randn(5, 4)
REFUSED = {
    "cheb-eigenvalues": (gnn.ChebConv(4, 3, 2), (X, [2.0, 1.0]), "one number per graph .1., but"),
    "cheb-text": (gnn.ChebConv(4, 3, 2), (X, "two"), "lambda_max must be a list or tensor"),
    "cheb-pair": (gnn.ChebConv(4, 3, 2), ((X, X),), "one tensor of node features is expected"),
    "gcn2-shape": (gnn.GCN2Conv(4, 1), (X, X[:, :3]), "built for 4 input features"),
    "nnconv-width": (gnn.NNConv(4, 3, nn.Linear(2, 9)), (X, torch.rand(8, 2)), "a matrix .4, 3."),
    "nnconv-kind": (gnn.NNConv(4, 3, len), (X, torch.rand(8, 2)), "must return a tensor"),
    "gine-rows": (gnn.GINEConv(), ((X, X[:, :3]), torch.rand(8, 4)), "must have one shape"),
    "gated-missing": (gnn.GatedGraphConv(4, 5, 2, 3), (X,), "3 edge types, but etypes is missing"),
    "gated-floats": (gnn.GatedGraphConv(4, 5, 2, 3), (X, torch.rand(8)), "integer tensor, but got"),
    "gated-wide": (gnn.GatedGraphConv(3, 3, 2, 1), (X,), "built for 3 input features"),
    "tag-weight": (gnn.TAGConv(4, 3), (X, -torch.ones(8)), "every edge weight must be positive"),
    "tag-columns": (gnn.TAGConv(4, 3), (X, torch.ones(8, 1)), "one scalar per edge, but got"),
    "egnn-no-edges": (gnn.EGNNConv(4, 3, 2), (X, X, torch.rand(8, 2)), "built without"),
    "egnn-missing": (gnn.EGNNConv(4, 3, 2, 2), (X, X), "edge features .8, 2. are missing"),
    "egnn-places": (gnn.EGNNConv(4, 3, 2), (X, X[:, 0]), "coordinates must have shape"),
    "dgn-columns": (
        gnn.DGNConv(4, 4, ["dir3-av"], ["identity"], 1.0),
        (X, None, X[:, :2]),
        "eig_vec must have at least 3 columns",
    ),
    "egat-weight": (
        gnn.EGATConv(4, 2, 3, 2, 2),
        (X, torch.rand(8, 2), torch.rand(8, 3)),
        "for a weight per head, but got",
    ),
    "agnn-widths": (gnn.AGNNConv(), ((X, X[:, :3]),), "with one D, but got"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_input_that_is_refused(name: str) -> None:
    layer, inputs, message = REFUSED[name]
    with pytest.raises(GossamerError, match=f"^{type(layer).__name__}: .*{message}"):
        layer(RING, *inputs)


def test_an_edge_type_out_of_range() -> None:
    types = torch.tensor([0, 1, 2, 3, 0, 0, 0, 0])
    with pytest.raises(OutOfRangeError, match=r"must be 0 \.\.\. 2, .* but got 0 \.\.\. 3"):
        gnn.GatedGraphConv(4, 5, 2, 3)(RING, X, types)


BUILT = {
    "gated": (lambda: gnn.GatedGraphConv(5, 3, 1, 1), "out_feats must be at least in_feats"),
    "pna-aggregator": (lambda: gnn.PNAConv(4, 4, ["median"], ["identity"], 1.0), "aggregators is"),
    "pna-scaler": (lambda: gnn.PNAConv(4, 4, ["mean"], ["linear"], 1.0), "scalers is one of"),
    "pna-towers": (
        lambda: gnn.PNAConv(5, 4, ["mean"], ["identity"], 1.0, num_towers=2),
        "in_size must be divisible by num_towers, got 5 and 2",
    ),
    "dgn-aggregator": (lambda: gnn.DGNConv(4, 4, ["dir0-av"], ["identity"], 1.0), "aggregators is"),
    "gmm": (lambda: gnn.GMMConv(4, 3, 2, 2, "min"), "aggregator_type is one of"),
    "twirls": (lambda: gnn.TWIRLSConv(4, 3, 4, 2, norm="group"), "norm is one of"),
    "atomic": (
        lambda: gnn.AtomicConv(torch.ones(2), torch.ones(3), torch.ones(2)),
        "must have one shape",
    ),
    "atomic-lists": (lambda: gnn.AtomicConv([1.0], [1.0], [1.0]), "must be tensors, but got list"),
    "cugraph": (lambda: gnn.CuGraphRelGraphConv(4, 3, 2, "bdd"), "regularizer is one of"),
    "sizes": (lambda: gnn.EdgeConv(4.5, 3), "in_feat is an int, got 4.5"),
    "dropout": (lambda: gnn.GatedGCNConv(4, 3, 3, dropout=2), "dropout is a number from 0 to 1"),
}


@pytest.mark.parametrize("name", BUILT)
def test_arguments_that_are_refused(name: str) -> None:
    build, message = BUILT[name]
    with pytest.raises(GossamerError, match=rf"^\w+Conv: .*{message}"):
        build()


def test_zero_in_degree_can_be_allowed_later() -> None:
    g = gs.graph(([0], [1]))
    layer = gnn.EGATConv(4, 2, 3, 2, 2)
    with pytest.raises(InvalidValueError, match=r"^EGATConv: 1 of 2 nodes have zero in-degree"):
        layer(g, X[:2], torch.rand(1, 2))
    layer.set_allow_zero_in_degree(True)
    assert not layer(g, X[:2], torch.rand(1, 2))[0][0].any()


def test_gated_graph_conv_always_accepts_nodes_without_in_edges() -> None:
    g = gs.graph(([0], [1]), num_nodes=3)
    conv, x = gnn.GatedGraphConv(2, 2, 1, 1), torch.ones(3, 2)
    before = conv(g, x)
    for allowed in (True, False):
        conv.set_allow_zero_in_degree(allowed)
        assert torch.equal(conv(g, x), before)
