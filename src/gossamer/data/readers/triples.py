"""Knowledge graphs: triples by name with two dictionaries, or OpenKE's triples by number."""

from __future__ import annotations

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
    """Edges are grouped by relation, relations in the order of their first mention.

    With `reverse`, the reverse of each edge follows after all others; its relation is the one of
    the edge plus the number of relations.
    """
    by_name = raw.has("entities.dict")
    parts, num_nodes, num_rels = _by_name(raw) if by_name else _by_number(raw)
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


def _by_name(raw: RawFolder) -> tuple[list[np.ndarray], int, int]:
    entities = _dictionary(raw.path("entities.dict"))
    relations = _dictionary(raw.path("relations.dict"))
    parts = []
    for part in _PARTS:
        path = raw.path(f"{part}.txt")
        rows = []
        for line, text in enumerate(read_text(path).splitlines(), 1):
            words = text.strip().split("\t")
            if words == [""]:
                continue
            try:
                head, relation, tail = words
                rows.append((entities[head], relations[relation], entities[tail]))
            except ValueError:
                raise corrupt(
                    path, f"line {line}: expected head, relation and tail, got {len(words)} words"
                ) from None
            except KeyError as error:
                raise corrupt(path, f"line {line}: {error} is in no dictionary") from None
        parts.append(np.array(rows, dtype=np.int64).reshape(-1, 3))
    return parts, len(entities), len(relations)


def _dictionary(path: Path) -> dict[str, int]:
    """Names to numbers; a line is a number, a tab and a name."""
    found = {}
    for line, text in enumerate(read_text(path).splitlines(), 1):
        number, tab, name = text.strip().partition("\t")
        if not tab or not number.isdigit():
            raise corrupt(path, f"line {line}: expected a number, a tab and a name")
        found[name] = int(number)
    if sorted(found.values()) != list(range(len(found))):
        raise corrupt(path, "numbers are not 0, 1, 2 ..., or a name occurs twice")
    return found


def _by_number(raw: RawFolder) -> tuple[list[np.ndarray], int, int]:
    num_nodes, num_rels = (_count(raw.path(f"{kind}2id.txt")) for kind in ("entity", "relation"))
    parts = []
    for part in _PARTS:
        path = raw.path(f"{part}2id.txt" if raw.has(f"{part}2id.txt") else f"{part}.txt")
        rows = read_table(path, 3, skip=1)
        if len(rows) != _count(path):
            raise corrupt(path, f"it announces {_count(path)} triples and has {len(rows)}")
        check_ids(path, rows[:, :2], num_nodes, "entity", skip=1)
        check_ids(path, rows[:, 2], num_rels, "relation", skip=1)
        parts.append(rows[:, [0, 2, 1]])
    return parts, num_nodes, num_rels


def _count(path: Path) -> int:
    first = read_text(path).partition("\n")[0].strip()
    if not first.isdigit():
        raise corrupt(path, "line 1 is not a count")
    return int(first)
