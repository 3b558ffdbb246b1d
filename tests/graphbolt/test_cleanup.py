"""Loaders neither leak memory nor leave processes or shared memory behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from helpers.paths import REPOSITORY
from helpers.shared_memory import left_files, nothing_left

PROGRAM = """
import gc, os, pathlib, signal, sys
import torch
import gossamer as gs, gossamer.graphbolt as gb

# The tests may run in the background, where the shell ignores Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)
torch.set_num_threads(1)
torch.manual_seed(0)
g = gs.rand_graph(20_000, 200_000)
x = torch.ones(20_000, 16)

class Deadly(gb.MiniBatchTransformer):
    def __iter__(self):
        for number, batch in enumerate(self.datapipe):
            if number == 3:
                os.kill(os.getpid(), signal.SIGKILL)
            yield batch

def loader(kind, workers, deadly=False):
    if kind == "dataloading":
        g.ndata["x"] = x
        sampler = gs.dataloading.NeighborSampler([5, 5], prefetch_node_feats=["x"])
        return gs.dataloading.DataLoader(
            g, torch.arange(20_000), sampler, batch_size=64, shuffle=True, num_workers=workers
        )
    store = gb.BasicFeatureStore({("node", None, "x"): gb.TorchBasedFeature(x)})
    pipe = gb.ItemSampler(gb.ItemSet(20_000, "seeds"), 64, shuffle=True)
    pipe = pipe.sample_neighbor(gb.from_graph(g, is_homogeneous=True), [5, 5])
    if deadly:
        pipe = Deadly(pipe)
    return gb.DataLoader(pipe.fetch_feature(store, ["x"]), num_workers=workers)

def memory():
    gc.collect()
    for line in open("/proc/self/status"):
        if line.startswith("VmRSS"):
            return int(line.split()[1])

def rows(batch, kind):
    blocks = batch[2] if kind == "dataloading" else batch.blocks
    h = batch[2][0].srcdata["x"] if kind == "dataloading" else batch.node_features["x"]
    return len(h) + sum(block.num_edges() for block in blocks)
"""
pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads /proc")


def _start(code: str) -> subprocess.Popen:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    environment["PYTHONPATH"] = str(REPOSITORY / "src")
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM + code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        start_new_session=True,
    )


def _members(session: int) -> list[int]:
    """The processes of a session, of which the dead ones do not count."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            found.append(int(path.parent.name))
    return found


def _all_gone(session: int) -> bool:
    """Whether no process of the session is left, now or within some seconds."""
    for _ in range(600):
        if not _members(session):
            return True
        time.sleep(0.1)
    return False


@pytest.mark.slow
@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("kind", ["dataloading", "graphbolt"])
def test_memory_is_flat_over_200_batches(kind: str, workers: int) -> None:
    run = _start(
        f"""
sizes = []
for number, batch in enumerate(loader({kind!r}, {workers})):
    rows(batch, {kind!r})
    if number in (50, 250):
        sizes.append(memory())
        print(sizes[-1])
"""
    )
    out, err = run.communicate(timeout=300)
    assert run.returncode == 0, err
    before, after = map(int, out.split())
    assert after < 1.02 * before


@pytest.mark.parametrize("workers", [pytest.param(0, marks=pytest.mark.slow), 2])
@pytest.mark.parametrize("kind", ["dataloading", "graphbolt"])
@pytest.mark.parametrize("end", ["signal", "exception"])
def test_nothing_is_left(kind: str, workers: int, end: str) -> None:
    before = left_files()
    run = _start(
        f"""
for number, batch in enumerate(loader({kind!r}, {workers})):
    rows(batch, {kind!r})
    if number == 5:
        print("running", flush=True)
        if {end!r} == "exception":
            1 / 0
"""
    )
    assert run.stdout.readline() == "running\n", run.communicate()[1]
    if end == "signal":
        os.killpg(run.pid, signal.SIGINT)  # as the terminal does
    _, err = run.communicate(timeout=240)
    assert ("KeyboardInterrupt" if end == "signal" else "ZeroDivisionError") in err
    assert _all_gone(run.pid)
    assert nothing_left(before)


def test_a_killed_worker_of_a_pipeline_is_an_error() -> None:
    before = left_files()
    run = _start("list(loader('graphbolt', 1, deadly=True))\n")
    _, err = run.communicate(timeout=240)
    assert "GossamerError: A worker process of the loader died" in err
    assert _all_gone(run.pid)
    assert nothing_left(before)
