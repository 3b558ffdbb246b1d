"""`gossamer train`: run all seeds, write the results, print the table."""

from __future__ import annotations

import json
import os
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import torch

from gossamer._optional import optional_import
from gossamer.cli.advice import find_weaknesses
from gossamer.cli.catalogued import load_dataset
from gossamer.cli.checkpoint import CHECKPOINT_NAME, ModelInfo, load_checkpoint, save_checkpoint
from gossamer.cli.config import TrainConfig
from gossamer.cli.details import describe
from gossamer.cli.files import write_atomic
from gossamer.cli.folders import reopened, run_folder
from gossamer.cli.info import environment
from gossamer.cli.memory import require_memory
from gossamer.cli.network import Network, num_parameters
from gossamer.cli.own import load_tables
from gossamer.cli.progress import Progress, event_writer
from gossamer.cli.results import Epoch, RunResult, SeedResult
from gossamer.cli.signals import EXIT_INTERRUPTED, EXIT_TERMINATED, Terminated, termination_raises
from gossamer.cli.task import Task, pick_device
from gossamer.cli.text import format_table, program
from gossamer.cli.training import Fit, Trainer, evaluate, fit_seed
from gossamer.data import registry
from gossamer.errors import InvalidValueError

__all__ = ["CONFIG_NAME", "load_task", "set_threads", "train"]

CONFIG_NAME = "config.json"
_PICTURES = {"tsne": "t-SNE (--picture pca is faster)", "pca": "PCA"}
_SECONDS = 30.0  # between progress lines, without a terminal


def train(config: TrainConfig, resume: str | None = None) -> int:
    """Train, write checkpoint, configuration, metrics and report; return the exit code.

    Parameters
    ----------
    config : TrainConfig
        The settings.
    resume : str, optional
        Folder of an interrupted run with these settings, to resume.
    """
    if not config.edges:
        registry.info(config.dataset)  # report a misspelled name first
    # Report a missing package before training.
    for package in ("safetensors", "matplotlib", "sklearn", "tqdm"):
        optional_import(package, "gossamer train", "train")
    if config.tensorboard:
        optional_import("torch.utils.tensorboard", "--tensorboard", "tensorboard")
    set_threads(config.threads)
    device = pick_device(config.device)
    with termination_raises():
        task = load_task(config, device, not config.quiet)
        with torch.device("meta"):
            model = Network(config, task.schema)
        require_memory(task, config, model)
        result = _empty_result(task, config, device, num_parameters(model))
        # Created after validating the options, so that an error leaves no empty folder.
        name = f"{config.dataset}-{config.model}"
        folder = run_folder(config.out, name) if resume is None else reopened(resume)
        with folder as out:
            return _train_in(out, task, config, result)


def load_task(config: TrainConfig, device: torch.device, verbose: bool = False) -> Task:
    """Load the task of a dataset, or of the user's tables."""
    if config.edges:
        return load_tables(config, device)
    return load_dataset(config, device, verbose)


def set_threads(threads: int | None) -> None:
    """Set the number of threads of torch; raise if it exceeds the number of processors."""
    if threads is None:
        return
    processors = os.cpu_count() or 1
    if threads > processors:
        raise InvalidValueError(
            f"--threads is {threads}, but this machine has {processors} processors. Omit it, or "
            "give a smaller number."
        )
    torch.set_num_threads(threads)


def _train_in(out: Path, task: Task, config: TrainConfig, result: RunResult) -> int:
    """Train and write all results to the folder `out`; return the exit code."""
    progress = Progress(out, task.fingerprint())
    progress.load()
    write_atomic(out / CONFIG_NAME, json.dumps(config.as_dict(), indent=2) + "\n")
    _say(config, _headline(result))
    stop = _train_seeds(task, config, result, out, progress)
    # The picture of the embeddings can take longer than the training.
    _say(config, f"  writing the report, with a picture by {_PICTURES[config.picture]}")
    result.details = describe(task, result.best.result.split)
    write_atomic(out / "metrics.json", result.to_json())
    from gossamer.cli.report import render_report

    report = out / "report.html"
    write_atomic(report, render_report(result))
    _warn(result)
    if stop is not None:
        _say_interrupted(result, report)
        return EXIT_TERMINATED if isinstance(stop, Terminated) else EXIT_INTERRUPTED
    progress.write_history()
    progress.remove()
    steps = _next_steps(out, config)
    _say(config, f"\n{closing_table(result)}\n\n{steps}\n\nThe report is {report}")
    return 0


def _next_steps(out: Path, config: TrainConfig) -> str:
    steps = ["datasets", "train --dataset cora --model gat"]
    if config.edges:
        steps = ["runs", "models"]
    steps.append(f"predict {out} --out predictions.csv")
    return "\n".join(["What to do next:", *(f"  {program()} {step}" for step in steps)])


def _train_seeds(
    task: Task, config: TrainConfig, result: RunResult, out: Path, progress: Progress
) -> KeyboardInterrupt | None:
    """Train all seeds into `result`; return the exception that interrupted training, if any.

    The checkpoint on disk is always that of the best seed so far.
    """
    done = {seed.seed for seed in progress.finished}
    if done:
        _take_finished(task, config, result, out, progress)
    try:
        for seed in range(config.seed, config.seed + config.seeds):
            if seed in done:
                continue
            fit = _fit(task, config, seed, out, progress)
            result.seeds.append(fit.result)
            _say(config, _seed_line(result, fit.result))
            evaluated = evaluate(task, config, fit)
            if evaluated.confusion is not None:
                fit.result.confusion = evaluated.confusion.tolist()
            if fit.result.better_than(result.best.result if result.best else None):
                # Save first, so that an interrupt never leaves `best` without a checkpoint.
                _save(out, fit, task, config)
                result.best = evaluated
            if fit.interrupt is not None:
                progress.write_history([(seed, fit.result.history)])
                raise fit.interrupt
            progress.finish(fit.result)
    except KeyboardInterrupt as interrupt:
        if result.best is None:
            raise
        result.interrupted = True
        return interrupt
    return None


def _take_finished(
    task: Task, config: TrainConfig, result: RunResult, out: Path, progress: Progress
) -> None:
    """Load the seeds that an earlier run finished, and the weights of the best seed."""
    result.seeds += progress.finished
    saved = load_checkpoint(out)
    # A run can stop between saving the checkpoint of a seed and recording the seed as finished.
    found = [seed for seed in progress.finished if seed.seed == saved.info.seed]
    if found and not found[0].interrupted:
        result.best = evaluate(task, config, Fit(found[0], saved.model.state_dict()))


def _warn(result: RunResult) -> None:
    """Warn if the model is no better than one without the graph."""
    for weakness in find_weaknesses(result):
        print(
            f"gossamer train: warning: {weakness} Try more epochs, or another learning "
            f"rate (--lr, now {result.config.lr:g}).",
            file=sys.stderr,
        )


def _fit(task: Task, config: TrainConfig, seed: int, out: Path, progress: Progress) -> Fit:
    """Train one seed with a progress bar; without a terminal, print a line every 30 seconds."""
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
    printed = time.monotonic()
    writer: Any = None

    def begin(trainer: Trainer) -> None:
        nonlocal writer
        progress.start(trainer)
        bar.update(len(trainer.history))
        events = event_writer(out if config.tensorboard else None, seed, len(trainer.history))
        writer = stack.enter_context(events)

    def on_epoch(epoch: Epoch) -> None:
        text = f"loss {epoch.train_loss:.3f}, val {epoch.val_score:.3f}"
        bar.set_postfix_str(text, False)
        bar.update()

    def save(trainer: Trainer) -> None:
        nonlocal printed
        number, epoch = len(trainer.history), trainer.history[-1]
        writer(number, epoch)
        progress.save(trainer)
        if bar.disable and time.monotonic() - printed >= _SECONDS:
            printed = time.monotonic()
            _say(
                config,
                f"  seed {seed}: epoch {number} of at most {config.epochs}, loss "
                f"{epoch.train_loss:.3f}, val {epoch.val_score:.3f}",
            )

    with ExitStack() as stack:
        stack.enter_context(bar)
        return fit_seed(task, config, seed, on_epoch, begin, save)


def _save(out: Path, fit: Fit, task: Task, config: TrainConfig) -> None:
    info = ModelInfo(
        schema=task.schema,
        target=task.target,
        columns=task.columns,
        seed=fit.result.seed,
        best_epoch=fit.result.best_epoch,
        val=fit.result.val,
        test=fit.result.test,
    )
    save_checkpoint(out / CHECKPOINT_NAME, fit.state, config, info)


def _empty_result(
    task: Task, config: TrainConfig, device: torch.device, num_parameters: int
) -> RunResult:
    return RunResult(
        config=config,
        metric=task.target.metric,
        class_names=task.target.names,
        label=task.label.cpu().numpy(),
        graph=task.sizes,
        num_parameters=num_parameters,
        environment=environment(device),
        items=task.schema.level,
        kind=task.target.kind,
    )


def _headline(result: RunResult) -> str:
    config = result.config
    sizes = {k: v for k, v in result.graph.items() if k != "classes" or result.kind == "classes"}
    facts = ", ".join(f"{value:,} {name}" for name, value in sizes.items())
    return (
        f"Training {config.model} on {config.dataset}: {facts}; "
        f"{result.num_parameters:,} parameters, {result.environment['device']}."
    )


def _seed_line(result: RunResult, seed: SeedResult) -> str:
    return (
        f"  seed {seed.seed}: best epoch {seed.best_epoch} of {seed.epochs}, "
        f"val {result.text(seed.val)}, test {result.text(seed.test)}, {seed.seconds:.1f} s"
    )


def closing_table(result: RunResult) -> str:
    """Return a table with a row per seed, and the mean ± standard deviation below them."""
    title = result.metric_title
    header = ["seed", "split", "best epoch", f"val {title}", f"test {title}", "seconds"]
    rows = []
    for seed in result.seeds:
        scores = [result.text(seed.val), result.text(seed.test)]
        numbers = [str(n) for n in (seed.seed, seed.split, seed.best_epoch)]
        rows.append([*numbers, *scores, f"{seed.seconds:.1f}"])
    scores = [result.text(*result.summary(part)) for part in ("val", "test")]
    epoch, seconds = (result.summary(name)[0] for name in ("best_epoch", "seconds"))
    rows.append(["mean", "", f"{epoch:.0f}", *scores, f"{seconds:.1f}"])
    return format_table(header, rows, ">>>>>>")


def _say(config: TrainConfig, text: str) -> None:
    if not config.quiet:
        print(text, flush=True)


def _say_interrupted(result: RunResult, report: Path) -> None:
    best = result.best.result
    print(
        f"gossamer train: interrupted. Best checkpoint so far (seed {best.seed}, epoch "
        f"{best.best_epoch}, val {result.text(best.val)}) and metrics are in {report.parent}; "
        f"the report is {report}. Resume with: gossamer train --resume {report.parent}",
        file=sys.stderr,
    )
