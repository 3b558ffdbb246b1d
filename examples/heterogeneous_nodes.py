"""Train HAN, HGT or R-GCN on nodes of one type, then score the embeddings by a linear SVM.

The protocol of Fu et al., "MAGNN", WWW 2020, on DBLP: 400 authors to train, 400 to validate, stop
after 100 epochs without a lower validation loss; a linear SVM learns the classes of the other 3,257
authors from their embeddings, 20 % or 80 % of them to train it; macro F1. The paper has figures of
HAN alone. HAN (Wang et al., WWW 2019): eight heads of eight units, all metapaths that return to the
type over one or two others. HGT (Hu et al., 2020) and R-GCN (Schlichtkrull et al., 2018): 64 units.

Departures: features of authors and papers are the common terms of titles, not MAGNN's 334 keywords;
other nodes have learned vectors; the splits are random, for MAGNN's are not in the raw files.
`--dataset csv --raw-dir FOLDER` reads your own graph from FOLDER/meta.yaml (see
`gossamer.data.CSVDataset`); one node type has a column label, -1 where it is not known.

    python examples/heterogeneous_nodes.py --model han
"""

from __future__ import annotations

import argparse
import copy
import itertools

import torch
from torch import Tensor, nn
from torch.nn import functional as F

import gossamer as gs
from _run import Parser, progress, report
from gossamer.nn.models import HAN, HGT, RGCN

PUBLISHED = {("han", "dblp", 0.2): 91.69, ("han", "dblp", 0.8): 92.50}
WIDTH, PATIENCE = 64, 100


def load(args: argparse.Namespace) -> tuple[gs.Graph, str]:
    """Return the graph and the type of the nodes that have classes."""
    if args.dataset == "csv":
        g = gs.AddReverse()(gs.data.CSVDataset(args.raw_dir or ".", verbose=False)[0])
    else:
        g = gs.data.DBLPDataset(raw_dir=args.raw_dir)[0]
    found = [ntype for ntype in g.ntypes if "label" in g.nodes[ntype].data]
    if len(found) != 1:
        raise gs.InvalidValueError(f"One node type must have labels, but {found or 'none'} do.")
    label = g.nodes[found[0]].data["label"]
    if label.is_floating_point() or label.min() < -1 or label.max() < 1:
        raise gs.InvalidValueError(f"Labels of '{found[0]}' must be classes 0, 1, ..., or -1.")
    if not all(g.nodes[t].data.get("feat", torch.zeros(0)).isfinite().all() for t in g.ntypes):
        raise gs.InvalidValueError("Features hold values that are not finite.")
    return g, found[0]


def metapaths(g: gs.Graph, target: str) -> dict[str, list]:
    """Return the paths target-A-target and target-A-B-A-target, named by the other types."""
    step = {(u, v): (u, name, v) for u, name, v in g.canonical_etypes}
    both = {pair for pair in step if pair[::-1] in step and pair[0] != pair[1]}
    paths = {"direct": (target, target)} if (target, target) in step else {}
    paths |= {f"over {t}": (target, t, target) for t in g.ntypes if (target, t) in both}
    for u, v in sorted(both):
        if (target, u) in both and v != target:
            paths[f"over {u} and {v}"] = (target, u, v, u, target)
    return {name: [step[pair] for pair in itertools.pairwise(path)] for name, path in paths.items()}


class Classifier(nn.Module):
    """Learned vectors for nodes without features, an encoder, and a linear map."""

    def __init__(self, kind: str, g: gs.Graph, target: str, classes: int):
        super().__init__()
        self.kind, self.target = kind, target
        given = {t: g.nodes[t].data["feat"].float() for t in g.ntypes if "feat" in g.nodes[t].data}
        self.feat = {t: F.normalize(x, p=2, dim=1) for t, x in given.items()}
        free = [t for t in g.ntypes if t not in given and (kind != "han" or t == target)]
        self.free = nn.ParameterDict({t: 0.1 * torch.randn(g.num_nodes(t), WIDTH) for t in free})
        feat = self.feat | dict(self.free)
        if kind == "han":
            self.encoder = HAN.from_graph(g, feat[target], 8, WIDTH)
        else:
            model = HGT if kind == "hgt" else RGCN
            self.encoder = model.from_graph(g, feat, WIDTH, WIDTH, dropout=0.5)
        self.last = nn.Linear(WIDTH, classes)

    def embed(self, g: gs.Graph) -> Tensor:
        feat = self.feat | dict(self.free)
        one = self.kind == "han"
        return self.encoder(g, feat[self.target]) if one else self.encoder(g, feat)[self.target]

    def forward(self, g: gs.Graph) -> Tensor:
        return self.last(self.embed(g))


def train(args: argparse.Namespace, g: gs.Graph, target: str, seed: int) -> dict[float, float]:
    """Return macro F1 in percent of one run for each share of the test nodes that fits the SVM."""
    gs.seed(seed)
    label = g.nodes[target].data["label"]
    known = (label >= 0).nonzero().flatten()
    size = min(400, len(known) // 5)
    fitted, val, test = known[torch.randperm(len(known))].tensor_split((size, 2 * size))
    if args.model == "han":
        g = gs.AddMetaPaths(metapaths(g, target), keep_orig_edges=False)(g)
    model = Classifier(args.model, g, target, int(label.max()) + 1)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.005, weight_decay=0.001)
    lowest, best, kept = float("inf"), {}, 0
    for epoch in range(args.epochs):
        progress(epoch + 1, args.epochs, f"seed {seed}: epoch")
        model.train()
        loss = F.cross_entropy(model(g)[fitted], label[fitted])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        model.eval()
        with torch.no_grad():
            val_loss = F.cross_entropy(model(g)[val], label[val]).item()
        if val_loss < lowest:
            lowest, best, kept = val_loss, copy.deepcopy(model.state_dict()), epoch
        if epoch - kept == PATIENCE:
            break
    model.load_state_dict(best)
    x = model.embed(g)[test].detach()
    return {share: svm(x, label[test], share) for share in (0.2, 0.8)}


def svm(x: Tensor, label: Tensor, share: float) -> float:
    """Return macro F1 in percent of a linear SVM, the mean of ten random splits."""
    from sklearn.model_selection import StratifiedShuffleSplit, cross_val_score
    from sklearn.svm import LinearSVC

    splits = StratifiedShuffleSplit(10, train_size=share, random_state=0)
    data, machine = (x.numpy(), label.numpy()), LinearSVC(dual=False)
    return 100 * cross_val_score(machine, *data, scoring="f1_macro", cv=splits).mean()


def main(args: argparse.Namespace) -> None:
    """Train once for each seed and print mean and standard deviation."""
    g, target = load(args)
    scores = []
    for seed in range(args.seeds):
        scores.append(train(args, g, target, seed))
        print(f"seed {seed}: macro F1 {scores[-1][0.2]:.2f} and {scores[-1][0.8]:.2f}", flush=True)
    for share in (0.2, 0.8):
        title = f"{args.model} on {args.dataset}, {share:.0%} to train the SVM"
        figures = [score[share] for score in scores]
        report(title, "macro F1", figures, PUBLISHED.get((args.model, args.dataset, share)))


if __name__ == "__main__":
    parser = Parser(__doc__)
    parser.option("--model", ("han", "hgt", "rgcn"), "han", "model to train")
    parser.common(("dblp", "csv"), "author_label.txt and so on, or meta.yaml", epochs=200, seeds=5)
    parser.run(main)
