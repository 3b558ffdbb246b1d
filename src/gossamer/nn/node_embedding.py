"""Embeddings of nodes that are trained by a sparse optimizer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from gossamer._options import as_device, as_int, require_function
from gossamer.errors import InvalidTypeError, InvalidValueError
from gossamer.graph.ids import as_id_tensor, check_range

__all__ = ["NodeEmbedding"]


class NodeEmbedding:
    r"""One trainable row per node, of which a mini-batch reads and updates only a few.

    A call returns the rows of some nodes and records them; :class:`gossamer.optim.SparseAdam` or
    :class:`gossamer.optim.SparseAdagrad` then updates only these rows, so the cost of a step
    depends on the size of the mini-batch, not of the table. It is not a :class:`torch.nn.Module`:
    other optimizers and ``model.to(device)`` do not affect it.

    In a group of processes (after :func:`torch.distributed.init_process_group`), every process has
    a copy. The copies are initialized from rank 0, and the optimizers keep them equal.

    Parameters
    ----------
    num_embeddings : int
        Number of rows :math:`N`.
    embedding_dim : int
        Length :math:`D` of a row.
    name : str
        Name under which optimizers keep their state.
    init_func : callable, optional
        Function that takes a tensor of zeros of shape ``(N, D)`` and returns the initial values.
        Default: zeros.
    device : torch.device or str, optional
        Device of the table. Default: the CPU.
    partition : None, optional
        Accepted for compatibility; must be None, since every process keeps all rows.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        If an argument has the wrong type or is negative, or `init_func` returns another shape.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> embedding = gs.nn.NodeEmbedding(4, 2, "users", init_func=torch.nn.init.ones_)
    >>> optimizer = gs.optim.SparseAdagrad([embedding], lr=0.5)
    >>> optimizer.zero_grad()
    >>> embedding(torch.tensor([0, 3])).sum().backward()
    >>> optimizer.step()
    >>> embedding.weight
    tensor([[0.5000, 0.5000],
            [1.0000, 1.0000],
            [1.0000, 1.0000],
            [0.5000, 0.5000]])
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        name: str,
        init_func: Callable[[Tensor], Tensor] | None = None,
        device: torch.device | str | None = None,
        partition: Any = None,
    ) -> None:
        for what, size in (("num_embeddings", num_embeddings), ("embedding_dim", embedding_dim)):
            as_int(size, "NodeEmbedding", what, 0)
        if not isinstance(name, str):
            raise InvalidTypeError(f"NodeEmbedding: the name is a str, got {name!r}.")
        if partition is not None:
            raise InvalidValueError(
                "NodeEmbedding: partition must be None. Every process keeps all rows."
            )
        self._name = name
        self._optm_state: Any = None
        self._trace: list[tuple[Tensor, Tensor]] = []
        in_group = dist.is_available() and dist.is_initialized()
        self._rank = dist.get_rank() if in_group else -1
        self._world_size = dist.get_world_size() if in_group else 0
        require_function(init_func, "NodeEmbedding", "init_func")
        device = None if device is None else as_device(device)
        table = torch.zeros(num_embeddings, embedding_dim, device=device)
        self._weight = table if init_func is None else _initialized(table, init_func)
        if self._world_size > 1:
            self._take_from_first()

    def _take_from_first(self) -> None:
        # NCCL transfers GPU tensors only.
        shared = self._weight.cuda() if dist.get_backend() == "nccl" else self._weight
        dist.broadcast(shared, src=0)
        self._weight.copy_(shared)

    def __call__(self, node_ids: Tensor, device: torch.device | str | None = None) -> Tensor:
        """Return the rows of some nodes; record them for the optimizer if gradients are enabled.

        Parameters
        ----------
        node_ids : Tensor
            Ids of shape ``(n,)``, or of any other shape.
        device : torch.device or str, optional
            Device of the result. Default: the device of the table.

        Returns
        -------
        Tensor
            ``(n, D)``; a leaf that requires a gradient.

        Raises
        ------
        InvalidTypeError
            If the ids are not integers.
        OutOfRangeError
            If there is no such row.
        """
        shape = tuple(node_ids.shape) if isinstance(node_ids, Tensor) else None
        flat = node_ids.to(self._weight.device).reshape(-1) if shape is not None else node_ids
        ids = as_id_tensor(flat, "ids of rows", self._weight.device)
        check_range(ids, self.num_embeddings, "rows")
        rows = self._weight.index_select(0, ids).to(device or self._weight.device)
        if shape is not None:
            rows = rows.reshape(*shape, self.embedding_dim)
        if torch.is_grad_enabled():
            rows.requires_grad_()
            self._trace.append((ids, rows))
        return rows

    def __repr__(self) -> str:
        return f"NodeEmbedding({self.num_embeddings}, {self.embedding_dim}, name={self.name!r})"

    @property
    def weight(self) -> Tensor:
        """The table, ``(N, D)``; the optimizer updates it in place."""
        return self._weight

    @property
    def num_embeddings(self) -> int:
        """Number of rows."""
        return self._weight.shape[0]

    @property
    def embedding_dim(self) -> int:
        """Length of a row."""
        return self._weight.shape[1]

    @property
    def name(self) -> str:
        """The name under which optimizers keep their state."""
        return self._name

    @property
    def rank(self) -> int:
        """Number of this process in its group; -1 if there was none."""
        return self._rank

    @property
    def world_size(self) -> int:
        """Number of processes in the group; 0 if there was none."""
        return self._world_size

    @property
    def partition(self) -> None:
        """None: every process keeps all rows."""
        return None

    @property
    def trace(self) -> list[tuple[Tensor, Tensor]]:
        """The pairs (ids, rows) of the calls that no optimizer has processed yet."""
        return self._trace

    def reset_trace(self) -> None:
        """Clear the trace of calls."""
        self._trace = []

    @property
    def optm_state(self) -> Any:
        """The state that an optimizer keeps for these rows."""
        return self._optm_state

    def set_optm_state(self, state: Any) -> None:
        """Store the state of an optimizer."""
        self._optm_state = state

    def all_get_embedding(self) -> Tensor:
        """Return the whole table."""
        return self._weight

    def all_set_embedding(self, values: Tensor) -> None:
        """Overwrite the whole table; in a group, every process must do so.

        Raises
        ------
        InvalidValueError
            If `values` does not have the shape of the table.
        """
        if not isinstance(values, Tensor) or values.shape != self._weight.shape:
            shape = tuple(values.shape) if isinstance(values, Tensor) else type(values).__name__
            raise InvalidValueError(
                f"all_set_embedding: expected shape {tuple(self._weight.shape)}, got {shape}."
            )
        self._weight.copy_(values.detach())


def _initialized(table: Tensor, init_func: Callable[[Tensor], Tensor]) -> Tensor:
    with torch.no_grad():
        weight = init_func(table)
    weight = table if weight is None else weight
    if not isinstance(weight, Tensor) or weight.shape != table.shape:
        shape = tuple(weight.shape) if isinstance(weight, Tensor) else type(weight).__name__
        raise InvalidValueError(
            f"NodeEmbedding: init_func must return shape {tuple(table.shape)}, got {shape}."
        )
    # A copy: the result may share memory with the caller's tensor, or be an expanded view.
    return table.copy_(weight.detach())
