"""The benchmarks are run from the repository's root, so that is where they are imported from."""

from __future__ import annotations

import sys

from helpers.paths import REPOSITORY

sys.path.insert(0, str(REPOSITORY))
