"""The process of one library: ``python -m benchmarks.worker --library dgl``.

The benchmark starts it. It reads one JSON request per line and answers with one JSON line:

``load``   build a row, run each form, keep the fastest, write its results;
``visit``  run the kept form for a while, answer with seconds per call;
``memory`` run it once, answer with the extra resident memory at its peak;
``rates``  measure the copy rate and the random-row rate on the row's own source ids.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import importlib
import json
import os
import sys
import time
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks import inputs as bench_inputs
from benchmarks.adapters import Form, graph_ops, load
from benchmarks.data_rows import DATA_ROWS
from benchmarks.graph_rows import GRAPH_ROWS
from benchmarks.layer_rows import LAYER_ROWS
from benchmarks.registry import WORKLOADS
from benchmarks.sparse_rows import SPARSE_ROWS
from benchmarks.workload import FLOAT, Sizes

# Errors of forms that a library lacks or cannot compile, or that do not fit in memory.
FAILURES = RuntimeError, TypeError, ValueError, LookupError, ImportError, OSError, AttributeError

SLOW = 1.0  # seconds beyond which a call is not repeated to choose a form


def canonical(row: str, results: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Results independent of the order within a column, which libraries may choose."""
    if row.endswith("to CSC"):
        indptr, indices = results["indptr"], results["indices"]
        column = np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))
        indices = indices[np.lexsort((indices, column))]
        results = {"indptr": indptr.astype(np.int64), "indices": indices.astype(np.int64)}
    return results


def as_array(value: torch.Tensor) -> np.ndarray:
    """The tensor in NumPy; bfloat16, which NumPy lacks, becomes float32."""
    value = value.detach().cpu()
    return (value.float() if value.dtype == torch.bfloat16 else value).numpy()


def timed(call: Callable[[], Any]) -> float:
    """Seconds of one call, including the release of its results."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def race(forms: Mapping[str, Form], first: dict[str, float], turns: int = 5) -> dict[str, float]:
    """Best seconds of each form, run in turn; one far behind the best is not run again.

    Forms take turns, so that other load affects all alike. The best time is kept, since other load
    only adds time. `first` holds the seconds of each form's first call; a slow row gets no other.
    """
    if min(first.values()) > SLOW:
        return first
    best = {name: timed(form.run) for name, form in forms.items() if first[name] < SLOW}
    near = [name for name in best if best[name] < 2.5 * min(best.values())]
    if len(near) > 1:
        for _ in range(turns - 1):
            for name in near:
                best[name] = min(best[name], timed(forms[name].run))
    return first | best


def trim() -> None:
    """Return freed memory to the system, so that the next peak is visible."""
    gc.collect()
    if sys.platform == "linux":
        ctypes.CDLL(None).malloc_trim(0)


def _status(key: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(key):
            return int(line.split()[1]) * 1024
    raise KeyError(key)


def extra_memory(call: Callable[[], Any]) -> int | None:
    """Peak bytes of resident memory of a call beyond those held before; None if unknown.

    Linux records the peak of a process and can reset it. Results count.
    """
    trim()
    try:
        Path("/proc/self/clear_refs").write_text("5")
        before = _status("VmRSS")
        call()
        return max(_status("VmHWM") - before, 0)
    except (OSError, KeyError):
        return None


def rates(source: torch.Tensor, nodes: int, sizes: list[int]) -> dict[str, Any]:
    """Bytes per second of copying (read and written), and of gathering rows of given sizes.

    Rows are gathered with ``embedding_bag`` over bags of 4,096 edges, on the ids of the row:
    torch's tuned loop reads the row of each edge once and writes almost nothing.
    """
    block = torch.ones(32 << 20)
    target = torch.empty_like(block)
    copy = min(timed(lambda: target.copy_(block)) for _ in range(3))
    bags = torch.arange(0, len(source), 4096)
    gather = {}
    for size in sizes:
        table = torch.ones(nodes, size // FLOAT)

        def sums(table: torch.Tensor = table) -> torch.Tensor:
            return torch.nn.functional.embedding_bag(source, table, bags, mode="sum")

        gather[str(size)] = size * len(source) / min(timed(sums) for _ in range(3))
    return {"copy": 2 * block.numel() * FLOAT / copy, "gather": gather}


class Server:
    """State between requests: the adapter, and the form chosen for the current row."""

    def __init__(self, library: str) -> None:
        self.adapter = load(library)
        self.form: Form | None = None
        self.folder: Path | None = None
        self.sizes: Sizes | None = None

    def load(self, row: str, sizes: dict, folder: str, result: str) -> dict:
        """Build the row and keep the fastest form; write its results to the file `result`."""
        self.form = None
        trim()
        self.folder, self.sizes = Path(folder), Sizes(**sizes)
        forms, found, first, failures = self._prepare(row)
        if not forms:
            raise RuntimeError(f"no form of {row!r} runs: {failures}")
        seconds = race(forms, first)
        kept = min(seconds, key=seconds.get)
        self.form = forms[kept]
        held = {k: as_array(v) for k, v in found[kept].items()}
        np.savez(result, **canonical(row, held))
        return {"forms": seconds, "failures": failures, "kept": kept}

    def _prepare(self, row: str) -> tuple[dict, dict, dict, dict]:
        """By form: those that run, their first results and seconds, and the errors of others."""
        arrays = bench_inputs.read(self.folder)
        # Copy: torch's memory is aligned to 64 bytes, NumPy's may not be.
        tensors = {name: torch.from_numpy(array).clone() for name, array in arrays.items()}
        forms: dict[str, Form] = {}
        found: dict[str, Mapping] = {}
        first: dict[str, float] = {}
        failures: dict[str, str] = {}
        if row in GRAPH_ROWS:
            offered = graph_ops.forms(self.adapter.api, row, tensors, self.sizes)
        elif row in LAYER_ROWS and row not in WORKLOADS:
            offered = self.adapter.layers(LAYER_ROWS[row], tensors, self.sizes)
        elif row in DATA_ROWS:
            offered = self.adapter.datasets(DATA_ROWS[row], tensors, self.sizes)
        elif row in SPARSE_ROWS:
            offered = self.adapter.matrices(SPARSE_ROWS[row], tensors, self.sizes)
        else:
            offered = self.adapter.forms(WORKLOADS[row], tensors, self.sizes)
        for name, prepare in offered.items():
            try:
                form = prepare()
                start = time.perf_counter()
                found[name] = (form.check or form.run)()
                first[name] = time.perf_counter() - start
                forms[name] = form
            except FAILURES as error:
                failures[name] = f"{type(error).__name__}: {error}".splitlines()[0][:200]
        return forms, found, first, failures

    def visit(self, budget: float) -> dict:
        """Run for about `budget` seconds, at least once; cheap calls are warmed up first."""
        first = timed(self.form.run)
        if first > budget / 3:
            return {"seconds": [first]}
        times: list[float] = []
        while sum(times) < budget - first:
            times.append(timed(self.form.run))
        return {"seconds": times}

    def memory(self) -> dict:
        """Extra resident memory of one call, after the pool of earlier calls is released."""
        if hasattr(self.adapter, "release_memory"):
            self.adapter.release_memory()
        return {"extra": extra_memory(self.form.run)}

    def rates(self, sizes: list[int], folder: str, nodes: int) -> dict:
        """Machine rates on the row's source ids."""
        source = torch.from_numpy(np.load(Path(folder) / "src.npy"))
        return rates(source, nodes, sizes)

    def versions(self) -> dict:
        """Releases in use, and where the library was imported from."""
        return self.adapter.versions() | {"python": sys.version.split()[0]}


def use_package_path(folder: str, library: str) -> None:
    """Import `library` from `folder`, ahead of an editable install in this environment."""
    sys.path.insert(0, folder)
    standard = {"BuiltinImporter", "FrozenImporter", "PathFinder"}
    # Editable installs put their finders (classes or instances) ahead of PathFinder.
    sys.meta_path[:] = [
        f for f in sys.meta_path if getattr(f, "__name__", type(f).__name__) in standard
    ]
    module = importlib.import_module(library)
    if not Path(module.__file__).is_relative_to(Path(folder).resolve()):
        raise SystemExit(f"{library} was imported from {module.__file__}, not from {folder}.")


def main() -> None:
    """Serve requests until the input ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--library", required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--package-path")
    options = parser.parse_args()
    # Answers use a separate pipe, since libraries may print to stdout; that goes to the log.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    warnings.simplefilter("ignore")
    torch.set_num_threads(options.threads)
    if options.package_path:
        use_package_path(options.package_path, options.library)
    server = Server(options.library)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = getattr(server, request.pop("do"))(**request)
        except Exception as error:  # reported to the benchmark, which continues with the next row
            answer = {"error": f"{type(error).__name__}: {error}"[:500]}
        answers.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main()
