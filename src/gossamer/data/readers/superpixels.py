"""Images as graphs of superpixels: MNIST and CIFAR10, Pascal VOC and COCO."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from gossamer.data._build import graph_pieces
from gossamer.data._pickles import load_values
from gossamer.data.catalogue.entry import Contents
from gossamer.data.raw import RawFolder
from gossamer.data.readers._checks import array, corrupt, labels, within

_NEIGHBORS = 8
# COCO numbers its 80 categories up to 90, with gaps.
_COCO_GAPS = (12, 26, 29, 30, 45, 66, 68, 69, 71, 83)


def digit_superpixels(raw: RawFolder, file: str, size: int, use_feature: bool) -> Contents:
    """Read ``<file>.pkl``: classes, and the values and positions of each image's superpixels.

    Each superpixel is joined to the 8 most similar ones, by position, or by position and value.
    """
    path = raw.path(file)
    content = load_values(path)
    if not isinstance(content, tuple | list) or len(content) != 2:
        raise corrupt(path, "expected classes and superpixels")
    label = labels(path, content[0], len(content[1]))
    features, sources, targets, weights, num_nodes = [], [], [], [], []
    for number, image in enumerate(content[1]):
        try:
            value, place = (np.asarray(part, dtype=np.float64) for part in image[:2])
        except (TypeError, ValueError, IndexError) as error:
            raise corrupt(path, f"image {number}: {error}") from None
        place = array(path, place, "f", (len(value), 2), f"image {number}: the places") / size
        value = array(path, value, "f", (len(value), None), f"image {number}: the values")
        target, weight = _most_similar(place, value if use_feature else None)
        features.append(np.hstack([value, place]))
        sources.append(np.repeat(np.arange(len(value)), target.shape[1]))
        targets.append(target.ravel())
        weights.append(weight.ravel())
        num_nodes.append(len(value))
    graphs = _joined(
        num_nodes,
        sources,
        targets,
        {"feat": np.concatenate(features).astype(np.float32)},
        {"feat": np.concatenate(weights).astype(np.float32)[:, None]},
    )
    return Contents(graphs, {"label": torch.from_numpy(label)})


def _most_similar(place: np.ndarray, value: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Return the most similar superpixels of each superpixel, (N, k), and their similarities."""
    exponent = sum(_scaled_distance(points) for points in (place, value) if points is not None)
    similarity = np.exp(-exponent)
    similarity = 0.5 * (similarity + similarity.T)
    np.fill_diagonal(similarity, -1)
    k = min(_NEIGHBORS, len(place) - 1)
    nearest = np.sort(np.argsort(-similarity, axis=1, kind="stable")[:, :k], axis=1)
    return nearest, np.take_along_axis(similarity, nearest, axis=1)


def _scaled_distance(points: np.ndarray) -> np.ndarray:
    """Return squared distances, relative to the mean distance of each point's 8 nearest."""
    distance = np.linalg.norm(points[:, None] - points[None], axis=-1)
    near = np.sort(distance, axis=1)[:, : _NEIGHBORS + 1]
    width = near.sum(axis=1, keepdims=True) / _NEIGHBORS
    return (distance / (width + 1e-8)) ** 2


def region_superpixels(
    raw: RawFolder, file: str, num_classes: int, construct_format: str, slic_compactness: int
) -> Contents:
    """Read ``<split>.pickle``: features, edge features, edges and classes of each image.

    The last two arguments are only used to distinguish caches.
    """
    path = raw.path(file)
    content = load_values(path)
    if not isinstance(content, list | tuple) or not content:
        raise corrupt(path, "expected a list of images")
    images = [_region(path, number, image) for number, image in enumerate(content)]
    features, edge_features, ends, classes = zip(*images, strict=True)
    label = np.concatenate(classes)
    if num_classes == 81:
        label = label - np.searchsorted(_COCO_GAPS, label)
    graphs = _joined(
        [len(rows) for rows in features],
        [pair[0] for pair in ends],
        [pair[1] for pair in ends],
        {"feat": np.concatenate(features).astype(np.float32), "label": label},
        {"feat": np.concatenate(edge_features).astype(np.float32)},
    )
    return Contents(graphs, info={"num_classes": num_classes})


def _region(path: Path, number: int, image: Any) -> tuple:
    if not isinstance(image, list | tuple) or len(image) != 4:
        raise corrupt(path, f"image {number}: expected four arrays")
    feature, edge_feature, ends, label = image
    what = f"image {number}: "
    feature = array(path, feature, "f", (None, None), what + "features")
    count = len(feature)
    ends = array(path, ends, "iu", (2, None), what + "edges")
    ends = within(path, ends, count, what + "node")
    edge_feature = array(path, edge_feature, "f", (ends.shape[1], None), what + "edge features")
    return feature, edge_feature, ends, labels(path, label, count, what + "label")


def _joined(
    num_nodes: list[int],
    sources: list[np.ndarray],
    targets: list[np.ndarray],
    ndata: dict[str, np.ndarray],
    edata: dict[str, np.ndarray],
) -> Any:
    """Build graphs from endpoints that are numbered within each graph."""
    sizes, num_edges = np.array(num_nodes), np.array([len(source) for source in sources])
    offset = np.repeat(sizes.cumsum() - sizes, num_edges)
    source, target = np.concatenate(sources), np.concatenate(targets)
    return graph_pieces(source + offset, target + offset, sizes, num_edges, ndata, edata)
