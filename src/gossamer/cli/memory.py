"""Estimates of the memory that training needs, before it starts."""

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
    """Estimate the bytes that training needs.

    Weights count five times: the weights, their gradients, both moments of Adam, and the best
    weights. Each node counts as four vectors per layer, for the forward and backward passes.
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
    """Raise an error if training needs more memory than is free.

    Raises
    ------
    InvalidValueError
        The message contains the estimate, the free memory, and the settings to lower.
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
    """Return the bytes that this process can still allocate; None if they are not reported."""
    try:
        lines = Path(root, "proc/meminfo").read_text().splitlines()
        free = next(int(line.split()[1]) * 1024 for line in lines if "MemAvailable" in line)
    except (OSError, StopIteration, ValueError):
        pages = getattr(os, "sysconf_names", {}).get("SC_AVPHYS_PAGES")
        return os.sysconf(pages) * os.sysconf("SC_PAGE_SIZE") if pages else None
    # The limit of a container, in either version of cgroups. The usage is not subtracted, because
    # it includes the page cache, which the system can free.
    for limit in ("memory.max", "memory/memory.limit_in_bytes"):
        with suppress(OSError, ValueError):
            free = min(free, int(Path(root, "sys/fs/cgroup", limit).read_text()))
    return free
