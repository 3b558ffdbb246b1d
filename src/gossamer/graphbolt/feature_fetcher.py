"""The stage that reads the features of a batch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gossamer.errors import InvalidTypeError
from gossamer.graphbolt.feature_store import FeatureStore
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
        Matter on a GPU; on the CPU `DataLoader` reads ahead of the model.

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
    ) -> None:
        super().__init__(datapipe)
        if not isinstance(feature_store, FeatureStore):
            raise InvalidTypeError(
                "FeatureFetcher: feature_store must be a FeatureStore, got "
                f"{type(feature_store).__name__}."
            )
        self.feature_store = feature_store
        self.node_feature_keys = node_feature_keys
        self.edge_feature_keys = edge_feature_keys

    def __iter__(self) -> Iterator[MiniBatch]:
        for batch in self.datapipe:
            batch.set_node_features(self._read("node", self.node_feature_keys, batch.node_ids()))
            batch.set_edge_features(
                [
                    self._read("edge", self.edge_feature_keys, batch.edge_ids(layer))
                    for layer in range(batch.num_layers())
                ]
            )
            yield batch

    def _read(self, domain: str, keys: Any, ids: Any) -> dict[Any, Any]:
        if not keys or ids is None:
            return {}
        if isinstance(keys, dict):
            return {
                (kind, name): self.feature_store.read(domain, kind, name, ids[kind])
                for kind, names in keys.items()
                if kind in ids
                for name in names
            }
        return {name: self.feature_store.read(domain, None, name, ids) for name in keys}
