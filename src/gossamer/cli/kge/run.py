"""`gossamer kge train`: read facts, train, rank, write the results."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gossamer._optional import optional_import
from gossamer.cli.files import write_atomic
from gossamer.cli.folders import reopened, run_folder
from gossamer.cli.info import environment
from gossamer.cli.kge.known import Known
from gossamer.cli.kge.options import KEPT, SETTINGS, resolved
from gossamer.cli.kge.ranking import figures, ranks
from gossamer.cli.kge.report import report, table
from gossamer.cli.kge.training import RECORDED, Training
from gossamer.cli.run import set_threads
from gossamer.cli.signals import termination_raises
from gossamer.data.raw import RawFolder
from gossamer.data.readers.triples import read_parts
from gossamer.errors import FileError, InvalidValueError

__all__ = ["train"]

_CONFIG, _STATE, _MODEL = "config.json", "state.safetensors", "model.safetensors"
_PARTS = ("train", "valid", "test")


def train(given: dict[str, Any]) -> int:
    """Train, or resume a run; return the exit code."""
    for package in ("safetensors", "tqdm"):
        optional_import(package, "gossamer kge train", "train")
    quiet = given.pop("quiet", False)
    resumed = given.pop("resume", None)
    settings = _settings_of(Path(resumed), given) if resumed else resolved(given)
    set_threads(settings["threads"])
    parts, entities, relations = read_parts(_folder(settings["data"]))
    if not len(parts[0]):
        raise FileError(f"The folder '{settings['data']}' has no facts to train on.")
    with termination_raises(), _place(resumed, settings) as out:
        training = Training(settings, parts[0], (len(entities), len(relations)))
        checksum = hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()
        if resumed:
            _resume(training, out, settings, checksum)
        else:
            write_atomic(
                out / _CONFIG, json.dumps({**settings, "facts": checksum}, indent=2) + "\n"
            )
            _write_names(out, entities, relations)
        seconds = _steps(training, out, quiet)
        training.save(out / _STATE)
        _write_model(training, out)
        result = _evaluate(training, parts, len(relations))
        result.update(settings=settings, seconds=seconds, losses=training.losses)
        result["environment"] = environment(torch.device("cpu"))
        write_atomic(out / "metrics.json", json.dumps(result, indent=2) + "\n")
        write_atomic(out / "report.md", report(result, parts, entities, relations))
    if not quiet:
        print(f"{table(result)}\n\nThe report is {out / 'report.md'}")
    return 0


def _folder(data: str) -> RawFolder:
    folder = Path(data)
    if not folder.is_dir():
        raise FileError(f"There is no folder '{data}'. Give the one with the facts with --data.")
    return RawFolder(folder)


def _settings_of(folder: Path, given: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of a resumed run; those in `given` must not affect the results."""
    other = sorted(given.keys() - set(KEPT))
    if other:
        raise InvalidValueError(
            f"--{other[0].replace('_', '-')} cannot be given with --resume: a resumed run keeps "
            "its settings."
        )
    try:
        found = json.loads((folder / _CONFIG).read_text(encoding="utf-8"))
        if not {*SETTINGS, "model", "data", "facts"} <= set(found):
            raise ValueError("settings are missing")
    except (OSError, ValueError, TypeError) as error:
        raise FileError(
            f"The folder '{folder}' holds no run of `gossamer kge train` to resume ({error})."
        ) from None
    return {**found, **given}


@contextmanager
def _place(resumed: str | None, settings: dict[str, Any]) -> Iterator[Path]:
    if resumed:
        with reopened(resumed) as out:
            yield out
        return
    settings["data"] = str(Path(settings["data"]).absolute())
    name = f"{Path(settings['data']).name}-{settings['model']}"
    with run_folder(settings.pop("out", None), name) as out:
        yield out


def _resume(training: Training, out: Path, settings: dict[str, Any], checksum: str) -> None:
    if settings.pop("facts") != checksum:
        raise FileError(f"The facts in '{settings['data']}' have changed since the run began.")
    if (out / _STATE).is_file():  # missing if the run stopped before the first save
        training.load(out / _STATE)


def _steps(training: Training, out: Path, quiet: bool) -> float:
    """Run the remaining steps, saving at intervals; return the duration in seconds."""
    tqdm = optional_import("tqdm", "gossamer kge train", "train")
    settings, begin = training.settings, time.perf_counter()
    every, total = settings["save_every"], 0.0
    with tqdm.tqdm(
        total=settings["steps"],
        initial=training.step,
        unit="step",
        disable=True if quiet else None,
        dynamic_ncols=True,
    ) as bar:
        while training.step < settings["steps"]:
            total += training.run_step()
            bar.update()
            if training.step % RECORDED == 0 or training.step == settings["steps"]:
                since = training.step % RECORDED or RECORDED
                training.losses.append(round(total / since, 6))
                bar.set_postfix(loss=f"{training.losses[-1]:.4f}")
                total = 0.0
                if training.step // every != (training.step - since) // every:
                    training.save(out / _STATE)
    return time.perf_counter() - begin


def _write_names(out: Path, entities: list[str], relations: list[str]) -> None:
    for kind, names in (("entities", entities), ("relations", relations)):
        write_atomic(out / f"{kind}.tsv", "".join(f"{i}\t{n}\n" for i, n in enumerate(names)))


def _write_model(training: Training, out: Path) -> None:
    safetensors = optional_import("safetensors.torch", "gossamer kge train", "train")
    settings = training.settings
    metadata = {"format": "gossamer-kge-1", "model": settings["model"]}
    metadata["options"] = json.dumps({name: settings[name] for name in ("size", "margin", "seed")})
    write_atomic(out / _MODEL, safetensors.save(training.model.state(), metadata))


def _evaluate(training: Training, parts: list[np.ndarray], relations: int) -> dict[str, Any]:
    """Compute the metrics of the validation and test facts."""
    known = Known(np.concatenate(parts), relations)
    result: dict[str, Any] = {}
    most = training.settings["rank"]
    for name, facts in zip(_PARTS[1:], parts[1:], strict=True):
        if most is not None and most < len(facts):
            chosen = np.random.default_rng(training.settings["seed"]).permutation(len(facts))[:most]
            facts = facts[np.sort(chosen)]
        if not len(facts):
            continue
        rank = ranks(training.model, facts, known)
        both = torch.stack([rank["tail"], rank["head"]], 1)
        result[name] = {"facts": len(facts), **figures(both)}
        result[name].update({f"missing {end}": figures(rank[end]) for end in rank})
        result[name]["by relation"] = {
            int(r): {"facts": int((facts[:, 1] == r).sum()), **figures(both[facts[:, 1] == r])}
            for r in np.unique(facts[:, 1])
        }
    return result
