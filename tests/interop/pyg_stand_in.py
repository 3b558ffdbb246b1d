"""A stand-in for `torch_geometric.data` where that is not installed.

It has the little that is used, and `test_pyg.py` holds it to what PyG was recorded to answer.
"""

from __future__ import annotations

from typing import Any

import torch

__all__ = ["Data", "HeteroData"]


class _Store:
    """Attributes in the order in which they were set, as items or as attributes."""

    def __init__(self, **attributes: Any) -> None:
        self.__dict__["values"] = dict(attributes)

    def __setattr__(self, name: str, value: Any) -> None:
        self.values[name] = value

    def __setitem__(self, name: str, value: Any) -> None:
        self.values[name] = value

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    def to_dict(self) -> dict[str, Any]:
        return dict(self.values)

    @property
    def num_edges(self) -> int | None:
        return self.values["edge_index"].shape[1] if "edge_index" in self.values else None

    def _length(self, name: str) -> int | None:
        value = self.values[name]
        if name in ("ptr", "num_nodes") or not isinstance(value, torch.Tensor) or not value.dim():
            return None
        return value.shape[1] if name == "edge_index" else value.shape[0]


class _Nodes(_Store):
    @property
    def num_nodes(self) -> int | None:
        if "num_nodes" in self.values:
            return self.values["num_nodes"]
        rows = [len(self.values[name]) for name in ("x", "pos", "batch") if name in self.values]
        return rows[0] if rows else None

    def is_node_attr(self, name: str) -> bool:
        length = self._length(name)
        return length is not None and length == self.num_nodes and "edge" not in name

    def is_edge_attr(self, name: str) -> bool:
        return False


class _Edges(_Store):
    def is_node_attr(self, name: str) -> bool:
        return False

    def is_edge_attr(self, name: str) -> bool:
        return self._length(name) is not None and self._length(name) == self.num_edges


class Data(_Nodes):
    """Nodes and edges in one flat namespace."""

    def is_node_attr(self, name: str) -> bool:
        length = self._length(name)
        if length is None or name == "edge_index" or length != self.num_nodes:
            return False
        return length != self.num_edges or "edge" not in name

    def is_edge_attr(self, name: str) -> bool:
        length = self._length(name)
        return length is not None and length == self.num_edges and not self.is_node_attr(name)


class HeteroData:
    """A store for each node type and each edge type."""

    def __init__(self) -> None:
        self.__dict__.update(stores={}, rest={})

    def __getitem__(self, *kind: Any) -> Any:
        key = kind[0]
        if key not in self.stores:
            self.stores[key] = _Edges() if isinstance(key, tuple) else _Nodes()
        return self.stores[key]

    def __setitem__(self, name: str, value: Any) -> None:
        self.rest[name] = value

    __setattr__ = __setitem__

    @property
    def node_types(self) -> list[str]:
        return [key for key in self.stores if isinstance(key, str)]

    @property
    def edge_types(self) -> list[tuple[str, str, str]]:
        return [key for key in self.stores if isinstance(key, tuple)]

    def to_dict(self) -> dict[Any, Any]:
        return {
            "_global_store": dict(self.rest),
            **{k: s.to_dict() for k, s in self.stores.items()},
        }
