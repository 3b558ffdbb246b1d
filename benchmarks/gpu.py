"""Compare Gossamer on a GPU with its peers: ``python -m benchmarks.gpu [--minutes 8]``.

First the tests of the kernels run on the device, for two minutes at most. Then each row is timed
with CUDA events, for Gossamer, torch's sparse CSR product, gather and scatter in torch, and, where
PyG is installed, its layers with and without ``torch.compile``. Results are compared with float64.
A table, and the JSON file of ``--json``, give times, peak memory and the share of the measured
memory bandwidth.

Examples
--------
``python -m benchmarks.gpu --json gpu.json``

``TRITON_INTERPRET=1 python -m benchmarks.gpu --device cpu --small`` (needs no GPU)
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks import command, inputs, machine
from benchmarks.adapters import load
from benchmarks.argument_types import above_zero, output, seed
from benchmarks.gpu_rows import (
    ATTENTION,
    Clock,
    Forms,
    Plain,
    attention_forms,
    sampling_forms,
)
from benchmarks.registry import FULL, SMALL, WORKLOADS, select
from benchmarks.report import layout
from benchmarks.verify import disagreement
from benchmarks.worker import FAILURES, as_array
from benchmarks.workload import Workload

TESTS = Path(__file__).resolve().parents[1] / "tests" / "kernels" / "triton"
TEST_SECONDS = 120
#: Tests of every family, both gradients, samples, and of equal bits in two runs.
CHOSEN = "operator or score or graph or bits or neighbors or walks or segments or gathering"
#: Rows that show each kernel family, and the layers.
ROWS = (
    "copy_u/sum,copy_u/max,copy_u/sum hub,copy_u/sum bfloat16,copy_u/sum fwd+bwd,u_mul_e/sum,"
    "u_dot_v,edge_softmax,segment_mm,gather_mm,GraphConv,SAGEConv,GATConv,GATv2Conv"
)


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--device", default="cuda", help="where to run (cuda)")
    parser.add_argument("--minutes", type=above_zero, default=8, help="for everything (8)")
    parser.add_argument("--rows", default=ROWS, metavar="NAMES", help="prefixes of row names")
    parser.add_argument("--seed", type=seed, default=0, help="seed of the inputs (0)")
    parser.add_argument("--small", action="store_true", help="tiny inputs, few tests")
    parser.add_argument("--without-tests", action="store_true", help="measure only")
    parser.add_argument("--json", type=output, metavar="FILE", help="write all figures there")
    options = parser.parse_args(argv)
    try:
        torch.zeros(1, device=options.device)
    except (RuntimeError, AssertionError) as error:
        first = str(error).splitlines()[0]
        parser.error(f"--device {options.device} cannot be used: {first}")
    if options.device == "cpu" and os.environ.get("TRITON_INTERPRET") != "1":
        parser.error("--device cpu needs TRITON_INTERPRET=1, for Triton's interpreter")
    return options


def interpret() -> None:
    """Run the GPU's kernels for tensors on the CPU, on Triton's interpreter."""
    from gossamer.kernels import _dispatch, triton

    for name in triton.__all__:
        kernel = _dispatch.dispatched(name)
        for (kind, dtype), function in list(kernel.functions.items()):
            if kind == "cuda":
                kernel.register(function, "cpu", [dtype])


def run_tests(options: argparse.Namespace) -> str:
    """Run the tests of the kernels on the device; return "passed" or the problem."""
    chosen = [str(TESTS), "-k", CHOSEN]
    if importlib.util.find_spec("xdist"):
        chosen += ["-n", "8"]  # most of the time is compilation, on the CPU
    if options.small:
        chosen = [str(TESTS / "test_softmax.py"), "-k", "test_every_graph"]
    run = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *chosen]
    limit = min(TEST_SECONDS, 20 * options.minutes)
    environment = {**os.environ, "GOSSAMER_KERNELS": ""}
    try:
        done = subprocess.run(
            [*run, "--device", options.device],
            cwd=TESTS.parents[2],
            env=environment,
            timeout=limit,
            capture_output=True,
            text=True,
        )
    except subprocess.TimeoutExpired:
        return f"not finished after {limit:.0f} seconds"
    lines = [line for line in done.stdout.splitlines() if line.strip()]
    if done.returncode:
        print("\n".join(lines[-30:]), done.stderr, file=sys.stderr)
        return "FAILED"
    return f"passed ({lines[-1].strip('= ')})"


def contenders() -> dict[str, Any]:
    """The adapters by name: what each offers in the rows of the registry."""
    found: dict[str, Any] = {"gossamer": load("gossamer"), "torch": Plain()}
    with contextlib.suppress(ImportError):
        found["pyg"] = load("pyg")
        found["pyg"].compiled_layers = True
    return found


def measure_forms(
    offered: Mapping[str, Forms], clock: Clock, seconds: float
) -> tuple[dict[str, dict], dict[str, dict]]:
    """Time every form of every contender; return measurements and results by contender."""
    measured: dict[str, dict] = {}
    results: dict[str, dict] = {}
    budget = seconds / max(1, sum(len(forms) for forms in offered.values()))
    for name, forms in offered.items():
        best: dict[str, Any] = {}
        failures = {}
        for form_name, prepare in forms.items():
            try:
                with clock.device:
                    form = prepare()
                    found = {k: as_array(v) for k, v in (form.check or form.run)().items()}
                    times = clock.milliseconds(form.run, budget)
                    memory = clock.memory(form.run)
            except FAILURES as error:
                failures[form_name] = f"{type(error).__name__}: {error}".splitlines()[0][:200]
                continue
            typical = statistics.median(times)
            if not best or typical < best["ms"]:
                best = {"form": form_name, "ms": typical, "calls": len(times), "memory": memory}
                results[name] = found
        if best or failures:
            measured[name] = best | {"failures": failures}
    return measured, results


def disagreements(
    results: Mapping[str, Mapping[str, np.ndarray]], tolerance: float, own: str = "gossamer"
) -> list[str]:
    """Differences from Gossamer's results above the tolerance."""
    faults = []
    for name, found in results.items():
        for key in set(found) & set(results.get(own, {})):
            off = disagreement(results[own][key], found[key])
            if off > tolerance:
                faults.append(f"{own} and {name} differ in {key} by {off:.2g}")
    return faults


def measure_row(
    row: Workload, options: argparse.Namespace, adapters: Mapping, clock: Clock, seconds: float
) -> dict[str, Any]:
    """One row of the registry."""
    sizes = (SMALL if options.small else FULL)[row.graph]
    edges = inputs.make_edges(row, sizes, options.seed)
    arrays = inputs.make_arrays(row, sizes, options.seed)
    arrays |= {"src": edges[0], "dst": edges[1]}
    tensors = {name: torch.from_numpy(x).to(clock.device) for name, x in arrays.items()}
    offered = {}
    for name, adapter in adapters.items():
        with clock.device:
            fresh = {key: value.clone() for key, value in tensors.items()}
            offered[name] = adapter.forms(row, fresh, sizes)
    measured, results = measure_forms(offered, clock, 0.8 * seconds)
    record = {"row": row.name, "contenders": measured, "faults": disagreements(results, 1e-2)}
    if row.traffic is not None:
        traffic = row.traffic(sizes)
        rates = clock.rates(tensors["src"], sizes.nodes, list(traffic.gathers), 0.05 * seconds)
        gathers = {int(size): rate for size, rate in rates["gather"].items()}
        streamed = 1e3 * traffic.total / rates["copy"]
        record |= {"bound_ms": 1e3 * traffic.bound(rates["copy"], gathers), "stream_ms": streamed}
        record["rates"] = rates
    return record


def measure_sampling(options: argparse.Namespace, clock: Clock, seconds: float) -> dict[str, Any]:
    """Sampled edges per second on a graph that fits the device."""
    row = WORKLOADS["copy_u/sum"]
    sizes = (SMALL if options.small else FULL)[row.graph]
    ends = tuple(map(torch.from_numpy, inputs.make_edges(row, sizes, options.seed)))
    seeds = 20 if options.small else 100_000
    calls = sampling_forms(ends, sizes.nodes, clock.device, seeds)
    record: dict[str, Any] = {"row": f"sample 10 neighbors of {seeds}", "contenders": {}}
    drawn = {}
    for name, call in calls.items():
        drawn[name] = [x.cpu() for x in call()[0]]
        where = Clock(torch.device("cpu")) if name.endswith("CPU") else clock
        times = where.milliseconds(call, seconds / 2)
        typical, edges = statistics.median(times), len(drawn[name][1])
        record["contenders"][name] = {"form": "layer", "ms": typical, "memory": where.memory(call)}
        record["contenders"][name]["edges_per_second"] = 1e3 * edges / typical
    same = all(
        torch.equal(x, y) for x, y in zip(drawn["gossamer"], drawn["gossamer CPU"], strict=True)
    )
    record["faults"] = [] if same else ["the GPU and the CPU draw other edges for one key"]
    return record


def measure(options: argparse.Namespace, clock: Clock, end: float) -> list[dict[str, Any]]:
    """Measure all rows until `end`, each with an equal share of the remaining time."""
    adapters = contenders()
    chosen: list[Any] = [*select(options.rows, WORKLOADS), *ATTENTION, "sampling"]
    records = []
    for number, row in enumerate(chosen):
        left = max(end - time.perf_counter(), 0.0)
        seconds = 0.02 if options.small else 0.5 * left / (len(chosen) - number)
        if row == "sampling":
            record = measure_sampling(options, clock, seconds)
        elif isinstance(row, Workload):
            record = measure_row(row, options, adapters, clock, seconds)
        else:
            sized = row.small() if options.small else row
            offered = attention_forms(sized, clock.device, options.seed)
            measured, results = measure_forms(offered, clock, seconds)
            record = {"row": row.name, "contenders": measured, "published_ms": row.published}
            record["faults"] = disagreements(results, 5e-2)
        records.append(record)
        print(f"  {record['row']}", file=sys.stderr, flush=True)
    return records


def table(records: list[dict[str, Any]]) -> str:
    """The rows as text."""
    names = list(dict.fromkeys(name for r in records for name in r["contenders"]))
    header = ["row", *(f"{name} ms" for name in names), "faster peer / gossamer", "of bound"]
    lines = [[*header, "MB: " + " / ".join(names)]]
    for record in records:
        found = record["contenders"]
        own, times = found.get("gossamer", {}).get("ms"), []
        for name in names:
            times.append(found.get(name, {}).get("ms"))
        peers = [ms for name, ms in zip(names, times, strict=True) if ms and name != "gossamer"]
        peers += [record["published_ms"]] if "published_ms" in record else []
        bound = record.get("stream_ms")
        memory = [found.get(name, {}).get("memory") for name in names]
        lines.append(
            [
                record["row"],
                *("-" if ms is None else f"{ms:.3g}" for ms in times),
                f"{min(peers) / own:.2f}" if peers and own else "-",
                f"{bound / own:.0%}" if bound and own else "-",
                " / ".join("-" if m is None else f"{m / 2**20:.0f}" for m in memory),
            ]
        )
    return layout(lines)


def about(device: torch.device) -> dict[str, Any]:
    """The device and the releases in use."""
    import triton

    import gossamer

    name = torch.cuda.get_device_name(device) if device.type == "cuda" else machine.cpu_name()
    releases = {"gossamer": gossamer.__version__, "torch": torch.__version__}
    date = datetime.datetime.now().astimezone().strftime("%Y-%m-%d %H:%M")
    return {"device": name, "date": date, **releases, "triton": triton.__version__}


@command.interruptible
def main(argv: list[str] | None = None) -> int:
    """Run the command; 1 when tests fail, results disagree, or a row did not run."""
    options = arguments(argv)
    end = time.perf_counter() + 60 * options.minutes
    if options.device == "cpu":
        interpret()
    facts = about(torch.device(options.device))
    facts["tests"] = "not run" if options.without_tests else run_tests(options)
    records = measure(options, Clock(torch.device(options.device)), end)
    print(", ".join(f"{key}: {value}" for key, value in facts.items()))
    print(f"\n{table(records)}\n")
    for record in records:
        for name, found in record["contenders"].items():
            print(f"{record['row']}: {name} {found.get('form', 'did not run')}")
            for form, why in found["failures"].items() if "failures" in found else ():
                print(f"  {name}, {form}: {why}")
        print(*(f"  DISAGREE: {fault}" for fault in record["faults"]), sep="\n", end="")
    if options.json:
        options.json.write_text(json.dumps({"about": facts, "rows": records}, indent=1) + "\n")
    missing = [r["row"] for r in records if "ms" not in r["contenders"].get("gossamer", {})]
    wrong = [r["row"] for r in records if r["faults"]]
    bad = facts["tests"] == "FAILED" or missing or wrong
    if bad:
        print(f"\nTests: {facts['tests']}; missing: {missing}; wrong: {wrong}", file=sys.stderr)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
