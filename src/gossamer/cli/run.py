"""`gossamer train`: run all seeds, write the results, print the table."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import torch

from gossamer._optional import optional_import
from gossamer.cli.checkpoint import CHECKPOINT_NAME, ModelInfo, save_checkpoint
from gossamer.cli.config import TrainConfig
from gossamer.cli.files import write_atomic
from gossamer.cli.folders import run_folder
from gossamer.cli.info import environment
from gossamer.cli.models import NodeClassifier, num_parameters
from gossamer.cli.results import Epoch, RunResult, SeedResult, percent
from gossamer.cli.signals import EXIT_INTERRUPTED, EXIT_TERMINATED, Terminated, termination_raises
from gossamer.cli.task import Task, load_task, pick_device
from gossamer.cli.text import format_table, program
from gossamer.cli.training import Fit, evaluate, fit_seed
from gossamer.data import registry
from gossamer.errors import InvalidValueError

__all__ = ["set_threads", "train"]


def train(config: TrainConfig) -> int:
    """Train, write checkpoint, configuration, metrics and report; return the exit code."""
    registry.info(config.dataset)  # report a mistyped name before anything else
    # Report a missing package before training.
    for package in ("safetensors", "matplotlib", "sklearn", "tqdm"):
        optional_import(package, "gossamer train", "train")
    set_threads(config.threads)
    device = pick_device(config.device)
    with termination_raises():
        task = load_task(
            config.dataset, config.raw_dir, config.self_loops, device, not config.quiet
        )
        # After the validation of options, so that an error leaves no empty folder.
        with run_folder(config.out, f"{config.dataset}-{config.model}") as out:
            return _train_in(out, task, config, device)


def set_threads(threads: int | None) -> None:
    """Let torch use so many threads, if this machine has the processors."""
    if threads is None:
        return
    processors = os.cpu_count() or 1
    if threads > processors:
        raise InvalidValueError(
            f"--threads is {threads}, but this machine has {processors} processors. Leave it out, "
            "or give a smaller number."
        )
    torch.set_num_threads(threads)


def _train_in(out: Path, task: Task, config: TrainConfig, device: torch.device) -> int:
    """Train and write everything into the folder `out`; return the exit code."""
    result = _empty_result(task, config, device)
    _say(config, _headline(result, device))
    stop = _train_seeds(task, config, result, out)
    write_atomic(out / "config.json", json.dumps(config.as_dict(), indent=2) + "\n")
    write_atomic(out / "metrics.json", result.to_json())
    from gossamer.cli.report import render_report

    report = out / "report.html"
    write_atomic(report, render_report(result))
    _warn_useless(result)
    if stop is not None:
        _say_interrupted(result, report)
        return EXIT_TERMINATED if isinstance(stop, Terminated) else EXIT_INTERRUPTED
    _say(config, f"\n{closing_table(result)}\n\n{_next_steps(out)}\n\nThe report is {report}")
    return 0


def _next_steps(out: Path) -> str:
    command = program()
    return (
        "What to do next:\n"
        f"  {command} datasets\n"
        f"  {command} train --dataset cora --model gat\n"
        f"  {command} predict {out} --out predictions.csv"
    )


def _train_seeds(
    task: Task, config: TrainConfig, result: RunResult, out: Path
) -> KeyboardInterrupt | None:
    """Fill `result`, and return what interrupted the training.

    The checkpoint on disk is always the best finished seed's.
    """
    try:
        for seed in range(config.seed, config.seed + config.seeds):
            fit = _fit_with_bar(task, config, seed)
            result.seeds.append(fit.result)
            _say(config, _seed_line(fit.result))
            if fit.result.better_than(result.best.result if result.best else None):
                result.best = evaluate(task, config, fit)
                _save(out, fit, task, config)
            if fit.interrupt is not None:
                raise fit.interrupt
    except KeyboardInterrupt as interrupt:
        if result.best is None:
            raise
        result.interrupted = True
        return interrupt
    return None


def _warn_useless(result: RunResult) -> None:
    """Say so if the model is no better than one that does not have the nodes."""
    best = result.best
    per_class = best.confusion.sum(1)
    chance = 0.5 if result.metric == "roc_auc" else per_class.max() / per_class.sum()
    if best.result.test <= chance:
        what = "chance" if result.metric == "roc_auc" else "always predicting the largest class"
        print(
            f"gossamer train: warning: the model is no better than {what} (test "
            f"{100 * best.result.test:.2f} against {100 * chance:.2f}). Try another learning rate "
            f"(--lr, now {result.config.lr:g}).",
            file=sys.stderr,
        )


def _fit_with_bar(task: Task, config: TrainConfig, seed: int) -> Fit:
    tqdm = optional_import("tqdm", "gossamer train", "train")
    # disable=None: no bar where stderr is not a terminal.
    bar = tqdm.tqdm(
        total=config.epochs,
        desc=f"seed {seed}",
        unit="epoch",
        leave=False,
        disable=True if config.quiet else None,
        dynamic_ncols=True,
    )

    def on_epoch(epoch: Epoch) -> None:
        bar.set_postfix_str(f"loss {epoch.train_loss:.3f}, val {epoch.val_score:.3f}", False)
        bar.update()

    with bar:
        return fit_seed(task, config, seed, on_epoch)


def _save(out: Path, fit: Fit, task: Task, config: TrainConfig) -> None:
    info = ModelInfo(
        in_size=task.feat.shape[1],
        num_classes=task.num_classes,
        class_names=task.class_names,
        metric=task.metric,
        seed=fit.result.seed,
        best_epoch=fit.result.best_epoch,
        val=fit.result.val,
        test=fit.result.test,
    )
    save_checkpoint(out / CHECKPOINT_NAME, fit.state, config, info)


def _empty_result(task: Task, config: TrainConfig, device: torch.device) -> RunResult:
    with torch.device("meta"):
        model = NodeClassifier(config, task.feat.shape[1], task.num_classes)
    return RunResult(
        config=config,
        metric=task.metric,
        class_names=task.class_names,
        label=task.label.cpu().numpy(),
        graph=task.sizes,
        num_parameters=num_parameters(model),
        environment=environment(device),
    )


def _headline(result: RunResult, device: torch.device) -> str:
    config, graph = result.config, result.graph
    return (
        f"Training {config.model} on {config.dataset}: {graph['nodes']:,} nodes, "
        f"{graph['edges']:,} edges, {graph['features']:,} features, {graph['classes']} classes; "
        f"{result.num_parameters:,} parameters, {device.type}."
    )


def _seed_line(seed: SeedResult) -> str:
    return (
        f"  seed {seed.seed}: best epoch {seed.best_epoch} of {seed.epochs}, "
        f"val {100 * seed.val:.2f}, test {100 * seed.test:.2f}, {seed.seconds:.1f} s"
    )


def closing_table(result: RunResult) -> str:
    """One row per seed, and the mean ± standard deviation below them."""
    title = result.metric_title
    header = ["seed", "split", "best epoch", f"val {title}", f"test {title}", "seconds"]
    rows = [
        [
            str(seed.seed),
            str(seed.split),
            str(seed.best_epoch),
            f"{100 * seed.val:.2f}",
            f"{100 * seed.test:.2f}",
            f"{seed.seconds:.1f}",
        ]
        for seed in result.seeds
    ]
    (val, val_std), (test, test_std) = result.summary("val"), result.summary("test")
    mean_row = ["mean", "", f"{result.summary('best_epoch')[0]:.0f}"]
    mean_row += [percent(val, val_std), percent(test, test_std)]
    mean_row += [f"{result.summary('seconds')[0]:.1f}"]
    return format_table(header, [*rows, mean_row], ">>>>>>")


def _say(config: TrainConfig, text: str) -> None:
    if not config.quiet:
        print(text, flush=True)


def _say_interrupted(result: RunResult, report: Path) -> None:
    best = result.best.result
    print(
        f"gossamer train: interrupted. Best checkpoint so far (seed {best.seed}, epoch "
        f"{best.best_epoch}, val {100 * best.val:.2f}) and metrics are in {report.parent}; "
        f"the report is {report}.",
        file=sys.stderr,
    )
