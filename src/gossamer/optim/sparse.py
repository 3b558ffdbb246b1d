"""Sparse Adam and Adagrad for embedding tables."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
import torch.distributed as dist
from torch import Tensor

from gossamer.errors import InvalidTypeError, InvalidValueError

if TYPE_CHECKING:
    from gossamer.nn import NodeEmbedding

__all__ = ["SparseAdagrad", "SparseAdam", "SparseOptimizer"]


class SparseOptimizer(ABC):
    """Base class of sparse optimizers, which average the gradients of recorded look-ups per row.

    Parameters
    ----------
    params : list of NodeEmbedding
        The tables to train.
    lr : float
        Learning rate.
    """

    def __init__(self, params: Sequence[NodeEmbedding], lr: float, **settings: Any) -> None:
        if not isinstance(params, (list, tuple)):
            raise InvalidTypeError(
                f"Parameters are a list of NodeEmbedding, got {type(params).__name__}."
            )
        if not params:
            raise InvalidValueError(
                "The list of parameters is empty; a sparse optimizer needs one."
            )
        for embedding in params:
            # Checked by its attributes, since optimizers must not import layers.
            if not all(hasattr(embedding, name) for name in ("weight", "trace", "reset_trace")):
                raise InvalidTypeError(
                    "A sparse optimizer trains gossamer.nn.NodeEmbedding, got "
                    f"{type(embedding).__name__}. Use torch.optim for other parameters."
                )
        names = [embedding.name for embedding in params]
        if len(set(names)) != len(names):
            raise InvalidValueError(f"Embeddings need different names, got {names}.")
        self._params = list(params)
        self._settings = {"lr": _number("lr", lr, low=0.0), **settings}
        for embedding in self._params:
            embedding.set_optm_state(self._new_state(embedding.weight))

    @abstractmethod
    def _new_state(self, weight: Tensor) -> tuple[Tensor, ...]:
        """Return the initial state: tensors with one row for each row of the table."""

    @abstractmethod
    def _update(
        self, weight: Tensor, state: tuple[Tensor, ...], rows: Tensor, grad: Tensor
    ) -> None:
        """Update the distinct rows `rows` of `weight` and `state`, in place."""

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        """The settings, in the format of torch's optimizers; they can be changed."""
        return [self._settings]

    def zero_grad(self) -> None:
        """Drop gradients but keep look-ups that have no gradient yet.

        This method can therefore be called before or after the forward pass.
        """
        for embedding in self._params:
            waiting = [entry for entry in embedding.trace if entry[1].grad is None]
            embedding.reset_trace()
            embedding.trace.extend(waiting)

    @torch.no_grad()
    def step(self) -> None:
        """Update every row that received a gradient since :meth:`zero_grad`.

        A row that was looked up several times, here or in another process of the group, is updated
        once, with the mean of its gradients. Look-ups without a gradient are dropped.
        """
        for embedding in self._params:
            trace = [entry for entry in embedding.trace if entry[1].grad is not None]
            embedding.reset_trace()
            embedding.trace.extend(trace)
            rows, grad = _gathered(trace, embedding.weight)
            if len(rows):
                self._update(embedding.weight, embedding.optm_state, *_mean(rows, grad))

    def state_dict(self) -> dict[str, Any]:
        """Return the state of each table by name, and the settings."""
        state = {embedding.name: embedding.optm_state for embedding in self._params}
        return {"state": state, "param_groups": [dict(self._settings)]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Load a state that :meth:`state_dict` returned.

        Raises
        ------
        InvalidValueError
            If the state belongs to other tables.
        """
        try:
            found = dict(state_dict["state"])
            settings = dict(state_dict["param_groups"][0])
        except (KeyError, IndexError, TypeError, ValueError):
            raise InvalidValueError(
                "load_state_dict: expected a state_dict() with 'state' and 'param_groups'."
            ) from None
        own = {embedding.name: embedding.optm_state for embedding in self._params}
        same = found.keys() == own.keys() and all(
            [t.shape for t in found[name]] == [t.shape for t in own[name]] for name in own
        )
        if not same:
            raise InvalidValueError(
                f"load_state_dict: expected the state of {sorted(own)} in their shapes, got that "
                f"of {sorted(found)}."
            )
        for name, tensors in own.items():
            for tensor, value in zip(tensors, found[name], strict=True):
                tensor.copy_(value)
        self._settings.update((k, settings[k]) for k in self._settings.keys() & settings.keys())


class SparseAdam(SparseOptimizer):
    r"""Adam on the rows of :class:`gossamer.nn.NodeEmbedding` that were looked up.

    For every row :math:`i` with gradient :math:`g_i` that has been updated in :math:`t_i` steps,

    .. math::
        m_i &\leftarrow \beta_1 m_i + (1 - \beta_1) g_i, \qquad
        v_i \leftarrow \beta_2 v_i + (1 - \beta_2) g_i^2 \\
        w_i &\leftarrow w_i - \eta \,
        \frac{m_i / (1 - \beta_1^{t_i})}{\sqrt{v_i / (1 - \beta_2^{t_i})} + \epsilon}.

    Other rows and their moments do not change. :math:`g_i` is the mean over all look-ups of the
    row in the step (torch.optim.SparseAdam takes the sum, and counts steps for the whole table).

    Parameters
    ----------
    params : list of NodeEmbedding
        The tables to train.
    lr : float
        Learning rate :math:`\eta`.
    betas : (float, float)
        :math:`\beta_1, \beta_2`.
    eps : float
        :math:`\epsilon`.
    use_uva : bool, optional
        Accepted for compatibility. Moments are always on the device of the table.
    dtype : torch.dtype
        dtype of the moments, torch.float32 or torch.float16.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        If an argument has the wrong type or is out of range.

    References
    ----------
    Kingma and Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> embedding = gs.nn.NodeEmbedding(3, 2, "items")
    >>> optimizer = gs.optim.SparseAdam([embedding], lr=0.25)
    >>> embedding(torch.tensor([2, 2])).sum().backward()
    >>> optimizer.step()
    >>> embedding.weight
    tensor([[ 0.0000,  0.0000],
            [ 0.0000,  0.0000],
            [-0.2500, -0.2500]])
    """

    def __init__(
        self,
        params: Sequence[NodeEmbedding],
        lr: float,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-08,
        use_uva: bool | None = None,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        if dtype not in (torch.float32, torch.float16):
            raise InvalidTypeError(
                f"SparseAdam: dtype is torch.float32 or torch.float16, got {dtype!r}."
            )
        if not isinstance(betas, (tuple, list)) or len(betas) != 2:
            raise InvalidTypeError(f"SparseAdam: betas are two numbers, got {betas!r}.")
        if use_uva not in (None, True, False):
            raise InvalidTypeError(f"SparseAdam: use_uva is a bool or None, got {use_uva!r}.")
        betas = tuple(_number("betas", beta, low=0.0, below=1.0) for beta in betas)
        self._dtype = dtype
        super().__init__(params, lr, betas=betas, eps=_number("eps", eps, low=0.0))

    def _new_state(self, weight: Tensor) -> tuple[Tensor, ...]:
        steps = torch.zeros(len(weight), dtype=torch.int32, device=weight.device)
        return (steps, *(torch.zeros_like(weight, dtype=self._dtype) for _ in range(2)))

    def _update(
        self, weight: Tensor, state: tuple[Tensor, ...], rows: Tensor, grad: Tensor
    ) -> None:
        steps, moment, power = state
        lr, (beta1, beta2), eps = (self._settings[name] for name in ("lr", "betas", "eps"))
        steps[rows] += 1
        count = steps[rows].unsqueeze(1)
        m = moment[rows].to(grad.dtype).mul_(beta1).add_(grad, alpha=1 - beta1)
        v = power[rows].to(grad.dtype).mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
        moment[rows], power[rows] = m.to(moment.dtype), v.to(power.dtype)
        root = (v / (1 - beta2**count)).sqrt_().add_(eps)
        weight[rows] -= lr * (m / (1 - beta1**count)) / root


class SparseAdagrad(SparseOptimizer):
    r"""Adagrad on the rows of :class:`gossamer.nn.NodeEmbedding` that were looked up.

    For every row :math:`i` with gradient :math:`g_i`,

    .. math::
        s_i \leftarrow s_i + g_i^2, \qquad
        w_i \leftarrow w_i - \eta \, \frac{g_i}{\sqrt{s_i + \epsilon}}.

    Other rows do not change. :math:`g_i` is the mean over all look-ups of the row in the step
    (torch.optim.Adagrad takes the sum, and adds :math:`\epsilon` to the root).

    Parameters
    ----------
    params : list of NodeEmbedding
        The tables to train.
    lr : float
        Learning rate :math:`\eta`.
    eps : float
        :math:`\epsilon`.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        If an argument has the wrong type or is out of range.

    References
    ----------
    Duchi, Hazan and Singer, "Adaptive Subgradient Methods for Online Learning and Stochastic
    Optimization", JMLR 2011.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> embedding = gs.nn.NodeEmbedding(3, 1, "items")
    >>> optimizer = gs.optim.SparseAdagrad([embedding], lr=1.0)
    >>> (3 * embedding(torch.tensor([1]))).sum().backward()
    >>> optimizer.step()
    >>> embedding.weight.squeeze(1), optimizer.state_dict()["state"]["items"][0].squeeze(1)
    (tensor([ 0., -1.,  0.]), tensor([0., 9., 0.]))
    """

    def __init__(self, params: Sequence[NodeEmbedding], lr: float, eps: float = 1e-10) -> None:
        super().__init__(params, lr, eps=_number("eps", eps, low=0.0))

    def _new_state(self, weight: Tensor) -> tuple[Tensor, ...]:
        return (torch.zeros_like(weight),)

    def _update(
        self, weight: Tensor, state: tuple[Tensor, ...], rows: Tensor, grad: Tensor
    ) -> None:
        (squares,) = state
        s = squares[rows].addcmul_(grad, grad)
        squares[rows] = s
        weight[rows] -= self._settings["lr"] * grad / (s + self._settings["eps"]).sqrt_()


def _number(what: str, value: Any, low: float, below: float = float("inf")) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise InvalidTypeError(f"{what} must be a number, got {value!r}.")
    if not low <= value < below:
        raise InvalidValueError(f"{what} must be in [{low}, {below}), got {value}.")
    return value


def _gathered(trace: list[tuple[Tensor, Tensor]], weight: Tensor) -> tuple[Tensor, Tensor]:
    """Return the rows and gradients of all look-ups in all processes of the group."""
    form = {"device": weight.device}
    ids = [rows.to(torch.int64) for rows, _ in trace]
    grads = [value.grad.to(weight).reshape(-1, weight.shape[1]) for _, value in trace]
    rows = torch.cat([torch.empty(0, dtype=torch.int64, **form), *ids])
    grad = torch.cat([weight.new_empty(0, weight.shape[1]), *grads])
    if not dist.is_available() or not dist.is_initialized() or dist.get_world_size() == 1:
        return rows, grad
    # NCCL supports GPU tensors only.
    device = torch.device("cuda") if dist.get_backend() == "nccl" else weight.device
    size = torch.tensor([len(rows)], device=device)
    sizes = [torch.empty_like(size) for _ in range(dist.get_world_size())]
    dist.all_gather(sizes, size)
    most = int(max(sizes))
    everything = []
    for mine in (rows, grad):
        padded = mine.new_zeros(most, *mine.shape[1:], device=device)
        padded[: len(mine)] = mine.to(device)
        parts = [torch.empty_like(padded) for _ in sizes]
        dist.all_gather(parts, padded)
        kept = [part[: int(count)] for part, count in zip(parts, sizes, strict=True)]
        everything.append(torch.cat(kept).to(weight.device))
    return everything[0], everything[1]


def _mean(rows: Tensor, grad: Tensor) -> tuple[Tensor, Tensor]:
    """Return each row once, with the mean of its gradients."""
    unique, place, counts = torch.unique(rows, return_inverse=True, return_counts=True)
    total = grad.new_zeros(len(unique), grad.shape[1]).index_add_(0, place, grad)
    return unique, total / counts.unsqueeze(1)
