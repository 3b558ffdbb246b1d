"""Options of `gossamer kge train`, with defaults per model. Imports only lightweight modules."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from typing import Any

__all__ = ["KEPT", "MODELS", "SETTINGS", "add_options", "resolved"]

MODELS = ("transe", "distmult", "complex", "rotate")

#: Option -> type or choices, smallest and largest value, default, help.
SETTINGS: dict[str, tuple[Any, float, float, Any, str]] = {
    "size": (int, 2, 65_536, 200, "width of the vectors of entities"),
    "batch": (int, 1, 1_000_000, 512, "facts in a step"),
    "negatives": (int, 1, 1_000_000, 128, "random entities to compare the facts of a step with"),
    "steps": (int, 1, 10**9, 20_000, "steps of the optimizer"),
    "lr": (float, 1e-12, 1e3, None, "learning rate, which decreases linearly to 0"),
    "margin": (float, 0, 1e6, None, "number added to all scores; 0 for distmult and complex"),
    "temperature": (float, 0, 1e3, 1.0, "weight of likely negatives; with 0 all weights are equal"),
    "penalty": (float, 0, 1e3, None, "factor of the sum of cubes of the vectors used"),
    "seed": (int, 0, 2**31 - 1, 0, "seed"),
    "save_every": (int, 1, 10**9, 1000, "steps between saved states"),
    "rank": (int, 0, 10**9, None, "maximum number of facts of a part to rank (default: all)"),
    "threads": (int, 1, 4096, None, "CPU threads (default: PyTorch's)"),
}

#: Learning rate, margin and penalty of each model.
_OF_MODEL = {
    "transe": (2e-3, 9.0, 0.0),
    "distmult": (2e-3, 0.0, 3e-3),
    "complex": (2e-3, 0.0, 1e-2),
    "rotate": (1e-2, 9.0, 0.0),
}

#: Options allowed together with --resume, since they do not change the result.
KEPT = ("threads", "quiet", "save_every")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options to the parser; options not given are absent from the namespace."""
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--data", metavar="DIR", help="folder with the facts: see above")
    where.add_argument("--resume", metavar="DIR", help="resume the run in this folder")
    parser.add_argument(
        "--model",
        metavar=f"{{{','.join(MODELS)}}}",
        choices=MODELS,
        help="score of a fact (default: rotate)",
    )
    parser.add_argument(
        "--out", metavar="DIR", help="new folder for the results (default: one below runs/)"
    )
    for name, (kind, low, high, default, text) in SETTINGS.items():
        note = f" (default: {default})" if default is not None else ""
        if default is None and "default" not in text:
            note = " (default: the model's)"
        parser.add_argument(
            f"--{name.replace('_', '-')}",
            type=_number(kind, low, high),
            metavar="N" if kind is int else "X",
            help=text + note,
        )
    parser.add_argument("--quiet", action="store_true", help="print nothing but errors")


def _number(kind: type, low: float, high: float) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        try:
            value = kind(text)
        except ValueError:
            noun = "an integer" if kind is int else "a number"
            raise argparse.ArgumentTypeError(f"{text!r} is not {noun}") from None
        if math.isnan(value) or not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text} is not between {low:g} and {high:g}")
        return value

    return read


def resolved(given: dict[str, Any]) -> dict[str, Any]:
    """Return all settings of a run: those given, then those of the model, then the defaults."""
    model = given.get("model") or "rotate"
    lr, margin, penalty = _OF_MODEL[model]
    settings = {name: default for name, (_, _, _, default, _) in SETTINGS.items()}
    settings.update(lr=lr, margin=margin, penalty=penalty)
    return {**settings, **given, "model": model}
