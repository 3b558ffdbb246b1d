"""Train LightGCN or a PinSAGE-style model to recommend movies, beside two baselines.

He et al., "LightGCN", SIGIR 2020, and Ying et al., "Graph Convolutional Neural Networks for
Web-Scale Recommender Systems", KDD 2018. Neither paper has this set. The protocol here: every
rating of u1.base and u1.test is an interaction, whatever its value; a twentieth of those of u1.base
chooses the epoch; all movies that a user has not interacted with are ranked; Recall@20 and NDCG@20
are means over the users with something to test.

Baselines: the most popular movies, and matrix factorization, which is LightGCN without a layer. All
models learn by Bayesian personalized ranking. The PinSAGE-style model has vectors of movies alone:
layers pool the 20 movies that random walks visit most often, weighted by visits, and a user is the
mean of the movies it has interacted with, without the one to predict.

    python examples/recommendation.py --model lightgcn
"""

from __future__ import annotations

import argparse

import torch
from torch import Tensor, nn
from torch.nn import functional as F

import gossamer as gs
from _run import Parser, above, at_least, progress, report
from gossamer.nn.models import LightGCN

DATASETS = ("ml-100k", "ml-1m", "ml-10m")
MODELS = ("lightgcn", "pinsage", "matrix", "popular")
TOP = 20
Pairs = tuple[Tensor, Tensor]


class Factors(nn.Module):
    """Vectors of users and movies from LightGCN over the graph of their interactions."""

    def __init__(self, graph: gs.Graph, size: int, layers: int):
        super().__init__()
        self.sizes = [graph.num_nodes(kind) for kind in ("movie", "user")]
        self.graph = gs.to_homogeneous(graph)  # node types in the order of the alphabet
        self.model = LightGCN(sum(self.sizes), size, layers)

    def forward(self) -> Pairs:
        movies, users = self.model(self.graph).split(self.sizes)
        return users, movies


class PinSAGE(nn.Module):
    """Vectors of movies from the movies that random walks visit, and means of them for users."""

    def __init__(self, graph: gs.Graph, size: int, layers: int):
        super().__init__()
        self.seen, self.feat = graph["movie-user"], graph.nodes["movie"].data["feat"]
        self.embedding = nn.Parameter(0.1 * torch.randn(len(self.feat), size))
        self.genres = nn.Linear(self.feat.shape[1], size)
        self.far = nn.ModuleList(nn.Linear(size, size) for _ in range(layers))
        self.own = nn.ModuleList(nn.Linear(2 * size, size) for _ in range(layers))
        sampler = gs.sampling.PinSAGESampler(graph, "movie", "user", 2, 0.5, 200, 20)
        self.near = sampler(torch.arange(len(self.feat)))
        visits = self.near.edata["weights"].float().unsqueeze(1)
        total = gs.ops.copy_e_sum(self.near, visits)
        self.share = gs.ops.e_div_v(self.near, visits, total)

    def forward(self) -> Pairs:
        h = self.embedding + self.genres(self.feat)
        for far, own in zip(self.far, self.own, strict=True):
            pooled = gs.ops.u_mul_e_sum(self.near, F.relu(far(h)), self.share)
            h = h + own(torch.cat([h, pooled], 1))
        return gs.ops.copy_u_mean(self.seen, h), h


@torch.no_grad()
def quality(scores: Tensor, seen: Pairs, wanted: Pairs) -> tuple[float, float]:
    """Return NDCG@20 and Recall@20 over the users who have wanted movies."""
    scores, relevant = scores.clone(), torch.zeros_like(scores)
    scores[seen], relevant[wanted] = -torch.inf, 1
    count = relevant.sum(1)
    hits = relevant.gather(1, scores.topk(TOP).indices)[count > 0]
    count = count[count > 0]
    discount = torch.arange(2, TOP + 2).float().log2().reciprocal()
    best = discount.cumsum(0)[count.clamp(max=TOP).long() - 1]
    return (hits @ discount / best).mean().item(), (hits.sum(1) / count).mean().item()


def split(graph: gs.Graph) -> tuple[gs.Graph, dict[str, Pairs]]:
    """Return the graph of the interactions to train on, and the pairs of each part."""
    ends, data = graph.edges(etype="user-movie"), graph.edges["user-movie"].data
    masks = {part: data[f"{part}_mask"] for part in ("train", "valid", "test")}
    pairs = {part: tuple(end[mask] for end in ends) for part, mask in masks.items()}
    known = {etype: graph.edges[etype].data["train_mask"] for etype in graph.etypes}
    return gs.edge_subgraph(graph, known, relabel_nodes=False), pairs


def train(graph: gs.Graph, seed: int, args: argparse.Namespace) -> float:
    """Return the test NDCG@20 of the epoch with the best validation NDCG@20."""
    gs.seed(seed)
    graph, pairs = split(graph)
    base = tuple(torch.cat(ends) for ends in zip(pairs["train"], pairs["valid"], strict=True))
    if args.model == "popular":
        visits = torch.bincount(base[1], minlength=graph.num_nodes("movie")).float()
        ndcg, recall = quality(visits.expand(graph.num_nodes("user"), -1), base, pairs["test"])
        print(f"Recall@{TOP} {recall:.4f}, NDCG@{TOP} {ndcg:.4f}")
        return ndcg
    layers = 0 if args.model == "matrix" else args.layers
    model = (PinSAGE if args.model == "pinsage" else Factors)(graph, args.size, layers)
    optimizer = torch.optim.Adam(model.parameters(), args.lr)
    count = graph.out_degrees(etype="user-movie").unsqueeze(1)
    best = (-1.0, 0.0, 0.0, 0)
    for epoch in range(1, args.epochs + 1):
        for batch in torch.randperm(len(pairs["train"][0])).split(args.batch):
            user, movie = (ends[batch] for ends in pairs["train"])
            users, movies = model()
            wrong = torch.randint(len(movies), user.shape)
            own, good, bad = users[user], movies[movie], movies[wrong]
            if args.model == "pinsage":
                own = (own * count[user] - good) / (count[user] - 1).clamp(min=1)
            size = (own.square() + good.square() + bad.square()).sum(1).mean()
            loss = F.softplus(-(own * (good - bad)).sum(1)).mean() + args.penalty * size
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        progress(epoch, args.epochs, f"seed {seed}: loss {loss.item():.4f}, epoch")
        if epoch % 5 == 0 or epoch == args.epochs:
            users, movies = model()
            val = quality(users @ movies.T, pairs["train"], pairs["valid"])[0]
            best = max(best, (val, *quality(users @ movies.T, base, pairs["test"]), epoch))
    found = f"Recall@{TOP} {best[2]:.4f}, NDCG@{TOP} {best[1]:.4f}"
    print(f"seed {seed}, epoch {best[3]}: {found}", flush=True)
    return best[1]


def main(args: argparse.Namespace) -> None:
    """Train once for each seed and print mean and standard deviation."""
    graph = gs.data.MovieLensDataset(args.dataset, 0.05, 0.1, raw_dir=args.raw_dir)[0]
    scores = [train(graph, seed, args) for seed in range(args.seeds)]
    report(f"{args.model} on {args.dataset}", f"NDCG@{TOP}", scores, None, digits=4)


if __name__ == "__main__":
    parser = Parser(__doc__)
    parser.option("--model", MODELS, "lightgcn", "model to train")
    parser.common(DATASETS, "u.user, u.item, u1.base and u1.test", epochs=60, seeds=3)
    parser.option("--size", at_least(1), 64, "width of the vectors")
    parser.option("--layers", at_least(1), 2, "layers of lightgcn and pinsage")
    parser.option("--batch", at_least(1), 4096, "interactions in a step")
    parser.option("--lr", above(0), 0.005, "learning rate")
    parser.option("--penalty", at_least(0.0), 1e-3, "factor of the squared length of vectors")
    parser.run(main)
