"""Explanations to look at: what the picture and the page show, and what is refused."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import matplotlib
import numpy as np
import pytest
import torch

import gossamer as gs
from gossamer.errors import GossamerError
from gossamer.nn import Explanation
from helpers.browser import ask, chromium

matplotlib.use("Agg")
from matplotlib import pyplot

EDGES = ([0, 1, 2, 3, 3], [1, 2, 3, 0, 3])
MASK = torch.tensor([0.9, 0.1, 0.7, 0.2, 0.4])


@pytest.fixture
def explanation() -> Explanation:
    return Explanation(gs.graph(EDGES), MASK, torch.tensor([0.2, 0.8, 0.5]), node=1)


class Page(HTMLParser):
    """The rows of the tables, and the tags with their attributes, of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.rows: list[list[str]] = []
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.tags.append((tag, dict(attrs)))
        self.open.append(tag)
        if tag == "tr":
            self.rows.append([])

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if "td" in self.open and data.strip():
            self.rows[-1].append(data.strip())


def test_the_page_lists_edges_and_features_by_importance(explanation: Explanation) -> None:
    page = Page(explanation.to_html())
    edges = [["0 → 1", "0.900"], ["2 → 3", "0.700"], ["3 → 3", "0.400"], ["3 → 0", "0.200"]]
    assert page.rows == [
        *edges,
        ["1 → 2", "0.100"],
        ["1", "0.800"],
        ["2", "0.500"],
        ["0", "0.200"],
    ]


def test_the_page_draws_each_edge_and_node_once(explanation: Explanation) -> None:
    page = Page(explanation.to_html())
    paths = [attributes for tag, attributes in page.tags if tag == "path"]
    assert [float(a["data-weight"]) for a in paths] == [0.9, 0.7, 0.4, 0.2, 0.1]
    widths = [float(a["stroke-width"]) for a in paths]
    assert widths == sorted(widths, reverse=True) and widths[0] > 3 * widths[-1]
    circles = [a for tag, a in page.tags if tag == "circle"]
    places = np.array([[float(a["cx"]), float(a["cy"])] for a in circles])
    apart = np.linalg.norm(places[:, None] - places[None], axis=-1) + 1e9 * np.eye(len(places))
    assert len(circles) == 4 and apart.min() > 20
    assert len({a["fill"] for a in circles}) == 2, "the node that is explained has a color"


def test_the_page_needs_nothing_else(explanation: Explanation, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    page = explanation.to_html(file)
    assert file.read_text(encoding="utf-8") == page
    assert not re.search(r"https?:|src=|@import|\$[a-z]", page)
    tags = [tag for tag, _ in Page(page).tags]
    assert tags.count("svg") == tags.count("script") == 1


def test_names_are_those_of_the_whole_graph_and_escaped() -> None:
    g = gs.graph(EDGES)
    part = g.subgraph([2, 3])
    page = Explanation(part, torch.rand(2), torch.rand(1), 1, feat_names=["a<b"]).to_html()
    assert "Explanation of node 3" in page
    assert "2 → 3" in page
    assert "a&lt;b" in page and "a<b" not in page


def test_the_least_important_edges_are_left_out(explanation: Explanation) -> None:
    page = explanation.to_html(max_edges=2)
    assert "the 2 most important edges" in page
    assert [row[0] for row in Page(page).rows[:3]] == ["0 → 1", "2 → 3", "1"]


def test_the_picture_has_an_arrow_for_each_edge(explanation: Explanation) -> None:
    ax = explanation.plot()
    try:
        arrows = [a for a in ax.texts if a.arrow_patch is not None]
        assert len(arrows) == 4 and len(ax.lines) == 1, "four arrows and a self-loop"
        widths = [a.arrow_patch.get_linewidth() for a in arrows]
        assert widths == sorted(widths, reverse=True)
        assert {a.get_text() for a in ax.texts} >= {"0", "1", "2", "3"}
        names = [t.get_text() for t in ax.figure.axes[1].get_yticklabels()]
        assert names == ["0", "2", "1"], "the most important feature is at the top"
        ax.figure.canvas.draw()
    finally:
        pyplot.close(ax.figure)


def test_the_picture_goes_where_it_is_sent() -> None:
    figure, ax = pyplot.subplots()
    try:
        assert Explanation(gs.graph(EDGES), MASK).plot(ax, max_edges=1) is ax
        assert len([a for a in ax.texts if a.arrow_patch is not None]) == 1
    finally:
        pyplot.close(figure)


def test_several_types() -> None:
    g = gs.heterograph(
        {("user", "plays", "game"): ([0, 1], [0, 0]), ("game", "by", "user"): ([0], [1])}
    )
    masks = {("user", "plays", "game"): torch.tensor([0.3, 0.6]), "by": torch.tensor([0.9])}
    explanation = Explanation(g, masks, {"user": torch.rand(2)}, ("game", 0))
    assert repr(explanation) == "Explanation(num_nodes=3, num_edges=3, node=game 0)"
    rows = Page(explanation.to_html()).rows
    assert [row[0] for row in rows[:2]] == ["game 0 → user 1", "user 1 → game 0"]
    assert rows[3][0].startswith("user ")


@pytest.mark.parametrize("count", [0, 1, 3])
def test_no_edges(count: int) -> None:
    explanation = Explanation(gs.graph(([], []), num_nodes=count))
    assert explanation.to_html().count("<circle") == 0
    pyplot.close(explanation.plot().figure)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"edge_mask": torch.rand(4)},
            "edge_mask must have a number for each of the 5 edges, got 4",
        ),
        ({"edge_mask": [0.1] * 5}, "edge_mask must be a tensor, got list"),
        (
            {"edge_mask": torch.full((5,), float("nan"))},
            "edge_mask has numbers that are not finite",
        ),
        ({"feat_mask": torch.rand(2), "feat_names": ["a"]}, "a name for each of the 2 features"),
        ({"node": 4}, "node 4 does not exist; the graph has 4 nodes"),
        ({"node": -1}, "node is at least 0, got -1"),
        ({"node": ("user", 1)}, "the graph has no node type 'user', only"),
    ],
)
def test_refused(arguments: dict, message: str) -> None:
    with pytest.raises(GossamerError, match=message):
        Explanation(gs.graph(EDGES), **arguments)


def test_a_node_of_several_types_needs_its_type() -> None:
    g = gs.heterograph({("user", "plays", "game"): ([0, 1], [0, 0])})
    with pytest.raises(GossamerError, match=r"node must be a pair \(type, id\), got 1"):
        Explanation(g, node=1)
    with pytest.raises(GossamerError, match="max_edges"):
        Explanation(g).plot(max_edges=0)


# --- in Chromium; skipped without -----------------------------------------------------------------


@pytest.fixture
def page() -> str:
    """A page of the size that users have: the neighborhood of a node with 150 edges."""
    chromium()
    generator = torch.Generator().manual_seed(0)
    ends = torch.randint(0, 60, (2, 150), generator=generator)
    g = gs.graph((ends[0], ends[1]), num_nodes=60)
    # Seven digits: none may be lost between the slider and the edges.
    edge_mask = 0.1234567 + 0.7654321 * torch.rand(150, generator=generator)
    return Explanation(g, edge_mask, torch.rand(30, generator=generator), 7).to_html()


def test_the_slider_hides_the_edges_below(page: str, tmp_path: Path) -> None:
    script = """
    const least = doc.getElementById("least"), edges = [...doc.querySelectorAll("svg path")];
    const shown = (value) => {
      least.value = value;
      least.dispatchEvent(new win.Event("input"));
      const rows = [...doc.querySelectorAll("tr[data-weight]")];
      return [edges, rows].map((all) => all.filter((node) => node.checkVisibility()).length);
    };
    return { none: shown(least.max), half: shown("0.5"), all: shown(least.min),
      above: edges.filter((edge) => Number(edge.dataset.weight) >= 0.5).length,
      text: doc.querySelector("output").textContent };
    """
    found = ask(page, script, tmp_path)
    assert found["none"] == [1, 1], "the most important edge stays"
    assert found["half"] == [found["above"]] * 2
    assert found["all"] == [150, 150]
    assert 0 < found["above"] < 150
    assert len(found["text"]) < 8


def test_the_picture_scrolls_on_a_phone_and_the_rest_fits(page: str, tmp_path: Path) -> None:
    script = """
    const text = doc.querySelector("svg text").getBoundingClientRect();
    const scroll = doc.querySelector(".scroll");
    scroll.focus();
    return [doc.documentElement.scrollWidth, scroll.scrollWidth > scroll.clientWidth,
      doc.activeElement === scroll, text.height];
    """
    width, scrolls, focused, height = ask(page, script, tmp_path)
    assert width <= 390 and scrolls and focused
    assert height >= 10


def test_names_and_nodes_do_not_cover_each_other(page: str, tmp_path: Path) -> None:
    script = """
    const boxes = [...doc.querySelectorAll("svg circle")].map((n) => n.getBoundingClientRect());
    let over = 0;
    boxes.forEach((a, i) => boxes.slice(i + 1).forEach((b) => {
      over += Math.hypot(a.x - b.x, a.y - b.y) < a.width;
    }));
    return [boxes.length, over];
    """
    count, over = ask(page, script, tmp_path, width=1000)
    assert count > 50
    assert over <= 2


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_lines_and_text_are_seen_in_both_color_schemes(
    page: str, tmp_path: Path, scheme: str
) -> None:
    script = """
    const style = (name) => win.getComputedStyle(doc.querySelector(name));
    return [style("svg path").stroke, style("svg text").fill, style("body").color];
    """
    line, name, text = ask(page, script, tmp_path, scheme=scheme)
    assert line == name == text
    assert text == {"light": "rgb(0, 0, 0)", "dark": "rgb(255, 255, 255)"}[scheme]
