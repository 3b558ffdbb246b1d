"""Settings of a training run: names, types, limits and sources of values.

`TrainConfig` is the only list of options. The command-line flags, the keys of a configuration file,
the help texts and the checks are all derived from its fields.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import Field, asdict, dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from gossamer._optional import optional_import
from gossamer.cli.model_list import MODELS
from gossamer.cli.recipes import recipe, usual_model
from gossamer.cli.unused import refuse_unused
from gossamer.errors import FileError, InvalidTypeError, InvalidValueError, UnknownKeyError

__all__ = ["TASKS", "TrainConfig", "is_list", "option_kind", "options", "resolve"]

TASKS = ("classification", "multilabel", "regression", "links")


def _option(
    default: Any,
    help: str,
    *,
    choices: tuple[str, ...] = (),
    low: float = -math.inf,
    high: float = math.inf,
) -> Any:
    """Create a dataclass field with its help text and the closed range of valid values."""
    limits = {"help": help, "choices": choices, "low": low, "high": high}
    return field(default=default, metadata=limits)


@dataclass(frozen=True)
class TrainConfig:
    """All settings of a training run.

    Examples
    --------
    >>> TrainConfig(dataset="cora", model="gat").heads
    1
    """

    dataset: str = _option(
        "digits", "dataset to train on; `gossamer datasets` lists them. With --edges, a name"
    )
    model: str = _option(
        "gcn", "model; `gossamer models` lists the tasks of each", choices=tuple(MODELS)
    )
    task: str | None = _option(
        None, "what to predict (default: the task of the dataset or target)", choices=TASKS
    )
    raw_dir: str | None = _option(None, "folder with the dataset's files (default: a cache)")
    edges: tuple[str, ...] = _option(
        (), "your own tables of edges: FILE, or SOURCE:RELATION:DESTINATION=FILE for each type"
    )
    nodes: tuple[str, ...] = _option(
        (), "your own tables of nodes: FILE, or TYPE=FILE for each type"
    )
    graphs: str | None = _option(None, "your own table of whole graphs, to predict those")
    target: tuple[str, ...] = _option((), "column to predict; several for multilabel or regression")
    ignore: tuple[str, ...] = _option((), "columns that are not features")
    split: str | None = _option(
        None, "column with train, val, test (default: 'split', masks, or a stratified split)"
    )
    node_id: str | None = _option(None, "column with the id of a node (default: id, or the first)")
    source: str | None = _option(None, "column with the source of an edge (default: the first)")
    destination: str | None = _option(
        None, "column with the destination of an edge (default: the second)"
    )
    reverse: bool = _option(True, "add the reverse of each edge of your own tables")
    out: str | None = _option(
        None, "new folder for the results (default: one below runs/DATASET-MODEL)"
    )
    seeds: int = _option(1, "number of runs, each with the next seed", low=1, high=10_000)
    seed: int = _option(0, "first seed", low=0, high=2**32 - 1)
    hidden: int = _option(64, "width of hidden layers, per attention head", low=1, high=65_536)
    layers: int = _option(2, "number of graph convolutions", low=1, high=200)
    heads: int = _option(1, "attention heads of hidden layers (gat, gatv2, hgt)", low=1, high=1024)
    out_heads: int = _option(
        1, "attention heads of the last layer (gat, gatv2; not with residual)", low=1, high=1024
    )
    dropout: float = _option(0.5, "share of features dropped before a layer", low=0, high=0.999)
    attn_dropout: float = _option(
        0.0, "share of attention weights dropped (gat, gatv2)", low=0, high=0.999
    )
    norm: str = _option("none", "normalization of layers", choices=("none", "layer", "batch"))
    residual: bool = _option(False, "stack pre-normalized residual blocks between linear layers")
    self_loops: bool = _option(True, "give every node an edge to itself")
    lr: float = _option(0.01, "learning rate of Adam", low=1e-12, high=1e3)
    weight_decay: float = _option(5e-4, "L2 penalty on the weights", low=0, high=1e3)
    epochs: int = _option(200, "maximum number of epochs", low=1, high=1_000_000)
    patience: int = _option(
        50, "epochs without a better validation score or loss", low=1, high=1_000_000
    )
    minibatch: bool = _option(False, "train on batches of nodes with sampled neighbors")
    fanout: tuple[int, ...] = _option(
        (10,), "neighbors to sample: a number for each layer, or one for all", low=-1, high=10**6
    )
    batch_size: int = _option(1024, "nodes, or whole graphs, of a batch", low=1, high=100_000_000)
    workers: int = _option(0, "processes that sample batches; 0: a thread", low=0, high=256)
    tensorboard: bool = _option(False, "also write the history as TensorBoard events")
    picture: str = _option(
        "tsne", "2-D projection of the embeddings in the report", choices=("tsne", "pca")
    )
    device: str = _option("auto", "where to compute", choices=("auto", "cpu", "cuda"))
    threads: int | None = _option(None, "CPU threads (default: PyTorch's)", low=1, high=4096)
    quiet: bool = _option(False, "print nothing but errors")

    def __post_init__(self) -> None:
        for name, option in options().items():
            _check(name, getattr(self, name), option)

    def fanouts(self) -> list[int]:
        """Return the number of neighbors to sample for each layer.

        Raises
        ------
        InvalidValueError
            If `fanout` has neither one number nor one per layer, or contains a 0.
        """
        if 0 in self.fanout:
            raise InvalidValueError("--fanout is at least 1, or -1 for all neighbors; got 0.")
        if len(self.fanout) not in (1, self.layers):
            raise InvalidValueError(
                f"--fanout gives {len(self.fanout)} numbers for {self.layers} layers. Give one for "
                "each, or one for all."
            )
        return list(self.fanout) * (self.layers if len(self.fanout) == 1 else 1)

    def as_dict(self) -> dict[str, Any]:
        """Return the settings as JSON values, in the order of declaration."""
        return asdict(self)


def options() -> dict[str, Field[Any]]:
    """Return the fields of `TrainConfig` by name."""
    return {f.name: f for f in fields(TrainConfig)}


_HINTS = get_type_hints(TrainConfig)


def option_kind(name: str) -> type:
    """Return the type of an option's value or list items: bool, int, float or str."""
    hint = _HINTS[name]
    return next((t for t in get_args(hint) if t is not type(None)), hint)


def is_list(name: str) -> bool:
    """Return whether an option takes several values."""
    return get_origin(_HINTS[name]) is tuple


def resolve(given: Mapping[str, Any], config_file: str | None = None) -> TrainConfig:
    """Merge the command line, a configuration file and the recipe of the dataset and model.

    Parameters
    ----------
    given : mapping
        Values from the command line. They override the file, which overrides the recipe.
    config_file : str, optional
        YAML or JSON file with the same keys.

    Raises
    ------
    UnknownKeyError, InvalidTypeError, InvalidValueError
        For an unknown key or an invalid value; the message names the key.
    FileError
        If the file is missing or is not a mapping in YAML or JSON.

    Examples
    --------
    >>> resolve({"dataset": "cora", "model": "gat", "hidden": 16}).heads
    8
    """
    from_file = read_config_file(config_file) if config_file else {}
    asked = {**from_file, **given}
    config = from_mapping(asked)
    usual = {name: option.default for name, option in options().items()}
    usual |= recipe(config.dataset, config.model, asked)
    # Not in `from_mapping`, because checkpoints trained with such a setting are valid.
    refuse_unused(config, given, asked, usual)
    if config.minibatch:
        config.fanouts()
    return config


def from_mapping(values: Mapping[str, Any]) -> TrainConfig:
    """Create a `TrainConfig` from `values`, and from the recipe for the other settings."""
    known = options()
    for key in values:
        if key not in known:
            close = get_close_matches(str(key), known, n=1)
            hint = f" Did you mean '{close[0]}'?" if close else f" Known keys: {', '.join(known)}."
            raise UnknownKeyError(f"Unknown configuration key '{key}'.{hint}")
        _check(key, values[key], known[key])
    values = {k: tuple(v) if is_list(k) else v for k, v in values.items()}
    if values.get("edges") and "dataset" not in values:
        values["dataset"] = Path(values["edges"][0].rpartition("=")[2]).stem or "own"
    dataset = values.get("dataset", known["dataset"].default)
    model = values.get("model") or usual_model(dataset, values)
    merged = {**recipe(dataset, model, values), "model": model, **values}
    floats = {key for key in merged if option_kind(key) is float}
    return TrainConfig(**{k: float(v) if k in floats else v for k, v in merged.items()})


def _check(name: str, value: Any, option: Field[Any]) -> None:
    """Raise an error that names the key if `value` has the wrong type or is out of range."""
    if value is None and option.default is None:
        return
    if is_list(name) and not isinstance(value, list | tuple):
        raise InvalidTypeError(f"'{name}' must be a list, got {value!r}.")
    for item in value if is_list(name) else [value]:
        _check_one(name, item, option)


def _check_one(name: str, value: Any, option: Field[Any]) -> None:
    kind = option_kind(name)
    # bool is a subclass of int, but `layers: true` is an error; an int is a valid float.
    accepted = (int, float) if kind is float else (kind,)
    if not isinstance(value, accepted) or (isinstance(value, bool) and kind is not bool):
        noun = {bool: "true or false", int: "an integer", float: "a number", str: "text"}[kind]
        raise InvalidTypeError(f"'{name}' must be {noun}, got {value!r}.")
    choices, low, high = (option.metadata[k] for k in ("choices", "low", "high"))
    if choices and value not in choices:
        raise InvalidValueError(f"'{name}' must be one of {', '.join(choices)}, got '{value}'.")
    if kind in (int, float) and not low <= value <= high:
        raise InvalidValueError(
            f"'{name}' must be between {_limit(low)} and {_limit(high)}, got {value}."
        )
    if kind is str and not value:
        raise InvalidValueError(f"'{name}' must not be empty.")


def _limit(number: float) -> str:
    """Write a limit in full if it is an integer: 4294967295, 1e-12."""
    return str(number) if isinstance(number, int) else f"{number:g}"


def read_config_file(path: str) -> dict[str, Any]:
    """Read a YAML or JSON mapping.

    Raises
    ------
    FileError
        If there is no such file, its ending is neither .json, .yaml nor .yml, it does not hold
        one mapping, or it gives a key twice.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in (".json", ".yaml", ".yml"):
        raise FileError(f"Configuration file '{path}' must end in .json, .yaml or .yml.")
    try:
        text = Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise FileError(f"Configuration file '{path}' is not UTF-8 text.") from None
    except OSError as error:
        raise FileError(
            f"Cannot read configuration file '{path}': {error.strerror}. Check --config."
        ) from None
    values = _parse_json(text, path) if suffix == ".json" else _parse_yaml(text, path)
    if not isinstance(values, dict):
        raise FileError(
            f"Configuration file '{path}' must hold 'key: value' pairs, "
            f"got {type(values).__name__}."
        )
    return values


def _parse_json(text: str, path: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_distinct)
    except (ValueError, RecursionError) as error:
        raise FileError(f"Configuration file '{path}' is not valid JSON: {error}.") from None


def _distinct(pairs: list[tuple[Any, Any]]) -> dict[Any, Any]:
    """Make a dict of pairs; raise if a key occurs twice."""
    keys = [key for key, _ in pairs]
    for key in keys:
        if keys.count(key) > 1:
            raise ValueError(f"the key '{key}' is given {keys.count(key)} times")
    return dict(pairs)


def _parse_yaml(text: str, path: str) -> Any:
    yaml = optional_import("yaml", "A YAML configuration file", "train")

    class Loader(yaml.SafeLoader):
        """A loader that reads ``1e-3``, which is text in YAML 1.1, as a number."""

        def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
            _distinct([(key.value, value) for key, value in node.value])
            return super().construct_mapping(node, deep)

    number = re.compile(r"[-+]?[0-9][0-9_]*(?:\.[0-9_]*)?[eE][-+]?[0-9]+$")
    Loader.add_implicit_resolver("tag:yaml.org,2002:float", number, list("-+0123456789"))
    try:
        values = yaml.load(text, Loader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise FileError(f"Configuration file '{path}' is not valid YAML: {error}.") from None
    return {} if values is None else values
