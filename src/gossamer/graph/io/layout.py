"""The layout of a graph file: the content of its header and the names of its tensors."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch

from gossamer.graph.schema import Schema
from gossamer.ops.adjacency import FORMATS

__all__ = [
    "KEY", "STORED_AS_BYTES", "STORED_DIRECTLY", "VERSION", "Feature", "Layout", "Relation",
    "as_json", "checked",
]  # fmt: skip

#: Version of the format, increased with each change that older readers would misread.
VERSION = 2

#: The key of the file's metadata that holds the header.
KEY = "gossamer.graphs"

#: Tensors of these dtypes are stored without conversion.
STORED_DIRECTLY = frozenset(
    (
        torch.bool,
        torch.uint8,
        torch.int8,
        torch.int16,
        torch.int32,
        torch.int64,
        torch.float16,
        torch.bfloat16,
        torch.float32,
        torch.float64,
    )
)

#: Tensors of these dtypes are stored as bytes, with one more dimension.
STORED_AS_BYTES = frozenset(
    getattr(torch, name)
    for name in (
        "uint16",
        "uint32",
        "uint64",
        "complex32",
        "complex64",
        "complex128",
        "float8_e4m3fn",
        "float8_e4m3fnuz",
        "float8_e5m2",
        "float8_e5m2fnuz",
    )
)


class Feature(NamedTuple):
    """Name, dtype and row shape of a feature; for a label, the whole shape."""

    name: str
    dtype: torch.dtype
    shape: tuple[int, ...]

    @classmethod
    def from_json(cls, value: Any) -> Feature:
        """Build a feature from JSON; raise ValueError if `value` does not describe one."""
        name, dtype, shape = checked(value, list, length=3)
        found = getattr(torch, checked(dtype, str), None)
        if not isinstance(found, torch.dtype) or found not in STORED_DIRECTLY | STORED_AS_BYTES:
            raise ValueError(f"there is no dtype {dtype!r}")
        sizes = [checked(size, int) for size in checked(shape, list)]
        if any(size < 0 for size in sizes):
            raise ValueError(f"a feature cannot have the shape {sizes}")
        return cls(checked(name, str), found, tuple(sizes))


class Relation(NamedTuple):
    """How a file stores the edges of one type."""

    allowed: tuple[str, ...]
    stored: tuple[str, ...]
    with_eids: tuple[str, ...]
    features: tuple[Feature, ...]

    @classmethod
    def from_json(cls, value: Any) -> Relation:
        """Build a relation from JSON; raise ValueError if `value` does not describe one."""
        *formats, features = checked(value, list, length=4)
        relation = cls(*map(_formats, formats), _features(features))
        if not relation.stored or not set(relation.stored) <= set(relation.allowed):
            raise ValueError(f"formats {relation.stored} stored, {relation.allowed} allowed")
        return relation


class Layout(NamedTuple):
    """Types, dtypes and formats that are equal in all graphs of a group."""

    schema: Schema
    idtype: torch.dtype
    nodes: tuple[tuple[Feature, ...], ...]
    relations: tuple[Relation, ...]
    batched: tuple[bool, bool]

    @classmethod
    def from_json(cls, value: Any) -> Layout:
        """Build a layout from JSON; raise ValueError if `value` does not describe one."""
        value = checked(value, dict)
        missing = {"ntypes", "etypes", "block", "idtype", "nodes", "edges", "batched"} - set(value)
        if missing:
            raise ValueError(f"a group lacks {sorted(missing)}")
        idtype = {"int32": torch.int32, "int64": torch.int64}.get(checked(value["idtype"], str))
        if idtype is None:
            raise ValueError(f"ids cannot be {value['idtype']!r}")
        schema = _schema(value["ntypes"], value["etypes"], value["block"])
        nodes = checked(value["nodes"], list, length=len(schema.ntypes))
        edges = checked(value["edges"], list, length=len(schema.canonical_etypes))
        flags = [checked(flag, bool) for flag in checked(value["batched"], list, length=2)]
        return cls(
            schema,
            idtype,
            tuple(_features(features) for features in nodes),
            tuple(Relation.from_json(relation) for relation in edges),
            tuple(flags),
        )

    def to_json(self) -> dict[str, Any]:
        """The JSON that `from_json` reads."""
        return {
            "ntypes": self.schema.ntypes,
            "etypes": self.schema.canonical_etypes,
            "block": self.schema.num_src_ntypes,
            "idtype": self.idtype,
            "nodes": self.nodes,
            "edges": self.relations,
            "batched": self.batched,
        }


def as_json(value: Any) -> Any:
    """`value` with dtypes, layouts and tuples replaced by JSON values."""
    if isinstance(value, torch.dtype):
        return str(value).removeprefix("torch.")
    if isinstance(value, Layout):
        return value.to_json()
    if isinstance(value, (list, tuple)):
        return [as_json(item) for item in value]
    if isinstance(value, dict):
        return {key: as_json(item) for key, item in value.items()}
    return value


def checked(value: Any, kind: type, length: int | None = None) -> Any:
    """Return `value` if it has the given type and length; else, raise ValueError."""
    if type(value) is not kind or (length is not None and len(value) != length):
        size = "" if length is None else f" of length {length}"
        raise ValueError(f"expected a {kind.__name__}{size}, found {str(value)[:80]!r}")
    return value


def _formats(value: Any) -> tuple[str, ...]:
    names = checked(value, list)
    if any(name not in FORMATS for name in names):
        raise ValueError(f"formats are among {FORMATS}, found {str(names)[:80]}")
    return tuple(name for name in FORMATS if name in names)


def _features(value: Any) -> tuple[Feature, ...]:
    features = tuple(Feature.from_json(item) for item in checked(value, list))
    if len({feature.name for feature in features}) != len(features):
        raise ValueError(f"a feature occurs twice among {[feature.name for feature in features]}")
    return features


def _schema(ntypes: Any, etypes: Any, block: Any) -> Schema:
    names = tuple(checked(name, str) for name in checked(ntypes, list))
    triples = tuple(
        tuple(checked(name, str) for name in checked(etype, list, length=3))
        for etype in checked(etypes, list)
    )
    sides = (names, names)
    if block is not None:
        first = checked(block, int)
        if not 0 < first < len(names):
            raise ValueError(f"a block of {len(names)} node types cannot have {first} source types")
        sides = (names[:first], names[first:])
    once = sides if block is not None else sides[:1]
    if not triples or len(set(triples)) != len(triples) or any(len(set(s)) != len(s) for s in once):
        raise ValueError("types are missing, or occur twice")
    if any(src not in sides[0] or dst not in sides[1] for src, _, dst in triples):
        raise ValueError("an edge type joins node types that do not exist")
    return Schema(names, triples, block)
