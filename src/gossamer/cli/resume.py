"""Reading the settings of an interrupted run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gossamer.cli.config import TrainConfig, from_mapping, read_config_file
from gossamer.cli.progress import PROGRESS_NAME
from gossamer.errors import FileError, InvalidValueError

__all__ = ["interrupted_config"]


def interrupted_config(
    folder: str, given: Mapping[str, Any], config_file: str | None = None
) -> TrainConfig:
    """Return the settings of the run in `folder`; only `quiet` and `threads` may change.

    Raises
    ------
    FileError
        If there is no run in `folder`, or it is finished.
    InvalidValueError
        If another setting is given.
    """
    others = [name for name in given if name not in ("quiet", "threads")]
    if others or config_file:
        flag = f"--{others[0].replace('_', '-')}" if others else "--config"
        raise InvalidValueError(
            f"--resume uses the settings of the run; {flag} cannot be changed. Omit it, or start "
            "a new training."
        )
    path = Path(folder)
    config = path / "config.json"
    if not config.is_file():
        raise FileError(
            f"There is no run in '{folder}': it has no config.json. `gossamer runs` lists runs."
        )
    if not (path / PROGRESS_NAME).exists() and _finished(path / "metrics.json"):
        raise FileError(f"The run in '{folder}' is finished; there is nothing to resume.")
    return from_mapping({**read_config_file(str(config)), **given})


def _finished(metrics: Path) -> bool:
    try:
        return not json.loads(metrics.read_text(encoding="utf-8"))["interrupted"]
    except (OSError, ValueError, KeyError, TypeError):
        return False
