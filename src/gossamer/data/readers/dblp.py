"""The four tables of DBLP: classes of authors, and authors, terms and venues of papers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from gossamer.data.catalogue.entry import Contents
from gossamer.data.raw import RawFolder
from gossamer.data.readers._checks import corrupt
from gossamer.data.readers._tables import read_table, read_text
from gossamer.graph import heterograph

# Terms of fewer papers are not features.
_LEAST_PAPERS = 50
_NUM_CLASSES = 4


def dblp(raw: RawFolder) -> Contents:
    """Read authors with a class, their papers, and the terms and venues of these papers.

    Nodes of a type are numbered in the ascending order of the ids in the files.
    """
    authors, label = _labels(raw.path("author_label.txt"))
    pairs = _pairs(raw, "paper_author", 1, authors)
    papers = np.unique(pairs[:, 0])
    ids = {"author": authors, "paper": papers}
    joined = {"author": pairs}
    for ntype, file in (("venue", "paper_conf"), ("term", "paper_term")):
        joined[ntype] = _pairs(raw, file, 0, papers)
        ids[ntype] = np.unique(joined[ntype][:, 1])
    ends = {
        ntype: (np.searchsorted(papers, rows[:, 0]), np.searchsorted(ids[ntype], rows[:, 1]))
        for ntype, rows in joined.items()
    }
    edges = {}
    names = {"author": ("written by", "writes"), "venue": ("at", "hosts"), "term": ("uses", "in")}
    for ntype, (there, back) in names.items():
        paper, other = (torch.from_numpy(end) for end in ends[ntype])
        edges["paper", there, ntype] = paper, other
        edges[ntype, back, "paper"] = other, paper
    g = heterograph(edges, {ntype: len(rows) for ntype, rows in ids.items()})
    g.nodes["author"].data["label"] = torch.from_numpy(label)
    counts = _counts(*ends["term"], len(papers), len(ids["term"]))
    g.nodes["paper"].data["feat"] = counts
    paper, author = (torch.from_numpy(end) for end in ends["author"])
    g.nodes["author"].data["feat"] = counts.new_zeros(len(authors), counts.shape[1]).index_add(
        0, author, counts[paper]
    )
    return Contents([g], info={"num_classes": _NUM_CLASSES})


def _labels(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return ids and classes, by ascending id; the author's name is not read."""
    classes: dict[int, int] = {}
    for line, text in enumerate(read_text(path).splitlines(), 1):
        words = text.split("\t")
        if not text.strip():
            continue
        try:
            author, number = int(words[0]), int(words[1])
        except (ValueError, IndexError):
            raise corrupt(path, f"line {line}: expected an id, a tab and a class") from None
        if author in classes or not 0 <= number < _NUM_CLASSES:
            why = f"class {number}, expected 0 ... {_NUM_CLASSES - 1}"
            why = f"author {author} occurs twice" if author in classes else why
            raise corrupt(path, f"line {line}: {why}")
        classes[author] = number
    if not classes:
        raise corrupt(path, "it has no author")
    ids = np.array(sorted(classes))
    return ids, np.array([classes[author] for author in ids.tolist()])


def _pairs(raw: RawFolder, name: str, column: int, ids: np.ndarray) -> np.ndarray:
    """Return the rows whose entry in `column` is one of `ids`."""
    path = raw.path(f"{name}.txt")
    rows = read_table(path, 2, delimiter="\t")
    rows = rows[np.isin(rows[:, column], ids)]
    if not len(rows):
        raise corrupt(path, "no row of it mentions a known id")
    return rows


def _counts(paper: np.ndarray, term: np.ndarray, papers: int, terms: int) -> torch.Tensor:
    """Count the occurrences of each term in each paper, for terms of enough papers."""
    common = np.flatnonzero(np.bincount(term, minlength=terms) >= _LEAST_PAPERS)
    column = np.full(terms, -1)
    column[common] = np.arange(len(common))
    kept = column[term] >= 0
    counts = torch.zeros(papers, len(common))
    place = torch.from_numpy(paper[kept]), torch.from_numpy(column[term[kept]])
    return counts.index_put(place, torch.ones(int(kept.sum())), accumulate=True)
