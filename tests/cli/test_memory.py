"""The estimate of memory, and what the system says is free."""

from __future__ import annotations

from pathlib import Path

import pytest

from gossamer.cli import memory
from gossamer.cli.config import from_mapping
from gossamer.cli.memory import estimate, free_memory, require_memory
from gossamer.cli.network import Network, num_parameters
from gossamer.cli.task import NodeTask
from gossamer.errors import InvalidValueError


def test_the_estimate_counts_weights_and_activations(small_task: NodeTask) -> None:
    config = from_mapping({"hidden": 16, "layers": 3, "model": "gat", "heads": 2})
    model = Network(config, small_task.schema)
    expected = 4 * (5 * num_parameters(model) + 4 * 90 * 32 * 3)
    assert estimate(small_task, config, model) == expected
    sampled = from_mapping({**config.as_dict(), "minibatch": True, "batch_size": 1, "fanout": [1]})
    assert estimate(small_task, sampled, model) == 4 * (5 * num_parameters(model) + 4 * 8 * 32 * 3)


def test_too_large_a_model_is_told(small_task: NodeTask, monkeypatch: pytest.MonkeyPatch) -> None:
    config = from_mapping({"hidden": 1024})
    model = Network(config, small_task.schema)
    require_memory(small_task, config, model)
    monkeypatch.setattr(memory, "free_memory", lambda: 2**20)
    with pytest.raises(InvalidValueError, match=r"needs about 0\.0 GiB, and 0\.0 GiB are free"):
        require_memory(small_task, config, model)


def test_free_memory_is_the_least_that_the_system_says(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/meminfo").write_text("MemTotal: 9 kB\nMemAvailable:   1000 kB\n")
    assert free_memory(str(tmp_path)) == 1_024_000
    group = tmp_path / "sys/fs/cgroup"
    group.mkdir(parents=True)
    (group / "memory.max").write_text("max\n")
    assert free_memory(str(tmp_path)) == 1_024_000
    (group / "memory.max").write_text("5000\n")
    assert free_memory(str(tmp_path)) == 5000
