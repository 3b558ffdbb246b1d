"""Whether a model fits into memory, told before it is built."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import torch

from gossamer.cli.config import TrainConfig
from gossamer.cli.model_list import ATTENTION
from gossamer.cli.network import num_parameters
from gossamer.cli.schema import GRAPHS
from gossamer.cli.task import Task
from gossamer.errors import InvalidValueError

__all__ = ["estimate", "require_memory"]


def estimate(task: Task, config: TrainConfig, model: torch.nn.Module) -> int:
    """Roughly how many bytes training needs.

    Weights count five times: with their gradients, both moments of Adam, and the best ones. Of each
    layer and node, forward and backward hold about four vectors; a sampled batch holds fewer nodes,
    at most all.
    """
    heads = config.heads if config.model in (*ATTENTION, "hgt") else 1
    width = config.hidden * (heads if config.model != "hgt" else 1)
    rows = task.sizes["nodes"]
    if task.schema.level == GRAPHS:
        rows = min(rows, rows * config.batch_size // task.sizes["graphs"] + 1)
    elif config.minibatch:
        reach = 1
        for fanout in config.fanouts():
            reach *= rows if fanout < 0 else 1 + fanout
        rows = min(rows, config.batch_size * reach)
    return 4 * (5 * num_parameters(model) + 4 * rows * width * config.layers)


def require_memory(task: Task, config: TrainConfig, model: torch.nn.Module) -> None:
    """Raise an error if training needs more memory than there is.

    Raises
    ------
    InvalidValueError
        With the estimate, what is free, and which settings to lower.
    """
    device = task.label.device
    free = torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else free_memory()
    needed = estimate(task, config, model)
    if free is not None and needed > free:
        lower = "--hidden or --layers" + ("" if config.minibatch else ", or train with --minibatch")
        raise InvalidValueError(
            f"Training needs about {needed / 2**30:,.1f} GiB, and {free / 2**30:,.1f} GiB are "
            f"free. Lower {lower}."
        )


def free_memory(root: str = "/") -> int | None:
    """Bytes that this process may still take, or None if the system does not say."""
    try:
        lines = Path(root, "proc/meminfo").read_text().splitlines()
        free = next(int(line.split()[1]) * 1024 for line in lines if "MemAvailable" in line)
    except (OSError, StopIteration, ValueError):
        pages = getattr(os, "sysconf_names", {}).get("SC_AVPHYS_PAGES")
        return os.sysconf(pages) * os.sysconf("SC_PAGE_SIZE") if pages else None
    # The limit of a container, in either version of cgroups. What it uses counts the cache of
    # files, which it gives back, so it is not subtracted.
    for limit in ("memory.max", "memory/memory.limit_in_bytes"):
        with suppress(OSError, ValueError):
            free = min(free, int(Path(root, "sys/fs/cgroup", limit).read_text()))
    return free
