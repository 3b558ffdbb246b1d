"""Timed edges: ICEWS18, GDELT, Bitcoin OTC and CollegeMsg."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from gossamer.data._build import node_graph
from gossamer.data.catalogue.entry import Contents
from gossamer.data.raw import RawFolder
from gossamer.data.readers._checks import corrupt
from gossamer.data.readers._tables import check_ids, read_table
from gossamer.graph import Graph, graph

_FORTNIGHT = 14 * 86400


def quadruples(raw: RawFolder, mode: str, step: int) -> Contents:
    """Read ``<mode>.txt``: head, relation, tail, time. Graph t has all edges up to time t.

    Times are multiples of `step`; a graph has nodes up to the largest id so far.
    """
    path = raw.path(f"{mode}.txt")
    table = read_table(path)
    if len(table) and table.shape[1] < 4:
        raise corrupt(path, f"expected at least 4 columns, got {table.shape[1]}")
    check_ids(path, table[:, [0, 1, 2]], 2**31, "number")
    time = table[:, 3] // step
    if not len(table) or (np.diff(time) < 0).any():
        raise corrupt(path, "times do not ascend")
    first, last = int(time[0]), int(time[-1])
    ends = np.searchsorted(time, np.arange(first, last + 1), side="right")
    graphs = GrowingGraphs(table[:, 0], table[:, 2], ends, {"rel_type": table[:, [1]]})
    return Contents(graphs, info={"start_time": first, "end_time": last})


def signed_edges(raw: RawFolder, file: str) -> Contents:
    """Read source, target, rating, Unix time; make one graph per 14 days, with all edges so far."""
    path = raw.path(file)
    table = read_table(path, 4, np.float64)
    if not len(table):
        raise corrupt(path, "it is empty")
    if not np.isfinite(table).all() or (table[:, :3] != np.floor(table[:, :3])).any():
        line = np.flatnonzero(~(table[:, :3] == np.floor(table[:, :3])).all(axis=1))
        raise corrupt(path, f"line {int(line[0]) + 1 if len(line) else '?'}: expected integers")
    order = table[:, 3].argsort(kind="stable")
    ids = table[:, :2].astype(np.int64) - 1
    check_ids(path, ids, 2**31, "node (counted from 0)")
    time = table[order, 3]
    # Windows are centered: the first ends after a week; edges after the last one are omitted.
    window = np.round((time - time[0]) / _FORTNIGHT).astype(np.int64)
    ends = np.searchsorted(window, np.arange(max(window[-1], 1)), side="right")
    rating = table[order][:, [2]].astype(np.int64)
    return Contents(GrowingGraphs(*ids[order].T, ends, {"h": rating}))


def timed_edges(raw: RawFolder, file: str) -> Contents:
    """Read source, target, Unix time; make one graph of the occurring nodes, edges by time."""
    table = read_table(raw.path(file), 3)
    table = table[table[:, 2].argsort(kind="stable")]
    ids, ends = np.unique(table[:, :2], return_inverse=True)
    g = node_graph(*ends.reshape(-1, 2).T, len(ids), {"id": ids})
    g.edata["time"] = torch.tensor(table[:, 2])
    return Contents([g])


class GrowingGraphs(Sequence):
    """A sequence of graphs, built on request: graph i has the first ``ends[i]`` edges.

    Its number of nodes is the largest id among its edges plus one.
    """

    def __init__(
        self,
        source: np.ndarray,
        target: np.ndarray,
        ends: np.ndarray,
        edata: dict[str, np.ndarray],
    ) -> None:
        self._ends = ends.tolist()
        self._source, self._target = torch.tensor(source), torch.tensor(target)
        self._edata = {name: torch.tensor(values) for name, values in edata.items()}

    def __len__(self) -> int:
        return len(self._ends)

    def __getitem__(self, idx: int) -> Graph:
        """Build graph `idx`."""
        end = self._ends[idx]
        g = graph((self._source[:end], self._target[:end]))
        for name, values in self._edata.items():
            g.edata[name] = values[:end]
        return g
