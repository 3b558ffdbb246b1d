"""RDF triples about entities: AIFB, MUTAG, BGS and AM, as heterogeneous graphs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from gossamer._optional import optional_import
from gossamer.data.catalogue.entry import Contents
from gossamer.data.raw import RawFolder
from gossamer.data.readers import _rdf_terms as terms
from gossamer.data.readers._checks import corrupt
from gossamer.data.readers._tables import read_text
from gossamer.graph import heterograph

_LINE = re.compile(
    r"(<[^>]*>|_:\S+)\s+<([^>]*)>\s+"
    r"(<[^>]*>|_:\S+|\"(?:[^\"\\]|\\.)*\"(?:@[\w-]+|\^\^<[^>]*>)?)\s*\.\s*(?:#.*)?$"
)
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))")
_LETTERS = {"t": "\t", "b": "\b", "n": "\n", "r": "\r", "f": "\f"}
_OTHER_FORMATS = {".n3": "n3", ".ttl": "turtle", ".rdf": "xml", ".owl": "xml"}
_SPLITS = ("trainingSet.tsv", "testSet.tsv")


class _Rules(NamedTuple):
    """The rules that convert the triples of one dataset to typed entities.

    ``columns`` are those of the entity and its class in the split files.
    """

    fact: Callable[[str, str, str, str], tuple | None]
    category: str
    columns: tuple[int, int]


_RULES = {
    "aifb": _Rules(terms.aifb, "Personen", (0, 2)),
    "mutag": _Rules(terms.mutag, "d", (0, 2)),
    "bgs": _Rules(terms.bgs, "Lexicon/NamedRockUnit", (1, 2)),
    "am": _Rules(terms.am, "proxy", (0, 2)),
}


def rdf(raw: RawFolder, dataset: str, num_classes: int, insert_reverse: bool) -> Contents:
    """Convert triples whose ends are typed entities to edges, sorted by their text.

    Nodes are numbered in the order in which the sorted triples mention them. With
    `insert_reverse`, each relation has a reverse relation, named "rev-...".
    """
    rules = _RULES[dataset]
    path = raw.path(triples_file(raw.folder))
    numbers: dict[tuple[str, str], int] = {}
    counts: dict[str, int] = {}
    edges: dict[tuple[str, str, str], tuple[list[int], list[int]]] = {}
    for triple in sorted(set(_triples(path))):
        fact = rules.fact(*triple)
        if fact is None:
            continue
        subject, relation, target = fact
        # "type" cannot be a key of torch.nn.ModuleDict, where models keep a module per relation.
        relation = "rdftype" if relation == "type" else relation
        for entity in (subject, target):
            if entity not in numbers:
                numbers[entity] = counts.get(entity[0], 0)
                counts[entity[0]] = numbers[entity] + 1
        u, v = edges.setdefault((subject[0], relation, target[0]), ([], []))
        u.append(numbers[subject])
        v.append(numbers[target])
    if not edges:
        raise corrupt(path, "no triple of it joins two entities of this dataset")
    data = {key: tuple(torch.tensor(end) for end in ends) for key, ends in edges.items()}
    if insert_reverse:
        data |= {(v, f"rev-{r}", u): ends[::-1] for (u, r, v), ends in data.items()}
    g = heterograph(data, counts)
    _label(g.nodes[rules.category].data, raw, rules, dataset, numbers, counts[rules.category])
    return Contents([g], info={"num_classes": num_classes, "category": rules.category})


def triples_file(folder: Path) -> str:
    """Return the name of the file with the triples: the first one in a known format."""
    suffixes = (".nt", ".nt.gz", *_OTHER_FORMATS)
    names = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    found = [name for name in names if name.endswith(suffixes) and "_set" not in name]
    return found[0] if found else "triples.nt"


def split_file(folder: Path, name: str) -> str:
    """Return the path in `folder` of a file that may be in a subfolder."""
    found = sorted(folder.glob(f"*/{name}")) if not (folder / name).is_file() else []
    return str(found[0].relative_to(folder)) if found else name


def _triples(path: Path) -> Iterator[tuple[str, str, str, str]]:
    """Yield subject, predicate, object and the kind of the object; blank nodes are omitted.

    The kind is "<" for an IRI, otherwise the type of a literal.
    """
    if path.suffix in _OTHER_FORMATS:
        yield from _triples_by_rdflib(path)
        return
    for line, text in enumerate(read_text(path).splitlines(), 1):
        text = text.strip()
        if not text or text[0] == "#":
            continue
        match = _LINE.match(text)
        if match is None:
            raise corrupt(path, f"line {line} is not a triple")
        subject, predicate, target = match.groups()
        if subject[0] == "_" or target[0] == "_":
            continue
        if target[0] == "<":
            yield subject[1:-1], predicate, target[1:-1], "<"
        else:
            end = target.rindex('"')
            yield subject[1:-1], predicate, _plain(target[1:end]), target[end:]


def _plain(text: str) -> str:
    """Replace escapes in a text."""
    if "\\" not in text:
        return text

    def replace(match: re.Match) -> str:
        short, long, letter = match.groups()
        if letter is not None:
            return _LETTERS.get(letter, letter)
        return chr(int(short or long, 16))

    return _ESCAPE.sub(replace, text)


def _triples_by_rdflib(path: Path) -> Iterator[tuple[str, str, str, str]]:
    rdflib = optional_import("rdflib", f"Reading {path.name}", "data")
    try:
        facts = rdflib.Graph().parse(str(path), format=_OTHER_FORMATS[path.suffix])
    except Exception as error:  # a broken file can raise almost anything
        raise corrupt(path, f"{type(error).__name__}: {error}") from None
    for subject, predicate, target in facts:
        if not isinstance(subject, rdflib.BNode) and not isinstance(target, rdflib.BNode):
            literal = isinstance(target, rdflib.Literal)
            kind = f'"^^<{target.datatype}>' if literal and target.datatype else '"'
            yield str(subject), str(predicate), str(target), kind if literal else "<"


def _label(
    data: dict,
    raw: RawFolder,
    rules: _Rules,
    dataset: str,
    numbers: dict[tuple[str, str], int],
    count: int,
) -> None:
    """Set masks and labels; classes are numbered in the order of their first occurrence."""
    classes: dict[str, int] = {}
    label = np.full(count, -1, dtype=np.int64)
    for file, mask_name in zip(_SPLITS, ("train_mask", "test_mask"), strict=True):
        path = raw.path(split_file(raw.folder, file))
        mask = np.zeros(count, dtype=bool)
        for line, text in enumerate(read_text(path).splitlines()[1:], 2):
            words = text.split("\t")
            if not text.strip():
                continue
            if len(words) <= max(rules.columns):
                raise corrupt(path, f"line {line}: expected 3 columns, got {len(words)}")
            name, value = (words[column].strip() for column in rules.columns)
            number = classes.setdefault(value, len(classes))
            # An entity that no triple mentions is omitted.
            node = numbers.get(terms.ENTITIES[dataset](name) or ("", ""))
            if node is not None:
                mask[node], label[node] = True, number
        if not mask.any():
            raise corrupt(path, "none of its entities is in a triple")
        data[mask_name] = torch.from_numpy(mask)
    data["labels"] = torch.from_numpy(label)
    data["label"] = torch.from_numpy(label.copy())
