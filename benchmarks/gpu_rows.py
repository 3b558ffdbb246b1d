"""Rows of ``python -m benchmarks.gpu`` that the registry does not have, and its clock."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from benchmarks.adapters import Form
from benchmarks.adapters.training import differentiate

Forms = dict[str, Callable[[], Form]]


@dataclass(frozen=True)
class Attention:
    """A bipartite graph of the weather model AIFS, which anemoi trains, and a published time.

    anemoi's issue 631 gives milliseconds of its Triton kernel on an H200, forward and backward in
    float16, for the encoder, the processor and the decoder, but not the number of edges. The sizes
    here are those of the published model: 542,080 points of the N320 grid, 40,320 of the hidden O96
    grid, 16 heads of 64 features. The decoder has 3 edges per grid point, from the nearest hidden
    points. The encoder is assumed to have 2 edges per grid point, and the processor 8 per hidden
    point, as in a triangular mesh with its coarser levels. Edge features are added to keys and
    values, as in the model's graph transformer. The inputs differ, so ratios to the published times
    are rough.
    """

    name: str
    sources: int
    destinations: int
    edges: int
    published: float  # milliseconds
    heads: int = 16
    features: int = 64

    def small(self) -> Attention:
        """The same row with tiny sizes, for a test."""
        return Attention(self.name, 9, 5, 20, self.published, 2, 4)


ATTENTION = (
    Attention("attention encoder", 542_080, 40_320, 1_084_160, 2.77),
    Attention("attention processor", 40_320, 40_320, 322_560, 0.83),
    Attention("attention decoder", 40_320, 542_080, 1_626_240, 4.87),
)


class Clock:
    """Times calls on a device, with CUDA events or the CPU's clock."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.is_gpu = device.type == "cuda"

    def milliseconds(self, call: Callable[[], Any], budget: float) -> list[float]:
        """Times of calls repeated for `budget` seconds; on a GPU after two warm-up calls."""
        for _ in range(2 if self.is_gpu else 0):
            self._one(call)
        times: list[float] = []
        end = time.perf_counter() + budget
        while not times or time.perf_counter() < end:
            times.append(self._one(call))
        return times

    def _one(self, call: Callable[[], Any]) -> float:
        if not self.is_gpu:
            start = time.perf_counter()
            call()
            return 1e3 * (time.perf_counter() - start)
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record()
        call()
        end.record()
        end.synchronize()
        return begin.elapsed_time(end)

    def memory(self, call: Callable[[], Any]) -> int | None:
        """Peak bytes that a call allocates beyond those held before, results included."""
        if not self.is_gpu:
            return None
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        call()
        torch.cuda.synchronize()
        return torch.cuda.max_memory_allocated() - before

    def rates(self, source: Tensor, nodes: int, sizes: list[int], budget: float) -> dict[str, Any]:
        """Bytes per second of a copy, and of sums over rows read in the order of `source`."""
        block = torch.ones((256 if self.is_gpu else 1) << 20, device=self.device)
        target = torch.empty_like(block)
        copy = min(self.milliseconds(lambda: target.copy_(block), budget))
        bags = torch.arange(0, len(source), 64, device=self.device)
        gather = {}
        for size in sizes:
            table = torch.ones(nodes, size // 4, device=self.device)

            def sums(table: Tensor = table) -> Tensor:
                return torch.nn.functional.embedding_bag(source, table, bags, mode="sum")

            best = min(self.milliseconds(sums, budget))
            gather[str(size)] = 1e3 * size * len(source) / best
        return {"copy": 1e3 * 2 * block.numel() * 4 / copy, "gather": gather}


# ------------------------------------------------------------------------------------ plain torch


def _form(call: Callable[[], Tensor]) -> Form:
    return Form(lambda: {"out": call()})


class Plain:
    """Rows in torch alone: its sparse CSR product, and gather and scatter."""

    def forms(self, row: Any, inputs: Mapping[str, Tensor], sizes: Any) -> Forms:
        """The ways to write a row; empty if torch alone has none."""
        make = getattr(self, _PLAIN.get(row.name, ""), None)
        return {} if make is None else make(inputs, sizes.nodes)

    def _csr(self, inputs: Mapping[str, Tensor], nodes: int, value: Tensor | None = None) -> Tensor:
        src, dst = inputs["src"], inputs["dst"]
        order = torch.argsort(dst, stable=True)
        starts = torch.searchsorted(dst[order], torch.arange(nodes + 1, device=dst.device))
        value = torch.ones(len(src), device=src.device) if value is None else value
        return torch.sparse_csr_tensor(starts, src[order], value[order], (nodes, nodes))

    def _scattered(
        self, inputs: Mapping[str, Tensor], nodes: int, x: Tensor, reduce: str = "sum"
    ) -> Tensor:
        messages = x.index_select(0, inputs["src"])
        if "w" in inputs:
            messages = messages * inputs["w"]
        out = messages.new_zeros((nodes, *messages.shape[1:]))
        if reduce == "sum":
            return out.index_add(0, inputs["dst"], messages)
        index = inputs["dst"].view(-1, 1).expand_as(messages)
        return out.scatter_reduce(0, index, messages, "amax", include_self=False)

    def _sum(self, inputs: Mapping[str, Tensor], nodes: int) -> Forms:
        x = inputs["x"]

        def product() -> Form:
            weight = inputs["w"].squeeze(1) if "w" in inputs else None
            matrix = self._csr(inputs, nodes, weight)
            return _form(lambda: matrix @ x)

        scattered = _form(lambda: self._scattered(inputs, nodes, x))
        return {"sparse CSR": product, "gather, index_add": lambda: scattered}

    def _max(self, inputs: Mapping[str, Tensor], nodes: int) -> Forms:
        call = _form(lambda: self._scattered(inputs, nodes, inputs["x"], "max"))
        return {"gather, scatter_reduce": lambda: call}

    def _gradient(self, inputs: Mapping[str, Tensor], nodes: int) -> Forms:
        x, g = inputs["x"].requires_grad_(), inputs["g"]

        def product() -> Form:
            matrix = self._csr(inputs, nodes)
            return Form(differentiate(lambda: matrix @ x, {"x": x}, g))

        def scattered() -> Form:
            return Form(differentiate(lambda: self._scattered(inputs, nodes, x), {"x": x}, g))

        return {"sparse CSR": product, "gather, index_add": scattered}

    def _dot(self, inputs: Mapping[str, Tensor], nodes: int) -> Forms:
        x, y = inputs["x"], inputs["y"]

        def call() -> Tensor:
            left, right = x.index_select(0, inputs["src"]), y.index_select(0, inputs["dst"])
            return (left * right).sum(-1, keepdim=True)

        return {"gather": lambda: _form(call)}

    def _softmax(self, inputs: Mapping[str, Tensor], nodes: int) -> Forms:
        return {
            "gather, scatter": lambda: _form(lambda: softmax(inputs["e"], inputs["dst"], nodes))
        }


_PLAIN = {
    "copy_u/sum": "_sum",
    "copy_u/sum hub": "_sum",
    "copy_u/sum large": "_sum",
    "copy_u/max": "_max",
    "copy_u/max large": "_max",
    "u_mul_e/sum": "_sum",
    "copy_u/sum fwd+bwd": "_gradient",
    "u_dot_v": "_dot",
    "edge_softmax": "_softmax",
}


def softmax(e: Tensor, dst: Tensor, nodes: int) -> Tensor:
    """Softmax over in-edges by gather and scatter."""
    index = dst.view(-1, *[1] * (e.dim() - 1)).expand_as(e)
    top = e.new_zeros((nodes, *e.shape[1:])).scatter_reduce(0, index, e, "amax", include_self=False)
    x = (e - top.detach().index_select(0, dst)).exp()
    return x / x.new_zeros(top.shape).index_add(0, dst, x).index_select(0, dst)


# -------------------------------------------------------------------------- attention and sampling


def attention_forms(row: Attention, device: torch.device, seed: int) -> dict[str, Forms]:
    """Dot-product attention with edges, in float16, forward and backward, by contender."""
    import gossamer as gs

    generator = torch.Generator().manual_seed(seed)
    # Neighbors in space are close in memory, as in grids: the ends of edges lie near a diagonal.
    dst = torch.arange(row.edges) * row.destinations // row.edges
    offset = torch.randint(-300, 300, (row.edges,), generator=generator)
    src = (dst * row.sources // row.destinations + offset).clamp(0, row.sources - 1)
    g = gs.create_block((src.to(device), dst.to(device)), row.sources, row.destinations)
    shapes = {"value": row.sources, "key": row.sources, "query": row.destinations}
    shapes["edge"] = row.edges
    x = {
        name: torch.randn(count, row.heads, row.features, generator=generator)
        .to(device, torch.float16)
        .requires_grad_()
        for name, count in shapes.items()
    }
    cotangent = torch.randn(row.destinations, row.heads, row.features, generator=generator)
    cotangent = cotangent.to(device, torch.float16)
    scale = row.features**-0.5
    ends = src.to(device), dst.to(device)

    def fused() -> Tensor:
        edges = {"edge_key": x["edge"], "edge_value": x["edge"]}
        return gs.ops.graph_attention(g, x["value"], x["key"], x["query"], scale=scale, **edges)

    def plain() -> Tensor:
        key, value = (x[name].index_select(0, ends[0]) + x["edge"] for name in ("key", "value"))
        score = (key * x["query"].index_select(0, ends[1])).sum(-1) * scale
        weight = softmax(score, ends[1], row.destinations).unsqueeze(-1)
        return torch.zeros_like(cotangent).index_add(0, ends[1], weight * value)

    return {
        "gossamer": {"fused": lambda: Form(differentiate(fused, x, cotangent))},
        "torch": {"gather, scatter": lambda: Form(differentiate(plain, x, cotangent))},
    }


def sampling_forms(
    ends: tuple[Tensor, Tensor], nodes: int, device: torch.device, seeds: int
) -> dict[str, Callable[[], list]]:
    """Draws of 10 in-neighbors by contender: Gossamer on the device, and on the CPU."""
    from gossamer.ops.adjacency import Adjacency
    from gossamer.sampling import _core

    rows = torch.randint(nodes, (seeds,), generator=torch.Generator().manual_seed(1))
    found = {}
    for name, where in (("gossamer", device), ("gossamer CPU", torch.device("cpu"))):
        coo = tuple(x.to(where) for x in ends)
        csc = Adjacency(nodes, nodes, torch.int64, coo=coo).csc()
        relation = _core.relation(csc, rows.to(where), 10, key=7)
        found[name] = lambda relation=relation: _core.layer([relation])
    return found
