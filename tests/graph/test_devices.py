"""Every door that takes a device refuses what is none."""

from __future__ import annotations

import pytest
import torch

import gossamer as gs
from gossamer._options import as_device

DOORS = {
    "to": lambda g, device: g.to(device),
    "inc": lambda g, device: g.inc("in", ctx=device),
    "adj_external": lambda g, device: g.adj_external(ctx=device),
    "graph": lambda g, device: gs.graph(([0], [1]), device=device),
    "create_block": lambda g, device: gs.create_block(([0], [1]), device=device),
    "rand_graph": lambda g, device: gs.rand_graph(3, 2, device=device),
    "rand_bipartite": lambda g, device: gs.rand_bipartite("u", "r", "v", 3, 2, 1, device=device),
    "in_subgraph": lambda g, device: gs.in_subgraph(g, [0], output_device=device),
}


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
@pytest.mark.parametrize("device", ["nonsense", "cpu:x", [0], 1.5], ids=str)
def test_what_is_no_device_is_refused(door, device) -> None:
    with pytest.raises(gs.InvalidValueError, match=r"must be a device such as 'cpu'.*, got"):
        door(gs.graph(([0], [1])), device)


@pytest.mark.parametrize("device", ["cpu", torch.device("cpu")], ids=["str", "device"])
def test_devices_are_taken(device) -> None:
    assert as_device(device) == torch.device("cpu")


def test_only_a_graph_on_a_gpu_has_streams() -> None:
    with pytest.raises(gs.InvalidValueError, match="record_stream needs a graph on a CUDA device"):
        gs.graph(([0], [1])).record_stream(None)
