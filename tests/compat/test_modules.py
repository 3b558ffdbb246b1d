"""`import dgl` means Gossamer: every module path, every name that packages are known to use."""

from __future__ import annotations

import functools
import importlib
import importlib.metadata
import inspect
import subprocess
import sys
import warnings
from collections.abc import Iterator
from types import ModuleType

import pytest
import torch

import gossamer
from gossamer.compat.dgl import (
    NotYetError,
    UnknownNameError,
    install,
    installed,
    is_placeholder,
    module_paths,
    uninstall,
)
from gossamer.errors import GossamerError, InvalidValueError

# What packages written for DGL reach for beyond its documented names, as counted in their sources.
INTERNALS = [
    "_ffi.base.DGLError",
    "backend.asnumpy",
    "backend.astype",
    "backend.context",
    "backend.copy_to",
    "backend.dtype",
    "backend.float32",
    "backend.int64",
    "backend.nonzero_1d",
    "backend.rand_shuffle",
    "backend.randint",
    "backend.repeat",
    "backend.reshape",
    "backend.shape",
    "backend.stack",
    "backend.sum",
    "backend.tensor",
    "backend.unique",
    "backend.zerocopy_from_numpy",
    "base.DGLError",
    "base.dgl_warning",
    "convert.heterograph",
    "data.dgl_dataset.DGLDataset",
    "data.utils._get_dgl_url",
    "frame.zero_initializer",
    "init.zero_initializer",
    "nn.conv.GATv2Conv",
    "nn.pytorch.conv.GINConv",
    "nn.pytorch.conv.gatv2conv.DGLError",
    "nn.pytorch.glob.AvgPooling",
    "nn.pytorch.glob.MaxPooling",
    "nn.pytorch.glob.SumPooling",
    "nn.pytorch.softmax.edge_softmax",
    "nn.pytorch.utils.Identity",
    "nn.functional.edge_softmax",
    "subgraph.edge_subgraph",
    "traversal.bfs_edges_generator",
    "traversal.dfs_labeled_edges_generator",
    "random.seed",
    "utils.expand_as_pair",
    "ops.edge_softmax",
    "udf.EdgeBatch",
    "udf.NodeBatch",
    "Graph",
    "DGLHeteroGraph",
    "LazyFeature",
    "dataloading.negative_sampler.GlobalUniform",
    "dataloading.negative_sampler.Uniform",
    "dataloading.negative_sampler._BaseNegativeSampler",
    "graphbolt.from_dglgraph",
    "data.DGLBuiltinDataset",
    "data.utils.load_graphs",
    "multiprocessing.Process",
    "multiprocessing.Queue",
    "data.rdf.AIFBDataset",
    "dataloading.NodeDataLoader",
    "dataloading.EdgeDataLoader",
    "dataloading.dist_dataloader._remove_kwargs_dist",
    "nn.ShiftedSoftplus",
    "nn.pytorch.conv.cfconv.ShiftedSoftplus",
    "nn.pytorch.hetero.get_aggregate_fn",
    "nn.pytorch.linear.TypedLinear",
    "nn.pytorch.utils.bmm_maybe_select",
    "nn.pytorch.utils.matmul_maybe_select",
    "data.gnn_benchmark.CoraFull",
    "data.knowledge_graph.KnowledgeGraphDataset",
    "data.qm9.QM9",
    "dataloading.base.find_exclude_eids",
    "dataloading.dataloader.GraphCollator",
    "function.message.MessageFunction",
    "graphbolt.itemset.ItemSetDict",
    "ops.segment.segment_softmax",
    "sampling.neighbor.sample_neighbors_fused",
    "sparse.sparse_matrix.from_torch_sparse",
    "storages.base.FeatureStorage",
    "utils.internal.is_listlike",
    "ops.copy_e",
    "ops.sddmm.copy_e",
    "sampling.neighbor.sample_etype_neighbors",
    "sampling.neighbor.select_topk",
    "sampling.pinsage.RandomWalkNeighborSampler",
    "sampling.pinsage._select_pinsage_neighbors",
    "sampling.randomwalks.random_walk",
    "sampling.sample_etype_neighbors",
    "utils.extract_node_subframes",
    "utils.prepare_tensor",
    "utils.set_new_frames",
]

# Names of distributed training that packages import and that may be placeholders.
MISSING_INTERNALS = [
    "distributed.dist_dataloader.EdgeCollator",
    "distributed.graph_partition_book._etype_str_to_tuple",
    "distributed.kvstore.close_kvstore",
    "distributed.role.init_role",
    "distributed.rpc.Request",
    "distributed.rpc.send_request",
]


@pytest.fixture
def dgl() -> Iterator[ModuleType]:
    """The module that `import dgl` gives."""
    install()
    yield importlib.import_module("dgl")
    uninstall()


def look_up(name: str) -> object:
    """What ``dgl.<name>`` is after nothing but ``import dgl``."""
    return functools.reduce(getattr, name.split("."), importlib.import_module("dgl"))


@pytest.mark.usefixtures("dgl")
@pytest.mark.parametrize("path", module_paths())
def test_every_module_can_be_imported(path: str) -> None:
    module = importlib.import_module(path)
    assert isinstance(module, ModuleType)
    assert module.__name__ == module.__spec__.name == path
    assert inspect.getdoc(module)
    absent = [name for name in module.__all__ if not hasattr(module, name)]
    assert not absent
    assert not [name for name in module.__all__ if is_placeholder(getattr(module, name))]


@pytest.mark.usefixtures("dgl")
@pytest.mark.parametrize("name", INTERNALS)
def test_name_that_packages_use(name: str) -> None:
    assert not is_placeholder(look_up(name))


@pytest.mark.usefixtures("dgl")
def test_placeholders_are_of_distributed_training() -> None:
    from gossamer.compat.dgl._modules import MODULES, resolve

    left = {
        f"{path}.{name}"
        for path, entry in MODULES.items()
        if path.partition(".")[0] != "distributed"
        for name in entry.known
        if is_placeholder(resolve(path, name))
    }
    assert not left


@pytest.mark.usefixtures("dgl")
@pytest.mark.parametrize("name", MISSING_INTERNALS)
def test_name_that_packages_import(name: str) -> None:
    assert look_up(name) is look_up(name)


def test_every_name_of_gossamer_is_there(dgl: ModuleType) -> None:
    rooms = [
        "function",
        "ops",
        "nn",
        "data",
        "transforms",
        "geometry",
        "optim",
        "udf",
        "sparse",
        "sampling",
    ]
    for module in rooms:
        ours = importlib.import_module(f"gossamer.{module}")
        for name in ours.__all__:
            if not inspect.ismodule(getattr(ours, name)):
                assert getattr(getattr(dgl, module), name) is getattr(ours, name), (module, name)


def test_one_lazy_feature(dgl: ModuleType) -> None:
    ours = gossamer.dataloading.LazyFeature
    assert dgl.LazyFeature is dgl.frame.LazyFeature is dgl.dataloading.LazyFeature is ours


def test_one_class_under_every_name(dgl: ModuleType) -> None:
    from dgl.heterograph import DGLGraph
    from dgl.nn import GraphConv
    from dgl.nn.pytorch import GraphConv as second
    from dgl.nn.pytorch.conv import GraphConv as third
    from dgl.nn.pytorch.conv.graphconv import GraphConv as fourth

    assert DGLGraph is dgl.DGLGraph is dgl.DGLHeteroGraph is gossamer.Graph
    assert isinstance(dgl.graph(([0], [1])), dgl.DGLGraph)
    assert GraphConv is second is third is fourth is gossamer.nn.GraphConv


@pytest.mark.usefixtures("dgl")
def test_functions_hide_the_modules_of_their_name() -> None:
    import dgl.batch
    import dgl.heterograph
    import dgl.merge
    import dgl.ops.edge_softmax
    import dgl.transforms.to_block

    assert dgl.batch is gossamer.batch
    assert dgl.heterograph is gossamer.heterograph
    assert dgl.merge is gossamer.merge
    assert dgl.ops.edge_softmax is gossamer.ops.edge_softmax
    assert dgl.transforms.to_block is gossamer.to_block
    assert sys.modules["dgl.batch"].unbatch is gossamer.unbatch


@pytest.mark.usefixtures("dgl")
def test_star_imports() -> None:
    names: dict[str, object] = {}
    exec("from dgl import *\nfrom dgl.nn.pytorch import *\nfrom dgl.data.utils import *", names)
    assert names["GATConv"] is gossamer.nn.GATConv
    assert names["DGLGraph"] is gossamer.Graph
    assert names["load_graphs"] is gossamer.load_graphs
    assert not [name for name, value in names.items() if is_placeholder(value)]


def test_errors_are_dgls(dgl: ModuleType) -> None:
    from dgl._ffi.base import DGLError

    assert DGLError is dgl.DGLError is dgl.base.DGLError
    with pytest.raises(DGLError, match="needs one of each"):
        dgl.graph(([0, 1], [1]))
    with pytest.raises(GossamerError, match="mine"):
        raise dgl.DGLError("mine")


def test_version(dgl: ModuleType) -> None:
    assert dgl.__version__ == importlib.metadata.version("dgl") == "2.1.0"
    assert importlib.metadata.metadata("DGL")["Name"] == "dgl"
    uninstall()
    assert not [d for d in importlib.metadata.distributions(name="dgl") if d.version == "2.1.0"]


# --- what does not exist yet --------------------------------------------------------------------


@pytest.fixture
def missing(dgl: ModuleType, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """DGL with a layer, a function and a constant that Gossamer does not have."""
    from gossamer.compat.dgl import _modules

    names = {
        "nn": "InventedConv",
        "nn.pytorch": "InventedConv",
        "nn.pytorch.conv": "InventedConv",
        "sampling": "invented_walk",
        "distributed": "INVENTED_TYPE",
    }
    for path, name in names.items():
        entry = _modules.MODULES[path]
        wider = _modules.ModuleNames(
            entry.sources, (*entry.known, name), entry.names, entry.shadowed
        )
        monkeypatch.setitem(_modules.MODULES, path, wider)
    return dgl


def test_missing_class_can_be_imported_and_subclassed(missing: ModuleType) -> None:
    from dgl.nn.pytorch import InventedConv
    from dgl.nn.pytorch.conv import InventedConv as again

    assert InventedConv is again is missing.nn.InventedConv
    assert is_placeholder(InventedConv)
    assert "InventedConv" not in missing.nn.__all__
    assert issubclass(InventedConv, torch.nn.Module)
    assert not isinstance(torch.nn.Linear(1, 1), InventedConv)

    class Mine(InventedConv):
        def __init__(self, size: int) -> None:
            torch.nn.Module.__init__(self)

    with pytest.raises(NotYetError, match=r"^dgl\.nn\.InventedConv does not exist in Gossamer yet"):
        InventedConv(4, 4, torch.nn.Linear(1, 16))
    with pytest.raises(NotYetError, match=r"^Mine derives from dgl\.nn\.InventedConv, which does"):
        Mine(3)


def test_missing_function_can_be_imported(missing: ModuleType) -> None:
    from dgl.sampling import invented_walk

    assert is_placeholder(invented_walk)
    assert inspect.getdoc(invented_walk).startswith("dgl.sampling.invented_walk does not exist")
    with pytest.raises(NotYetError, match=r"^dgl\.sampling\.invented_walk does not exist in Goss"):
        invented_walk(missing.graph(([0], [1])), [0])
    with pytest.raises(GossamerError):
        invented_walk()


@pytest.mark.usefixtures("missing")
def test_no_placeholder_stands_for_a_constant() -> None:
    with pytest.raises(ImportError, match="INVENTED_TYPE"):
        from dgl.distributed import INVENTED_TYPE  # noqa: F401


def test_a_placeholder_gives_way_to_the_real_name(
    missing: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gossamer.nn, "InventedConv", torch.nn.Linear, raising=False)
    monkeypatch.setattr(gossamer.nn, "__all__", [*gossamer.nn.__all__, "InventedConv", "Other"])
    monkeypatch.setattr(gossamer.nn, "Other", torch.nn.Bilinear, raising=False)
    assert missing.nn.InventedConv is torch.nn.Linear
    # A new name needs no entry in the tables.
    assert missing.nn.Other is torch.nn.Bilinear
    assert "InventedConv" in missing.nn.__all__


@pytest.mark.parametrize("path", ["", "nn", "nn.pytorch.conv.gatconv", "graphbolt", "sparse"])
def test_unknown_name(dgl: ModuleType, path: str) -> None:
    name = f"dgl.{path}".rstrip(".")
    module = importlib.import_module(name)
    assert not hasattr(module, "nothing_like_it")
    with pytest.raises(UnknownNameError, match=f"'{name}' has no attribute 'nothing_like_it'"):
        _ = module.nothing_like_it
    with pytest.raises(ImportError, match="cannot import name 'nothing_like_it'"):
        exec(f"from {name} import nothing_like_it")


@pytest.mark.usefixtures("dgl")
def test_unknown_module() -> None:
    with pytest.raises(ModuleNotFoundError, match=r"dgl\.no_such_module"):
        importlib.import_module("dgl.no_such_module")


# --- opening and closing ------------------------------------------------------------------------


def test_install_is_idempotent_and_can_be_undone() -> None:
    finders, modules = list(sys.meta_path), set(sys.modules)
    install()
    install()
    import dgl
    import dgl.nn.pytorch

    kept = dgl.nn.GraphConv
    assert installed()
    uninstall()
    uninstall()
    assert not installed()
    assert sys.meta_path == finders
    assert not [m for m in set(sys.modules) - modules if m.partition(".")[0] == "dgl"]
    assert kept is gossamer.nn.GraphConv


def test_install_again_gives_new_modules(dgl: ModuleType) -> None:
    uninstall()
    install()
    import dgl as again

    assert again is not dgl
    assert again.graph is dgl.graph


def test_another_dgl_is_not_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    other = ModuleType("dgl")
    other.__file__ = "/somewhere/dgl/__init__.py"
    monkeypatch.setitem(sys.modules, "dgl", other)
    with pytest.raises(InvalidValueError, match=r"already imported, from /somewhere/dgl"):
        install()
    assert not installed()
    assert sys.modules["dgl"] is other


def test_modules_reload(dgl: ModuleType) -> None:
    assert importlib.reload(dgl) is dgl
    assert importlib.reload(dgl.nn.pytorch) is dgl.nn.pytorch
    assert dgl.batch is gossamer.batch
    assert inspect.ismodule(dgl.nn)
    assert "GraphConv" in dir(dgl.nn)


def test_nothing_heavy_comes_with_it() -> None:
    program = """
import sys
from gossamer.compat.dgl import install
install()
import dgl
rooms = ("nn", "data", "optim", "multiprocessing", "cli")
print([r for r in rooms if "gossamer." + r in sys.modules], len(dgl.graph(([0], [1])).ntypes))
import dgl.nn.pytorch, dgl.data
print([r for r in rooms if "gossamer." + r in sys.modules])
"""
    command = [sys.executable, "-W", "error", "-c", program]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.stdout.splitlines() == ["[] 1", "[]"], run.stderr


# --- small things of DGL's ----------------------------------------------------------------------


def test_backend(dgl: ModuleType) -> None:
    backend = dgl.backend
    x = torch.tensor([[3, 1], [1, 3]])
    assert backend.tensor(3).tolist() == [3]
    assert backend.tensor([1.5], backend.float64).dtype == torch.float64
    assert backend.repeat(x, 2, 0).tolist() == [[3, 1], [3, 1], [1, 3], [1, 3]]
    assert backend.sum(x, 0, keepdims=True).tolist() == [[4, 4]]
    assert backend.nonzero_1d(torch.tensor([0, 5, 0, 2])).tolist() == [1, 3]
    values, inverse, counts = backend.unique(x[0], True, True)
    assert (values.tolist(), inverse.tolist(), counts.tolist()) == ([1, 3], [1, 0], [1, 1])
    shared = x.numpy()
    backend.zerocopy_from_numpy(shared)[0, 0] = 7
    assert shared[0, 0] == 7
    assert sorted(backend.rand_shuffle(torch.arange(9)).tolist()) == list(range(9))
    assert backend.randint((2, 3), torch.int64, "cpu", 4, 5).tolist() == [[4, 4, 4], [4, 4, 4]]
    assert backend.asnumpy(torch.ones(2, requires_grad=True)).tolist() == [1.0, 1.0]
    assert backend.context(x) == backend.cpu()
    assert backend.as_scalar(backend.astype(x[0, :1], backend.float32)) == 7.0


def test_warnings_and_addresses(dgl: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.warns(UserWarning, match="careful"):
        dgl.base.dgl_warning("careful")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        dgl.base.dgl_warning("old", DeprecationWarning)
    assert caught[0].category is DeprecationWarning
    assert caught[0].filename == __file__
    assert dgl.data.utils._get_dgl_url("a/b.zip") == "https://data.dgl.ai/a/b.zip"
    monkeypatch.setenv("DGL_REPO", "https://example.org/mirror/")
    assert dgl.data.utils._get_dgl_url("a/b.zip") == "https://example.org/mirror/a/b.zip"
    assert dgl.base.is_all(dgl.ALL)
    assert not dgl.base.is_all([0])
    identity = dgl.nn.pytorch.utils.Identity()
    assert identity(dgl) is dgl
