"""Visual explanations: a picture or a page of the masks that explainers return."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from html import escape
from importlib import resources
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from torch import Tensor

from gossamer._layout import places
from gossamer._optional import optional_import
from gossamer._options import as_int
from gossamer.errors import InvalidTypeError, InvalidValueError, OutOfRangeError
from gossamer.graph import NID

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from gossamer.graph import Graph

__all__ = ["Explanation"]

_WIDTH, _HEIGHT, _MARGIN, _RADIUS = 760, 520, 40, 9
_COLORS = ("#3b7ddd", "#2ca58d", "#8b6fd8", "#b59a1f", "#4fb3d9", "#c94f7c")
_CENTER = "#e07b39"
_FEATURES = 10  # how many are shown


class _Picture(NamedTuple):
    """The edges shown, by descending weight, and the positions of nodes in the unit square."""

    src: np.ndarray
    dst: np.ndarray
    weight: np.ndarray
    place: np.ndarray
    names: list[str]
    colors: list[str]
    left_out: int


class Explanation:
    """The masks of an explainer, as a picture or a page.

    Parameters
    ----------
    graph : Graph
        The graph, or the part of it, that the masks belong to. Nodes are named by the feature
        ``NID`` if the graph has it, otherwise by their ids.
    edge_mask : Tensor or dict, optional
        :math:`(E,)`, the importance of each edge, or such a tensor by edge type. Default: 1 each.
    feat_mask : Tensor or dict, optional
        :math:`(D,)`, the importance of each feature, or such a tensor by node type.
    node : int, (str, int) or Tensor, optional
        The node of `graph` whose prediction is explained, with its type if there are several.
    feat_names : sequence of str, optional
        Names of the features, for one feature mask. Default: their numbers.

    Raises
    ------
    InvalidValueError
        If a mask does not have one number per edge or feature name, or contains NaN.
    OutOfRangeError
        If the graph has no such node.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> g = gs.graph(([0, 1, 2, 3], [1, 2, 3, 0]))
    >>> explanation = gs.nn.Explanation(g, torch.tensor([0.9, 0.1, 0.7, 0.2]), node=1)
    >>> explanation
    Explanation(num_nodes=4, num_edges=4, node=1)
    >>> page = explanation.to_html()

    From an explainer:

    >>> class Model(torch.nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.conv = gs.nn.GraphConv(3, 2, allow_zero_in_degree=True)
    ...     def forward(self, graph, feat, eweight=None):
    ...         return self.conv(graph, feat, edge_weight=eweight)
    >>> explainer = gs.nn.GNNExplainer(Model(), num_hops=1, num_epochs=5)
    >>> node, part, feat_mask, edge_mask = explainer.explain_node(2, g, torch.rand(4, 3))
    >>> gs.nn.Explanation(part, edge_mask, feat_mask, node)
    Explanation(num_nodes=2, num_edges=1, node=2)
    """

    def __init__(
        self,
        graph: Graph,
        edge_mask: Tensor | Mapping[Any, Tensor] | None = None,
        feat_mask: Tensor | Mapping[str, Tensor] | None = None,
        node: int | tuple[str, int] | Tensor | None = None,
        *,
        feat_names: Sequence[str] | None = None,
    ) -> None:
        self.graph, self.edge_mask, self.feat_mask, self.node = graph, edge_mask, feat_mask, node
        first = np.cumsum([0, *(graph.num_nodes(ntype) for ntype in graph.ntypes)])
        self._first = dict(zip(graph.ntypes, first[:-1].tolist(), strict=True))
        self._kind = np.repeat(np.arange(len(graph.ntypes)), np.diff(first))
        self._names = [name for ntype in graph.ntypes for name in self._names_of(ntype)]
        self._center = None if node is None else self._find(node)
        self._read_edges(edge_mask)
        self._features = self._read_features(feat_mask, feat_names)

    def _names_of(self, ntype: str) -> list[str]:
        data = self.graph.nodes[ntype].data
        ids = data[NID] if NID in data else self.graph.nodes(ntype)
        prefix = f"{ntype} " if len(self.graph.ntypes) > 1 else ""
        return [f"{prefix}{i}" for i in ids.tolist()]

    def _find(self, node: Any) -> int:
        ntype, number = node if isinstance(node, tuple) else (None, node)
        if ntype is None and len(self.graph.ntypes) > 1:
            raise InvalidTypeError(
                f"Explanation: the graph has the node types {list(self.graph.ntypes)}, so node "
                f"must be a pair (type, id), got {node!r}."
            )
        ntype = self.graph.ntypes[0] if ntype is None else ntype
        if ntype not in self._first:
            raise InvalidValueError(
                f"Explanation: the graph has no node type {ntype!r}, only "
                f"{list(self.graph.ntypes)}."
            )
        number = as_int(
            number.item() if isinstance(number, Tensor) else number, "Explanation", "node", 0
        )
        if number >= self.graph.num_nodes(ntype):
            raise OutOfRangeError(
                f"Explanation: node {number} does not exist; the graph has "
                f"{self.graph.num_nodes(ntype)} nodes. Give its id in this graph."
            )
        return self._first[ntype] + number

    def _read_edges(self, edge_mask: Any) -> None:
        ends: list[list[np.ndarray]] = [[], [], []]
        for etype in self.graph.canonical_etypes:
            src, dst = self.graph.edges(etype=etype)
            count = self.graph.num_edges(etype)
            mask = edge_mask
            if isinstance(edge_mask, Mapping):
                mask = edge_mask.get(etype, edge_mask.get(etype[1]))
            weight = np.ones(count) if mask is None else _numbers(mask, "edge_mask")
            if len(weight) != count:
                raise InvalidValueError(
                    f"Explanation: edge_mask must have a number for each of the {count} edges"
                    f"{'' if len(self.graph.etypes) == 1 else f' of type {etype}'}, "
                    f"got {len(weight)}."
                )
            ends[0].append(src.cpu().numpy() + self._first[etype[0]])
            ends[1].append(dst.cpu().numpy() + self._first[etype[2]])
            ends[2].append(weight)
        self._src, self._dst, self._weight = (np.concatenate(parts) for parts in ends)

    def _read_features(
        self, feat_mask: Any, names: Sequence[str] | None
    ) -> list[tuple[str, float]]:
        """Return name and importance of the features, the most important first."""
        masks = feat_mask if isinstance(feat_mask, Mapping) else {"": feat_mask}
        found = []
        for ntype, mask in masks.items():
            values = np.empty(0) if mask is None else _numbers(mask, "feat_mask")
            own = [f"{ntype} {i}".strip() for i in range(len(values))] if names is None else names
            if len(own) != len(values):
                raise InvalidValueError(
                    f"Explanation: feat_names must have a name for each of the {len(values)} "
                    f"features, got {len(own)}."
                )
            found += zip(map(str, own), values.tolist(), strict=True)
        return sorted(found, key=lambda pair: -pair[1])

    def __repr__(self) -> str:
        center = "" if self._center is None else f", node={self._names[self._center]}"
        return f"Explanation(num_nodes={len(self._names)}, num_edges={len(self._weight)}{center})"

    def _picture(self, max_edges: int) -> _Picture:
        order = np.argsort(-self._weight, kind="stable")[
            : as_int(max_edges, "Explanation", "max_edges", 1)
        ]
        center = [] if self._center is None else [self._center]
        nodes = np.unique(np.concatenate([self._src[order], self._dst[order], center])).astype(int)
        src, dst = (np.searchsorted(nodes, end[order]) for end in (self._src, self._dst))
        colors = [_COLORS[self._kind[i] % len(_COLORS)] for i in nodes]
        for i in np.searchsorted(nodes, center):
            colors[i] = _CENTER
        names = [self._names[i] for i in nodes]
        place, left_out = places(len(nodes), src, dst), len(self._weight) - len(order)
        return _Picture(src, dst, self._weight[order], place, names, colors, left_out)

    def plot(self, ax: Axes | None = None, *, max_edges: int = 100) -> Axes:
        """Draw the graph with matplotlib: wider and darker edges are more important.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw. Default: a new figure, with a second plot of the most important features
            if there is a feature mask.
        max_edges : int
            Maximum number of edges to draw, the most important first.

        Returns
        -------
        matplotlib.axes.Axes
            The plot of the graph.

        Raises
        ------
        MissingExtraError
            If matplotlib is not installed.
        """
        if ax is None:
            pyplot = optional_import("matplotlib.pyplot", "Explanation.plot")
            parts = 2 if self._features else 1
            ratios = [3, 1][:parts]
            _, axes = pyplot.subplots(
                1, parts, figsize=(6 + 3 * (parts - 1), 5), width_ratios=ratios, squeeze=False
            )
            ax = axes[0, 0]
            if self._features:
                names, values = zip(*self._features[:_FEATURES][::-1], strict=True)
                axes[0, 1].barh(names, values, color=_COLORS[0])
                axes[0, 1].set_title("features", fontsize=10)
        picture = self._picture(max_edges)
        for u, v, share in zip(picture.src, picture.dst, _shares(picture.weight), strict=True):
            start, end = picture.place[u], picture.place[v]
            look = {"lw": 0.5 + 2.5 * share, "alpha": 0.15 + 0.85 * share}
            if u == v:
                turn = np.linspace(0, 2 * np.pi, 30)
                ax.plot(
                    start[0] + 0.03 * np.sin(turn),
                    start[1] + 0.03 * (1 - np.cos(turn)),
                    color="C7",
                    **look,
                )
                continue
            arrow = {"arrowstyle": "-|>", "connectionstyle": "arc3,rad=0.12", "color": "C7"}
            arrow |= {"shrinkA": 6, "shrinkB": 6}
            ax.annotate("", end, start, arrowprops=arrow | look)
        ax.scatter(*picture.place.T, s=140, c=picture.colors, zorder=3)
        for name, place in zip(picture.names, picture.place, strict=True):
            ax.annotate(name, place, ha="center", va="center", fontsize=7, color="white", zorder=4)
        ax.set_title(_caption(picture), fontsize=10)
        ax.margins(0.1)
        ax.set_axis_off()
        return ax

    def to_html(self, path: str | os.PathLike | None = None, *, max_edges: int = 200) -> str:
        """Return a page with the graph, its edges by importance and the most important features.

        The page needs no other file and no network. A slider hides the less important edges.

        Parameters
        ----------
        path : path, optional
            File to write the page to.
        max_edges : int
            Maximum number of edges to show, the most important first.

        Returns
        -------
        str
            The HTML document.
        """
        picture = self._picture(max_edges)
        file = resources.files("gossamer.nn.explain").joinpath("page.html")
        template = Template(file.read_text(encoding="utf-8"))
        features = self._features[:_FEATURES]
        center = "" if self._center is None else f" of node {self._names[self._center]}"
        low, high = (picture.weight.min(), picture.weight.max()) if len(picture.weight) else (0, 1)
        page = template.substitute(
            title=escape(f"Explanation{center}"),
            caption=escape(_caption(picture)),
            size=f"0 0 {_WIDTH} {_HEIGHT}",
            edges="\n".join(_svg_edges(picture)),
            nodes="\n".join(_svg_nodes(picture)),
            low=f"{low:.6g}",  # as `data-weight`, so that the slider reaches both ends
            high=f"{high:.6g}",
            least=f"{low:.4g}",
            edge_rows="\n".join(
                f'<tr data-weight="{w:.6g}"><td>{escape(picture.names[u])} → '
                f"{escape(picture.names[v])}</td>{_bar(w, share)}</tr>"
                for u, v, w, share in zip(*picture[:3], _shares(picture.weight), strict=True)
            ),
            feature_table="" if not features else _feature_table(features),
        )
        if path is not None:
            Path(path).write_text(page, encoding="utf-8")
        return page


def _numbers(mask: Any, name: str) -> np.ndarray:
    if not isinstance(mask, Tensor):
        raise InvalidTypeError(f"Explanation: {name} must be a tensor, got {type(mask).__name__}.")
    values = mask.detach().flatten().double().cpu().numpy()
    if not np.isfinite(values).all():
        raise InvalidValueError(f"Explanation: {name} has numbers that are not finite.")
    return values


def _caption(picture: _Picture) -> str:
    count = len(picture.weight)
    return f"the {count} most important edges" if picture.left_out else f"all {count} edges"


def _shares(values: np.ndarray) -> np.ndarray:
    """Scale the values to 0 ... 1, as fractions of the largest."""
    largest = np.abs(values).max(initial=0.0)
    return np.abs(values) / largest if largest else np.zeros_like(values)


def _pixels(place: np.ndarray) -> np.ndarray:
    return _MARGIN + place * (np.array([_WIDTH, _HEIGHT]) - 2 * _MARGIN)


def _svg_edges(picture: _Picture) -> list[str]:
    at, found = _pixels(picture.place), []
    for u, v, w, share in zip(*picture[:3], _shares(picture.weight), strict=True):
        (x, y), (a, b) = at[u], at[v]
        if u == v:
            path = f"M{x:.1f} {y - _RADIUS:.1f}c-28 -38 28 -38 0 0"
        else:
            along = np.array([a - x, b - y]) / max(np.hypot(a - x, b - y), 1e-9)
            bent = (at[u] + at[v]) / 2 + 14 * np.array([-along[1], along[0]])
            tip = at[v] - (_RADIUS + 3) * along
            path = f"M{x:.1f} {y:.1f}Q{bent[0]:.1f} {bent[1]:.1f} {tip[0]:.1f} {tip[1]:.1f}"
        found.append(
            f'<path data-weight="{w:.6g}" d="{path}" stroke-width="{0.6 + 3 * share:.2f}" '
            f'opacity="{0.15 + 0.85 * share:.2f}"><title>{escape(picture.names[u])} → '
            f"{escape(picture.names[v])}: {w:.4g}</title></path>"
        )
    return found


def _svg_nodes(picture: _Picture) -> list[str]:
    return [
        f'<g><circle cx="{x:.1f}" cy="{y:.1f}" r="{_RADIUS}" fill="{color}"/>'
        f'<text x="{x:.1f}" y="{y + _RADIUS + 11:.1f}">{escape(name)}</text></g>'
        for (x, y), name, color in zip(
            _pixels(picture.place), picture.names, picture.colors, strict=True
        )
    ]


def _bar(value: float, share: float) -> str:
    return f'<td>{value:.3f}</td><td><i style="width:{100 * share:.0f}%"></i></td>'


def _feature_table(features: list[tuple[str, float]]) -> str:
    shares = _shares(np.array([value for _, value in features]))
    rows = (
        f"<tr><td>{escape(name)}</td>{_bar(value, share)}</tr>"
        for (name, value), share in zip(features, shares, strict=True)
    )
    return f"<h2>Features</h2>\n<table>{''.join(rows)}</table>"
