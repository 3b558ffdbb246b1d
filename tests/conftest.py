"""Settings and fixtures for every test."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest
import torch

import gossamer

pytest.register_assert_rewrite("helpers.compare")

# As the commands set it. MKL reads it once, at the first product: later it has no effect.
os.environ.setdefault("MKL_CBWR", "AUTO,STRICT")

from helpers.memory import poisoned_memory  # noqa: E402  (after the rewrite hook)
from helpers.paths import shared_data  # noqa: E402
from helpers.pretended import pretended_accelerator  # noqa: E402

# A shared machine can be slow at any moment. In continuous integration the examples are always the
# same; elsewhere they are new each time, and what failed is kept in .hypothesis.
hypothesis.settings.register_profile("gossamer", deadline=None, derandomize="CI" in os.environ)
hypothesis.settings.load_profile("gossamer")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--device", default="cpu", help="device of the `device` fixture, e.g. cuda")
    parser.addoption("--run-slow", action="store_true", help="also run the tests marked slow")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--run-slow") or "slow" in config.getoption("-m"):
        return
    slow = [item for item in items if item.get_closest_marker("slow")]
    if slow:
        config.hook.pytest_deselected(items=slow)
        items[:] = [item for item in items if not item.get_closest_marker("slow")]


@pytest.fixture(autouse=True)
def _number_of_threads() -> Iterator[None]:
    """Restore it: sums of torch's dense products depend on it, also in later tests."""
    before = torch.get_num_threads()
    yield
    if torch.get_num_threads() != before:
        torch.set_num_threads(before)


@pytest.fixture(scope="session")
def device(request: pytest.FixtureRequest) -> torch.device:
    """Return the device given by ``--device``; one that cannot be used fails right here."""
    chosen = torch.device(request.config.getoption("--device"))
    torch.zeros(1, device=chosen)
    return chosen


@pytest.fixture
def accelerator(device: torch.device) -> Iterator[torch.device]:
    """The device given by ``--device``, or a pretended one in place of the CPU."""
    if device.type != "cpu":
        yield device
        return
    with pretended_accelerator() as pretended:
        yield pretended


@pytest.fixture
def linked(tmp_path: Path) -> Callable[[str], str]:
    """Make a folder of links to shared raw files, so that no cache is written beside them."""

    def linked(folder: str) -> str:
        source = shared_data(folder)
        for path in source.rglob("*"):
            if path.is_file():
                target = tmp_path / folder / path.relative_to(source)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.symlink_to(path)
        return str(tmp_path / folder)

    return linked


@pytest.fixture(autouse=True)
def _fixed_seeds() -> None:
    gossamer.seed(0)


@pytest.fixture(autouse=True)
def _poisoned_memory() -> Iterator[None]:
    with poisoned_memory():
        yield
