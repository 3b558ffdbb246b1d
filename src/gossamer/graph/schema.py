"""Node types and canonical edge types."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from gossamer.errors import InvalidTypeError, InvalidValueError, UnknownKeyError

__all__ = ["DEFAULT_ETYPE", "DEFAULT_NTYPE", "CanonicalEType", "Schema"]

CanonicalEType = tuple[str, str, str]

DEFAULT_NTYPE = "_N"
DEFAULT_ETYPE = "_E"


@dataclass(frozen=True)
class Schema:
    """The types of a graph and how edge types join node types.

    Parameters
    ----------
    ntypes : tuple of str
        Node types. A block lists its source types first and its destination types after them;
        a name may stand on both sides.
    canonical_etypes : tuple of (str, str, str)
        ``(source type, relation, destination type)`` of each edge type.
    num_src_ntypes : int, optional
        For a block: how many of `ntypes` are source types.
    """

    ntypes: tuple[str, ...]
    canonical_etypes: tuple[CanonicalEType, ...]
    num_src_ntypes: int | None = None

    @classmethod
    def homogeneous(cls) -> Schema:
        """One node type and one edge type, with the default names."""
        return _HOMOGENEOUS

    @property
    def is_block(self) -> bool:
        """Whether source and destination nodes are kept apart."""
        return self.num_src_ntypes is not None

    @cached_property
    def etypes(self) -> tuple[str, ...]:
        """Relation names, one for each canonical edge type."""
        return tuple(relation for _, relation, _ in self.canonical_etypes)

    @cached_property
    def is_unibipartite(self) -> bool:
        """Whether no node type is both a source and a destination of edges."""
        if self.is_block:
            return True
        sources = {src for src, _, _ in self.canonical_etypes}
        return sources.isdisjoint(dst for _, _, dst in self.canonical_etypes)

    @cached_property
    def src_ids(self) -> dict[str, int]:
        """Position in `ntypes` of each type on the source side."""
        if self.is_block:
            return {name: i for i, name in enumerate(self.ntypes[: self.num_src_ntypes])}
        if self.is_unibipartite:
            # A type without edges counts as a source type, as in DGL.
            targets = {dst for _, _, dst in self.canonical_etypes}
            return {name: i for name, i in self._by_name if name not in targets}
        return self._positions

    @cached_property
    def dst_ids(self) -> dict[str, int]:
        """Position in `ntypes` of each type on the destination side."""
        if self.is_block:
            first = self.num_src_ntypes
            return {name: i + first for i, name in enumerate(self.ntypes[first:])}
        if self.is_unibipartite:
            targets = {dst for _, _, dst in self.canonical_etypes}
            return {name: i for name, i in self._by_name if name in targets}
        return self._positions

    @cached_property
    def ntype_ids(self) -> dict[str, int]:
        """Position in `ntypes` of each type."""
        # A name on both sides of a block stands for the source side, as in DGL.
        if self.is_block:
            return {**self.src_ids, **self.dst_ids, **self.src_ids}
        return self._positions

    @cached_property
    def _positions(self) -> dict[str, int]:
        return {name: i for i, name in enumerate(self.ntypes)}

    @property
    def _by_name(self) -> list[tuple[str, int]]:
        # The sides of a bipartite graph list their types by name, as in DGL.
        return sorted(self._positions.items())

    @cached_property
    def endpoints(self) -> tuple[tuple[int, int], ...]:
        """Positions in `ntypes` of the source and destination type of each edge type."""
        return tuple((self.src_ids[s], self.dst_ids[d]) for s, _, d in self.canonical_etypes)

    @cached_property
    def _etype_ids(self) -> dict[CanonicalEType, int]:
        return {name: i for i, name in enumerate(self.canonical_etypes)}

    def ntype_id(self, ntype: str | None, side: str = "any") -> int:
        """Position of a node type; None stands for the only one.

        Raises
        ------
        UnknownKeyError
            If there is no such type on that side ("src", "dst" or "any").
        InvalidValueError
            If None was given and there are several.
        """
        ids = {"src": self.src_ids, "dst": self.dst_ids}.get(side)
        if ids is None:
            ids = self.ntype_ids
            if ntype is None and self.is_block:
                raise InvalidValueError(
                    "A block has source and destination nodes, so say which: use srcnodes, "
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
            where = {"src": " among the source types", "dst": " among the destination types"}
            raise UnknownKeyError(
                f"There is no node type '{ntype}'{where.get(side, '')}; there are {list(ids)}."
            ) from None

    def etype_id(self, etype: str | CanonicalEType | None) -> int:
        """Position of an edge type; None stands for the only one.

        Raises
        ------
        UnknownKeyError
            If there is no such type.
        InvalidValueError
            If None was given and there are several, or a relation name stands for several.
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
            if etype in self._etype_ids:
                return self._etype_ids[etype]
        else:
            raise InvalidTypeError(
                "An edge type is a relation name or a (source type, relation, destination type) "
                f"tuple, got {etype!r}."
            )
        raise UnknownKeyError(
            f"There is no edge type {etype!r}; there are {list(self.canonical_etypes)}."
        )


_HOMOGENEOUS = Schema((DEFAULT_NTYPE,), ((DEFAULT_NTYPE, DEFAULT_ETYPE, DEFAULT_NTYPE),))
