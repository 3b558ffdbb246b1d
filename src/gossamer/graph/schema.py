"""Node types and canonical edge types."""

from __future__ import annotations

from dataclasses import dataclass, field

from gossamer.errors import InvalidTypeError, InvalidValueError, UnknownKeyError

__all__ = ["DEFAULT_ETYPE", "DEFAULT_NTYPE", "CanonicalEType", "Schema"]

CanonicalEType = tuple[str, str, str]

DEFAULT_NTYPE = "_N"
DEFAULT_ETYPE = "_E"


@dataclass(frozen=True)
class Schema:
    """The node types and edge types of a graph.

    Parameters
    ----------
    ntypes : tuple of str
        Node types. In a block, source types come first, then destination types; a name may be on
        both sides.
    canonical_etypes : tuple of (str, str, str)
        ``(source type, relation, destination type)`` of each edge type.
    num_src_ntypes : int, optional
        In a block, the number of source types.
    """

    ntypes: tuple[str, ...]
    canonical_etypes: tuple[CanonicalEType, ...]
    num_src_ntypes: int | None = None

    # Derived values, computed once. functools.cached_property breaks torch.compile before
    # Python 3.12.
    etypes: tuple[str, ...] = field(init=False, repr=False, compare=False)
    is_unibipartite: bool = field(init=False, repr=False, compare=False)
    src_ids: dict[str, int] = field(init=False, repr=False, compare=False)
    dst_ids: dict[str, int] = field(init=False, repr=False, compare=False)
    ntype_ids: dict[str, int] = field(init=False, repr=False, compare=False)
    etype_ids: dict[CanonicalEType, int] = field(init=False, repr=False, compare=False)
    endpoints: tuple[tuple[int, int], ...] = field(init=False, repr=False, compare=False)

    @classmethod
    def homogeneous(cls) -> Schema:
        """The schema with one node type and one edge type, with the default names."""
        return _HOMOGENEOUS

    @property
    def is_block(self) -> bool:
        """Whether source and destination nodes are separate, as in a message-flow graph."""
        return self.num_src_ntypes is not None

    def __post_init__(self) -> None:
        sources = {src for src, _, _ in self.canonical_etypes}
        targets = {dst for _, _, dst in self.canonical_etypes}
        unibipartite = self.is_block or sources.isdisjoint(targets)
        src_ids, dst_ids = self._sides(unibipartite, targets)
        # A name on both sides of a block selects the source side, as in DGL.
        positions = {name: i for i, name in enumerate(self.ntypes)}
        derived = {
            "etypes": tuple(relation for _, relation, _ in self.canonical_etypes),
            "is_unibipartite": unibipartite,
            "src_ids": src_ids,
            "dst_ids": dst_ids,
            "ntype_ids": {**src_ids, **dst_ids, **src_ids} if self.is_block else positions,
            "etype_ids": {name: i for i, name in enumerate(self.canonical_etypes)},
            "endpoints": tuple((src_ids[s], dst_ids[d]) for s, _, d in self.canonical_etypes),
        }
        for name, value in derived.items():
            object.__setattr__(self, name, value)

    def _sides(
        self, unibipartite: bool, targets: set[str]
    ) -> tuple[dict[str, int], dict[str, int]]:
        """Position in `ntypes` of each type on the source side, and on the destination side."""
        if self.is_block:
            first = self.num_src_ntypes
            return (
                {name: i for i, name in enumerate(self.ntypes[:first])},
                {name: i + first for i, name in enumerate(self.ntypes[first:])},
            )
        positions = {name: i for i, name in enumerate(self.ntypes)}
        if not unibipartite:
            return positions, positions
        # The types of each side are sorted by name, as in DGL. A type without edges is a source
        # type.
        by_name = sorted(positions.items())
        return (
            {name: i for name, i in by_name if name not in targets},
            {name: i for name, i in by_name if name in targets},
        )

    def by_name(self) -> tuple[Schema, list[int]]:
        """The schema with edge types sorted by name, and the position of each in this schema."""
        order = sorted(range(len(self.canonical_etypes)), key=self.canonical_etypes.__getitem__)
        if order == list(range(len(order))):
            return self, order
        etypes = tuple(self.canonical_etypes[i] for i in order)
        return Schema(self.ntypes, etypes, self.num_src_ntypes), order

    def ntype_id(self, ntype: str | None, side: str = "any") -> int:
        """Position of a node type; None selects the only one.

        In blocks and unibipartite graphs, ``"SRC/name"`` and ``"DST/name"`` select a side.

        Raises
        ------
        UnknownKeyError
            If there is no such type on `side` ("src", "dst" or "any").
        InvalidValueError
            If `ntype` is None and there are several types.
        """
        ids = {"src": self.src_ids, "dst": self.dst_ids}.get(side)
        if ids is None:
            ids = self.ntype_ids
            if ntype is None and self.is_block:
                raise InvalidValueError(
                    "A block has source and destination nodes, so choose one: use srcnodes, "
                    "dstnodes, srcdata, dstdata, num_src_nodes or num_dst_nodes."
                )
        if ntype is None:
            if len(ids) != 1:
                raise InvalidValueError(
                    "This graph has several node types, so the node type must be named: "
                    f"one of {list(ids)}."
                )
            return next(iter(ids.values()))
        if not isinstance(ntype, str):
            raise InvalidTypeError(f"A node type is a str, got {type(ntype).__name__}: {ntype!r}.")
        try:
            return ids[ntype]
        except KeyError:
            side_name, _, name = ntype.partition("/")
            sides = {"SRC": self.src_ids, "DST": self.dst_ids}
            if side == "any" and self.is_unibipartite and name in sides.get(side_name, ()):
                return sides[side_name][name]
            where = {"src": " among the source types", "dst": " among the destination types"}
            raise UnknownKeyError(
                f"There is no node type '{ntype}'{where.get(side, '')}; there are {list(ids)}."
            ) from None

    def etype_id(self, etype: str | CanonicalEType | None) -> int:
        """Position of an edge type; None selects the only one.

        Raises
        ------
        UnknownKeyError
            If there is no such type.
        InvalidValueError
            If `etype` is None and there are several types, or if several have this relation name.
        """
        if etype is None:
            if len(self.canonical_etypes) != 1:
                raise InvalidValueError(
                    "This graph has several edge types, so the edge type must be named: "
                    f"one of {list(self.canonical_etypes)}."
                )
            return 0
        if isinstance(etype, str):
            found = [i for i, name in enumerate(self.etypes) if name == etype]
            if len(found) == 1:
                return found[0]
            if len(found) > 1:
                names = [self.canonical_etypes[i] for i in found]
                raise InvalidValueError(
                    f"Edge type '{etype}' is ambiguous. Name the canonical type: one of {names}."
                )
        elif isinstance(etype, tuple) and len(etype) == 3:
            if etype in self.etype_ids:
                return self.etype_ids[etype]
        else:
            raise InvalidTypeError(
                "An edge type is a relation name or a (source type, relation, destination type) "
                f"tuple, got {etype!r}."
            )
        raise UnknownKeyError(
            f"There is no edge type {etype!r}; there are {list(self.canonical_etypes)}."
        )


_HOMOGENEOUS = Schema((DEFAULT_NTYPE,), ((DEFAULT_NTYPE, DEFAULT_ETYPE, DEFAULT_NTYPE),))
