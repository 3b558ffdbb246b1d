"""Training from disk: ``python -m benchmarks.out_of_core --scale 0.01``

The graph is synthetic: 100,000,000 nodes and 1,000,000,000 edges, times ``--scale``, with 32
float16 features per node and skewed degrees. `gossamer preprocess` builds it. Then GraphSAGE trains
on mini-batches, once with an LRU cache of features and once with ``lookahead=`` and a cache of the
same size. Each phase runs in its own process, whose peak memory is reported.

With ``--cold``, the default, the operating system is asked to drop the cached pages of the features
before each batch, as if they did not fit in memory. Read amplification is the bytes read from disk
divided by the bytes of the rows requested.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

NODES, EDGES, WIDTH, CLASSES = 100_000_000, 1_000_000_000, 32, 16
_STEP = 4_000_000


def write_inputs(folder: Path, scale: float) -> tuple[int, int]:
    """Edges, features, labels and seeds; return the number of nodes and of edges."""
    import numpy as np

    rng = np.random.default_rng(0)
    nodes, edges = max(int(NODES * scale), 1000), max(int(EDGES * scale), 10_000)
    ends = np.lib.format.open_memmap(folder / "edges.npy", "w+", np.int32, (2, edges))
    for end in ends:
        for first in range(0, edges, _STEP):
            skewed = (rng.random(min(_STEP, edges - first)) ** 2 * nodes).astype(np.int64)
            # A multiplier that shares no factor with the number of nodes spreads the hubs.
            end[first : first + _STEP] = skewed * _coprime(nodes) % nodes
    x = np.lib.format.open_memmap(folder / "x.npy", "w+", np.float16, (nodes, WIDTH))
    for first in range(0, nodes, _STEP):
        rows = min(_STEP, nodes - first)
        x[first : first + rows] = rng.standard_normal((rows, WIDTH), dtype=np.float32)
    seeds = rng.choice(nodes, min(nodes, 200_000), replace=False)
    np.save(folder / "seeds.npy", seeds)
    np.save(folder / "labels.npy", seeds % CLASSES)
    (folder / "metadata.yaml").write_text(
        f"""dataset_name: out_of_core
graph:
  nodes: [{{num: {nodes}}}]
  edges: [{{format: numpy, path: edges.npy}}]
feature_data:
  - {{domain: node, name: x, format: numpy, path: x.npy, in_memory: false}}
tasks:
  - name: classes
    train_set:
      - data:
          - {{name: seeds, format: numpy, path: seeds.npy}}
          - {{name: labels, format: numpy, path: labels.npy}}
"""
    )
    del ends, x
    os.sync()
    return nodes, edges


def _coprime(nodes: int) -> int:
    factor = int(nodes * 0.618)
    while math.gcd(factor, nodes) != 1:
        factor += 1
    return factor


def _device_bytes() -> int:
    """Bytes that this process has read from disks."""
    for line in Path("/proc/self/io").read_text().splitlines():
        name, value = line.split(": ")
        if name == "read_bytes":
            return int(value)
    return 0


def train(options: argparse.Namespace) -> dict[str, Any]:
    """Train for some batches, and return speed and reads."""
    import torch
    from torch import nn

    import gossamer.graphbolt as gb
    from gossamer.nn import SAGEConv

    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    dataset = gb.OnDiskDataset(str(options.folder)).load()
    disk = dataset.feature["node", None, "x"]
    cached = gb.cpu_cached_feature(disk, int(options.cache * disk.count() * WIDTH * 2), "lru")
    store = gb.BasicFeatureStore({("node", None, "x"): cached})
    pipe = gb.ItemSampler(dataset.tasks[0].train_set, options.batch, shuffle=True, seed=1)
    pipe = pipe.sample_neighbor(dataset.graph, options.fanouts)
    ahead = options.lookahead if options.phase == "lookahead" else 0
    pipe = pipe.fetch_feature(store, ["x"], lookahead=ahead)
    widths = [WIDTH, *[64] * (len(options.fanouts) - 1), CLASSES]
    layers = nn.ModuleList(SAGEConv(i, o, "mean") for i, o in itertools.pairwise(widths))
    optimizer = torch.optim.Adam(layers.parameters())
    features = os.open(options.folder / "x.npy", os.O_RDONLY)
    rows = waited = count = 0
    before, started = _device_bytes(), time.perf_counter()
    asked = started
    for batch in gb.DataLoader(pipe):
        waited += time.perf_counter() - asked
        h = batch.node_features["x"].float()
        rows += len(h)
        for layer, block in zip(layers, batch.blocks, strict=True):
            h = layer(block, h).relu()
        loss = nn.functional.cross_entropy(h, batch.labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        count += 1
        if options.cold:
            os.posix_fadvise(features, 0, 0, os.POSIX_FADV_DONTNEED)
        asked = time.perf_counter()
        if count == options.batches:
            break
    seconds = time.perf_counter() - started
    missed = pipe.miss_rates["node", None, "x"] if ahead else cached.miss_rate
    return {
        "batches": count,
        "batches/s": count / seconds,
        "rows/batch": rows / count,
        "hit rate": 1 - missed,
        "amplification": (_device_bytes() - before) / (rows * disk.row_bytes),
        "waiting": waited / seconds,
        "loss": float(loss.detach()),
    }


def _measured(command: list[str]) -> tuple[str, float, float]:
    """Output, seconds and peak memory in GB of a command."""
    started = time.perf_counter()
    process = subprocess.Popen([sys.executable, *command], stdout=subprocess.PIPE, text=True)
    with process.stdout as stdout:
        output = stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"'{' '.join(command)}' failed with code {process.returncode}.")
    return output, time.perf_counter() - started, usage.ru_maxrss / 1e6


def run(options: argparse.Namespace) -> dict[str, Any]:
    """All phases in a folder; print a line for each."""
    # A separate process: a child inherits the peak memory of its parent.
    made, folder = ["-m", "benchmarks.out_of_core", "--phase", "write"], str(options.folder)
    nodes, edges = json.loads(
        _measured([*made, "--folder", folder, "--scale", str(options.scale)])[0]
    )
    print(f"{nodes:,} nodes, {edges:,} edges, {WIDTH} float16 features a node", flush=True)
    _, seconds, peak = _measured(["-m", "gossamer", "preprocess", str(options.folder), "--quiet"])
    found: dict[str, Any] = {"preprocess": {"edges/s": edges / seconds, "peak GB": peak}}
    print(f"preprocess  {edges / seconds:,.0f} edges/s, peak memory {peak:.2f} GB", flush=True)
    for mode in ("lru", "lookahead"):
        command = ["-m", "benchmarks.out_of_core", "--phase", mode, "--folder", options.folder]
        for name in ("batch", "batches", "lookahead", "cache", "threads"):
            command += [f"--{name}", getattr(options, name)]
        command += ["--cold" if options.cold else "--no-cold", "--fanouts", *options.fanouts]
        output, _, peak = _measured([str(part) for part in command])
        result = found[mode] = {**json.loads(output.splitlines()[-1]), "peak GB": peak}
        print(
            f"{mode:10}  {result['batches/s']:.2f} batches/s ({result['rows/batch']:,.0f} rows "
            f"each), hit rate {result['hit rate']:.3f}, read amplification "
            f"{result['amplification']:.2f}, the model waits {result['waiting']:.0%}, peak memory "
            f"{peak:.2f} GB",
            flush=True,
        )
    return found


def main(argv: list[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.out_of_core", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--scale", type=float, default=0.01, help="of the graph")
    parser.add_argument("--folder", type=Path, help="for the files, which are deleted at the end")
    parser.add_argument("--batch", type=int, default=1024)
    parser.add_argument("--batches", type=int, default=100)
    parser.add_argument("--fanouts", type=int, nargs="+", default=[10, 10])
    parser.add_argument("--lookahead", type=int, default=64)
    parser.add_argument("--cache", type=float, default=0.1, help="size, as a share of the features")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--cold", action=argparse.BooleanOptionalAction, default=True)
    phases = ("write", "lru", "lookahead")
    parser.add_argument("--phase", choices=phases, help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.phase:
        write = options.phase == "write"
        print(json.dumps(write_inputs(options.folder, options.scale) if write else train(options)))
        return 0
    if options.folder:
        options.folder.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=options.folder))
    try:
        options.folder = folder
        run(options)
    finally:
        shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
