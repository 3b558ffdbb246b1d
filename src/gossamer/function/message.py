"""Built-in message functions such as ``copy_u`` and ``u_mul_e``, one for each pair of operands.

In a name, ``u`` is the source node of an edge, ``v`` its destination and ``e`` the edge itself.
Each function returns a small description. Nothing is computed until it is passed to ``update_all``,
``apply_edges`` or another message-passing method of a graph.
"""

from __future__ import annotations

from dataclasses import dataclass

from gossamer.errors import InvalidTypeError

__all__ = [
    "MessageFunction", "copy_e", "copy_u", "e_add_u", "e_add_v", "e_div_u", "e_div_v", "e_dot_u",
    "e_dot_v", "e_mul_u", "e_mul_v", "e_sub_u", "e_sub_v", "u_add_e", "u_add_v", "u_div_e",
    "u_div_v", "u_dot_e", "u_dot_v", "u_mul_e", "u_mul_v", "u_sub_e", "u_sub_v", "v_add_e",
    "v_add_u", "v_div_e", "v_div_u", "v_dot_e", "v_dot_u", "v_mul_e", "v_mul_u", "v_sub_e",
    "v_sub_u",
]  # fmt: skip


@dataclass(frozen=True)
class MessageFunction:
    """A built-in message function: an operator on one or two features of an edge and its ends.

    Parameters
    ----------
    op : str
        ``copy_lhs``, ``add``, ``sub``, ``mul``, ``div`` or ``dot``.
    lhs_target, rhs_target : str
        Where each operand is read: ``"u"``, ``"v"`` or ``"e"``; None if there is one operand.
    lhs_field, rhs_field : str
        Feature names of the operands.
    out_field : str
        Name of the message.
    """

    op: str
    lhs_target: str
    lhs_field: str
    rhs_target: str | None
    rhs_field: str | None
    out_field: str

    def __post_init__(self) -> None:
        for field in (self.lhs_field, self.rhs_field, self.out_field):
            if field is not None and not isinstance(field, str):
                raise InvalidTypeError(
                    f"Built-in message functions take feature names, got {field!r} of type "
                    f"{type(field).__name__}. Store the tensor as a feature first."
                )

    @property
    def name(self) -> str:
        """The name of the function that returned this description."""
        if self.rhs_target is None:
            return f"copy_{self.lhs_target}"
        return f"{self.lhs_target}_{self.op}_{self.rhs_target}"

    @property
    def in_field(self) -> str:
        """The feature that ``copy_u`` or ``copy_e`` reads."""
        if self.rhs_target is not None:
            raise AttributeError(f"{self.name} reads two features: lhs_field and rhs_field.")
        return self.lhs_field

    def __repr__(self) -> str:
        fields = [self.lhs_field, self.rhs_field, self.out_field]
        return f"{self.name}({', '.join(repr(field) for field in fields if field is not None)})"


def copy_u(u: str, out: str) -> MessageFunction:
    """Send feature `u` of the source node.

    Equals ``lambda edges: {out: edges.src[u]}``.

    Examples
    --------
    >>> copy_u("h", "m")
    copy_u('h', 'm')
    """
    return MessageFunction("copy_lhs", "u", u, None, None, out)


def copy_e(e: str, out: str) -> MessageFunction:
    """Send feature `e` of the edge.

    Equals ``lambda edges: {out: edges.data[e]}``.
    """
    return MessageFunction("copy_lhs", "e", e, None, None, out)


def u_add_v(lhs_field: str, rhs_field: str, out: str) -> MessageFunction:
    """Add a feature of the source node and one of the destination node.

    Equals ``lambda edges: {out: edges.src[lhs_field] + edges.dst[rhs_field]}``.
    """
    return MessageFunction("add", "u", lhs_field, "v", rhs_field, out)


def u_add_e(lhs_field: str, rhs_field: str, out: str) -> MessageFunction:
    """Add a feature of the source node and one of the edge.

    Equals ``lambda edges: {out: edges.src[lhs_field] + edges.data[rhs_field]}``.
    """
    return MessageFunction("add", "u", lhs_field, "e", rhs_field, out)


def v_add_u(lhs_field: str, rhs_field: str, out: str) -> MessageFunction:
    """Add a feature of the destination node and one of the source node.

    Equals ``lambda edges: {out: edges.dst[lhs_field] + edges.src[rhs_field]}``.
    """
    return MessageFunction("add", "v", lhs_field, "u", rhs_field, out)


def v_add_e(lhs_field: str, rhs_field: str, out: str) -> MessageFunction:
    """Add a feature of the destination node and one of the edge.

    Equals ``lambda edges: {out: edges.dst[lhs_field] + edges.data[rhs_field]}``.
    """
    return MessageFunction("add", "v", lhs_field, "e", rhs_field, out)


def e_add_u(lhs_field: str, rhs_field: str, out: str) -> MessageFunction:
    """Add a feature of the edge and one of the source node.

    Equals ``lambda edges: {out: edges.data[lhs_field] + edges.src[rhs_field]}``.
    """
    return MessageFunction("add", "e", lhs_field, "u", rhs_field, out)


def e_add_v(lhs_field: str, rhs_field: str, out: str) -> MessageFunction:
    """Add a feature of the edge and one of the destination node.

    Equals ``lambda edges: {out: edges.data[lhs_field] + edges.dst[rhs_field]}``.
    """
    return MessageFunction("add", "e", lhs_field, "v", rhs_field, out)


def u_sub_v(lhs_field: str, rhs_field: str, out: str) -> MessageFunction:
    """Subtract a feature of the destination node from one of the source node.

    Equals ``lambda edges: {out: edges.src[lhs_field] - edges.dst[rhs_field]}``.
    """
    return MessageFunction("sub", "u", lhs_field, "v", rhs_field, out)


def u_sub_e(lhs_field: str, rhs_field: str, out: str) -> MessageFunction:
    """Subtract a feature of the edge from one of the source node.

    Equals ``lambda edges: {out: edges.src[lhs_field] - edges.data[rhs_field]}``.
    """
    return MessageFunction("sub", "u", lhs_field, "e", rhs_field, out)


def v_sub_u(lhs_field: str, rhs_field: str, out: str) -> MessageFunction:
    """Subtract a feature of the source node from one of the destination node.

    Equals ``lambda edges: {out: edges.dst[lhs_field] - edges.src[rhs_field]}``.
    """
    return MessageFunction("sub", "v", lhs_field, "u", rhs_field, out)


def v_sub_e(lhs_field: str, rhs_field: str, out: str) -> MessageFunction:
    """Subtract a feature of the edge from one of the destination node.

    Equals ``lambda edges: {out: edges.dst[lhs_field] - edges.data[rhs_field]}``.
    """
    return MessageFunction("sub", "v", lhs_field, "e", rhs_field, out)


def e_sub_u(lhs_field: str, rhs_field: str, out: str) -> MessageFunction:
    """Subtract a feature of the source node from one of the edge.

    Equals ``lambda edges: {out: edges.data[lhs_field] - edges.src[rhs_field]}``.
    """
    return MessageFunction("sub", "e", lhs_field, "u", rhs_field, out)


def e_sub_v(lhs_field: str, rhs_field: str, out: str) -> MessageFunction:
    """Subtract a feature of the destination node from one of the edge.

    Equals ``lambda edges: {out: edges.data[lhs_field] - edges.dst[rhs_field]}``.
    """
    return MessageFunction("sub", "e", lhs_field, "v", rhs_field, out)


def u_mul_v(lhs_field: str, rhs_field: str, out: str) -> MessageFunction:
    """Multiply a feature of the source node by one of the destination node.

    Equals ``lambda edges: {out: edges.src[lhs_field] * edges.dst[rhs_field]}``.
    """
    return MessageFunction("mul", "u", lhs_field, "v", rhs_field, out)


def u_mul_e(lhs_field: str, rhs_field: str, out: str) -> MessageFunction:
    """Multiply a feature of the source node by one of the edge.

    Equals ``lambda edges: {out: edges.src[lhs_field] * edges.data[rhs_field]}``.
    """
    return MessageFunction("mul", "u", lhs_field, "e", rhs_field, out)


def v_mul_u(lhs_field: str, rhs_field: str, out: str) -> MessageFunction:
    """Multiply a feature of the destination node by one of the source node.

    Equals ``lambda edges: {out: edges.dst[lhs_field] * edges.src[rhs_field]}``.
    """
    return MessageFunction("mul", "v", lhs_field, "u", rhs_field, out)


def v_mul_e(lhs_field: str, rhs_field: str, out: str) -> MessageFunction:
    """Multiply a feature of the destination node by one of the edge.

    Equals ``lambda edges: {out: edges.dst[lhs_field] * edges.data[rhs_field]}``.
    """
    return MessageFunction("mul", "v", lhs_field, "e", rhs_field, out)


def e_mul_u(lhs_field: str, rhs_field: str, out: str) -> MessageFunction:
    """Multiply a feature of the edge by one of the source node.

    Equals ``lambda edges: {out: edges.data[lhs_field] * edges.src[rhs_field]}``.
    """
    return MessageFunction("mul", "e", lhs_field, "u", rhs_field, out)


def e_mul_v(lhs_field: str, rhs_field: str, out: str) -> MessageFunction:
    """Multiply a feature of the edge by one of the destination node.

    Equals ``lambda edges: {out: edges.data[lhs_field] * edges.dst[rhs_field]}``.
    """
    return MessageFunction("mul", "e", lhs_field, "v", rhs_field, out)


def u_div_v(lhs_field: str, rhs_field: str, out: str) -> MessageFunction:
    """Divide a feature of the source node by one of the destination node.

    Equals ``lambda edges: {out: edges.src[lhs_field] / edges.dst[rhs_field]}``.
    """
    return MessageFunction("div", "u", lhs_field, "v", rhs_field, out)


def u_div_e(lhs_field: str, rhs_field: str, out: str) -> MessageFunction:
    """Divide a feature of the source node by one of the edge.

    Equals ``lambda edges: {out: edges.src[lhs_field] / edges.data[rhs_field]}``.
    """
    return MessageFunction("div", "u", lhs_field, "e", rhs_field, out)


def v_div_u(lhs_field: str, rhs_field: str, out: str) -> MessageFunction:
    """Divide a feature of the destination node by one of the source node.

    Equals ``lambda edges: {out: edges.dst[lhs_field] / edges.src[rhs_field]}``.
    """
    return MessageFunction("div", "v", lhs_field, "u", rhs_field, out)


def v_div_e(lhs_field: str, rhs_field: str, out: str) -> MessageFunction:
    """Divide a feature of the destination node by one of the edge.

    Equals ``lambda edges: {out: edges.dst[lhs_field] / edges.data[rhs_field]}``.
    """
    return MessageFunction("div", "v", lhs_field, "e", rhs_field, out)


def e_div_u(lhs_field: str, rhs_field: str, out: str) -> MessageFunction:
    """Divide a feature of the edge by one of the source node.

    Equals ``lambda edges: {out: edges.data[lhs_field] / edges.src[rhs_field]}``.
    """
    return MessageFunction("div", "e", lhs_field, "u", rhs_field, out)


def e_div_v(lhs_field: str, rhs_field: str, out: str) -> MessageFunction:
    """Divide a feature of the edge by one of the destination node.

    Equals ``lambda edges: {out: edges.data[lhs_field] / edges.dst[rhs_field]}``.
    """
    return MessageFunction("div", "e", lhs_field, "v", rhs_field, out)


def u_dot_v(lhs_field: str, rhs_field: str, out: str) -> MessageFunction:
    """Take the dot product, over the last dimension, of a source and a destination node feature.

    Equals ``lambda edges:
    {out: (edges.src[lhs_field] * edges.dst[rhs_field]).sum(-1, keepdim=True)}``.
    """
    return MessageFunction("dot", "u", lhs_field, "v", rhs_field, out)


def u_dot_e(lhs_field: str, rhs_field: str, out: str) -> MessageFunction:
    """Take the dot product, over the last dimension, of a source node and an edge feature.

    Equals ``lambda edges:
    {out: (edges.src[lhs_field] * edges.data[rhs_field]).sum(-1, keepdim=True)}``.
    """
    return MessageFunction("dot", "u", lhs_field, "e", rhs_field, out)


def v_dot_u(lhs_field: str, rhs_field: str, out: str) -> MessageFunction:
    """Take the dot product, over the last dimension, of a destination and a source node feature.

    Equals ``lambda edges:
    {out: (edges.dst[lhs_field] * edges.src[rhs_field]).sum(-1, keepdim=True)}``.
    """
    return MessageFunction("dot", "v", lhs_field, "u", rhs_field, out)


def v_dot_e(lhs_field: str, rhs_field: str, out: str) -> MessageFunction:
    """Take the dot product, over the last dimension, of a destination node and an edge feature.

    Equals ``lambda edges:
    {out: (edges.dst[lhs_field] * edges.data[rhs_field]).sum(-1, keepdim=True)}``.
    """
    return MessageFunction("dot", "v", lhs_field, "e", rhs_field, out)


def e_dot_u(lhs_field: str, rhs_field: str, out: str) -> MessageFunction:
    """Take the dot product, over the last dimension, of an edge and a source node feature.

    Equals ``lambda edges:
    {out: (edges.data[lhs_field] * edges.src[rhs_field]).sum(-1, keepdim=True)}``.
    """
    return MessageFunction("dot", "e", lhs_field, "u", rhs_field, out)


def e_dot_v(lhs_field: str, rhs_field: str, out: str) -> MessageFunction:
    """Take the dot product, over the last dimension, of an edge and a destination node feature.

    Equals ``lambda edges:
    {out: (edges.data[lhs_field] * edges.dst[rhs_field]).sum(-1, keepdim=True)}``.
    """
    return MessageFunction("dot", "e", lhs_field, "v", rhs_field, out)
