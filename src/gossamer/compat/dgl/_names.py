"""The names of DGL's modules, including those that Gossamer lacks.

Module path -> names in that module that DGL's documentation or known programs use. A name that
Gossamer has is looked up there first, so this list stays the same when names are added to Gossamer.
A module that lists no names has the names of its Gossamer counterpart.
"""

from __future__ import annotations

__all__ = ["NAMES"]

NAMES = {
    "": (
        "ALL AddEdge AddMetaPaths AddReverse AddSelfLoop BaseTransform Compose DropEdge DropNode "
        "EID ETYPE FeatMask GCNNorm GDC HeatKernel KHopGraph LapPE LazyFeature LineGraph NID "
        "NTYPE NodeShuffle PPR RandomWalkPE RemoveSelfLoop RowFeatNormalizer SIGNDiffusion SVDPE "
        "ToLevi ToSimple add_edges add_nodes add_reverse_edges add_self_loop adj_product_graph "
        "adj_sum_graph adjusted_homophily apply_each bfs_edges_generator bfs_nodes_generator "
        "bipartite_from_networkx bipartite_from_scipy block_to_graph broadcast_edges "
        "broadcast_nodes compact_graphs copy_u copy_v create_block dfs_edges_generator "
        "dfs_labeled_edges_generator double_radius_node_labeling edge_homophily "
        "edge_label_informativeness edge_subgraph edge_type_subgraph from_cugraph from_networkx "
        "from_scipy graph hetero_from_shared_memory in_subgraph is_libxsmm_enabled khop_adj "
        "khop_graph khop_in_subgraph "
        "khop_out_subgraph knn_graph lap_pe laplacian_lambda_max line_graph linkx_homophily "
        "load_graphs max_edges max_nodes mean_edges mean_nodes metapath_reachable_graph "
        "metis_partition metis_partition_assignment node_homophily node_label_informativeness "
        "node_subgraph node_type_subgraph norm_by_dst out_subgraph partition_graph_with_halo "
        "prop_edges prop_edges_dfs prop_nodes prop_nodes_bfs prop_nodes_topo radius_graph "
        "rand_bipartite rand_graph random_walk_pe readout_edges readout_nodes remove_edges "
        "remove_nodes remove_self_loop reorder_graph reverse save_graphs seed segmented_knn_graph "
        "set_dst_lazy_features set_edge_lazy_features set_node_lazy_features "
        "set_src_lazy_features shortest_dist slice_batch softmax_edges softmax_nodes "
        "sort_csc_by_tag sort_csr_by_tag sum_edges sum_nodes svd_pe to_bfloat16 to_bidirected "
        "to_block to_cugraph to_double to_float to_half to_heterogeneous to_homogeneous "
        "to_networkx to_simple to_simple_graph topk_edges topk_nodes topological_nodes_generator "
        "u_add_v u_div_v u_dot_v u_mul_v u_sub_v unbatch use_libxsmm"
    ),
    "_ffi": "",
    "_sparse_ops": "",
    "_ffi.base": "",
    "_ffi.function": "",
    "_ffi.ndarray": "",
    "_ffi.object": "",
    "backend": "",
    "backend.pytorch": "",
    "backend.pytorch.sparse": "",
    "backend.pytorch.tensor": "",
    "base": "",
    "batch": "batch slice_batch unbatch",
    "container": "",
    "convert": (
        "bipartite_from_networkx bipartite_from_scipy block_to_graph create_block from_cugraph "
        "from_networkx from_scipy graph heterograph to_cugraph to_heterogeneous to_homogeneous "
        "to_networkx"
    ),
    "core": "",
    "cuda": "",
    "cuda.gpu_cache": "",
    "cuda.nccl": "",
    "data": (
        "AIFBDataset AMDataset ActorDataset AmazonCoBuyComputerDataset AmazonCoBuyPhotoDataset "
        "AmazonRatingsDataset AsGraphPredDataset AsLinkPredDataset AsNodePredDataset "
        "BA2MotifDataset BACommunityDataset BAShapeDataset BGSDataset BitcoinOTCDataset "
        "CIFAR10SuperPixelDataset CLUSTERDataset COCOSuperpixelsDataset CSVDataset "
        "ChameleonDataset CitationGraphDataset CiteseerGraphDataset CoauthorCSDataset "
        "CoauthorPhysicsDataset CoraFullDataset CoraGraphDataset CornellDataset DGLBuiltinDataset "
        "DGLDataset FB15k237Dataset FB15kDataset FakeNewsDataset FlickrDataset FraudAmazonDataset "
        "FraudDataset FraudYelpDataset GDELTDataset GINDataset ICEWS18Dataset KarateClubDataset "
        "LegacyTUDataset MNISTSuperPixelDataset MUTAGDataset MinesweeperDataset MiniGCDataset "
        "MovieLensDataset PATTERNDataset PPIDataset PeptidesFunctionalDataset "
        "PeptidesStructuralDataset PubmedGraphDataset QM7bDataset QM9Dataset QM9EdgeDataset "
        "QuestionsDataset RedditDataset RomanEmpireDataset SBMMixtureDataset SSTDataset "
        "SquirrelDataset TUDataset TexasDataset TolokersDataset TreeCycleDataset TreeGridDataset "
        "VOCSuperpixelsDataset WN18Dataset WikiCSDataset WisconsinDataset YelpDataset ZINCDataset "
        "download extract_archive load_data load_tensors register_data_args save_tensors"
    ),
    "data.actor": "ActorDataset",
    "data.adapter": "AsGraphPredDataset AsLinkPredDataset AsNodePredDataset",
    "data.bitcoinotc": "BitcoinOTCDataset",
    "data.citation_graph": (
        "CitationGraphDataset CiteseerGraphDataset CoraGraphDataset PubmedGraphDataset"
    ),
    "data.cluster": "CLUSTERDataset",
    "data.csv_dataset": "CSVDataset",
    "data.csv_dataset_base": "",
    "data.dgl_dataset": "",
    "data.fakenews": "FakeNewsDataset",
    "data.flickr": "FlickrDataset",
    "data.fraud": "FraudAmazonDataset FraudDataset FraudYelpDataset",
    "data.gdelt": "GDELTDataset",
    "data.geom_gcn": (
        "ChameleonDataset CornellDataset SquirrelDataset TexasDataset WisconsinDataset"
    ),
    "data.gindt": "GINDataset",
    "data.gnn_benchmark": (
        "AmazonCoBuyComputerDataset AmazonCoBuyPhotoDataset CoauthorCSDataset "
        "CoauthorPhysicsDataset CoraFullDataset"
    ),
    "data.graph_serialize": "load_graphs load_labels save_graphs",
    "data.heterograph_serialize": "",
    "data.heterophilous_graphs": (
        "AmazonRatingsDataset MinesweeperDataset QuestionsDataset RomanEmpireDataset "
        "TolokersDataset"
    ),
    "data.icews18": "ICEWS18Dataset",
    "data.karate": "KarateClubDataset",
    "data.knowledge_graph": "FB15k237Dataset FB15kDataset WN18Dataset load_data",
    "data.lrgb": (
        "COCOSuperpixelsDataset PeptidesFunctionalDataset PeptidesStructuralDataset "
        "VOCSuperpixelsDataset"
    ),
    "data.minigc": "MiniGCDataset",
    "data.movielens": "MovieLensDataset",
    "data.pattern": "PATTERNDataset",
    "data.ppi": "PPIDataset",
    "data.qm7b": "QM7bDataset",
    "data.qm9": "QM9Dataset",
    "data.qm9_edge": "QM9EdgeDataset",
    "data.rdf": "AIFBDataset AMDataset BGSDataset MUTAGDataset",
    "data.reddit": "RedditDataset",
    "data.sbm": "SBMMixtureDataset",
    "data.superpixel": "CIFAR10SuperPixelDataset MNISTSuperPixelDataset",
    "data.synthetic": (
        "BA2MotifDataset BACommunityDataset BAShapeDataset TreeCycleDataset TreeGridDataset"
    ),
    "data.tensor_serialize": "load_tensors save_tensors",
    "data.tree": "SSTDataset",
    "data.tu": "LegacyTUDataset TUDataset",
    "data.utils": (
        "Subset add_node_property_split add_nodepred_split check_sha1 download extract_archive "
        "generate_mask_tensor get_download_dir idx2mask load_graphs load_info load_labels "
        "load_tensors mask_nodes_by_property save_graphs save_info save_tensors split_dataset"
    ),
    "data.wikics": "WikiCSDataset",
    "data.yelp": "YelpDataset",
    "data.zinc": "ZINCDataset",
    "dataloading": (
        "BlockSampler ClusterGCNSampler Collator DataLoader DistDataLoader DistEdgeDataLoader "
        "DistNodeDataLoader EdgeCollator GraphDataLoader LaborSampler LazyFeature "
        "MultiLayerFullNeighborSampler MultiLayerNeighborSampler NeighborSampler NodeCollator "
        "NodeDataLoader SAINTSampler Sampler ShaDowKHopSampler as_edge_prediction_sampler "
        "set_dst_lazy_features set_edge_lazy_features set_node_lazy_features "
        "set_src_lazy_features"
    ),
    "dataloading.base": (
        "BlockSampler Sampler as_edge_prediction_sampler set_dst_lazy_features "
        "set_edge_lazy_features set_node_lazy_features set_src_lazy_features"
    ),
    "dataloading.cluster_gcn": "ClusterGCNSampler",
    "dataloading.dataloader": "DataLoader GraphDataLoader",
    "dataloading.dist_dataloader": (
        "DistEdgeDataLoader DistNodeDataLoader EdgeCollator NodeCollator _remove_kwargs_dist"
    ),
    "dataloading.graphsaint": "SAINTSampler",
    "dataloading.labor_sampler": "LaborSampler",
    "dataloading.negative_sampler": "GlobalUniform PerSourceUniform Uniform _BaseNegativeSampler",
    "dataloading.neighbor_sampler": (
        "MultiLayerFullNeighborSampler MultiLayerNeighborSampler NeighborSampler"
    ),
    "dataloading.shadow": "ShaDowKHopSampler",
    "dataloading.spot_target": "",
    "distributed": (
        "DEFAULT_ETYPE DEFAULT_NTYPE DistDataLoader DistEdgeDataLoader DistEmbedding DistGraph "
        "DistGraphServer DistNodeDataLoader DistTensor EdgeCollator GraphPartitionBook "
        "NodeCollator PartitionPolicy Request Response dgl_partition_to_graphbolt edge_split "
        "exit_client find_edges in_subgraph initialize load_partition load_partition_book "
        "load_partition_feats node_split partition_graph recv_response register_service "
        "sample_etype_neighbors sample_neighbors send_request"
    ),
    "distributed.constants": "DEFAULT_ETYPE DEFAULT_NTYPE",
    "distributed.dist_context": "exit_client initialize",
    "distributed.dist_dataloader": "DistDataLoader EdgeCollator _remove_kwargs_dist",
    "distributed.dist_graph": "DistGraph DistGraphServer edge_split node_split",
    "distributed.dist_tensor": "DistTensor",
    "distributed.graph_partition_book": (
        "GraphPartitionBook PartitionPolicy _etype_str_to_tuple _etype_tuple_to_str"
    ),
    "distributed.graph_services": "find_edges in_subgraph sample_etype_neighbors sample_neighbors",
    "distributed.id_map": "",
    "distributed.kvstore": "close_kvstore",
    "distributed.nn": "",
    "distributed.nn.pytorch": "",
    "distributed.nn.pytorch.sparse_emb": "DistEmbedding",
    "distributed.optim": "SparseAdagrad SparseAdam",
    "distributed.optim.pytorch": "",
    "distributed.optim.pytorch.sparse_optim": "SparseAdagrad SparseAdam",
    "distributed.optim.pytorch.utils": "",
    "distributed.optim.utils": "",
    "distributed.partition": (
        "dgl_partition_to_graphbolt load_partition load_partition_book load_partition_feats "
        "partition_graph"
    ),
    "distributed.role": "get_num_trainers init_role",
    "distributed.rpc": (
        "Request Response get_num_server recv_response register_service send_request"
    ),
    "distributed.rpc_client": "",
    "distributed.rpc_server": "",
    "distributed.server_state": "",
    "distributed.shared_mem_utils": "",
    "distributed.standalone_kvstore": "",
    "distributed.utils": "",
    "frame": "zero_initializer",
    "function": "",
    "function.base": "",
    "function.message": (
        "copy_e copy_u e_add_u e_add_v e_div_u e_div_v e_dot_u e_dot_v e_mul_u e_mul_v e_sub_u "
        "e_sub_v u_add_e u_add_v u_div_e u_div_v u_dot_e u_dot_v u_mul_e u_mul_v u_sub_e u_sub_v "
        "v_add_e v_add_u v_div_e v_div_u v_dot_e v_dot_u v_mul_e v_mul_u v_sub_e v_sub_u"
    ),
    "function.reducer": "max mean min sum",
    "generators": "rand_bipartite rand_graph",
    "geometry": "",
    "geometry.capi": "",
    "geometry.edge_coarsening": "neighbor_matching",
    "geometry.fps": "farthest_point_sampler",
    "global_config": "is_libxsmm_enabled use_libxsmm",
    "graph_index": "",
    "graphbolt": (
        "BasicFeatureStore BuiltinDataset CPUCachedFeature CooperativeConvFunction CopyTo "
        "DataLoader Dataset DiskBasedFeature DistributedItemSampler Feature FeatureFetcher "
        "FeatureStore FusedCSCSamplingGraph GPUCachedFeature HeteroItemSet InSubgraphSampler "
        "ItemSampler ItemSet LayerNeighborSampler LegacyDataset MiniBatch MiniBatchTransformer "
        "NegativeSampler NeighborSampler OnDiskDataset SampledSubgraph SampledSubgraphImpl "
        "SamplingGraph SubgraphSampler Task TemporalLayerNeighborSampler TemporalNeighborSampler "
        "TorchBasedFeature TorchBasedFeatureStore UniformNegativeSampler add_reverse_edges "
        "compact_csc_format cpu_cached_feature etype_str_to_tuple etype_tuple_to_str "
        "exclude_seed_edges expand_indptr from_dglgraph fused_csc_sampling_graph "
        "gpu_cached_feature index_select indptr_edge_ids isin load_from_shared_memory "
        "numpy_save_aligned seed unique_and_compact unique_and_compact_csc_formats"
    ),
    "graphbolt.base": (
        "CopyTo etype_str_to_tuple etype_tuple_to_str expand_indptr index_select isin seed"
    ),
    "graphbolt.dataloader": "DataLoader",
    "graphbolt.dataset": "Dataset Task",
    "graphbolt.feature_fetcher": "FeatureFetcher",
    "graphbolt.feature_store": "Feature FeatureStore",
    "graphbolt.impl": "",
    "graphbolt.impl.basic_feature_store": "BasicFeatureStore",
    "graphbolt.impl.fused_csc_sampling_graph": (
        "FusedCSCSamplingGraph from_dglgraph load_from_shared_memory"
    ),
    "graphbolt.impl.gpu_cache": "",
    "graphbolt.impl.gpu_cached_feature": "GPUCachedFeature",
    "graphbolt.impl.in_subgraph_sampler": "InSubgraphSampler",
    "graphbolt.impl.legacy_dataset": "LegacyDataset",
    "graphbolt.impl.neighbor_sampler": "LayerNeighborSampler NeighborSampler",
    "graphbolt.impl.ondisk_dataset": "BuiltinDataset OnDiskDataset",
    "graphbolt.impl.ondisk_metadata": "",
    "graphbolt.impl.sampled_subgraph_impl": "SampledSubgraphImpl",
    "graphbolt.impl.temporal_neighbor_sampler": "TemporalNeighborSampler",
    "graphbolt.impl.torch_based_feature_store": "TorchBasedFeature TorchBasedFeatureStore",
    "graphbolt.impl.uniform_negative_sampler": "UniformNegativeSampler",
    "graphbolt.internal": "",
    "graphbolt.internal.datapipe_utils": "",
    "graphbolt.internal.sample_utils": "",
    "graphbolt.internal.utils": "",
    "graphbolt.item_sampler": "DistributedItemSampler ItemSampler",
    "graphbolt.itemset": "ItemSet",
    "graphbolt.minibatch": "MiniBatch",
    "graphbolt.minibatch_transformer": "MiniBatchTransformer",
    "graphbolt.negative_sampler": "NegativeSampler",
    "graphbolt.sampled_subgraph": "SampledSubgraph",
    "graphbolt.sampling_graph": "SamplingGraph",
    "graphbolt.subgraph_sampler": "SubgraphSampler",
    "graphbolt.utils": "add_reverse_edges exclude_seed_edges",
    "heterograph": "hetero_from_shared_memory",
    "heterograph_index": "",
    "homophily": "adjusted_homophily edge_homophily linkx_homophily node_homophily",
    "init": "",
    "label_informativeness": "edge_label_informativeness node_label_informativeness",
    "logging": "",
    "merge": "merge",
    "mpops": "",
    "mpops.edgewise": "",
    "mpops.fused": "",
    "mpops.nodewise": "",
    "multiprocessing": "",
    "multiprocessing.pytorch": "Process call_once_and_share shared_tensor",
    "ndarray": "",
    "nn": "",
    "nn.functional": "",
    "nn.gt": "",
    "nn.gt.biased_mha": "BiasedMHA",
    "nn.gt.degree_encoder": "DegreeEncoder",
    "nn.gt.egt": "EGTLayer",
    "nn.gt.graphormer": "GraphormerLayer",
    "nn.gt.lap_pos_encoder": "LapPosEncoder",
    "nn.gt.path_encoder": "PathEncoder",
    "nn.gt.spatial_encoder": "SpatialEncoder SpatialEncoder3d",
    "nn.link": "",
    "nn.link.edgepred": "EdgePredictor",
    "nn.link.transe": "TransE",
    "nn.link.transr": "TransR",
    "nn.pytorch": (
        "AGNNConv APPNPConv AtomicConv AvgPooling BiasedMHA CFConv ChebConv CuGraphGATConv "
        "CuGraphRelGraphConv CuGraphSAGEConv DGNConv DeepWalk DegreeEncoder DenseChebConv "
        "DenseGraphConv DenseSAGEConv DotGatConv EGATConv EGNNConv EGTLayer EdgeConv EdgeGATConv "
        "EdgePredictor EdgeWeightNorm GATConv GATv2Conv GCN2Conv GINConv GINEConv GMMConv "
        "GNNExplainer GatedGCNConv GatedGraphConv GlobalAttentionPooling GraphConv "
        "GraphormerLayer GroupRevRes HGTConv HeteroEmbedding HeteroGNNExplainer HeteroGraphConv "
        "HeteroLinear HeteroPGExplainer HeteroSubgraphX JumpingKnowledge KNNGraph "
        "LabelPropagation LapPosEncoder MaxPooling MetaPath2Vec NNConv NodeEmbedding PGExplainer "
        "PNAConv PathEncoder RadiusGraph RelGraphConv SAGEConv SGConv SegmentedKNNGraph "
        "Sequential Set2Set SetTransformerDecoder SetTransformerEncoder SortPooling "
        "SpatialEncoder SpatialEncoder3d SubgraphX SumPooling TAGConv TWIRLSConv "
        "TWIRLSUnfoldingAndAttention TransE TransR TypedLinear WeightAndSum WeightBasis "
        "edge_softmax softmax"
    ),
    "nn.pytorch.conv": "APPNPConv GINConv",
    "nn.pytorch.conv.agnnconv": "AGNNConv",
    "nn.pytorch.conv.appnpconv": "APPNPConv",
    "nn.pytorch.conv.atomicconv": "AtomicConv",
    "nn.pytorch.conv.cfconv": "CFConv ShiftedSoftplus",
    "nn.pytorch.conv.chebconv": "ChebConv",
    "nn.pytorch.conv.cugraph_base": "",
    "nn.pytorch.conv.cugraph_gatconv": "CuGraphGATConv",
    "nn.pytorch.conv.cugraph_relgraphconv": "CuGraphRelGraphConv",
    "nn.pytorch.conv.cugraph_sageconv": "CuGraphSAGEConv",
    "nn.pytorch.conv.densechebconv": "DenseChebConv",
    "nn.pytorch.conv.densegraphconv": "DenseGraphConv",
    "nn.pytorch.conv.densesageconv": "DenseSAGEConv",
    "nn.pytorch.conv.dgnconv": "DGNConv",
    "nn.pytorch.conv.dotgatconv": "DotGatConv",
    "nn.pytorch.conv.edgeconv": "EdgeConv",
    "nn.pytorch.conv.edgegatconv": "EdgeGATConv",
    "nn.pytorch.conv.egatconv": "EGATConv",
    "nn.pytorch.conv.egnnconv": "EGNNConv",
    "nn.pytorch.conv.gatconv": "GATConv",
    "nn.pytorch.conv.gatedgcnconv": "GatedGCNConv",
    "nn.pytorch.conv.gatedgraphconv": "GatedGraphConv",
    "nn.pytorch.conv.gatv2conv": "GATv2Conv",
    "nn.pytorch.conv.gcn2conv": "GCN2Conv",
    "nn.pytorch.conv.ginconv": "GINConv",
    "nn.pytorch.conv.gineconv": "GINEConv",
    "nn.pytorch.conv.gmmconv": "GMMConv",
    "nn.pytorch.conv.graphconv": "EdgeWeightNorm GraphConv",
    "nn.pytorch.conv.grouprevres": "GroupRevRes",
    "nn.pytorch.conv.hgtconv": "HGTConv",
    "nn.pytorch.conv.nnconv": "NNConv",
    "nn.pytorch.conv.pnaconv": "PNAConv",
    "nn.pytorch.conv.relgraphconv": "RelGraphConv",
    "nn.pytorch.conv.sageconv": "SAGEConv",
    "nn.pytorch.conv.sgconv": "SGConv",
    "nn.pytorch.conv.tagconv": "TAGConv",
    "nn.pytorch.conv.twirlsconv": "TWIRLSConv TWIRLSUnfoldingAndAttention",
    "nn.pytorch.explain": "",
    "nn.pytorch.explain.gnnexplainer": "GNNExplainer HeteroGNNExplainer",
    "nn.pytorch.explain.pgexplainer": "HeteroPGExplainer PGExplainer",
    "nn.pytorch.explain.subgraphx": "HeteroSubgraphX SubgraphX",
    "nn.pytorch.factory": "KNNGraph RadiusGraph SegmentedKNNGraph",
    "nn.pytorch.glob": (
        "AvgPooling GlobalAttentionPooling MaxPooling Set2Set SetTransformerDecoder "
        "SetTransformerEncoder SortPooling SumPooling WeightAndSum"
    ),
    "nn.pytorch.gt": "",
    "nn.pytorch.gt.biased_mha": "BiasedMHA",
    "nn.pytorch.gt.degree_encoder": "DegreeEncoder",
    "nn.pytorch.gt.egt": "EGTLayer",
    "nn.pytorch.gt.graphormer": "GraphormerLayer",
    "nn.pytorch.gt.lap_pos_encoder": "LapPosEncoder",
    "nn.pytorch.gt.path_encoder": "PathEncoder",
    "nn.pytorch.gt.spatial_encoder": "SpatialEncoder SpatialEncoder3d",
    "nn.pytorch.hetero": "HeteroEmbedding HeteroGraphConv HeteroLinear get_aggregate_fn",
    "nn.pytorch.linear": "TypedLinear",
    "nn.pytorch.link": "",
    "nn.pytorch.link.edgepred": "EdgePredictor",
    "nn.pytorch.link.transe": "TransE",
    "nn.pytorch.link.transr": "TransR",
    "nn.pytorch.network_emb": "DeepWalk MetaPath2Vec",
    "nn.pytorch.softmax": "edge_softmax",
    "nn.pytorch.sparse_emb": "NodeEmbedding",
    "nn.pytorch.utils": (
        "Identity JumpingKnowledge LabelPropagation Sequential WeightBasis matmul_maybe_select"
    ),
    "ops": "",
    "ops.edge_softmax": "edge_softmax",
    "ops.gather_mm": "gather_mm",
    "ops.sddmm": (
        "copy_e copy_u copy_v e_add_u e_add_v e_div_u e_div_v e_dot_u e_dot_v e_mul_u e_mul_v "
        "e_sub_u e_sub_v gsddmm u_add_e u_add_v u_div_e u_div_v u_dot_e u_dot_v u_mul_e u_mul_v "
        "u_sub_e u_sub_v v_add_e v_add_u v_div_e v_div_u v_dot_e v_dot_u v_mul_e v_mul_u v_sub_e "
        "v_sub_u"
    ),
    "ops.segment": "segment_mm segment_reduce",
    "ops.spmm": (
        "copy_e_max copy_e_mean copy_e_min copy_e_sum copy_u_max copy_u_mean copy_u_min "
        "copy_u_sum gspmm u_add_e_max u_add_e_mean u_add_e_min u_add_e_sum u_div_e_max "
        "u_div_e_mean u_div_e_min u_div_e_sum u_mul_e_max u_mul_e_mean u_mul_e_min u_mul_e_sum "
        "u_sub_e_max u_sub_e_mean u_sub_e_min u_sub_e_sum"
    ),
    "optim": "",
    "optim.pytorch": "",
    "optim.pytorch.sparse_optim": "SparseAdagrad SparseAdam",
    "partition": "metis_partition metis_partition_assignment partition_graph_with_halo",
    "propagate": "prop_edges prop_edges_dfs prop_nodes prop_nodes_bfs prop_nodes_topo",
    "random": "choice seed",
    "readout": (
        "broadcast_edges broadcast_nodes max_edges max_nodes mean_edges mean_nodes readout_edges "
        "readout_nodes softmax_edges softmax_nodes sum_edges sum_nodes topk_edges topk_nodes"
    ),
    "sampling": (
        "PinSAGESampler RandomWalkNeighborSampler global_uniform_negative_sampling "
        "node2vec_random_walk pack_traces random_walk sample_labors sample_neighbors "
        "sample_neighbors_biased select_topk"
    ),
    "sampling.labor": "sample_labors",
    "sampling.negative": "global_uniform_negative_sampling",
    "sampling.neighbor": (
        "sample_etype_neighbors sample_neighbors sample_neighbors_biased select_topk"
    ),
    "sampling.node2vec_randomwalk": "node2vec_random_walk",
    "sampling.pinsage": "PinSAGESampler RandomWalkNeighborSampler _select_pinsage_neighbors",
    "sampling.randomwalks": "pack_traces random_walk",
    "sampling.utils": "",
    "sparse": (
        "SparseMatrix add bsddmm bspmm diag div from_coo from_csc from_csr identity matmul mul "
        "power sddmm softmax sp_add_v sp_broadcast_v sp_div_v sp_mul_v sp_sub_v spmatrix spmm "
        "spspmm sub val_like"
    ),
    "sparse.broadcast": "sp_add_v sp_broadcast_v sp_div_v sp_mul_v sp_sub_v",
    "sparse.elementwise_op": "add div mul power sub",
    "sparse.elementwise_op_sp": "",
    "sparse.matmul": "bspmm matmul spmm spspmm",
    "sparse.reduction": "",
    "sparse.sddmm": "bsddmm sddmm",
    "sparse.softmax": "softmax",
    "sparse.sparse_matrix": (
        "SparseMatrix diag from_coo from_csc from_csr identity spmatrix val_like"
    ),
    "sparse.unary_op": "",
    "sparse.utils": "",
    "storages": "",
    "storages.base": "",
    "storages.numpy": "",
    "storages.pytorch_tensor": "",
    "storages.tensor": "",
    "subgraph": (
        "edge_subgraph edge_type_subgraph in_subgraph khop_in_subgraph khop_out_subgraph "
        "node_subgraph node_type_subgraph out_subgraph"
    ),
    "transforms": (
        "AddEdge AddMetaPaths AddReverse AddSelfLoop BaseTransform Compose DropEdge DropNode "
        "FeatMask GCNNorm GDC HeatKernel KHopGraph LapPE LineGraph NodeShuffle PPR RandomWalkPE "
        "RemoveSelfLoop RowFeatNormalizer SIGNDiffusion SVDPE ToLevi ToSimple metis_partition "
        "to_block"
    ),
    "transforms.functional": (
        "add_edges add_nodes add_reverse_edges add_self_loop adj_product_graph adj_sum_graph "
        "compact_graphs double_radius_node_labeling khop_adj khop_graph knn_graph lap_pe "
        "laplacian_lambda_max line_graph metapath_reachable_graph norm_by_dst radius_graph "
        "random_walk_pe remove_edges remove_nodes remove_self_loop reorder_graph reverse "
        "segmented_knn_graph shortest_dist sort_csc_by_tag sort_csr_by_tag svd_pe to_bfloat16 "
        "to_bidirected to_double to_float to_half to_simple to_simple_graph"
    ),
    "transforms.module": (
        "AddEdge AddMetaPaths AddReverse AddSelfLoop BaseTransform Compose DropEdge DropNode "
        "FeatMask GCNNorm GDC HeatKernel KHopGraph LapPE LineGraph NodeShuffle PPR RandomWalkPE "
        "RemoveSelfLoop RowFeatNormalizer SIGNDiffusion SVDPE ToLevi ToSimple"
    ),
    "transforms.to_block": "to_block",
    "traversal": (
        "bfs_edges_generator bfs_nodes_generator dfs_edges_generator dfs_labeled_edges_generator "
        "topological_nodes_generator"
    ),
    "udf": "",
    "utils": "expand_as_pair extract_node_subframes prepare_tensor set_new_frames",
    "utils.checks": "prepare_tensor prepare_tensor_dict prepare_tensor_or_dict check_eq_shape",
    "utils.data": "",
    "utils.exception": "",
    "utils.filter": "",
    "utils.internal": "apply_each expand_as_pair extract_node_subframes set_new_frames",
    "utils.pin_memory": "gather_pinned_tensor_rows pin_memory_inplace",
    "utils.shared_mem": "create_shared_mem_array get_shared_mem_array",
    "view": "",
    "transform": "",
}
