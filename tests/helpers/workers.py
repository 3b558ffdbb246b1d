"""Functions that worker processes import by name."""

from __future__ import annotations

import multiprocessing
import time
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from gossamer import Graph


def aggregate_in_worker(graphs: list[Graph]) -> torch.Tensor:
    """Sum and maximum of the neighbors' feature ``h``, on a graph whose formats are made here."""
    from gossamer import function as fn

    (graph,) = graphs
    g = graph.formats(["coo", "csr", "csc"])
    g.update_all(fn.copy_u("h", "m"), fn.sum("m", "sum"))
    g.update_all(fn.copy_u("h", "m"), fn.max("m", "max"))
    return torch.cat([g.ndata["sum"], g.ndata["max"]], dim=1)


def ones_initializer(
    shape: tuple[int, ...], dtype: torch.dtype, ctx: torch.device, id_range: slice
) -> torch.Tensor:
    """An initializer that can be pickled, since it can be imported."""
    return torch.ones(shape, dtype=dtype, device=ctx)


def children(patience: float = 5.0) -> list[multiprocessing.Process]:
    """Child processes that still run after some seconds of waiting for them."""
    end = time.monotonic() + patience
    while (running := multiprocessing.active_children()) and time.monotonic() < end:
        time.sleep(0.05)
    return running
