"""What the examples in matrix form share: a citation network as a matrix, and its training."""

from __future__ import annotations

import argparse
import copy
from collections.abc import Callable, Mapping

import torch
from torch import nn
from torch.nn import functional as F

import gossamer as gs
from _run import Parser, progress, report
from gossamer.sparse import SparseMatrix, diag, from_graph, identity

DATASETS = ("cora", "citeseer", "pubmed")
PATIENCE = 100


def with_self_loops(A: SparseMatrix) -> SparseMatrix:
    """Return A + I."""
    return A + identity(A.shape)


def normalized(A: SparseMatrix) -> SparseMatrix:
    """Return D^(-1/2) A D^(-1/2), where D holds the sums of the rows."""
    root = diag(A.sum(1)) ** -0.5
    return root @ A @ root


def run(
    doc: str,
    title: str,
    build: Callable[[SparseMatrix, torch.Tensor, int], nn.Module],
    published: Mapping[str, str],
    lr: float = 0.01,
    weight_decay: float = 5e-4,
) -> None:
    """Read the command line, train once for each seed and print mean and standard deviation.

    `build` takes the adjacency matrix without self-loops (rows are destinations), the features and
    the number of classes; the model takes the features and returns the scores of all nodes.
    """

    def main(args: argparse.Namespace) -> None:
        dataset = gs.data.CitationGraphDataset(args.dataset, raw_dir=args.raw_dir)
        graph = gs.remove_self_loop(dataset[0])
        A, x = from_graph(graph).T.coalesce(), graph.ndata["feat"]
        scores = []
        for seed in range(args.seeds):
            gs.seed(seed)
            model = build(A, x, dataset.num_classes)
            optimizer = torch.optim.Adam(model.parameters(), lr=lr, weight_decay=weight_decay)
            val, test = train(model, optimizer, graph, args.epochs, f"seed {seed}: epoch")
            scores.append(test)
            print(f"seed {seed}: validation {val:.1f} %, test {test:.1f} %", flush=True)
        name = f"{title} in matrix form on {args.dataset}"
        report(name, "test accuracy", scores, published.get(args.dataset))

    parser = Parser(doc)
    parser.common(DATASETS, "ind.<dataset>.*", epochs=1000)
    parser.run(main)


def train(
    model: nn.Module, optimizer: torch.optim.Optimizer, graph: gs.Graph, epochs: int, text: str
) -> tuple[float, float]:
    """Return (validation accuracy, test accuracy) in percent, of the lowest validation loss.

    Training stops after 100 epochs without a lower one.
    """
    x, label = graph.ndata["feat"], graph.ndata["label"]
    part = {name: graph.ndata[f"{name}_mask"] for name in ("train", "val", "test")}
    lowest, best, waited = float("inf"), model.state_dict(), 0
    for epoch in range(epochs):
        progress(epoch + 1, epochs, text)
        model.train()
        loss = F.cross_entropy(model(x)[part["train"]], label[part["train"]])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        val_loss = F.cross_entropy(predict(model, x)[part["val"]], label[part["val"]]).item()
        waited += 1
        if val_loss < lowest:
            lowest, best, waited = val_loss, copy.deepcopy(model.state_dict()), 0
        if waited == PATIENCE:
            break
    progress(epochs, epochs, text)
    model.load_state_dict(best)
    correct = predict(model, x).argmax(1) == label
    return tuple(100 * correct[part[name]].float().mean().item() for name in ("val", "test"))


@torch.no_grad()
def predict(model: nn.Module, x: torch.Tensor) -> torch.Tensor:
    """Return the scores of all nodes."""
    model.eval()
    return model(x)
