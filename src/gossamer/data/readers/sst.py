"""The Stanford sentiment treebank: sentences as trees in brackets."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from gossamer.data._build import graph_pieces
from gossamer.data.catalogue.entry import Contents
from gossamer.data.raw import RawFolder
from gossamer.data.readers._checks import corrupt
from gossamer.data.readers._tables import read_text

# Value of x for a node that is not a word, and for a word that is not in the vocabulary.
NO_WORD = -1
_TOKENS = re.compile(r"\(|\)|[^\s()]+")


class _Trees(NamedTuple):
    """All nodes of all trees in preorder; a root is its own parent."""

    parents: list[int]
    classes: list[int]
    words: list[str | None]
    sizes: list[int]


def sst(raw: RawFolder, mode: str, vocab_file: str | None) -> Contents:
    """Read the trees; edges go from a node to its parent.

    ``x`` is the word, ``y`` the sentiment from 0 to 4, ``mask`` is 1 for words.
    """
    vocab = read_vocab(Path(vocab_file) if vocab_file else raw.path("vocab.txt"))
    trees = _parse(raw.path(f"{mode}.txt"))
    parents = np.array(trees.parents)
    child = np.flatnonzero(parents != np.arange(len(parents)))
    x = [NO_WORD if word is None else vocab.get(word.lower(), NO_WORD) for word in trees.words]
    ndata = {
        "x": np.array(x, dtype=np.int64),
        "y": np.array(trees.classes, dtype=np.int64),
        "mask": np.array([word is not None for word in trees.words], dtype=np.int64),
    }
    sizes = np.array(trees.sizes)
    graphs = graph_pieces(child, parents[child], sizes, sizes - 1, ndata, {})
    return Contents(graphs, info={"num_classes": 5, "vocab_size": len(vocab)})


def read_vocab(path: Path) -> dict[str, int]:
    """Read words, one per line, and number them from 0."""
    words = [word.strip().lower() for word in read_text(path).splitlines()]
    return {word: number for number, word in enumerate(words)}


def read_embeddings(path: Path, vocab: dict[str, int]) -> torch.Tensor:
    """Read the vectors of words, (len(vocab), D); words without one get small random numbers."""
    found: dict[int, np.ndarray] = {}
    for line, text in enumerate(read_text(path).splitlines(), 1):
        # A word may contain blanks; the numbers come last.
        word, *numbers = text.rstrip().split(" ")
        if word.lower() in vocab:
            try:
                found[vocab[word.lower()]] = np.array(numbers, dtype=np.float32)
            except ValueError:
                continue
        if line == 1 and len(numbers) < 2:
            raise corrupt(path, "line 1: expected a word and its vector")
    if not found:
        raise corrupt(path, "it has no word of the vocabulary")
    width = len(next(iter(found.values())))
    vectors = np.random.RandomState(0).uniform(-0.05, 0.05, (len(vocab), width))
    for number, vector in found.items():
        if len(vector) != width:
            raise corrupt(path, f"vectors have {width} and {len(vector)} numbers")
        vectors[number] = vector
    return torch.from_numpy(vectors.astype(np.float32))


def _parse(path: Path) -> _Trees:
    trees, open_nodes, first = _Trees([], [], [], []), [], 0
    tokens = _TOKENS.findall(read_text(path))
    position = 0
    try:
        while position < len(tokens):
            token = tokens[position]
            if token == "(":
                number = len(trees.parents)
                trees.parents.append(open_nodes[-1] if open_nodes else number)
                trees.classes.append(int(tokens[position + 1]))
                trees.words.append(None)
                open_nodes.append(number)
                position += 1
            elif token == ")":
                open_nodes.pop()
                if not open_nodes:
                    trees.sizes.append(len(trees.parents) - first)
                    first = len(trees.parents)
            else:
                trees.words[open_nodes[-1]] = token
            position += 1
    except (ValueError, IndexError):
        raise corrupt(path, f"tree {len(trees.sizes)} is not well formed") from None
    if open_nodes:
        raise corrupt(path, f"tree {len(trees.sizes)} ends in the middle")
    if trees.classes and not 0 <= min(trees.classes) <= max(trees.classes) <= 4:
        raise corrupt(path, "a sentiment is not in 0 ... 4")
    return trees
