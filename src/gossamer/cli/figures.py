"""Figures of the report: SVG that inherits the text color of the page."""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Callable, Sequence
from html import escape
from typing import Any

import numpy as np

from gossamer._optional import optional_import
from gossamer.cli.results import SeedResult

__all__ = ["class_colors", "curves", "project", "scatter"]

# matplotlib does not support CSS, so this unique color is replaced in the output.
_INK = "#010203"
_BLUE, _ORANGE = "#3b7ddd", "#e07b39"
# Distinct on white and on near-black, also for the common kinds of color blindness.
_TEN = (
    "#3b7ddd", "#e07b39", "#2ca58d", "#c94f7c", "#8b6fd8", "#b59a1f", "#4fb3d9", "#a0603a",
    "#7fa33a", "#8a8f98",
)  # fmt: skip
_MAX_POINTS = 3000

_STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "gossamer",
    "font.size": 10,
    "text.color": _INK,
    "axes.edgecolor": _INK,
    "axes.labelcolor": _INK,
    "axes.labelpad": 8,
    "axes.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "axes.grid": True,
    "grid.color": _INK,
    "grid.alpha": 0.12,
    "grid.linewidth": 0.8,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "legend.frameon": False,
    "figure.facecolor": "none",
    "savefig.facecolor": "none",
}


def class_colors(num_classes: int) -> list[str]:
    """A color (``#rrggbb``) for each class."""
    if num_classes <= len(_TEN):
        return list(_TEN[:num_classes])
    colors = optional_import("matplotlib.colors", "The report", "train")
    hues = np.arange(num_classes) / num_classes
    return [colors.to_hex(colors.hsv_to_rgb((hue, 0.65, 0.8))) for hue in hues]


def curves(
    seeds: Sequence[SeedResult],
    best: SeedResult,
    fields: dict[str, str],
    axis: str,
    alt: str,
    scale: float = 1.0,
) -> str:
    """Learning curves of all seeds, the best one emphasized.

    Parameters
    ----------
    seeds : sequence of SeedResult
        Runs of any length.
    best : SeedResult
        The run to emphasize; its best epoch is marked.
    fields : dict
        Two fields of `Epoch` with their names in the legend.
    axis : str
        Label of the vertical axis.
    alt : str
        Alternative text of the figure.
    scale : float
        Factor on the values, 100 for percent.
    """

    def draw(axes: Any) -> None:
        for (name, label), color in zip(fields.items(), (_BLUE, _ORANGE), strict=True):
            for seed in seeds:
                strong = seed is best
                axes.plot(
                    np.arange(1, seed.epochs + 1),
                    [scale * getattr(epoch, name) for epoch in seed.history],
                    color=color,
                    alpha=1.0 if strong else 0.2,
                    linewidth=1.8 if strong else 1.0,
                    zorder=3 if strong else 2,
                    label=label if strong else None,
                    marker="o" if seed.epochs == 1 else None,
                )
        axes.axvline(best.best_epoch, color=_INK, alpha=0.45, linewidth=1, linestyle=(0, (4, 3)))
        left = best.best_epoch < max(seed.epochs for seed in seeds) / 2
        axes.annotate(
            f"epoch {best.best_epoch}",
            (best.best_epoch, 1),
            xycoords=("data", "axes fraction"),
            xytext=(4 if left else -4, 2),
            textcoords="offset points",
            ha="left" if left else "right",
            fontsize=9,
            alpha=0.75,
        )
        axes.set(xlabel="epoch", ylabel=axis)
        axes.margins(x=0.01)
        axes.legend(loc="best")

    return _svg(draw, (5.6, 3.5), alt)


def project(embedding: np.ndarray, method: str, seed: int) -> tuple[np.ndarray, np.ndarray, str]:
    """Project embeddings to two dimensions with scikit-learn.

    Large sets are sampled. t-SNE starts from the first 50 principal components; PCA replaces it for
    fewer than ten nodes or identical embeddings.

    Parameters
    ----------
    embedding : array (N, H)
        One row per node.
    method : str
        "tsne" or "pca".
    seed : int
        Seed of the sample and of t-SNE.

    Returns
    -------
    nodes : array (M,)
        The nodes shown.
    points : array (M, 2)
        Their positions.
    caption : str
        Description of the projection.
    """
    decomposition = optional_import("sklearn.decomposition", "The report", "train")
    rng = np.random.default_rng(seed)
    nodes = np.arange(len(embedding))
    if len(nodes) > _MAX_POINTS:
        nodes = np.sort(rng.choice(nodes, _MAX_POINTS, replace=False))
    rows = embedding[nodes].astype(np.float64)
    if rows.shape[1] < 2:
        rows = np.pad(rows, ((0, 0), (0, 2 - rows.shape[1])))
    if len(nodes) < 10 or not rows.std(0).any():
        method = "pca"
    size = min(50 if method == "tsne" else 2, *rows.shape)
    # Identical embeddings have no variance; ignore the warning about 0 / 0.
    with np.errstate(invalid="ignore"):
        points = decomposition.PCA(size, random_state=seed).fit_transform(rows)
    if method == "tsne":
        points = _tsne(points, seed)
        how = f"t-SNE from {size} principal components"
    else:
        how = "PCA, first two components"
    if points.shape[1] < 2:
        points = np.pad(points, ((0, 0), (0, 2 - points.shape[1])))
    shown = f"{len(nodes):,} of {len(embedding):,} nodes" if len(nodes) < len(embedding) else ""
    return nodes, points, how + (f", a random {shown}" if shown else f", all {len(nodes):,} nodes")


def _tsne(rows: np.ndarray, seed: int) -> np.ndarray:
    manifold = optional_import("sklearn.manifold", "The report", "train")
    threadpoolctl = optional_import("threadpoolctl", "The report", "train")
    model = manifold.TSNE(perplexity=min(30.0, (len(rows) - 1) / 3), random_state=seed)
    # The argument was named n_iter until scikit-learn 1.5. 500 iterations are enough to converge.
    length = "max_iter" if "max_iter" in model.get_params() else "n_iter"
    model.set_params(**{length: 500})
    # One thread gives reproducible results and is faster on a busy machine.
    with threadpoolctl.threadpool_limits(1):
        return model.fit_transform(rows)


def scatter(points: np.ndarray, label: np.ndarray, names: Sequence[str], alt: str) -> str:
    """Points colored by class, each class named at its median.

    The points are rasterized to one bitmap to keep the SVG small; text remains text.
    """
    colors = class_colors(len(names))

    def draw(axes: Any) -> None:
        axes.scatter(
            *points.T,
            c=[colors[index] for index in label],
            s=float(np.clip(24000 / len(points), 7, 60)),
            linewidths=0,
            alpha=0.85,
            rasterized=True,
        )
        axes.set_axis_off()
        if len(names) > 20:
            return
        for index in np.unique(label):
            axes.annotate(
                names[index],
                np.median(points[label == index], 0),
                ha="center",
                va="center",
                fontsize=9,
                fontweight="bold",
                color="#ffffff",
                bbox={"boxstyle": "round,pad=0.28", "fc": colors[index], "ec": "#ffffff"},
            )

    return _svg(draw, (8.4, 6.0), alt)


def _svg(draw: Callable[[Any], None], size: tuple[float, float], alt: str) -> str:
    """Run `draw` on new axes and return an ``<svg>`` element to embed in a page."""
    matplotlib = optional_import("matplotlib", "The report", "train")
    figure_module = optional_import("matplotlib.figure", "The report", "train")
    backend = optional_import("matplotlib.backends.backend_svg", "The report", "train")
    with matplotlib.rc_context(_STYLE):
        figure = figure_module.Figure(figsize=size, dpi=180, layout="constrained")
        backend.FigureCanvasSVG(figure)
        draw(figure.add_subplot())
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    return _inline(buffer.getvalue(), alt)


def _inline(svg: str, alt: str) -> str:
    """Remove parts for stand-alone files, and inherit color and font from the page."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\sxmlns(:\w+)?="[^"]*"', "", svg)
    # Ids start from one in each file and would clash on one page; only referenced ones are kept.
    used = set(re.findall(r'(?:url\(#|href="#)([^)"]+)', svg))
    svg = re.sub(r'\sid="([^"]*)"', lambda m: m[0] if m[1] in used else "", svg)
    prefix = f"{zlib.crc32(alt.encode()):08x}"
    svg = re.sub(r'(\sid="|url\(#|href="#)', rf"\g<1>g{prefix}-", svg)
    svg = svg.replace(_INK, "currentColor").replace("'DejaVu Sans'", "inherit")
    svg = re.sub(r"font: (\w+ )?([\d.]+)px [^;\"]*", _font, svg)
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg, count=1)
    return svg.replace("<svg", f'<svg role="img" aria-label="{escape(alt, quote=True)}"', 1)


def _font(match: re.Match[str]) -> str:
    weight = f"font-weight: {match[1].strip()}; " if match[1] else ""
    return f"{weight}font-size: {match[2]}px; font-family: inherit"
