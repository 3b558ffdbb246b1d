"""Where tests find files that the repository does not hold."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]

# Public datasets in their published raw formats; their terms do not allow us to ship all of them.
SHARED_DATA = Path(
    os.environ.get("GOSSAMER_SHARED_DATA", REPOSITORY.parent / "shared" / "data")
).resolve()


def shared_data(*parts: str) -> Path:
    """Return the path of a shared file or folder, or skip the test when it is not there."""
    path = SHARED_DATA.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"needs {'/'.join(parts) or 'the data folder'}: set GOSSAMER_SHARED_DATA")
    return path
