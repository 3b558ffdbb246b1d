"""Built-in reduce functions: sum, mean, max and min of the messages that a node receives."""

from __future__ import annotations

from dataclasses import dataclass

from gossamer.errors import InvalidTypeError

__all__ = ["ReduceFunction", "max", "mean", "min", "sum"]


@dataclass(frozen=True)
class ReduceFunction:
    """A built-in reduction of the messages `msg_field` to the node feature `out_field`."""

    name: str
    msg_field: str
    out_field: str

    def __post_init__(self) -> None:
        for field in (self.msg_field, self.out_field):
            if not isinstance(field, str):
                raise InvalidTypeError(
                    f"Built-in reduce functions take names, got {field!r} of type "
                    f"{type(field).__name__}. Did you mean torch.{self.name}?"
                )

    def __repr__(self) -> str:
        return f"{self.name}({self.msg_field!r}, {self.out_field!r})"


def sum(msg: str, out: str) -> ReduceFunction:
    """Sum the messages; 0 for a node that receives none.

    Equals ``lambda nodes: {out: nodes.mailbox[msg].sum(1)}``.

    Examples
    --------
    >>> sum("m", "h")
    sum('m', 'h')
    """
    return ReduceFunction("sum", msg, out)


def mean(msg: str, out: str) -> ReduceFunction:
    """Average the messages; 0 for a node that receives none.

    Equals ``lambda nodes: {out: nodes.mailbox[msg].mean(1)}``.
    """
    return ReduceFunction("mean", msg, out)


def max(msg: str, out: str) -> ReduceFunction:
    """Take the elementwise maximum of the messages; 0 for a node that receives none.

    Equals ``lambda nodes: {out: nodes.mailbox[msg].amax(1)}``, except that only the first of equal
    messages receives the gradient.
    """
    return ReduceFunction("max", msg, out)


def min(msg: str, out: str) -> ReduceFunction:
    """Take the elementwise minimum of the messages; 0 for a node that receives none.

    Equals ``lambda nodes: {out: nodes.mailbox[msg].amin(1)}``, except that only the first of equal
    messages receives the gradient.
    """
    return ReduceFunction("min", msg, out)
