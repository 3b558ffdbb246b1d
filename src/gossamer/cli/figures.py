"""Figures of the report: HTML with SVG in the colors and fonts of the page.

Lines and points are SVG that scales with the page; text is HTML of constant size, which is readable
on a phone. The script of the page reads the values that it shows from the attribute ``data-plot``.
"""

from __future__ import annotations

import base64
import colorsys
import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np

from gossamer._optional import optional_import

__all__ = ["Line", "class_colors", "curves", "picture", "project", "run_curves", "scatter"]

# Distinct on white and on black, even with common kinds of color blindness. On the page, blue,
# orange and gray stand for test, validation and training, and red for errors.
_TEN = (
    "#2ca58d", "#b05cc6", "#8a8a1c", "#7a5bd0", "#e86aa6", "#4d9e3f", "#35b6c9", "#96623a",
    "#a3195b", "#56707a",
)  # fmt: skip
_MAX_POINTS = 3000


@dataclass
class Line:
    """A curve with a value for each of the epochs 1, 2, ...

    `color` is a CSS color; a faint line has no entry in the legend and no values under the pointer.
    """

    name: str
    values: Sequence[float]
    color: str
    faint: bool = False


def class_colors(num_classes: int) -> list[str]:
    """Return a color (``#rrggbb``) for each class."""
    if num_classes <= len(_TEN):
        return list(_TEN[:num_classes])
    shades = (colorsys.hsv_to_rgb(i / num_classes, 0.55, 0.75) for i in range(num_classes))
    return ["#" + "".join(f"{round(255 * part):02x}" for part in shade) for shade in shades]


def curves(lines: Sequence[Line], axis: str, alt: str, best: int | None = None) -> str:
    """Draw learning curves over the epochs.

    The range of the vertical axis is that of the lines that are not faint. The lowest tenth of the
    scores may lie below it; if a loss falls to less than a tenth, the axis is logarithmic.

    Parameters
    ----------
    lines : sequence of Line
        At least one that is not faint.
    axis : str
        What the vertical axis shows.
    alt : str
        Alternative text of the figure.
    best : int, optional
        Epoch to mark.
    """
    strong = [line for line in lines if not line.faint]
    longest = max(len(line.values) for line in lines)
    values = np.concatenate([np.asarray(line.values, dtype=float) for line in strong])
    low, high, log = _range(values)
    scale = np.log10 if log else np.asarray

    def height(value: Any) -> np.ndarray:
        return 1000 * (1 - (scale(value) - scale(low)) / (scale(high) - scale(low)))

    def place(epoch: Any) -> np.ndarray:
        return 1000 * (np.asarray(epoch) - 1) / max(longest - 1, 1)

    marks = [(v, float(height(v)) / 10) for v in _ticks(low, high, log)]
    epochs = [(e, float(place(e)) / 10) for e in _epochs(longest)]
    drawn = [f'<path class="grid" d="M0 {10 * y:.1f}H1000"/>' for _, y in marks]
    if best is not None:
        drawn.append(f'<path class="mark" d="M{float(place(best)):.1f} 0V1000"/>')
    for line in sorted(lines, key=lambda each: not each.faint):
        where = np.stack(
            [place(np.arange(1, len(line.values) + 1)), height(np.maximum(line.values, 1e-12))], 1
        )
        kind = "faint" if line.faint else "strong"
        # A line of one point would be invisible.
        steps = [*where, where[-1] + [0.01, 0]] if len(where) == 1 else where
        path = " ".join(f"{x:.1f} {np.clip(y, -9999, 9999):.1f}" for x, y in steps)
        drawn.append(f'<path class="{kind}" style="stroke:{line.color}" d="M{path}"/>')
    data = {
        "lines": [
            {"name": a.name, "color": a.color, "y": [_short(v) for v in a.values]} for a in strong
        ],
        "epochs": longest,
    }
    below = " Lower values lie below the axis." if values.min() < low else ""
    texts = [f'<span class="y" style="top:{y:.1f}%">{v:g}</span>' for v, y in marks]
    texts += [f'<span class="x" style="left:{x:.1f}%">{e}</span>' for e, x in epochs]
    legend = "".join(
        f'<li><i style="background:{a.color}"></i>{escape(a.name)}</li>' for a in strong
    )
    return (
        f'<div class="plot" tabindex="0" role="group" aria-label="{escape(alt, quote=True)}" '
        f"data-plot='{escape(json.dumps(data), quote=True)}'>"
        f'<p class="axis">{escape(axis)}{" (logarithmic)" if log else ""}.{below}</p>'
        f'<div class="frame"><svg role="img" aria-label="{escape(alt, quote=True)}" '
        f'viewBox="0 0 1000 1000" preserveAspectRatio="none">{"".join(drawn)}</svg>'
        f'{"".join(texts)}</div><p class="axis x">epoch</p>'
        f'<ul class="legend">{legend}</ul><output></output></div>'
    )


def run_curves(
    histories: Mapping[str, Sequence[Any]], field: str, label: str, scale: float = 1.0
) -> str:
    """Draw curves of several runs, each in its own color.

    Parameters
    ----------
    histories : dict of str to list of Epoch
        The epochs of each run, by name.
    field : str
        Attribute of an `Epoch`.
    label : str
        What the vertical axis shows.
    scale : float
        Factor applied to the values, 100 for percent.
    """
    colors = class_colors(len(histories))
    lines = [
        Line(name, [scale * getattr(epoch, field) for epoch in history], color)
        for (name, history), color in zip(histories.items(), colors, strict=True)
    ]
    return curves(lines, label, f"Line chart of the {label} of {len(lines)} runs")


def _range(values: np.ndarray) -> tuple[float, float, bool]:
    """Return the range of the vertical axis, and whether it is logarithmic."""
    low, high = float(values.min()), float(values.max())
    falls = values[0] >= np.quantile(values, 0.9)
    if falls and low > 0 and high > 10 * low:
        return low / 1.1, high * 1.1, True
    if not falls:
        low = float(np.quantile(values, 0.1))
    margin = 0.06 * (high - low) or 0.05 * abs(high) or 1.0
    return low - margin, high + margin, False


def _ticks(low: float, high: float, log: bool) -> list[float]:
    """Return at most seven round values within the axis."""
    if log:
        decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        found = [m * 10.0**d for d in decades for m in (1, 2, 5) if low <= m * 10.0**d <= high]
        return found if len(found) < 7 else [v for v in found if f"{v:e}".startswith("1.")]
    rough = (high - low) / 5
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= rough)
    first = math.ceil(low / step)
    return [round(i * step, 10) for i in range(first, math.floor(high / step) + 1)]


def _epochs(longest: int) -> list[int]:
    """Return the first and the last epoch, and round numbers between them."""
    step = max(1, int(_ticks(0, longest, False)[1]))
    between = [e for e in range(step, longest, step) if e > 1 and longest - e > step / 2]
    return [1, *between, longest] if longest > 1 else [1]


def _short(value: float) -> float:
    return float(f"{value:.4g}")


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


def scatter(
    points: np.ndarray,
    label: np.ndarray,
    names: Sequence[str],
    alt: str,
    wrong: np.ndarray | None = None,
    hints: Sequence[str] | None = None,
    links: np.ndarray | None = None,
) -> str:
    """Draw points colored by class, with the name of each class at its median.

    Parameters
    ----------
    points : array (M, 2)
        Positions.
    label : array (M,)
        Classes; points of class -1 are gray.
    names : sequence of str
        Name of each class.
    alt : str
        Alternative text of the figure.
    wrong : array (M,) of bool, optional
        Points to mark as errors.
    hints : sequence of str, optional
        Text shown when the pointer is on a point.
    links : array (K, 2) of int, optional
        Pairs of points to join by lines.
    """
    span = np.ptp(points, 0)
    place = 25 + (points - points.min(0)) / np.where(span > 0, span, 1) * (950, 650)
    place[:, 1] = 700 - place[:, 1]
    size = float(np.clip(170 / math.sqrt(len(points)), 3, 9))
    wrong = np.zeros(len(points), bool) if wrong is None else wrong
    colors = class_colors(len(names))
    ends = place[links] if links is not None else []
    lines = "".join(f"M{a:.0f} {b:.0f}L{c:.0f} {d:.0f}" for (a, b), (c, d) in ends)
    drawn = [f'<path d="{lines}"/>'] if lines else []
    for i in np.argsort(wrong, kind="stable"):
        x, y = place[i]
        kind = ' class="wrong"' if wrong[i] else ""
        hint = f"<title>{escape(hints[i])}</title>" if hints else ""
        fill = colors[label[i]] if label[i] >= 0 else "var(--soft)"
        drawn.append(
            f'<circle{kind} cx="{x:.0f}" cy="{y:.0f}" r="{size:.1f}" fill="{fill}">{hint}</circle>'
        )
    shown = np.unique(label[label >= 0]) if len(names) <= 20 else []
    middle = {c: np.median(place[label == c], 0) for c in shown}
    tags = "".join(
        f'<span class="tag" style="left:{x / 10:.1f}%;top:{y / 7:.1f}%;background:{colors[c]}">'
        f"{escape(names[c])}</span>"
        for c, (x, y) in middle.items()
    )
    return (
        f'<div class="points"><svg role="img" aria-label="{escape(alt, quote=True)}" '
        f'viewBox="0 0 1000 700">{"".join(drawn)}</svg>{tags}</div>'
    )


def picture(pixels: np.ndarray, alt: str) -> str:
    """Return a grayscale image (H, W) of any range as an ``<img>``, dark on light."""
    image = optional_import("matplotlib.image", "The report", "train")
    buffer = io.BytesIO()
    image.imsave(buffer, pixels, cmap="gray_r", format="png")
    data = base64.b64encode(buffer.getvalue()).decode()
    return f'<img src="data:image/png;base64,{data}" alt="{escape(alt, quote=True)}">'
