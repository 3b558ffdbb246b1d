"""What every transform is, and several as one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from torch import Tensor

from gossamer.errors import InvalidTypeError, InvalidValueError, UnknownKeyError
from gossamer.graph import Graph
from gossamer.graph.arguments import refuse_block, require_graph
from gossamer.graph.frame import Frame
from gossamer.graph.schema import CanonicalEType, Schema
from gossamer.ops.adjacency import Adjacency

__all__ = ["BaseTransform", "Compose"]


class BaseTransform(ABC):
    """A function from graph to graph, with its settings as attributes.

    Derive from it and define ``__call__``. Datasets take any callable as their ``transform``; one
    derived from here also prints its settings and can be pickled.

    The transforms of this package leave the graph that they are given, and its tensors, as they
    are. What they draw at random comes from torch's generator: :func:`gossamer.seed` repeats it.

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
        """The transformed graph."""

    def __repr__(self) -> str:
        settings = {name: value for name, value in vars(self).items() if not name.startswith("_")}
        inside = ", ".join(f"{name}={value!r}" for name, value in settings.items())
        return f"{type(self).__name__}({inside})"


class Compose(BaseTransform):
    """Several transforms, one after another.

    Parameters
    ----------
    transforms : iterable of callable
        Each takes what the one before gives; without any, graphs stay as they are.

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
                    f"Compose takes transforms, which can be called with a graph; number "
                    f"{position} is of type {type(transform).__name__}."
                )

    def __call__(self, g: Graph) -> Graph:
        for transform in self.transforms:
            g = transform(g)
        return g

    def __repr__(self) -> str:
        inside = ",\n".join(f"  {transform!r}" for transform in self.transforms)
        return f"{type(self).__name__}([\n{inside}\n])"


# --- what the transforms of this folder share ---------------------------------------------------


def checked(g: Any, transform: BaseTransform) -> Graph:
    """`g`, which must be a graph and no block."""
    name = type(transform).__name__
    require_graph(g, name)
    refuse_block(g, name)
    return g


def feature_names(names: Any, transform: BaseTransform, argument: str) -> list[str] | None:
    """A list of feature names as it was given, or None."""
    if names is None:
        return None
    listed = isinstance(names, Iterable) and not isinstance(names, (str, Tensor))
    if not listed or not all(isinstance(name, str) for name in names):
        raise InvalidTypeError(
            f"{type(transform).__name__}: {argument} is a list of feature names or None, got "
            f"{names!r}."
        )
    return list(names)


def replace_features(
    frames: list[Frame],
    names: list[str] | None,
    function: Callable[[str, Tensor], Tensor],
    transform: BaseTransform,
) -> list[Frame]:
    """Copies of `frames` with the features `names`, where they occur, replaced by `function`."""
    copies = [frame.copy() for frame in frames]
    for name in names or ():
        having = [frame for frame in copies if name in frame]
        if not having:
            known = sorted({known for frame in frames for known in frame})
            raise UnknownKeyError(
                f"{type(transform).__name__}: there is no {frames[0].kind} feature {name!r}; the "
                f"graph has {known}."
            )
        for frame in having:
            frame[name] = function(name, frame[name])
    return copies


def with_relations(
    g: Graph,
    added: Mapping[CanonicalEType, tuple[Adjacency, Frame]],
    name: str,
    keep: bool = True,
) -> Graph:
    """`g` with further edge types, or with those only; types in alphabetical order."""
    if keep and not added:
        return g
    parts = zip(g.relations, g.edge_frames, strict=True)
    relations = dict(zip(g.canonical_etypes, parts, strict=True)) if keep else {}
    for etype in added:
        if etype in relations:
            raise InvalidValueError(
                f"{name}: the graph already has edges of type {etype}, which would be replaced. "
                "Rename that type, or leave it out with gossamer.edge_type_subgraph."
            )
    relations |= added
    etypes = sorted(relations)
    return Graph.from_parts(
        Schema(tuple(g.ntypes), tuple(etypes)),
        [relations[etype][0] for etype in etypes],
        [frame.copy() for frame in g.node_frames],
        [relations[etype][1].copy() for etype in etypes],
    )
