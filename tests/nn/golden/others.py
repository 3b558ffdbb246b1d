"""Cases of pooling, heterogeneous layers and the other modules."""

from __future__ import annotations

from nn.golden.layers import Case, flat

GROUPS: dict[str, dict[str, Case]] = {}

CASES = flat(GROUPS)
