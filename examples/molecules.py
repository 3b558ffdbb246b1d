"""Train GCN, AttentiveFP or MPNN on properties of molecules, scaffold split.

- GCN: Kipf & Welling, ICLR 2017, with a residual linear map and batch normalization in each layer.
- AttentiveFP: Xiong et al., J. Med. Chem. 2020.
- MPNN: Gilmer et al., "Neural Message Passing for Quantum Chemistry", ICML 2017.

The published figures are those of DGL-LifeSci (Li et al., 2021), one run each, with sizes and rates
found by a search. Protocol: molecules of one Bemis-Murcko scaffold stay together, large groups
first, 80 % to train, 10 % to validate, 10 % to test; the epoch with the best validation score.
Departures: fixed sizes and rates, features of the Open Graph Benchmark, standardized targets of
regression and their squared error as loss (`--loss smooth_l1` as in DGL-LifeSci), several seeds.

A table of your own: `--dataset NAME --raw-dir FOLDER` reads FOLDER/NAME.csv, whose column `smiles`
has the molecules; all other columns of numbers are predicted.

    python examples/molecules.py --model attentivefp --dataset ESOL
"""

from __future__ import annotations

import argparse
import copy

import torch
from torch import Tensor
from torch.nn import functional as F

import gossamer as gs
from _molecule_models import GCN, MPNN, AttentiveFP
from _run import Parser, above, at_least, progress, report, share

PUBLISHED = {
    "gcn": {"ESOL": 0.86, "Lipophilicity": 0.76, "BBBP": 0.63, "ClinTox": 0.90, "Tox21": 0.77},
    "attentivefp": {"ESOL": 0.82, "Lipophilicity": 0.73, "BBBP": 0.71, "ClinTox": 0.89},
    "mpnn": {"ESOL": 1.12, "Lipophilicity": 0.73, "BBBP": 0.65},
}
MODELS = {"gcn": GCN, "attentivefp": AttentiveFP, "mpnn": MPNN}
PATIENCE = 30


def scaffold_split(scaffold: Tensor) -> list[Tensor]:
    """Return the molecules to train, to validate and to test with; scaffolds stay whole."""
    groups = [(scaffold == number).nonzero().flatten() for number in range(int(scaffold.max()) + 1)]
    parts, sizes = ([], [], []), [0, 0, 0]
    for group in sorted(groups, key=lambda group: (-len(group), -int(group[0]))):
        fits = (sum(sizes[: i + 1]) + len(group) <= (0.8, 0.9)[i] * len(scaffold) for i in (0, 1))
        part = next((i for i, fit in enumerate(fits) if fit), 2)
        sizes[part] += len(group)
        parts[part].append(group)
    if not all(parts):
        raise gs.InvalidValueError("Too few scaffolds to train, validate and test with.")
    return [torch.cat(part) for part in parts]


def load(name: str, raw_dir: str | None) -> tuple[gs.data.MoleculeDataset, list[gs.Graph]]:
    """Return the dataset and its graphs, with features in one-hot form."""
    dataset = gs.data.MoleculeDataset(name, raw_dir=raw_dir)
    graphs = [dataset[i][0] for i in range(len(dataset))]
    whole = gs.batch(graphs)
    for key, sizes in (("ndata", whole.batch_num_nodes()), ("edata", whole.batch_num_edges())):
        x = getattr(whole, key)["feat"]
        x = torch.cat([F.one_hot(column).float() for column in x.T], 1)
        for g, rows in zip(graphs, x.split(sizes.tolist()), strict=True):
            getattr(g, key)["feat"] = rows
    return dataset, graphs


def score(found: Tensor, label: Tensor, binary: bool) -> float:
    """Return the mean ROC AUC of the columns that have both classes, or the RMSE."""
    if not binary:
        return (found - label)[~label.isnan()].square().mean().sqrt().item()
    from sklearn.metrics import roc_auc_score

    known = [~column.isnan() for column in label.T]
    pairs = [(y[k], x[k]) for x, y, k in zip(found.T, label.T, known, strict=True)]
    return sum(aucs := [roc_auc_score(y, x) for y, x in pairs if len(y.unique()) == 2]) / len(aucs)


def train(args: argparse.Namespace, dataset: gs.data.MoleculeDataset, graphs: list, seed: int):
    """Return the (validation, test) scores of one run."""
    gs.seed(seed)
    fitted, val, test = scaffold_split(dataset.scaffold)
    label, binary = dataset.label, dataset.binary
    center, scale = torch.zeros(()), torch.ones(())
    if not binary:
        center = (known := label[fitted]).nanmean(0)
        scale = (known - center).square().nanmean(0).sqrt()
    widths = (graphs[0].ndata["feat"].shape[1], graphs[0].edata["feat"].shape[1])
    model = MODELS[args.model](*widths, args.hidden, dataset.num_tasks, args.dropout)
    optimizer = torch.optim.Adam(model.parameters(), lr=args.lr, weight_decay=args.decay)
    best, best_state, waited = float("inf"), model.state_dict(), 0

    def predict(part: Tensor) -> Tensor:
        g = gs.batch([graphs[i] for i in part])
        return model(g, g.ndata["feat"], g.edata["feat"]) * scale + center

    def judged(part: Tensor) -> float:
        with torch.no_grad():
            found = torch.cat([predict(piece) for piece in part.split(256)])
        return score(found, label[part], binary)

    loss_of = F.binary_cross_entropy_with_logits if binary else getattr(F, f"{args.loss}_loss")
    for epoch in range(args.epochs):
        progress(epoch + 1, args.epochs, f"seed {seed}: epoch")
        model.train()
        for part in fitted[torch.randperm(len(fitted))].split(args.batch_size):
            known = ~label[part].isnan()
            loss = loss_of(predict(part)[known], label[part][known])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        model.eval()
        current = judged(val) * (-1 if binary else 1)
        waited += 1
        if current < best:
            best, best_state, waited = current, copy.deepcopy(model.state_dict()), 0
        if waited == PATIENCE:
            break
    model.load_state_dict(best_state)
    return abs(best), judged(test)


def main(args: argparse.Namespace) -> None:
    """Train once for each seed and print mean and standard deviation."""
    dataset, graphs = load(args.dataset, args.raw_dir)
    metric = "ROC AUC" if dataset.binary else "RMSE"
    scores = []
    for seed in range(args.seeds):
        val, test = train(args, dataset, graphs, seed)
        print(f"seed {seed}: {metric} {val:.3f} validation, {test:.3f} test", flush=True)
        scores.append(test)
    published = PUBLISHED[args.model].get(args.dataset)
    report(f"{args.model} on {args.dataset}", f"test {metric}", scores, published, digits=3)


if __name__ == "__main__":
    parser = Parser(__doc__)
    parser.option("--model", MODELS, "attentivefp", "model to train")
    parser.option("--dataset", str, "ESOL", "ESOL, Lipophilicity, BBBP, ClinTox, Tox21, or a table")
    parser.add_argument("--raw-dir", help="folder with the table (default: download it)")
    parser.option("--epochs", at_least(1), 200, "epochs of each run, at most")
    parser.option("--seeds", at_least(1), 3, "number of runs, with the seeds 0, 1, ...")
    parser.option("--hidden", at_least(2), 64, "width of the layers")
    parser.option("--batch-size", at_least(2), 64, "molecules of a step")
    parser.option("--lr", above(0), 0.001, "learning rate")
    parser.option("--decay", at_least(0.0), 1e-5, "weight decay")
    parser.option("--dropout", share, 0.1, "dropout rate")
    parser.option("--loss", ("mse", "smooth_l1"), "mse", "loss of a regression")
    parser.run(main)
