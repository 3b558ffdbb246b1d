"""Small helpers, random choices whose answer is certain, node embeddings and their optimizers."""

from __future__ import annotations

import importlib
from collections import OrderedDict, namedtuple
from typing import Any

import torch

from golden.harness import Difference, Table, values

_Pair = namedtuple("_Pair", "a b")


def _embedding(gs: Any, name: str, rows: int = 5, dim: int = 3) -> Any:
    nn = importlib.import_module(f"{gs.__name__}.nn")
    return nn.NodeEmbedding(rows, dim, name, init_func=lambda table: table + values(rows, dim))


def _train(
    gs: Any, kind: str, steps: list, between: bool = False, repeat: int = 1, **settings: Any
) -> Any:
    """Table and state after steps, each a list of look-ups whose rows get different gradients."""
    embedding = _embedding(gs, "table")
    optim = importlib.import_module(f"{gs.__name__}.optim")
    optimizer = getattr(optim, kind)([embedding], **settings)
    for _ in range(repeat):
        for lookups in steps:
            if not between:
                optimizer.zero_grad()
            rows = [embedding(torch.tensor(ids)) for ids in lookups]
            loss = sum((r * values(*r.shape)).sum() + r.square().sum() for r in rows)
            if between:
                optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    state = optimizer.state_dict()
    return embedding.weight, state["param_groups"], *state["state"]["table"]


_STEPS = {
    "one": [[[0, 3]]],
    "twice": [[[2, 2, 4]]],
    "two look-ups": [[[0, 1], [1, 4]], [[4, 4, 0], [2]]],
    "many": [[[0]], [[1, 2]], [[2, 0]], [[0, 0, 0]], [[3]], [[4, 3, 0]]],
}

_SETTINGS = {
    "SparseAdam": [
        "lr=0.1",
        "lr=0.5, betas=(0.5, 0.75)",
        "lr=0.1, eps=0.25",
        "lr=0.1, dtype=torch.float16",
    ],
    "SparseAdagrad": ["lr=0.1", "lr=0.5, eps=0.25"],
}

_TRAINING = [
    f"train(gs, '{kind}', steps['{steps}'], {settings})"
    for kind, all_settings in _SETTINGS.items()
    for settings in all_settings
    for steps in _STEPS
]

_CALLS = [
    *(f"train(gs, '{kind}', steps['many'], between=True, lr=0.25)" for kind in _SETTINGS),
    *(f"train(gs, '{kind}', steps['many'], repeat=5, lr=0.25)" for kind in _SETTINGS),
    "embedding(gs, 'e').weight",
    "e = embedding(gs, 'e'); (e.num_embeddings, e.embedding_dim, e.name, e.rank, e.world_size)",
    "embedding(gs, 'e')(torch.tensor([4, 0, 4]))",
    "embedding(gs, 'e')(torch.tensor([4, 0], dtype=torch.int32))",
    "embedding(gs, 'e')(torch.tensor([[4, 0], [1, 2]]))",
    "embedding(gs, 'e')(torch.tensor([4])).requires_grad",
    "e = embedding(gs, 'e'); e(torch.tensor([4, 1])); e(torch.tensor([2])); e.trace",
    "e = embedding(gs, 'e'); e(torch.tensor([4, 1])); e.reset_trace(); e.trace",
    "e = embedding(gs, 'e'); e.all_set_embedding(torch.ones(5, 3)); e.all_get_embedding()",
    "embedding(gs, 'e')(torch.tensor([5]))",
    "embedding(gs, 'e')([4])",
    "embedding(gs, 'e')(torch.tensor([0.5]))",
    "gs.nn.NodeEmbedding(3, 2, 'e').weight",
    "gs.nn.NodeEmbedding(-1, 2, 'e').weight",
    "gs.nn.NodeEmbedding(3, 2, None).weight",
    "sparse(gs).SparseAdam([], 0.1)",
    "sparse(gs).SparseAdam([torch.nn.Parameter(torch.ones(2))], 0.1)",
    "sparse(gs).SparseAdam(embedding(gs, 'e'), 0.1)",
    "sparse(gs).SparseAdam([embedding(gs, 'e')], 0.1, dtype=torch.float64)",
    "sparse(gs).SparseAdagrad([], 0.1)",
    "sparse(gs).SparseAdagrad([3], 0.1)",
    "gs.apply_each({'a': 1, 'b': 2}, lambda x: x + 1)",
    "gs.apply_each([1, 2], lambda x, k: x + k, 3)",
    "gs.apply_each((1, 2), lambda x, k=0: x + k, k=3)",
    "gs.apply_each(1, lambda x: x + 1)",
    "gs.apply_each(None, lambda x: x)",
    "gs.apply_each('ab', lambda x: x + x)",
    "gs.apply_each([], lambda x: x)",
    "gs.apply_each({}, lambda x: x)",
    "gs.apply_each(pair, lambda x: x + 1)",
    "gs.apply_each(ordered, lambda x: x + 1)",
    "gs.apply_each({'a': [1], 'b': (2,)}, len)",
    "gs.apply_each(x(3), torch.relu)",
    "gs.apply_each({'u': x(3), 'v': x(2, 2)}, torch.relu)",
    "gs.apply_each([1, 2], 3)",
    "gs.random.choice(5, 5, replace=False).sort().values",
    "gs.random.choice(torch.tensor([7, 5, 9]), 3, replace=False).sort().values",
    "gs.random.choice(torch.tensor([7, 5], dtype=torch.int32), 2, False).sort().values",
    "gs.random.choice(3, 5, prob=torch.tensor([0.0, 1.0, 0.0]))",
    "gs.random.choice(3, 5, prob=torch.tensor([0.0, 2.0, 0.0]))",
    "gs.random.choice(3, 2, False, torch.tensor([0.5, 0.5, 0.0])).sort().values",
    "gs.random.choice(torch.tensor([7, 5, 9]), 4, prob=torch.tensor([0.0, 0.0, 1.0]))",
    "gs.random.choice(1, (2, 3))",
    "gs.random.choice(3, 0)",
    "gs.random.choice(0, 0)",
    "gs.random.choice(10, 4).shape, gs.random.choice(10, 4).dtype",
    "gs.random.choice(5, 6, replace=False)",
    "gs.random.choice(0, 1)",
    "gs.random.choice(-3, 1)",
    "gs.random.choice([7, 5], 1)",
    "gs.random.choice(3, 2, prob=[0.0, 1.0, 0.0])",
    "gs.random.choice(3, 2, prob=torch.tensor([0, 1, 0]))",
    "gs.random.choice(3, 2, prob=torch.zeros(3))",
    "gs.random.choice(3, 2, False, torch.tensor([0.0, 1.0, 0.0]))",
    "gs.random.choice(3, 2, prob=torch.tensor([-1.0, 2.0, 0.0]))",
    "gs.use_libxsmm(True)",
    "gs.use_libxsmm(False)",
    "gs.use_libxsmm('yes')",
    "gs.use_libxsmm(False); bool(gs.is_libxsmm_enabled())",
]

_WEIGHTS = "Draws without enough elements of positive weight are an error; DGL gives the id -1."

TABLE = Table(
    area="helpers",
    expressions=[*((e, "simple") for e in (*_TRAINING, *_CALLS))],
    differences=[
        Difference(
            "*all_set_embedding*",
            "other",
            "The call replaces the table; in DGL it does so only in a group of processes.",
        ),
        Difference("embedding(gs, 'e')([4]) @*", "value", "Ids may be a list everywhere."),
        Difference("gs.random.choice(3, 2, prob=torch.zeros(3)) @*", "error", _WEIGHTS),
        Difference("gs.random.choice(3, 2, False, torch.tensor([0.0*", "error", _WEIGHTS),
        Difference(
            "gs.random.choice(3, 2, prob=torch.tensor([-1.0*",
            "error",
            "Weights cannot be negative.",
        ),
    ],
    names={
        "train": _train,
        "steps": _STEPS,
        "embedding": _embedding,
        "sparse": lambda gs: importlib.import_module(f"{gs.__name__}.optim"),
        "pair": _Pair(1, 2),
        "ordered": OrderedDict(b=1, a=2),
    },
)
