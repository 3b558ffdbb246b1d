"""One short training run that the tests of this folder share, and the commands as a function."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

import gossamer
from gossamer.cli import main
from gossamer.cli.config import resolve
from gossamer.cli.details import Details
from gossamer.cli.metrics import confusion_matrix
from gossamer.cli.results import BestModel, Epoch, RunResult, SeedResult
from gossamer.cli.schema import Schema
from gossamer.cli.targets import CLASSES, Target
from gossamer.cli.task import NodeTask

QUICK = ("--hidden", "16", "--epochs", "12", "--picture", "pca", "--device", "cpu")


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a run on the digits with two seeds."""
    out = tmp_path_factory.mktemp("digits") / "run"
    assert main(["train", "--seeds", "2", "--out", str(out), "--quiet", *QUICK]) == 0
    return out


@pytest.fixture
def fails(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Run a command that must end with code 2 and one line on stderr; return that line."""

    def run(*argv: str) -> str:
        capsys.readouterr()
        assert main(argv) == 2
        out, err = capsys.readouterr()
        assert err.count("\n") == 1 and err.endswith("\n"), err
        assert "Traceback" not in out + err
        return err.rstrip()

    return run


@pytest.fixture
def recorded() -> RunResult:
    """A result as a run records it, made up: three seeds, three classes, one with an odd name."""
    rng = np.random.default_rng(0)
    label = rng.integers(0, 3, 60)
    probability = np.eye(3)[np.where(rng.random(60) < 0.2, 0, label)]
    seeds = []
    for seed, (val, test) in enumerate([(0.80, 0.75), (0.90, 0.85), (0.85, 0.95)]):
        history = [Epoch(1.0 / (e + 1), 1.2 / (e + 1), val, test) for e in range(4 + seed)]
        seeds.append(SeedResult(seed, 0, 2, val, test, 0.6, 1.5, history))
    confusion = confusion_matrix(probability.argmax(1), label, 3)
    for seed in seeds:
        seed.confusion = confusion.tolist()
    parts = {"train": np.arange(20), "val": np.arange(20, 30), "test": np.arange(30, 60)}
    return RunResult(
        config=resolve({"dataset": "cora", "seeds": 3, "picture": "pca", "hidden": 24}),
        metric="accuracy",
        class_names=["cats & dogs", "<b>birds</b>", "fish"],
        label=label,
        graph={"nodes": 60, "edges": 240, "classes": 3, "features": 5},
        num_parameters=123,
        environment={"gossamer": "1.2.3", "torch": "9.9", "kernels": {"native": True}},
        seeds=seeds,
        best=BestModel(seeds[1], probability, rng.normal(size=(60, 4)), confusion),
        details=Details(parts, 1, [("largest class", 0.4), ("logistic regression", 0.7)], 0.81),
    )


@pytest.fixture(scope="session")
def small_task() -> NodeTask:
    """Three communities of 30 nodes with noisy features; splits 0 and 1, half of them to train."""
    generator = torch.Generator().manual_seed(0)
    label = torch.arange(90) % 3
    src = torch.arange(90).repeat_interleave(4)
    dst = (src + 3 * torch.randint(0, 30, (360,), generator=generator)) % 90
    nodes = torch.arange(90)
    order = torch.stack([torch.randperm(90, generator=generator) for _ in range(2)], 1)
    masks = {"train": order < 45, "val": (order >= 45) & (order < 65), "test": order >= 65}
    feat = torch.eye(3)[label] + torch.randn(90, 3, generator=generator)
    graph = gossamer.graph((torch.cat([src, nodes]), torch.cat([dst, nodes])))
    return NodeTask(
        "communities",
        Schema("nodes", {"_N": 3}, 3),
        Target(CLASSES, ["a", "b", "c"], "accuracy"),
        label,
        masks,
        {"nodes": 90, "edges": 360, "classes": 3, "features": 3},
        graph,
        {"_N": feat},
    )
