"""Comparisons that look harder than ``==``.

Every helper raises AssertionError with what differs; none returns a verdict that could be dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from gossamer import Graph

# --- graphs ----------------------------------------------------------------------------------


def assert_graph_equal(actual: Graph, expected: Graph, *, features: bool = True) -> None:
    """Assert that two graphs are valid and the same: schema, edges in id order, batch, features.

    The kept formats (COO, CSR, CSC) may differ: they are a cache. `features=False` leaves node and
    edge features out.
    """
    assert_graph_valid(actual)
    assert_graph_valid(expected)
    _assert_same("node types", actual.ntypes, expected.ntypes)
    _assert_same("source types", actual.srctypes, expected.srctypes)
    _assert_same("destination types", actual.dsttypes, expected.dsttypes)
    _assert_same("edge types", actual.canonical_etypes, expected.canonical_etypes)
    for what in ("is_block", "idtype", "device", "batch_size"):
        _assert_same(what, getattr(actual, what), getattr(expected, what))

    for ntype in expected.srctypes:
        found, wanted = actual.num_src_nodes(ntype), expected.num_src_nodes(ntype)
        _assert_same(f"number of source nodes '{ntype}'", found, wanted)
    for ntype in expected.dsttypes:
        found, wanted = actual.num_dst_nodes(ntype), expected.num_dst_nodes(ntype)
        _assert_same(f"number of destination nodes '{ntype}'", found, wanted)
    for etype in expected.canonical_etypes:
        for side, found, wanted in zip(
            ("sources", "destinations"), _edges(actual, etype), _edges(expected, etype), strict=True
        ):
            assert_tensor_equal(found, wanted, f"{side} of {etype}")

    if not expected.is_block:
        for ntype in expected.ntypes:
            found, wanted = actual.batch_num_nodes(ntype), expected.batch_num_nodes(ntype)
            assert_tensor_equal(found, wanted, f"batch_num_nodes('{ntype}')")
        for etype in expected.canonical_etypes:
            found, wanted = actual.batch_num_edges(etype), expected.batch_num_edges(etype)
            assert_tensor_equal(found, wanted, f"batch_num_edges({etype})")

    if features:
        wanted_frames = dict(_frames(expected))
        for label, (_, found) in dict(_frames(actual)).items():
            _, wanted = wanted_frames[label]
            _assert_same(f"feature names of {label}", sorted(found), sorted(wanted))
            for name in wanted:
                assert_tensor_equal(found[name], wanted[name], f"feature '{name}' of {label}")


def assert_graph_valid(g: Graph, *, ordered: bool = True) -> None:
    """Assert the invariants of a graph: ids, the formats of each relation, feature lengths.

    With `ordered`, the edges of a row of CSR or CSC are in insertion order, as in formats that the
    graph builds itself. A file may hold them in another order.
    """
    for etype in g.canonical_etypes:
        num_src, num_dst = g.num_src_nodes(etype[0]), g.num_dst_nodes(etype[2])
        src, dst = _edges(g, etype)
        num_edges = g.num_edges(etype)
        for side, ids, bound in (("source", src, num_src), ("destination", dst, num_dst)):
            what = f"{side} ids of {etype}"
            assert ids.shape == (num_edges,), f"{what}: shape {tuple(ids.shape)}, {num_edges} edges"
            assert ids.dtype == g.idtype, f"{what}: {ids.dtype}, the graph's id type is {g.idtype}"
            assert ids.device == g.device, f"{what} on {ids.device}, the graph on {g.device}"
            if num_edges:
                low, high = int(ids.min()), int(ids.max())
                assert low >= 0 and high < bound, f"{what}: {low}..{high}, {bound} nodes"
        known = {name for names in g.formats().values() for name in names}
        if "csr" in known:
            _assert_compressed(g, etype, "csr", src, dst, num_src, ordered)
        if "csc" in known:
            _assert_compressed(g, etype, "csc", dst, src, num_dst, ordered)

    for label, (length, frame) in _frames(g):
        for name, value in frame.items():
            assert len(value) == length, f"feature '{name}' of {label}: {len(value)}, not {length}"
            assert value.device == g.device, f"feature '{name}' of {label} on {value.device}"


def _assert_compressed(
    g: Graph,
    etype: tuple[str, str, str],
    fmt: str,
    rows: torch.Tensor,
    cols: torch.Tensor,
    num: int,
    ordered: bool,
) -> None:
    """Assert that CSR (or CSC, with rows and columns swapped) says the same as the edge list."""
    indptr, indices, eids = g.adj_tensors(fmt, etype)
    what = f"{fmt} of {etype}"
    assert indptr.shape == (num + 1,), f"{what}: indptr has {len(indptr)} entries for {num} rows"
    assert int(indptr[0]) == 0, f"{what}: indptr starts at {int(indptr[0])}"
    assert int(indptr[-1]) == len(rows), f"{what}: indptr ends at {int(indptr[-1])}"
    lengths = indptr.diff()
    assert bool((lengths >= 0).all()), f"{what}: indptr descends"
    for name, tensor in (("indptr", indptr), ("indices", indices), ("eids", eids)):
        assert tensor.dtype == g.idtype, f"{what}: {name} is {tensor.dtype}, not {g.idtype}"

    eids = eids.long()
    assert torch.equal(eids.sort().values, torch.arange(len(rows), device=eids.device)), (
        f"{what}: the edge ids are no permutation of 0..{len(rows) - 1}: {eids.tolist()[:20]}"
    )
    row_of_slot = torch.repeat_interleave(torch.arange(num, device=eids.device), lengths.long())
    assert_tensor_equal(row_of_slot.to(rows.dtype), rows[eids], f"{what}: rows by slot")
    assert_tensor_equal(indices, cols[eids], f"{what}: neighbors by slot")
    if not ordered:
        return
    within = row_of_slot[1:] == row_of_slot[:-1]
    ascending = eids[1:] > eids[:-1]
    assert bool((ascending | ~within).all()), f"{what}: edges of a row are not in insertion order"


def _edges(g: Graph, etype: tuple[str, str, str]) -> tuple[torch.Tensor, torch.Tensor]:
    return g.edges(form="uv", order="eid", etype=etype)


def _frames(g: Graph) -> list[tuple[str, tuple[int, Mapping[str, torch.Tensor]]]]:
    """List (label, (length, features)) of each source type, destination type and edge type."""
    sources = [
        (f"source nodes '{t}'", (g.num_src_nodes(t), g.srcnodes[t].data)) for t in g.srctypes
    ]
    destinations = [
        (f"destination nodes '{t}'", (g.num_dst_nodes(t), g.dstnodes[t].data)) for t in g.dsttypes
    ]
    edges = [(f"edges {t}", (g.num_edges(t), g.edges[t].data)) for t in g.canonical_etypes]
    return sources + destinations + edges


def _assert_same(what: str, actual: Any, expected: Any) -> None:
    assert actual == expected, f"{what}: got {actual!r}, expected {expected!r}"


# --- tensors ---------------------------------------------------------------------------------


def assert_tensor_equal(actual: torch.Tensor, expected: torch.Tensor, what: str = "tensor") -> None:
    """Assert the same shape, dtype, device and values; NaN equals NaN."""
    torch.testing.assert_close(
        actual, expected, rtol=0, atol=0, equal_nan=True, msg=lambda text: f"{what}: {text}"
    )


def assert_close_to_truth(
    actual: torch.Tensor,
    expected64: torch.Tensor,
    same_precision: torch.Tensor,
    what: str = "result",
) -> None:
    """Assert that the error is at most twice that of plain torch in the same precision.

    Parameters
    ----------
    actual : Tensor
        The result under test.
    expected64 : Tensor
        The truth, computed in float64.
    same_precision : Tensor
        Plain torch's result in the dtype of `actual`. Its largest error, doubled, is allowed, and
        no less than one rounding of the largest value, since torch may happen to be exact.
    what : str
        How the message calls the result.
    """
    assert actual.shape == expected64.shape == same_precision.shape, (
        f"{what}: shape {tuple(actual.shape)}, truth {tuple(expected64.shape)}, "
        f"torch {tuple(same_precision.shape)}"
    )
    assert expected64.dtype == torch.float64, f"{what}: the truth is {expected64.dtype}"
    assert actual.dtype == same_precision.dtype, (
        f"{what}: {actual.dtype}, but torch gives {same_precision.dtype}"
    )
    truth = expected64.to(actual.dtype)
    finite = truth.isfinite()
    assert_tensor_equal(actual[~finite], truth[~finite], f"{what}, where the truth is not finite")
    assert bool(actual[finite].isfinite().all()), f"{what}: not finite where the truth is"
    if not bool(finite.any()):
        return

    exact = expected64[finite]
    error = (actual[finite].double() - exact).abs()
    torch_error = float((same_precision[finite].double() - exact).abs().max())
    rounding = torch.finfo(actual.dtype).eps * float(exact.abs().max())
    allowed = max(2 * torch_error, rounding)
    worst = int(error.argmax())
    assert float(error[worst]) <= allowed, (
        f"{what}: largest error {float(error[worst]):.3g} at {finite.nonzero()[worst].tolist()} "
        f"(got {float(actual[finite][worst]):.9g}, truth {float(exact[worst]):.9g}); "
        f"allowed {allowed:.3g}, torch's own is {torch_error:.3g}"
    )


# --- gradients -------------------------------------------------------------------------------


def random_cotangent_grads(
    fn: Callable[..., torch.Tensor | Sequence[torch.Tensor]],
    inputs: Sequence[Any] | Mapping[str, Any],
    *,
    seed: int = 0,
) -> tuple[tuple[torch.Tensor, ...], Any]:
    """Run `fn` forward and, with a random cotangent, backward.

    The cotangents depend on `seed` and the output shapes alone, so two implementations of one
    function, in any precision, are pulled back along the same directions. A plain ``.sum()`` would
    send ones everywhere, and a backward that reads the wrong row would pass.

    Parameters
    ----------
    fn : callable
        Returns a tensor or a sequence of tensors.
    inputs : sequence or mapping
        Arguments by position or by name. Floating-point tensors get a gradient.

    Returns
    -------
    outputs : tuple of Tensor
        Detached.
    grads : tuple or dict
        One entry per input, in the form of `inputs`: a gradient, or None for an input that is no
        floating-point tensor or that the outputs do not depend on.
    """
    named = dict(inputs) if isinstance(inputs, Mapping) else dict(enumerate(inputs))
    leaves = {
        key: value.detach().clone().requires_grad_()
        for key, value in named.items()
        if isinstance(value, torch.Tensor) and value.is_floating_point()
    }
    values = {key: leaves.get(key, value) for key, value in named.items()}
    result = fn(**values) if isinstance(inputs, Mapping) else fn(*values.values())
    outputs = (result,) if isinstance(result, torch.Tensor) else tuple(result)

    differentiable = [out for out in outputs if out.requires_grad]
    if not differentiable:
        raise AssertionError("no output requires a gradient")
    generator = torch.Generator().manual_seed(seed)
    cotangents = [
        torch.randn(out.shape, generator=generator, dtype=torch.float64).to(out)
        for out in differentiable
    ]
    found = torch.autograd.grad(
        differentiable, list(leaves.values()), cotangents, allow_unused=True
    )
    grads = dict.fromkeys(named) | dict(zip(leaves, found, strict=True))
    detached = tuple(out.detach() for out in outputs)
    return detached, grads if isinstance(inputs, Mapping) else tuple(grads.values())
