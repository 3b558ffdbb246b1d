"""Compare samplers and loaders with DGL and PyG: ``python -m benchmarks.sampling --dgl PYTHON``

The graph has 1,000,000 nodes and 25,000,000 edges, times ``--scale``, with skewed degrees; fanouts
are 15/10/5 and batches hold 1,024 seeds. Each library runs in its own process on the same edges.
The libraries take turns, one batch each, so that other load on the machine affects all alike. A row
gives the edges, steps or graphs per second of the median batch, by wall clock and by processor
time, and the ratio to the faster peer. The rows ``epoch`` and ``ahead`` also give the share of time
that the model waits for batches; in ``ahead``, a thread prepares them (``use_prefetch_thread``).
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

FANOUTS = [15, 10, 5]
ROWS = [
    "neighbors",
    "weighted",
    "labor",
    "hetero",
    "to_block",
    "walks",
    "molecules",
    "graphbolt",
    "epoch",
    "ahead",
]
BATCHES = 8  # steps of a timed epoch


def write_inputs(folder: Path, scale: float) -> None:
    """The edges of all rows, as files that each library reads."""
    import numpy as np

    rng = np.random.default_rng(0)
    nodes, edges = int(1_000_000 * scale), int(25_000_000 * scale)
    skewed = (rng.random((2, edges)) ** 2 * nodes).astype(np.int64)
    np.save(folder / "edges.npy", skewed)
    np.save(folder / "weights.npy", rng.random(edges, dtype=np.float32) + 0.01)
    np.save(folder / "seeds.npy", rng.permutation(nodes))
    np.save(folder / "features.npy", rng.random((nodes, 64), dtype=np.float32))


def typed_edges(edges: Any, nodes: int) -> tuple[dict, dict]:
    """The edges split over 8 relations of 5 node types, and the number of nodes of each type."""
    types = "abcde"
    relations = [(types[i % 5], f"r{i}", types[(2 * i + 1) % 5]) for i in range(8)]
    parts = {e: edges[:, i::8] % (nodes // 5) for i, e in enumerate(relations)}
    return parts, dict.fromkeys(types, nodes // 5)


class DglLike:
    """Gossamer or DGL, which have one API. Each method returns a function that draws a batch."""

    def __init__(self, name: str, folder: Path, batch: int) -> None:
        import numpy as np
        import torch

        self.gs, self.torch, self.batch = importlib.import_module(name), torch, batch
        self.edges = torch.from_numpy(np.load(folder / "edges.npy"))
        self.seeds = torch.from_numpy(np.load(folder / "seeds.npy"))
        self.x = torch.from_numpy(np.load(folder / "features.npy"))
        self.nodes = len(self.seeds)
        self.g = self.gs.graph((self.edges[0], self.edges[1]), num_nodes=self.nodes)
        self.g.edata["w"] = torch.from_numpy(np.load(folder / "weights.npy"))
        self.g.create_formats_()
        self.at = 0
        self.waited: float | None = None  # seconds of the last epoch without a batch

    def some(self, count: int | None = None) -> Any:
        """The next seeds."""
        count = count or self.batch
        self.at = (self.at + count) % (self.nodes - count)
        return self.seeds[self.at : self.at + count]

    def _blocks(self, sampler: Any, seeds: Any, g: Any = None) -> int:
        blocks = sampler.sample(self.g if g is None else g, seeds)[2]
        return sum(block.num_edges() for block in blocks)

    def neighbors(self) -> Callable[[], int]:
        sampler = self.gs.dataloading.NeighborSampler(FANOUTS)
        return lambda: self._blocks(sampler, self.some())

    def weighted(self) -> Callable[[], int]:
        sampler = self.gs.dataloading.NeighborSampler(FANOUTS, prob="w")
        return lambda: self._blocks(sampler, self.some())

    def labor(self) -> Callable[[], int]:
        sampler = self.gs.dataloading.LaborSampler(FANOUTS)
        return lambda: self._blocks(sampler, self.some())

    def hetero(self) -> Callable[[], int]:
        parts, counts = typed_edges(self.edges, self.nodes)
        g = self.gs.heterograph({e: (p[0], p[1]) for e, p in parts.items()}, counts)
        g.create_formats_()
        sampler = self.gs.dataloading.NeighborSampler(FANOUTS)
        return lambda: self._blocks(sampler, {"a": self.some() % (self.nodes // 5)}, g)

    def to_block(self) -> Callable[[], int]:
        seeds = self.some(16 * self.batch)
        frontier = self.gs.sampling.sample_neighbors(self.g, seeds, 15)
        return lambda: self.gs.to_block(frontier, seeds).num_edges()

    def walks(self) -> Callable[[], int]:
        def walk() -> int:
            traces = self.gs.sampling.random_walk(self.g, self.some(8 * self.batch), length=20)[0]
            return traces.numel()

        return walk

    def molecules(self) -> Callable[[], int]:
        torch, gs = self.torch, self.gs
        data = []
        for i in range(1280):
            n = 10 + i % 20
            u = torch.arange(2 * n) % n
            g = gs.graph((u, (u + 1 + torch.arange(2 * n) // n) % n), num_nodes=n)
            g.ndata["x"], g.edata["y"] = torch.ones(n, 9), torch.ones(2 * n, 3)
            data.append((g, torch.ones(1)))
        loader = gs.dataloading.GraphDataLoader(data, batch_size=128)
        return lambda: sum(int(g.batch_size) for g, _ in loader)

    def graphbolt(self) -> Callable[[], int]:
        gb = importlib.import_module(f"{self.gs.__name__}.graphbolt")
        convert = gb.from_graph if self.gs.__name__ == "gossamer" else gb.from_dglgraph
        graph = convert(self.g, is_homogeneous=True)

        def draw() -> int:
            seeds = gb.ItemSet(self.some(BATCHES * self.batch), names="seed_nodes")
            pipe = gb.ItemSampler(seeds, batch_size=self.batch).sample_neighbor(graph, FANOUTS)
            return sum(block.num_edges() for x in gb.DataLoader(pipe) for block in x.blocks)

        return draw

    def epoch(self, **options: Any) -> Callable[[], int]:
        torch = self.torch
        conv = __import__(
            self.gs.__name__ + (".nn" if self.gs.__name__ == "gossamer" else ".nn.pytorch"),
            fromlist=["SAGEConv"],
        ).SAGEConv
        widths = [(64, 64), (64, 64), (64, 16)]
        layers = torch.nn.ModuleList(conv(i, o, "mean") for i, o in widths)
        optimizer = torch.optim.Adam(layers.parameters())
        self.g.ndata["x"] = self.x
        sampler = self.gs.dataloading.NeighborSampler(FANOUTS, prefetch_node_feats=["x"])

        def train() -> int:
            seeds = self.some(BATCHES * self.batch)
            loader = self.gs.dataloading.DataLoader(
                self.g, seeds, sampler, batch_size=self.batch, **options
            )
            for _, outputs, blocks in self._timed(loader):
                h = blocks[0].srcdata["x"]
                for layer, block in zip(layers, blocks, strict=True):
                    h = layer(block, h).relu()
                loss = torch.nn.functional.cross_entropy(h, outputs % 16)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            return BATCHES

        return train

    def ahead(self) -> Callable[[], int]:
        return self.epoch(use_prefetch_thread=True)

    def _timed(self, loader: Any) -> Iterator[Any]:
        """The batches; `waited` is the time that they took to come."""
        self.waited, begin = 0.0, time.perf_counter()
        for batch in loader:
            self.waited += time.perf_counter() - begin
            yield batch
            begin = time.perf_counter()
        self.waited += time.perf_counter() - begin


class Pyg:
    """PyTorch Geometric, for the rows that it has a sampler for."""

    def __init__(self, folder: Path, batch: int) -> None:
        import numpy as np
        import torch
        from torch_geometric.data import Data

        self.torch, self.batch = torch, batch
        self.edges = torch.from_numpy(np.load(folder / "edges.npy"))
        self.seeds = torch.from_numpy(np.load(folder / "seeds.npy"))
        self.data = Data(edge_index=self.edges, num_nodes=len(self.seeds))
        self.data.w = torch.from_numpy(np.load(folder / "weights.npy"))

    def _loader(self, data: Any, nodes: Any, **options: Any) -> Callable[[], int]:
        from torch_geometric.loader import NeighborLoader

        loader = NeighborLoader(
            data, FANOUTS[::-1], nodes, batch_size=self.batch, disjoint=False, **options
        )
        batches = iter(loader)

        def draw() -> int:
            nonlocal batches
            found = next(batches, None)
            if found is None:
                batches = iter(loader)
                found = next(batches)
            return int(found.num_edges)

        return draw

    waited: float | None = None

    def neighbors(self) -> Callable[[], int]:
        return self._loader(self.data, self.seeds)

    def weighted(self) -> Callable[[], int]:
        return self._loader(self.data, self.seeds, weight_attr="w")

    def hetero(self) -> Callable[[], int]:
        from torch_geometric.data import HeteroData

        parts, counts = typed_edges(self.edges, len(self.seeds))
        data = HeteroData()
        for ntype, count in counts.items():
            data[ntype].num_nodes = count
        for etype, part in parts.items():
            data[etype].edge_index = part
        return self._loader(data, ("a", self.seeds % (len(self.seeds) // 5)))

    def molecules(self) -> Callable[[], int]:
        torch = self.torch
        from torch_geometric.data import Data
        from torch_geometric.loader import DataLoader

        data = []
        for i in range(1280):
            n = 10 + i % 20
            u = torch.arange(2 * n) % n
            edges = torch.stack([u, (u + 1 + torch.arange(2 * n) // n) % n])
            data.append(
                Data(torch.ones(n, 9), edges, edge_attr=torch.ones(2 * n, 3), y=torch.ones(1))
            )
        loader = DataLoader(data, batch_size=128)
        return lambda: sum(int(batch.num_graphs) for batch in loader)


def serve(library: str, folder: Path, batch: int, threads: int) -> None:
    """Draw a batch for each row name read; answer with its size and times."""
    import torch

    torch.set_num_threads(threads)
    made = Pyg(folder, batch) if library == "pyg" else DglLike(library, folder, batch)
    ready: dict[str, Callable[[], int]] = {}
    print(json.dumps({"ready": library}), flush=True)
    for line in sys.stdin:
        row = line.strip()
        try:
            if row not in ready:
                ready[row] = getattr(made, row)()
                for _ in range(3):  # warm up caches and memory
                    ready[row]()
            made.waited = None
            clock, cpu = time.perf_counter(), time.process_time()
            size = ready[row]()
            clock, cpu = time.perf_counter() - clock, time.process_time() - cpu
            answer = [size, clock, cpu, made.waited and made.waited / clock]
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {str(error)[:80]}"}
        print(json.dumps(answer), flush=True)


class Worker:
    """The process of one library."""

    def __init__(self, library: str, python: str, options: argparse.Namespace) -> None:
        command = [python, __file__, "--serve", library, "--folder", str(options.folder)]
        command += ["--batch", str(options.batch), "--threads", str(options.threads)]
        environment = {**os.environ, "OMP_NUM_THREADS": str(options.threads)}
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
        )
        self._answer()

    def _answer(self) -> Any:
        for line in self.process.stdout:
            if line.startswith(("{", "[")):
                return json.loads(line)
        return {"error": "the process ended"}

    def time(self, row: str) -> Any:
        """Size, wall-clock and processor seconds of one batch and the share waited, or an error."""
        if self.process.poll() is not None:
            return {"error": "the process ended"}
        self.process.stdin.write(row + "\n")
        self.process.stdin.flush()
        return self._answer()

    def close(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.communicate()


def rates(answers: list[Any]) -> tuple[float, float]:
    """Units per second of the median batch, by wall clock and by processor time."""
    return tuple(statistics.median(a[0] / a[k] for a in answers) for k in (1, 2))


def waiting(answers: list[Any]) -> str:
    """The share of time that the model waited for batches, where it was timed."""
    shares = [a[3] for a in answers if a[3] is not None]
    return f", waits {statistics.median(shares):.0%}" if shares else ""


def report(row: str, workers: dict[str, Worker], rounds: int) -> None:
    """Time one row in turn, and print it."""
    answers: dict[str, list[Any]] = {name: [] for name in workers}
    failures = {}
    for _ in range(rounds):
        for name, worker in workers.items():
            if name in failures:
                continue
            answer = worker.time(row)
            if isinstance(answer, dict):
                failures[name] = answer["error"]
            else:
                answers[name].append(answer)
    found = {name: rates(a) for name, a in answers.items() if name not in failures}
    text = ", ".join(
        f"{n} {c:,.{d}f}/s ({p:,.{d}f}/cpu s){waiting(answers[n])}"
        for n, (c, p) in found.items()
        for d in [0 if c > 100 else 2]
    )
    peers = [rate for name, rate in found.items() if name != "gossamer"]
    ratio = ""
    if peers and "gossamer" in found:
        clock, cpu = (found["gossamer"][k] / max(rate[k] for rate in peers) for k in (0, 1))
        ratio = f"  ratio {clock:.2f} (processor time {cpu:.2f})"
    print(f"{row:10} {text}{ratio}", flush=True)
    for name, why in failures.items():
        print(f"{'':10} {name}: {why}", flush=True)


def main(argv: list[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sampling", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--dgl", help="the Python that has DGL")
    parser.add_argument("--pyg", help="the Python that has PyTorch Geometric")
    parser.add_argument("--scale", type=float, default=1.0, help="of the graph")
    parser.add_argument("--batch", type=int, default=1024)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=ROWS)
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.serve:
        serve(options.serve, options.folder, options.batch, options.threads)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        options.folder = Path(folder)
        write_inputs(options.folder, options.scale)
        pythons = {"gossamer": sys.executable, "dgl": options.dgl, "pyg": options.pyg}
        workers = {n: Worker(n, python, options) for n, python in pythons.items() if python}
        try:
            for row in options.rows:
                report(row, workers, options.rounds)
        finally:
            for worker in workers.values():
                worker.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
