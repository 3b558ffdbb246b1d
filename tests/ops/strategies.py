"""Hypothesis strategies for what comes through the operators' door: graphs, features and ids."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from hypothesis import strategies as st
from torch import Tensor

import gossamer

DTYPES = [
    torch.float64,
    torch.float32,
    torch.float16,
    torch.bfloat16,
    torch.int64,
    torch.int8,
    torch.bool,
    torch.complex64,
]
FEATURES = st.lists(st.sampled_from([0, 1, 1, 2, 3]), max_size=3).map(tuple)
EXTREMES = [-1, 2**31 - 1, 2**31, 2**62, -(2**63), 2**63 - 1]
LAYOUTS = ["plain", "plain", "offset", "strided", "column", "transposed", "expanded"]


@st.composite
def arranged(draw, x: Tensor) -> Tensor:
    """The values of `x` in any layout; between them lies what no operator may read."""
    layout = draw(st.sampled_from(LAYOUTS))
    if layout == "plain" or x.dim() == 0:
        return x
    rows, between = x.shape[0], torch.ones_like(x)
    if layout == "offset":
        return torch.cat((between, x))[rows:]
    if layout == "strided":
        return torch.stack((between, x), 1).flatten(0, 1)[1::2]
    if layout == "column":
        return torch.stack((x, between), -1)[..., 0]
    if layout == "transposed":
        return x.movedim(0, -1).contiguous().movedim(-1, 0)
    return x[:1].expand(x.shape) if rows and bool((x == x[:1]).all()) else x


@st.composite
def graphs(draw) -> gossamer.Graph:
    """A relation between up to 6 and 6 nodes."""
    num_src, num_dst = draw(st.integers(0, 6)), draw(st.integers(0, 6))
    idtype = draw(st.sampled_from([torch.int32, torch.int64]))
    edges = draw(_edges(num_src, num_dst, idtype))
    sizes = {"user": num_src, "item": num_dst}
    g = gossamer.heterograph({("user", "rates", "item"): edges}, sizes, idtype=idtype)
    return g.formats(draw(st.sampled_from(["coo", "csr", "csc", ["coo", "csr", "csc"]])))


@st.composite
def graphs_of_two_relations(draw) -> gossamer.Graph:
    """Two relations that share the source type, the destination type or both."""
    ends = draw(st.sampled_from(["ab ab", "ab ac", "ac bc", "aa ba"])).split()
    sizes = {ntype: draw(st.integers(0, 4)) for ntype in "abc" if ntype in "".join(ends)}
    idtype = draw(st.sampled_from([torch.int32, torch.int64]))
    relations = {
        (src, name, dst): draw(_edges(sizes[src], sizes[dst], idtype))
        for name, (src, dst) in zip("rs", ends, strict=True)
    }
    return gossamer.heterograph(relations, sizes, idtype=idtype)


@st.composite
def _edges(draw, num_src: int, num_dst: int, idtype: torch.dtype) -> tuple[Tensor, Tensor]:
    count = draw(st.integers(0, 12)) if num_src and num_dst else 0
    ends = (
        draw(st.lists(st.integers(0, max(size - 1, 0)), min_size=count, max_size=count))
        for size in (num_src, num_dst)
    )
    return tuple(draw(arranged(torch.tensor(end, dtype=idtype))) for end in ends)


@st.composite
def features(
    draw, rows: int, shape: tuple[int, ...] | None = None, dtype: torch.dtype | None = None
) -> Tensor:
    """A tensor with about `rows` rows: mostly of one dtype, in any layout, never 0 in floats."""
    rows = draw(st.sampled_from([rows] * 12 + [rows + 1, max(rows - 1, 0), 1]))
    shape = (rows, *(draw(FEATURES) if shape is None else shape))
    if draw(st.integers(0, 39)) == 39:
        shape = ()
    usual = [torch.float64] * 6 + [torch.float32] * 2 if dtype is None else [dtype] * 50
    dtype = draw(st.sampled_from(usual + DTYPES))
    x = torch.randn(()).expand(shape) if draw(st.integers(0, 5)) == 0 else torch.randn(shape)
    x = x.to(dtype) if dtype.is_complex else (4 * x).round().add(0.5).to(dtype)
    return draw(asking(draw(arranged(x))))


@st.composite
def asking(draw, x: Tensor) -> Tensor:
    """`x`, which may want a gradient."""
    return x.requires_grad_() if x.is_floating_point() and draw(st.booleans()) else x


class Ids(NamedTuple):
    """Whole numbers as a user may pass them, and the list that they stand for; None if none."""

    given: Any
    meant: list[int] | None


@st.composite
def ids(draw, limit: int, most: int = 5) -> Ids:
    """A tensor of up to `most` numbers below `limit`, of either type of ids, in any layout.

    Now and then one is something else, or the whole.
    """
    numbers = draw(st.lists(st.integers(0, limit - 1), max_size=most)) if limit else []
    if draw(st.integers(0, 7)) == 7:
        numbers.insert(
            draw(st.integers(0, len(numbers))), draw(st.sampled_from([limit, *EXTREMES]))
        )
    fits = all(-(2**31) <= i < 2**31 for i in numbers)
    dtype = draw(st.sampled_from([torch.int32, torch.int64])) if fits else torch.int64
    given = draw(arranged(torch.tensor(numbers, dtype=dtype)))
    odd = draw(st.integers(0, 19))
    if odd == 17:
        return Ids(given.to(draw(st.sampled_from([torch.float32, torch.bool, torch.cfloat]))), None)
    if odd == 18:
        return Ids(given.unsqueeze(draw(st.sampled_from([0, 1]))), None)
    if odd == 19:
        return Ids(given.sum(), None)
    return Ids(given, numbers)
