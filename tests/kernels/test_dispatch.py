"""Which implementation runs, and what is said when the native one is missing."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
import threading

import pytest
import torch

from gossamer import DeviceMemoryError, InvalidValueError, kernels
from gossamer.kernels import _dispatch, reference
from gossamer.kernels._dispatch import Kernel
from helpers.compare import assert_tensor_equal
from helpers.kernel_cases import DTYPES, adjacency, operand, require_core

NAMES = reference.__all__


def _python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )


def test_both_implementations_offer_the_same_functions() -> None:
    require_core()
    from gossamer.kernels import cpu

    assert set(NAMES) <= set(kernels.__all__)
    assert set(cpu.__all__) == {*NAMES, "core"}


@pytest.mark.parametrize("name", NAMES)
def test_the_reference_gives_the_signature(name) -> None:
    kernel = getattr(kernels, name)
    assert inspect.signature(kernel) == inspect.signature(getattr(reference, name))
    assert kernel.__doc__ == getattr(reference, name).__doc__
    for function in set(kernel.functions.values()):
        assert inspect.signature(function) == inspect.signature(getattr(reference, name))


def test_the_table_lists_every_native_kernel() -> None:
    require_core()
    from gossamer.kernels import cpu

    table = kernels.info()["table"]
    assert sorted(table) == sorted(NAMES)
    for name in NAMES:
        functions = getattr(kernels, name).functions
        own = {function for (device, _), function in functions.items() if device == "cpu"}
        assert own == {getattr(cpu, name)}
        assert "cpu" in table[name]
    assert table["spmm"]["cpu"] == ["float32", "float64", "float16", "bfloat16"]
    assert table["topk"]["cpu"] == ["float32", "float64"]
    assert table["transpose"]["cpu"] == ["int32", "int64"]


def _implementation(u, e=None) -> str:
    """Where a call to spmm ends up."""
    require_core()
    from gossamer.kernels import cpu

    return {cpu.spmm: "native", reference.spmm: "reference"}[kernels.spmm.find(u, e)]


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [(dtype, "native") for dtype in DTYPES]
    + [(dtype, "reference") for dtype in (torch.int64, torch.bool, torch.complex64)],
    ids=str,
)
def test_dispatch_by_dtype(dtype, expected) -> None:
    with kernels.use("native"):
        assert _implementation(torch.ones(1, 1, dtype=dtype)) == expected


def test_operands_of_different_dtypes_go_to_the_reference() -> None:
    u, e = torch.ones(1, 1), torch.ones(1, 1, dtype=torch.float64)
    with kernels.use("native"):
        assert _implementation(u, e) == "reference"


def test_dispatch_by_device() -> None:
    with kernels.use("native"):
        assert _implementation(torch.ones(1, 1, device="meta")) == "reference"


def test_use_forces_the_reference_and_is_undone() -> None:
    before = kernels.info()["forced"]
    with pytest.raises(RuntimeError, match="inside"), kernels.use("reference"):
        assert kernels.info()["forced"] == "reference"
        assert _implementation(torch.ones(1, 1)) == "reference"
        raise RuntimeError("inside")
    assert kernels.info()["forced"] == before


def test_use_holds_for_its_thread_only() -> None:
    seen = []
    with kernels.use("reference"):
        thread = threading.Thread(target=lambda: seen.append(kernels.info()["forced"]))
        thread.start()
        thread.join()
        assert kernels.info()["forced"] == "reference"
    assert seen == [kernels.info()["forced"]]


def test_a_backend_may_lack_kernels_and_dtypes(monkeypatch) -> None:
    kernel = Kernel(reference.topk, ("values",))
    monkeypatch.setitem(_dispatch._KERNELS, "partial", kernel)

    @_dispatch.kernel("partial", device="cpu", dtypes=(torch.float64,))
    def fast(values, k):
        return "fast"

    with kernels.use("native"):
        assert kernel(torch.ones(2, dtype=torch.float64), 1) == "fast"
        assert_tensor_equal(kernel(torch.tensor([2.0, 1.0]), 1), torch.tensor([1]))
        other = torch.ones(2, dtype=torch.float64, device="meta")
        assert kernel.find(other) is reference.topk
    with kernels.use("reference"):
        assert kernel.find(torch.ones(2, dtype=torch.float64)) is reference.topk


def test_a_backend_is_loaded_by_the_first_tensor_of_its_device(monkeypatch) -> None:
    monkeypatch.setitem(_dispatch._BACKENDS, "meta", ("no_such_backend", "no_such"))
    monkeypatch.delitem(_dispatch._LOADED, "meta", raising=False)
    kernel = Kernel(reference.topk, ("values",))
    with kernels.use("native"):
        assert kernel.find(torch.ones(2, device="meta")) is reference.topk
    assert "no_such_backend" in _dispatch._LOADED.pop("meta")
    monkeypatch.setitem(_dispatch._BACKENDS, "meta", ("no_such_backend", "another_package"))
    kernel = Kernel(reference.topk, ("values",))
    with pytest.raises(ImportError, match="no_such_backend"), kernels.use("native"):
        kernel.find(torch.ones(2, device="meta"))


def test_use_rejects_other_names() -> None:
    with (
        pytest.raises(
            InvalidValueError, match=r"name is one of \['reference', 'native'\], got 'turbo'"
        ),
        kernels.use("turbo"),
    ):
        pass


def test_integers_work_through_the_reference() -> None:
    adj = adjacency("random", torch.int64)
    x = torch.arange(adj.num_cols)
    out, _ = kernels.spmm(adj.indptr, adj.indices, adj.eids, x, None, "copy_lhs", "sum")
    expected = torch.zeros(adj.num_rows, dtype=torch.int64).index_add(0, adj.rows, x[adj.indices])
    assert_tensor_equal(out, expected)


@pytest.mark.parametrize("name", ["reference", "native"])
def test_every_function_is_passed_on(name) -> None:
    require_core()
    adj = adjacency("random", torch.int64)
    u = operand(adj.num_cols, (4,), torch.float32)
    e = operand(adj.num_edges, (4,), torch.float32)
    with kernels.use(name):
        out, arg = kernels.spmm(adj.indptr, adj.indices, adj.eids, u, e, "mul", "max")
        sizes = (adj.num_cols, adj.num_edges)
        grads = kernels.spmm_arg_backward(
            adj.indices, adj.eids, arg, out, u, e, "mul", *sizes, True, True
        )
        dots = kernels.sddmm(adj.indices, adj.rows, adj.eids, u, e, "dot", "u", "e")
        soft = kernels.edge_softmax(adj.indptr, adj.eids, e)
        soft_grad = kernels.edge_softmax_backward(adj.indptr, adj.eids, soft, e)
        csr = kernels.coo_to_csr(adj.indices, adj.rows, adj.num_cols)
        turned = kernels.transpose(adj.indptr, adj.indices, adj.eids, adj.num_cols)
        weights = operand(1, (4, 5), torch.float32)
        grouped = kernels.segment_mm(e, weights, torch.tensor([len(e)]))
    assert out.shape == (adj.num_rows, 4)
    assert [g.shape for g in grads] == [u.shape, e.shape]
    assert dots.shape == (adj.num_edges, 1)
    torch.testing.assert_close(soft.sum(0), torch.full((4,), float(adj.num_rows)))
    assert soft_grad.shape == e.shape
    assert_tensor_equal(csr[0], turned[0])
    assert_tensor_equal(csr[1], adj.rows[csr[2]])
    torch.testing.assert_close(grouped, e @ weights[0])


# An extension module that was not built looks like this to the import system.
_WITHOUT_CORE = """
import sys, warnings
sys.modules["gossamer._core"] = None
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    from gossamer import kernels
    import torch
    out, _ = kernels.spmm(
        torch.tensor([0, 2]), torch.tensor([0, 1]), None, torch.ones(2, 3), None, "copy_lhs", "sum"
    )
assert out.tolist() == [[2.0, 2.0, 2.0]]
print(kernels.info()["native"], [str(w.message) for w in caught])
try:
    with kernels.use("native"):
        pass
except ValueError as error:
    print(error)
"""


def test_without_the_extension_one_warning_says_so_and_the_reference_runs() -> None:
    run = _python(_WITHOUT_CORE, GOSSAMER_KERNELS="")
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith("False ['gossamer was installed without its native kernels")
    assert "Install a C++ compiler" in run.stdout
    assert run.stdout.count("without its native kernels") == 1
    assert "The native kernels are not installed" in run.stdout


def test_who_asks_for_the_reference_gets_no_warning() -> None:
    run = _python(_WITHOUT_CORE, GOSSAMER_KERNELS="reference")
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith("False []")


@pytest.mark.parametrize("variable", ["GOSSAMER_KERNELS", "GOSSAMER_ISA"])
def test_unknown_values_in_the_environment_are_refused(variable) -> None:
    run = _python("import gossamer.kernels", **{variable: "refrence"})
    assert f"InvalidValueError: The environment variable {variable} is 'refrence'" in run.stderr
    without = "import sys; sys.modules['gossamer._core'] = None; import gossamer.kernels"
    run = _python(without, **{"GOSSAMER_KERNELS": "reference", variable: "refrence"})
    assert f"InvalidValueError: The environment variable {variable} is 'refrence'" in run.stderr


def test_native_kernels_in_the_environment_must_be_there() -> None:
    without = "import sys; sys.modules['gossamer._core'] = None; import gossamer.kernels"
    run = _python(without, GOSSAMER_KERNELS="native")
    assert "InvalidValueError: The native kernels are not installed" in run.stderr


def test_the_environment_can_force_the_reference() -> None:
    code = "from gossamer import kernels; print(kernels.info()['forced'])"
    assert _python(code, GOSSAMER_KERNELS="reference").stdout.split() == ["reference"]


def test_memory_that_a_device_lacks_is_named() -> None:
    def spmm(x: torch.Tensor) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0 has")

    function = Kernel(spmm, ["x"])._resolve("reference", "cuda", torch.float32)
    message = r"^spmm: the GPU has too little free memory for 20\.00 GiB\. Use smaller batches"
    with pytest.raises(DeviceMemoryError, match=message):
        function(torch.empty(1))
    with pytest.raises(torch.OutOfMemoryError):
        function(torch.empty(1))


def test_a_kernel_is_not_traced() -> None:
    def reference(x: torch.Tensor) -> bool:
        return torch.compiler.is_dynamo_compiling()

    traced = torch.compile(reference, backend="eager")
    compiled = torch.compile(Kernel(reference, ["x"]), backend="eager")
    assert traced(torch.ones(1)) and not compiled(torch.ones(1))
