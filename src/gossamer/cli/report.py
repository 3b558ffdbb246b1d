"""The HTML report of a training run, one self-contained file."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from datetime import datetime
from html import escape
from importlib import resources
from string import Template
from typing import Any

import numpy as np

import gossamer
from gossamer.cli import report_tables
from gossamer.cli.advice import find_doubts
from gossamer.cli.config import from_mapping
from gossamer.cli.details import interval
from gossamer.cli.figures import Line, class_colors, curves, picture, project, scatter
from gossamer.cli.metrics import lower_is_better, points
from gossamer.cli.model_list import MODELS
from gossamer.cli.report_tables import scroll, section
from gossamer.cli.results import Epoch, RunResult
from gossamer.cli.text import filled

__all__ = ["page", "render_report"]

TRAIN, VAL, TEST = "var(--train)", "var(--val)", "var(--test)"
_MOST_PICTURES = 40


def render_report(result: RunResult) -> str:
    """Render the page for a finished run.

    Parameters
    ----------
    result : RunResult
        Results of at least one seed, with its best model.

    Returns
    -------
    str
        A complete HTML document without external resources.
    """
    config = result.config
    stopped = ", interrupted" if result.interrupted else ""
    title = f"{MODELS[config.model].title} on {config.dataset}{stopped}"
    head = f'<dl class="tiles">{_tiles(result)}</dl>{_doubts(result)}'
    body = [
        section("Data", _data(result)),
        section("Learning curves", _curves(result)),
        _matrix(result),
        _mistakes(result),
        section("Embeddings", _embeddings(result)),
        section("Seeds", _seeds(result)),
        section("How it was made", _setup(result)),
    ]
    return page(title, "".join(body), head)


def page(title: str, body: str, head: str = "", kind: str = "Gossamer training report") -> str:
    """Return a complete HTML page in the style of the reports.

    Parameters
    ----------
    title : str
        The heading, as plain text.
    body, head : str
        HTML of the sections, and of the part between heading and sections.
    kind : str
        The line above the heading.
    """
    template = resources.files("gossamer.cli").joinpath("report_template.html")
    return Template(template.read_text(encoding="utf-8")).substitute(
        title=escape(title),
        kind=escape(kind),
        head=head,
        body=body,
        version=escape(gossamer.__version__),
        date=datetime.now().astimezone().strftime("%d %B %Y, %H:%M"),
    )


def _unit(result: RunResult) -> str:
    return " %" if result.metric == "accuracy" else ""


def _tiles(result: RunResult) -> str:
    metric, unit = result.metric_title, _unit(result)
    tiles = [
        ("test", f"test {metric}", result.text(*result.summary("test")) + unit, _interval(result)),
        ("val", f"validation {metric}", result.text(*result.summary("val")) + unit, _runs(result)),
    ]
    linear = dict(result.details.baselines).get("logistic regression") if result.details else None
    if linear is not None:
        gain = points(result.metric, result.summary("test")[0] - linear)
        tiles.append(("", "without the graph", result.text(linear) + unit, f"gain {gain:+.2f}"))
    epochs = f"of at most {result.config.epochs:,}"
    tiles += [
        ("", "best epoch", f"{result.summary('best_epoch')[0]:.0f}", epochs),
        ("", "time", f"{result.summary('seconds')[0]:.1f} s", "per seed"),
        ("", "parameters", f"{result.num_parameters:,}", ""),
    ]
    return report_tables.tiles(tiles)


def _interval(result: RunResult) -> str:
    test = [seed.test for seed in result.seeds if not seed.interrupted]
    one = len(test) < 2
    if one and (result.details is None or result.metric != "accuracy"):
        return _runs(result)
    items = result.details.sizes()["test"] if result.details else 0
    low, high, how = interval(test or [result.seeds[0].test], items)
    low = max(low, 0.0)
    high = high if lower_is_better(result.metric) else min(high, 1.0)
    return f"95 % interval {result.text(low)} to {result.text(high)}, from {how}"


def _runs(result: RunResult) -> str:
    return "1 seed" if len(result.seeds) == 1 else f"mean ± deviation of {len(result.seeds)} seeds"


def _doubts(result: RunResult) -> str:
    found = find_doubts(result)
    items = "".join(f"<li>{escape(text)}</li>" for text in found)
    return f'<ul class="doubts" aria-label="Warnings">{items}</ul>' if found else ""


def _data(result: RunResult) -> str:
    sizes = result.graph.items()
    facts = [(k, f"{n:,}") for k, n in sizes if k != "classes" or result.kind == "classes"]
    details = result.details
    if details is None:
        return report_tables.pairs(dict(facts))
    sizes, more = result.sizes(), ""
    if details.by_time:
        more = f" The last {result.items} are tested, and those before them validate."
    if result.items == "links":
        more += " Pairs without a link, which are scored beside the links, are not counted."
    total = sum(sizes.values())
    for part, name in (("train", "training"), ("val", "validation"), ("test", "test")):
        share = f"{100 * sizes[part] / max(total, 1):.0f} %"
        facts.append((f"{name} {result.items}", f"{sizes[part]:,} ({share})"))
    if details.homophily is not None:
        facts.append(("edge homophily", f"{details.homophily:.2f}"))
        more += " Edge homophily is the fraction of edges that join two nodes of one class."
    compared = ""
    if details.baselines:
        models = [*details.baselines, ("this model", result.summary("test")[0])]
        rows = [(name, score, result.text(score)) for name, score in models]
        compared = f"<h3>Test {escape(result.metric_title)} of simpler models</h3>"
        compared += report_tables.bars(rows, "this model") + report_tables.note(
            "The other models use the features but no edges. The regularization of logistic "
            "regression is chosen on the validation data."
        )
    table = report_tables.pairs(dict(facts))
    note = report_tables.note(f"Sizes of the split of seed {result.best.result.seed}.{more}")
    return f'<div class="pair"><div>{table}{note}</div><div>{compared}</div></div>'


def _curves(result: RunResult) -> str:
    best = result.best.result
    others = len(result.seeds) - 1
    faint = f" Faint lines show the other {others} seeds." if others > 1 else ""
    faint = " Faint lines show the other seed." if others == 1 else faint
    epoch = best.history[best.best_epoch - 1]
    loss = _figure(
        result,
        [("training", "train_loss", TRAIN), ("validation", "val_loss", VAL)],
        "loss",
        f"Line chart of the loss over {best.epochs} epochs; at the best epoch "
        f"{epoch.train_loss:.3f} in training and {epoch.val_loss:.3f} in validation",
    )
    scale = points(result.metric, 1.0)
    unit = ", %" if _unit(result) else ", × 100" if scale == 100 else ""
    score = _figure(
        result,
        [("validation", "val_score", VAL), ("test", "test_score", TEST)],
        f"{result.metric_title}{unit}",
        f"Line chart of the {result.metric_title} over {best.epochs} epochs; at the best epoch "
        f"{result.text(best.val)} in validation and {result.text(best.test)} in test",
        scale,
    )
    note = report_tables.note(
        f"Strong lines: seed {best.seed}. The dashed line marks its best epoch, {best.best_epoch}."
        f"{faint} Point at a figure, or focus it and use the arrow keys, to read values."
    )
    return f'{note}<div class="pair">{loss}{score}</div>'


def _figure(
    result: RunResult, fields: list[tuple[str, str, str]], axis: str, alt: str, scale: float = 1.0
) -> str:
    best = result.best.result

    def values(history: list[Epoch], name: str) -> list[float]:
        return [scale * getattr(epoch, name) for epoch in history]

    lines = [
        Line(title, values(seed.history, name), color, faint=seed is not best)
        for title, name, color in fields
        for seed in result.seeds
    ]
    return curves(lines, axis, alt, best.best_epoch)


def _matrix(result: RunResult) -> str:
    counts = result.confusion
    if counts is None:
        return ""
    seeds = len(result.seeds)
    whose = f"all {seeds} seeds" if seeds > 1 else f"seed {result.seeds[0].seed}"
    note = report_tables.note(
        f"{counts.sum():,} predictions for test {result.items} of {whose}: rows are true classes, "
        f"columns predicted ones. {np.trace(counts):,} are right (blue), the others wrong (red). "
        "The strength of a color is the fraction of the row."
    )
    matrix = scroll(report_tables.matrix(counts, result.class_names), "Confusion matrix")
    scores = scroll(report_tables.class_scores(counts, result.class_names), "Scores of classes")
    return section("Confusion matrix", note + matrix + "<h3>Scores of each class</h3>" + scores)


def _wrong(result: RunResult) -> np.ndarray:
    """Return the test items that the best model misclassifies, (N,) bool."""
    best, details = result.best, result.details
    wrong = np.zeros(len(result.label), bool)
    if details is not None and result.confusion is not None:
        test = details.parts["test"]
        wrong[test] = best.probability[test].argmax(1) != result.label[test]
    return wrong


def _mistakes(result: RunResult) -> str:
    """Return the misclassified images, sorted by the probability of the wrong class."""
    wrong = np.flatnonzero(_wrong(result))
    if result.details is None or result.details.pictures is None or not len(wrong):
        return ""
    probability, names = result.best.probability, result.class_names
    order = wrong[np.argsort(-probability[wrong].max(1), kind="stable")][:_MOST_PICTURES]
    figures = []
    for i in order:
        true, guess = names[result.label[i]], names[int(probability[i].argmax())]
        alt = f"node {i}, a {true} predicted as {guess}"
        certain = f"{100 * probability[i].max():.0f} %"
        figures.append(
            f"<figure>{picture(result.details.pictures[i], alt)}<figcaption>{escape(true)} "
            f"<b>→ {escape(guess)}</b> <small>{certain}</small></figcaption></figure>"
        )
    note = report_tables.note(
        f"{len(order)} of the {len(wrong):,} test {result.items} that seed "
        f"{result.best.result.seed} misclassifies: true class → predicted class, and its "
        "probability; the highest first."
    )
    return section("Mistakes", f'{note}<div class="mistakes">{"".join(figures)}</div>')


def _embeddings(result: RunResult) -> str:
    best, config, names = result.best, result.config, result.class_names
    nodes, places, how = project(best.embedding, config.picture, config.seed)
    how = how.replace("nodes", result.scored)
    if result.confusion is None:
        plot = scatter(places, np.full(len(nodes), -1), [], f"Scatter plot of embeddings, {how}")
        return (
            report_tables.note(f"The input of the last layer, projected by {escape(how)}.") + plot
        )
    label, guess = result.label[nodes], best.probability[nodes].argmax(1)
    hints = [
        f"{n}: {names[t] if t >= 0 else 'no class'}, predicted {names[p]}"
        for n, t, p in zip(nodes, label, guess, strict=True)
    ]
    alt = f"Scatter plot of embeddings, {how}, colored by the {len(names)} classes"
    plot = scatter(places, label, names, alt, _wrong(result)[nodes], hints)
    counts = np.bincount(result.label[result.label >= 0], minlength=len(names))
    items = "".join(
        f'<li><i style="background:{color}"></i>{escape(name)} <span>{count:,}</span></li>'
        for name, color, count in zip(names, class_colors(len(names)), counts, strict=True)
    )
    note = report_tables.note(
        f"The input of the last layer for each of the {result.items}, projected by {escape(how)}; "
        f"colored by true class, errors among the test {result.items} ringed in red. Seed "
        f"{best.result.seed}, epoch {best.result.best_epoch}."
    )
    legend = f'<ul class="legend" aria-label="Classes and their sizes">{items}</ul>'
    return note + plot + legend


def _seeds(result: RunResult) -> str:
    splits = {seed.split for seed in result.seeds}
    if len(splits) > 1:
        what = f"The seeds use {len(splits)} of the dataset's splits in turn, so the deviation is "
        what += "due to both splits and random weights."
    elif len(result.seeds) > 1:
        what = "All seeds use the same split; they differ in random weights and dropout only."
    else:
        what = "One seed does not show the variance; --seeds 10 trains ten."
    note = report_tables.note(
        f"{what} Scores at the best epoch of each seed, chosen on the validation {result.items}: "
        "best score, then lowest loss. The marked seed is in the checkpoint."
    )
    return note + scroll(report_tables.seeds(result), "Table of seeds")


def _setup(result: RunResult) -> str:
    command = escape(_command(result))
    config, environment = result.config.as_dict(), filled(_flat(result.environment))
    return (
        "<h3>To train it again</h3>"
        f'<div class="command"><pre tabindex="0"><code>{command}</code></pre>'
        '<button type="button" class="copy">Copy</button></div>'
        f"<details><summary>All {len(config)} settings</summary>"
        f"{report_tables.pairs(config)}</details>"
        f"<details><summary>Versions and machine</summary>"
        f"{report_tables.pairs(environment)}</details>"
    )


def _flat(values: Mapping[str, Any]) -> dict[str, Any]:
    """Flatten one level of nesting: ``{"a": {"b": 1}}`` to ``{"a: b": 1}``."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        inner = {f"{key}: {k}": v for k, v in value.items()} if isinstance(value, dict) else None
        flat.update(inner if inner is not None else {key: value})
    return flat


def _command(result: RunResult) -> str:
    """Return the shortest command line that gives this configuration."""
    wanted = {k: v for k, v in result.config.as_dict().items() if k != "quiet"}
    given = {"dataset": wanted["dataset"], "model": wanted["model"]}
    while more := _differing(wanted, from_mapping(given).as_dict()):
        given |= more
    words = ["gossamer", "train"]
    for key, value in given.items():
        flag = f"--{key.replace('_', '-')}"
        if isinstance(value, bool):
            words.append(flag if value else flag.replace("--", "--no-", 1))
        elif isinstance(value, tuple):
            words += [flag, *map(str, value)]
        else:
            words += [flag, str(value)]
    return shlex.join(words)


def _differing(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of `wanted` that differ in `found`; defaults depend on other settings."""
    return {key: value for key, value in wanted.items() if found[key] != value}
