"""The edges of one relation in COO, CSR and CSC."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

from gossamer.errors import InvalidValueError
from gossamer.ops import _torch, csr
from gossamer.ops._storage import without_surroundings
from gossamer.ops.compressed import Compressed, check_one_dtype, contiguous

__all__ = ["FORMATS", "INT32_MAX", "Adjacency", "Compressed"]

FORMATS = ("coo", "csr", "csc")

#: The largest int32: larger graphs need int64 ids.
INT32_MAX = 2**31 - 1


class Adjacency:
    """The edges of one relation; immutable, and shared between graphs.

    COO, CSR and CSC are built from one another on first use and kept, unless the adjacency is
    restricted to some formats. Within a row of CSR or CSC, edges are in insertion order, except in
    formats passed to the constructor.

    COO is returned in the id type `idtype`; if it was passed as int32, it is converted on first
    use. CSR and CSC, which kernels read, are int32 if the numbers of nodes and edges allow it; this
    halves the memory traffic for indices.

    The adjacency takes ownership of the tensors passed to it and returns them without copying, so
    no other code may write to them. Graphs copy the ids that they accept and return.

    Parameters
    ----------
    num_src, num_dst : int
        Number of source and destination nodes.
    idtype : torch.dtype
        torch.int32 or torch.int64: the type of the ids that graphs accept and return.
    coo : (Tensor, Tensor), optional
        Source and destination of each edge, in the order of edge ids.
    csr, csc : Compressed, optional
        The edges by row. At least one of the three must be given.
    allowed : iterable of str, optional
        The formats that may be stored. Default: all three.
    """

    __slots__ = ("_coo", "_csc", "_csr", "_memo", "allowed", "idtype", "num_dst", "num_src")

    def __init__(
        self,
        num_src: int,
        num_dst: int,
        idtype: torch.dtype,
        *,
        coo: tuple[Tensor, Tensor] | None = None,
        csr: Compressed | None = None,
        csc: Compressed | None = None,
        allowed: Iterable[str] = FORMATS,
    ) -> None:
        self.num_src = num_src
        self.num_dst = num_dst
        self.idtype = idtype
        self.allowed = tuple(name for name in FORMATS if name in set(allowed))
        # Kernels need contiguous ids; a column of an edge table is strided.
        self._coo, self._csr, self._csc = map(contiguous, (coo, csr, csc))
        self._memo: dict[Any, Any] = {}
        for arrays in (self._coo, self._csr, self._csc):
            check_one_dtype(arrays, idtype)
        if idtype == torch.int32 and max(num_src, num_dst, self.num_edges) > INT32_MAX:
            raise InvalidValueError(
                f"A graph with {max(num_src, num_dst, self.num_edges)} nodes or edges does not fit "
                "int32 ids. Use idtype=torch.int64."
            )

    # Only one format is pickled, because rebuilding the others is faster than sending them.
    def __getstate__(self) -> tuple:
        name = self.created()[0]

        def tensors() -> list[Tensor | None]:
            kept = getattr(self, f"_{name}")
            return [None if t is None else without_surroundings(t) for t in kept]

        # Copies are kept alive, because a starting process may not have opened them yet.
        sent = self.memo(("sent", name), tensors)
        return self.num_src, self.num_dst, self.idtype, self.allowed, name, sent

    def __setstate__(self, state: tuple) -> None:
        self.num_src, self.num_dst, self.idtype, self.allowed, name, tensors = state
        self._coo = self._csr = self._csc = None
        setattr(self, f"_{name}", tuple(tensors) if name == "coo" else Compressed(*tensors))
        self._memo = {}

    def __deepcopy__(self, memo: dict) -> Adjacency:
        return self

    def __repr__(self) -> str:
        return (
            f"Adjacency(num_src={self.num_src}, num_dst={self.num_dst}, "
            f"num_edges={self.num_edges}, idtype={self.idtype}, formats={list(self.created())})"
        )

    @property
    def adjacency(self) -> Adjacency:
        """This adjacency, so that operators accept a graph of one relation or an adjacency."""
        return self

    @property
    def num_edges(self) -> int:
        """Number of edges."""
        if self._coo is not None:
            return self._coo[0].shape[0]
        return (self._csc or self._csr).indices.shape[0]

    @property
    def device(self) -> torch.device:
        """Device of the edges."""
        if self._coo is not None:
            return self._coo[0].device
        return (self._csc or self._csr).indices.device

    @property
    def index_dtype(self) -> torch.dtype:
        """The dtype of CSR and CSC: int32 if all ids fit."""
        # Compare one by one: a maximum of symbolic sizes would specialize the trace to their order.
        counts = self.num_src, self.num_dst, self.num_edges
        return torch.int32 if all(n < INT32_MAX for n in counts) else torch.int64

    def memo(self, key: Any, compute: Callable[[], Any]) -> Any:
        """Return the result of `compute`, which is stored under `key` because edges never change.

        Callers must not write to the result.
        """
        try:
            return self._memo[key]
        except KeyError:
            value = self._memo[key] = self._compute_to_keep(compute)
            return value

    def _compute_to_keep(self, compute: Callable[[], Any]) -> Any:
        """Run `compute` outside inference mode and dispatch modes, because its result is kept.

        In a fake tensor mode, the result of real ids must be real tensors.
        """
        if torch.compiler.is_dynamo_compiling():
            return compute()
        if _torch.count_dispatch_modes():
            ids = (self._coo or self._csc or self._csr)[0]
            if type(ids) is Tensor and _torch.in_fake_mode():
                with _torch.outside_modes():
                    return compute()
        if torch.is_inference_mode_enabled():
            with torch.inference_mode(False):
                return compute()
        return compute()

    def knows(self, key: Any) -> bool:
        """Whether `memo` has a result for `key`."""
        return key in self._memo

    # --------------------------------------------------------------------------------- formats

    def created(self) -> tuple[str, ...]:
        """Names of the formats that are stored."""
        kept = (self._coo, self._csr, self._csc)
        return tuple(name for name, value in zip(FORMATS, kept, strict=True) if value is not None)

    def coo(self) -> tuple[Tensor, Tensor]:
        """Sources and destinations of the edges, in the order of edge ids, in `idtype`."""
        if self._coo is not None and self._coo[0].dtype == self.idtype:
            return self._coo
        coo = self._compute_to_keep(self._widened_ends)
        if "coo" in self.allowed:
            self._coo = coo
        return coo

    def csr(self) -> Compressed:
        """Out-edges by source node."""
        if self._csr is not None:
            return self._csr
        csr = self._compute_to_keep(self._make_csr)
        if "csr" in self.allowed:
            self._csr = csr
        return csr

    def csc(self) -> Compressed:
        """In-edges by destination node."""
        if self._csc is not None:
            return self._csc
        csc = self._compute_to_keep(self._make_csc)
        if "csc" in self.allowed:
            self._csc = csc
        return csc

    def _make_csr(self) -> Compressed:
        if self._coo is None and self._csc.eids is None:
            return Compressed(*csr.transpose(*self._csc, self.num_src))
        row, col = self._ends()
        return Compressed(*csr.coo_to_csr(row, col, self.num_src, self.index_dtype))

    def _make_csc(self) -> Compressed:
        if self._coo is None and self._csr.eids is None:
            return Compressed(*csr.transpose(*self._csr, self.num_dst))
        row, col = self._ends()
        return Compressed(*csr.coo_to_csr(col, row, self.num_dst, self.index_dtype))

    def _widened_ends(self) -> tuple[Tensor, Tensor]:
        """The result of `coo`, without keeping it."""
        row, col = self._ends()
        return row.to(self.idtype), col.to(self.idtype)

    def _ends(self) -> tuple[Tensor, Tensor]:
        """Sources and destinations of the edges, in the order of edge ids, in the stored dtype.

        CSR and CSC are built from these, unless the edges of the other format are in the order of
        ids. Otherwise, transposing would sort the edges of a row by neighbor instead of by id.
        """
        if self._coo is not None:
            return self._coo
        if self._csr is not None:
            return self._csr.expand()
        col, row = self._csc.expand()
        return row, col

    def create(self) -> None:
        """Build every allowed format now."""
        for name in self.allowed:
            getattr(self, name)()

    def restrict(self, allowed: Iterable[str]) -> Adjacency:
        """Return an adjacency with the same edges that is stored only in the formats `allowed`."""
        allowed = tuple(allowed)
        kept = {name: getattr(self, f"_{name}") for name in allowed}
        if all(value is None for value in kept.values()):
            name = next(name for name in ("coo", "csr", "csc") if name in allowed)
            kept[name] = getattr(self, name)()
        return Adjacency(self.num_src, self.num_dst, self.idtype, **kept, allowed=allowed)

    # ---------------------------------------------------------------------- what kernels read

    def slots(self) -> tuple[Tensor, Tensor, Tensor | None]:
        """(source, destination, edge id) of each slot, grouped by destination if CSC exists.

        The edge ids are None if slot ``k`` is edge ``k``.
        """
        if self._csc is None and self._coo is not None:
            return (*self._coo, None)
        csc = self.csc()
        rows = self.memo("csc_rows", csc.slot_rows)
        return csc.indices, rows, csc.eids

    def structure(
        self, *, by_dst: bool = False, by_src: bool = False, slots: bool = False
    ) -> tuple[Tensor | None, ...]:
        """The tensors that an operator reads: slots, CSC and CSR, three entries each.

        Parts that are not requested are None.
        """
        none = (None, None, None)
        in_edges = self.csc() if by_dst else none
        out_edges = self.csr() if by_src else none
        return (*(self.slots() if slots else none), *in_edges, *out_edges)

    # --------------------------------------------------------------------------------- queries

    def in_degrees(self) -> Tensor:
        """In-degree of every destination node, in `idtype`. Shared: do not write to it."""
        return self.memo("in_degrees", lambda: self._degrees(self._csc, self.csc, 1))

    def out_degrees(self) -> Tensor:
        """Out-degree of every source node, in `idtype`. Shared: do not write to it."""
        return self.memo("out_degrees", lambda: self._degrees(self._csr, self.csr, 0))

    def _degrees(
        self, compressed: Compressed | None, compress: Callable[[], Compressed], end: int
    ) -> Tensor:
        if compressed is None and torch.compiler.is_compiling():
            # The output size of bincount depends on data, which tracing does not support.
            compressed = compress()
        if compressed is not None:
            return compressed.indptr.diff().to(self.idtype)
        rows = self.num_dst if end else self.num_src
        return torch.bincount(self.coo()[end], minlength=rows).to(self.idtype)

    def has_zero_in_degree(self) -> bool:
        """Whether some destination node has no in-edge."""
        return self.memo("zero_in_degree", lambda: bool((self.in_degrees() == 0).any()))

    def in_slots(self, nodes: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(source, destination, edge id) of the in-edges of `nodes`, node by node."""
        owner, source, eids = self.csc().gather_rows(nodes)
        return source.to(self.idtype), nodes.index_select(0, owner), eids.to(self.idtype)

    def out_slots(self, nodes: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(source, destination, edge id) of the out-edges of `nodes`, node by node."""
        owner, destination, eids = self.csr().gather_rows(nodes)
        return nodes.index_select(0, owner), destination.to(self.idtype), eids.to(self.idtype)

    def edges_between(self, u: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Every edge ``u[i] -> v[i]``, as (pair number i, edge id), sorted by pair, then by id."""
        keys, order = self.memo("pairs", self._sorted_pairs)
        wanted = self.pair_keys(u, v)
        first = torch.searchsorted(keys, wanted)
        count = torch.searchsorted(keys, wanted, right=True) - first
        pair, position = _ranges(first, count)
        return pair, order[position].to(self.idtype)

    def _sorted_pairs(self) -> tuple[Tensor, Tensor]:
        return torch.sort(self.pair_keys(*self.coo()), stable=True)

    def pair_keys(self, u: Tensor, v: Tensor) -> Tensor:
        """One int64 key for each pair ``(u[i], v[i])``, ordered by source, then destination."""
        if self.num_src * self.num_dst >= 2**63:
            raise InvalidValueError(
                f"Pairs of {self.num_src} sources and {self.num_dst} destinations do not fit "
                "64 bits, so edges cannot be looked up by their nodes. Relabel the nodes first."
            )
        return u.long() * self.num_dst + v.long()

    def has_duplicates(self) -> bool:
        """Whether two edges join the same pair of nodes in the same direction."""

        def compute() -> bool:
            keys, _ = self.memo("pairs", self._sorted_pairs)
            return bool((keys[1:] == keys[:-1]).any())

        return self.memo("duplicates", compute)

    # ---------------------------------------------------------------------------- new adjacencies

    def reverse(self) -> Adjacency:
        """Return an adjacency with reversed edges and the same edge ids, which shares memory."""
        coo = None if self._coo is None else (self._coo[1], self._coo[0])
        swap = {"coo": "coo", "csr": "csc", "csc": "csr"}
        return Adjacency(
            self.num_dst,
            self.num_src,
            self.idtype,
            coo=coo,
            csr=self._csc,
            csc=self._csr,
            allowed=[swap[name] for name in self.allowed],
        )

    def edge_subset(self, eids: Tensor) -> Adjacency:
        """Return an adjacency of the edges `eids`, in this order, between the same nodes."""
        row, col = self.coo()
        return Adjacency(
            self.num_src, self.num_dst, self.idtype, coo=(row[eids.long()], col[eids.long()])
        )

    def astype(self, idtype: torch.dtype) -> Adjacency:
        """Return an adjacency with the same edges and the id type `idtype`."""
        if idtype == self.idtype:
            return self
        coo = None if self._coo is None else (self._coo[0].to(idtype), self._coo[1].to(idtype))
        return self._with(idtype, coo, self._csr, self._csc)

    def apply(self, function: Callable[[Tensor], Tensor]) -> Adjacency:
        """Apply `function` to every tensor, for example to move, pin or share it."""

        def each(tensors: Any) -> Any:
            if tensors is None:
                return None
            moved = [None if t is None else function(t) for t in tensors]
            return Compressed(*moved) if isinstance(tensors, Compressed) else tuple(moved)

        return self._with(self.idtype, each(self._coo), each(self._csr), each(self._csc))

    def _with(self, idtype: torch.dtype, coo: Any, csr: Any, csc: Any) -> Adjacency:
        return Adjacency(
            self.num_src, self.num_dst, idtype, coo=coo, csr=csr, csc=csc, allowed=self.allowed
        )

    def tensors(self) -> list[Tensor]:
        """All tensors that are stored."""
        kept = [*(self._coo or ()), *(self._csr or ()), *(self._csc or ())]
        return [tensor for tensor in kept if tensor is not None]


def _ranges(first: Tensor, count: Tensor) -> tuple[Tensor, Tensor]:
    """(i, member) of all ranges ``first[i] ... first[i] + count[i] - 1``, concatenated."""
    end = count.cumsum(0)
    total = int(end[-1]) if len(end) else 0
    # Ids fit the dtype of `first`, but the number of ids may not.
    form = {"dtype": first.dtype if total < INT32_MAX else end.dtype, "device": first.device}
    shift = (first + count - end).to(form["dtype"])
    owner = torch.repeat_interleave(count, output_size=total).to(form["dtype"])
    return owner, torch.arange(total, **form).add_(shift.index_select(0, owner))
