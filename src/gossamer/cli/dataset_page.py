"""The page of `gossamer datasets show NAME --page FILE`."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import numpy as np
import torch

from gossamer._layout import places
from gossamer.cli.figures import scatter
from gossamer.cli.report import page
from gossamer.cli.report_tables import bars, note, pairs, section, tiles
from gossamer.graph import NTYPE, Graph
from gossamer.transforms import to_homogeneous

if TYPE_CHECKING:
    from gossamer.cli.datasets import Summary

__all__ = ["dataset_page"]

_MOST_NODES = 150
_MOST_BARS = 40


def dataset_page(summary: Summary) -> str:
    """Return a complete HTML document about a dataset, without external resources."""
    facts = dict(summary.facts)
    numbers = dict(summary.numbers)
    shown = [("", key, facts[key], "") for key in ("task", "graphs")]
    shown += [("", key, value, "") for key, value in summary.sizes[:4]]
    if "edge homophily" in numbers:
        note_ = "edges that join two nodes of one class"
        shown.append(("", "edge homophily", numbers["edge homophily"], note_))
    distributions = "".join(
        f"<div><h3>{title[0].upper()}{title[1:]}</h3>{_bars(counts)}</div>"
        for title, counts in summary.distributions
    )
    body = [
        section("About", pairs({**facts, **dict(summary.sizes), **numbers})),
        section("Distributions", f'<div class="pair">{distributions}</div>'),
        section("Picture", _picture(summary.graphs[0], len(summary.graphs))),
    ]
    head = f'<dl class="tiles">{tiles(shown)}</dl>'
    return page(facts["name"], "".join(body), head, "Gossamer dataset")


def _bars(counts: dict[str, int]) -> str:
    largest = max([1, *counts.values()])
    rows = [(name, n / largest, f"{n:,}") for name, n in list(counts.items())[:_MOST_BARS]]
    rest = len(counts) - len(rows)
    return bars(rows) + (note(f"And {rest:,} more.") if rest else "")


def _picture(g: Graph, count: int) -> str:
    """Draw some nodes and the edges between them, colored by type or class."""
    if not g.num_nodes():
        return note("The first graph has no nodes.")
    names, label = list(g.ntypes), None
    if len(names) == 1:
        label = g.ndata.get("label")
        names = []
        if label is not None and label.dim() == 1 and not label.is_floating_point():
            label = label.long().clamp(min=-1)
            names = [str(c) for c in range(int(label.max()) + 1)]
    flat = g if len(g.canonical_etypes) == 1 and len(g.ntypes) == 1 else to_homogeneous(g)
    if len(g.ntypes) > 1:
        label = flat.ndata[NTYPE]
    nodes = _near(flat)
    part = np.full(len(nodes), -1) if not names else label[nodes].numpy()
    links = _links(flat, nodes)
    what = "graph" if count == 1 else "first graph"
    how = f"{len(nodes):,} of {flat.num_nodes():,} nodes of the {what}"
    if len(nodes) == flat.num_nodes():
        how = f"all {len(nodes):,} nodes of the {what}"
    colored = "type" if len(g.ntypes) > 1 else "class" if names else None
    text = f"{how[0].upper()}{how[1:]} and the edges between them"
    text += f", colored by {colored}." if colored else "."
    return note(text) + scatter(
        places(len(nodes), *links.T, center=0.5), part, names, text, links=links
    )


def _near(g: Graph) -> torch.Tensor:
    """Return a node of median degree and its nearest nodes, by breadth-first search."""
    if g.num_nodes() <= _MOST_NODES:
        return torch.arange(g.num_nodes())
    degrees = g.in_degrees()
    linked = degrees.nonzero().flatten()
    if not len(linked):
        return torch.arange(_MOST_NODES)
    start = int(linked[degrees[linked].argsort(stable=True)[len(linked) // 2]])
    found, queue = {start: None}, deque([start])
    while queue and len(found) < _MOST_NODES:
        node = queue.popleft()
        ends = torch.cat([g.in_edges([node])[0], g.out_edges([node])[1]])
        new = [other for other in ends.unique().tolist() if other not in found]
        new = new[: _MOST_NODES - len(found)]
        found.update(dict.fromkeys(new))
        queue.extend(new)
    return torch.tensor(list(found))


def _links(g: Graph, nodes: torch.Tensor) -> np.ndarray:
    """Return the edges among `nodes` as pairs of positions (K, 2), each once."""
    src, dst = g.in_edges(nodes.to(g.idtype))
    place = torch.full((g.num_nodes(),), -1)
    place[nodes] = torch.arange(len(nodes))
    pairs_ = torch.stack([place[src.long()], place[dst.long()]], 1)
    pairs_ = pairs_[(pairs_ >= 0).all(1) & (pairs_[:, 0] != pairs_[:, 1])]
    return pairs_.sort(1).values.unique(dim=0).numpy()
