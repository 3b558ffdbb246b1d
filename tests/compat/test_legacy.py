"""Names that only the compatibility layer has, against answers of DGL 2.1.0."""

from __future__ import annotations

import functools
import importlib
import os
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import networkx as nx
import pytest
import scipy.sparse as sp
import torch

import gossamer as gs
from gossamer.compat.dgl import install, is_placeholder, uninstall

NAMES = [
    "_sparse_ops._csrmm",
    "_sparse_ops._csrsum",
    "_sparse_ops._csrmask",
    "backend.full_1d",
    "backend.to_dgl_nd",
    "backend.zerocopy_to_dlpack",
    "base.DGLWarning",
    "copy_e",
    "copy_u",
    "copy_v",
    "data.AmazonCoBuy",
    "data.BitcoinOTC",
    "data.Coauthor",
    "data.CoraFull",
    "data.GDELT",
    "data.ICEWS18",
    "data.QM7b",
    "data.QM9",
    "data.QM9Edge",
    "data.SBMMixture",
    "data.SST",
    "data.citation_graph.load_cora",
    "data.knowledge_graph.load_data",
    "data.utils.deprecate_property",
    "data.utils.makedirs",
    "dataloading.Collator",
    "distributed.DEFAULT_ETYPE",
    "distributed.DEFAULT_NTYPE",
    "distributed.register_service",
    "frame.LazyFeature",
    "function.TargetCode",
    "function.copy_edge",
    "function.copy_src",
    "function.src_mul_edge",
    "graph_index.create_graph_index",
    "heterograph.combine_frames",
    "heterograph_index.HeteroGraphIndex",
    "laplacian_pe",
    "LaplacianPE",
    "partition.reorder_nodes",
    "storages.wrap_storage",
    "transforms.LaplacianPE",
    "transforms.functional.pairwise_squared_distance",
    "transforms.laplacian_pe",
    "utils.check_eq_shape",
    "utils.is_sorted_srcdst",
    "utils.pin_memory_inplace",
    "utils.recursive_apply",
    "utils.shared_mem.create_shared_mem_array",
    "view.HeteroEdgeDataView",
    "view.HeteroNodeDataView",
]


@pytest.fixture
def dgl() -> Iterator[ModuleType]:
    install()
    yield importlib.import_module("dgl")
    uninstall()


@pytest.mark.parametrize("name", NAMES)
def test_name_exists(dgl: ModuleType, name: str) -> None:
    path, _, last = f"dgl.{name}".rpartition(".")
    found = getattr(importlib.import_module(path), last)
    assert not is_placeholder(found)
    if not path.endswith("heterograph"):  # a function hides that module, as in DGL
        assert functools.reduce(getattr, name.split("."), dgl) is found


def test_constants_of_distributed(dgl: ModuleType) -> None:
    from dgl.distributed.constants import DEFAULT_ETYPE, DEFAULT_NTYPE

    assert dgl.distributed.DEFAULT_NTYPE == DEFAULT_NTYPE == "_N"
    assert dgl.distributed.DEFAULT_ETYPE == DEFAULT_ETYPE == ("_N", "_E", "_N")


def test_services_can_be_registered(dgl: ModuleType) -> None:
    class Ask(dgl.distributed.Request):
        pass

    assert dgl.distributed.register_service(900_001, Ask, None) is None


def test_old_message_functions(dgl: ModuleType) -> None:
    fn = dgl.function
    assert fn.src_mul_edge("h", "w", "m") == fn.u_mul_e("h", "w", "m")
    assert fn.src_mul_edge(src="h", edge="w", out="m") == fn.u_mul_e("h", "w", "m")
    assert fn.edge_sub_dst("w", "h", "m") == fn.e_sub_v("w", "h", "m")
    g = dgl.graph(([0, 1], [1, 2]))
    g.ndata["h"] = torch.tensor([1.0, 2.0, 3.0])
    g.edata["w"] = torch.tensor([5.0, 7.0])
    g.update_all(fn.copy_src(src="h", out="m"), fn.sum("m", "out"))
    assert g.ndata["out"].tolist() == [0.0, 1.0, 2.0]
    g.update_all(fn.copy_edge(edge="w", out="m"), fn.sum("m", "out"))
    assert g.ndata["out"].tolist() == [0.0, 5.0, 7.0]
    assert g.ndata["h"].tolist() == [1.0, 2.0, 3.0]
    assert (fn.TargetCode.SRC, fn.TargetCode.CODE2STR[fn.TargetCode.EDGE]) == (0, "e")


def test_operators_on_edges(dgl: ModuleType) -> None:
    g = dgl.heterograph({("a", "x", "b"): ([0, 1, 1], [0, 0, 2]), ("b", "y", "a"): ([0], [1])})
    a = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    b = torch.tensor([[2.0, 1.0], [5.0, 5.0], [1.0, 4.0]])
    src, dst = a[[0, 1, 1]], b[[0, 0, 2]]
    expected = {
        "add": src + dst,
        "sub": src - dst,
        "mul": src * dst,
        "div": src / dst,
        "dot": (src * dst).sum(1, keepdim=True),
    }
    for name, values in expected.items():
        for module in (dgl, dgl.mpops):
            function = getattr(module, f"u_{name}_v")
            torch.testing.assert_close(function(g, a, b, etype="x"), values)
            torch.testing.assert_close(function(g, a, b, ("a", "x", "b")), values)
    one = dgl.graph(([0], [1]))
    assert dgl.u_add_v(one, x_node=a, y_node=a).tolist() == [[4.0, 6.0]]
    assert dgl.ops.u_add_v is gs.ops.u_add_v
    assert dgl.mpops.copy_u(g, x_node=a, etype="x").tolist() == src.tolist()


def test_copies_to_edges(dgl: ModuleType) -> None:
    g = dgl.heterograph({("a", "x", "b"): ([0, 1, 1], [0, 0, 2]), ("b", "y", "a"): ([0], [1])})
    rows = torch.tensor([[1.0], [2.0], [3.0]], requires_grad=True)
    assert dgl.copy_u(g, rows[:2], etype="x").tolist() == [[1.0], [2.0], [2.0]]
    assert dgl.copy_v(g, rows, etype="x").tolist() == [[1.0], [1.0], [3.0]]
    assert dgl.copy_e(g, rows, etype="x") is rows
    dgl.copy_v(g, rows, etype=("a", "x", "b")).sum().backward()
    assert rows.grad.flatten().tolist() == [2.0, 0.0, 1.0]
    with pytest.raises(gs.InvalidValueError, match="the graph has 1 edges, x_edge 3 rows"):
        dgl.copy_e(g, rows, etype="y")


def test_unary_functions_of_sparse_matrices(dgl: ModuleType) -> None:
    A = dgl.sparse.diag(torch.tensor([1.0, 2.0]))
    assert dgl.sparse.inv(A).val.tolist() == [1, 0.5]
    assert dgl.sparse.neg(A).val.tolist() == [-1, -2]


def test_old_datasets_have_names_in_one_class(dgl: ModuleType) -> None:
    for name in ("AmazonCoBuy", "Coauthor"):
        with pytest.raises(gs.InvalidValueError, match=f"{name}: the name is one of"):
            getattr(dgl.data, name)("other")


def test_nodes_are_reordered(dgl: ModuleType) -> None:
    g = dgl.graph(([0, 1, 2], [1, 2, 0]))
    for ids in ([2, 0, 1], torch.tensor([2, 0, 1])):
        result = dgl.partition.reorder_nodes(g, ids)
        assert [end.tolist() for end in result.edges()] == [[2, 0, 1], [0, 1, 2]]
        assert result.ndata["orig_id"].tolist() == [1, 2, 0]
    with pytest.raises(gs.InvalidValueError, match="each of 0 to 2 once"):
        dgl.partition.reorder_nodes(g, [0, 0, 1])


@pytest.mark.parametrize(
    ("source", "destination", "expected"),
    [
        ([0, 0, 1], [1, 2, 0], (True, True)),
        ([0, 0, 1], [2, 1, 0], (True, False)),
        ([1, 0], [0, 1], (False, False)),
        ([], [], (True, True)),
    ],
)
def test_sorted_edges(dgl: ModuleType, source: list, destination: list, expected: tuple) -> None:
    ends = torch.tensor(source), torch.tensor(destination)
    assert dgl.utils.is_sorted_srcdst(*ends) == expected


def test_nested_values(dgl: ModuleType) -> None:
    utils = dgl.utils
    nested = {"a": [1, (2, 3)], "b": 4}
    assert utils.recursive_apply(nested, lambda x, k: x + k, 1) == {"a": [2, (3, 4)], "b": 5}
    assert utils.recursive_apply_pair(nested, nested, lambda x, y: x * y) == {
        "a": [1, (4, 9)],
        "b": 16,
    }
    assert (utils.is_listlike((1,)), utils.is_dict_like({}), utils.is_dict_like([])) == (
        True,
        True,
        False,
    )
    x = {"h": torch.ones(2)}
    assert (utils.dtype_of(x), utils.context_of(x)) == (torch.float32, torch.device("cpu"))
    utils.check_eq_shape(x["h"])
    with pytest.raises(gs.InvalidTypeError, match="takes a tensor, got list"):
        utils.check_eq_shape([1])


def test_ids_are_prepared(dgl: ModuleType) -> None:
    g = dgl.graph(([0], [1])).int()
    utils = dgl.utils
    assert utils.prepare_tensor(g, [0, 1], "nodes").dtype == torch.int32
    assert utils.prepare_tensor_or_dict(g, {"a": [1]}, "nodes")["a"].tolist() == [1]
    assert utils.prepare_tensor(g, [], "nodes").dtype == torch.int32
    with pytest.raises(gs.InvalidTypeError, match=r"^nodes must be integers, got torch\.float32"):
        utils.prepare_tensor(g, [0.5], "nodes")


def test_shared_memory(dgl: ModuleType) -> None:
    name = f"gossamer_{os.getpid()}"
    x = dgl.utils.shared_mem.create_shared_mem_array(name, (2, 3), torch.float32)
    assert x.tolist() == [[0.0] * 3] * 2
    x[1, 2] = 5
    again = dgl.utils.shared_mem.get_shared_mem_array(name, (2, 3), torch.float32)
    assert again[1, 2] == 5
    with pytest.raises(gs.InvalidValueError, match="no shared memory named"):
        dgl.utils.shared_mem.get_shared_mem_array(f"{name}_other", (1,), torch.int64)


def test_pinning_needs_a_gpu(dgl: ModuleType) -> None:
    if torch.cuda.is_available():
        x = torch.ones(1024)
        dgl.utils.pin_memory_inplace(x)
        assert x.is_pinned()
    else:
        with pytest.raises(gs.InvalidValueError, match="needs a CUDA device"):
            dgl.utils.pin_memory_inplace(torch.ones(2))


def test_products_and_sums_of_structure(dgl: ModuleType) -> None:
    from dgl._sparse_ops import _csrmask, _csrmm, _csrsum
    from dgl.heterograph_index import HeteroGraphIndex

    a = HeteroGraphIndex(dgl.graph(([0, 1, 1], [1, 0, 2])))
    b = HeteroGraphIndex(dgl.graph(([1, 0, 2], [2, 2, 0])))
    weights = torch.tensor([1.0, 2.0, 3.0])

    def dense(index, values):
        u, v, _ = index.edges(0)
        assert index.number_of_edges(0) == len(values)
        matrix = torch.zeros(index.number_of_nodes(0), index.number_of_nodes(0))
        matrix[u, v] = values
        return matrix

    left, right = dense(a, weights), dense(b, weights)
    torch.testing.assert_close(dense(*_csrmm(a, weights, b, weights, 1)), left @ right)
    torch.testing.assert_close(dense(*_csrsum([a, b], [weights, weights])), left + right)
    assert _csrmask(a, weights, b).tolist() == [3.0, 0.0, 0.0]
    assert _csrmask(a, weights, a).tolist() == weights.tolist()
    rows, columns, indptr, indices, _ = a.adjacency_matrix_tensors(0, False, "csr")
    assert (rows, columns, indptr.tolist(), indices.tolist()) == (3, 3, [0, 1, 3, 3], [1, 0, 2])
    assert torch.equal(dense(a.reverse(), weights), left.T)


def test_structure_of_other_objects(dgl: ModuleType) -> None:
    create = dgl.graph_index.create_graph_index
    matrix = sp.coo_matrix(([1, 1], ([0, 1], [1, 2])), shape=(3, 3))
    for data in (
        [(0, 1), (1, 2)],
        matrix,
        nx.path_graph(3, create_using=nx.DiGraph),
        dgl.graph(matrix.nonzero()),
    ):
        index = create(data, True)
        assert (index.number_of_nodes(), index.number_of_edges()) == (3, 2)
    assert create(None, False).number_of_nodes() == 0


def test_frames_are_combined(dgl: ModuleType) -> None:
    def frame(**columns):
        g = dgl.graph(([], []), num_nodes=len(next(iter(columns.values()))))
        result = dgl.frame.Frame(g.num_nodes())
        result.update(columns)
        return result

    frames = [frame(a=torch.ones(2, 1)), frame(a=torch.zeros(1, 1)), frame(b=torch.ones(1))]
    from dgl.heterograph import combine_frames as combine

    assert combine(frames, [0, 1])["a"].tolist() == [[1.0], [1.0], [0.0]]
    assert combine(frames, [1])["a"].tolist() == [[0.0]]
    assert combine(frames, [0, 2]) is None
    assert combine(frames, [0, 2], ["a"]) is None
    with pytest.raises(gs.InvalidValueError, match="several shapes"):
        combine([frames[0], frame(a=torch.zeros(1, 2))], [0, 1])


def test_backend_arrays(dgl: ModuleType) -> None:
    backend = dgl.backend
    assert backend.full_1d(3, 7, torch.int64, "cpu").tolist() == [7, 7, 7]
    x = torch.arange(3)
    assert torch.equal(backend.zerocopy_from_dlpack(backend.zerocopy_to_dlpack(x)), x)
    assert backend.to_dgl_nd(x) is x
    with pytest.raises(gs.InvalidTypeError, match="takes a tensor, got list"):
        backend.to_dgl_nd([1])


def test_storages(dgl: ModuleType) -> None:
    storage = dgl.storages.wrap_storage(torch.arange(6).view(3, 2))
    assert storage.fetch(torch.tensor([2, 0]), "cpu").tolist() == [[4, 5], [0, 1]]
    assert dgl.storages.wrap_storage(storage) is storage
    with pytest.raises(gs.InvalidTypeError, match="takes a tensor or a FeatureStorage, got list"):
        dgl.storages.wrap_storage([1])


def test_folders_and_deprecations(dgl: ModuleType, tmp_path: Path) -> None:
    utils = dgl.data.utils
    utils.makedirs(str(tmp_path / "a" / "b"))
    utils.makedirs(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()
    for warn in (utils.deprecate_property, utils.deprecate_class, utils.deprecate_function):
        with pytest.warns(UserWarning, match="old is deprecated, use new"):
            warn("old", "new")
    with pytest.warns(dgl.base.DGLWarning, match="careful"):
        dgl.base.dgl_warning("careful")
    with pytest.raises(gs.InvalidValueError, match="dataset is one of"):
        dgl.data.knowledge_graph.load_data("FB1")


def test_views(dgl: ModuleType) -> None:
    from dgl.view import HeteroEdgeDataView, HeteroNodeDataView

    g = dgl.heterograph({("a", "x", "b"): ([0], [0]), ("b", "y", "a"): ([0], [0])})
    assert isinstance(g.ndata, HeteroNodeDataView)
    assert isinstance(g.nodes["a"].data, HeteroNodeDataView)
    assert isinstance(g.edges["x"].data, HeteroEdgeDataView)


def test_squared_distances(dgl: ModuleType) -> None:
    distance = dgl.transforms.functional.pairwise_squared_distance
    assert distance(torch.tensor([[0.0, 0.0], [3.0, 4.0]])).tolist() == [[0.0, 25.0], [25.0, 0.0]]
    assert distance(torch.rand(2, 3, 2)).shape == (2, 3, 3)


def test_lazy_features_and_collators(dgl: ModuleType) -> None:
    lazy = dgl.frame.LazyFeature("h", torch.tensor([4, 5, 6]))
    assert (lazy.name, lazy.id_.tolist()) == ("h", [4, 5, 6])

    class Pairs(dgl.dataloading.Collator):
        @property
        def dataset(self) -> list[int]:
            return [1, 2, 3]

        def collate(self, items: list[int]) -> int:
            return sum(items)

    pairs = Pairs()
    loader = torch.utils.data.DataLoader(pairs.dataset, 2, collate_fn=pairs.collate)
    assert list(loader) == [3, 3]
