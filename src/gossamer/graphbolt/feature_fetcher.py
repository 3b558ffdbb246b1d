"""The stage that reads the features of a batch."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any, NamedTuple

from torch import Tensor

from gossamer._options import as_int, require, shown
from gossamer.dataloading._ahead import ahead
from gossamer.errors import InvalidTypeError
from gossamer.graphbolt.arguments import feature_keys
from gossamer.graphbolt.feature_store import FeatureKey, FeatureStore
from gossamer.graphbolt.lookahead import PlannedFeature, plan_for
from gossamer.graphbolt.minibatch import MiniBatch
from gossamer.graphbolt.pipeline import Stage

__all__ = ["FeatureFetcher"]


class FeatureFetcher(Stage):
    """Read the features of the input nodes and of the sampled edges of each batch.

    Parameters
    ----------
    datapipe : Stage
    feature_store : FeatureStore
    node_feature_keys : list of str or dict of str to list of str, optional
        Names of node features; by node type in a heterogeneous graph.
    edge_feature_keys : list of str or dict of str to list of str, optional
        Names of edge features; by edge type in a heterogeneous graph. Edges have features only if
        the graph keeps edge ids.
    overlap_fetch, cooperative : bool
        Have an effect on a GPU only; on the CPU, `DataLoader` reads ahead of the model.
    lookahead : int
        Number of batches to sample ahead of the one that is read. Rows of features on disk are then
        read for half as many batches at once, in the order of the file, and the cache keeps the
        rows that are needed again soonest; a `DiskBasedFeature` without a cache gets one of
        256 MiB. This needs memory for the batches, and 8 bytes for each row of such a feature. The
        first batch is delayed until this many are sampled. It helps if the disk limits the speed;
        if the system keeps the file in memory, it has little effect. With 0, each batch is read
        separately.

    Examples
    --------
    >>> import gossamer.graphbolt as gb, torch
    >>> graph = gb.fused_csc_sampling_graph(torch.tensor([0, 1, 2]), torch.tensor([1, 0]))
    >>> store = gb.BasicFeatureStore({("node", None, "x"): gb.TorchBasedFeature(torch.eye(2))})
    >>> pipe = gb.ItemSampler(gb.ItemSet(2, "seeds"), batch_size=1)
    >>> pipe = pipe.sample_neighbor(graph, [1]).fetch_feature(store, node_feature_keys=["x"])
    >>> next(iter(pipe)).node_features["x"]
    tensor([[1., 0.],
            [0., 1.]])
    """

    def __init__(
        self,
        datapipe: Stage,
        feature_store: FeatureStore,
        node_feature_keys: Any = None,
        edge_feature_keys: Any = None,
        overlap_fetch: bool = True,
        cooperative: bool = False,
        lookahead: int = 0,
    ) -> None:
        super().__init__(datapipe)
        name = type(self).__name__
        fix = "Put features into a BasicFeatureStore."
        require(feature_store, FeatureStore, name, "feature_store", fix)
        self.feature_store = feature_store
        self.node_feature_keys = feature_keys(node_feature_keys, name, "node_feature_keys")
        self.edge_feature_keys = feature_keys(edge_feature_keys, name, "edge_feature_keys")
        self.lookahead = as_int(lookahead, "FeatureFetcher", "lookahead", 0)
        self._planned: dict[FeatureKey, PlannedFeature] = {}  # shared by copies of the stage
        self._counts: dict[FeatureKey, tuple[int, int]] = {}

    @property
    def miss_rates(self) -> dict[FeatureKey, float]:
        """Fraction of the rows that were not in the cache, by feature; only with `lookahead`."""
        return {key: missed / total for key, (total, missed) in self._counts.items()}

    def __iter__(self) -> Iterator[MiniBatch]:
        if self.lookahead:
            yield from self._iterate_ahead()
            return
        for batch in self.datapipe:
            reads = self._reads(batch)
            yield _with_features(
                batch, reads, [self.feature_store.read(*r.key, r.ids) for r in reads]
            )

    def _iterate_ahead(self) -> Iterator[MiniBatch]:
        # If the caller stops early, plans and caches are inconsistent and are not used again.
        planned = dict(self._planned)
        self._planned.clear()
        for window in ahead(lambda: self._windows(planned), depth=1):
            for batch, reads, plans in window:
                values = [
                    self.feature_store.read(*read.key, read.ids)
                    if plan is None
                    else planned[read.key].collect(plan)
                    for read, plan in zip(reads, plans, strict=True)
                ]
                yield _with_features(batch, reads, values)
        self._planned.update(planned)

    def _windows(self, planned: dict[FeatureKey, PlannedFeature]) -> Iterator[list[tuple]]:
        """Yield lists of batches, each with its reads and their plans."""
        source, size = iter(self.datapipe), (self.lookahead + 1) // 2

        def draw() -> list[tuple[MiniBatch, list[_Read]]]:
            return [(batch, self._reads(batch)) for batch in itertools.islice(source, size)]

        window = draw()
        while window:
            known = draw()
            plans: dict[FeatureKey, Iterator[Any]] = {}
            for key in {read.key for _, reads in window for read in reads}:
                if key not in planned:
                    found = plan_for(self.feature_store[key])
                    if found is None:
                        continue
                    planned[key] = found
                ids = [
                    [r.ids for _, reads in part for r in reads if r.key == key]
                    for part in (window, known)
                ]
                plans[key] = iter(planned[key].prepare(*ids))
                self._counts[key] = planned[key].total_queries, planned[key].total_miss
            yield [
                (batch, reads, [next(plans[r.key]) if r.key in plans else None for r in reads])
                for batch, reads in window
            ]
            window = known

    def _reads(self, batch: MiniBatch) -> list[_Read]:
        """Return all reads of a batch."""
        reads = _of_domain("node", None, self.node_feature_keys, batch.node_ids())
        for layer in range(batch.num_layers()):
            reads += _of_domain("edge", layer, self.edge_feature_keys, batch.edge_ids(layer))
        return reads


class _Read(NamedTuple):
    layer: int | None  # None for node features
    name: Any  # in the dict of the batch
    key: FeatureKey
    ids: Tensor


def _of_domain(domain: str, layer: int | None, keys: Any, ids: Any) -> list[_Read]:
    if not keys or ids is None:
        return []
    if isinstance(keys, dict) != isinstance(ids, dict):
        wanted = "a dict from type to names" if isinstance(ids, dict) else "a list of names"
        raise InvalidTypeError(
            f"FeatureFetcher: {domain}_feature_keys of this graph are {wanted}, got {shown(keys)}."
        )
    if isinstance(keys, dict):
        return [
            _Read(layer, (kind, name), (domain, kind, name), ids[kind])
            for kind, names in keys.items()
            if kind in ids
            for name in names
        ]
    return [_Read(layer, name, (domain, None, name), ids) for name in keys]


def _with_features(batch: MiniBatch, reads: list[_Read], values: list[Tensor]) -> MiniBatch:
    node: dict[Any, Tensor] = {}
    edge: list[dict[Any, Tensor]] = [{} for _ in range(batch.num_layers())]
    for read, value in zip(reads, values, strict=True):
        (node if read.layer is None else edge[read.layer])[read.name] = value
    batch.set_node_features(node)
    batch.set_edge_features(edge)
    return batch
