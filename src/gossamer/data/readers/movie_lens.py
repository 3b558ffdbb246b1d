"""MovieLens: users, movies and ratings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from gossamer.data._pickles import load_values
from gossamer.data.catalogue.entry import Contents
from gossamer.data.raw import RawFolder
from gossamer.data.readers._checks import array, corrupt, within
from gossamer.data.readers._tables import read_text
from gossamer.graph import heterograph

_AGE_SCALE = 50.0
_FEATURES = "movie_feat.pkl"
_GENDERS = ("F", "M")


def movie_lens(
    raw: RawFolder, name: str, valid_ratio: float, test_ratio: float | None, seed: int
) -> Contents:
    """Read relations ``user-movie`` and ``movie-user`` with ratings ``rate`` and three masks.

    Movies have ``feat``: the content of ``movie_feat.pkl``, or genres without that file. Users have
    ``feat``: age, gender and occupation. ml-100k has a fixed test set, u1.test.
    """
    users, movies = _users(raw, name), _movies(raw, name)
    train, test = _ratings(raw, name, test_ratio, seed)
    num_valid = int(len(train) * valid_ratio)
    # Edges are in random order within each part: training, validation, test.
    order = np.random.RandomState(seed).permutation(len(train))
    part = np.repeat(np.arange(3), [len(train) - num_valid, num_valid, len(test)])
    table = np.concatenate([train[order], test])
    user = torch.from_numpy(_numbers(raw, table[:, 0], list(users)))
    movie = torch.from_numpy(_numbers(raw, table[:, 1], list(movies)))
    g = heterograph(
        {
            ("user", "user-movie", "movie"): (user, movie),
            ("movie", "movie-user", "user"): (movie, user),
        },
        {"user": len(users), "movie": len(movies)},
    )
    for etype in ("user-movie", "movie-user"):
        data = g.edges[etype].data
        data["rate"] = torch.from_numpy(table[:, 2].astype(np.float32))
        for number, mask in enumerate(("train_mask", "valid_mask", "test_mask")):
            data[mask] = torch.from_numpy(part == number)
    g.nodes["user"].data["feat"] = torch.from_numpy(_user_features(list(users.values())))
    g.nodes["movie"].data["feat"] = torch.from_numpy(_movie_features(raw, list(movies.values())))
    return Contents([g])


def _fields(path: Path, delimiter: str, columns: int) -> list[list[str]]:
    rows = [line.split(delimiter) for line in read_text(path, "latin-1").splitlines() if line]
    for line, row in enumerate(rows, 1):
        if len(row) < columns:
            raise corrupt(path, f"line {line}: expected {columns} columns, got {len(row)}")
    return rows


def _integer(path: Path, line: int, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise corrupt(path, f"line {line}: '{text[:40]}' is not an integer") from None


def _users(raw: RawFolder, name: str) -> dict[int, tuple[int, str, str]]:
    """Return age, gender and occupation by id."""
    if name == "ml-10m":
        # It has no table of users: their ids are those of the ratings.
        path = raw.path("ratings.dat")
        ids = sorted({_integer(path, 0, row[0]) for row in _fields(path, "::", 4)})
        return dict.fromkeys(ids, (0, "", ""))
    path = raw.path("u.user" if name == "ml-100k" else "users.dat")
    found = {}
    for line, row in enumerate(_fields(path, "|" if name == "ml-100k" else "::", 4), 1):
        age, gender = (row[1], row[2]) if name == "ml-100k" else (row[2], row[1])
        found[_integer(path, line, row[0])] = (_integer(path, line, age), gender, row[3])
    return found


def _movies(raw: RawFolder, name: str) -> dict[int, list[str]]:
    """Return genres by id."""
    old = name == "ml-100k"
    path = raw.path("u.item" if old else "movies.dat")
    found = {}
    for line, row in enumerate(_fields(path, "|" if old else "::", 24 if old else 3), 1):
        genres = (
            [str(i) for i, flag in enumerate(row[5:24]) if flag == "1"]
            if old
            else row[2].split("|")
        )
        found[_integer(path, line, row[0])] = genres
    return found


def _ratings(raw: RawFolder, name: str, test_ratio: float | None, seed: int) -> list[np.ndarray]:
    """Return (user, movie, rating) rows for training and validation, and for testing."""
    if name == "ml-100k":
        return [_table(raw.path(file), "\t") for file in ("u1.base", "u1.test")]
    table = _table(raw.path("ratings.dat"), "::")
    order = np.random.RandomState(seed).permutation(len(table))
    return np.split(table[order], [len(table) - int(len(table) * test_ratio)])


def _table(path: Path, delimiter: str) -> np.ndarray:
    rows = _fields(path, delimiter, 3)
    try:
        table = np.array([row[:3] for row in rows], dtype=np.float64).reshape(-1, 3)
    except ValueError as error:
        raise corrupt(path, error) from None
    if not np.isfinite(table).all():
        raise corrupt(path, "a rating is not finite")
    return table


def _numbers(raw: RawFolder, ids: np.ndarray, known: list[int]) -> np.ndarray:
    order = np.argsort(known)
    positions = np.searchsorted(known, ids, sorter=order)
    found = order[np.minimum(positions, len(known) - 1)]
    missing = np.array(known)[found] != ids
    if missing.any():
        raise corrupt(raw.folder, f"a rating names {int(ids[missing][0])}, which no table has")
    return within(raw.folder, found, len(known), "number")


def _user_features(users: list[tuple[int, str, str]]) -> np.ndarray:
    """Return age, gender and occupation, (U, 2 + number of occupations)."""
    occupations = sorted({occupation for _, _, occupation in users})
    features = np.zeros((len(users), 2 + len(occupations)), dtype=np.float32)
    for row, (age, gender, occupation) in zip(features, users, strict=True):
        row[0] = age / _AGE_SCALE
        row[1] = gender == _GENDERS[0]
        row[2 + occupations.index(occupation)] = 1
    return features


def _movie_features(raw: RawFolder, genres: list[list[str]]) -> np.ndarray:
    if raw.has(_FEATURES):
        path = raw.path(_FEATURES)
        values: Any = load_values(path)
        return array(path, values, "f", (len(genres), None), "features").astype(np.float32)
    names = sorted({name for found in genres for name in found}, key=lambda name: (len(name), name))
    features = np.zeros((len(genres), len(names)), dtype=np.float32)
    for row, found in zip(features, genres, strict=True):
        row[[names.index(name) for name in found]] = 1
    return features
