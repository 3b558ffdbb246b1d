"""Transform modules: what they promise, on graphs of one type and of several."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import scipy.linalg
import torch

import gossamer as gs
from gossamer import InvalidTypeError, InvalidValueError, UnknownKeyError
from gossamer import transforms as T
from helpers.compare import assert_graph_equal
from helpers.graphs import graph_cases

PATH = [("user", "rates", "item"), ("item", "rated-by", "user")]

# Every module, with settings that suit any graph with a feature 'h' and one edge type.
EVERY = {
    "RowFeatNormalizer": T.RowFeatNormalizer(node_feat_names=["h"]),
    "FeatMask": T.FeatMask(0.5, ["h"]),
    "RandomWalkPE": T.RandomWalkPE(2),
    "LapPE": T.LapPE(2, padding=True),
    "SVDPE": T.SVDPE(2, padding=True),
    "AddSelfLoop": T.AddSelfLoop(new_etypes=True),
    "RemoveSelfLoop": T.RemoveSelfLoop(),
    "AddReverse": T.AddReverse(),
    "ToSimple": T.ToSimple(),
    "LineGraph": T.LineGraph(),
    "KHopGraph": T.KHopGraph(2),
    "AddMetaPaths": T.AddMetaPaths({"twice": ["_E", "_E"]}),
    "Compose": T.Compose([T.AddReverse(), T.ToSimple()]),
    "GCNNorm": T.GCNNorm(),
    "PPR": T.PPR(eps=0.1),
    "HeatKernel": T.HeatKernel(eps=0.1),
    "GDC": T.GDC([0.5, 0.5], eps=0.1),
    "NodeShuffle": T.NodeShuffle(),
    "DropNode": T.DropNode(),
    "DropEdge": T.DropEdge(),
    "AddEdge": T.AddEdge(),
    "ToLevi": T.ToLevi(),
    "SIGNDiffusion": T.SIGNDiffusion(2, "h"),
}
RANDOM = ["FeatMask", "LapPE", "SVDPE", "NodeShuffle", "DropNode", "DropEdge", "AddEdge"]


def _graph(num_nodes: int = 30, num_edges: int = 120) -> gs.Graph:
    g = gs.graph(tuple(torch.randint(0, num_nodes, (2, num_edges))), num_nodes=num_nodes)
    g.ndata["h"] = torch.rand(num_nodes, 16) + 0.1
    g.edata["e"] = torch.rand(num_edges, 4)
    return g


def _hetero() -> gs.Graph:
    g = gs.heterograph(
        {
            ("user", "follows", "user"): tuple(torch.randint(0, 20, (2, 60))),
            ("user", "rates", "item"): (torch.randint(0, 20, (50,)), torch.randint(0, 9, (50,))),
            ("item", "rated-by", "user"): (torch.randint(0, 9, (9,)), torch.randint(0, 20, (9,))),
        },
        {"user": 20, "item": 9},
    )
    for ntype in g.ntypes:
        g.nodes[ntype].data["h"] = torch.rand(g.num_nodes(ntype), 5)
    for etype in g.canonical_etypes:
        g.edges[etype].data["w"] = torch.rand(g.num_edges(etype))
    return g


# --- all of them ----------------------------------------------------------------------------------


def test_every_module_is_tested_here() -> None:
    assert {*EVERY, "BaseTransform"} == set(T.modules.__all__)


@pytest.mark.parametrize("name", EVERY)
def test_the_graph_that_came_is_left_alone(name: str) -> None:
    g = _graph()
    before = copy.deepcopy(g)
    EVERY[name](g)
    assert_graph_equal(g, before)


@pytest.mark.parametrize("name", EVERY)
def test_modules_can_be_pickled_and_repeated(name: str) -> None:
    g = _graph()
    again = pickle.loads(pickle.dumps(EVERY[name]))
    assert repr(again) == repr(EVERY[name])
    gs.seed(7)
    first = EVERY[name](g)
    gs.seed(7)
    assert_graph_equal(again(g), first)


@pytest.mark.parametrize("name", RANDOM)
def test_draws_differ(name: str) -> None:
    g = _graph()
    texts = set()
    for _ in range(10):
        result = EVERY[name](g)
        features = [value.double().sum(1).tolist() for value in result.ndata.values()]
        texts.add(str([features, [end.tolist() for end in result.edges()]]))
    assert len(texts) > 1


@pytest.mark.parametrize("name", [name for name in EVERY if name != "Compose"])
@pytest.mark.parametrize("case", graph_cases("homogeneous", exclude="hub"))
def test_named_cases(case, name: str) -> None:
    """No awkward graph is too much, and ids stay of their type."""
    g = case()
    g.ndata["h"] = torch.rand(g.num_nodes(), 3)
    result = EVERY[name](g)
    assert result.idtype == g.idtype
    for ntype in result.ntypes:
        for feature in result.nodes[ntype].data.values():
            assert len(feature) == result.num_nodes(ntype)


@pytest.mark.parametrize("name", EVERY)
def test_only_graphs_are_taken(name: str) -> None:
    with pytest.raises(InvalidTypeError, match="takes a graph, got int"):
        EVERY[name](3)
    with pytest.raises(InvalidValueError, match="does not take a block"):
        EVERY[name](gs.to_block(_graph()))


@pytest.mark.parametrize(
    ("transform", "text"),
    [
        (T.LapPE(3), "LapPE(k=3, feat_name='PE', eigval_name=None, padding=False)"),
        (T.NodeShuffle(), "NodeShuffle()"),
        (T.DropEdge(1), "DropEdge(p=1.0)"),
        (T.GDC([1, 0.5]), "GDC(coefs=[1.0, 0.5], eweight_name='w', eps=None, avg_degree=5)"),
        (T.Compose([T.DropNode()]), "Compose([\n  DropNode(p=0.5)\n])"),
        (
            T.AddMetaPaths({"a": ["r"]}),
            "AddMetaPaths(metapaths={'a': ['r']}, keep_orig_edges=True)",
        ),
    ],
)
def test_repr_says_the_settings(transform: T.BaseTransform, text: str) -> None:
    assert repr(transform) == text


def test_a_base_transform_must_be_defined() -> None:
    class Nothing(T.BaseTransform):
        pass

    with pytest.raises(TypeError, match="__call__"):
        Nothing()


def test_datasets_take_transforms() -> None:
    data = gs.data.KarateClubDataset(transform=T.Compose([T.RemoveSelfLoop(), T.AddSelfLoop()]))
    assert data[0].num_edges() == 156 + 34


# --- structure ------------------------------------------------------------------------------------


def test_self_loops_are_added_per_type() -> None:
    g = _hetero()
    got = T.AddSelfLoop(new_etypes=True)(g)
    u, v = got.edges(etype="follows")
    assert int((u == v).sum()) == 20
    assert got.num_edges(("item", "self", "item")) == 9
    assert got.num_edges(("user", "self", "user")) == 20
    assert got.num_edges("rates") == 50
    assert torch.equal(got.edges["rates"].data["w"], g.edges["rates"].data["w"])
    without = T.RemoveSelfLoop()(got)
    assert without.num_edges(("item", "self", "item")) == 0


def test_self_loop_features_are_those_of_the_types_that_have_them() -> None:
    g = gs.heterograph({("a", "r", "a"): ([0], [1]), ("a", "s", "a"): ([1], [0])})
    g.edges["r"].data["w"] = torch.ones(1)
    got = T.AddSelfLoop(edge_feat_names=["w"], fill_data=3)(g)
    assert got.edges["r"].data["w"].tolist() == [1.0, 3.0, 3.0]
    assert not dict(got.edges["s"].data)


def test_reverse_edges_get_types_and_features() -> None:
    g = _hetero()
    got = T.AddReverse(copy_edata=True)(g)
    for src, relation, dst in g.canonical_etypes:
        old = g.edges[(src, relation, dst)].data["w"]
        u, v = g.edges(etype=(src, relation, dst))
        if src == dst:
            ends = got.edges(etype=relation)
            assert torch.equal(
                torch.stack(ends), torch.stack([torch.cat([u, v]), torch.cat([v, u])])
            )
            assert torch.equal(got.edges[relation].data["w"], torch.cat([old, old]))
        else:
            turned = (dst, f"rev_{relation}", src)
            assert torch.equal(torch.stack(got.edges(etype=turned)), torch.stack([v, u]))
            assert torch.equal(got.edges[turned].data["w"], old)


def test_metapaths_join_what_they_reach() -> None:
    g = _hetero()
    got = T.AddMetaPaths({"co": PATH, "two": ["follows", "follows"]}, keep_orig_edges=False)(g)
    assert got.canonical_etypes == [("user", "co", "user"), ("user", "two", "user")]
    assert got.ntypes == g.ntypes
    for relation, path in (("co", PATH), ("two", ["follows", "follows"])):
        reached = torch.eye(20)
        for etype in path:
            src, _, dst = g.to_canonical_etype(etype)
            step = torch.zeros(g.num_nodes(src), g.num_nodes(dst))
            step[g.edges(etype=etype)] = 1
            reached = reached @ step
        assert torch.equal(torch.stack(got.edges(etype=relation), dim=1), reached.nonzero())


def test_levi_graph_has_every_node() -> None:
    g = _graph()
    levi = T.ToLevi()(gs.add_nodes(g, 5))
    assert levi.num_nodes("node") == 35
    assert torch.equal(levi.nodes["edge"].data["e"], g.edata["e"])
    u, v = g.edges()
    assert torch.equal(levi.edges(etype="n2e")[0], u)
    assert torch.equal(levi.edges(etype="e2n")[1], v)
    assert torch.equal(levi.edges(etype="n2e")[1], torch.arange(120))


def test_batches_stay_where_sizes_are_known() -> None:
    g = gs.batch([_graph(5, 9), _graph(7, 20)])
    for transform in (T.RemoveSelfLoop(), T.NodeShuffle(), T.DropEdge(), T.DropNode()):
        got = transform(g)
        assert got.batch_size == 2
        assert int(got.batch_num_nodes().sum()) == got.num_nodes()
        assert int(got.batch_num_edges().sum()) == got.num_edges()
        assert len(gs.unbatch(got)) == 2


# --- features -------------------------------------------------------------------------------------


def test_rows_are_divided_by_their_sum() -> None:
    g = _hetero()
    g.nodes["user"].data["h"] = 5 * torch.randn(20, 5)
    h = g.nodes["user"].data["h"]
    got = T.RowFeatNormalizer(node_feat_names=["h"])(g).nodes["user"].data["h"]
    torch.testing.assert_close(got, h / h.sum(1, keepdim=True).clamp(min=1))
    got = T.RowFeatNormalizer(True, node_feat_names=["h"])(g).nodes["user"].data["h"]
    torch.testing.assert_close(got.sum(1), torch.ones(20))
    assert float(got.min()) == 0


def test_gcn_norm_is_the_symmetric_normalization() -> None:
    g = _graph()
    weights = torch.rand(120, dtype=torch.float64)
    g.edata["w"] = weights.view(-1, 1)
    u, v = g.edges()
    degree = torch.zeros(30, dtype=torch.float64).index_add_(0, v, weights)
    expected = weights / (degree[u] * degree[v]).sqrt()
    expected[degree[u] == 0] = 0
    got = T.GCNNorm()(g).edata["w"]
    assert got.shape == (120, 1)
    torch.testing.assert_close(got.squeeze(1), expected)


def test_gcn_norm_carries_gradients() -> None:
    g = _graph(6, 15)
    weights = torch.rand(15, dtype=torch.float64, requires_grad=True)

    def normalized(weights: torch.Tensor) -> torch.Tensor:
        g.edata["w"] = weights
        return T.GCNNorm()(g).edata["w"]

    assert torch.autograd.gradcheck(normalized, (weights,))


def test_masks_are_columns() -> None:
    g = _hetero()
    got = T.FeatMask(0.5, node_feat_names=["h"])(g)
    for ntype in g.ntypes:
        before, after = g.nodes[ntype].data["h"], got.nodes[ntype].data["h"]
        masked = (after == 0).all(0)
        assert torch.equal(after[:, ~masked], before[:, ~masked])
        assert torch.equal((after == 0).any(0), masked)
    g = gs.graph(([0], [1]))
    g.edata["e"] = torch.ones(1, 4000, 2)
    kept = T.FeatMask(0.25, edge_feat_names=["e"])(g).edata["e"]
    assert float(kept.mean()) == pytest.approx(0.75, abs=0.03)
    assert torch.equal(kept[..., 0], kept[..., 1])


# --- random changes -------------------------------------------------------------------------------


def test_dropped_edges_are_a_share_of_each_type() -> None:
    g = gs.graph(tuple(torch.randint(0, 50, (2, 6000))), num_nodes=50)
    g.edata["id"] = torch.arange(6000)
    got = T.DropEdge(0.3)(g)
    assert got.num_edges() == pytest.approx(4200, abs=150)
    kept = got.edata["id"]
    assert torch.equal(torch.stack(got.edges()), torch.stack(g.edges())[:, kept])
    assert got.num_nodes() == 50


def _pairs(g: gs.Graph, etype: tuple[str, str, str]) -> list[list[int]]:
    return sorted(torch.stack(g.edges(etype=etype), dim=1).tolist())


def test_dropped_nodes_take_their_edges_along() -> None:
    g = _hetero()
    for ntype in g.ntypes:
        g.nodes[ntype].data["id"] = g.nodes(ntype)
    got = T.DropNode(0.4)(g)
    kept = {ntype: got.nodes[ntype].data["id"] for ntype in g.ntypes}
    expected = gs.node_subgraph(g, kept, store_ids=False)
    for etype in g.canonical_etypes:
        assert _pairs(got, etype) == _pairs(expected, etype)
    big = gs.graph(([], []), num_nodes=6000)
    assert T.DropNode(0.3)(big).num_nodes() == pytest.approx(4200, abs=150)


def test_added_edges_come_last_without_features() -> None:
    g = _hetero()
    got = T.AddEdge(0.5)(g)
    for etype in g.canonical_etypes:
        old, new = g.num_edges(etype), got.num_edges(etype)
        assert new == old + int(0.5 * old)
        assert torch.equal(
            torch.stack(got.edges(etype=etype))[:, :old], torch.stack(g.edges(etype=etype))
        )
        assert not bool(got.edges[etype].data["w"][old:].any())


def test_added_edges_are_spread_over_all_pairs() -> None:
    g = gs.graph(([0], [1]), num_nodes=4)
    u, v = T.AddEdge(8000.0)(g).edges()
    counts = torch.bincount(4 * u + v, minlength=16)
    assert float((counts - 500).abs().max()) < 120


def test_shuffled_rows_move_together() -> None:
    g = _graph()
    g.ndata["id"] = torch.arange(30)
    got = T.NodeShuffle()(g)
    order = got.ndata["id"]
    assert torch.equal(order.sort().values, torch.arange(30))
    assert not torch.equal(order, torch.arange(30))
    assert torch.equal(got.ndata["h"], g.ndata["h"][order])
    assert torch.equal(torch.stack(got.edges()), torch.stack(g.edges()))


# --- diffusion ------------------------------------------------------------------------------------


def _transition(g: gs.Graph, weights: torch.Tensor) -> np.ndarray:
    matrix = np.zeros((g.num_nodes(), g.num_nodes()))
    u, v = (end.numpy() for end in g.edges())
    np.add.at(matrix, (v, u), weights.double().numpy())
    return matrix


DIFFUSED = {
    "PPR": (T.PPR(0.3, eps=0.01), lambda m: 0.3 * np.linalg.inv(np.eye(len(m)) - 0.7 * m)),
    "HeatKernel": (
        T.HeatKernel(1.5, eps=0.01),
        lambda m: scipy.linalg.expm(-1.5 * (np.eye(len(m)) - m)),
    ),
    "GDC": (
        T.GDC([0.4, 0.3, 0.2], eps=0.01),
        lambda m: 0.4 * np.eye(len(m)) + 0.3 * m + 0.2 * m @ m,
    ),
}


@pytest.mark.parametrize("name", DIFFUSED)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.int64])
def test_diffusion_is_the_function_of_the_matrix(name: str, dtype: torch.dtype) -> None:
    transform, function = DIFFUSED[name]
    g = _graph(20, 70)
    weights = torch.rand(70, dtype=torch.float64) / 8
    weights = (weights * 8).round().to(dtype) if dtype == torch.int64 else weights.to(dtype)
    g.edata["w"] = weights.view(-1, 1)
    if dtype == torch.int64:
        g = gs.remove_edges(g, (weights != 1).nonzero().squeeze(1)[:60])
        weights = g.edata["w"].flatten()
    expected = function(_transition(g, weights))
    got = transform(g)
    v, u = (expected >= 0.01).nonzero()
    assert torch.equal(torch.stack(got.edges()), torch.from_numpy(np.stack([u, v])))
    np.testing.assert_allclose(got.edata["w"], expected[v, u], rtol=1e-4)
    assert torch.equal(got.ndata["h"], g.ndata["h"])
    assert list(got.edata) == ["w"]


def test_average_degree_keeps_the_largest_entries() -> None:
    g = T.GCNNorm()(T.AddSelfLoop()(_graph(20, 70)))
    full = T.PPR(eps=0.0)(g).edata["w"].sort(descending=True).values
    for degree in (1, 3, 100):
        kept = T.PPR(avg_degree=degree)(g).edata["w"]
        assert len(kept) >= min(20 * degree, len(full))
        torch.testing.assert_close(kept.sort(descending=True).values, full[: len(kept)])


@pytest.mark.parametrize("op", ["raw", "rw", "gcn", "ppr"])
@pytest.mark.parametrize("weighted", [False, True])
def test_sign_diffusion_is_a_power_of_the_matrix(op: str, weighted: bool) -> None:
    g = _graph(20, 70)
    g.ndata["h"] = torch.randn(20, 2, 3, dtype=torch.float64)
    weights = torch.rand(70, dtype=torch.float64) if weighted else torch.ones(70)
    g.edata["w"] = weights.view(-1, 1)
    matrix = _transition(g, weights)
    total = matrix.sum(1)
    if op == "rw":
        matrix = np.divide(matrix, total[:, None], out=np.zeros_like(matrix), where=matrix != 0)
    elif op != "raw":
        scale = np.divide(1, np.sqrt(total), out=np.zeros_like(total), where=total != 0)
        matrix = scale[:, None] * matrix * scale
    transform = T.SIGNDiffusion(3, "h", "o", "w" if weighted else None, op, alpha=0.4)
    got = transform(g)
    x = first = g.ndata["h"].numpy()
    for step in (1, 2, 3):
        x = np.einsum("vu,uij->vij", matrix, x)
        if op == "ppr":
            x = 0.6 * x + 0.4 * first
        np.testing.assert_allclose(got.ndata[f"o_{step}"], x, atol=1e-6)


# --- errors ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: T.Compose(3), InvalidTypeError, "list of transforms, got int"),
        (lambda: T.Compose([3]), InvalidTypeError, "transform 0 is of type int"),
        (lambda: T.DropNode(1.5), InvalidValueError, "p is a number from 0 to 1, got 1.5"),
        (lambda: T.DropEdge(-0.1), InvalidValueError, "p is a number from 0 to 1, got -0.1"),
        (lambda: T.FeatMask("half"), InvalidTypeError, "p is a number, got 'half'"),
        (lambda: T.AddEdge(-1), InvalidValueError, "ratio is a number from 0"),
        (lambda: T.AddEdge("a"), InvalidTypeError, "ratio is a number, got 'a'"),
        (lambda: T.AddEdge(float("inf")), InvalidValueError, "ratio is a number from 0"),
        (lambda: T.FeatMask(edge_feat_names=1), InvalidTypeError, "list of feature names"),
        (lambda: T.Compose(torch.tensor(1)), InvalidTypeError, "list of transforms, got Tensor"),
        (lambda: T.LapPE(0), InvalidValueError, "LapPE: k is at least 1, got 0"),
        (lambda: T.SVDPE(-1), InvalidValueError, "SVDPE: k is at least 0, got -1"),
        (lambda: T.RandomWalkPE(1.5), InvalidTypeError, "RandomWalkPE: k is an int"),
        (lambda: T.KHopGraph(-1), InvalidValueError, "KHopGraph: k is at least 0, got -1"),
        (lambda: T.GDC([]), InvalidTypeError, "at least one number"),
        (lambda: T.GDC(["a"]), InvalidTypeError, "a coefficient is a number, got 'a'"),
        (lambda: T.GDC([1.0], avg_degree=0), InvalidValueError, "avg_degree is at least 1, got 0"),
        (lambda: T.PPR(1.5), InvalidValueError, "alpha is a number from 0 to 1, got 1.5"),
        (lambda: T.PPR(eps="x"), InvalidTypeError, "eps is a number, got 'x'"),
        (lambda: T.HeatKernel(-1), InvalidValueError, "t is a number of at least 0"),
        (lambda: T.SIGNDiffusion(-1), InvalidValueError, "k is at least 0, got -1"),
        (lambda: T.SIGNDiffusion(1, diffuse_op="x"), InvalidValueError, "diffuse_op is one of"),
        (
            lambda: T.RowFeatNormalizer(node_feat_names="h"),
            InvalidTypeError,
            "list of feature names",
        ),
        (lambda: T.AddMetaPaths([1]), InvalidTypeError, "dict from name"),
        (lambda: T.AddMetaPaths({}, keep_orig_edges=False), InvalidValueError, "no edge type"),
    ],
)
def test_settings_that_make_no_sense(make, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


def _loop() -> gs.Graph:
    g = gs.graph(([0, 1], [0, 1]))
    g.ndata["ids"] = torch.arange(2)
    g.edata["pair"] = torch.ones(2, 2)
    return g


@pytest.mark.parametrize(
    ("transform", "graph", "error", "message"),
    [
        (T.FeatMask(1, ["x"]), _loop, UnknownKeyError, "no node feature 'x'; the graph has ..ids"),
        (T.FeatMask(1, None, ["x"]), _hetero, UnknownKeyError, "no edge feature 'x'"),
        (T.FeatMask(1, ["ids"]), _loop, InvalidValueError, "no columns to mask"),
        (T.RowFeatNormalizer(False, ["ids"]), _loop, InvalidTypeError, "must be floating point"),
        (T.AddSelfLoop(edge_feat_names=["x"]), _loop, UnknownKeyError, "no edge feature 'x'"),
        (T.GCNNorm("pair"), _loop, InvalidValueError, "one real number per edge"),
        (T.PPR(eweight_name="pair"), _loop, InvalidValueError, "one real number per edge"),
        (T.PPR(alpha=0.0), _loop, InvalidValueError, "singular for alpha=0.0"),
        (T.PPR(), _hetero, InvalidValueError, "one edge type"),
        (T.ToLevi(), _hetero, InvalidValueError, "one edge type"),
        (T.LapPE(1), _hetero, InvalidValueError, "one edge type"),
        (T.SIGNDiffusion(1), _loop, UnknownKeyError, "no node feature 'feat'"),
        (T.SIGNDiffusion(1, "ids"), _loop, InvalidTypeError, "must be floating point"),
        (T.SIGNDiffusion(1, "ids", eweight_name="x"), _loop, InvalidTypeError, "floating"),
        (T.LapPE(2), _loop, InvalidValueError, "2 nodes .* k is 2"),
        (T.AddMetaPaths({"_E": ["_E"]}), _loop, InvalidValueError, "already has edges of type"),
        (T.AddMetaPaths({"a": ["rates", "rates"]}), _hetero, InvalidValueError, "cannot follow"),
        (T.AddMetaPaths({"a": ["nope"]}), _hetero, UnknownKeyError, "nope"),
    ],
)
def test_graphs_that_do_not_suit(transform, graph, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        transform(graph())


def test_reverse_edges_do_not_replace_a_type() -> None:
    g = gs.heterograph({("a", "r", "b"): ([0], [0]), ("b", "rev_r", "a"): ([0], [0])})
    with pytest.raises(InvalidValueError, match=r"already has edges of type \('b', 'rev_r', 'a'\)"):
        T.AddReverse()(g)
