"""Functions shared by the layers: input checks, initialization and aggregation.

Private: layers import from here, users do not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from gossamer import ops
from gossamer._options import as_int, shown
from gossamer.errors import InvalidTypeError, InvalidValueError
from gossamer.ops._torch import assert_async
from gossamer.utils import expand_as_pair

if TYPE_CHECKING:
    from gossamer.graph import Graph
    from gossamer.ops.adjacency import Adjacency

__all__ = [
    "RELU_GAIN",
    "Activation",
    "Features",
    "ZeroInDegreeGuard",
    "aggregate",
    "check_divisible",
    "check_edge_weight",
    "check_features",
    "check_sizes",
    "degree_scale",
    "enter",
    "enter_sources",
    "enter_square",
    "propagate",
    "relation_for",
    "reset_bias",
    "reset_children",
    "residual_map",
    "scaled_sum",
    "split_features",
]

#: Node features: one tensor, or a pair (source nodes, destination nodes).
Features = Tensor | tuple[Tensor, Tensor]

#: Element-wise function applied to a layer's output, or None.
Activation = Callable[[Tensor], Tensor] | None

RELU_GAIN = nn.init.calculate_gain("relu")


# --- the entry ---------------------------------------------------------------------------------


def enter(
    layer: nn.Module,
    graph: Graph,
    feat: Features,
    width: int | tuple[int | None, int | None] | None = None,
    like: Tensor | None = None,
    dropout: nn.Module | None = None,
) -> tuple[Adjacency, Tensor, Tensor]:
    """Check graph and features; return the relation, source and destination features.

    Parameters
    ----------
    layer : Module
        Named in each message. With a `ZeroInDegreeGuard`, in-degrees are checked too.
    graph : Graph
        Homogeneous graph, bipartite graph of one relation, or block.
    feat : Tensor or (Tensor, Tensor)
        A single tensor is used for both ends; on a block, its first rows are the destinations.
    width : int or (int, int), optional
        Size of the last dimension, or those of sources and destinations; None for any.
    like : Tensor, optional
        A parameter: the features must have its dtype, unless autocast is on.
    dropout : Module, optional
        Applied to the features before they are split, so that a node which is both source and
        destination loses the same entries in both roles.
    """
    relation = relation_for(layer, graph)
    x, x_dst = split_features(layer, graph, feat, dropout)
    width_src, width_dst = width if isinstance(width, tuple) else (width, width)
    check_features(layer, x, relation.num_src, width_src, like, device=relation.device)
    check_features(layer, x_dst, relation.num_dst, width_dst, like, device=relation.device)
    if isinstance(layer, ZeroInDegreeGuard):
        layer.check_in_degrees(relation)
    return relation, x, x_dst


def enter_sources(
    layer: nn.Module,
    graph: Graph,
    feat: Features,
    width: int | None = None,
    like: Tensor | None = None,
) -> tuple[Adjacency, Tensor]:
    """As `enter`, for layers that read no destination features; those of a pair are ignored."""
    relation = relation_for(layer, graph)
    x, _ = split_features(layer, graph, feat)
    check_features(layer, x, relation.num_src, width, like, device=relation.device)
    if isinstance(layer, ZeroInDegreeGuard):
        layer.check_in_degrees(relation)
    return relation, x


def enter_square(
    layer: nn.Module,
    graph: Graph,
    feat: Tensor,
    width: int | None = None,
    like: Tensor | None = None,
) -> tuple[Adjacency, Tensor]:
    """As `enter`, for layers of several steps: sources and destinations are the same nodes."""
    relation = relation_for(layer, graph)
    name = type(layer).__name__
    if relation.num_src != relation.num_dst:
        raise InvalidValueError(
            f"{name}: the graph has {relation.num_src} source and {relation.num_dst} destination "
            "nodes, but the layer sends messages several times and needs the same nodes at both "
            "ends. Pass a homogeneous graph."
        )
    if isinstance(feat, tuple):
        raise InvalidTypeError(
            f"{name}: one tensor of node features is expected, but got a tuple of {len(feat)}."
        )
    check_features(layer, feat, relation.num_src, width, like, device=relation.device)
    if isinstance(layer, ZeroInDegreeGuard):
        layer.check_in_degrees(relation)
    return relation, feat


def relation_for(layer: nn.Module, graph: Graph) -> Adjacency:
    """The adjacency of a graph with one edge type; errors name the layer."""
    name = type(layer).__name__
    try:
        return graph.adjacency
    except AttributeError:
        raise InvalidTypeError(
            f"{name}: a gossamer.Graph is expected, got {type(graph).__name__}. "
            "Build one with gossamer.graph."
        ) from None
    except InvalidValueError:
        raise InvalidValueError(
            f"{name}: the graph has several edge types, {graph.canonical_etypes}. Pass a graph of "
            "one relation, graph[etype], or use HeteroGraphConv."
        ) from None


def split_features(
    layer: nn.Module, graph: Graph, feat: Features, dropout: nn.Module | None = None
) -> tuple[Tensor, Tensor]:
    """Return the source and destination features, after dropout if given."""
    parts = feat if isinstance(feat, tuple) else (feat,)
    if len(parts) not in (1, 2) or not all(isinstance(part, Tensor) for part in parts):
        kinds = ", ".join(type(part).__name__ for part in parts)
        raise InvalidTypeError(
            f"{type(layer).__name__}: node features must be a tensor, or a pair (source, "
            f"destination) of tensors in a tuple, but got {kinds}."
        )
    if any(part.dim() == 0 for part in parts):
        return parts[0], parts[-1]  # no rows to split; the shape check rejects them
    if dropout is not None:
        parts = tuple(dropout(part) for part in parts)
    return expand_as_pair(parts if isinstance(feat, tuple) else parts[0], graph)


# --- checks ------------------------------------------------------------------------------------


class ZeroInDegreeGuard:
    """Mixin for layers whose output is meaningless at a node without in-edges."""

    _allow_zero_in_degree: bool

    def set_allow_zero_in_degree(self, set_value: bool) -> None:
        """Choose whether `forward` accepts nodes without in-edges.

        Parameters
        ----------
        set_value : bool
            True to accept them, False to raise.
        """
        self._allow_zero_in_degree = set_value

    def check_in_degrees(self, adjacency: Adjacency) -> None:
        """Raise InvalidValueError if a node has no in-edge and the layer forbids it."""
        if self._allow_zero_in_degree:
            return
        if torch.compiler.is_compiling() and not adjacency.knows("zero_in_degree"):
            # Values are unknown while tracing: the check becomes a part of the compiled graph.
            assert_async(
                (adjacency.in_degrees() > 0).all(),
                f"{type(self).__name__}: some nodes have zero in-degree. Give each node a "
                "self-loop, or build the layer with allow_zero_in_degree=True.",
            )
            return
        if not adjacency.has_zero_in_degree():
            return
        lonely = int((adjacency.in_degrees() == 0).sum())
        raise InvalidValueError(
            f"{type(self).__name__}: {lonely} of {adjacency.num_dst} nodes have zero in-degree, so "
            "they receive no message and their output would be invalid. Give each node a self-loop "
            "with gossamer.add_self_loop(g), or build the layer with allow_zero_in_degree=True."
        )


def check_sizes(name: str, **sizes: Any) -> None:
    """Raise unless each size is a whole number; `in_feats` may be a pair of them."""
    for argument, value in sizes.items():
        pair = argument == "in_feats" and isinstance(value, tuple)
        if pair and len(value) != 2:
            raise InvalidValueError(
                f"{name}: in_feats is a size, or a pair (source, destination), got {shown(value)}."
            )
        for size in value if pair else (value,):
            as_int(size, name, argument, 0)


def check_divisible(name: str, **sizes: int) -> None:
    """Raise unless the first of two sizes is divisible by the second."""
    (whole, size), (part, count) = sizes.items()
    if size % count:
        raise InvalidValueError(f"{name}: {whole} ({size}) must be divisible by {part} ({count}).")


def check_features(
    owner: nn.Module,
    feat: Tensor,
    rows: int,
    width: int | None = None,
    like: Tensor | None = None,
    role: str = "node",
    device: torch.device | None = None,
    matrix: bool = False,
) -> None:
    """Raise unless `feat` has `rows` rows, `width` columns and the dtype of parameter `like`.

    With `matrix` it must have two dimensions.
    """
    name = type(owner).__name__
    if not isinstance(feat, Tensor):
        raise InvalidTypeError(
            f"{name}: {role} features must be a tensor, but got {type(feat).__name__}."
        )
    if feat.dim() < 1 or feat.shape[0] != rows:
        raise InvalidValueError(
            f"{name}: {role} features must have one row per {role} ({rows}), "
            f"but got shape {tuple(feat.shape)}."
        )
    if matrix and feat.dim() != 2:
        raise InvalidValueError(
            f"{name}: {role} features must be a matrix, a row per {role}, but got shape "
            f"{tuple(feat.shape)}. Flatten them, as with .flatten(1)."
        )
    if width is not None and (feat.dim() < 2 or feat.shape[-1] != width):
        raise InvalidValueError(
            f"{name}: {role} features must have shape ({rows}, ..., {width}), as the layer was "
            f"built for {width} input features, but got {tuple(feat.shape)}."
        )
    if device is not None and feat.device != device:
        raise InvalidValueError(
            f"{name}: {role} features are on {feat.device}, but the graph is on {device}. "
            "Move one of them with .to(...)."
        )
    if like is not None and feat.device != like.device:
        raise InvalidValueError(
            f"{name}: {role} features are on {feat.device}, but the layer's parameters are on "
            f"{like.device}. Move one of them with .to(...)."
        )
    # Under autocast, torch chooses the dtype of each product.
    if (
        like is not None
        and feat.dtype != like.dtype
        and not torch.is_autocast_enabled(feat.device.type)
    ):
        raise InvalidTypeError(
            f"{name}: {role} features are {feat.dtype}, but the layer's parameters are "
            f"{like.dtype}. Cast one to the other: feat.to({like.dtype}) or layer.to({feat.dtype})."
        )


def check_edge_weight(
    owner: nn.Module, adjacency: Adjacency, edge_weight: Tensor, feat: Tensor | None = None
) -> None:
    """Raise unless `edge_weight` is a floating-point tensor with one row per edge.

    A row is one number or, if `feat` is given, has at most as many dimensions as a row of `feat`.
    """
    name = type(owner).__name__
    if not isinstance(edge_weight, Tensor) or not edge_weight.is_floating_point():
        kind = edge_weight.dtype if isinstance(edge_weight, Tensor) else type(edge_weight).__name__
        raise InvalidTypeError(
            f"{name}: edge_weight must be a floating-point tensor, but got {kind}."
        )
    if edge_weight.dim() < 1 or edge_weight.shape[0] != adjacency.num_edges:
        raise InvalidValueError(
            f"{name}: edge_weight must have one row per edge ({adjacency.num_edges}), "
            f"but got shape {tuple(edge_weight.shape)}."
        )
    if edge_weight.device != adjacency.device:
        raise InvalidValueError(
            f"{name}: edge_weight is on {edge_weight.device}, but the graph is on "
            f"{adjacency.device}. Move one of them with .to(...)."
        )
    if feat is None or edge_weight.numel() == edge_weight.shape[0]:
        return
    if edge_weight.dim() > feat.dim():
        raise InvalidValueError(
            f"{name}: edge_weight must be one number per edge, or have at most the {feat.dim()} "
            f"dimensions of the features, but got shape {tuple(edge_weight.shape)}."
        )


# --- parameters --------------------------------------------------------------------------------


def residual_map(in_feats: int, out_feats: int, bias: bool) -> nn.Module:
    """Return the identity, or a linear map if the sizes differ."""
    if in_feats == out_feats:
        return nn.Identity()
    return nn.Linear(in_feats, out_feats, bias=bias)


def reset_bias(linear: nn.Linear) -> None:
    """Reinitialize the bias of a linear map as torch does; do nothing if it is None."""
    if linear.bias is not None:
        bound = linear.in_features**-0.5 if linear.in_features else 0
        nn.init.uniform_(linear.bias, -bound, bound)


def reset_children(layer: nn.Module) -> None:
    """Reinitialize the parameters of each child module of `layer` as torch does."""
    for child in layer.children():
        if callable(getattr(child, "reset_parameters", None)):
            child.reset_parameters()
        else:
            reset_children(child)


# --- aggregation -------------------------------------------------------------------------------


def degree_scale(adjacency: Adjacency, end: str, power: float, like: Tensor) -> Tensor:
    """``max(degree, 1) ** power`` of the nodes at an end of the edges, in the dtype of `like`.

    `end` is ``"src"`` for out-degrees or ``"dst"`` for in-degrees. The result is cached on the
    adjacency, which never changes.
    """

    # Single precision at least: degrees above 65,504 overflow float16. Computed outside inference
    # mode, because a later call may need gradients.
    def compute() -> Tensor:
        with torch.inference_mode(False):
            degrees = adjacency.out_degrees() if end == "src" else adjacency.in_degrees()
            wide = torch.promote_types(like.dtype, torch.float32)
            return degrees.to(wide).clamp(min=1).pow(power).to(like.dtype)

    return adjacency.memo(("degree_scale", end, power, like.dtype), compute)


def scaled_sum(
    adjacency: Adjacency,
    x: Tensor,
    left: Tensor | None,
    right: Tensor | None,
    edge_weight: Tensor | None = None,
) -> Tensor:
    """Sum the in-neighbors' features, scaled by `left` before and by `right` after the sum."""
    if edge_weight is None:
        return ops.scaled_sum(adjacency, x, left, right)
    ones = (1,) * (x.dim() - 1)
    h = aggregate(adjacency, x if left is None else x * left.view(-1, *ones), "sum", edge_weight)
    return h if right is None else h * right.view(-1, *ones)


def propagate(relation: Adjacency, x: Tensor, edge_weight: Tensor | None = None) -> Tensor:
    r""":math:`D^{-1/2} A D^{-1/2} x` with in-degrees, or the matrix of `edge_weight` times `x`."""
    if edge_weight is not None:
        return aggregate(relation, x, "sum", edge_weight)
    scale = degree_scale(relation, "dst", -0.5, x)
    return ops.scaled_sum(relation, x, scale, scale)


def aggregate(
    adjacency: Adjacency, x: Tensor, reduce: str, edge_weight: Tensor | None = None
) -> Tensor:
    """Reduce the features of each node's in-neighbors, weighted by `edge_weight` if given."""
    if edge_weight is None:
        return ops.gspmm(adjacency, "copy_lhs", reduce, x, None)
    if edge_weight.dim() > x.dim():
        edge_weight = edge_weight.reshape(-1, *(1,) * (x.dim() - 1))
    if not x.is_floating_point():
        # Do not truncate fractions or overflow 16 bits.
        x = x.to(torch.promote_types(edge_weight.dtype, torch.get_default_dtype()))
    return ops.gspmm(adjacency, "mul", reduce, x, edge_weight.to(x.dtype))
