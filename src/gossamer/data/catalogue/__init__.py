"""The catalogue: one row for each dataset."""

from __future__ import annotations

from types import MappingProxyType

from gossamer.data.catalogue import embedded, entities, graphs, links, nodes
from gossamer.data.catalogue.entry import Contents, Entry

__all__ = ["CATALOGUE", "Contents", "Entry"]

CATALOGUE = MappingProxyType(
    {
        row.name: row
        for row in (*embedded.ROWS, *nodes.ROWS, *entities.ROWS, *graphs.ROWS, *links.ROWS)
    }
)
