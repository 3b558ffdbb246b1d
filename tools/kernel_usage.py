"""Print the registers, shared memory and spills of the Triton kernels. Needs no GPU.

The launches of the kernels are recorded, with every configuration that tuning may choose, and
compiled with Triton's own compilers::

    python tools/kernel_usage.py                       # default configurations, sm_90
    python tools/kernel_usage.py --all --target sm_80 --target gfx942 --kernels attention,spmm

With ``--spills`` only configurations that spill are printed. The exit status is 1 if a default
configuration spills.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import torch
import triton
from torch import Tensor
from triton.backends.compiler import GPUTarget

from gossamer.kernels import triton as kernels
from gossamer.kernels.reference.candidates import Candidates, Relation

TARGETS = {
    "sm_80": GPUTarget("cuda", 80, 32),
    "sm_90": GPUTarget("cuda", 90, 32),
    "sm_100": GPUTarget("cuda", 100, 32),
    "gfx942": GPUTarget("hip", "gfx942", 64),
}
DTYPES = (torch.float32, torch.float64, torch.float16, torch.bfloat16)
_TYPES = {
    torch.float32: "*fp32",
    torch.float64: "*fp64",
    torch.float16: "*fp16",
    torch.bfloat16: "*bf16",
    torch.int32: "*i32",
    torch.int64: "*i64",
    torch.uint8: "*u8",
}
_OPTIONS = ("num_warps", "num_stages", "maxnreg", "enable_fp_fusion")
_EDGES = 3000  # of one row, so that the kernels of long rows are launched too


class Launch(NamedTuple):
    """A kernel with its arguments by name, the options of the compiler, and its configuration."""

    kernel: Any
    arguments: dict[str, Any]
    options: dict[str, Any]
    config: dict[str, int]
    default: bool


class Usage(NamedTuple):
    """Registers of a compiled kernel, and bytes of shared memory and spilled registers."""

    registers: int
    shared: int
    spilled: int


def launches(function: Callable[..., Any], *args: Any) -> list[Launch]:
    """Call a kernel's wrapper; return its launches, in every configuration."""
    found: list[Launch] = []

    def record(kernel: Any, like: Any, programs: Any, configs: Any, *values: Any, **constants: Any):
        for number, config in enumerate(configs):
            assert programs(config) > 0, kernel.__name__
            named = {"enable_fp_fusion": True} | constants | config
            options = {name: named.pop(name) for name in _OPTIONS if name in named}
            names = [name for name in kernel.arg_names if name not in named]
            arguments = dict(zip(names, (0, *values), strict=True)) | named
            found.append(Launch(kernel, arguments, options, config, number == 0))

    module = sys.modules[function.__module__]
    rows = sys.modules["gossamer.kernels.triton.rows"]
    with mock.patch.object(module, "launch", record), mock.patch.object(rows, "launch", record):
        function(*args)
    return found


def compiled(launch: Launch, target: str, folder: Path) -> Usage:
    """Compile a kernel for a target, as a launch with these arguments would."""
    plain = {p.name for p in launch.kernel.params if p.do_not_specialize}
    constants, signature, attributes = {}, {}, {}
    for number, name in enumerate(launch.kernel.arg_names):
        value = launch.arguments[name]
        if isinstance(value, Tensor):
            signature[name], aligned = _TYPES[value.dtype], value.data_ptr() % 16 == 0
        elif (
            _is_constant(launch.kernel, name) or value is None or (value == 1 and name not in plain)
        ):
            signature[name], constants[name] = "constexpr", value
            continue
        else:
            signature[name] = "i32" if -(2**31) <= value < 2**31 else "i64"
            aligned = value % 16 == 0 and name not in plain
        if aligned:
            attributes[(number,)] = [["tt.divisibility", 16]]
    source = triton.compiler.ASTSource(launch.kernel, signature, constants, attributes)
    binary = triton.compile(source, target=TARGETS[target], options=launch.options)
    if TARGETS[target].backend == "hip":
        return _hip_usage(binary)
    return _cuda_usage(binary, TARGETS[target].arch, folder)


def _is_constant(kernel: Any, name: str) -> bool:
    return kernel.params[kernel.arg_names.index(name)].is_constexpr


def _cuda_usage(binary: Any, capability: int, folder: Path) -> Usage:
    from triton.backends.nvidia.compiler import get_ptxas

    ptx = folder / "kernel.ptx"
    ptx.write_text(binary.asm["ptx"], encoding="utf-8")
    target = re.search(r"^\.target (\w+)", binary.asm["ptx"], re.MULTILINE)[1]
    command = [get_ptxas(capability).path, "-v", f"--gpu-name={target}", str(ptx)]
    run = subprocess.run([*command, "-o", "/dev/null"], capture_output=True, text=True, check=True)
    registers = int(re.search(r"Used (\d+) registers", run.stderr)[1])
    spilled = sum(map(int, re.findall(r"(\d+) bytes spill", run.stderr)))
    return Usage(registers, binary.metadata.shared, spilled)


def _hip_usage(binary: Any) -> Usage:
    def number(name: str) -> int:
        return int(re.search(rf"^\s*\.{name}:\s+(\d+)", binary.asm["amdgcn"], re.MULTILINE)[1])

    spilled = 4 * (number("vgpr_spill_count") + number("sgpr_spill_count"))
    return Usage(number("vgpr_count"), binary.metadata.shared, spilled)


# ------------------------------------------------------------------------------------ what to call


def _rows(idtype: torch.dtype) -> tuple[Tensor, Tensor, Tensor]:
    indptr = torch.tensor([0, _EDGES], dtype=idtype)
    return indptr, torch.zeros(_EDGES, dtype=idtype), torch.arange(_EDGES, dtype=idtype)


def _features(dtype: torch.dtype, *shape: int) -> Tensor:
    return torch.ones(shape, dtype=dtype)


def spmm(dtype: torch.dtype, idtype: torch.dtype, width: int, op: str, reduce: str) -> tuple:
    """Arguments of ``spmm``."""
    u, e = _features(dtype, 1, width), _features(dtype, _EDGES, width)
    operands = None if op == "copy_rhs" else u, None if op == "copy_lhs" else e
    return (*_rows(idtype), *operands, op, reduce)


def scaled_sum(dtype: torch.dtype, idtype: torch.dtype, width: int) -> tuple:
    """Arguments of ``scaled_sum``."""
    one = _features(dtype, 1)
    return (*_rows(idtype)[:2], _features(dtype, 1, width), one, one, one)


def winners(dtype: torch.dtype, idtype: torch.dtype, width: int, op: str) -> tuple:
    """Arguments of ``spmm_arg_backward``."""
    _, indices, eids = _rows(idtype)
    grad = _features(dtype, 1, width)
    arg = torch.zeros(grad.shape, dtype=idtype)
    operands = (grad, _features(dtype, _EDGES, width)) if op in ("mul", "div") else (None, None)
    return indices, eids, arg, grad, *operands, op, 1, _EDGES, True, True


def sddmm(dtype: torch.dtype, idtype: torch.dtype, width: int, op: str) -> tuple:
    """Arguments of ``sddmm``."""
    _, indices, eids = _rows(idtype)
    u, e = _features(dtype, 1, width), _features(dtype, _EDGES, width)
    operands = None if op == "copy_rhs" else u, None if op == "copy_lhs" else e
    return indices, indices, eids, *operands, op, "u", "e"


def softmax(dtype: torch.dtype, idtype: torch.dtype, width: int, backward: bool) -> tuple:
    """Arguments of ``edge_softmax`` and of its gradient."""
    indptr, _, eids = _rows(idtype)
    x = _features(dtype, _EDGES, width)
    return (indptr, eids, x, x) if backward else (indptr, eids, x)


def attention(
    dtype: torch.dtype, idtype: torch.dtype, width: int, score: str, backward: bool, edges: bool
) -> tuple:
    """Arguments of ``attention`` and of its gradient: 4 heads, bias, dropout, operands of edges."""
    own = (4,) if score == "add" else (4, width)
    value = _features(dtype, 1, 4, width)
    key, query = _features(dtype, 1, *own), _features(dtype, 1, *own)
    weight = _features(dtype, 4, width) if score == "add_dot" else None
    bias, out_bias = _features(dtype, _EDGES, 4), _features(dtype, 4, width)
    options = value, key, query, weight, bias, out_bias, 7, score, 0.2, 0.5
    rows, by_edge = _rows(idtype), (None, None)
    if edges:
        x = _features(dtype, _EDGES, 4, width)
        by_edge = (None if score == "add" else x, x)
    if not backward:
        return *rows, *options, *by_edge
    norms = _features(torch.promote_types(dtype, torch.float32), 1, 2, 4)
    return rows, rows, *options, value, norms, value, *by_edge


def segments(dtype: torch.dtype, width: int, outer: bool) -> tuple:
    """Arguments of ``segment_mm`` and of ``segment_outer``."""
    a, lengths = _features(dtype, 200, width), torch.tensor([100, 100])
    return (a, a, lengths) if outer else (a, _features(dtype, 2, width, width), lengths)


def relation(idtype: torch.dtype, fanout: int, weights: Tensor | None = None) -> Relation:
    """A row to draw for."""
    rows, ids = torch.zeros(2, dtype=torch.int64), _rows(idtype)
    candidates = None
    if weights is not None:
        sums = torch.ones(_EDGES, dtype=torch.float64)
        candidates = Candidates(ids[0], ids[2], sums, weights, False)
    return Relation(*ids, rows, fanout, 7, candidates)


def ids_only(idtype: torch.dtype) -> Iterator[tuple[str, tuple]]:
    """Calls of the kernels without features."""
    indptr, indices, eids = _rows(idtype)
    rows = torch.zeros(2, dtype=torch.int64)
    weights, like = torch.ones(_EDGES), rows[:0]
    yield "gather_rows", (indptr, indices, eids, rows, indptr)
    yield "candidates_of", (indptr, indices, eids, rows, weights)
    yield "sample_labors", (like, [relation(idtype, 10)])
    for fanout in (-1, 10, 64):
        yield "sample_neighbors", (like, [relation(idtype, fanout)], False)
    for replace in (True, False):
        yield "sample_neighbors", (like, [relation(idtype, 10, weights)], replace)
    for weighted in (None, weights):
        moves = relation(idtype, 0, weighted)
        yield "random_walk", ([moves], [0], [0.5], rows, 7)
        yield "node2vec", (moves, indices, 0.5, 2.0, rows, 2, 7)


def feature_calls(dtype: torch.dtype, idtype: torch.dtype, width: int) -> Iterator[tuple]:
    """Calls of the kernels with features: name, description, arguments."""
    same = dtype, idtype, width
    for op in ("copy_lhs", "copy_rhs", "add", "mul", "div"):
        for reduce in ("sum", "max"):
            yield "spmm", f"{op} {reduce}", spmm(*same, op, reduce)
        yield "spmm_arg_backward", op, winners(*same, op)
    yield "spmm", "copy_lhs mean", spmm(*same, "copy_lhs", "mean")
    yield "scaled_sum", "", scaled_sum(*same)
    for op in ("copy_rhs", "sub", "mul", "div", "dot"):
        yield "sddmm", op, sddmm(*same, op)
    for backward in (False, True):
        tail = "_backward" if backward else ""
        yield f"edge_softmax{tail}", "", softmax(*same, backward)
        for score in ("add", "dot", "add_dot"):
            for edges in (False, True):
                what = f"{score} edges" if edges else score
                yield f"attention{tail}", what, attention(*same, score, backward, edges)
    yield "segment_mm", "", segments(dtype, width, False)
    yield "segment_outer", "", segments(dtype, width, True)


def calls(
    dtypes: Sequence[torch.dtype] = DTYPES,
    widths: Sequence[int] = (128,),
    idtypes: Sequence[torch.dtype] = (torch.int32, torch.int64),
) -> Iterator[tuple[str, str, tuple]]:
    """Yield every call: name of the kernel, description, arguments."""
    for idtype in idtypes:
        ids = str(idtype).removeprefix("torch.")
        for dtype in dtypes:
            for width in widths:
                for name, what, args in feature_calls(dtype, idtype, width):
                    kind = str(dtype).removeprefix("torch.")
                    yield name, " ".join(filter(None, [what, kind, ids, str(width)])), args
        for name, args in ids_only(idtype):
            yield name, ids, args


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--target", action="append", choices=TARGETS, help="(default: sm_90)")
    parser.add_argument("--kernels", default="", help="prefixes of names, separated by commas")
    parser.add_argument("--widths", default="32,128", help="numbers of features (32,128)")
    parser.add_argument("--all", action="store_true", help="every configuration that tuning tries")
    parser.add_argument("--spills", action="store_true", help="only configurations that spill")
    options = parser.parse_args(argv)
    widths = [int(width) for width in options.widths.split(",")]
    failed = False
    seen: set[tuple] = set()
    with tempfile.TemporaryDirectory() as folder:
        for name, what, args in calls(widths=widths):
            if not name.startswith(tuple(options.kernels.split(","))):
                continue
            for launch in launches(getattr(kernels, name), *args):
                if not (launch.default or options.all):
                    continue
                for target in options.target or ["sm_90"]:
                    line = f"{target:7} {launch.kernel.__name__:28} {what:28} {_short(launch)}"
                    kinds = tuple(map(_kind, launch.arguments.items()))
                    if (target, launch.kernel.__name__, kinds) in seen:
                        continue
                    seen.add((target, launch.kernel.__name__, kinds))
                    usage = compiled(launch, target, Path(folder))
                    failed |= launch.default and usage.spilled > 0
                    if usage.spilled or not options.spills:
                        numbers = f"{usage.registers:4} {usage.shared:6} {usage.spilled:4}"
                        print(f"{line:110} {numbers}", flush=True)
    print("registers, bytes of shared memory, bytes spilled; * default")
    return int(failed)


def _kind(argument: tuple[str, Any]) -> tuple:
    """The part of an argument that the compiler depends on."""
    name, value = argument
    return (name, value.dtype) if isinstance(value, Tensor) else (name, str(value))


def _short(launch: Launch) -> str:
    sizes = (f"{k.removeprefix('BLOCK_')}={v}" for k, v in launch.config.items())
    return " ".join(sizes) + (" *" if launch.default else "")


if __name__ == "__main__":
    sys.exit(main())
