"""Train DeepWalk or node2vec and classify nodes by several labels.

Perozzi et al., "DeepWalk", KDD 2014, and Grover and Leskovec, "node2vec", KDD 2016: BlogCatalog,
128 units. DeepWalk's table 2: Micro-F1 41.0 and Macro-F1 27.3 where half of the nodes train a
one-vs-rest logistic regression; node2vec's table 2: Macro-F1 25.8, DeepWalk 21.1. A node gets as
many labels as it has, those with the highest scores.

The papers' setting: 80 walks (node2vec: 10) of 40 (80) nodes from each node, windows of 10, p = q
= 0.25 for node2vec on this set. Departures: DeepWalk has negative samples, too, instead of a
hierarchical softmax; all pairs of a step share them; an epoch is a walk from each node, and there
are fewer; the classifier gets vectors of length 1. Its penalty is the best of four (C = 0.25, 1, 4,
16) in a cross-validation on the nodes that train it.

    python examples/node_embeddings.py --model node2vec
"""

from __future__ import annotations

import argparse
import warnings

import torch
from torch import Tensor, nn
from torch.nn import functional as F

import gossamer as gs
from _run import Parser, above, at_least, progress, report, share

PUBLISHED = {
    ("deepwalk", "Micro-F1"): "41.0",
    ("deepwalk", "Macro-F1"): "27.3",
    ("node2vec", "Micro-F1"): None,
    ("node2vec", "Macro-F1"): "25.8",
}
DATASETS = ("blogcatalog", "yelp")
P, Q, NEGATIVES = 0.25, 0.25, 5


def embed(graph: gs.Graph, seed: int, args: argparse.Namespace) -> Tensor:
    """Return a vector for each node from the skip-gram model of random walks."""
    gs.seed(seed)
    start = {
        "center": lambda x: nn.init.uniform_(x, -0.5 / args.size, 0.5 / args.size),
        "around": None,
    }
    center, around = (
        gs.nn.NodeEmbedding(graph.num_nodes(), args.size, name, init)
        for name, init in start.items()
    )
    optimizer = gs.optim.SparseAdam([center, around], args.lr)
    place = torch.arange(args.length)
    apart = (place - place.unsqueeze(1)).abs()
    near = (apart > 0) & (apart <= args.window)
    noise_weight = graph.in_degrees().float().pow(0.75)
    batches = torch.cat([torch.randperm(graph.num_nodes()) for _ in range(args.epochs)]).split(
        args.batch
    )
    for step, nodes in enumerate(batches, 1):
        if args.model == "node2vec":
            walks = gs.sampling.node2vec_random_walk(graph, nodes, P, Q, args.length - 1)
        else:
            walks = gs.sampling.random_walk(graph, nodes, length=args.length - 1)[0]
        z, noise = center(walks), around(noise_weight.multinomial(args.noise, replacement=True))
        told = F.logsigmoid((z @ around(walks).transpose(1, 2))[:, near]).sum()
        # Five nodes of noise for each pair: here all of them, with a smaller weight.
        told = told + NEGATIVES * (F.logsigmoid(-z @ noise.T).mean(2) @ near.sum(1).float()).sum()
        loss = -told / (len(walks) * near.sum())
        optimizer.param_groups[0]["lr"] = args.lr * (1 - (step - 1) / len(batches))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        progress(step, len(batches), f"seed {seed}: loss {loss.item():.3f}, step")
    return center.weight


def classify(x: Tensor, label: Tensor, part: float, seed: int) -> tuple[float, float]:
    """Return Micro-F1 and Macro-F1 in percent of the nodes that are not trained on."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import f1_score
    from sklearn.multiclass import OneVsRestClassifier

    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(seed))
    train, test = order.split([int(part * len(x)), len(x) - int(part * len(x))])
    label, x = label.long(), F.normalize(x)
    model = OneVsRestClassifier(LogisticRegression(C=4, solver="liblinear"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a label without a node to train on
        scores = torch.as_tensor(model.fit(x[train], label[train]).predict_proba(x[test]))
    rank = scores.argsort(1, descending=True).argsort(1)
    predicted = rank < label[test].sum(1, keepdim=True)
    return tuple(
        100 * f1_score(label[test], predicted, average=how, zero_division=0)
        for how in ("micro", "macro")
    )


def main(args: argparse.Namespace) -> None:
    """Embed and classify once for each seed and print mean and standard deviation."""
    graph = gs.data.registry.load(args.dataset, args.raw_dir)[0]
    label = graph.ndata["label"]
    graph = gs.to_bidirected(gs.remove_self_loop(graph))
    micro, macro = [], []
    for seed in range(args.seeds):
        scores = classify(embed(graph, seed, args), label, args.train, seed)
        micro.append(scores[0]), macro.append(scores[1])
        print(f"seed {seed}: Micro-F1 {scores[0]:.2f}, Macro-F1 {scores[1]:.2f}", flush=True)
    title = f"{args.model} on {args.dataset}"
    of_paper = args.dataset == "blogcatalog" and args.train == 0.5
    for name, scores in (("Macro-F1", macro), ("Micro-F1", micro)):
        report(title, name, scores, PUBLISHED[args.model, name] if of_paper else None)


if __name__ == "__main__":
    parser = Parser(__doc__)
    parser.option("--model", ("deepwalk", "node2vec"), "deepwalk", "model to train")
    parser.common(DATASETS, "blogcatalog.mat", epochs=10, seeds=1)
    parser.option("--size", at_least(1), 128, "width of the vectors")
    parser.option("--length", at_least(2), 40, "nodes in a walk")
    parser.option("--window", at_least(1), 10, "most steps between the nodes of a pair")
    parser.option("--batch", at_least(1), 16, "walks in a step")
    parser.option("--noise", at_least(1), 256, "random nodes of a step")
    parser.option("--lr", above(0), 0.05, "learning rate, which falls to 0 in a line")
    parser.option("--train", share, 0.5, "share of the nodes to train the classifier on")
    parser.run(main)
