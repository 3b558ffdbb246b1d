"""Documentation, comments and messages use the terms of the field, without metaphors."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from helpers.paths import REPOSITORY

BANNED = [
    "memory that goes around",
    "someone waits",
    "nobody",
    "no news",
    "sooner found",
    "the door",
    "thin coat",
    "as they are meant",
    "turned round",
    "knows nothing of",
    "what may turn out",
    "only autograd watches",
    "everybody",
    "somebody",
    "stranger",
    "hands out",
    "laid end to end",
    "are forgotten",
    "or not at all",
    "other way round",
    "liked best",
    "for ever",
    "asked for",
    "whoever",
    "someone",
]

FOLDERS = ["src", "csrc", "docs", "examples", "benchmarks", "tools"]
SUFFIXES = {".py", ".h", ".cpp", ".md", ".txt", ".toml"}


def _files() -> list[Path]:
    inside = [path for folder in FOLDERS for path in (REPOSITORY / folder).rglob("*")]
    chosen = sorted(path for path in inside if path.is_file() and path.suffix in SUFFIXES)
    return [*REPOSITORY.glob("*.md"), *chosen]


def _found(path: Path) -> list[str]:
    # A phrase may be broken over two lines, with a comment sign between them.
    text = re.sub(r"\s*\n\s*(?:#|//|\*)?\s*", " ", path.read_text(encoding="utf-8")).lower()
    return [phrase for phrase in BANNED if re.search(rf"\b{phrase}\b", text)]


def test_there_are_files_to_read() -> None:
    names = {path.suffix for path in _files()}
    assert {".py", ".md", ".cpp"} <= names


def test_phrases_are_found_across_lines(tmp_path: Path) -> None:
    path = tmp_path / "example.py"
    path.write_text("# Blocks are memory that\n    # goes around.\n# Thin coats\n")
    assert _found(path) == ["memory that goes around"]


@pytest.mark.parametrize(
    "path",
    _files(),
    ids=lambda path: str(path.relative_to(REPOSITORY)),
)
def test_no_banned_phrase(path: Path) -> None:
    assert not _found(path), "rewrite the sentence in the words of the field"
