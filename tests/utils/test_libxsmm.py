"""The switch that switches nothing tells the truth."""

from __future__ import annotations

import pytest

import gossamer as gs


@pytest.mark.parametrize("flag", [True, False, 1, 0])
def test_it_is_accepted_and_changes_nothing(flag: bool) -> None:
    before = gs.kernels.info()
    gs.use_libxsmm(flag)
    assert gs.is_libxsmm_enabled() is False
    assert gs.kernels.info() == before


@pytest.mark.parametrize("flag", [None, "on", 0.5])
def test_other_flags_are_refused(flag: object) -> None:
    with pytest.raises(gs.InvalidTypeError, match="the flag is a bool, got"):
        gs.use_libxsmm(flag)
