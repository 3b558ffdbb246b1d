"""Calls whose answers were recorded with DGL 2.1.0, and the comparison of ours with them.

A file ``cases_<area>.py`` beside this one holds a :class:`Table`: expressions over the named inputs
of `inputs.py`, and the deliberate differences, each with its reason. `record.py` evaluates a table
with DGL and writes ``<area>.json``; tests evaluate it with Gossamer, and :func:`recorded_tests`
makes them.

This file runs in both environments, so it needs torch and numpy only and takes either library as
`gs`.
"""

from __future__ import annotations

import ast
import importlib
import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from golden.inputs import GROUPS, INPUTS

FOLDER = Path(__file__).parent

# How Gossamer may differ, and how the test makes sure that it still does.
KINDS = {
    "error": "Gossamer raises a GossamerError where DGL gives something",
    "value": "Gossamer gives something where DGL raises an error or stops the process",
    "other": "both give something, but not the same",
}


class UnrecordableError(Exception):
    """The value of a case is of a kind that `encode` does not know."""


class Case(NamedTuple):
    """One recorded call: an expression over a named input."""

    expression: str
    input: str

    def __str__(self) -> str:
        return f"{self.expression} @ {self.input}"


class Difference(NamedTuple):
    """Cases in which Gossamer differs from DGL on purpose.

    `cases` is a pattern over ``expression @ input``, with ``*`` for anything; `kind` is one of
    `KINDS`; `reason` is a sentence for the documentation.
    """

    cases: str
    kind: str
    reason: str


@dataclass
class Table:
    """The cases of one area.

    Parameters
    ----------
    area : str
        Name of the file with the answers.
    expressions : list of (str, str)
        Python code and the inputs to run it on: names or groups of `inputs.py`, separated by
        spaces. The value of the last expression counts; statements may stand before it.
    differences : list of Difference
        Where Gossamer deliberately gives something else.
    names : dict
        Further names that the expressions use, such as user-defined functions.
    """

    area: str
    expressions: list[tuple[str, str]]
    differences: list[Difference] = field(default_factory=list)
    names: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def cases(self) -> list[Case]:
        """Every expression on each of its inputs."""
        return [
            Case(expression, name)
            for expression, inputs in self.expressions
            for name in _input_names(inputs)
        ]

    @property
    def distinct_expressions(self) -> list[str]:
        """Every expression once, as a test takes them."""
        return list(dict.fromkeys(case.expression for case in self.cases))

    @cached_property
    def answers(self) -> dict[str, Any]:
        """What DGL gave, by the text of the case."""
        return json.loads(self.path.read_text(encoding="utf-8"))

    @property
    def path(self) -> Path:
        """The file of answers."""
        return FOLDER / f"{self.area}.json"

    def difference(self, case: Case) -> Difference | None:
        """The first deliberate difference that covers `case`."""
        for difference in self.differences:
            if fnmatchcase(str(case), _literal_brackets(difference.cases)):
                return difference
        return None


def _literal_brackets(pattern: str) -> str:
    return pattern.replace("[", "[[]")


def _input_names(inputs: str) -> list[str]:
    names = [name for word in inputs.split() for name in GROUPS.get(word, [word])]
    unknown = [name for name in names if name not in INPUTS]
    if unknown:
        raise ValueError(f"unknown inputs {unknown}; known: {[*GROUPS, *INPUTS]}")
    return list(dict.fromkeys(names))


def areas() -> list[str]:
    """Areas that have a table."""
    return sorted(path.stem.removeprefix("cases_") for path in FOLDER.glob("cases_*.py"))


def load(area: str) -> Table:
    """The table of one area."""
    return importlib.import_module(f"golden.cases_{area}").TABLE


# --- evaluation --------------------------------------------------------------------------------


def evaluate(gs: Any, table: Table, case: Case) -> Any:
    """The value of a case with library `gs`; whatever the library raises comes out."""
    built = INPUTS[case.input]
    g = built.build(gs)
    names = {
        "gs": gs,
        "fn": gs.function,
        "torch": torch,
        "np": np,
        "g": g,
        "E": built.etype,
        "U": built.utype,
        "V": built.vtype,
        "ids": lambda *values: torch.tensor(values, dtype=g.idtype),
        "x": values,
        **table.names,
    }
    body = ast.parse(case.expression).body
    last = ast.Expression(body.pop().value)
    exec(compile(ast.Module(body, []), str(case), "exec"), names)
    return eval(compile(last, str(case), "eval"), names)


def values(*shape: int) -> torch.Tensor:
    """Deterministic float32 values of both signs, exact in every format."""
    count = math.prod(shape)
    return (((torch.arange(count) * 7 + 3) % 11) - 5).div(4).reshape(shape)


def outcome(gs: Any, table: Table, case: Case, root: type[BaseException] = Exception) -> Any:
    """The encoded value of a case, or ``{"error": class name}`` for an exception under `root`."""
    try:
        return encode(evaluate(gs, table, case))
    except (NameError, SyntaxError, UnrecordableError):
        raise
    except root as error:
        return {"error": type(error).__name__}


# --- encoding ----------------------------------------------------------------------------------


def encode(value: Any) -> Any:
    """A value as JSON: scalars as they are, anything else under a key that says what it is."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, (int, float)):
        return value
    for matches, encoder in _ENCODERS:
        if matches(value):
            return encoder(value)
    raise UnrecordableError(f"no way to record a {type(value).__name__}: {value!r}")


def _tensor(value: torch.Tensor) -> dict:
    if value.is_sparse:
        return _tensor(value.to_dense())
    value = value.detach()
    flat = value.flatten().tolist()
    if value.is_floating_point():
        flat = [float(f"{number:.9g}") for number in flat]
    return {"tensor": [_name(value.dtype), list(value.shape), flat]}


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def _mapping(value: Mapping) -> dict:
    pairs = [[encode(key), encode(item)] for key, item in value.items()]
    return {"dict": sorted(pairs, key=lambda pair: json.dumps(pair[0]))}


def _sparse(value: Any) -> dict:
    ends = [end.tolist() for end in value.coo()]
    return {"sparse": [list(value.shape), *ends, _tensor(value.val)]}


def _scipy(value: Any) -> dict:
    matrix = value.tocoo()
    arrays = [array.tolist() for array in (matrix.row, matrix.col, matrix.data)]
    return {"scipy": [value.format, list(value.shape), str(value.dtype), *arrays]}


def _networkx(value: Any) -> dict:
    nodes = sorted(map(str, value.nodes))
    edges = sorted([*map(str, edge)] for edge in value.edges(keys=value.is_multigraph()))
    return {"networkx": [value.is_directed(), value.is_multigraph(), nodes, edges]}


def _graph(g: Any) -> dict:
    """Everything that users can see of a graph; empty parts are left out."""
    two_sided = g.is_block or g.srctypes != g.dsttypes
    parts = {
        "is_block": g.is_block,
        "idtype": _name(g.idtype),
        "ntypes": g.ntypes,
        "etypes": [list(etype) for etype in g.canonical_etypes],
        "src": [[ntype, g.num_src_nodes(ntype)] for ntype in g.srctypes],
        "dst": [[ntype, g.num_dst_nodes(ntype)] for ntype in g.dsttypes],
        "edges": [[end.tolist() for end in g.edges(etype=e)] for e in g.canonical_etypes],
        "srcdata": _features(g.srcnodes, g.srctypes),
        "dstdata": _features(g.dstnodes, g.dsttypes) if two_sided else [],
        "isolated": _features(g.nodes, [t for t in g.ntypes if t not in g.srctypes + g.dsttypes]),
        "edata": _features(g.edges, g.canonical_etypes),
    }
    if g.batch_size != 1:
        parts["batch_size"] = g.batch_size
        parts["batch_num_edges"] = [g.batch_num_edges(e).tolist() for e in g.canonical_etypes]
        if not g.is_block:
            parts["batch_num_nodes"] = [g.batch_num_nodes(ntype).tolist() for ntype in g.ntypes]
    return {"graph": {name: part for name, part in parts.items() if part not in (False, [])}}


def _features(view: Any, types: Iterable) -> list:
    frames = [(key, _mapping(dict(view[key].data.items()))["dict"]) for key in types]
    return [[encode(key), features] for key, features in frames if features]


_ENCODERS: list[tuple[Callable[[Any], bool], Callable[[Any], Any]]] = [
    (lambda v: isinstance(v, torch.Tensor), _tensor),
    (lambda v: isinstance(v, torch.dtype), lambda v: {"dtype": _name(v)}),
    (lambda v: isinstance(v, torch.device), lambda v: {"device": str(v)}),
    (lambda v: isinstance(v, np.ndarray), lambda v: {"array": [str(v.dtype), v.tolist()]}),
    (lambda v: hasattr(v, "canonical_etypes"), _graph),
    (lambda v: isinstance(v, Mapping), _mapping),
    (lambda v: isinstance(v, tuple), lambda v: {"tuple": [encode(item) for item in v]}),
    (lambda v: isinstance(v, list), lambda v: {"list": [encode(item) for item in v]}),
    (lambda v: hasattr(v, "has_duplicate"), _sparse),
    (lambda v: hasattr(v, "tocoo"), _scipy),
    (lambda v: hasattr(v, "is_multigraph"), _networkx),
]


# --- comparison --------------------------------------------------------------------------------


def same(actual: Any, expected: Any) -> bool:
    """Whether two encoded values agree: exactly, but numbers with a fraction to float32's digits.

    All errors are the same error.
    """
    if is_error(actual) or is_error(expected):
        return is_error(actual) and is_error(expected)
    if isinstance(expected, dict):
        return (
            isinstance(actual, dict)
            and actual.keys() == expected.keys()
            and all(same(actual[key], expected[key]) for key in expected)
        )
    if isinstance(expected, list):
        return (
            isinstance(actual, list)
            and len(actual) == len(expected)
            and all(map(same, actual, expected))
        )
    if isinstance(expected, float) and isinstance(actual, float):
        both_nan = math.isnan(actual) and math.isnan(expected)
        return both_nan or math.isclose(actual, expected, rel_tol=1e-5, abs_tol=1e-6)
    return type(actual) is type(expected) and actual == expected


def is_error(outcome: Any) -> bool:
    """Whether an encoded outcome stands for an exception or a process that was killed."""
    return isinstance(outcome, dict) and outcome.keys() == {"error"}


def recorded_tests(*areas: str) -> tuple[Callable, Callable, Callable]:
    """The tests of the tables of `areas`, for a test file to give them their names::

        (
            test_recorded_cases_are_the_listed_ones,
            test_same_as_recorded,
            test_deliberate_differences_are_real,
        ) = recorded_tests("graph")

    The area is part of a test's id where there are several.
    """
    import pytest

    several = len(areas) > 1
    tables = {area: load(area) for area in areas}
    each_table = [
        pytest.param(table, id=area if several else pytest.HIDDEN_PARAM)
        for area, table in tables.items()
    ]
    each_expression = [
        pytest.param(table, expression, id=f"{area}-{expression}" if several else expression)
        for area, table in tables.items()
        for expression in table.distinct_expressions
    ]

    @pytest.mark.parametrize("table", each_table)
    def listed(table: Table) -> None:
        cases = [str(case) for case in table.cases]
        assert list(table.answers) == cases, "run tests/golden/record.py again"

    @pytest.mark.parametrize(("table", "expression"), each_expression)
    def as_recorded(table: Table, expression: str) -> None:
        assert_as_recorded(table, expression)

    @pytest.mark.parametrize("table", each_table)
    def real(table: Table) -> None:
        assert_differences_are_real(table)

    return listed, as_recorded, real


def assert_as_recorded(table: Table, expression: str) -> None:
    """Assert that Gossamer gives what DGL gave, or differs as the table says, on each input."""
    reports = [_report(table, case) for case in table.cases if case.expression == expression]
    wrong = [report for report in reports if report]
    assert not wrong, "\n".join(wrong)


def _report(table: Table, case: Case) -> str | None:
    expected, actual = table.answers[str(case)], _ours(table, case)
    if same(actual, expected):
        return None
    difference = table.difference(case)
    if difference is not None and difference.kind == _kind(actual, expected):
        return None
    listed = "" if difference is None else f" (listed as '{difference.kind}')"
    return f"{case}{listed}\n  DGL:  {_short(expected)}\n  ours: {_short(actual)}"


def assert_differences_are_real(table: Table) -> None:
    """Assert that no deliberate difference is listed in vain."""
    real = {
        difference
        for case in table.cases
        if (difference := table.difference(case)) is not None
        and not same(_ours(table, case), table.answers[str(case)])
    }
    unused = [difference.cases for difference in table.differences if difference not in real]
    assert not unused, f"{table.area}: these differences cover no case that differs: {unused}"
    unknown = {difference.kind for difference in table.differences} - set(KINDS)
    assert not unknown, f"{table.area}: unknown kinds of difference: {unknown}"


def _ours(table: Table, case: Case) -> Any:
    import gossamer

    return outcome(gossamer, table, case, root=gossamer.GossamerError)


def _kind(actual: Any, expected: Any) -> str:
    if is_error(actual):
        return "error"
    return "value" if is_error(expected) else "other"


def _short(outcome: Any) -> str:
    return json.dumps(outcome)[:2000]
