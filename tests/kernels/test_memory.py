"""Memory of large results: allocated, kept, recycled, given back."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from gossamer import kernels
from helpers.kernel_cases import require_native

require_native()
from gossamer.kernels.cpu import _common, core  # noqa: E402  (needs the extension)

LARGE = (3, 1 << 20)  # of float32: 12 MiB


@pytest.fixture(autouse=True)
def _nothing_idle() -> Iterator[None]:
    kernels.release_memory()
    yield
    kernels.release_memory()


@pytest.mark.parametrize(
    "dtype",
    [torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int32, torch.int64],
    ids=str,
)
def test_a_large_tensor_is_like_any_other(dtype) -> None:
    shape = (5, 1 << 20, 3)
    x = _common.empty(shape, dtype)
    assert x.shape == shape
    assert x.dtype is dtype
    assert x.is_contiguous()
    assert not x._is_view()
    assert not x.requires_grad
    x.fill_(3)
    x[2, 7, 1] = 5
    assert x.sum(dtype=torch.float64) == 3 * x.numel() + 2


def test_scratch_memory_is_recycled_from_half_a_mebibyte_on() -> None:
    x = kernels.scratch((4000, 64), torch.float32, torch.device("cpu"))
    assert x.shape == (4000, 64)
    address = x.data_ptr()
    del x
    assert kernels.info()["idle_bytes"] == 2 << 20
    x = kernels.scratch((4000, 60), torch.float32, torch.device("cpu"))
    assert x.data_ptr() == address
    assert kernels.info()["idle_bytes"] == 0
    small = kernels.scratch((2000, 64), torch.float32, torch.device("cpu"))
    del small, x
    assert kernels.info()["idle_bytes"] == 2 << 20


def test_memory_is_recycled() -> None:
    x = _common.empty(LARGE, torch.float32)
    address = x.data_ptr()
    assert kernels.info()["idle_bytes"] == 0
    del x
    assert kernels.info()["idle_bytes"] == 12 << 20
    smaller = _common.empty((5 << 20,), torch.float16)
    assert smaller.data_ptr() == address
    assert kernels.info()["idle_bytes"] == 2 << 20


@pytest.mark.parametrize("order", [(0, 1, 2), (0, 2, 1), (1, 0, 2), (2, 1, 0)], ids=str)
def test_a_large_block_is_shared_out_and_comes_together_again(order) -> None:
    x = _common.empty((9 << 20,), torch.float32)
    address = x.data_ptr()
    del x
    parts = [_common.empty(LARGE, torch.float32).fill_(i) for i in range(3)]
    assert sorted(part.data_ptr() - address for part in parts) == [0, 12 << 20, 24 << 20]
    assert kernels.info()["idle_bytes"] == 0
    for done, i in enumerate(order):
        assert all(bool((part == j).all()) for j, part in enumerate(parts) if part is not None)
        parts[i] = None
        assert kernels.info()["idle_bytes"] == 12 * (done + 1) << 20
    assert _common.empty((9 << 20,), torch.float32).data_ptr() == address


def test_the_smallest_block_that_is_large_enough_is_taken() -> None:
    sizes = [64 << 20, 16 << 20, 32 << 20, 3 << 20]
    kept = [_common.empty((size,), torch.float16) for size in (*sizes, 5 << 20)]
    addresses = [x.data_ptr() for x in kept]
    # The others lie between them, so that no two idle ones come together.
    del kept[::2]
    assert _common.empty((20 << 20,), torch.float16).data_ptr() == addresses[2]


def test_memory_is_kept_while_a_view_of_it_lives() -> None:
    x = _common.empty(LARGE, torch.float32)
    part = x[1, :10]
    part.fill_(7)
    del x
    assert kernels.info()["idle_bytes"] == 0
    _common.empty(LARGE, torch.float32).zero_()
    assert part.tolist() == [7.0] * 10


def test_an_unused_capsule_gives_its_memory_back() -> None:
    capsule = core.allocate(LARGE, 2, 32)
    del capsule
    assert kernels.info()["idle_bytes"] == 12 << 20


def test_small_results_come_from_torch() -> None:
    x = _common.empty((100,), torch.float32)
    del x
    assert kernels.info()["idle_bytes"] == 0


def test_zeros_are_zeros_in_memory_that_was_used() -> None:
    _common.empty(LARGE, torch.float32).fill_(7)
    assert not _common.zeros(LARGE, torch.float32).any()


def test_where_the_system_gives_nothing_torch_allocates(monkeypatch) -> None:
    for shape in ((1 << 57,), (1 << 62,), (1 << 40, 1 << 40), (1 << 32, 1 << 30), (-1, 5)):
        assert core.allocate(shape, 2, 32) is None
    monkeypatch.setattr(core, "allocate", lambda *_: None)
    x = _common.empty(LARGE, torch.float32)
    assert x.shape == LARGE
    del x
    assert kernels.info()["idle_bytes"] == 0


_SCRIPT = """
import os
from gossamer import kernels
from gossamer.kernels.cpu import _common
import torch
x = _common.empty((16 << 20,), torch.float32)
del x
print(kernels.info()["idle_bytes"] >> 20, flush=True)
if os.fork() == 0:
    y = _common.empty((16 << 20,), torch.float32)
    y[::1000] = 1
    print(kernels.info()["idle_bytes"] >> 20, flush=True)
    os._exit(0)
print(os.wait()[1])
"""


@pytest.mark.parametrize(
    ("limit", "printed"), [(None, "64 0 0"), ("64", "64 0 0"), ("63", "0 0 0"), ("0", "0 0 0")]
)
def test_the_limit_and_a_child_process(limit, printed) -> None:
    result = _run(_SCRIPT, limit)
    assert result.stdout.split() == printed.split(), result.stderr


@pytest.mark.parametrize("limit", ["-1", "1.5", "much", ""])
def test_a_limit_that_is_no_number(limit) -> None:
    result = _run("import gossamer.kernels", limit)
    assert "InvalidValueError: GOSSAMER_IDLE_MIB is" in result.stderr


def _run(script: str, limit: str | None) -> subprocess.CompletedProcess:
    env = {**os.environ, "GOSSAMER_IDLE_MIB": limit or ""}
    if limit is None:
        del env["GOSSAMER_IDLE_MIB"]
    return subprocess.run(
        [sys.executable, "-c", script], env=env, capture_output=True, text=True, check=False
    )


def _groups(root: Path, lines: str, limits: dict[str, str]) -> int:
    """What a process in these control groups may use, in MiB, on a machine with 8 GiB."""
    for name, text in {"proc/self/cgroup": lines, **limits}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return core.usable_memory(8 << 30, str(root)) >> 20


@pytest.mark.parametrize(
    ("lines", "limits", "expected"),
    [
        ("", {}, 8192),
        ("0::/\n", {}, 8192),
        ("0::/\n", {"memory.max": f"{512 << 20}\n"}, 512),
        ("0::/a/b\n", {"a/b/memory.max": "max\n"}, 8192),
        ("0::/a/b\n", {"a/b/memory.max": "max\n", "a/memory.max": f"{1 << 30}\n"}, 1024),
        ("0::/a/b\n", {"a/b/memory.max": f"{64 << 20}\n", "a/memory.max": f"{1 << 30}\n"}, 64),
        ("0::/not/mounted\n", {"memory.max": f"{512 << 20}\n"}, 512),
        ("4:memory:/a\n", {"memory/a/memory.limit_in_bytes": f"{256 << 20}\n"}, 256),
        ("4:cpu,memory:/a\n0::/\n", {"memory/memory.limit_in_bytes": f"{256 << 20}\n"}, 256),
        ("4:memory:/a\n", {"memory/a/memory.limit_in_bytes": "9223372036854771712\n"}, 8192),
        ("4:cpu:/a\n", {"memory/a/memory.limit_in_bytes": f"{256 << 20}\n"}, 8192),
    ],
)
def test_the_limit_of_a_control_group(tmp_path, lines, limits, expected) -> None:
    files = {f"sys/fs/cgroup/{name}": text for name, text in limits.items()}
    assert _groups(tmp_path, lines, files) == expected


def test_the_default_limit() -> None:
    result = _run("from gossamer.kernels.cpu import core; print(core.idle_limit())", None)
    assert int(result.stdout) == min(core.usable_memory() // 8, 2 << 30), result.stderr


_WORKERS = """
import os
from gossamer import kernels
from gossamer.kernels.cpu import _common, core
import torch
# After parallel work in the parent, parallel work in a forked child waits for threads it lacks.
torch.set_num_threads(1)
kept = _common.empty((16 << 20,), torch.float32).fill_(1)
del kept
assert kernels.info()["idle_bytes"] == 64 << 20
children, results = [], []
for i in range(8):
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        inherited = kernels.info()["idle_bytes"]
        most = 0
        for size in (1 << 20, 2 << 20, 8 << 20, 4 << 20):
            parts = [_common.empty((size,), torch.float32).fill_(i) for _ in range(3)]
            assert all(bool((part == i).all()) for part in parts)
            del parts
            most = max(most, kernels.info()["idle_bytes"])
        os.write(write, f"{inherited} {most}".encode())
        os._exit(0)
    children.append(pid)
    results.append(read)
for pid in children:
    assert os.waitpid(pid, 0)[1] == 0
figures = [tuple(map(int, os.read(read, 100).split())) for read in results]
print(max(inherited for inherited, _ in figures), sum(most for _, most in figures) >> 20)
again = _common.empty((16 << 20,), torch.float32)
print(kernels.info()["idle_bytes"])
"""


def test_eight_forked_workers_keep_no_more_than_one_process() -> None:
    result = _run(_WORKERS, "128")
    inherited, together, idle_after = map(int, result.stdout.split())
    assert inherited == 0
    assert 0 < together <= 128
    assert idle_after == 0


_LIMITED = """
import resource
from gossamer import kernels
from gossamer.kernels.cpu import _common
import torch
torch.set_num_threads(1)  # stacks of threads would need address space too
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (200 << 20),) * 2)
for size in range(2, 40):
    x = _common.empty((size << 20,), torch.float32).fill_(1)
    del x
print(kernels.info()["idle_bytes"] >> 20)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc/self/statm")
def test_growing_results_fit_under_a_limit_of_the_address_space() -> None:
    # One block of each size would be 3 GiB: idle ones make room for the next.
    result = _run(_LIMITED, "1024")
    assert 0 < int(result.stdout) <= 200, result.stderr


def test_a_result_can_be_made_smaller_in_place_but_not_larger() -> None:
    x = _common.empty(LARGE, torch.float32).fill_(2)
    address = x.data_ptr()
    x.resize_(2, 1 << 20)
    assert x.data_ptr() == address
    assert bool((x == 2).all())
    copy = x.clone()
    with pytest.raises(RuntimeError, match="not resizable"):
        x.resize_(4, 1 << 20)
    del x  # torch has changed its shape nevertheless
    copy.resize_(4, 1 << 20)
    assert bool((copy[:2] == 2).all())
