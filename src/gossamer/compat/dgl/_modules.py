"""DGL's modules, and the location of their names in Gossamer."""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

from gossamer.compat.dgl._placeholders import make_placeholder
from gossamer.errors import UnknownKeyError

__all__ = [
    "MODULES", "VERSION", "ModuleNames", "children_of", "import_if_there", "module_paths",
    "resolve",
]  # fmt: skip

# The release of DGL whose results Gossamer reproduces, as a version that programs can parse.
VERSION = "2.1.0"

_ABSENT = object()


@dataclass(frozen=True)
class ModuleNames:
    """A module of DGL and the sources of its names.

    Parameters
    ----------
    sources : tuple of str
        Modules to search for a name, in this order.
    known : tuple of str
        Names that DGL has in this module. A name that no source has becomes a placeholder.
    names : dict
        Names that differ in Gossamer: ``"module:attribute"``, or ``"module:"``.
    shadowed : tuple of str
        Submodules hidden by a function of the same name.
    """

    sources: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    shadowed: tuple[str, ...] = ()


_LEGACY = "gossamer.compat.dgl._legacy"
_SAMPLING = "gossamer.compat.dgl._sampling"
_STRUCTURE = "gossamer.compat.dgl._structure"
_UTILS = "gossamer.compat.dgl._utils"

# Modules to search for the names of a module and its submodules; the longest path applies.
_SOURCES = {
    "": ("gossamer", "gossamer.ops"),
    "_ffi": (),
    "backend": ("gossamer.compat.dgl._backend",),
    "_sparse_ops": (_STRUCTURE,),
    "data": ("gossamer.data", "gossamer.data.utils"),
    "dataloading": ("gossamer.dataloading", "gossamer.dataloading.negative_sampler"),
    "distributed": ("gossamer.distributed",),
    "function": ("gossamer.function", "gossamer.compat.dgl._messages"),
    "geometry": ("gossamer.geometry",),
    "graphbolt": ("gossamer.graphbolt",),
    "mpops": ("gossamer.ops",),
    "multiprocessing": ("gossamer.multiprocessing", "torch.multiprocessing"),
    "nn": ("gossamer.nn",),
    "nn.functional": ("gossamer.nn.functional",),
    "ops": ("gossamer.ops",),
    "optim": ("gossamer.optim",),
    "random": ("gossamer.random",),
    "sampling": ("gossamer.sampling", _SAMPLING),
    "sparse": ("gossamer.sparse",),
    "transform": ("gossamer.transforms", "gossamer"),
    "transforms": ("gossamer.transforms", "gossamer"),
    "udf": ("gossamer.udf",),
    "utils": ("gossamer.utils", _UTILS),
}


def _from(module: str, *names: str) -> dict[str, str]:
    """Map each name to its location in a module."""
    return {name: f"{module}:{name}" for name in names}


_ERROR = {"DGLError": "gossamer.errors:GossamerError"}
_WARNING = _from(_LEGACY, "DGLWarning", "dgl_warning")
_INITIALIZER = _from("gossamer.graph.frame", "zero_initializer")
_GRAPHS = dict.fromkeys(("DGLGraph", "DGLHeteroGraph", "DGLBlock"), "gossamer.graph:Graph")
_DISTANCE = _from(_UTILS, "pairwise_squared_distance")
_GRAPHBOLT_WARNING = _from(_LEGACY, "GBWarning")
_GRAPHBOLT_GRAPH = {"from_dglgraph": "gossamer.graphbolt:from_graph"}
_LAZY = _from("gossamer.dataloading", "LazyFeature")
_LAPLACIAN_CLASS = {"LaplacianPE": "gossamer.transforms:LapPE"}
_LAPLACIAN_FUNCTION = {"laplacian_pe": "gossamer.transforms:lap_pe"}
_LAPLACIAN = {**_LAPLACIAN_CLASS, **_LAPLACIAN_FUNCTION}
_DISTRIBUTED = _from(_LEGACY, "DEFAULT_ETYPE", "DEFAULT_NTYPE")
_INDEX = _from(_STRUCTURE, "GraphIndex", "HeteroGraphIndex")
_VIEWS = {
    "HeteroEdgeDataView": "gossamer.graph.views:Features",
    "HeteroEdgeView": "gossamer.graph.views:EdgeView",
    "HeteroNodeDataView": "gossamer.graph.views:Features",
    "HeteroNodeView": "gossamer.graph.views:NodeView",
}
# Loaders of DGL 0.8 and earlier, with the arguments of those for distributed graphs.
_LOADERS = {
    f"{kind}DataLoader": f"gossamer.dataloading:Dist{kind}DataLoader" for kind in ("Node", "Edge")
}
_LOADER_ARGUMENTS = _from(_SAMPLING, "_remove_kwargs_dist")
_FRAMES = _from(_STRUCTURE, "extract_edge_subframes", "extract_node_subframes", "set_new_frames")
_UNARY = _from(_STRUCTURE, "inv", "neg")
_COPIES = _from(_STRUCTURE, "copy_e")
# Functions of a graph, rows of its nodes and an edge type.
_EDGEWISE = _from(
    _STRUCTURE, "copy_e", "copy_u", "copy_v", "u_add_v", "u_div_v", "u_dot_v", "u_mul_v", "u_sub_v"
)
_STORAGES = _from("gossamer.graph.storages", "FeatureStorage", "TensorStorage", "wrap_storage")
_SERVICES = _from(_LEGACY, "register_service")
_TARGETS = _from(_LEGACY, "TargetCode")
_DATASETS = {
    "DGLDataset": "gossamer.data:Dataset",
    "DGLBuiltinDataset": "gossamer.data:BuiltinDataset",
}

# Names from before DGL 0.5, which dgl.data still has.
_SHORT_NAMES = [
    "BitcoinOTC", "CoraFull", "GDELT", "ICEWS18", "QM7b", "QM9", "QM9Edge", "SBMMixture", "SST",
]  # fmt: skip
_OLD_DATASETS = {
    **{name: f"gossamer.data:{name}Dataset" for name in _SHORT_NAMES},
    **_from(_LEGACY, "AmazonCoBuy", "Coauthor"),
    "citegrh": "dgl.data.citation_graph:",
}
_OLD_DATASET_MODULES = {
    "data.bitcoinotc": ["BitcoinOTC"],
    "data.gdelt": ["GDELT"],
    "data.gnn_benchmark": ["AmazonCoBuy", "Coauthor", "CoraFull"],
    "data.icews18": ["ICEWS18"],
    "data.qm7b": ["QM7b"],
    "data.qm9": ["QM9"],
    "data.qm9_edge": ["QM9Edge"],
    "data.sbm": ["SBMMixture"],
    "data.tree": ["SST"],
}
_LAYERS = ("conv", "explain", "factory", "glob", "hetero", "linear", "softmax", "utils")

# Names that differ in Gossamer, or that only the compatibility layer has.
_RENAMED: dict[str, dict[str, str]] = {
    "": {
        **_GRAPHS,
        **_ERROR,
        **_WARNING,
        **_LAPLACIAN,
        **_LAZY,
        **_EDGEWISE,
        "__version__": "gossamer.compat.dgl._modules:VERSION",
    },
    "_ffi.base": _ERROR,
    "base": {
        **_ERROR,
        **_WARNING,
        **_from("gossamer.graph", "ALL", "NID", "EID", "NTYPE", "ETYPE"),
        **_from(_LEGACY, "is_all"),
    },
    "convert": _GRAPHS,
    "data": {**_DATASETS, **_OLD_DATASETS},
    **{
        path: {name: _OLD_DATASETS[name] for name in names}
        for path, names in _OLD_DATASET_MODULES.items()
    },
    "data.dgl_dataset": _DATASETS,
    "data.knowledge_graph": {"load_data": f"{_LEGACY}:load_knowledge_graph"},
    "data.utils": {
        **_WARNING,
        **_from(_UTILS, "deprecate_class", "deprecate_function", "deprecate_property", "makedirs"),
        "_get_dgl_url": f"{_LEGACY}:get_dgl_url",
    },
    "dataloading": _LOADERS,
    "dataloading.dataloader": _LOADERS,
    "dataloading.dist_dataloader": _LOADER_ARGUMENTS,
    "distributed": {**_DISTRIBUTED, **_SERVICES},
    "distributed.constants": _DISTRIBUTED,
    "distributed.dist_dataloader": _LOADER_ARGUMENTS,
    "distributed.rpc": _SERVICES,
    "frame": {**_LAZY, **_INITIALIZER, **_from("gossamer.graph.frame", "Frame")},
    "function": _TARGETS,
    "function.base": _TARGETS,
    "graph_index": {**_INDEX, **_from(_STRUCTURE, "create_graph_index")},
    "graphbolt": {**_GRAPHBOLT_WARNING, **_GRAPHBOLT_GRAPH},
    "graphbolt.base": _GRAPHBOLT_WARNING,
    "graphbolt.impl": _GRAPHBOLT_GRAPH,
    "graphbolt.impl.fused_csc_sampling_graph": _GRAPHBOLT_GRAPH,
    "heterograph": {**_GRAPHS, **_from(_STRUCTURE, "combine_frames")},
    "heterograph_index": _INDEX,
    "init": _INITIALIZER,
    "mpops": _EDGEWISE,
    "mpops.edgewise": _EDGEWISE,
    "nn": {**_DISTANCE, **{name: f"dgl.nn.pytorch.{name}:" for name in _LAYERS}},
    "nn.pytorch": _DISTANCE,
    "nn.pytorch.factory": _DISTANCE,
    "nn.pytorch.utils": _from(_LEGACY, "Identity", "bmm_maybe_select", "matmul_maybe_select"),
    "ops": _COPIES,
    "ops.sddmm": _COPIES,
    "partition": _from(_UTILS, "reorder_nodes"),
    "sparse": _UNARY,
    "sparse.unary_op": _UNARY,
    "storages": _STORAGES,
    "storages.base": _STORAGES,
    "transform": {**_LAPLACIAN, **_DISTANCE},
    "transforms": _LAPLACIAN,
    "transforms.functional": {**_LAPLACIAN_FUNCTION, **_DISTANCE},
    "transforms.module": _LAPLACIAN_CLASS,
    "utils": _FRAMES,
    "utils.internal": _FRAMES,
    "view": _VIEWS,
}

# As in DGL, `dgl.batch` is a function, and `from dgl.batch import unbatch` works too.
_SHADOWED = {
    "": ("batch", "heterograph", "merge"),
    "ops": ("edge_softmax", "gather_mm"),
    "sparse": ("matmul", "sddmm", "softmax"),
    "transforms": ("to_block",),
}


def _read_names() -> dict[str, list[str]]:
    """Read the names listed in names.txt, by module path."""
    text = resources.files(__package__).joinpath("names.txt").read_text(encoding="utf-8")
    entries = re.findall(r"^([\w.]*):((?: .*\n|\n)+)", text, re.MULTILINE)
    return {path: names.split() for path, names in entries}


_NAMES = _read_names()


def _sources(path: str) -> tuple[str, ...]:
    """Return the sources of the longest matching path, and Gossamer's module of the same path."""
    room = path
    while room not in _SOURCES:
        room = room.rpartition(".")[0]
    same_place = f"gossamer.{path.replace('nn.pytorch', 'nn')}"
    return _SOURCES[room] if room == path else (*_SOURCES[room], same_place)


def _modules_below(path: str) -> list[str]:
    """Return the modules whose names a package has too; none for the root."""
    real = "nn.pytorch" if path == "nn" else path
    return [other for other in _NAMES if real and other.startswith(f"{real}.")]


def _known(path: str) -> tuple[str, ...]:
    real = "nn.pytorch" if path == "nn" else path
    found = [*_NAMES[real], *(name for other in _modules_below(path) for name in _NAMES[other])]
    return tuple(dict.fromkeys(found))


MODULES = {
    path: ModuleNames(_sources(path), _known(path), _RENAMED.get(path, {}), _SHADOWED.get(path, ()))
    for path in _NAMES
}


def module_paths() -> list[str]:
    """Return every module path that `install` makes importable, such as ``"dgl.nn.pytorch"``.

    Examples
    --------
    >>> "dgl.nn.pytorch.conv.gatconv" in module_paths()
    True
    """
    return sorted(f"dgl.{path}" if path else "dgl" for path in MODULES)


def children_of(path: str) -> list[str]:
    """Return the names of the direct submodules of a module."""
    prefix = f"{path}." if path else ""
    inside = [p[len(prefix) :] for p in MODULES if p and p.startswith(prefix)]
    return [name for name in inside if "." not in name]


def resolve(path: str, name: str) -> Any:
    """Return the object ``dgl.<path>.<name>``: Gossamer's object, a module, or a placeholder.

    Raises
    ------
    UnknownKeyError
        If there is no such name.
    """
    entry = MODULES[path]
    if name in entry.names:
        module, _, attribute = entry.names[name].partition(":")
        found = importlib.import_module(module)
        return getattr(found, attribute) if attribute else found
    below = f"{path}.{name}" if path else name
    if below in MODULES and name not in entry.shadowed:
        return importlib.import_module(f"dgl.{below}")
    known = name in entry.known
    for source in map(import_if_there, entry.sources):
        if known or name in getattr(source, "__all__", ()):
            found = getattr(source, name, _ABSENT)
            if found is not _ABSENT:
                return found
    for other in _modules_below(path) if known else ():
        if name in _NAMES[other]:
            return resolve(other, name)
    # A placeholder for a constant would be compared with values and never be equal to one.
    if known and not (name.isupper() and "_" in name):
        return make_placeholder(path, name)
    if name == "DGLError":  # many modules of DGL have it
        return resolve("", name)
    raise UnknownKeyError(f"{path}: no {name}")


def import_if_there(module: str) -> Any:
    """Import a module; return None if it does not exist."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if not f"{module}.".startswith(f"{error.name}."):
            raise
        return None
