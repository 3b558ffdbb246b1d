"""DeepWalk and MetaPath2Vec: pairs, losses, and vectors that tell communities apart."""

from __future__ import annotations

import pickle

import pytest
import torch
from torch.nn import functional as F
from torch.utils.data import DataLoader

import gossamer as gs
from gossamer.errors import InvalidTypeError, InvalidValueError, UnknownKeyError
from gossamer.nn import DeepWalk, MetaPath2Vec


def two_rings() -> gs.Graph:
    """Two rings of six nodes that touch nowhere."""
    u = torch.arange(6)
    v = (u + 1) % 6
    ends = torch.cat([u, v]), torch.cat([v, u])
    return gs.graph(tuple(torch.cat([end, end + 6]) for end in ends))


def companies() -> gs.Graph:
    u, v = torch.tensor([0, 1, 2]), torch.tensor([0, 1, 1])
    return gs.heterograph({("user", "uc", "company"): (u, v), ("company", "cu", "user"): (v, u)})


def test_walks_follow_edges() -> None:
    g = two_rings()
    model = DeepWalk(g, 4, walk_length=5, window_size=2)
    walks = model.sample(torch.tensor([3, 7]))
    assert walks.shape == (2, 5)
    assert walks[:, 0].tolist() == [3, 7]
    assert bool(g.has_edges_between(walks[:, :-1].flatten(), walks[:, 1:].flatten()).all())
    assert model.sample([1]).shape == (1, 5)


def test_pairs_of_a_window() -> None:
    model = DeepWalk(two_rings(), 4, walk_length=4, window_size=2)
    found = set(zip(model.idx_list_src.tolist(), model.idx_list_dst.tolist(), strict=True))
    assert found == {(i, j) for i in range(4) for j in range(4) if 0 < abs(i - j) <= 2}


def test_deepwalk_loss() -> None:
    """Where all nodes but one have one vector, the random nodes are known."""
    model = DeepWalk(two_rings(), 4, walk_length=3, window_size=1, neg_weight=2, negative_size=3)
    with torch.no_grad():
        model.node_embed.weight.copy_(torch.randn(12, 4))
        model.context_embed.weight.copy_(torch.randn(4).expand(12, 4))
    walks = torch.tensor([[0, 1, 2], [4, 5, 4]])
    z, c = model.node_embed.weight, model.context_embed.weight[0]
    centers = [0, 1, 1, 2, 4, 5, 5, 4]
    scores = torch.stack([z[i] @ c for i in centers])
    wanted = -F.logsigmoid(scores).mean() - 6 * F.logsigmoid(-scores).mean()
    torch.testing.assert_close(model(walks), wanted)


def test_the_end_of_a_walk_makes_no_pairs() -> None:
    g = gs.graph(([0, 1], [1, 2]), num_nodes=3)
    model = DeepWalk(g, 4, walk_length=4, window_size=1, neg_weight=0, sparse=False)
    torch.nn.init.normal_(model.context_embed.weight)
    walks = model.sample(torch.arange(3))
    assert walks.tolist() == [[0, 1, 2, -1], [1, 2, -1, -1], [2, -1, -1, -1]]
    z, c = model.node_embed.weight, model.context_embed.weight
    pairs = [(0, 1), (1, 0), (1, 2), (2, 1), (1, 2), (2, 1)]
    scores = torch.stack([z[i] @ c[j] for i, j in pairs])
    torch.testing.assert_close(model(walks), -F.logsigmoid(scores).mean())
    with pytest.raises(InvalidValueError, match="no walk has two nodes"):
        model(walks[2:])


@pytest.mark.parametrize("fast_neg", [False, True])
def test_deepwalk_tells_two_rings_apart(fast_neg: bool) -> None:
    torch.manual_seed(0)
    gs.seed(0)
    model = DeepWalk(two_rings(), 8, walk_length=8, window_size=3, fast_neg=fast_neg)
    optimizer = torch.optim.SparseAdam(list(model.parameters()), lr=0.1)
    for _ in range(30):
        for walks in DataLoader(torch.arange(12), 12, collate_fn=model.sample):
            optimizer.zero_grad()
            model(walks).backward()
            optimizer.step()
    z = F.normalize(model.node_embed.weight.detach(), dim=1)
    same = z @ z.T
    within = (same[:6, :6].mean() + same[6:, 6:].mean()) / 2
    assert float(within - same[:6, 6:].mean()) > 0.5


def test_probabilities_of_random_nodes() -> None:
    g = gs.graph(([0, 0, 0, 1, 1, 2], [1, 2, 1, 0, 2, 0]))
    model = DeepWalk(g, 4, walk_length=3, window_size=1, fast_neg=False)
    degrees = torch.tensor([3.0, 2.0, 1.0]) ** 0.75
    torch.testing.assert_close(model.neg_prob, degrees / degrees.sum())
    # Every walk of this graph along the path visits the company of its user.
    model = MetaPath2Vec(companies(), ["uc"], 1, 4)
    visits = torch.tensor([1.0, 2.0, 1.0, 1.0, 1.0]) ** 0.75
    torch.testing.assert_close(model.neg_prob, visits / visits.sum())


def test_metapath2vec_pairs() -> None:
    model = MetaPath2Vec(companies(), ["uc", "cu"], 2, 4, negative_size=3)
    assert model.local_to_global_nid == {"company": [0, 1], "user": [2, 3, 4]}
    assert model.node_metapath == ["user", "company", "user"]
    u, v, others = model.sample([0])
    pairs = sorted(zip(u.tolist(), v.tolist(), strict=True))
    # User 0 and company 0 have one another alone.
    assert pairs == sorted([(2, 0), (0, 2), (0, 2), (2, 0), (2, 2), (2, 2)])
    assert others.shape == (6, 3)
    assert bool(((others >= 0) & (others < 5)).all())
    u, v, others = model.sample(torch.tensor([0, 1, 2]))
    assert len(u) == len(v) == len(others) == 18


def test_metapath2vec_loss_and_gradients() -> None:
    model = MetaPath2Vec(companies(), ["uc", "cu"], 1, 4, negative_size=2)
    torch.nn.init.normal_(model.context_embed.weight)
    u, v = torch.tensor([2, 0]), torch.tensor([0, 3])
    others = torch.tensor([[4, 1], [2, 2]])
    z, c = model.node_embed.weight, model.context_embed.weight
    rows = []
    for i in range(2):
        far = sum(F.logsigmoid(-z[u[i]] @ c[n]) for n in others[i])
        rows.append(-F.logsigmoid(z[u[i]] @ c[v[i]]) - far)
    loss = model(u, v, others)
    torch.testing.assert_close(loss, torch.stack(rows).mean())
    loss.backward()
    assert model.node_embed.weight.grad.is_sparse


def test_tables_start_and_start_again() -> None:
    for model in (DeepWalk(two_rings(), 4, 5, 2), MetaPath2Vec(companies(), ["uc"], 1, 4)):
        before = model.node_embed.weight.clone()
        assert before.abs().max() <= 0.25
        assert not model.context_embed.weight.any()
        model.reset_parameters()
        assert not torch.equal(model.node_embed.weight, before)
        other = pickle.loads(pickle.dumps(model))
        torch.testing.assert_close(other.node_embed.weight, model.node_embed.weight)


def test_bad_input() -> None:
    g = companies()
    with pytest.raises(InvalidValueError, match=r"walk_length \(3\) must be at least window_size"):
        DeepWalk(two_rings(), 4, 3, 5)
    with pytest.raises(InvalidValueError, match=r"walks must have shape \(batch, 5\)"):
        DeepWalk(two_rings(), 4, 5, 2)(torch.zeros(2, 4, dtype=torch.long))
    with pytest.raises(InvalidTypeError, match="DeepWalk"):
        DeepWalk("graph")
    with pytest.raises(UnknownKeyError, match="no edge type 'xy'; the graph has"):
        MetaPath2Vec(g, ["xy"], 1)
    with pytest.raises(InvalidValueError, match="'uc' starts at 'user', but 'uc' before it ends"):
        MetaPath2Vec(g, ["uc", "uc"], 1)
    with pytest.raises(InvalidValueError, match="metapath needs at least one edge type"):
        MetaPath2Vec(g, [], 1)
