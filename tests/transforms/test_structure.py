from __future__ import annotations

import pytest
import torch

import gossamer as gs
from helpers.compare import assert_graph_equal


def weighted() -> gs.Graph:
    g = gs.graph(([0, 1, 1], [1, 2, 1]))
    g.edata["w"] = torch.arange(3.0)
    g.edata["z"] = torch.ones(3, 2)
    g.ndata["h"] = torch.arange(3.0)
    return g


@pytest.mark.parametrize(
    ("fill", "names", "expected_w", "expected_z"),
    [
        (1.0, None, [1.0, 1.0, 1.0], [1.0, 1.0, 1.0]),
        (3.0, ["w"], [3.0, 3.0, 3.0], [0.0, 0.0, 0.0]),
        ("sum", None, [0.0, 2.0, 1.0], [0.0, 2.0, 1.0]),
        ("mean", ["w"], [0.0, 1.0, 1.0], [0.0, 0.0, 0.0]),
        (torch.tensor(5.0), ["w"], [5.0, 5.0, 5.0], [0.0, 0.0, 0.0]),
    ],
)
def test_self_loops_are_filled(fill, names, expected_w, expected_z):
    g = weighted()
    looped = gs.add_self_loop(g, edge_feat_names=names, fill_data=fill)
    assert looped.edges()[0].tolist() == [0, 1, 1, 0, 1, 2]
    assert looped.edges()[1].tolist() == [1, 2, 1, 0, 1, 2]
    assert looped.edata["w"][3:].tolist() == expected_w
    assert looped.edata["z"][3:, 0].tolist() == expected_z
    assert looped.ndata["h"].tolist() == [0.0, 1.0, 2.0]
    assert g.num_edges() == 3


@pytest.mark.parametrize("idtype", [torch.int32, torch.int64])
def test_removing_self_loops_undoes_adding_them(idtype):
    g = gs.remove_self_loop(gs.graph(([0, 1, 1], [1, 2, 1]), idtype=idtype))
    assert g.num_edges() == 2
    assert_graph_equal(gs.remove_self_loop(gs.add_self_loop(g)), g)


def test_self_loops_of_one_edge_type():
    g = gs.heterograph({("a", "r", "a"): ([0], [1]), ("a", "s", "b"): ([0], [1])})
    assert gs.add_self_loop(g, etype="r").num_edges("r") == 3
    with pytest.raises(gs.InvalidValueError, match="joins two node types"):
        gs.add_self_loop(g, etype="s")
    with pytest.raises(gs.InvalidValueError, match="edge type must be named"):
        gs.add_self_loop(g)


@pytest.mark.parametrize(("fill", "error"), [("median", "one of"), (None, "NoneType")])
def test_bad_fill(fill, error):
    with pytest.raises(gs.GossamerError, match=error):
        gs.add_self_loop(weighted(), fill_data=fill)


def test_functional_edits_leave_their_input_alone():
    g = weighted()
    assert gs.add_nodes(g, 2, {"h": torch.tensor([7.0, 8.0])}).ndata["h"].tolist()[3:] == [7, 8]
    assert gs.add_edges(g, [2], [0]).edata["w"].tolist() == [0, 1, 2, 0]
    assert gs.remove_edges(g, [0], store_ids=True).edata[gs.EID].tolist() == [1, 2]
    assert gs.remove_nodes(g, [0], store_ids=True).ndata[gs.NID].tolist() == [1, 2]
    assert (g.num_nodes(), g.num_edges(), list(g.edata)) == (3, 3, ["w", "z"])
