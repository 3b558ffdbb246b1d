"""Other modules: sequences, weight bases, jumping knowledge, label propagation."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gossamer._options import as_int, number_in, one_of, shown
from gossamer.errors import InvalidTypeError, InvalidValueError
from gossamer.nn._common import RELU_GAIN, degree_scale, enter_square, scaled_sum

if TYPE_CHECKING:
    from gossamer.graph import Graph

__all__ = ["JumpingKnowledge", "LabelPropagation", "Sequential", "WeightBasis"]


class Sequential(nn.Sequential):
    r"""A sequence of modules, each of which takes a graph and features.

    Parameters
    ----------
    *args : Module
        The modules. The output of each, a tensor or a tuple, is passed to the next after the graph.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> g = gs.graph(([0, 1, 2], [1, 2, 0]))
    >>> model = gs.nn.Sequential(gs.nn.GraphConv(4, 8), gs.nn.GraphConv(8, 2))
    >>> model(g, torch.rand(3, 4)).shape
    torch.Size([3, 2])
    """

    def forward(self, graph: Graph | Sequence[Graph], *feats: Any) -> Any:
        """Apply the modules.

        Parameters
        ----------
        graph : Graph or list of Graph
            The graph of all modules, or one for each, such as the blocks of a mini-batch.
        *feats : Tensor
            Arguments of the first module after the graph.

        Returns
        -------
        Tensor or tuple
            Output of the last module.

        Raises
        ------
        InvalidValueError
            If the number of graphs is not the number of modules.
        """
        graphs = list(graph) if isinstance(graph, list | tuple) else [graph] * len(self)
        if len(graphs) != len(self):
            raise InvalidValueError(
                f"Sequential: {len(self)} modules need one graph, or a list of as many, but got "
                f"{len(graphs)}."
            )
        for each, module in zip(graphs, self, strict=True):
            out = module(each, *feats)
            feats = out if isinstance(out, tuple) else (out,)
        return feats if len(feats) != 1 else feats[0]


class WeightBasis(nn.Module):
    r"""Weights that are combinations of few bases, as in `Modeling Relational Data with Graph
    Convolutional Networks <https://arxiv.org/abs/1703.06103>`__.

    .. math:: W_o = \sum_{b=1}^B a_{ob} V_b

    Parameters
    ----------
    shape : tuple of int
        Shape of a weight.
    num_bases : int
        :math:`B`.
    num_outputs : int
        Number of weights; with `num_bases` or fewer, the bases save no parameters.

    Notes
    -----
    Bases and coefficients are initialized Xavier uniform with the gain of relu.

    Examples
    --------
    >>> import gossamer as gs
    >>> gs.nn.WeightBasis((4, 3), num_bases=2, num_outputs=5)().shape
    torch.Size([5, 4, 3])
    """

    def __init__(self, shape: Sequence[int], num_bases: int, num_outputs: int) -> None:
        super().__init__()
        if not isinstance(shape, Sequence) or isinstance(shape, str):
            raise InvalidTypeError(f"WeightBasis: shape is a tuple of sizes, got {shown(shape)}.")
        self.shape = tuple(as_int(size, "WeightBasis", "shape", 0) for size in shape)
        self.num_bases = as_int(num_bases, "WeightBasis", "num_bases", 1)
        self.num_outputs = as_int(num_outputs, "WeightBasis", "num_outputs", 1)
        if len(self.shape) < 1:
            raise InvalidValueError("WeightBasis: shape needs at least one dimension, got none.")
        if num_outputs <= num_bases:
            warnings.warn(
                f"WeightBasis: {num_bases} bases for {num_outputs} weights are more parameters "
                "than the weights themselves. Use fewer bases.",
                stacklevel=2,
            )
        self.weight = nn.Parameter(torch.empty(num_bases, *self.shape))
        self.w_comp = nn.Parameter(torch.empty(num_outputs, num_bases))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Reinitialize bases and coefficients."""
        nn.init.xavier_uniform_(self.weight, gain=RELU_GAIN)
        nn.init.xavier_uniform_(self.w_comp, gain=RELU_GAIN)

    def forward(self) -> Tensor:
        """Compute the weights.

        Returns
        -------
        Tensor
            ``(num_outputs, *shape)``.
        """
        return (self.w_comp @ self.weight.flatten(1)).view(self.num_outputs, *self.shape)

    def extra_repr(self) -> str:
        """Return the arguments of the constructor, for `repr`."""
        return f"shape={self.shape}, num_bases={self.num_bases}, num_outputs={self.num_outputs}"


class JumpingKnowledge(nn.Module):
    r"""Combine the outputs of all layers, as in `Representation Learning on Graphs with Jumping
    Knowledge Networks <https://arxiv.org/abs/1806.03536>`__.

    ======= ====================================================================================
    "cat"   :math:`h^{(1)} \,\Vert\, \dots \,\Vert\, h^{(T)}`
    "max"   :math:`\max_t h^{(t)}`, element-wise
    "lstm"  :math:`\sum_t \alpha^{(t)} h^{(t)}`, where a bidirectional LSTM over the layers and
            a softmax give :math:`\alpha`
    ======= ====================================================================================

    Parameters
    ----------
    mode : {"cat", "max", "lstm"}
        How the vectors are combined, as above.
    in_feats : int, optional
        Width of the vectors; required for ``"lstm"``.
    num_layers : int, optional
        Number of layers; required for ``"lstm"``.

    Raises
    ------
    InvalidValueError
        If `mode` is unknown, or a size is missing for ``"lstm"``.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> layers = [torch.rand(3, 4), torch.rand(3, 4)]
    >>> gs.nn.JumpingKnowledge("lstm", in_feats=4, num_layers=2)(layers).shape
    torch.Size([3, 4])
    """

    def __init__(
        self, mode: str = "cat", in_feats: int | None = None, num_layers: int | None = None
    ) -> None:
        super().__init__()
        self.mode = one_of(mode, "JumpingKnowledge", "mode", ("cat", "max", "lstm"))
        if mode == "lstm":
            if in_feats is None or num_layers is None:
                raise InvalidValueError(
                    "JumpingKnowledge: mode='lstm' needs in_feats and num_layers, but got "
                    f"{in_feats} and {num_layers}."
                )
            as_int(in_feats, "JumpingKnowledge", "in_feats", 1)
            as_int(num_layers, "JumpingKnowledge", "num_layers", 1)
            hidden = num_layers * in_feats // 2
            self.lstm = nn.LSTM(in_feats, hidden, bidirectional=True, batch_first=True)
            self.att = nn.Linear(2 * hidden, 1)

    def reset_parameters(self) -> None:
        """Draw the weights of mode "lstm" anew."""
        if self.mode == "lstm":
            self.lstm.reset_parameters()
            self.att.reset_parameters()

    def forward(self, feat_list: Sequence[Tensor]) -> Tensor:
        r"""Combine the outputs of layers.

        Parameters
        ----------
        feat_list : list of Tensor
            :math:`(N, D)` of each layer; widths may differ for ``"cat"``.

        Returns
        -------
        Tensor
            :math:`(N, D)`; for ``"cat"``, the width is the sum of the widths.
        """
        feat_list = self._checked(feat_list)
        if self.mode == "cat":
            return torch.cat(feat_list, dim=-1)
        stacked = torch.stack(feat_list, dim=1)
        if self.mode == "max":
            return stacked.max(dim=1).values
        states, _ = self.lstm(stacked)
        share = self.att(states).softmax(dim=1)
        return (share * stacked).sum(dim=1)

    def _checked(self, feat_list: Any) -> list[Tensor]:
        """Check the outputs and return them as a list of ``(N, D)`` tensors."""
        listed = isinstance(feat_list, Iterable) and not isinstance(feat_list, (Tensor, str))
        found = list(feat_list) if listed else []
        if not found or not all(isinstance(x, Tensor) and x.dim() > 0 for x in found):
            raise InvalidTypeError(
                "JumpingKnowledge takes a list of (N, D) tensors, one for each layer, got "
                f"{type(feat_list).__name__}. Put the outputs of the layers into one list."
            )
        shapes = [tuple(x.shape) for x in found]
        fits = len({shape[:-1] if self.mode == "cat" else shape for shape in shapes}) == 1
        rule = "the same number of rows" if self.mode == "cat" else "the same shape"
        if self.mode == "lstm":
            rule = f"shape (N, {self.lstm.input_size})"
            fits &= len(shapes[0]) == 2 and shapes[0][1] == self.lstm.input_size
        if not fits:
            raise InvalidValueError(
                f"JumpingKnowledge: mode={self.mode!r} takes outputs of {rule}, got {shapes}."
            )
        return found

    def extra_repr(self) -> str:
        """Return the arguments of the constructor, for `repr`."""
        return f"mode={self.mode}"


class LabelPropagation(nn.Module):
    r"""Spread known labels along the edges, as in `Learning from Labeled and Unlabeled Data with
    Label Propagation <https://mlg.eng.cam.ac.uk/zoubin/papers/CMU-CALD-02-107.pdf>`__.

    .. math:: Y^{(t+1)} = \alpha \tilde A Y^{(t)} + (1 - \alpha) Y^{(0)}

    where :math:`Y^{(0)}` has the known labels and 0 elsewhere, and :math:`\tilde A` is the matrix
    of the edges, normalized by degrees. There are no parameters.

    Parameters
    ----------
    k : int
        Number of steps.
    alpha : float
        :math:`\alpha`, from 0 to 1.
    norm_type : {"sym", "row"}
        :math:`\tilde A = D_{in}^{-1/2} A D_{out}^{-1/2}` or :math:`D_{in}^{-1} A`.
    clamp : bool
        Whether to clip the result of each step to 0 ... 1.
    normalize : bool
        Whether to divide each row by its sum after each step.
    reset : bool
        Whether to restore the known labels after each step.

    Raises
    ------
    InvalidValueError
        If an option is unknown or out of its range.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> g = gs.graph(([0, 1, 2, 1, 2, 3], [1, 2, 3, 0, 1, 2]))
    >>> spread = gs.nn.LabelPropagation(k=10, alpha=0.5)
    >>> known = torch.tensor([True, False, False, True])
    >>> spread(g, torch.tensor([0, 0, 0, 1]), known).argmax(1)
    tensor([0, 0, 1, 1])
    """

    def __init__(
        self,
        k: int,
        alpha: float,
        norm_type: str = "sym",
        clamp: bool = True,
        normalize: bool = False,
        reset: bool = False,
    ) -> None:
        super().__init__()
        self.k = as_int(k, "LabelPropagation", "k", 0)
        self.alpha = number_in(alpha, "LabelPropagation", "alpha", 0, 1)
        self.norm_type = one_of(norm_type, "LabelPropagation", "norm_type", ("sym", "row"))
        self.clamp = clamp
        self.normalize = normalize
        self.reset = reset

    @torch.no_grad()
    def forward(self, g: Graph, labels: Tensor, mask: Tensor | None = None) -> Tensor:
        r"""Spread the labels.

        Parameters
        ----------
        g : Graph
            Homogeneous graph.
        labels : Tensor
            Classes, :math:`(N,)` or :math:`(N, 1)`; or a column for each class or label,
            :math:`(N, C)`.
        mask : Tensor, optional
            :math:`(N,)`, True where the label is known, or the ids of these nodes. Default: all
            are known.

        Returns
        -------
        Tensor
            :math:`(N, C)`.

        Raises
        ------
        InvalidValueError
            If labels do not have one row per node, or source and destination nodes differ.
        """
        adjacency, labels = enter_square(self, g, labels)
        if labels.dim() == 1 or labels.shape[1] == 1:
            classes = labels.flatten().long()
            if classes.numel() and int(classes.min()) < 0:
                raise InvalidValueError(
                    f"LabelPropagation: a class cannot be negative, got {int(classes.min())}. Give "
                    "nodes without a label any class, and leave them out of mask."
                )
            labels = F.one_hot(classes)
        known = labels.to(torch.get_default_dtype())
        if mask is not None:
            mask = g.checked_nodes(mask, 0)
            known = torch.zeros_like(known).index_put((mask,), known[mask])
        power = -0.5 if self.norm_type == "sym" else -1.0
        right = degree_scale(adjacency, "dst", power, known)
        left = degree_scale(adjacency, "src", power, known) if self.norm_type == "sym" else None

        y = known
        for _ in range(self.k):
            y = self.alpha * scaled_sum(adjacency, y, left, right) + (1 - self.alpha) * known
            if self.clamp:
                y = y.clamp(0, 1)
            if self.normalize:
                y = F.normalize(y, p=1)
            if self.reset:
                y = known if mask is None else y.index_put((mask,), known[mask])
        return y

    def extra_repr(self) -> str:
        """Return the arguments of the constructor, for `repr`."""
        return f"k={self.k}, alpha={self.alpha}, norm_type={self.norm_type}"
