"""Code shared by GIN and GINE."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from gossamer._options import number_in, require_function
from gossamer.errors import InvalidValueError

__all__ = ["EpsilonBase"]


class EpsilonBase(nn.Module):
    r"""Base of GIN and GINE: :math:`f`, and :math:`\epsilon` as a parameter or a buffer."""

    def __init__(
        self, apply_func: Callable[[Tensor], Tensor] | None, init_eps: float, learn_eps: bool
    ) -> None:
        super().__init__()
        name = type(self).__name__
        require_function(apply_func, name, "apply_func")
        self.apply_func = apply_func
        self._init_eps = number_in(init_eps, name, "init_eps")
        if learn_eps:
            self.eps = nn.Parameter(torch.empty(1))
        else:
            self.register_buffer("eps", torch.empty(1))
        self.reset_parameters()

    def _check_rows(self, x: Tensor, x_dst: Tensor) -> None:
        """Raise unless source and destination features, which are added, have rows of one shape."""
        if x_dst.shape[1:] != x.shape[1:]:
            raise InvalidValueError(
                f"{type(self).__name__}: source and destination features are added, so their rows "
                f"must have one shape, but got {tuple(x.shape)} and {tuple(x_dst.shape)}."
            )

    def reset_parameters(self) -> None:
        r"""Reset :math:`\epsilon` to `init_eps`; `apply_func` is not changed."""
        nn.init.constant_(self.eps, self._init_eps)

    def extra_repr(self) -> str:
        """Return the arguments of the constructor, for `repr`."""
        return f"init_eps={self._init_eps}, learn_eps={isinstance(self.eps, nn.Parameter)}"
