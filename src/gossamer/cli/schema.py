"""The input and output of a model: types of a graph, widths of features, and the target."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from gossamer.errors import InvalidValueError

__all__ = ["GRAPHS", "LINKS", "NODES", "RATINGS", "Schema"]

# RATINGS are values of existing links.
NODES, LINKS, RATINGS, GRAPHS = "nodes", "links", "ratings", "graphs"


@dataclass(frozen=True)
class Schema:
    """The properties of graph and task that determine the shapes of a model's weights.

    Attributes
    ----------
    level : str
        The items with labels: "nodes", "links", "ratings" (of links) or "graphs".
    in_sizes : dict of str to int
        Width of the features by node type; 0 for a type without features, whose nodes get trainable
        vectors.
    num_nodes : dict of str to int
        Number of nodes by node type, for types without features.
    num_etypes : int
        Number of edge types.
    ends : list of str
        Type of the nodes to predict, or the types of both ends of a link.
    out_size : int
        Width of the scores.
    delta : float
        Mean of ``log(degree + 1)``, which PNA needs.
    """

    level: str
    in_sizes: dict[str, int]
    out_size: int
    ends: list[str] = field(default_factory=lambda: ["_N"])
    num_nodes: dict[str, int] = field(default_factory=dict)
    num_etypes: int = 1
    delta: float = 1.0

    def __post_init__(self) -> None:
        numbers = {"out_size": self.out_size, "num_etypes": self.num_etypes}
        for name, sizes in (("in_sizes", self.in_sizes), ("num_nodes", self.num_nodes)):
            if not isinstance(sizes, dict):
                raise InvalidValueError(f"'{name}' must be a mapping, got {sizes!r}.")
            numbers |= {f"{name} of {key}": value for key, value in sizes.items()}
        for name, value in numbers.items():
            least = 0 if "in_sizes" in name else 1
            if type(value) is not int or not least <= value < 2**31:
                raise InvalidValueError(f"'{name}' must be a positive integer, got {value!r}.")
        if self.level not in (NODES, LINKS, RATINGS, GRAPHS) or not self.in_sizes:
            raise InvalidValueError(f"'level' is {self.level!r} for node types {self.in_sizes}.")
        types = list(self.ends) if isinstance(self.ends, list) else [None]
        if not types or any(end not in self.in_sizes for end in types):
            raise InvalidValueError(f"'ends' is {self.ends!r}, of types {list(self.in_sizes)}.")
        if type(self.delta) is not float:
            raise InvalidValueError(f"'delta' must be a number, got {self.delta!r}.")
        missing = [t for t, size in self.in_sizes.items() if not size and t not in self.num_nodes]
        if missing:
            raise InvalidValueError(f"'num_nodes' lacks the type {missing[0]!r}.")

    @property
    def of_pairs(self) -> bool:
        """Whether the labels belong to pairs of nodes."""
        return self.level in (LINKS, RATINGS)

    @property
    def homogeneous(self) -> bool:
        """Whether there is one node type and one edge type."""
        return len(self.in_sizes) == 1 and self.num_etypes == 1

    @classmethod
    def from_json(cls, values: Any) -> Schema:
        """Validate and read a schema from an untrusted file."""
        if not isinstance(values, dict) or set(values) != {f.name for f in fields(cls)}:
            raise InvalidValueError("'schema' has missing or unknown entries.")
        return cls(**values)
