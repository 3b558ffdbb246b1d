"""Complete models, built in one line and saved in the safetensors format."""

from gossamer.nn.models._base import MODELS, Model, build_model, load_model
from gossamer.nn.models.decoders import ComplEx, DistMult, RotatE
from gossamer.nn.models.han import HAN
from gossamer.nn.models.propagation import APPNP, GCNII, LightGCN
from gossamer.nn.models.stacks import GAT, GCN, GIN, PNA, GATv2, GraphSAGE
from gossamer.nn.models.transformers import GPS
from gossamer.nn.models.typed import HGT, RGCN

__all__ = [
    "APPNP",
    "GAT",
    "GCN",
    "GCNII",
    "GIN",
    "GPS",
    "HAN",
    "HGT",
    "MODELS",
    "PNA",
    "RGCN",
    "ComplEx",
    "DistMult",
    "GATv2",
    "GraphSAGE",
    "LightGCN",
    "Model",
    "RotatE",
    "build_model",
    "load_model",
]
