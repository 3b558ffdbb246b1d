"""Compare steps of knowledge-graph training per second with PyKEEN.

The libraries take turns, each in its own process, with the same facts, model, width, batch, number
of negatives for each fact, self-adversarial loss, optimizer (Adam) and threads. PyKEEN draws
negatives for each fact, `gossamer kge train` for each step; it also leaves out those that are facts
and weighs facts by their frequency. Loss and filtered MRR are checked to mean the same: they must
agree to five digits for the same scores and vectors.

Examples
--------
``python -m benchmarks.kge --data ../shared/data/FB15K237 --peer ../peers/pykeen/bin/python``
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

MODELS = ("transe", "distmult", "complex", "rotate")
WARM = 3


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser("benchmarks.kge", description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="folder with the facts")
    parser.add_argument("--peer", required=True, help="a Python that has PyKEEN 1.11.1")
    parser.add_argument("--models", nargs="+", choices=MODELS, default=MODELS)
    parser.add_argument("--size", type=int, default=200, help="real numbers in a vector")
    parser.add_argument("--batch", type=int, default=512)
    parser.add_argument("--negatives", type=int, default=128)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=20, help="steps of a measurement")
    parser.add_argument("--rounds", type=int, default=3, help="measurements, in turn")
    parser.add_argument("--worker", choices=("gossamer", "pykeen"), help=argparse.SUPPRESS)
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Measure and print a table; 1 if the definitions differ."""
    options = arguments(argv)
    if options.worker:
        print(json.dumps(_worker(options)))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        facts = _prepare(options, Path(folder))
        same = True
        print(
            f"{Path(options.data).name}, width {options.size}, batch {options.batch}, "
            f"{options.negatives} negatives, {options.threads} threads\n\n"
            "| model | Gossamer, steps/s | PyKEEN, steps/s | ratio | loss | MRR |\n"
            "|---|---:|---:|---:|---|---|"
        )
        for model in options.models:
            found = {name: [] for name in ("gossamer", "pykeen")}
            for _ in range(options.rounds):
                for name in found:
                    found[name].append(_call(options, name, model, facts))
            ours, theirs = (
                statistics.median(x["steps per second"] for x in found[name]) for name in found
            )
            checks = []
            for key in ("loss", "mrr"):
                pair = [found[name][0][key] for name in found]
                same &= bool(np.isclose(*pair, rtol=1e-5))
                checks.append(" = " if np.isclose(*pair, rtol=1e-5) else " ≠ ")
                checks[-1] = checks[-1].join(f"{value:.6f}" for value in pair)
            row = [model, f"{ours:.2f}", f"{theirs:.2f}", f"{ours / theirs:.1f}", *checks]
            print(f"| {' | '.join(row)} |", flush=True)
    return 0 if same else 1


def _prepare(options: argparse.Namespace, folder: Path) -> Path:
    """Write what both sides read: facts, vectors of distmult for the MRR, scores for the loss."""
    from gossamer.data.raw import RawFolder
    from gossamer.data.readers.triples import read_parts

    parts, entities, relations = read_parts(RawFolder(Path(options.data)))
    rng = np.random.default_rng(0)
    np.savez(
        folder / "inputs.npz",
        **dict(zip(("train", "valid", "test"), parts, strict=True)),
        sizes=[len(entities), len(relations)],
        entity=rng.normal(size=(len(entities), 8)).astype(np.float32),
        relation=rng.normal(size=(len(relations), 8)).astype(np.float32),
        positive=rng.normal(-8, 3, 64).astype(np.float32),
        negative=rng.normal(-11, 3, (64, 32)).astype(np.float32),
    )
    return folder / "inputs.npz"


def _call(options: argparse.Namespace, name: str, model: str, facts: Path) -> dict[str, float]:
    python = sys.executable if name == "gossamer" else options.peer
    same = [
        x
        for key in ("size", "batch", "negatives", "threads", "steps")
        for x in (f"--{key}", str(getattr(options, key)))
    ]
    command = [python, __file__, "--worker", name, "--data", str(facts), "--peer", "", *same]
    environment = {**os.environ, "OMP_NUM_THREADS": str(options.threads)}
    done = subprocess.run(
        [*command, "--models", model], capture_output=True, text=True, env=environment
    )
    if done.returncode:
        sys.exit(f"{name} failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def _worker(options: argparse.Namespace) -> dict[str, float]:
    import torch

    torch.set_num_threads(options.threads)
    inputs = np.load(options.data)
    run = _gossamer if options.worker == "gossamer" else _pykeen
    return run(options.models[0], options, inputs)


def _gossamer(model: str, options: argparse.Namespace, inputs: Any) -> dict[str, float]:
    import torch

    from gossamer.cli.kge.known import Known
    from gossamer.cli.kge.model import Embeddings, self_adversarial_loss
    from gossamer.cli.kge.options import resolved
    from gossamer.cli.kge.ranking import figures, ranks
    from gossamer.cli.kge.training import Training

    names = ("size", "batch", "negatives")
    settings = resolved({"model": model, **{name: getattr(options, name) for name in names}})
    settings.update(margin=9.0, penalty=0.0)
    training = Training(settings, inputs["train"], tuple(inputs["sizes"].tolist()))
    for _ in range(WARM):
        training.run_step()
    start = time.perf_counter()
    for _ in range(options.steps):
        training.run_step()
    seconds = time.perf_counter() - start
    scores = (torch.from_numpy(inputs[name]) for name in ("positive", "negative"))
    fixed = Embeddings("distmult", *inputs["sizes"].tolist(), 8, 0.0)
    fixed.load(
        {
            "entities": torch.from_numpy(inputs["entity"]),
            "relations": torch.from_numpy(inputs["relation"]),
        }
    )
    known = Known(
        np.concatenate([inputs[part] for part in ("train", "valid", "test")]),
        int(inputs["sizes"][1]),
    )
    rank = ranks(fixed, inputs["test"][:500], known)
    return {
        "steps per second": options.steps / seconds,
        "loss": self_adversarial_loss(*scores, 9.0, 1.0).item(),
        "mrr": figures(torch.cat(list(rank.values())))["mrr"],
    }


def _pykeen(model: str, options: argparse.Namespace, inputs: Any) -> dict[str, float]:
    import torch
    from pykeen.evaluation import RankBasedEvaluator
    from pykeen.losses import NSSALoss
    from pykeen.models import model_resolver
    from pykeen.training import SLCWATrainingLoop, TrainingCallback
    from pykeen.triples import CoreTriplesFactory

    entities, relations = inputs["sizes"].tolist()

    def facts(part: str, count: int | None = None) -> CoreTriplesFactory:
        triples = torch.from_numpy(inputs[part][:count])
        return CoreTriplesFactory(triples, num_entities=entities, num_relations=relations)

    def build(name: str, size: int) -> Any:
        extra = {"scoring_fct_norm": 1} if name == "transe" else {}
        return model_resolver.make(
            name,
            triples_factory=facts("train"),
            embedding_dim=size // 2 if name in ("complex", "rotate") else size,
            loss=NSSALoss(margin=9.0, adversarial_temperature=1.0),
            **extra,
        )

    class Times(TrainingCallback):
        """When each epoch ended."""

        ends: ClassVar[list[float]] = []

        def post_epoch(self, epoch: int, epoch_loss: float, **_: Any) -> None:
            self.ends.append(time.perf_counter())

    train, net = facts("train", options.batch * options.steps), build(model, options.size)
    loop = SLCWATrainingLoop(
        model=net,
        triples_factory=train,
        optimizer=torch.optim.Adam(net.parameters(), lr=2e-3),
        negative_sampler="basic",
        negative_sampler_kwargs={"num_negs_per_pos": options.negatives},
    )
    loop.train(
        train,
        num_epochs=2,
        batch_size=options.batch,
        use_tqdm=False,
        use_tqdm_batch=False,
        callbacks=Times,
    )
    first, second = Times.ends
    fixed = build("distmult", 8)
    with torch.no_grad():
        fixed.entity_representations[0]._embeddings.weight.copy_(torch.from_numpy(inputs["entity"]))
        fixed.relation_representations[0]._embeddings.weight.copy_(
            torch.from_numpy(inputs["relation"])
        )
    metrics = RankBasedEvaluator(filtered=True).evaluate(
        fixed,
        torch.from_numpy(inputs["test"][:500]),
        additional_filter_triples=[torch.from_numpy(inputs[p]) for p in ("train", "valid", "test")],
        use_tqdm=False,
    )
    scores = (torch.from_numpy(inputs[name]) for name in ("positive", "negative"))
    loss = NSSALoss(margin=9.0, adversarial_temperature=1.0)
    positive, negative = scores
    return {
        "steps per second": options.steps / (second - first),
        "loss": loss.process_slcwa_scores(positive[:, None], negative).item(),
        "mrr": metrics.get_metric("both.realistic.inverse_harmonic_mean_rank"),
    }


if __name__ == "__main__":
    sys.exit(main())
