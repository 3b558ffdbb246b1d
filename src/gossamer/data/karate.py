"""Zachary's karate club."""

from __future__ import annotations

import numpy as np

from gossamer.data._build import both_directions, node_graph
from gossamer.data.dataset import SingleGraphDataset, Transform

# Row n lists the friends of member n among the members with a larger number.
_FRIENDS = (
    "1 2 3 4 5 6 7 8 10 11 12 13 17 19 21 31|2 3 7 13 17 19 21 30|3 7 8 9 13 27 28 32|7 12 13|6 10|"
    "6 10 16|16||30 32 33|33||||33|32 33|32 33|||32 33|33|32 33||32 33|25 27 29 32 33|25 27 31|31|"
    "29 33|33|31 33|32 33|32 33|32 33|33|"
)
_FOLLOWERS_OF_THE_OFFICER = (9, 14, 15, 18, 20, *range(22, 34))


class KarateClubDataset(SingleGraphDataset):
    """Zachary's karate club: 34 members, 78 friendships, and the members' sides after the split.

    W. W. Zachary, "An information flow model for conflict and fission in small groups", 1977.

    Nodes: 34. Edges: 156 (78 in both directions). Classes: 2. The graph has ``ndata['label']``: 0
    for the instructor's side (node 0), 1 for the officer's (node 33); no features and no masks.

    Parameters
    ----------
    transform : callable, optional
        Applied to the graph when it is accessed.

    Examples
    --------
    >>> dataset = KarateClubDataset()
    >>> g = dataset[0]
    >>> g.num_nodes(), g.num_edges(), dataset.num_classes
    (34, 156, 2)
    """

    def __init__(self, transform: Transform | None = None) -> None:
        super().__init__("karate_club", url=None, transform=transform)

    def process(self) -> None:
        """Build the graph from the embedded table."""
        friends = [[int(n) for n in row.split()] for row in _FRIENDS.split("|")]
        source = np.repeat(np.arange(len(friends)), [len(row) for row in friends])
        target = np.array([n for row in friends for n in row])
        label = np.zeros(len(friends), dtype=np.int64)
        label[list(_FOLLOWERS_OF_THE_OFFICER)] = 1
        edges = both_directions(source, target, len(friends))
        self.graph = node_graph(*edges, len(friends), {"label": label})

    @property
    def num_classes(self) -> int:
        """Number of node classes: 2."""
        return 2
