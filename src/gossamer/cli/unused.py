"""Errors for settings without effect, which say why and what to change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from gossamer.cli.model_list import ATTENTION, MODELS, STACKS
from gossamer.cli.recipes import predicted
from gossamer.errors import InvalidValueError

if TYPE_CHECKING:
    from gossamer.cli.config import TrainConfig

__all__ = ["refuse_unused"]

# Values that disable a feature, allowed even where the setting has no effect.
_NOTHING: dict[str, Any] = {
    "heads": 1, "out_heads": 1, "attn_dropout": 0, "dropout": 0, "norm": "none", "residual": False,
    "self_loops": False, "minibatch": False, "workers": 0,
}  # fmt: skip
_TABLES = ("nodes", "graphs", "target", "ignore", "split", "node_id", "source", "destination")

Rule = tuple[str, str]  # why a setting has no effect, and what to do instead of omitting it


def refuse_unused(
    config: TrainConfig, given: Mapping[str, Any], asked: Mapping[str, Any], usual: Mapping
) -> None:
    """Raise an error for a setting that has no effect in combination with the others.

    Parameters
    ----------
    config : TrainConfig
        All settings.
    given : mapping
        Settings of the command line, each of which must have an effect.
    asked : mapping
        Settings of the command line and the configuration file. A file written by a run contains
        all settings, so values equal to those in `usual` are allowed.
    usual : mapping
        The settings of the recipe.
    """
    rules = dict(_rules(config))
    for name in asked:
        value = getattr(config, name)
        if name not in rules or value == _NOTHING.get(name):
            continue
        if name not in given and value == usual[name]:
            continue
        reason, instead = rules[name]
        raise InvalidValueError(f"'{name}' is {_text(value)}, but {reason}. Omit it{instead}.")


def _rules(config: TrainConfig) -> Iterator[tuple[str, Rule]]:
    """Yield the settings that `config` does not use."""
    yield from _of_model(config)
    yield from _of_batches(config)
    yield from _of_data(config)


def _of_model(config: TrainConfig) -> Iterator[tuple[str, Rule]]:
    model = f"model '{config.model}'"
    attention = config.model in ATTENTION
    for name in ("heads", "out_heads", "attn_dropout"):
        if not attention and not (name == "heads" and config.model == "hgt"):
            yield name, (f"{model} has no attention heads", ", or choose model gat or gatv2")
    if attention and config.residual:
        reason = "the residual stack's last layer has no attention heads"
        yield "out_heads", (reason, ", or switch residual off")
    stacks = f", or choose one of {', '.join(STACKS)}"
    if config.model not in STACKS:
        yield "norm", (f"{model} has no choice of normalization", stacks)
        yield "residual", (f"{model} has no residual form", stacks)
    if config.model == "appnp" and not config.minibatch:
        yield "layers", (f"{model} has two layers and 10 steps of propagation", "")
    if config.model == "lightgcn":
        yield "dropout", (f"{model} has no dropout", "")
    if MODELS[config.model].typed:
        yield "self_loops", (f"{model} adds none", "")


def _of_batches(config: TrainConfig) -> Iterator[tuple[str, Rule]]:
    level = predicted(config.dataset, config.as_dict())
    if level in ("graphs", "links"):
        how = {"graphs": "whole graphs are", "links": "links are"}[level]
        reason = f"{how} not trained on sampled neighbors, which is for predicting nodes"
        yield from ((name, (reason, "")) for name in ("minibatch", "fanout", "workers"))
        if level == "links":
            yield "batch_size", ("links are trained all at once", "")
    elif level == "nodes" and not config.minibatch:
        reason = "without minibatches every step takes the whole graph"
        for name in ("fanout", "batch_size", "workers"):
            yield name, (reason, ", or add --minibatch")


def _of_data(config: TrainConfig) -> Iterator[tuple[str, Rule]]:
    if not config.edges:
        for name in (*_TABLES, "reverse"):
            yield name, ("your own tables need --edges", ", or give the table of edges")
        return
    yield "raw_dir", ("it is for datasets, not for --edges", "")
    if config.task == "links":
        ignore = "; --ignore leaves a column out of the features"
        yield "target", ("--task links predicts links", ignore)
        yield "split", ("--task links holds out random links", "")
        yield "graphs", ("--task links predicts links of one graph", ", or --task")


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)
