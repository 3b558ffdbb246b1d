"""Modules for heterogeneous graphs: one convolution, linear map or table per type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from gossamer._options import shown
from gossamer.errors import InvalidTypeError, InvalidValueError, UnknownKeyError
from gossamer.graph.arguments import require_graph
from gossamer.nn._common import check_sizes

if TYPE_CHECKING:
    from gossamer.graph import Graph

__all__ = ["HeteroEmbedding", "HeteroGraphConv", "HeteroLinear", "get_aggregate_fn"]

#: A node type, or a canonical edge type.
Key = str | tuple[str, str, str]

Aggregate = Callable[[list[Tensor], str], Any]


class HeteroGraphConv(nn.Module):
    r"""Apply a convolution per edge type, and sum (or otherwise reduce) the results by node type.

    .. math:: h_v' = \mathrm{aggregate}_{r \,:\, \mathrm{dst}(r) = \mathrm{type}(v)}
        \; f_r(g_r, h_{\mathrm{src}(r)}, h_{\mathrm{dst}(r)})_v

    Parameters
    ----------
    mods : dict of (str or (str, str, str)) to Module
        :math:`f_r`, by edge type or canonical edge type. Each takes a graph of one relation, then a
        pair of features. Types that share a module share its weights.
    aggregate : {"sum", "min", "max", "mean", "stack"} or callable
        How the outputs of several relations are combined. ``"stack"`` gives :math:`(N, R, *)`, with
        relations in the order of the graph's edge types. A function takes the list of outputs and
        the node type.

    Raises
    ------
    InvalidValueError
        If `aggregate` is unknown.

    Notes
    -----
    In a heterogeneous graph, nodes often lack in-edges of some type, so
    ``set_allow_zero_in_degree(True)`` is called on modules that have it. A relation without edges
    is computed too, because its module may add a bias. Node types that are not the destination of
    any relation are absent from the result.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> g = gs.heterograph({
    ...     ("user", "follows", "user"): ([0, 1], [1, 2]),
    ...     ("user", "plays", "game"): ([0, 1, 2], [0, 0, 1]),
    ... })
    >>> conv = gs.nn.HeteroGraphConv({
    ...     "follows": gs.nn.GraphConv(4, 3), "plays": gs.nn.SAGEConv((4, 2), 3, "mean"),
    ... })
    >>> out = conv(g, {"user": torch.rand(3, 4), "game": torch.rand(2, 2)})
    >>> {name: tuple(value.shape) for name, value in sorted(out.items())}
    {'game': (2, 3), 'user': (3, 3)}
    """

    def __init__(self, mods: Mapping[Key, nn.Module], aggregate: str | Aggregate = "sum") -> None:
        super().__init__()
        self.mods = _by_key("HeteroGraphConv", mods)
        for module in self.mods.values():
            allow = getattr(module, "set_allow_zero_in_degree", None)
            if callable(allow):
                allow(True)
        if not isinstance(aggregate, str) and not callable(aggregate):
            raise InvalidTypeError(
                "HeteroGraphConv: aggregate is the name of an aggregator or a function, got "
                f"{shown(aggregate)}."
            )
        self.agg_fn = get_aggregate_fn(aggregate) if isinstance(aggregate, str) else aggregate

    def forward(
        self,
        g: Graph,
        inputs: Mapping[str, Tensor] | tuple[Mapping[str, Tensor], Mapping[str, Tensor]],
        mod_args: Mapping[Key, tuple] | None = None,
        mod_kwargs: Mapping[Key, dict[str, Any]] | None = None,
    ) -> dict[str, Any]:
        """Convolve along each relation, and aggregate by destination type.

        Parameters
        ----------
        g : Graph
            Graph or block.
        inputs : dict, or a pair of dicts
            Features by node type, or a pair of such dicts for sources and destinations. On a block,
            the features of destinations are the first rows of those of sources. A relation is
            skipped if its sources have no features or, for a pair or a block, if its destinations
            have none.
        mod_args, mod_kwargs : dict, optional
            Additional arguments of the modules, by edge type or canonical edge type.

        Returns
        -------
        dict of str to Tensor
            Output features by node type.

        Raises
        ------
        UnknownKeyError
            If a relation with features has no module.
        """
        require_graph(g, "HeteroGraphConv")
        mod_args, mod_kwargs = mod_args or {}, mod_kwargs or {}
        pair = isinstance(inputs, tuple) and len(inputs) == 2
        for part in inputs if pair else (inputs,):
            _require_mapping("HeteroGraphConv", "inputs", part)
        if pair:
            sources, destinations = inputs
        elif g.is_block:
            sources = inputs
            destinations = {
                ntype: x[: g.num_dst_nodes(ntype)]
                for ntype, x in inputs.items()
                if ntype in g.dsttypes
            }
        else:
            sources = destinations = inputs
        paired = pair or g.is_block

        outputs: dict[str, list[Tensor]] = {ntype: [] for ntype in g.dsttypes}
        for relation in g.canonical_etypes:
            stype, etype, dtype = relation
            if stype not in sources or (paired and dtype not in destinations):
                continue
            x = sources[stype]
            if dtype in destinations:
                x = x, destinations[dtype]
            args = mod_args.get(relation, mod_args.get(etype, ()))
            kwargs = mod_kwargs.get(relation, mod_kwargs.get(etype, {}))
            outputs[dtype].append(self._get_module(relation)(g[relation], x, *args, **kwargs))
        return {ntype: self.agg_fn(found, ntype) for ntype, found in outputs.items() if found}

    def _get_module(self, etype: tuple[str, str, str]) -> nn.Module:
        for name in (str(etype), etype[1]):
            if name in self.mods:
                return self.mods[name]
        raise UnknownKeyError(
            f"HeteroGraphConv: no module for edge type {etype}; there are modules for "
            f"{list(self.mods)}. Add one, or leave out the features of its sources."
        )


def get_aggregate_fn(agg: str) -> Aggregate:
    """Return the function that combines the outputs of several relations into one tensor.

    Parameters
    ----------
    agg : {"sum", "min", "max", "mean", "stack"}
        Name of the function.

    Examples
    --------
    >>> import torch
    >>> get_aggregate_fn("max")([torch.tensor([1.0, 5.0]), torch.tensor([2.0, 3.0])], "user")
    tensor([2., 5.])
    """
    if agg not in _AGGREGATES:
        raise InvalidValueError(
            f"HeteroGraphConv: aggregate is one of {sorted(_AGGREGATES)} or a function, "
            f"got {agg!r}."
        )
    return partial(_aggregate, agg)


_AGGREGATES: dict[str, Callable[[list[Tensor]], Tensor]] = {
    "sum": lambda outputs: sum(outputs[1:], outputs[0]),
    "mean": lambda outputs: sum(outputs[1:], outputs[0]) / len(outputs),
    "max": lambda outputs: torch.stack(outputs).max(0).values,
    "min": lambda outputs: torch.stack(outputs).min(0).values,
    "stack": lambda outputs: torch.stack(outputs, dim=1),
}


def _aggregate(agg: str, outputs: list[Tensor], dsttype: str) -> Tensor:
    return _AGGREGATES[agg](outputs)


class HeteroLinear(nn.Module):
    r"""A linear map for each node or edge type, to one common width.

    .. math:: y_t = x_t W_t^\top + b_t

    Parameters
    ----------
    in_size : dict of (str or (str, str, str)) to int
        Input width by type.
    out_size : int
        Output width.
    bias : bool
        Whether to add :math:`b_t`.

    Notes
    -----
    Weights and biases are initialized as in :class:`torch.nn.Linear`.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> layer = gs.nn.HeteroLinear({"user": 1, ("user", "follows", "user"): 2}, 3)
    >>> layer({"user": torch.rand(5, 1)})["user"].shape
    torch.Size([5, 3])
    """

    def __init__(self, in_size: Mapping[Key, int], out_size: int, bias: bool = True) -> None:
        super().__init__()
        _require_mapping("HeteroLinear", "in_size", in_size)
        check_sizes("HeteroLinear", out_size=out_size)
        for key, size in in_size.items():
            check_sizes("HeteroLinear", **{f"in_size[{key!r}]": size})
        maps = {key: nn.Linear(size, out_size, bias=bias) for key, size in in_size.items()}
        self.linears = _by_key("HeteroLinear", maps)

    def forward(self, feat: Mapping[Key, Tensor]) -> dict[Key, Tensor]:
        """Map the features.

        Parameters
        ----------
        feat : dict
            Features by type, ``(*, in_size[type])``; types may be absent.

        Returns
        -------
        dict
            Outputs by the same types, ``(*, out_size)``.

        Raises
        ------
        UnknownKeyError
            If the layer does not know a type.
        """
        return {key: _pick("HeteroLinear", self.linears, key)(x) for key, x in feat.items()}


class HeteroEmbedding(nn.Module):
    r"""A table of trainable rows for each node or edge type, all of one width.

    Parameters
    ----------
    num_embeddings : dict of (str or (str, str, str)) to int
        Number of rows by type.
    embedding_dim : int
        Width of a row.

    Notes
    -----
    Rows are initialized standard normal, as in :class:`torch.nn.Embedding`;
    :meth:`reset_parameters` reinitializes them Xavier uniform.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> layer = gs.nn.HeteroEmbedding({"user": 2, ("user", "follows", "user"): 3}, 4)
    >>> layer({"user": torch.tensor([0])})["user"].shape
    torch.Size([1, 4])
    >>> layer.weight["user", "follows", "user"].shape
    torch.Size([3, 4])
    """

    def __init__(self, num_embeddings: Mapping[Key, int], embedding_dim: int) -> None:
        super().__init__()
        _require_mapping("HeteroEmbedding", "num_embeddings", num_embeddings)
        check_sizes("HeteroEmbedding", embedding_dim=embedding_dim)
        for key, size in num_embeddings.items():
            check_sizes("HeteroEmbedding", **{f"num_embeddings[{key!r}]": size})
        tables = {key: nn.Embedding(num, embedding_dim) for key, num in num_embeddings.items()}
        self.embeds = _by_key("HeteroEmbedding", tables)
        self._keys = list(tables)

    @property
    def weight(self) -> dict[Key, Tensor]:
        """The table of each type."""
        return {key: self.embeds[str(key)].weight for key in self._keys}

    def reset_parameters(self) -> None:
        """Reinitialize the rows (Xavier uniform)."""
        for table in self.embeds.values():
            nn.init.xavier_uniform_(table.weight)

    def forward(self, input_ids: Mapping[Key, Tensor]) -> dict[Key, Tensor]:
        """Look up rows.

        Parameters
        ----------
        input_ids : dict
            Row numbers by type; types may be absent.

        Returns
        -------
        dict
            Rows by the same types.

        Raises
        ------
        UnknownKeyError
            If the layer does not know a type.
        """
        return {
            key: _pick("HeteroEmbedding", self.embeds, key)(ids) for key, ids in input_ids.items()
        }


def _require_mapping(name: str, argument: str, value: Any) -> None:
    if not isinstance(value, Mapping):
        raise InvalidTypeError(
            f"{name}: {argument} is a dict by node or edge type, got {type(value).__name__}."
        )


def _by_key(name: str, modules: Any) -> nn.ModuleDict:
    """Store modules under the text of their type, which is their name in a `state_dict`."""
    _require_mapping(name, "mods", modules)
    for key, module in modules.items():
        if not isinstance(module, nn.Module):
            raise InvalidTypeError(
                f"{name}: each type has a module, but {key!r} has {shown(module)}."
            )
        if "." in str(key):
            raise InvalidValueError(
                f"{name}: torch allows no dot in the name of a module, but there is one in type "
                f"{key!r}. Rename the type."
            )
    return nn.ModuleDict({str(key): module for key, module in modules.items()})


def _pick(name: str, modules: nn.ModuleDict, key: Key) -> nn.Module:
    if str(key) not in modules:
        raise UnknownKeyError(f"{name}: no type {key!r}; the layer has {list(modules)}.")
    return modules[str(key)]
