"""Knowledge graphs: facts by name, with or without dictionaries, or OpenKE's numbered facts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from gossamer.data._build import node_graph
from gossamer.data.catalogue.entry import Contents
from gossamer.data.raw import RawFolder
from gossamer.data.readers._checks import corrupt
from gossamer.data.readers._tables import check_ids, read_table, read_text

_PARTS = ("train", "valid", "test")


def triples(raw: RawFolder, reverse: bool) -> Contents:
    """Read a knowledge graph; edges are grouped by relation, in the order of first mention.

    With `reverse`, the reverse edges follow all other edges; the relation of a reverse edge is that
    of the edge plus the number of relations.
    """
    parts, entities, relations = read_parts(raw)
    num_nodes, num_rels = len(entities), len(relations)
    table = np.concatenate(parts)
    part = np.repeat(np.arange(3), [len(rows) for rows in parts])
    order = _by_first_mention(table[:, 1]).argsort(kind="stable")
    (head, relation, tail), part = table[order].T, part[order]
    forward = np.ones(len(head), dtype=bool)
    if reverse:
        head, tail = np.concatenate([head, tail]), np.concatenate([tail, head])
        relation = np.concatenate([relation, relation + num_rels])
        part, forward = np.tile(part, 2), np.repeat([True, False], len(forward))
    g = node_graph(head, tail, num_nodes, {"ntype": np.zeros(num_nodes, dtype=np.int64)})
    for number, (name, mask) in enumerate(zip(_PARTS, ("train", "val", "test"), strict=True)):
        g.edata[f"{name}_edge_mask"] = torch.from_numpy((part == number) & forward)
        g.edata[f"{mask}_mask"] = torch.from_numpy(part == number)
    g.edata["etype"] = torch.from_numpy(relation)
    return Contents([g], info={"num_nodes": num_nodes, "num_rels": num_rels})


def _by_first_mention(relation: np.ndarray) -> np.ndarray:
    _, first, number = np.unique(relation, return_index=True, return_inverse=True)
    return first[number]


Parts = tuple[list[np.ndarray], list[str], list[str]]


def read_parts(raw: RawFolder) -> Parts:
    """Read the training, validation and test facts, and the names of entities and relations.

    A part is (facts, 3) int64: head, relation, tail. The folder is in one of three layouts:
    dictionaries and facts by name; OpenKE's counts and facts by number; or only facts by name.
    """
    if raw.has("entities.dict"):
        return _by_dictionary(raw)
    return _by_number(raw) if raw.has("entity2id.txt") else _by_word(raw)


def _by_dictionary(raw: RawFolder) -> Parts:
    entities = _dictionary(raw.path("entities.dict"))
    relations = _dictionary(raw.path("relations.dict"))
    parts = []
    for part in _PARTS:
        path = raw.path(f"{part}.txt")
        rows = []
        for line, (head, relation, tail) in _lines(path):
            try:
                rows.append((entities[head], relations[relation], entities[tail]))
            except KeyError as error:
                raise corrupt(path, f"line {line}: {error} is in no dictionary") from None
        parts.append(np.array(rows, dtype=np.int64).reshape(-1, 3))
    return parts, sorted(entities, key=entities.get), sorted(relations, key=relations.get)


def _by_word(raw: RawFolder) -> Parts:
    """Read facts by name; entities are in the two columns that share most words.

    Some files have the relation first.
    """
    paths = [raw.path(f"{part}.txt") for part in _PARTS]
    tables = [[words for _, words in _lines(path)] for path in paths]
    if not tables[0]:
        raise corrupt(paths[0], "it has no facts")
    words = [{row[column] for table in tables for row in table} for column in range(3)]
    shared = {which: len(words[0] & words[which]) for which in (1, 2)}
    shared[0] = len(words[1] & words[2])
    first = shared[0] > max(shared[1], shared[2])
    if not first and shared[1] >= shared[2]:
        raise corrupt(paths[0], "heads and tails share no names; expected head, relation, tail")
    head, relation, tail = (1, 0, 2) if first else (0, 1, 2)
    entities, relations = sorted(words[head] | words[tail]), sorted(words[relation])
    numbers = [{name: i for i, name in enumerate(names)} for names in (entities, relations)]
    parts = [
        np.array(
            [[numbers[0][r[head]], numbers[1][r[relation]], numbers[0][r[tail]]] for r in table],
            dtype=np.int64,
        ).reshape(-1, 3)
        for table in tables
    ]
    return parts, entities, relations


def _lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the number and the three words of each line."""
    for line, text in enumerate(read_text(path).splitlines(), 1):
        words = text.strip().split("\t")
        if len(words) == 3:
            yield line, words
        elif words != [""]:
            raise corrupt(
                path, f"line {line}: expected head, relation and tail, got {len(words)} words"
            )


def _dictionary(path: Path) -> dict[str, int]:
    """Read a dict from name to number; a line is a number, a tab and a name."""
    found = {}
    for line, text in enumerate(read_text(path).splitlines(), 1):
        number, tab, name = text.strip().partition("\t")
        if not tab or not number.isdigit():
            raise corrupt(path, f"line {line}: expected a number, a tab and a name")
        found[name] = int(number)
    if sorted(found.values()) != list(range(len(found))):
        raise corrupt(path, "numbers are not 0, 1, 2 ..., or a name occurs twice")
    return found


def _by_number(raw: RawFolder) -> Parts:
    entities, relations = (_names(raw.path(f"{kind}2id.txt")) for kind in ("entity", "relation"))
    parts = []
    for part in _PARTS:
        path = raw.path(f"{part}2id.txt" if raw.has(f"{part}2id.txt") else f"{part}.txt")
        rows = read_table(path, 3, skip=1)
        if len(rows) != _count(path):
            raise corrupt(path, f"it announces {_count(path)} triples and has {len(rows)}")
        check_ids(path, rows[:, :2], len(entities), "entity", skip=1)
        check_ids(path, rows[:, 2], len(relations), "relation", skip=1)
        parts.append(rows[:, [0, 2, 1]])
    return parts, entities, relations


def _names(path: Path) -> list[str]:
    """Read names by number; lines after the first are a name, a blank or tab, and a number."""
    names: dict[int, str] = {}
    for line, text in enumerate(read_text(path).splitlines()[1:], 2):
        name, _, number = text.strip().replace("\t", " ").rpartition(" ")
        if not text.strip():
            continue
        if not number.isdigit():
            raise corrupt(path, f"line {line}: expected a name and a number")
        names[int(number)] = name.strip()
    if len(names) != _count(path) or sorted(names) != list(range(len(names))):
        raise corrupt(
            path, f"it announces {_count(path)} names, and their numbers are not 0, 1 ..."
        )
    return [names[number] for number in range(len(names))]


def _count(path: Path) -> int:
    first = read_text(path).partition("\n")[0].strip()
    if not first.isdigit():
        raise corrupt(path, "line 1 is not a count")
    return int(first)
