"""Explainers rank a planted motif on top, and take and return what they promise."""

from __future__ import annotations

import logging

import pytest
import torch
from torch import Tensor, nn

import gossamer as gs
from gossamer.errors import InvalidTypeError, InvalidValueError
from gossamer.nn import (
    AvgPooling,
    GNNExplainer,
    GraphConv,
    HeteroGNNExplainer,
    HeteroGraphConv,
    HeteroPGExplainer,
    HeteroSubgraphX,
    PGExplainer,
    SubgraphX,
)
from nn.motifs import FOOT, RoleModel, planted_houses, roc_auc, trained_model

HOUSES = 15


@pytest.fixture(scope="module")
def trained() -> tuple[gs.Graph, Tensor, RoleModel, Tensor]:
    """A graph with houses, the house of each edge, a model that knows them, its features."""
    g, labels, house = planted_houses(houses=HOUSES)
    model, feat = trained_model(g, labels)
    assert (model(g, feat).argmax(1) == labels).float().mean() >= 0.95
    return g, house, model, feat


# --- the planted motif -------------------------------------------------------------------------


def test_gnnexplainer_finds_the_houses(trained: tuple) -> None:
    g, house, model, feat = trained
    torch.manual_seed(0)
    explainer = GNNExplainer(model, 3, lr=0.1, num_epochs=50, alpha1=0.01, alpha2=0.1, log=False)
    scores, truth = [], []
    for i in range(0, HOUSES, 4):
        _, part, _, edge_mask = explainer.explain_node(60 + 5 * i + FOOT, g, feat)
        scores.append(edge_mask)
        truth.append(house[part.edata[gs.EID]] == i)
    assert roc_auc(torch.cat(scores), torch.cat(truth)) >= 0.9


def test_pgexplainer_finds_the_houses(trained: tuple) -> None:
    g, house, model, feat = trained
    torch.manual_seed(0)
    explainer = PGExplainer(model, 60, num_hops=3, explain_graph=False)
    optimizer = torch.optim.Adam(explainer.parameters(), lr=0.003)
    nodes = [60 + 5 * i + FOOT for i in range(HOUSES)]
    for temperature in torch.logspace(0.7, 0, 20).tolist():
        optimizer.zero_grad()
        explainer.train_step_node(nodes, g, feat, temperature).backward()
        optimizer.step()
    _, weights, parts, _ = explainer.explain_node(nodes, g, feat)
    own = torch.repeat_interleave(torch.arange(HOUSES), parts.batch_num_edges())
    assert roc_auc(weights, house[parts.edata[gs.EID]] == own) >= 0.9


class MarkModel(nn.Module):
    """Class 1 where the nodes with a mark are joined with one another."""

    def forward(self, graph: gs.Graph, feat: Tensor) -> Tensor:
        mark = feat[:, 0]
        joined = gs.ops.u_dot_v(graph, mark[:, None], mark[:, None]).sum()
        return torch.stack([torch.zeros(()), joined - 2]).unsqueeze(0)


def marked_path() -> tuple[gs.Graph, Tensor]:
    """Nodes 3, 4 and 5 of a path have the mark."""
    u = torch.arange(8)
    g = gs.graph((torch.cat([u, u + 1]), torch.cat([u + 1, u])))
    feat = torch.zeros(9, 2)
    feat[3:6, 0] = 1
    return g, feat


@pytest.mark.parametrize("high2low", [False, True])
def test_subgraphx_finds_the_marked_nodes(high2low: bool) -> None:
    g, feat = marked_path()
    torch.manual_seed(0)
    explainer = SubgraphX(
        MarkModel(), 1, num_rollouts=12, node_min=3, shapley_steps=8, high2low=high2low
    )
    found = explainer.explain_graph(g, feat, target_class=1)
    assert found.tolist() == [3, 4, 5]
    assert found.dtype == g.idtype


def test_subgraphx_counts_a_shapley_value() -> None:
    """With every node around it, the marked pair alone raises the probability."""
    g, feat = marked_path()
    explainer = SubgraphX(MarkModel(), 0, shapley_steps=1, num_rollouts=1, node_min=9)
    assert explainer.explain_graph(g, feat, 1).tolist() == list(range(9))


def test_a_small_graph_is_its_own_explanation() -> None:
    g = gs.graph(([0, 1], [1, 0]), num_nodes=3)
    found = SubgraphX(MarkModel(), 1, shapley_steps=2).explain_graph(g, torch.ones(3, 2), 0)
    assert found.tolist() == [0, 1, 2]
    with pytest.raises(InvalidValueError, match="the graph has no nodes to explain"):
        SubgraphX(MarkModel(), 1).explain_graph(gs.graph(([], [])), torch.ones(0, 2), 0)
    with pytest.raises(InvalidValueError, match=r"target_class must be 0 \.\.\. 1"):
        SubgraphX(MarkModel(), 1).explain_graph(g, torch.ones(3, 2), 2)


# --- homogeneous graphs ------------------------------------------------------------------------


class FeatureModel(nn.Module):
    """Only feature 0 matters, and only the edge from node 1 to node 0."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(()))
        self.calls: list[tuple] = []

    def forward(
        self,
        graph: gs.Graph,
        feat: Tensor,
        eweight: Tensor | None = None,
        scale: Tensor | None = None,
    ) -> Tensor:
        self.calls.append((self.training, None if scale is None else len(scale)))
        weight = torch.ones(graph.num_edges()) if eweight is None else eweight
        message = gs.ops.u_mul_e_sum(graph, feat[:, :1], weight[:, None])
        return torch.cat([-message, message], dim=1) * self.weight


def star() -> tuple[gs.Graph, Tensor]:
    g = gs.graph(([1, 2, 3, 0], [0, 0, 0, 3]), num_nodes=4)
    feat = torch.zeros(4, 3)
    feat[1] = torch.tensor([3.0, 1.0, 1.0])
    return g, feat


def test_gnnexplainer_finds_edge_and_feature() -> None:
    g, feat = star()
    torch.manual_seed(0)
    explainer = GNNExplainer(
        FeatureModel(), 1, lr=0.1, num_epochs=100, alpha1=0.1, alpha2=0.0, log=False
    )
    center, part, feat_mask, edge_mask = explainer.explain_node(0, g, feat)
    assert part.ndata[gs.NID][center].tolist() == [0]
    first = part.find_edges(int(edge_mask.argmax()))[0]
    assert part.ndata[gs.NID][first].tolist() == [1]
    assert int(feat_mask.argmax()) == 0
    assert feat_mask.shape == (3,)
    assert edge_mask.shape == (part.num_edges(),)
    assert bool(((edge_mask > 0) & (edge_mask < 1)).all())


def test_gnnexplainer_leaves_the_model_alone() -> None:
    g, feat = star()
    model = FeatureModel().train()
    GNNExplainer(model, 1, num_epochs=2, log=False).explain_graph(g, feat)
    assert model.training
    assert [training for training, _ in model.calls] == [False] * 3
    assert model.weight.grad is None


def test_gnnexplainer_restricts_further_arguments() -> None:
    g, feat = star()
    model = FeatureModel()
    explainer = GNNExplainer(model, 1, num_epochs=1, log=False)
    _, part, _, _ = explainer.explain_node(3, g, feat, scale=torch.ones(4))
    assert {rows for _, rows in model.calls} == {part.num_nodes()}
    assert part.num_nodes() < 4


def test_gnnexplainer_logs_if_asked(caplog: pytest.LogCaptureFixture) -> None:
    g, feat = star()
    with caplog.at_level(logging.INFO, "gossamer.nn.explain"):
        GNNExplainer(FeatureModel(), 1, num_epochs=2).explain_graph(g, feat)
        assert [record.message[:7] for record in caplog.records] == ["epoch 1", "epoch 2"]
        GNNExplainer(FeatureModel(), 1, num_epochs=2, log=False).explain_graph(g, feat)
        assert len(caplog.records) == 2


class GraphModel(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = GraphConv(3, 4, allow_zero_in_degree=True)
        self.out = nn.Linear(4, 2)

    def forward(
        self,
        graph: gs.Graph,
        feat: Tensor,
        embed: bool = False,
        edge_weight: Tensor | None = None,
    ) -> Tensor:
        h = self.conv(graph, feat, edge_weight=edge_weight).relu()
        return h if embed else self.out(AvgPooling()(graph, h))


def test_pgexplainer_weighs_by_its_network() -> None:
    g, feat = star()
    model = GraphModel()
    explainer = PGExplainer(model, 4)
    probabilities, weights = explainer.explain_graph(g, feat)
    u, v = g.edges()
    z = model(g, feat, embed=True)
    raw = explainer.elayers(torch.cat([z[u], z[v]], 1)).flatten().sigmoid()
    # Edges 3 -> 0 and 0 -> 3 are the two directions of one.
    both = (raw[2] + raw[3]) / 2
    torch.testing.assert_close(weights, torch.stack([raw[0], raw[1], both, both]))
    wanted = model(g, feat, edge_weight=weights).softmax(-1)
    torch.testing.assert_close(probabilities, wanted)


def test_pgexplainer_trains_its_own_network_alone() -> None:
    g, feat = star()
    explainer = PGExplainer(GraphModel(), 4, coff_budget=1.0)
    own = list(explainer.parameters())
    assert len(own) == 4
    batch = gs.batch([g, g])
    optimizer = torch.optim.Adam(own, lr=0.05)
    torch.manual_seed(0)
    before = explainer.explain_graph(batch, feat.repeat(2, 1))[1].mean()
    for _ in range(20):
        optimizer.zero_grad()
        loss = explainer.train_step(batch, feat.repeat(2, 1), 1.0)
        loss.backward()
        optimizer.step()
    assert loss.dim() == 0
    # Edges cost much, so they lose weight.
    assert explainer.explain_graph(batch, feat.repeat(2, 1))[1].mean() < before - 0.1


def test_pgexplainer_loss() -> None:
    g, _ = star()
    explainer = PGExplainer(GraphModel(), 4, coff_budget=0.5, coff_connect=0.25)
    p = torch.tensor([0.2, 0.9])
    explainer.set_masks(g, p)
    explainer.sparse_mask_values = p
    q = 0.99 * p + 0.005
    entropy = -(q * q.log() + (1 - q) * (1 - q).log()).mean()
    wanted = -torch.tensor(0.7).log() + 0.5 * 1.1 + 0.25 * entropy
    found = explainer.loss(torch.tensor([[0.3, 0.7]]), torch.tensor([1]))
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-4)
    explainer.clear_masks()
    assert explainer.edge_mask is None
    with pytest.raises(InvalidValueError, match="there is no explanation yet"):
        explainer.loss(torch.tensor([[0.3, 0.7]]), torch.tensor([1]))


def test_pgexplainer_draws_around_the_scores() -> None:
    torch.manual_seed(0)
    explainer = PGExplainer(GraphModel(), 4)
    scores = torch.tensor([-2.0, 0.0, 2.0]).repeat(4000, 1)
    drawn = explainer.concrete_sample(scores, beta=0.01)
    torch.testing.assert_close(drawn.mean(0), scores[0].sigmoid(), rtol=0, atol=0.03)
    torch.testing.assert_close(explainer.concrete_sample(scores, training=False), scores.sigmoid())
    biased = PGExplainer(GraphModel(), 4, sample_bias=0.5)
    torch.testing.assert_close(biased.concrete_sample(scores, beta=2.0), (scores / 2).sigmoid())


def test_pgexplainer_explains_nodes_in_parts() -> None:
    g, labels, _ = planted_houses(20, 2)
    model, feat = RoleModel(), torch.ones(g.num_nodes(), 10)
    explainer = PGExplainer(model, 60, num_hops=2, explain_graph=False)
    nodes = torch.tensor([25, 3])
    probabilities, weights, parts, centers = explainer.explain_node(nodes, g, feat)
    assert parts.batch_size == 2
    assert parts.ndata[gs.NID][centers].tolist() == [25, 3]
    assert probabilities.shape == (parts.num_nodes(), 4)
    assert weights.shape == (parts.num_edges(),)
    z = model(parts, feat[parts.ndata[gs.NID]], embed=True)
    u, v = parts.edges()
    own = centers[torch.repeat_interleave(torch.arange(2), parts.batch_num_edges())]
    raw = explainer.elayers(torch.cat([z[u], z[v], z[own]], 1)).flatten().sigmoid()
    backward = explainer.elayers(torch.cat([z[v], z[u], z[own]], 1)).flatten().sigmoid()
    torch.testing.assert_close(weights, (raw + backward) / 2)
    assert explainer.train_step_node(25, g, feat, 1.0).requires_grad
    assert len(labels) == g.num_nodes()


def test_explainers_say_what_they_were_built_for() -> None:
    g, feat = star()
    with pytest.raises(InvalidValueError, match="explains nodes, which needs num_hops"):
        PGExplainer(GraphModel(), 4, explain_graph=False)
    with pytest.raises(InvalidValueError, match="was built for graphs, with explain_graph=True"):
        PGExplainer(GraphModel(), 4, 1).explain_node(0, g, feat)
    with pytest.raises(InvalidValueError, match="was built for nodes, with explain_graph=False"):
        PGExplainer(GraphModel(), 4, 1, explain_graph=False).explain_graph(g, feat)
    with pytest.raises(InvalidValueError, match="there is no node to explain"):
        PGExplainer(GraphModel(), 4, 1, explain_graph=False).explain_node([], g, feat)
    for explainer in (GNNExplainer, PGExplainer, SubgraphX):
        with pytest.raises(InvalidTypeError, match=f"{explainer.__name__}: model is a Module"):
            explainer(len, 1)


# --- heterogeneous graphs ----------------------------------------------------------------------

PLAYS, PLAYED = ("user", "plays", "game"), ("game", "played by", "user")


class TypedModel(nn.Module):
    """Counts the first feature of neighbors; logits of nodes by type, or of the graph."""

    def __init__(self, whole: bool = False) -> None:
        super().__init__()
        self.whole = whole
        names = ("plays", "played by")
        self.conv = HeteroGraphConv(
            {name: GraphConv(2, 2, norm="none", weight=False, bias=False) for name in names}
        )

    def forward(
        self,
        graph: gs.Graph,
        feat: dict[str, Tensor],
        embed: bool = False,
        edge_weight: dict | None = None,
        eweight: dict | None = None,
    ) -> dict[str, Tensor] | Tensor:
        weights = (eweight if edge_weight is None else edge_weight) or {}
        kwargs = {etype: {"edge_weight": w} for etype, w in weights.items()}
        h = self.conv(graph, feat, mod_kwargs=kwargs)
        if embed:
            return h
        logits = {key: torch.stack([-x[:, 0], x[:, 0] - 1], 1) for key, x in h.items()}
        return sum(x.mean(0, keepdim=True) for x in logits.values()) if self.whole else logits


def typed_graph() -> tuple[gs.Graph, dict[str, Tensor]]:
    """Game 0 has the class of user 1, the only one with a feature."""
    u, v = torch.tensor([0, 1, 2, 2]), torch.tensor([0, 0, 0, 1])
    g = gs.heterograph({PLAYS: (u, v), PLAYED: (v, u)})
    return g, {"user": torch.tensor([[0.0, 1], [4, 1], [0, 1]]), "game": torch.zeros(2, 2)}


def test_hetero_gnnexplainer() -> None:
    g, feat = typed_graph()
    torch.manual_seed(0)
    explainer = HeteroGNNExplainer(
        TypedModel(), 1, lr=0.1, num_epochs=100, alpha1=0.1, alpha2=0.0, log=False
    )
    center, part, feat_masks, edge_masks = explainer.explain_node("game", 0, g, feat)
    assert part.nodes["game"].data[gs.NID][center].tolist() == [0]
    best = part.find_edges(int(edge_masks[PLAYS].argmax()), etype="plays")[0]
    assert part.nodes["user"].data[gs.NID][best].tolist() == [1]
    assert int(feat_masks["user"].argmax()) == 0
    assert set(edge_masks) == set(part.canonical_etypes)

    whole = HeteroGNNExplainer(TypedModel(whole=True), 1, num_epochs=2, log=False)
    feat_masks, edge_masks = whole.explain_graph(g, feat)
    assert {key: tuple(x.shape) for key, x in feat_masks.items()} == {"user": (2,), "game": (2,)}
    assert {key: len(x) for key, x in edge_masks.items()} == {PLAYS: 4, PLAYED: 4}


def test_hetero_pgexplainer() -> None:
    g, feat = typed_graph()
    model = TypedModel(whole=True)
    explainer = HeteroPGExplainer(model, 2)
    probabilities, weights = explainer.explain_graph(g, feat)
    assert probabilities.shape == (1, 2)
    z = model(g, feat, embed=True)
    u, v = g.edges(etype="plays")
    there = explainer.elayers(torch.cat([z["user"][u], z["game"][v]], 1)).flatten().sigmoid()
    back = explainer.elayers(torch.cat([z["game"][v], z["user"][u]], 1)).flatten().sigmoid()
    torch.testing.assert_close(weights, {PLAYS: (there + back) / 2, PLAYED: (there + back) / 2})
    assert explainer.train_step(g, feat, 2.0).requires_grad

    nodes = {"game": [1, 0], "user": [1]}
    explainer = HeteroPGExplainer(TypedModel(), 2, num_hops=1, explain_graph=False)
    probabilities, weights, parts, centers = explainer.explain_node(nodes, g, feat)
    assert parts.batch_size == 3
    for ntype, ids in nodes.items():
        assert parts.nodes[ntype].data[gs.NID][centers[ntype]].tolist() == ids
        assert probabilities[ntype].shape == (parts.num_nodes(ntype), 2)
    assert {key: len(x) for key, x in weights.items()} == {
        etype: parts.num_edges(etype) for etype in parts.canonical_etypes
    }
    loss = explainer.train_step_node(nodes, g, feat, 1.0)
    loss.backward()
    assert all(p.grad.isfinite().all() for p in explainer.parameters())
    with pytest.raises(InvalidTypeError, match="nodes are ids by node type, a dict"):
        explainer.explain_node([0], g, feat)


def test_hetero_subgraphx() -> None:
    g, feat = typed_graph()
    torch.manual_seed(0)
    explainer = HeteroSubgraphX(
        TypedModel(whole=True), 1, num_rollouts=10, node_min=2, shapley_steps=5
    )
    found = explainer.explain_graph(g, feat, target_class=1)
    assert 1 in found["user"].tolist()
    assert sum(len(ids) for ids in found.values()) == 2
