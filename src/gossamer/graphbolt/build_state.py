"""The saved state of a build: its progress, and checksums and stamps of its files."""

from __future__ import annotations

import json
import os
import zlib
from pathlib import Path
from typing import Any

__all__ = ["checksum", "read_state", "stamp", "write_state"]


def stamp(path: Path) -> list[int]:
    """Return the size and modification time of a file, which detect changed content."""
    found = path.stat()
    return [found.st_size, found.st_mtime_ns]


def read_state(folder: Path) -> dict[str, Any]:
    """Read ``state.json`` of a build; return an empty dict if it is missing or damaged."""
    try:
        text = (folder / "state.json").read_text(encoding="utf-8")
        state = json.loads(text)
        return state if state.pop("checksum") == _own_checksum(state) else {}
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        return {}


def write_state(folder: Path, state: dict[str, Any]) -> None:
    """Replace ``state.json``, with a checksum of its content."""
    path = folder / "state.json"
    temporary = path.with_suffix(".tmp")
    content = {**state, "checksum": _own_checksum(state)}
    temporary.write_text(json.dumps(content), encoding="utf-8")
    os.replace(temporary, path)


def _own_checksum(state: dict[str, Any]) -> int:
    return zlib.crc32(json.dumps(state, sort_keys=True).encode())


def checksum(path: Path) -> int:
    """Return the CRC-32 of a file."""
    value = 0
    with open(path, "rb") as file:
        while piece := file.read(4 << 20):
            value = zlib.crc32(piece, value)
    return value
