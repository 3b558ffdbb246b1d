"""The HTML report of a training run, one self-contained file."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from datetime import datetime
from html import escape
from importlib import resources
from string import Template
from typing import Any

import numpy as np

from gossamer.cli.config import from_mapping
from gossamer.cli.figures import class_colors, curves, project, scatter
from gossamer.cli.metrics import points
from gossamer.cli.model_list import MODELS
from gossamer.cli.results import RunResult
from gossamer.cli.text import filled, shown

__all__ = ["render_report"]


def render_report(result: RunResult) -> str:
    """The page for a finished run.

    Parameters
    ----------
    result : RunResult
        With at least one seed and its best model.

    Returns
    -------
    str
        A complete HTML document without external resources.
    """
    config, best = result.config, result.best
    nodes, points, how = project(best.embedding, config.picture, config.seed)
    template = Template(_template())
    stopped = ", interrupted" if result.interrupted else ""
    title = escape(f"{MODELS[config.model].title} on {config.dataset}{stopped}")
    return template.substitute(
        title=title,
        heading=title,
        tiles=_tiles(result),
        curves_note=_curves_note(result),
        loss_figure=_loss_figure(result),
        score_figure=_score_figure(result),
        matrix_note=_matrix_note(result),
        matrix=_matrix(result),
        picture_note=f"The input of the last layer for each node, projected by {escape(how)}; "
        f"colored by true class. Seed {best.result.seed}, epoch {best.result.best_epoch}.",
        picture=scatter(
            points,
            *_colored(result, nodes),
            f"Scatter plot of node embeddings, {how}, colored by the "
            f"{len(result.class_names)} classes",
        ),
        legend=_legend(result),
        seeds_note="Scores in percent at each seed's best epoch, which is chosen on the validation "
        "nodes alone: highest score, then lowest loss. The marked seed is in the checkpoint.",
        seeds=_seed_table(result),
        configuration=_pairs(config.as_dict()),
        environment=_pairs(filled(_flat(result.environment))),
        command=escape(_command(result)),
        version=escape(str(result.environment.get("gossamer"))),
        date=datetime.now().astimezone().strftime("%d %B %Y, %H:%M"),
    )


def _colored(result: RunResult, nodes: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Classes of the points and their names; all are alike unless classes are predicted."""
    if result.best.confusion is None:
        return np.zeros(len(nodes), dtype=int), [result.items]
    return result.label[nodes], result.class_names


def _template() -> str:
    return (
        resources.files("gossamer.cli").joinpath("report_template.html").read_text(encoding="utf-8")
    )


def _tiles(result: RunResult) -> str:
    graph, seeds = result.graph, len(result.seeds)
    metric, unit = result.metric_title, _unit(result)
    runs = "1 seed" if seeds == 1 else f"mean of {seeds} seeds"
    tiles = [
        (f"test {metric}", result.text(*result.summary("test")) + unit, runs),
        (f"validation {metric}", result.text(*result.summary("val")) + unit, runs),
        ("best epoch", f"{result.summary('best_epoch')[0]:.0f}", "mean" if seeds > 1 else ""),
        ("time", f"{result.summary('seconds')[0]:.1f} s", "per seed"),
        ("parameters", f"{result.num_parameters:,}", ""),
        ("graph", f"{graph['nodes']:,} nodes", f"{graph['edges']:,} edges"),
    ]
    return "".join(
        f'<div class="tile{" main" if index == 0 else ""}"><dt>{escape(name)}</dt>'
        f"<dd>{escape(value)}<small>{escape(note)}</small></dd></div>"
        for index, (name, value, note) in enumerate(tiles)
    )


def _unit(result: RunResult) -> str:
    return " %" if result.metric == "accuracy" else ""


def _curves_note(result: RunResult) -> str:
    best = result.best.result
    others = len(result.seeds) - 1
    faint = f" Faint lines show the other {others} seeds." if others > 1 else ""
    faint = " Faint lines show the other seed." if others == 1 else faint
    return f"Strong lines: seed {best.seed}, best epoch {best.best_epoch} marked.{faint}"


def _loss_figure(result: RunResult) -> str:
    best = result.best.result
    epoch = best.history[best.best_epoch - 1]
    return curves(
        result.seeds,
        best,
        {"train_loss": "training", "val_loss": "validation"},
        "cross-entropy",
        f"Line chart of the loss over {best.epochs} epochs; at the best epoch "
        f"{epoch.train_loss:.3f} in training and {epoch.val_loss:.3f} in validation",
    )


def _score_figure(result: RunResult) -> str:
    best = result.best.result
    return curves(
        result.seeds,
        best,
        {"val_score": "validation", "test_score": "test"},
        f"{result.metric_title}, {'%' if _unit(result) else '× 100'}"
        if points(result.metric, 1.0) == 100
        else result.metric_title,
        f"Line chart of the {result.metric_title} over {best.epochs} epochs; at the best epoch "
        f"{result.text(best.val)} in validation and {result.text(best.test)} in test",
        scale=points(result.metric, 1.0),
    )


def _matrix_note(result: RunResult) -> str:
    counts = result.best.confusion
    if counts is None:
        return "Only classes have one."
    return (
        f"The {counts.sum():,} test nodes of seed {result.best.result.seed}: rows are true "
        f"classes, columns predicted ones. {np.trace(counts):,} are on the diagonal. "
        "Color shows the fraction of the row."
    )


def _matrix(result: RunResult) -> str:
    counts = result.best.confusion
    if counts is None:
        return ""
    total = counts.sum(1)
    share = counts / np.maximum(total, 1)[:, None]
    names = [escape(name) for name in result.class_names]
    head = "".join(f'<th scope="col">{name}</th>' for name in names)
    rows = []
    for i, name in enumerate(names):
        cells = "".join(_matrix_cell(counts[i, j], share[i, j]) for j in range(len(names)))
        recall = f"{100 * share[i, i]:.1f} %" if total[i] else "–"
        rows.append(
            f'<tr><th scope="row">{name}</th>{cells}'
            f'<td class="side">{total[i]:,}</td><td class="side">{recall}</td></tr>'
        )
    return (
        f'<table class="matrix"><thead><tr><th scope="row">true \\ predicted</th>{head}'
        f'<th scope="col">nodes</th><th scope="col">recall</th></tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table>"
    )


def _matrix_cell(count: int, share: float) -> str:
    kind = "zero" if count == 0 else "strong" if share > 0.5 else "weak"
    return f'<td class="{kind}" style="--share:{share:.3f}">{count:,}</td>'


def _legend(result: RunResult) -> str:
    if result.best.confusion is None:
        return ""
    counts = np.bincount(result.label[result.label >= 0], minlength=len(result.class_names))
    items = "".join(
        f'<li><i style="background:{color}"></i>{escape(name)} <span>{count:,}</span></li>'
        for name, color, count in zip(
            result.class_names, class_colors(len(counts)), counts, strict=True
        )
    )
    return f'<ul class="legend" aria-label="Classes and their number of nodes">{items}</ul>'


def _seed_table(result: RunResult) -> str:
    metric = result.metric_title
    head = [
        "seed",
        "split",
        "best epoch",
        "epochs",
        f"validation {metric}",
        f"test {metric}",
        "time",
    ]
    rows = []
    for seed in result.seeds:
        cells = [seed.split, seed.best_epoch, seed.epochs]
        cells += [result.text(seed.val), result.text(seed.test), f"{seed.seconds:.1f} s"]
        mark = ' class="best"' if seed is result.best.result else ""
        rows.append(f'<tr{mark}><th scope="row">{seed.seed}</th>{_cells(cells)}</tr>')
    means = ["", f"{result.summary('best_epoch')[0]:.0f}", f"{result.summary('epochs')[0]:.0f}"]
    means += [result.text(*result.summary("val")), result.text(*result.summary("test"))]
    means += [f"{result.summary('seconds')[0]:.1f} s"]
    label = "mean ± std" if len(result.seeds) > 1 else "mean"
    return (
        '<table class="wide"><thead><tr>'
        + "".join(f'<th scope="{"row" if i == 0 else "col"}">{h}</th>' for i, h in enumerate(head))
        + f"</tr></thead><tbody>{''.join(rows)}</tbody>"
        f'<tfoot><tr><th scope="row">{label}</th>{_cells(means)}</tr></tfoot></table>'
    )


def _cells(values: Iterable[Any]) -> str:
    return "".join(f"<td>{escape(str(value))}</td>" for value in values)


def _flat(values: Mapping[str, Any]) -> dict[str, Any]:
    """Flatten one level of nesting: ``{"a": {"b": 1}}`` to ``{"a: b": 1}``."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        inner = {f"{key}: {k}": v for k, v in value.items()} if isinstance(value, dict) else None
        flat.update(inner if inner is not None else {key: value})
    return flat


def _pairs(values: Mapping[str, Any]) -> str:
    rows = "".join(
        f'<tr><th scope="row">{escape(str(key))}</th><td>{escape(shown(value))}</td></tr>'
        for key, value in values.items()
    )
    return f'<table class="text"><tbody>{rows}</tbody></table>'


def _command(result: RunResult) -> str:
    """The shortest command line that gives this configuration."""
    config = result.config
    values = config.as_dict()
    chosen = {"dataset": config.dataset, "model": config.model}
    data = {name: values[name] for name in ("edges", "nodes", "graphs", "task") if values[name]}
    usual = from_mapping({**chosen, **data}).as_dict()
    words = ["gossamer", "train", "--dataset", config.dataset, "--model", config.model]
    for key, value in values.items():
        if (value == usual[key] and key not in data) or key in ("quiet", *chosen):
            continue
        flag = f"--{key.replace('_', '-')}"
        if isinstance(value, bool):
            words.append(flag if value else flag.replace("--", "--no-", 1))
        else:
            words += [flag, *map(str, value if isinstance(value, tuple) else [value])]
    return shlex.join(words)
