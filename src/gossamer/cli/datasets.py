"""`gossamer datasets`: the catalogue, and a summary of one dataset."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import Any

import torch
from torch import Tensor

from gossamer.cli.files import check_page, write_atomic
from gossamer.cli.parts import open_parts
from gossamer.cli.text import format_table
from gossamer.data import registry
from gossamer.data._build import MASKS
from gossamer.data.catalogue.entry import EVENTS, TRIPLES
from gossamer.data.registry import DATASETS, DatasetInfo
from gossamer.graph import Graph
from gossamer.transforms import edge_homophily

__all__ = ["print_dataset", "print_datasets"]

_BAR_WIDTH = 40
_MAX_BARS = 12
_MAX_GRAPHS = 10_000


def print_datasets() -> None:
    """Print one row per dataset of the catalogue."""
    header = "name task graphs nodes edges features classes splits metric files size license about"
    rows = [_row(info) for info in DATASETS.values()]
    print(format_table(header.split(), rows, "<<>>>>>><<><<"))
    print(
        "\nFiles that are not embedded are read from --raw-dir, or downloaded to a cache."
        "\nSummary of one: gossamer datasets show NAME"
        "\nTrain on one: gossamer train --dataset NAME"
    )


def _row(info: DatasetInfo) -> list[str]:
    counts = (info.graphs, info.nodes, info.edges, info.features, info.classes, info.splits)
    files = "download" if info.download else "embedded"
    return [
        info.name,
        info.task.replace(" ", "-"),
        *("?" if count < 0 else f"{count:,}" for count in counts),
        info.metric,
        files,
        "?" if info.size is None else f"{info.size / 1e6:.1f}MB" if info.download else "0",
        info.licence,
        f"{info.description} ({info.reference})",
    ]


@dataclass(frozen=True)
class Summary:
    """The content of a dataset.

    `facts` come from the catalogue, `sizes` are counts of nodes and edges by type, `distributions`
    are titles with counts by name, `numbers` are properties of the first graph and of targets.
    """

    graphs: list[Graph]
    facts: list[tuple[str, str]]
    sizes: list[tuple[str, str]]
    distributions: list[tuple[str, dict[str, int]]]
    numbers: list[tuple[str, str]]


def print_dataset(name: str, raw_dir: str | None = None, page_file: str | None = None) -> None:
    """Print the catalogue's entry of a dataset and statistics of its graphs.

    With `page_file`, also write them to a page, with a picture of some nodes.

    Raises
    ------
    UnknownKeyError
        If no dataset has that name.
    FileError
        If its files are missing or corrupt, or the page cannot be written.
    InvalidValueError
        If `page_file` does not end in ``.html``.
    """
    check_page(page_file)
    summary = _summary(name, raw_dir)
    print("\n".join(f"{key:<10} {value}" for key, value in summary.facts))
    print()
    print(format_table(["type", "nodes or edges"], summary.sizes, "<>"))
    for title, values in summary.distributions:
        print(f"\n{title}\n{bars(values)}")
    if summary.numbers:
        print()
    width = max([18, *(len(key) for key, _ in summary.numbers)])
    for key, value in summary.numbers:
        print(f"{key:<{width}} {value}")
    if page_file is not None:
        from gossamer.cli.dataset_page import dataset_page

        write_atomic(page_file, dataset_page(summary))
        print(f"\nThe page is {page_file}")


def _summary(name: str, raw_dir: str | None) -> Summary:
    info = registry.info(name)
    parts = _parts(info, raw_dir)
    facts = [
        ("name", info.name),
        ("about", info.description),
        ("task", info.task),
        ("reference", info.reference),
        ("license", info.licence),
        ("class", f"gossamer.data.{info.dataset}"),
        ("graphs", f"{sum(map(len, parts.values())):,}"),
    ]
    dataset = next(iter(parts.values()))
    items, counted = _items(list(parts.values()))
    if "" not in parts:
        facts.append(("parts", ", ".join(f"{key} {len(part):,}" for key, part in parts.items())))
    if counted:
        facts.append(("counted", counted))
    if info.task == TRIPLES:
        facts.append(("counted", "facts as published; the class adds the reverse of each"))
    graphs = [item if isinstance(item, Graph) else item[0] for item in items]
    labels = [] if isinstance(items[0], Graph) else [torch.as_tensor(item[1]) for item in items]
    found = [("in-degrees", degree_counts(torch.cat([_in_degrees(g) for g in graphs])))]
    found += _of_edges(graphs[0]) if len(graphs) == 1 else []
    numbers = _numbers(graphs[0], len(graphs) > 1)
    names = getattr(dataset, "targets", None)
    if labels:
        target = torch.stack(labels).reshape(len(labels), -1)
        found += _classes("graphs", target, names)
        numbers += _values(target, names)
    else:
        found += _classes("nodes", _of_nodes(graphs), names)
    return Summary(graphs, facts, _sizes(graphs), found, numbers)


def _parts(info: DatasetInfo, raw_dir: str | None) -> dict[str, Any]:
    """Return the parts of a dataset by name; the name is "" if the class opens all at once."""

    def load(**arguments: Any) -> Any:
        return registry.load(info.name, raw_dir, verbose=True, **arguments)

    if info.task == TRIPLES:
        return {"": load(reverse=False)}
    # In these datasets, each graph contains the edges of the earlier graphs of its part.
    return {"": load()} if info.task == EVENTS else open_parts(info, load)


def _items(parts: list[Any]) -> tuple[list[Any], str]:
    """Return the items to count, and a description of them unless they are all items."""
    total = sum(map(len, parts))
    if getattr(parts[0], "is_temporal", False):
        mode = getattr(parts[0], "mode", None)
        text = "the last graph, which has the edges of all" + (f", of part {mode}" if mode else "")
        return [parts[0][total - 1]], text
    items = [part[i] for part in parts for i in range(min(len(part), _MAX_GRAPHS))][:_MAX_GRAPHS]
    return items, f"the first {len(items):,} graphs" if len(items) < total else ""


def _sizes(graphs: list[Graph]) -> list[tuple[str, str]]:
    nodes: dict[str, int] = {}
    for g in graphs:
        for ntype in g.ntypes:
            key = "nodes" if ntype == "_N" else ntype
            nodes[key] = nodes.get(key, 0) + g.num_nodes(ntype)
        for etype in g.canonical_etypes:
            key = "edges" if etype == ("_N", "_E", "_N") else " ".join(etype)
            nodes[key] = nodes.get(key, 0) + g.num_edges(etype)
    return [(name, f"{count:,}") for name, count in nodes.items()]


def _in_degrees(g: Graph) -> Tensor:
    """Return the in-degree of each node over the edges of all types."""
    found = {ntype: torch.zeros(g.num_nodes(ntype), dtype=torch.int64) for ntype in g.ntypes}
    for etype in g.canonical_etypes:
        found[etype[2]] += g.in_degrees(etype=etype)
    return torch.cat(list(found.values()))


def _of_nodes(graphs: list[Graph]) -> Tensor | None:
    """Return the node labels as a matrix, or None if there are none or their shapes differ."""
    found = [g.nodes[t].data.get("label") for g in graphs for t in g.ntypes]
    found = [label.reshape(len(label), -1) for label in found if label is not None and len(label)]
    if not found or len({label.shape[1] for label in found}) > 1:
        return None
    return torch.cat(found)


def _of_edges(g: Graph) -> list[tuple[str, dict[str, int]]]:
    """Count the edges with each rating, or the facts of each relation."""
    found = []
    for key, title in (("rate", "ratings"), ("etype", "facts of each relation")):
        # Reverse edges repeat the ratings, so one edge type suffices.
        data = next((g.edges[e].data for e in g.canonical_etypes if key in g.edges[e].data), None)
        if data is None or data[key].dim() != 1:
            continue
        pairs = zip(*(part.tolist() for part in data[key].unique(return_counts=True)), strict=True)
        found.append((title, {f"{value:g}": number for value, number in pairs}))
    return found


def _classes(
    what: str, label: Tensor | None, names: list[str] | None
) -> list[tuple[str, dict[str, int]]]:
    """Count the nodes or graphs of each class, or with each of several labels."""
    if label is None or not len(label):
        return []
    known = label[~label.isnan()]
    if label.shape[1] == 1 and not label.is_floating_point():
        counts = known[known >= 0].long().bincount().tolist()
        return [(f"classes of {what}", {str(c): n for c, n in enumerate(counts)})]
    if ((known != 0) & (known != 1)).any():
        return []
    counts = zip(names or count(), (label == 1).sum(0).tolist(), strict=False)
    return [(f"{what} with each label", {str(name): number for name, number in counts})]


def _values(label: Tensor, names: list[str] | None) -> list[tuple[str, str]]:
    """Return mean, deviation and range of each value to predict."""
    if not label.is_floating_point() or ((label == 0) | (label == 1) | label.isnan()).all():
        return []
    found = []
    for name, column in zip(names or count(), label.T, strict=False):
        known, text = column[~column.isnan()], "never known"
        if len(known):
            text = f"mean {known.mean():.4g}, deviation {known.std(correction=0):.4g}, "
            text += f"from {known.min():.4g} to {known.max():.4g}, known for {len(known):,}"
        found.append((f"target {name}", text))
    return found


def degree_counts(degrees: Tensor) -> dict[str, int]:
    """Count the nodes with a degree of 0, 1, 2-3, 4-7, 8-15 and so on.

    Examples
    --------
    >>> degree_counts(torch.tensor([0, 1, 2, 3, 9]))
    {'0': 1, '1': 1, '2-3': 2, '4-7': 0, '8-15': 1}
    """
    # The bit length of a degree: 0, 1, 2 for 2-3, 3 for 4-7 ...
    lengths = torch.where(degrees > 0, degrees.double().log2().floor() + 1, 0).long().bincount()
    names = ["0", "1", *(f"{1 << n}-{(2 << n) - 1}" for n in range(1, len(lengths)))]
    return {name: int(count) for name, count in zip(names, lengths, strict=False)}


def bars(values: dict[str, int]) -> str:
    """Draw a bar for each count, the longest 40 characters wide.

    Examples
    --------
    >>> print(bars({"a": 2, "bc": 4}))
     a  2  ####################
    bc  4  ########################################
    """
    shown = dict(list(values.items())[:_MAX_BARS])
    largest = max([1, *shown.values()])
    left = max([1, *map(len, shown)])
    right = max([1, *(len(f"{count:,}") for count in shown.values())])
    lines = [
        f"{name:>{left}}  {count:>{right},}  {'#' * round(_BAR_WIDTH * count / largest)}".rstrip()
        for name, count in shown.items()
    ]
    rest = len(values) - len(shown)
    return "\n".join([*lines, *([f"and {rest} more"] if rest else [])])


def _numbers(g: Graph, many: bool) -> list[tuple[str, str]]:
    """Return homophily, features and split sizes of a graph; `many` if it is one of several."""
    if len(g.ntypes) > 1 or len(g.canonical_etypes) > 1:
        return []
    data, found = g.ndata, []
    label = data.get("label")
    # With many graphs, node labels are often kinds of atoms or the like.
    if not many and label is not None and label.dim() == 1 and not label.is_floating_point():
        found.append(("edge homophily", f"{edge_homophily(g, label):.3f}"))
    if "feat" in data and data["feat"].numel():
        zeros = (data["feat"] == 0).double().mean().item()
        shape = tuple(data["feat"].shape)
        text = f"{shape}, {zeros:.1%} zeros"
        if many:
            text = f"{shape[1:]} for each node, {zeros:.1%} zeros in the first graph"
        found.append(("features", text))
    for mask in MASKS:
        for frame, what in ((data, "nodes"), (g.edata, "edges")):
            if mask in frame and not many:
                part = frame[mask].reshape(len(frame[mask]), -1)[:, 0]
                found.append((mask, f"{int(part.sum()):,} {what}"))
    return found
