"""Graph convolutions."""

from gossamer.nn.conv.agnnconv import AGNNConv
from gossamer.nn.conv.appnpconv import APPNPConv
from gossamer.nn.conv.atomicconv import AtomicConv
from gossamer.nn.conv.cfconv import CFConv
from gossamer.nn.conv.chebconv import ChebConv
from gossamer.nn.conv.cugraph import CuGraphGATConv, CuGraphRelGraphConv, CuGraphSAGEConv
from gossamer.nn.conv.densechebconv import DenseChebConv
from gossamer.nn.conv.densegraphconv import DenseGraphConv
from gossamer.nn.conv.densesageconv import DenseSAGEConv
from gossamer.nn.conv.dgnconv import DGNConv
from gossamer.nn.conv.dotgatconv import DotGatConv
from gossamer.nn.conv.edgeconv import EdgeConv
from gossamer.nn.conv.edgegatconv import EdgeGATConv
from gossamer.nn.conv.egatconv import EGATConv
from gossamer.nn.conv.egnnconv import EGNNConv
from gossamer.nn.conv.gatconv import GATConv
from gossamer.nn.conv.gatedgcnconv import GatedGCNConv
from gossamer.nn.conv.gatedgraphconv import GatedGraphConv
from gossamer.nn.conv.gatv2conv import GATv2Conv
from gossamer.nn.conv.gcn2conv import GCN2Conv
from gossamer.nn.conv.ginconv import GINConv
from gossamer.nn.conv.gineconv import GINEConv
from gossamer.nn.conv.gmmconv import GMMConv
from gossamer.nn.conv.graphconv import EdgeWeightNorm, GraphConv
from gossamer.nn.conv.grouprevres import GroupRevRes
from gossamer.nn.conv.hgtconv import HGTConv
from gossamer.nn.conv.nnconv import NNConv
from gossamer.nn.conv.pnaconv import PNAConv
from gossamer.nn.conv.relgraphconv import RelGraphConv
from gossamer.nn.conv.sageconv import SAGEConv
from gossamer.nn.conv.sgconv import SGConv
from gossamer.nn.conv.tagconv import TAGConv
from gossamer.nn.conv.twirlsconv import TWIRLSConv, TWIRLSUnfoldingAndAttention

__all__ = [
    "AGNNConv",
    "APPNPConv",
    "AtomicConv",
    "CFConv",
    "ChebConv",
    "CuGraphGATConv",
    "CuGraphRelGraphConv",
    "CuGraphSAGEConv",
    "DGNConv",
    "DenseChebConv",
    "DenseGraphConv",
    "DenseSAGEConv",
    "DotGatConv",
    "EGATConv",
    "EGNNConv",
    "EdgeConv",
    "EdgeGATConv",
    "EdgeWeightNorm",
    "GATConv",
    "GATv2Conv",
    "GCN2Conv",
    "GINConv",
    "GINEConv",
    "GMMConv",
    "GatedGCNConv",
    "GatedGraphConv",
    "GraphConv",
    "GroupRevRes",
    "HGTConv",
    "NNConv",
    "PNAConv",
    "RelGraphConv",
    "SAGEConv",
    "SGConv",
    "TAGConv",
    "TWIRLSConv",
    "TWIRLSUnfoldingAndAttention",
]
