"""Pictures: inline SVG without ties to the outside, projections that never fail."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import numpy as np
import pytest
from sklearn.decomposition import PCA

from gossamer.cli.figures import class_colors, curves, project, scatter
from gossamer.cli.results import RunResult


def _parse(svg: str) -> ElementTree.Element:
    """Parse an inline SVG; only the namespace that HTML supplies is added."""
    assert svg.startswith("<svg ")
    return ElementTree.fromstring(svg.replace("<svg", '<svg xmlns:xlink="x"', 1))


@pytest.mark.parametrize("num_classes", [1, 2, 10, 11, 47])
def test_each_class_has_a_color_of_its_own(num_classes: int) -> None:
    colors = class_colors(num_classes)
    assert len(set(colors)) == num_classes
    assert all(re.fullmatch("#[0-9a-f]{6}", color) for color in colors)


def test_curves_show_each_seed_and_take_the_pages_color(recorded: RunResult) -> None:
    fields = {"train_loss": "training", "val_loss": "validation"}
    svg = curves(recorded.seeds, recorded.seeds[1], fields, "loss", 'the "loss" & more')
    root = _parse(svg)
    assert root.get("role") == "img" and root.get("aria-label") == 'the "loss" & more'
    assert "http" not in svg and "currentColor" in svg and "#010203" not in svg
    texts = "".join(root.itertext())
    assert all(word in texts for word in ("training", "validation", "epoch 2", "loss"))
    lines = [p for p in root.iter("path") if "#3b7ddd" in (p.get("style") or "")]
    assert len(lines) >= len(recorded.seeds)


def test_ids_of_two_pictures_differ_and_every_reference_has_a_target(recorded: RunResult) -> None:
    fields = {"train_loss": "training", "val_loss": "validation"}
    first, second = (
        curves(recorded.seeds, recorded.seeds[1], fields, "loss", alt) for alt in ("one", "two")
    )
    ids = [set(re.findall(r'\sid="([^"]*)"', svg)) for svg in (first, second)]
    assert ids[0] and not ids[0] & ids[1]
    for svg, known in zip((first, second), ids, strict=True):
        assert set(re.findall(r'(?:url\(#|href="#)([^)"]+)', svg)) == known


def test_a_scatter_plot_is_one_bitmap_with_readable_labels() -> None:
    rng = np.random.default_rng(0)
    label = rng.integers(0, 3, 2000)
    svg = scatter(rng.normal(size=(2000, 2)), label, ["a", "b & c", "d"], "points")
    root = _parse(svg)
    images = list(root.iter("image"))
    assert len(images) == 1
    assert images[0].get("{x}href").startswith("data:image/png;base64,")
    assert "b & c" in "".join(root.itertext())
    assert len(svg) < 1_000_000


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
