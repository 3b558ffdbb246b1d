"""Figures: well-formed, with the values that they show; projections that never fail."""

from __future__ import annotations

import base64
import io
import json
import re
from importlib import resources
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.image import imread
from sklearn.decomposition import PCA

from gossamer.cli.figures import Line, class_colors, curves, picture, project, run_curves, scatter
from gossamer.cli.results import Epoch


def _parse(html: str) -> ElementTree.Element:
    """Parse a figure, which is well-formed XML."""
    return ElementTree.fromstring(f"<div>{html}</div>")


def _lines(values: list[list[float]]) -> list[Line]:
    return [Line(f"line {i}", v, "var(--val)", faint=i > 0) for i, v in enumerate(values)]


@pytest.mark.parametrize("num_classes", [1, 2, 10, 11, 47])
def test_each_class_has_a_color_of_its_own(num_classes: int) -> None:
    colors = class_colors(num_classes)
    assert len(set(colors)) == num_classes
    assert all(re.fullmatch("#[0-9a-f]{6}", color) for color in colors)


def test_curves_hold_every_line_and_the_values_of_strong_ones() -> None:
    html = curves(_lines([[0.5, 0.7, 0.9], [0.4, 0.6]]), "score", 'the "score" & more', best=2)
    root = _parse(html)
    paths = [path.get("class") for path in root.iter("path")]
    assert paths.count("strong") == 1 and paths.count("faint") == 1 and paths.count("mark") == 1
    plot = root.find("div")
    assert plot.get("tabindex") == "0" and plot.get("aria-label") == 'the "score" & more'
    data = json.loads(plot.get("data-plot"))
    assert data["epochs"] == 3
    assert data["lines"] == [{"name": "line 0", "color": "var(--val)", "y": [0.5, 0.7, 0.9]}]
    assert root.find(".//path[@class='mark']").get("d").startswith("M500.0 ")


def test_curves_of_runs_have_a_color_each() -> None:
    histories = {
        f"run {i}": [Epoch(1.0, 1.0, 0.5 + e / 10 * i, 0.5) for e in range(3)] for i in (1, 2)
    }
    root = _parse(run_curves(histories, "val_score", "accuracy", 100))
    data = json.loads(root.find("div").get("data-plot"))
    assert [line["name"] for line in data["lines"]] == ["run 1", "run 2"]
    assert data["lines"][1]["y"] == [50, 70, 90]
    assert len({line["color"] for line in data["lines"]}) == 2


def test_a_curve_ends_where_its_values_lie() -> None:
    root = _parse(curves(_lines([[0.0, 1.0]]), "score", "two points"))
    path = root.find(".//path[@class='strong']").get("d")
    (x0, y0), (x1, y1) = (
        tuple(map(float, p)) for p in zip(*[iter(path[1:].split())] * 2, strict=True)
    )
    assert (x0, x1) == (0, 1000) and y1 < 100 and y0 > 900


def test_the_axis_shows_where_a_score_moves() -> None:
    score = [0.1, 0.3] + [0.95 + 0.001 * (i % 5) for i in range(60)]
    root = _parse(curves(_lines([score]), "score", "a score that rises at once"))
    ticks = [float(tick.text) for tick in root.iter("span") if tick.get("class") == "y"]
    assert min(ticks) >= 0.94 and len(ticks) >= 3
    assert "Lower values lie below the axis." in "".join(root.itertext())


def test_a_loss_that_falls_far_has_a_logarithmic_axis() -> None:
    loss = [2.0 * 0.8**i for i in range(40)]
    root = _parse(curves(_lines([loss]), "loss", "a loss"))
    assert "loss (logarithmic)." in "".join(root.itertext())
    ticks = [float(tick.text) for tick in root.iter("span") if tick.get("class") == "y"]
    assert 0.001 in ticks and 1 in ticks


@pytest.mark.parametrize("values", [[0.5], [0.0, 0.0], [1e-9, 1e9], [-3.0, 2.0], [7.0] * 500])
def test_odd_curves_have_ticks_and_finite_coordinates(values: list[float]) -> None:
    html = curves(_lines([values]), "score", "odd values")
    assert "nan" not in html and "inf" not in html
    kinds = [span.get("class") for span in _parse(html).iter("span")]
    assert 1 <= kinds.count("y") <= 12 and 1 <= kinds.count("x") <= 8


def test_a_scatter_plot_has_a_point_for_each_row_and_rings_the_wrong_ones() -> None:
    rng = np.random.default_rng(0)
    label = rng.integers(-1, 3, 200)
    wrong = np.arange(200) < 7
    hints = [f"node {i} <" for i in range(200)]
    points = rng.normal(size=(200, 2))
    root = _parse(scatter(points, label, ["a", "b & c", "d"], "points", wrong, hints))
    circles = list(root.iter("circle"))
    assert len(circles) == 200
    assert [c.get("class") for c in circles] == [None] * 193 + ["wrong"] * 7
    assert circles[-1].find("title").text == "node 6 <"
    assert {c.get("fill") for c in circles} == {*class_colors(3), "var(--soft)"}
    assert [span.text for span in root.iter("span")] == ["a", "b & c", "d"]
    assert all(0 <= float(c.get("cx")) <= 1000 and 0 <= float(c.get("cy")) <= 700 for c in circles)


def test_class_colors_are_not_those_of_the_parts_and_of_errors() -> None:
    page = resources.files("gossamer.cli").joinpath("report_template.html").read_text("utf-8")
    taken = set(re.findall(r"--(?:train|val|test|error): (#[0-9a-f]{6})", page))
    assert len(taken) == 8 and not taken & set(class_colors(10))


def test_a_picture_keeps_its_pixels() -> None:
    tag = ElementTree.fromstring(picture(np.array([[0.0, 1.0], [1.0, 0.0]]), "a & b")[:-1] + "/>")
    data = base64.b64decode(tag.get("src").removeprefix("data:image/png;base64,"))
    pixels = imread(io.BytesIO(data))[:, :, 0]
    assert tag.get("alt") == "a & b"
    assert pixels.tolist() == [[1.0, 0.0], [0.0, 1.0]]


def test_pca_equals_scikit_learn() -> None:
    rows = np.random.default_rng(0).normal(size=(40, 6)).astype(np.float32)
    nodes, points, caption = project(rows, "pca", 0)
    np.testing.assert_array_equal(nodes, np.arange(40))
    expected = PCA(2).fit_transform(rows.astype(np.float64))
    np.testing.assert_allclose(np.abs(points), np.abs(expected), atol=1e-8)
    assert caption == "PCA, first two components, all 40 nodes"


def test_tsne_keeps_clusters_apart_and_is_reproducible() -> None:
    rng = np.random.default_rng(0)
    center = np.repeat(np.eye(2, 60) * 100, 30, 0)
    rows = (center + rng.normal(size=(60, 60))).astype(np.float32)
    _, points, caption = project(rows, "tsne", 1)
    assert caption == "t-SNE from 50 principal components, all 60 nodes"
    first, second = points[:30], points[30:]
    spread = max(first.std(0).max(), second.std(0).max())
    assert np.linalg.norm(first.mean(0) - second.mean(0)) > 2 * spread
    np.testing.assert_array_equal(points, project(rows, "tsne", 1)[1])


def test_large_sets_are_sampled() -> None:
    rows = np.random.default_rng(0).normal(size=(5000, 3))
    nodes, points, caption = project(rows, "pca", 0)
    assert len(np.unique(nodes)) == len(points) == 3000
    assert caption.endswith("a random 3,000 of 5,000 nodes")


@pytest.mark.parametrize("shape", [(1, 4), (2, 1), (5, 3), (30, 1)])
@pytest.mark.parametrize("fill", ["zeros", "random"])
@pytest.mark.parametrize("method", ["pca", "tsne"])
def test_odd_shapes_project_to_finite_points(
    shape: tuple[int, int], fill: str, method: str
) -> None:
    rng = np.random.default_rng(0)
    rows = np.zeros(shape) if fill == "zeros" else rng.normal(size=shape)
    _, points, _ = project(rows.astype(np.float32), method, 0)
    assert points.shape == (shape[0], 2) and np.isfinite(points).all()
