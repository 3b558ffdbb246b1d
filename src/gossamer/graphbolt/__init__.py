"""Pipelines that make mini-batches of graphs and features, which may be larger than memory."""

from gossamer.graphbolt.caches import (
    CPUCachedFeature,
    CPUFeatureCache,
    GPUCachedFeature,
    cpu_cached_feature,
    gpu_cached_feature,
)
from gossamer.graphbolt.compact import write_compact
from gossamer.graphbolt.compacting import (
    compact_csc_format,
    unique_and_compact,
    unique_and_compact_csc_formats,
)
from gossamer.graphbolt.conversion import from_graph, fused_csc_sampling_graph
from gossamer.graphbolt.cooperative import CooperativeConvFunction
from gossamer.graphbolt.dataloader import DataLoader
from gossamer.graphbolt.dataset import (
    Dataset,
    LegacyDataset,
    OnDiskTask,
    SamplingGraph,
    Task,
)
from gossamer.graphbolt.disk_feature import DiskBasedFeature
from gossamer.graphbolt.exclude_edges import add_reverse_edges, exclude_seed_edges
from gossamer.graphbolt.feature_fetcher import FeatureFetcher
from gossamer.graphbolt.feature_store import BasicFeatureStore, Feature, FeatureStore
from gossamer.graphbolt.functions import (
    expand_indptr,
    index_select,
    indptr_edge_ids,
    isin,
    numpy_save_aligned,
    seed,
)
from gossamer.graphbolt.item_sampler import (
    DistributedItemSampler,
    ItemSampler,
    minibatcher_default,
)
from gossamer.graphbolt.item_set import HeteroItemSet, ItemSet, ItemSetDict
from gossamer.graphbolt.metadata import (
    OnDiskFeatureData,
    OnDiskFeatureDataDomain,
    OnDiskFeatureDataFormat,
    OnDiskGraphTopology,
    OnDiskGraphTopologyType,
    OnDiskMetaData,
    OnDiskTaskData,
    OnDiskTVTSet,
    OnDiskTVTSetData,
)
from gossamer.graphbolt.minibatch import MiniBatch
from gossamer.graphbolt.negative_sampler import NegativeSampler, UniformNegativeSampler
from gossamer.graphbolt.neighbor_sampler import (
    InSubgraphSampler,
    LayerNeighborSampler,
    NeighborSampler,
)
from gossamer.graphbolt.ondisk_dataset import (
    BuiltinDataset,
    OnDiskDataset,
    TorchBasedFeatureStore,
)
from gossamer.graphbolt.pipeline import CopyTo, MiniBatchTransformer
from gossamer.graphbolt.sampled_subgraph import (
    CSCFormatBase,
    SampledSubgraph,
    SampledSubgraphImpl,
)
from gossamer.graphbolt.sampling_graph import ORIGINAL_EDGE_ID, FusedCSCSamplingGraph
from gossamer.graphbolt.shared_memory import load_from_shared_memory
from gossamer.graphbolt.subgraph_sampler import SubgraphSampler
from gossamer.graphbolt.temporal_sampler import (
    TemporalLayerNeighborSampler,
    TemporalNeighborSampler,
)
from gossamer.graphbolt.torch_feature import TorchBasedFeature
from gossamer.graphbolt.types import (
    CANONICAL_ETYPE_DELIMITER,
    etype_str_to_tuple,
    etype_tuple_to_str,
    seed_type_str_to_ntypes,
)

__all__ = [
    "CANONICAL_ETYPE_DELIMITER",
    "ORIGINAL_EDGE_ID",
    "BasicFeatureStore",
    "BuiltinDataset",
    "CPUCachedFeature",
    "CPUFeatureCache",
    "CSCFormatBase",
    "CooperativeConvFunction",
    "CopyTo",
    "DataLoader",
    "Dataset",
    "DiskBasedFeature",
    "DistributedItemSampler",
    "Feature",
    "FeatureFetcher",
    "FeatureStore",
    "FusedCSCSamplingGraph",
    "GPUCachedFeature",
    "HeteroItemSet",
    "InSubgraphSampler",
    "ItemSampler",
    "ItemSet",
    "ItemSetDict",
    "LayerNeighborSampler",
    "LegacyDataset",
    "MiniBatch",
    "MiniBatchTransformer",
    "NegativeSampler",
    "NeighborSampler",
    "OnDiskDataset",
    "OnDiskFeatureData",
    "OnDiskFeatureDataDomain",
    "OnDiskFeatureDataFormat",
    "OnDiskGraphTopology",
    "OnDiskGraphTopologyType",
    "OnDiskMetaData",
    "OnDiskTVTSet",
    "OnDiskTVTSetData",
    "OnDiskTask",
    "OnDiskTaskData",
    "SampledSubgraph",
    "SampledSubgraphImpl",
    "SamplingGraph",
    "SubgraphSampler",
    "Task",
    "TemporalLayerNeighborSampler",
    "TemporalNeighborSampler",
    "TorchBasedFeature",
    "TorchBasedFeatureStore",
    "UniformNegativeSampler",
    "add_reverse_edges",
    "compact_csc_format",
    "cpu_cached_feature",
    "etype_str_to_tuple",
    "etype_tuple_to_str",
    "exclude_seed_edges",
    "expand_indptr",
    "from_graph",
    "fused_csc_sampling_graph",
    "gpu_cached_feature",
    "index_select",
    "indptr_edge_ids",
    "isin",
    "load_from_shared_memory",
    "minibatcher_default",
    "numpy_save_aligned",
    "seed",
    "seed_type_str_to_ntypes",
    "unique_and_compact",
    "unique_and_compact_csc_formats",
    "write_compact",
]
