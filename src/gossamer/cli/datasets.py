"""`gossamer datasets`: the catalogue, and a summary of one dataset."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from gossamer.cli.files import check_page, write_atomic
from gossamer.cli.text import format_table
from gossamer.data import registry
from gossamer.data._build import MASKS
from gossamer.data.registry import DATASETS, DatasetInfo
from gossamer.graph import Graph
from gossamer.transforms import edge_homophily

__all__ = ["print_dataset", "print_datasets"]

_BAR_WIDTH = 40
_MAX_BARS = 12


def print_datasets() -> None:
    """Print one row per dataset of the catalogue."""
    header = "name task graphs nodes edges features classes splits metric files size license about"
    rows = [_row(info) for info in DATASETS.values()]
    print(format_table(header.split(), rows, "<<>>>>>><<><<"))
    print(
        "\nFiles that are not embedded are read from --raw-dir, or downloaded to a cache."
        "\nSummary of one: gossamer datasets show NAME"
        "\nTrain on one for node classification: gossamer train --dataset NAME"
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
    are titles with counts by name, `numbers` are properties of the first graph.
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
    for key, value in summary.numbers:
        print(f"{key:<18} {value}")
    if page_file is not None:
        from gossamer.cli.dataset_page import dataset_page

        write_atomic(page_file, dataset_page(summary))
        print(f"\nThe page is {page_file}")


def _summary(name: str, raw_dir: str | None) -> Summary:
    info = registry.info(name)
    dataset = registry.load(name, raw_dir, verbose=True)
    facts = [
        ("name", info.name),
        ("about", info.description),
        ("task", info.task),
        ("reference", info.reference),
        ("license", info.licence),
        ("class", f"gossamer.data.{info.dataset}"),
        ("graphs", f"{len(dataset):,}"),
    ]
    graphs = [item if isinstance(item, Graph) else item[0] for item in _first(dataset)]
    distributions = _distributions(graphs, dataset)
    return Summary(graphs, facts, _sizes(graphs), distributions, _numbers(graphs[0]))


def _first(dataset: Any, limit: int = 1000) -> list[Any]:
    """The first `limit` items of a dataset."""
    return [dataset[number] for number in range(min(len(dataset), limit))]


def _sizes(graphs: list[Graph]) -> list[tuple[str, str]]:
    nodes: dict[str, int] = {}
    for g in graphs:
        for ntype in g.ntypes:
            nodes[ntype] = nodes.get(ntype, 0) + g.num_nodes(ntype)
        for etype in g.canonical_etypes:
            key = " ".join(etype)
            nodes[key] = nodes.get(key, 0) + g.num_edges(etype)
    return [(name, f"{count:,}") for name, count in nodes.items()]


def _distributions(graphs: list[Graph], dataset: Any) -> list[tuple[str, dict[str, int]]]:
    """Titles and counts: in-degrees of all nodes, classes of nodes or graphs."""
    degrees = torch.cat([g.in_degrees(etype=e) for g in graphs for e in g.canonical_etypes])
    found = [("in-degrees", degree_counts(degrees))]
    labels = [
        v for g in graphs for t in g.ntypes if (v := g.nodes[t].data.get("label")) is not None
    ]
    title = "classes of nodes"
    if not labels and not isinstance(dataset[0], Graph):
        labels = [torch.as_tensor(item[1]).reshape(-1) for item in _first(dataset)]
        title = "classes of graphs"
    if labels and not labels[0].is_floating_point() and labels[0].dim() == 1:
        label = torch.cat(labels)
        counts = label[label >= 0].bincount()
        found.append((title, {str(c): int(n) for c, n in enumerate(counts)}))
    return found


def degree_counts(degrees: Tensor) -> dict[str, int]:
    """How many nodes have a degree of 0, 1, 2-3, 4-7, 8-15 and so on.

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
    """A bar for each count, the longest 40 characters wide.

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


def _numbers(g: Graph) -> list[tuple[str, str]]:
    """Homophily, sparsity of features and sizes of the splits of the first graph."""
    if len(g.ntypes) > 1 or len(g.canonical_etypes) > 1:
        return []
    data, found = g.ndata, []
    label = data.get("label")
    if label is not None and label.dim() == 1 and not label.is_floating_point():
        found.append(("edge homophily", f"{edge_homophily(g, label):.3f}"))
    if "feat" in data and data["feat"].numel():
        zeros = (data["feat"] == 0).double().mean().item()
        found.append(("features", f"{tuple(data['feat'].shape)}, {zeros:.1%} zeros"))
    for mask in MASKS:
        if mask in data:
            part = data[mask].reshape(g.num_nodes(), -1)[:, 0]
            found.append((mask, f"{int(part.sum()):,} nodes"))
    return found
