"""Fixtures of the layers' tests."""

from __future__ import annotations

import pytest

from gossamer import kernels


@pytest.fixture
def everything_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let small tensors take the way of the large ones."""
    monkeypatch.setattr(kernels, "keeps_memory", lambda size, like: size > 0)
