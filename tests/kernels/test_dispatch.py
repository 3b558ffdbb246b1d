"""Which implementation runs, and what is said when the native one is missing."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import torch

from gossamer import InvalidValueError, kernels
from gossamer.kernels import reference
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


def _implementation(monkeypatch, u, e=None) -> str:
    """Tell where a call to spmm ends up."""
    called = []
    for name, module in _modules().items():
        monkeypatch.setattr(module, "spmm", lambda *_, name=name: called.append(name))
    adj = adjacency("one_edge", torch.int64)
    kernels.spmm(adj.indptr, adj.indices, adj.eids, u, e, "mul", "sum")
    return called[0]


def _modules():
    require_core()
    from gossamer.kernels import cpu

    return {"native": cpu, "reference": reference}


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [(dtype, "native") for dtype in DTYPES]
    + [(dtype, "reference") for dtype in (torch.int64, torch.bool, torch.complex64)],
    ids=str,
)
def test_dispatch_by_dtype(monkeypatch, dtype, expected) -> None:
    with kernels.use("native"):
        assert _implementation(monkeypatch, torch.ones(1, 1, dtype=dtype)) == expected


def test_operands_of_different_dtypes_go_to_the_reference(monkeypatch) -> None:
    u, e = torch.ones(1, 1), torch.ones(1, 1, dtype=torch.float64)
    with kernels.use("native"):
        assert _implementation(monkeypatch, u, e) == "reference"


def test_dispatch_by_device(monkeypatch) -> None:
    with kernels.use("native"):
        assert _implementation(monkeypatch, torch.ones(1, 1, device="meta")) == "reference"


def test_use_forces_the_reference_and_is_undone(monkeypatch) -> None:
    before = kernels.info()["forced"]
    with pytest.raises(RuntimeError, match="inside"), kernels.use("reference"):
        assert kernels.info()["forced"] == "reference"
        assert _implementation(monkeypatch, torch.ones(1, 1)) == "reference"
        raise RuntimeError("inside")
    assert kernels.info()["forced"] == before


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
        gathered = kernels.gather_mm(e, weights, torch.zeros(len(e), dtype=torch.int64))
    assert out.shape == (adj.num_rows, 4)
    assert [g.shape for g in grads] == [u.shape, e.shape]
    assert dots.shape == (adj.num_edges, 1)
    torch.testing.assert_close(soft.sum(0), torch.full((4,), float(adj.num_rows)))
    assert soft_grad.shape == e.shape
    assert_tensor_equal(csr[0], turned[0])
    assert_tensor_equal(csr[1], adj.rows[csr[2]])
    torch.testing.assert_close(grouped, e @ weights[0])
    torch.testing.assert_close(gathered, grouped)


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
except kernels.InvalidValueError as error:
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


def test_the_environment_can_force_the_reference() -> None:
    code = "from gossamer import kernels; print(kernels.info()['forced'])"
    assert _python(code, GOSSAMER_KERNELS="reference").stdout.split() == ["reference"]
