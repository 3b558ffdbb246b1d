"""`gossamer datasets`: what there is to train on."""

from __future__ import annotations

from gossamer.cli.text import format_table
from gossamer.data.registry import DATASETS, DatasetInfo

__all__ = ["print_datasets"]


def print_datasets() -> None:
    """Print one row per registered dataset."""
    header = ["name", "nodes", "edges", "features", "classes", "splits", "metric", "files", "about"]
    print(format_table(header, [_row(info) for info in DATASETS.values()], "<>>>>><<<"))
    print(
        "\nFiles that are not embedded are looked for in --raw-dir, then downloaded to a cache."
        "\nTrain on one with: gossamer train --dataset NAME"
    )


def _row(info: DatasetInfo) -> list[str]:
    sizes = (info.nodes, info.edges, info.features, info.classes, info.splits)
    files = "download" if info.download else "embedded"
    about = f"{info.description} ({info.reference})"
    return [info.name, *(f"{size:,}" for size in sizes), info.metric, files, about]
