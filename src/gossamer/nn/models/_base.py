"""Base class of the ready models: constructor options, saving and loading."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from gossamer._files import replacing
from gossamer._optional import optional_import
from gossamer.errors import FileError, GossamerError, UnknownKeyError
from gossamer.graph.display import html_table

__all__ = ["MODELS", "Model", "build_model", "load_model"]

_FORMAT = "gossamer-model-1"
_MOST_LAYERS = 10_000  # more would only cost time

#: Ready models by name.
MODELS: dict[str, type[Model]] = {}


class Model(nn.Module):
    """A module that stores its constructor options, so that it can be rebuilt from a file.

    Parameters
    ----------
    **options
        The arguments of the constructor: numbers, text, and lists or dicts of them.
    """

    #: Name of the model in files, and in `MODELS`; None for a model that cannot be saved.
    name: ClassVar[str | None] = None

    def __init__(self, **options: Any) -> None:
        super().__init__()
        self.options = options

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.name is not None:
            MODELS[cls.name] = cls

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write weights and options to a file, in one atomic step.

        The file is a safetensors file with the options as JSON in its metadata, so that opening it
        runs no code.

        Parameters
        ----------
        path : str or path
            The file.

        Raises
        ------
        FileError
            If it cannot be written.
        MissingExtraError
            If safetensors is not installed.
        """
        safetensors = optional_import("safetensors.torch", "Saving a model", "io")
        metadata = {
            "format": _FORMAT,
            "model": str(self.name),
            "options": json.dumps(self.options),
        }
        state = {key: value.contiguous().cpu() for key, value in self.state_dict().items()}
        content = safetensors.save(state, metadata)
        with replacing(Path(path)) as temporary:
            try:
                temporary.write_bytes(content)
            except OSError as error:
                raise FileError(f"Cannot write {path}: {error.strerror}.") from None

    def extra_repr(self) -> str:
        """Return the options, for `repr`."""
        return ", ".join(f"{key}={value}" for key, value in self.options.items())

    def _repr_html_(self) -> str:
        def count(module: nn.Module) -> str:
            return f"{sum(p.numel() for p in module.parameters()):,}"

        rows = [[name, repr(m).splitlines(), count(m)] for name, m in self.named_children()]
        title = f"{type(self).__name__}({self.extra_repr()})"
        return html_table(title, f"{count(self)} parameters", ["part", "layer", "parameters"], rows)


def load_model(path: str | os.PathLike[str]) -> Model:
    """Load a model that :meth:`Model.save` wrote.

    Parameters
    ----------
    path : str or path
        The file. It may be untrusted: it is validated, and no code in it is executed.

    Returns
    -------
    Model
        On the CPU, in training mode.

    Raises
    ------
    FileError
        If the file is missing, truncated, corrupt, or not a model of Gossamer.
    MissingExtraError
        If safetensors is not installed.

    Examples
    --------
    >>> import gossamer as gs, os, tempfile
    >>> from gossamer.nn.models import GCN, load_model
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "model.safetensors")
    ...     GCN(16, 8, 3).save(path)
    ...     load_model(path).options["hidden_size"]
    8
    """
    state, metadata = _read(Path(path))
    if metadata.get("format") != _FORMAT or metadata.get("model") not in MODELS:
        raise FileError(
            f"{path} is a safetensors file, but no model of Gossamer: its metadata says format "
            f"{metadata.get('format')!r} and model {metadata.get('model')!r}."
        )
    try:
        options = json.loads(metadata.get("options", "null"))
        if options.get("num_layers", 0) > _MOST_LAYERS:
            raise ValueError(f"{options['num_layers']} layers are too many.")
        # On the meta device, a model has shapes but no memory, so invalid sizes allocate nothing.
        with torch.device("meta"):
            model = MODELS[metadata["model"]](**options)
    except (
        GossamerError,
        AttributeError,
        TypeError,
        ValueError,
        RecursionError,
        RuntimeError,
    ) as error:
        raise FileError(f"The options of the model in {path} are damaged: {error}") from None
    _check(path, state, model.state_dict())
    model.load_state_dict(state, assign=True)
    for parameter in model.parameters():
        parameter.requires_grad_()
    return model


def build_model(name: str, **options: Any) -> Model:
    """Build a ready model by its name.

    Parameters
    ----------
    name : str
        A key of :data:`MODELS`.
    **options
        The arguments of its constructor.

    Raises
    ------
    UnknownKeyError
        If there is no such model.

    Examples
    --------
    >>> from gossamer.nn.models import build_model
    >>> build_model("sage", in_size=16, hidden_size=8, out_size=3).options["num_layers"]
    2
    """
    if name not in MODELS:
        raise UnknownKeyError(f"There is no model {name!r}; there are {sorted(MODELS)}.")
    return MODELS[name](**options)


def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    safetensors = optional_import("safetensors", "Opening a model", "io")
    if not path.is_file():
        raise FileError(f"There is no file {path}.")
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            return state, file.metadata() or {}
    except (OSError, safetensors.SafetensorError) as error:
        raise FileError(f"{path} is truncated or not a safetensors file ({error}).") from None


def _check(path: str | os.PathLike[str], found: dict, expected: dict) -> None:
    odd = sorted(expected.keys() ^ found.keys())
    if odd:
        state_of = "lacks" if odd[0] in expected else "has the unknown"
        raise FileError(f"The model in {path} {state_of} weight {odd[0]!r}.")
    for name, tensor in expected.items():
        other = found[name]
        kinds = other.is_floating_point(), tensor.is_floating_point()
        if other.shape != tensor.shape or kinds[0] != kinds[1]:
            raise FileError(
                f"The model in {path}: weight {name!r} is {other.dtype} {tuple(other.shape)}, but "
                f"its options ask for {tensor.dtype} {tuple(tensor.shape)}."
            )
