"""Processes, queues and shared tensors, alone and in a group."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist

import gossamer as gs
from gossamer import multiprocessing as gmp
from helpers.compare import assert_tensor_equal

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes are forked here")

FORK = torch.multiprocessing.get_context("fork")


class ForkProcess(gmp.Process, FORK.Process):
    """A process that is forked whatever the default is."""


def finish(processes: list) -> list[int]:
    """Exit codes, within two minutes."""
    for process in processes:
        process.start()
    limit = time.monotonic() + 120
    for process in processes:
        process.join(max(0.0, limit - time.monotonic()))
    codes = [process.exitcode for process in processes]
    for process in processes:
        process.kill()
    return codes


# --- one process ---------------------------------------------------------------------------------


def parallel_sum() -> float:
    """Large enough for torch to use its threads."""
    return float(torch.ones(2_000, 500).exp().log().sum())


def test_a_forked_process_uses_torch_s_threads() -> None:
    """Where the parent has used them: a plain fork may wait for threads that it does not have."""
    torch.set_num_threads(2)
    wanted = parallel_sum()
    queue = FORK.SimpleQueue()
    process = ForkProcess(target=lambda: queue.put((torch.get_num_threads(), parallel_sum())))
    assert finish([process]) == [0]
    assert queue.get() == (2, wanted)


@pytest.mark.parametrize(("code", "wanted"), [(0, 0), (3, 3), (None, 0)])
def test_exit_codes_pass_through(code: int | None, wanted: int) -> None:
    assert finish([ForkProcess(target=sys.exit, args=(code,))]) == [wanted]


def test_errors_pass_through(capfd: pytest.CaptureFixture) -> None:
    assert finish([ForkProcess(target=lambda: {}["missing"])]) == [1]
    assert "KeyError: 'missing'" in capfd.readouterr().err


def test_arguments_names_and_daemons() -> None:
    queue = FORK.SimpleQueue()
    process = ForkProcess(
        target=lambda *args, **kwargs: queue.put((args, kwargs)),
        name="worker",
        args=(1, 2),
        kwargs={"c": 3},
        daemon=True,
    )
    assert (process.name, process.daemon) == ("worker", True)
    assert finish([process]) == [0]
    assert queue.get() == ((1, 2), {"c": 3})


def test_queues_carry_tensors_between_processes() -> None:
    queue, done = gmp.Queue(), FORK.SimpleQueue()

    def send() -> None:
        queue.put(torch.arange(3))
        done.get()  # the memory is the sender's until it has arrived

    process = ForkProcess(target=send)
    process.start()
    found = queue.get(timeout=120)
    done.put(None)
    process.join(120)
    assert_tensor_equal(found, torch.arange(3))


def test_what_else_torch_multiprocessing_has_is_there() -> None:
    assert gmp.get_context is torch.multiprocessing.get_context
    assert "Pool" in dir(gmp) and gmp.pytorch.Process is gmp.Process
    with pytest.raises(AttributeError, match="nonsense"):
        gmp.nonsense  # noqa: B018


def test_started_processes_see_a_shared_tensor() -> None:
    shared = gmp.shared_tensor((2, 3), torch.int64)
    assert_tensor_equal(shared, torch.zeros(2, 3, dtype=torch.int64))
    assert finish([ForkProcess(target=shared.fill_, args=(7,))]) == [0]
    assert_tensor_equal(shared, torch.full((2, 3), 7))


def test_alone_the_function_is_called_here() -> None:
    found = gmp.call_once_and_share(lambda: torch.arange(6.0).view(2, 3), [2, 3], torch.float32)
    assert_tensor_equal(found, torch.arange(6.0).view(2, 3))
    assert found.is_shared()


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        ("gmp.shared_tensor(3)", gs.InvalidTypeError, "A shape is a sequence of int, got 3"),
        ("gmp.shared_tensor((1.5,))", gs.InvalidTypeError, "A shape is a sequence of int"),
        ("gmp.shared_tensor((-1,))", gs.InvalidValueError, "cannot be negative"),
        ("gmp.shared_tensor((1,), 'f4')", gs.InvalidTypeError, "needs a torch.dtype, got 'f4'"),
        (
            "gmp.call_once_and_share(lambda: 3, (1,), torch.int64)",
            gs.InvalidTypeError,
            "must return a tensor, got int",
        ),
        (
            "gmp.call_once_and_share(lambda: torch.ones(2), (1,), torch.float32)",
            gs.InvalidValueError,
            r"must return shape \(1,\) and torch.float32, got \(2,\)",
        ),
        (
            "gmp.call_once_and_share(lambda: torch.ones(1), (1,), torch.int64)",
            gs.InvalidValueError,
            "and torch.int64, got",
        ),
        (
            "gmp.call_once_and_share(lambda: torch.ones(1), (1,), torch.float32, rank=1)",
            gs.InvalidValueError,
            "less than the number of processes, 1; got 1",
        ),
        (
            "gmp.call_once_and_share(lambda: torch.ones(1), (1,), torch.float32, rank='0')",
            gs.InvalidTypeError,
            "rank is an int, got '0'",
        ),
    ],
)
def test_bad_arguments(call: str, error: type, match: str) -> None:
    with pytest.raises(error, match=match):
        eval(call)


# --- a group -------------------------------------------------------------------------------------


def in_group(work: Callable[[int], Any], folder: Path) -> list:
    """What `work` gives in each of two processes that form a group."""
    queues = [FORK.SimpleQueue() for _ in range(2)]

    def run(rank: int) -> None:
        dist.init_process_group(
            "gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2
        )
        queues[rank].put(work(rank))
        dist.barrier()
        dist.destroy_process_group()

    assert finish([ForkProcess(target=run, args=(rank,)) for rank in range(2)]) == [0, 0]
    return [queue.get() for queue in queues]


def share(rank: int) -> list:
    """Write into shared tensors from either side; errors reach both."""
    zeros = gmp.shared_tensor((2,), torch.int64)
    zeros[rank] = rank + 5
    calls = []
    made = gmp.call_once_and_share(
        lambda: calls.append(rank) or torch.tensor([1.5, 2.5]), (2,), torch.float32, rank=1
    )
    empty = gmp.shared_tensor((0, 3))
    try:
        gmp.call_once_and_share(lambda: torch.ones(3), (2,), torch.float32)
        failure = "none"
    except gs.InvalidValueError as error:
        failure = str(error)
    dist.barrier()
    return [zeros.tolist(), made.tolist(), calls, list(empty.shape), failure]


def test_a_group_shares_tensors(tmp_path: Path) -> None:
    first, second = in_group(share, tmp_path)
    assert first[:4] == [[5, 6], [1.5, 2.5], [], [0, 3]]
    assert second[:4] == [[5, 6], [1.5, 2.5], [1], [0, 3]]
    assert "must return shape (2,)" in first[4]
    assert "the call failed in process 0" in second[4]


LOOKUPS = [([0, 2], [1.0, 2.0]), ([2, 3, 2], [6.0, 4.0, 1.0])]


def train(rank: int | None) -> list:
    """Two steps of each optimizer; a rank of None does the work of both processes."""
    result = []
    for kind in ("SparseAdam", "SparseAdagrad"):
        # Each process would start from something else, were it alone.
        embedding = gs.nn.NodeEmbedding(
            5, 2, kind, init_func=lambda table: torch.full_like(table, 1.0 + (rank or 0))
        )
        optimizer = getattr(gs.optim, kind)([embedding], lr=0.1)
        for step in range(3):
            optimizer.zero_grad()
            for worker, (ids, scale) in enumerate(LOOKUPS):
                # In the last step, process 1 looks nothing up.
                if rank in (None, worker) and not (step == 2 and worker == 1):
                    rows = embedding(torch.tensor(ids))
                    (rows * torch.tensor(scale).unsqueeze(1)).sum().backward()
            optimizer.step()
        result += [embedding.weight.tolist(), [s.tolist() for s in embedding.optm_state]]
        result += [embedding.rank, embedding.world_size]
    return result


def test_a_group_trains_as_one_process_would(tmp_path: Path) -> None:
    first, second = in_group(train, tmp_path)
    alone = train(None)
    for found, rank in ((first, 0), (second, 1)):
        assert found[2:4] == found[6:8] == [rank, 2]
        for i in (0, 1, 4, 5):
            assert_tensor_close(found[i], alone[i])


def assert_tensor_close(found: list, wanted: list) -> None:
    if found and isinstance(found[0], list) and isinstance(found[0][0], list):
        for part, expected in zip(found, wanted, strict=True):
            assert_tensor_close(part, expected)
        return
    torch.testing.assert_close(
        [torch.tensor(part) for part in found], [torch.tensor(part) for part in wanted]
    )
