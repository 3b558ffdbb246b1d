"""Operators by name: ``u_mul_e_sum(g, x, w)`` is ``gspmm(g, "mul", "sum", x, w)``.

In a name, ``u`` is the source node of an edge, ``v`` its destination and ``e`` the edge itself. See
:func:`gossamer.ops.gspmm` and :func:`gossamer.ops.gsddmm` for shapes, broadcasting and errors.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor

from gossamer.ops.sddmm import gsddmm
from gossamer.ops.spmm import gspmm

__all__ = [
    "copy_e_max", "copy_e_mean", "copy_e_min", "copy_e_sum", "copy_u", "copy_u_max", "copy_u_mean",
    "copy_u_min", "copy_u_sum", "copy_v", "e_add_u", "e_add_v", "e_div_u", "e_div_v", "e_dot_u",
    "e_dot_v", "e_mul_u", "e_mul_v", "e_sub_u", "e_sub_v", "u_add_e", "u_add_e_max", "u_add_e_mean",
    "u_add_e_min", "u_add_e_sum", "u_add_v", "u_div_e", "u_div_e_max", "u_div_e_mean",
    "u_div_e_min", "u_div_e_sum", "u_div_v", "u_dot_e", "u_dot_v", "u_mul_e", "u_mul_e_max",
    "u_mul_e_mean", "u_mul_e_min", "u_mul_e_sum", "u_mul_v", "u_sub_e", "u_sub_e_max",
    "u_sub_e_mean", "u_sub_e_min", "u_sub_e_sum", "u_sub_v", "v_add_e", "v_add_u", "v_div_e",
    "v_div_u", "v_dot_e", "v_dot_u", "v_mul_e", "v_mul_u", "v_sub_e", "v_sub_u",
]  # fmt: skip


def copy_u_sum(g: Any, x: Tensor) -> Tensor:
    """At each destination, sum the source features ``(N_src, *f)`` of its in-edges."""
    return gspmm(g, "copy_lhs", "sum", x, None)


def copy_e_sum(g: Any, x: Tensor) -> Tensor:
    """At each destination, sum the edge features ``(E, *f)`` of its in-edges."""
    return gspmm(g, "copy_rhs", "sum", None, x)


def copy_u_mean(g: Any, x: Tensor) -> Tensor:
    """At each destination, average the source features ``(N_src, *f)`` of its in-edges."""
    return gspmm(g, "copy_lhs", "mean", x, None)


def copy_e_mean(g: Any, x: Tensor) -> Tensor:
    """At each destination, average the edge features ``(E, *f)`` of its in-edges."""
    return gspmm(g, "copy_rhs", "mean", None, x)


def copy_u_max(g: Any, x: Tensor) -> Tensor:
    """Largest source feature ``(N_src, *f)`` of the in-edges of each destination."""
    return gspmm(g, "copy_lhs", "max", x, None)


def copy_e_max(g: Any, x: Tensor) -> Tensor:
    """Largest of the edge features ``(E, *f)`` of the in-edges of each destination."""
    return gspmm(g, "copy_rhs", "max", None, x)


def copy_u_min(g: Any, x: Tensor) -> Tensor:
    """Smallest source feature ``(N_src, *f)`` of the in-edges of each destination."""
    return gspmm(g, "copy_lhs", "min", x, None)


def copy_e_min(g: Any, x: Tensor) -> Tensor:
    """Smallest of the edge features ``(E, *f)`` of the in-edges of each destination."""
    return gspmm(g, "copy_rhs", "min", None, x)


def u_add_e_sum(g: Any, x: Tensor, y: Tensor) -> Tensor:
    """At each destination, sum the sums of source `x` and edge `y` over its in-edges."""
    return gspmm(g, "add", "sum", x, y)


def u_add_e_mean(g: Any, x: Tensor, y: Tensor) -> Tensor:
    """At each destination, average the sums of source `x` and edge `y` over its in-edges."""
    return gspmm(g, "add", "mean", x, y)


def u_add_e_max(g: Any, x: Tensor, y: Tensor) -> Tensor:
    """Largest sum of source `x` and edge `y` over the in-edges of each destination."""
    return gspmm(g, "add", "max", x, y)


def u_add_e_min(g: Any, x: Tensor, y: Tensor) -> Tensor:
    """Smallest sum of source `x` and edge `y` over the in-edges of each destination."""
    return gspmm(g, "add", "min", x, y)


def u_sub_e_sum(g: Any, x: Tensor, y: Tensor) -> Tensor:
    """At each destination, sum the differences of source `x` and edge `y` over its in-edges."""
    return gspmm(g, "sub", "sum", x, y)


def u_sub_e_mean(g: Any, x: Tensor, y: Tensor) -> Tensor:
    """At each destination, average the differences of source `x` and edge `y` over its in-edges."""
    return gspmm(g, "sub", "mean", x, y)


def u_sub_e_max(g: Any, x: Tensor, y: Tensor) -> Tensor:
    """Largest difference of source `x` and edge `y` over the in-edges of each destination."""
    return gspmm(g, "sub", "max", x, y)


def u_sub_e_min(g: Any, x: Tensor, y: Tensor) -> Tensor:
    """Smallest difference of source `x` and edge `y` over the in-edges of each destination."""
    return gspmm(g, "sub", "min", x, y)


def u_mul_e_sum(g: Any, x: Tensor, y: Tensor) -> Tensor:
    """At each destination, sum the products of source `x` and edge `y` over its in-edges."""
    return gspmm(g, "mul", "sum", x, y)


def u_mul_e_mean(g: Any, x: Tensor, y: Tensor) -> Tensor:
    """At each destination, average the products of source `x` and edge `y` over its in-edges."""
    return gspmm(g, "mul", "mean", x, y)


def u_mul_e_max(g: Any, x: Tensor, y: Tensor) -> Tensor:
    """Largest product of source `x` and edge `y` over the in-edges of each destination."""
    return gspmm(g, "mul", "max", x, y)


def u_mul_e_min(g: Any, x: Tensor, y: Tensor) -> Tensor:
    """Smallest product of source `x` and edge `y` over the in-edges of each destination."""
    return gspmm(g, "mul", "min", x, y)


def u_div_e_sum(g: Any, x: Tensor, y: Tensor) -> Tensor:
    """At each destination, sum the quotients of source `x` and edge `y` over its in-edges."""
    return gspmm(g, "div", "sum", x, y)


def u_div_e_mean(g: Any, x: Tensor, y: Tensor) -> Tensor:
    """At each destination, average the quotients of source `x` and edge `y` over its in-edges."""
    return gspmm(g, "div", "mean", x, y)


def u_div_e_max(g: Any, x: Tensor, y: Tensor) -> Tensor:
    """Largest quotient of source `x` and edge `y` over the in-edges of each destination."""
    return gspmm(g, "div", "max", x, y)


def u_div_e_min(g: Any, x: Tensor, y: Tensor) -> Tensor:
    """Smallest quotient of source `x` and edge `y` over the in-edges of each destination."""
    return gspmm(g, "div", "min", x, y)


def copy_u(g: Any, x: Tensor) -> Tensor:
    """Copy the features of source nodes to edges, ``(E, *f)``."""
    return gsddmm(g, "copy_lhs", x, None, "u")


def copy_v(g: Any, x: Tensor) -> Tensor:
    """Copy the features of destination nodes to edges, ``(E, *f)``."""
    return gsddmm(g, "copy_lhs", x, None, "v")


def u_add_v(g: Any, x: Tensor, y: Tensor) -> Tensor:
    """On each edge, compute the sum of source feature `x` and destination feature `y`."""
    return gsddmm(g, "add", x, y, "u", "v")


def u_add_e(g: Any, x: Tensor, y: Tensor) -> Tensor:
    """On each edge, compute the sum of source feature `x` and edge feature `y`."""
    return gsddmm(g, "add", x, y, "u", "e")


def v_add_u(g: Any, x: Tensor, y: Tensor) -> Tensor:
    """On each edge, compute the sum of destination feature `x` and source feature `y`."""
    return gsddmm(g, "add", x, y, "v", "u")


def v_add_e(g: Any, x: Tensor, y: Tensor) -> Tensor:
    """On each edge, compute the sum of destination feature `x` and edge feature `y`."""
    return gsddmm(g, "add", x, y, "v", "e")


def e_add_u(g: Any, x: Tensor, y: Tensor) -> Tensor:
    """On each edge, compute the sum of edge feature `x` and source feature `y`."""
    return gsddmm(g, "add", x, y, "e", "u")


def e_add_v(g: Any, x: Tensor, y: Tensor) -> Tensor:
    """On each edge, compute the sum of edge feature `x` and destination feature `y`."""
    return gsddmm(g, "add", x, y, "e", "v")


def u_sub_v(g: Any, x: Tensor, y: Tensor) -> Tensor:
    """On each edge, compute the difference of source feature `x` and destination feature `y`."""
    return gsddmm(g, "sub", x, y, "u", "v")


def u_sub_e(g: Any, x: Tensor, y: Tensor) -> Tensor:
    """On each edge, compute the difference of source feature `x` and edge feature `y`."""
    return gsddmm(g, "sub", x, y, "u", "e")


def v_sub_u(g: Any, x: Tensor, y: Tensor) -> Tensor:
    """On each edge, compute the difference of destination feature `x` and source feature `y`."""
    return gsddmm(g, "sub", x, y, "v", "u")


def v_sub_e(g: Any, x: Tensor, y: Tensor) -> Tensor:
    """On each edge, compute the difference of destination feature `x` and edge feature `y`."""
    return gsddmm(g, "sub", x, y, "v", "e")


def e_sub_u(g: Any, x: Tensor, y: Tensor) -> Tensor:
    """On each edge, compute the difference of edge feature `x` and source feature `y`."""
    return gsddmm(g, "sub", x, y, "e", "u")


def e_sub_v(g: Any, x: Tensor, y: Tensor) -> Tensor:
    """On each edge, compute the difference of edge feature `x` and destination feature `y`."""
    return gsddmm(g, "sub", x, y, "e", "v")


def u_mul_v(g: Any, x: Tensor, y: Tensor) -> Tensor:
    """On each edge, compute the product of source feature `x` and destination feature `y`."""
    return gsddmm(g, "mul", x, y, "u", "v")


def u_mul_e(g: Any, x: Tensor, y: Tensor) -> Tensor:
    """On each edge, compute the product of source feature `x` and edge feature `y`."""
    return gsddmm(g, "mul", x, y, "u", "e")


def v_mul_u(g: Any, x: Tensor, y: Tensor) -> Tensor:
    """On each edge, compute the product of destination feature `x` and source feature `y`."""
    return gsddmm(g, "mul", x, y, "v", "u")


def v_mul_e(g: Any, x: Tensor, y: Tensor) -> Tensor:
    """On each edge, compute the product of destination feature `x` and edge feature `y`."""
    return gsddmm(g, "mul", x, y, "v", "e")


def e_mul_u(g: Any, x: Tensor, y: Tensor) -> Tensor:
    """On each edge, compute the product of edge feature `x` and source feature `y`."""
    return gsddmm(g, "mul", x, y, "e", "u")


def e_mul_v(g: Any, x: Tensor, y: Tensor) -> Tensor:
    """On each edge, compute the product of edge feature `x` and destination feature `y`."""
    return gsddmm(g, "mul", x, y, "e", "v")


def u_div_v(g: Any, x: Tensor, y: Tensor) -> Tensor:
    """On each edge, compute the quotient of source feature `x` and destination feature `y`."""
    return gsddmm(g, "div", x, y, "u", "v")


def u_div_e(g: Any, x: Tensor, y: Tensor) -> Tensor:
    """On each edge, compute the quotient of source feature `x` and edge feature `y`."""
    return gsddmm(g, "div", x, y, "u", "e")


def v_div_u(g: Any, x: Tensor, y: Tensor) -> Tensor:
    """On each edge, compute the quotient of destination feature `x` and source feature `y`."""
    return gsddmm(g, "div", x, y, "v", "u")


def v_div_e(g: Any, x: Tensor, y: Tensor) -> Tensor:
    """On each edge, compute the quotient of destination feature `x` and edge feature `y`."""
    return gsddmm(g, "div", x, y, "v", "e")


def e_div_u(g: Any, x: Tensor, y: Tensor) -> Tensor:
    """On each edge, compute the quotient of edge feature `x` and source feature `y`."""
    return gsddmm(g, "div", x, y, "e", "u")


def e_div_v(g: Any, x: Tensor, y: Tensor) -> Tensor:
    """On each edge, compute the quotient of edge feature `x` and destination feature `y`."""
    return gsddmm(g, "div", x, y, "e", "v")


def u_dot_v(g: Any, x: Tensor, y: Tensor) -> Tensor:
    """On each edge, compute the dot product of source feature `x` and destination feature `y`."""
    return gsddmm(g, "dot", x, y, "u", "v")


def u_dot_e(g: Any, x: Tensor, y: Tensor) -> Tensor:
    """On each edge, compute the dot product of source feature `x` and edge feature `y`."""
    return gsddmm(g, "dot", x, y, "u", "e")


def v_dot_u(g: Any, x: Tensor, y: Tensor) -> Tensor:
    """On each edge, compute the dot product of destination feature `x` and source feature `y`."""
    return gsddmm(g, "dot", x, y, "v", "u")


def v_dot_e(g: Any, x: Tensor, y: Tensor) -> Tensor:
    """On each edge, compute the dot product of destination feature `x` and edge feature `y`."""
    return gsddmm(g, "dot", x, y, "v", "e")


def e_dot_u(g: Any, x: Tensor, y: Tensor) -> Tensor:
    """On each edge, compute the dot product of edge feature `x` and source feature `y`."""
    return gsddmm(g, "dot", x, y, "e", "u")


def e_dot_v(g: Any, x: Tensor, y: Tensor) -> Tensor:
    """On each edge, compute the dot product of edge feature `x` and destination feature `y`."""
    return gsddmm(g, "dot", x, y, "e", "v")
