"""The report: complete, escaped, and free of outside resources."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import precision_recall_fscore_support

from gossamer.cli.config import options, resolve
from gossamer.cli.parser import build_parser
from gossamer.cli.report import render_report
from gossamer.cli.results import RunResult

VOID = {"meta", "link", "br", "img", "input", "hr"}
LINKING = {"src", "href", "xlink:href", "data", "action", "poster", "srcset"}


class _Page(HTMLParser):
    """Checks nesting; collects ids, references and text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: Counter[str] = Counter()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.labels: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen[tag] += 1
        values = dict(attrs)
        self.links += [v for k, v in attrs if k in LINKING and v is not None]
        self.ids += [values["id"]] if "id" in values else []
        self.labels += [values["aria-label"]] if tag == "svg" else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture
def html(recorded: RunResult) -> str:
    return render_report(recorded)


def test_the_page_is_well_formed_with_unique_ids(html: str) -> None:
    page = _Page(html)
    assert html.startswith("<!DOCTYPE html>")
    assert page.seen["h1"] == 1 and page.seen["svg"] == 3 and page.seen["table"] == 6
    assert len(page.ids) == len(set(page.ids))
    assert all(len(label) > 20 for label in page.labels)
    assert "$" not in page.text


def test_the_page_needs_no_other_resource(html: str) -> None:
    page = _Page(html)
    assert all(link.startswith(("#", "data:")) for link in page.links)
    without_bitmaps = re.sub(r'"data:image/png;base64,[\w+/=\s]*"', '""', html)
    assert not re.search(r"https?:|//[a-z]|@import|url\((?!#)", without_bitmaps)
    assert not {"link", "iframe", "object"} & set(page.seen)
    assert "fetch(" not in html and "import(" not in html


def test_names_from_the_dataset_are_escaped(html: str) -> None:
    assert "<b>birds</b>" not in html
    assert "<b>birds</b>" in _Page(html).text
    assert "cats & dogs" in _Page(html).text


def test_the_page_tells_scores_matrix_configuration_and_command(
    html: str, recorded: RunResult
) -> None:
    text = _Page(html).text
    assert "85.00 ± 10.00 %" in text and "mean ± deviation of 3 seeds" in text
    assert "95 % interval 60.16 to 100.00, from 3 seeds" in text
    assert "GCN on cora" in text and "PCA, first two components, all 60 nodes" in text
    assert "gossamer train --dataset cora --model gcn --seeds 3 --hidden 24 --picture pca" in text
    assert "weight_decay" in text and "kernels: native" in text
    for count in recorded.confusion.ravel():
        assert f">{count:,}</td>" in html
    assert html.count('<tr class="best">') == 1


@pytest.mark.parametrize(
    "given",
    [
        {"dataset": "cora", "model": "sage", "minibatch": True, "fanout": (10, -1)},
        {"edges": ("my edges.csv",), "nodes": ("n.csv",), "target": ("y",), "node_id": "id"},
        {
            "edges": ("u:rates:m=a.csv", "m:of:g=b.csv"),
            "nodes": ("u=u.csv", "m=m.csv"),
            "target": ("a", "b"),
            "task": "multilabel",
            "reverse": False,
        },
    ],
    ids=["fanouts", "tables", "typed tables"],
)
def test_the_command_gives_the_configuration_again(given: dict, recorded: RunResult) -> None:
    recorded.config = resolve(given)
    (command,) = re.findall(r"(gossamer train --dataset [^<]+)<", render_report(recorded))
    args = build_parser().parse_args(shlex.split(unescape(command))[1:])
    again = {name: getattr(args, name) for name in options() if hasattr(args, name)}
    assert resolve(again) == recorded.config


def test_the_page_tells_of_the_data_and_of_simpler_models(html: str) -> None:
    text = _Page(html).text
    assert "training nodes20 (33 %)" in text and "test nodes30 (50 %)" in text
    assert "edge homophily0.81" in text
    assert "largest class40.00" in text and "logistic regression70.00" in text
    assert "gain +15.00" in text
    assert "All seeds use the same split" in text


def test_a_split_by_time_says_so(recorded: RunResult) -> None:
    recorded = replace(recorded, details=replace(recorded.details, by_time=True))
    assert "The last nodes are tested, and those before them validate." in render_report(recorded)


def test_splits_are_told_from_seeds(recorded: RunResult) -> None:
    for seed in recorded.seeds:
        seed.split = seed.seed
    assert "The seeds use 3 of the dataset's splits in turn" in _Page(render_report(recorded)).text


def test_the_matrix_counts_all_seeds_and_tells_hits_from_misses(
    html: str, recorded: RunResult
) -> None:
    counts = recorded.confusion
    assert counts.sum() == 3 * 60
    assert html.count('<td class="hit') == 3
    assert html.count('<td class="miss') == (counts - np.diag(np.diag(counts)) > 0).sum()
    share = 100 * counts[0, 0] / counts[0].sum()
    hint = f"true cats &amp; dogs, predicted cats &amp; dogs: {counts[0, 0]:,}, {share:.1f} %"
    assert hint in html


def test_scores_of_classes_are_those_of_scikit_learn(html: str, recorded: RunResult) -> None:
    guess = recorded.best.probability.argmax(1)
    rows = precision_recall_fscore_support(recorded.label, guess)
    for precision, recall, f1, support in zip(*rows, strict=True):
        cells = [f"{3 * support}", *(f"{100 * v:.1f}" for v in (precision, recall, f1))]
        assert "".join(f"<td>{cell}</td>" for cell in cells) in html
    macro = precision_recall_fscore_support(recorded.label, guess, average="macro")[:3]
    assert "".join(f"<td>{100 * v:.1f}</td>" for v in macro) in html


def test_mistaken_pictures_are_shown(recorded: RunResult) -> None:
    assert "Mistakes" not in render_report(recorded)
    recorded.details.pictures = np.random.default_rng(0).random((60, 4, 4))
    page = _Page(render_report(recorded))
    test = np.arange(30, 60)
    wrong = (recorded.best.probability[test].argmax(1) != recorded.label[test]).sum()
    assert 0 < wrong == page.seen["img"]
    assert page.seen["figcaption"] == wrong


def test_values_have_no_matrix_and_no_percent(recorded: RunResult) -> None:
    recorded.kind, recorded.metric, recorded.items = "values", "mae", "graphs"
    recorded.label = np.linspace(0, 1, 60)[:, None]
    recorded.details.baselines = []
    recorded.best.confusion = None
    for seed in recorded.seeds:
        seed.confusion = None
    page = _Page(render_report(recorded))
    assert "test MAE0.8500 ± 0.1000" in page.text and "Confusion" not in page.text
    assert "all 60 graphs" in page.text and page.seen["svg"] == 3
    assert "classes3" not in page.text and "MAE." in page.text


def test_regions_that_scroll_can_be_reached_by_keyboard(html: str) -> None:
    for opening in re.findall(r'<div class="(?:scroll|plot)"[^>]*>', html):
        assert 'tabindex="0"' in opening and "aria-label=" in opening


def test_the_environment_leaves_out_what_is_empty(recorded: RunResult) -> None:
    recorded.environment["kernels"] = {"why_not": "", "forced": None, "isas": ["avx2", "generic"]}
    text = _Page(render_report(recorded)).text
    assert "kernels: isasavx2, generic" in text
    assert "why_not" not in text and "forced" not in text


def test_roc_auc_is_named_and_has_no_percent_sign(recorded: RunResult) -> None:
    recorded.metric = "roc_auc"
    text = _Page(render_report(recorded)).text
    assert "test ROC AUC" in text and "85.00 ± 10.0095 % interval" in text


def test_one_seed_of_one_epoch_has_no_deviation(recorded: RunResult) -> None:
    only = recorded.seeds[1]
    only.history = only.history[:1]
    only.best_epoch = 1
    recorded.seeds = [only]
    text = _Page(render_report(recorded)).text
    assert "1 seed" in text and "±" not in text
    assert "95 % interval 85.00" not in text and "from 30 test items" in text


def test_the_report_of_a_real_run(trained: Path) -> None:
    page = _Page((trained / "report.html").read_text(encoding="utf-8"))
    assert "GCN on digits" in page.text
    assert page.seen["svg"] == 3 and page.seen["img"] > 0
    assert "logistic regression" in page.text and "test nodes1,297" in page.text


@pytest.mark.parametrize("interrupted", [False, True])
def test_an_interrupted_run_says_so(recorded: RunResult, interrupted: bool) -> None:
    recorded.interrupted = interrupted
    assert ("on cora, interrupted</h1>" in render_report(recorded)) is interrupted
