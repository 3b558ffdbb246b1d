"""What a graph looks like, as text and as HTML."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
import torch

import gossamer as gs
from helpers.graphs import GraphCase, graph_cases

VOID = {"br"}


class Reader(HTMLParser):
    """Collects text by cell, and raises where tags are not balanced."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.rows: list[list[str]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list) -> None:
        if tag in VOID:
            return
        self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            raise ValueError(f"</{tag}> closes nothing")

    def handle_data(self, data: str) -> None:
        self.text += data
        if self.open[-1:] and {"td", "th"} & set(self.open):
            self.rows[-1][-1] += data


def read(g: gs.Graph) -> Reader:
    reader = Reader()
    reader.feed(g._repr_html_())
    reader.close()
    assert reader.open == [], "tags left open"
    return reader


def test_homogeneous() -> None:
    g = gs.graph(([0, 1], [1, 2]), num_nodes=1234)
    g.ndata["feat"] = torch.ones(1234, 16)
    g.ndata["label"] = torch.zeros(1234, dtype=torch.int64)
    g.edata["w"] = torch.ones(2, 3, 4)

    assert repr(g) == (
        "Graph(num_nodes=1,234, num_edges=2)\n"
        "  ndata  feat   float32 (16,)\n"
        "         label  int64\n"
        "  edata  w  float32 (3, 4)"
    )


def test_bare_graph_is_one_line() -> None:
    assert repr(gs.graph(([], []))) == "Graph(num_nodes=0, num_edges=0)"


def test_notes_tell_what_is_unusual() -> None:
    g = gs.graph(([0], [1]), idtype=torch.int32)

    assert repr(gs.batch([g, g])) == "Graph(num_nodes=4, num_edges=2, batch_size=2, idtype=int32)"
    assert repr(g.to("meta")).endswith("idtype=int32, device='meta')")


def test_heterogeneous() -> None:
    g = gs.heterograph({("user", "plays", "game"): ([0], [1]), ("a", "b", "c"): ([0], [0])})
    g.nodes["game"].data["x"] = torch.ones(2, 5)

    assert repr(g).splitlines() == [
        "Graph(4 node types, 2 edge types)",
        "  nodes  a                     1",
        "         c                     1",
        "         game                  2   x  float32 (5,)",
        "         user                  1",
        "  edges  a -[b]-> c            1",
        "         user -[plays]-> game  1",
    ]


def test_block() -> None:
    g = gs.create_block(([0, 1, 2], [0, 0, 1]))
    g.srcdata["h"] = torch.ones(3, 2)

    assert repr(g) == (
        "Block(num_src_nodes=3, num_dst_nodes=2, num_edges=3)\n  srcdata  h  float32 (2,)"
    )


@pytest.mark.parametrize("case", graph_cases())
def test_html_has_a_row_for_each_type_and_balanced_tags(case: GraphCase) -> None:
    g = case()
    etype = g.canonical_etypes[0]
    g.edges[etype].data["weight"] = torch.ones(g.num_edges(etype), 7)
    reader = read(g)

    assert reader.text.startswith(repr(g).splitlines()[0])
    assert len(reader.rows) == 1 + len(g.node_frames) + len(g.etypes)
    typed = reader.rows[0] == ["", "type", "count", "degrees", "features"]
    assert typed or reader.rows[0] == ["", "count", "degrees", "features"]
    row = reader.rows[1 + len(g.node_frames)]
    assert row[0] == "edges" and row[-1] == "weight float32 (7,)"
    if typed:
        assert row[1] == "{} -[{}]-> {}".format(*etype)
    else:
        assert len(g.etypes) == 1 and "_E" not in reader.text and "_N" not in reader.text
    assert row[-3] == f"{g.num_edges(etype):,}"
    assert repr(g).count("weight") == 1


def test_html_tells_degrees_id_type_and_device() -> None:
    g = gs.graph(([0, 0, 1], [1, 2, 2]), num_nodes=4, idtype=torch.int32)
    reader = read(g)
    assert "ids int32, device cpu" in reader.text
    assert reader.rows[2][2] == "in 0 to 2, mean 0.75out 0 to 2, mean 0.75"
    assert read(g.to("meta")).rows[2][2] == ""


def test_html_of_a_batch_and_of_a_block() -> None:
    g = gs.graph(([0], [1]))
    assert "batch_size=3" in read(gs.batch([g, g, g])).text
    block = gs.create_block(([0, 1, 2], [0, 0, 1]))
    assert [row[0] for row in read(block).rows] == ["", "src", "dst", "edges"]


def test_html_escapes_names() -> None:
    evil = "<script>alert('x')</script>&amp;\""
    g = gs.heterograph({(evil, "<b>", evil): ([0], [1])})
    g.ndata["<i>"] = torch.ones(2)
    reader = read(g)

    assert "<script" not in g._repr_html_() and "<i>" not in g._repr_html_()
    assert reader.rows[1][1:] == [evil, "2", "", "<i> float32"]
    assert reader.rows[2][1] == f"{evil} -[<b>]-> {evil}"


def test_features_are_not_gathered_to_be_shown() -> None:
    g = gs.graph(([0, 1], [1, 2]))
    g.ndata["h"] = torch.ones(3, 2)
    g.remove_nodes([0])
    column = g.node_frames[0].columns["h"]

    assert "h  float32 (2,)" in repr(g) and "float32 (2,)" in g._repr_html_()
    assert g.node_frames[0].columns["h"] is column, "still waiting to be read"
