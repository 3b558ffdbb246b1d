"""The karate club, compared with networkx and DGL."""

from __future__ import annotations

import networkx as nx

from gossamer.data import KarateClub, KarateClubDataset
from helpers.digests import digest


def test_is_the_graph_of_networkx() -> None:
    u, v = KarateClubDataset()[0].edges()
    expected = sorted(nx.karate_club_graph().to_directed().edges)
    assert list(zip(u.tolist(), v.tolist(), strict=True)) == expected


def test_labels_are_the_clubs_of_networkx() -> None:
    clubs = nx.get_node_attributes(nx.karate_club_graph(), "club")
    expected = [int(clubs[node] == "Officer") for node in range(34)]
    assert KarateClubDataset()[0].ndata["label"].tolist() == expected


def test_is_what_dgl_gives() -> None:
    # sha256 of what DGL 2.1.0 returned.
    dataset = KarateClub()
    g = dataset[0]
    assert digest(*g.edges()) == "39e86a7539400265"
    assert digest(g.ndata["label"]) == "84c636c19dccbe12"
    assert (dataset.name, dataset.num_classes, list(g.ndata)) == ("karate_club", 2, ["label"])
