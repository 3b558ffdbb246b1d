"""Cases of the convolutions after the first six."""

from __future__ import annotations

from nn.golden.layers import Case, flat

GROUPS: dict[str, dict[str, Case]] = {}

CASES = flat(GROUPS)
