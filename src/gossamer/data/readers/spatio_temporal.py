"""Series of numbers at the nodes of a fixed graph, in JSON."""

from __future__ import annotations

import numpy as np
import torch

from gossamer.data._build import node_graph
from gossamer.data.catalogue.entry import Contents
from gossamer.data.raw import RawFolder
from gossamer.data.readers._checks import array, corrupt, member, read_json, within


def series(raw: RawFolder, file: str) -> Contents:
    """Read ``edges``, ``FX`` or ``X`` (times x nodes), and optional ``weights`` of edges."""
    path = raw.path(file)
    content = read_json(path, dict)
    values = member(path, content, "FX" if "FX" in content else "X")
    values = array(path, values, "fiu", (None, None), "values").astype(np.float32)
    if not np.isfinite(values).all():
        time, node = np.argwhere(~np.isfinite(values))[0]
        raise corrupt(path, f"the value of node {node} at time {time} is {values[time, node]}")
    edges = array(path, member(path, content, "edges"), "iu", (None, 2), "edges")
    within(path, edges, values.shape[1], "node")
    weights = content.get("weights", [1.0] * len(edges))
    weights = array(path, weights, "fiu", (len(edges),), "weights").astype(np.float32)
    g = node_graph(*edges.T, values.shape[1], {"feat": values.T})
    g.edata["weight"] = torch.from_numpy(weights)
    return Contents([g])
