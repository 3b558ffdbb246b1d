"""Features: named tensors with equal numbers of rows, gathered lazily in subgraphs and blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, KeysView, Mapping, MutableMapping
from typing import NamedTuple

import torch
from torch import Tensor

from gossamer.errors import InvalidTypeError, InvalidValueError, UnknownKeyError
from gossamer.ops._storage import gathered, without_surroundings

__all__ = ["Frame", "Gathered", "Scheme", "columns_of", "zero_initializer"]

Initializer = Callable[[tuple[int, ...], torch.dtype, torch.device, slice], Tensor]


class Scheme(NamedTuple):
    """Row shape and dtype of a feature."""

    shape: tuple[int, ...]
    dtype: torch.dtype


def zero_initializer(
    shape: tuple[int, ...], dtype: torch.dtype, ctx: torch.device, id_range: slice
) -> Tensor:
    """Return rows of zeros, the default features of new nodes and edges."""
    return torch.zeros(shape, dtype=dtype, device=ctx)


class Placeholder:
    """A feature that a data loader fills in later; it has no rows yet."""

    shape: tuple[int, ...] = (0,)
    dtype = None


class Gathered:
    """Rows `index` of a column `source`, gathered on first access."""

    __slots__ = ("index", "source")

    def __init__(self, source: Tensor | Gathered, index: Tensor) -> None:
        self.source = source
        self.index = index

    def read(self) -> Tensor:
        """Gather the rows."""
        source = self.source.read() if isinstance(self.source, Gathered) else self.source
        index = self.index
        if index.is_inference() and not torch.is_inference_mode_enabled():
            index = index.clone()  # autograd cannot save inference tensors
        return gathered(source, index.long())

    def read_to_keep(self) -> Tensor:
        """Gather the rows with gradients and outside inference mode, because the result is kept."""
        if torch.compiler.is_compiling():
            return self.read()
        with torch.inference_mode(False), torch.enable_grad():
            return self.read()


class Frame(MutableMapping[str, Tensor]):
    """An ordered mapping from feature name to a tensor with `num_rows` rows.

    Parameters
    ----------
    num_rows : int
        Number of nodes or edges that the frame describes.
    kind : str
        ``"node"`` or ``"edge"``, for error messages.
    """

    __slots__ = ("_columns", "_default_initializer", "_initializers", "_sent", "kind", "num_rows")

    def __init__(self, num_rows: int, kind: str = "node") -> None:
        self.num_rows = num_rows
        self.kind = kind
        self._columns: dict[str, Tensor | Gathered] = {}
        self._initializers: dict[str, Initializer] = {}
        self._default_initializer: Initializer = zero_initializer

    # Features are gathered before pickling, and views are copied: a pickled block must not contain
    # the features of its whole graph, and an unbatched graph not those of the batch.
    def __getstate__(self) -> tuple:
        columns = {
            name: value if isinstance(value, Placeholder) else without_surroundings(value)
            for name, value in self.items()
        }
        # Copies are kept alive, because a starting process may not have opened them yet.
        self._sent = [value for name, value in columns.items() if value is not self[name]]
        return (
            self.num_rows,
            self.kind,
            columns,
            self._initializers,
            self._default_initializer,
        )

    def __setstate__(self, state: tuple) -> None:
        (
            self.num_rows,
            self.kind,
            self._columns,
            self._initializers,
            self._default_initializer,
        ) = state

    def __getitem__(self, name: str) -> Tensor:
        try:
            column = self._columns[name]
        except (KeyError, TypeError):  # TypeError: the name is not hashable
            raise UnknownKeyError(
                f"There is no {self.kind} feature {name!r}; there are {list(self._columns)}. "
                f"Set it first, as in g.{self.kind[0]}data[{name!r}] = tensor."
            ) from None
        if isinstance(column, Gathered):
            column = self._columns[name] = column.read_to_keep()
        return column

    def __setitem__(self, name: str, value: Tensor) -> None:
        self._columns[name] = value

    def __delitem__(self, name: str) -> None:
        self[name]
        del self._columns[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name in self._columns

    def __repr__(self) -> str:
        return repr(dict(self))

    def check(self, name: str, value: Tensor, device: torch.device, num_rows: int) -> None:
        """Raise unless `value` is valid as feature `name` with `num_rows` rows on `device`."""
        if isinstance(value, Placeholder):
            return
        if not isinstance(value, Tensor):
            raise InvalidTypeError(
                f"{self.kind.capitalize()} feature {name!r} must be a torch.Tensor, "
                f"got {type(value).__name__}. Wrap it in torch.as_tensor(...)."
            )
        if not isinstance(name, str):
            raise InvalidTypeError(f"A feature name is a str, got {type(name).__name__}: {name!r}.")
        if value.dim() == 0 or value.shape[0] != num_rows:
            raise InvalidValueError(
                f"{self.kind.capitalize()} feature {name!r} must have one row for each of the "
                f"{num_rows} {self.kind}s, got shape {tuple(value.shape)}."
            )
        if value.device != device:
            raise InvalidValueError(
                f"{self.kind.capitalize()} feature {name!r} is on {value.device} but the graph is "
                f"on {device}. Move one of them with .to(...)."
            )

    @property
    def columns(self) -> Mapping[str, Tensor | Gathered]:
        """The features as they are stored: tensors, or rows that are not gathered yet."""
        return self._columns

    def with_columns(self, columns: Mapping[str, Tensor | Gathered]) -> Frame:
        """Return a frame of `columns` with the number of rows and initializers of this frame."""
        return self._derive(self.num_rows, dict(columns))

    def names(self) -> KeysView[str]:
        """The feature names; faster than ``keys()`` of the mapping."""
        return self._columns.keys()

    def scheme(self, name: str) -> Scheme:
        """Row shape and dtype of one feature, without gathering it."""
        column = self._columns[name]
        while isinstance(column, Gathered):
            column = column.source
        return Scheme(tuple(column.shape[1:]), column.dtype)

    def schemes(self) -> dict[str, Scheme]:
        """Row shape and dtype of every feature."""
        return {name: self.scheme(name) for name in self._columns}

    def placeholders(self) -> dict[str, Placeholder]:
        """The features that have not been filled in yet; no feature is gathered."""
        return {n: c for n, c in self._columns.items() if isinstance(c, Placeholder)}

    # ------------------------------------------------------------------------------ derivation

    def copy(self) -> Frame:
        """A frame with the same tensors; adding or replacing features does not affect this one."""
        return self._derive(self.num_rows, dict(self._columns))

    def gather(self, index: Tensor, id_name: str | None = None) -> Frame:
        """Return a frame of the rows `index`; each feature is gathered when it is first read.

        The frame keeps a copy of `index`, because the caller may change it before that. With
        `id_name`, `index` itself is stored as the feature of that name.
        """
        kept = index.clone() if self._columns else index
        columns = {name: Gathered(column, kept) for name, column in self._columns.items()}
        if id_name is not None:
            columns[id_name] = index
        return self._derive(index.shape[0], columns)

    def apply(self, function: Callable[[Tensor], Tensor]) -> Frame:
        """Apply `function` to every feature, for example to change its device or dtype."""
        return self._derive(self.num_rows, {name: function(self[name]) for name in self})

    def _derive(self, num_rows: int, columns: dict[str, Tensor | Gathered]) -> Frame:
        frame = Frame(num_rows, self.kind)
        frame._columns = columns
        frame._initializers = dict(self._initializers)
        frame._default_initializer = self._default_initializer
        return frame

    # --------------------------------------------------------------------------------- changes

    def set_initializer(self, initializer: Initializer, name: str | None = None) -> None:
        """Set the initializer of rows without a value, for one feature or, by default, for all."""
        if not callable(initializer) or not isinstance(name, (str, type(None))):
            raise InvalidTypeError(
                "An initializer is a function, for one feature name or for all; got "
                f"{type(initializer).__name__} for {name!r}."
            )
        if name is None:
            self._default_initializer = initializer
        else:
            self._initializers[name] = initializer

    def has_initializer(self, name: str) -> bool:
        """Whether an initializer other than zeros is set for feature `name`."""
        return self._initializer(name) is not zero_initializer

    def initial_rows(self, name: str, count: int, scheme: Scheme, device: torch.device) -> Tensor:
        """Return `count` rows of feature `name` from its initializer, to be added at the end."""
        rows = slice(self.num_rows, self.num_rows + count)
        return self._initializer(name)((count, *scheme.shape), scheme.dtype, device, rows)

    def initial_column(self, name: str, scheme: Scheme, device: torch.device) -> Tensor:
        """Return all rows of feature `name` from its initializer."""
        shape = (self.num_rows, *scheme.shape)
        return self._initializer(name)(shape, scheme.dtype, device, slice(0, self.num_rows))

    def _initializer(self, name: str) -> Initializer:
        return self._initializers.get(name, self._default_initializer)

    def append(self, count: int, data: dict[str, Tensor] | None, device: torch.device) -> None:
        """Add `count` rows: from `data` where it has the feature, else from the initializer."""
        if not isinstance(data, (Mapping, type(None))):
            raise InvalidTypeError(
                f"Features of new {self.kind}s are a dict from name to tensor, got "
                f"{type(data).__name__}."
            )
        data = dict(data or {})
        for name, value in data.items():
            self.check(name, value, device, count)
            if name in self and self.scheme(name) != Scheme(tuple(value.shape[1:]), value.dtype):
                raise InvalidValueError(
                    f"New rows of {self.kind} feature {name!r} have row shape "
                    f"{tuple(value.shape[1:])} and {value.dtype}, but the feature has "
                    f"{tuple(self.scheme(name).shape)} and {self.scheme(name).dtype}."
                )
        columns: dict[str, Tensor | Gathered] = {}
        for name in dict.fromkeys([*self, *data]):
            new = data.get(name)
            if new is None:
                new = self.initial_rows(name, count, self.scheme(name), device)
            if name in self:
                old = self[name]
            else:
                old = self.initial_column(name, Scheme(tuple(new.shape[1:]), new.dtype), device)
            columns[name] = torch.cat([old, new])
        self._columns = columns
        self.num_rows += count

    def update_rows(self, index: Tensor, values: dict[str, Tensor], device: torch.device) -> None:
        """Write rows `index` of the features in `values`.

        Other rows keep their values; in a new feature, they get values from the initializer.
        """
        for name, value in values.items():
            self.check(name, value, device, index.shape[0])
            scheme = Scheme(tuple(value.shape[1:]), value.dtype)
            if name in self:
                if self.scheme(name) != scheme:
                    raise InvalidValueError(
                        f"Rows of {self.kind} feature {name!r} have row shape "
                        f"{tuple(self.scheme(name).shape)} and {self.scheme(name).dtype}, got "
                        f"{tuple(scheme.shape)} and {scheme.dtype}."
                    )
                old = self[name]
            else:
                old = self.initial_column(name, scheme, device)
            self._columns[name] = old.index_copy(0, index.long(), value)


def columns_of(frames: Iterable[Frame]) -> list[Mapping[str, Tensor | Gathered]]:
    """Return `Frame.columns` of many frames, faster than through the property."""
    return [frame._columns for frame in frames]
