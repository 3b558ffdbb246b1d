"""Base class and composition of transforms."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from torch import Tensor

from gossamer.errors import InvalidTypeError, InvalidValueError, UnknownKeyError
from gossamer.graph import Graph
from gossamer.graph.arguments import refuse_block
from gossamer.graph.frame import Frame
from gossamer.graph.schema import CanonicalEType, Schema
from gossamer.ops.adjacency import Adjacency

__all__ = ["BaseTransform", "Compose"]


class BaseTransform(ABC):
    """Base class of transforms: callables that map graphs to graphs, with settings as attributes.

    Subclasses define ``__call__``. Datasets accept any callable as ``transform``, but subclasses of
    this class also show their settings when printed, and can be pickled.

    The transforms of this package do not modify their input graph or its tensors. Random transforms
    draw from torch's generator, which :func:`gossamer.seed` seeds.

    Examples
    --------
    >>> import gossamer as gs
    >>> class Repeat(gs.BaseTransform):
    ...     def __init__(self, times):
    ...         self.times = times
    ...     def __call__(self, g):
    ...         return gs.batch([g] * self.times)
    >>> Repeat(times=3)
    Repeat(times=3)
    >>> Repeat(times=3)(gs.graph(([0], [1]))).batch_size
    3
    """

    @abstractmethod
    def __call__(self, g: Graph) -> Graph:
        """Return the transformed graph."""

    def __repr__(self) -> str:
        settings = {name: value for name, value in vars(self).items() if not name.startswith("_")}
        inside = ", ".join(f"{name}={value!r}" for name, value in settings.items())
        return f"{type(self).__name__}({inside})"


class Compose(BaseTransform):
    """Apply several transforms in order.

    Parameters
    ----------
    transforms : iterable of callable
        Transforms in the order in which they are applied. If empty, graphs do not change.

    Raises
    ------
    InvalidTypeError
        If `transforms` is not a list of callables.

    Examples
    --------
    >>> import gossamer as gs
    >>> transform = gs.Compose([gs.AddReverse(), gs.AddSelfLoop()])
    >>> transform
    Compose([
      AddReverse(copy_edata=False, sym_new_etype=False),
      AddSelfLoop(allow_duplicate=False, new_etypes=False, edge_feat_names=None, fill_data=1.0)
    ])
    >>> transform(gs.graph(([0], [1]))).edges()
    (tensor([0, 1, 0, 1]), tensor([1, 0, 0, 1]))
    """

    def __init__(self, transforms: Iterable[Callable[[Graph], Graph]]) -> None:
        if not isinstance(transforms, Iterable) or isinstance(transforms, (str, Tensor)):
            raise InvalidTypeError(
                f"Compose takes a list of transforms, got {type(transforms).__name__}."
            )
        self.transforms = list(transforms)
        for position, transform in enumerate(self.transforms):
            if not callable(transform):
                raise InvalidTypeError(
                    f"Compose takes callables; transform "
                    f"{position} is of type {type(transform).__name__}."
                )

    def __call__(self, g: Graph) -> Graph:
        for transform in self.transforms:
            g = transform(g)
        return g

    def __repr__(self) -> str:
        inside = ",\n".join(f"  {transform!r}" for transform in self.transforms)
        return f"{type(self).__name__}([\n{inside}\n])"


class FeatureTransform(BaseTransform):
    """Base class of transforms of some node and edge features."""

    def __init__(
        self, node_feat_names: Sequence[str] | None, edge_feat_names: Sequence[str] | None
    ) -> None:
        self.node_feat_names = feature_names(node_feat_names, self, "node_feat_names")
        self.edge_feat_names = feature_names(edge_feat_names, self, "edge_feat_names")

    def __call__(self, g: Graph) -> Graph:
        checked(g, self)
        return g.replaced(
            node_frames=self._replaced(g.node_frames, self.node_feat_names),
            edge_frames=self._replaced(g.edge_frames, self.edge_feat_names),
        )

    @abstractmethod
    def _changed(self, name: str, feature: Tensor) -> Tensor:
        """Return the new value of a feature."""

    def _replaced(self, frames: list[Frame], names: list[str] | None) -> list[Frame]:
        """Copies of `frames` in which the features `names` are changed."""
        copies = [frame.copy() for frame in frames]
        for name in names or ():
            having = [frame for frame in copies if name in frame]
            if not having:
                known = sorted({known for frame in frames for known in frame})
                raise UnknownKeyError(
                    f"{type(self).__name__}: there is no {frames[0].kind} feature {name!r}; the "
                    f"graph has {known}."
                )
            for frame in having:
                frame[name] = self._changed(name, frame[name])
        return copies


# --- helpers of the transforms in this folder ---------------------------------------------------


def checked(g: Any, transform: BaseTransform) -> Graph:
    """Return `g`; raise unless it is a graph and not a block."""
    refuse_block(g, type(transform).__name__)
    return g


def feature_names(names: Any, transform: BaseTransform, argument: str) -> list[str] | None:
    """Validate a list of feature names or None."""
    if names is None:
        return None
    listed = isinstance(names, Iterable) and not isinstance(names, (str, Tensor))
    if not listed or not all(isinstance(name, str) for name in names):
        raise InvalidTypeError(
            f"{type(transform).__name__}: {argument} is a list of feature names or None, got "
            f"{names!r}."
        )
    return list(names)


def with_relations(
    g: Graph,
    added: Mapping[CanonicalEType, tuple[Adjacency, Frame]],
    name: str,
    keep: bool = True,
) -> Graph:
    """Return `g` with added edge types or, unless `keep`, only with these, sorted by name."""
    if keep and not added:
        return g
    parts = zip(g.relations, g.edge_frames, strict=True)
    relations = dict(zip(g.canonical_etypes, parts, strict=True)) if keep else {}
    for etype in added:
        if etype in relations:
            raise InvalidValueError(
                f"{name}: the graph already has edges of type {etype}. "
                "Rename that type, or remove it with gossamer.edge_type_subgraph."
            )
    relations |= added
    etypes = sorted(relations)
    return Graph.from_parts(
        Schema(tuple(g.ntypes), tuple(etypes)),
        [relations[etype][0] for etype in etypes],
        [frame.copy() for frame in g.node_frames],
        [relations[etype][1].copy() for etype in etypes],
    )
