"""Train GC-MC on MovieLens as in van den Berg, Kipf and Welling, 2017.

"Graph Convolutional Matrix Completion", table 4: RMSE 0.910 on ml-100k, split u1, without features.

The paper's setting: users and movies have no features but their number; a table of messages for
each rating, 500 units that are means over the neighbors, a dense layer of 75 units, a decoder of
two bilinear forms with a softmax over ratings; node dropout 0.7, 1,000 epochs of full-batch Adam
with learning rate 0.01, averaged weights to test with. All of u1.base is trained on. Departure:
the average forgets faster. Other sets have no given test part; a random tenth is.

    python examples/gcmc.py --dataset ml-100k
"""

from __future__ import annotations

import argparse

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

import gossamer as gs
from _run import Parser, above, progress, report, share
from gossamer import function as fn

PUBLISHED = {"ml-100k": "0.910"}
DATASETS = ("ml-100k", "ml-1m", "ml-10m")
HIDDEN, OUT, BASES, DECAY = 500, 75, 2, 0.99
KINDS = ("user", "movie")


class GCMC(nn.Module):
    """Logits of the ratings of pairs of a user and a movie."""

    def __init__(self, sizes: dict[str, int], levels: int, dropout: float):
        super().__init__()
        width = HIDDEN // levels
        self.messages = nn.ModuleDict(
            {kind: nn.Embedding(count, levels * width) for kind, count in sizes.items()}
        )
        self.dense = nn.ModuleDict(
            {kind: nn.Linear(levels * width, OUT, bias=False) for kind in sizes}
        )
        self.forms = nn.Parameter(torch.empty(BASES, OUT, OUT))
        self.mix = nn.Linear(BASES, levels, bias=False)
        self.levels, self.dropout = levels, dropout
        for weight in (*(table.weight for table in self.messages.values()), self.forms):
            nn.init.xavier_uniform_(weight)

    def forward(self, graph: gs.Graph, pairs: gs.Graph) -> Tensor:
        for kind in KINDS:
            table = self.messages[kind].weight
            # Each node is dropped as a whole, as its one-hot feature is.
            kept = F.dropout(table.new_ones(len(table), 1), self.dropout, self.training)
            # The messages of a rating contain those of all ratings below it.
            steps = (table * kept).view(len(table), self.levels, -1).cumsum(1)
            for level in range(self.levels):
                graph.nodes[kind].data[f"m{level}"] = steps[:, level]
        for source, target in (KINDS, KINDS[::-1]):
            for level in range(self.levels):
                graph.update_all(
                    fn.copy_u(f"m{level}", "m"),
                    fn.sum("m", f"h{level}"),
                    etype=(source, f"{level} to", target),
                )
        outputs = {}
        for kind in KINDS:
            data = graph.nodes[kind].data
            h = torch.cat([data[f"h{level}"] for level in range(self.levels)], 1)
            h = F.dropout(F.relu(h / data["degree"]), self.dropout, self.training)
            outputs[kind] = self.dense[kind](h)
        users, movies = outputs["user"], outputs["movie"]
        scores = [gs.ops.u_dot_v(pairs, users @ form, movies) for form in self.forms]
        return self.mix(torch.cat(scores, 1))


def split(graph: gs.Graph) -> tuple[gs.Graph, dict[str, tuple[gs.Graph, Tensor]], Tensor]:
    """Return the graph of messages, the pairs of each part with their ratings, and all ratings."""
    user, movie = graph.edges(etype="user-movie")
    data = graph.edges["user-movie"].data
    ratings, number = data["rate"].unique(return_inverse=True)
    sizes = {kind: graph.num_nodes(kind) for kind in KINDS}
    parts = {}
    for part, mask in (("train", ~data["test_mask"]), ("test", data["test_mask"])):
        edges = {("user", "rates", "movie"): (user[mask], movie[mask])}
        parts[part] = gs.heterograph(edges, sizes), number[mask]
    train, edges = ~data["test_mask"], {}
    for level in range(len(ratings)):
        chosen = train & (number == level)
        edges["user", f"{level} to", "movie"] = user[chosen], movie[chosen]
        edges["movie", f"{level} to", "user"] = movie[chosen], user[chosen]
    messages = gs.heterograph(edges, sizes)
    for kind, ends in zip(KINDS, (user, movie), strict=True):
        degree = torch.bincount(ends[train], minlength=sizes[kind]).clamp(min=1)
        messages.nodes[kind].data["degree"] = degree.float().unsqueeze(1)
    return messages, parts, ratings


def train(graph: gs.Graph, seed: int, args: argparse.Namespace) -> float:
    """Return the RMSE of the ratings to test on after the last epoch."""
    gs.seed(seed)
    messages, parts, ratings = split(graph)
    sizes = {kind: graph.num_nodes(kind) for kind in KINDS}
    model = GCMC(sizes, len(ratings), args.dropout)
    average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(DECAY))
    optimizer = torch.optim.Adam(model.parameters(), args.lr)
    pairs, number = parts["train"]
    for epoch in range(1, args.epochs + 1):
        model.train()
        loss = F.cross_entropy(model(messages, pairs), number)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        average.update_parameters(model)
        progress(epoch, args.epochs, f"seed {seed}: loss {loss.item():.4f}, epoch")
    pairs, number = parts["test"]
    with torch.no_grad():
        expected = average.eval()(messages, pairs).softmax(1) @ ratings
    rmse = (expected - ratings[number]).square().mean().sqrt().item()
    print(f"seed {seed}: training loss {loss.item():.4f}, test RMSE {rmse:.4f}", flush=True)
    return rmse


def main(args: argparse.Namespace) -> None:
    """Train once for each seed and print mean and standard deviation."""
    graph = gs.data.MovieLensDataset(args.dataset, 0.1, 0.1, raw_dir=args.raw_dir)[0]
    scores = [train(graph, seed, args) for seed in range(args.seeds)]
    report(f"GC-MC on {args.dataset}", "RMSE", scores, PUBLISHED.get(args.dataset), digits=4)


if __name__ == "__main__":
    parser = Parser(__doc__)
    parser.common(DATASETS, "u.user, u.item, u1.base and u1.test", epochs=1000, seeds=3)
    parser.option("--lr", above(0), 0.01, "learning rate")
    parser.option("--dropout", share, 0.7, "dropout rate")
    parser.run(main)
