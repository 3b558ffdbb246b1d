"""The deliberate differences from DGL of all tables, as the list in docs/moving_from_dgl.md.

Run from the root of the repository::

    python tests/golden/list_differences.py --write

to put them into the guide, or without ``--write`` to print them.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from golden import harness

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "moving_from_dgl.md"
BEGIN = "<!-- differences: written by `python tests/golden/list_differences.py --write` -->"
END = "<!-- end of differences -->"

# What a table is about, in the words of the guide; an area that is not here goes by its own name.
_TITLES = {
    "batch_readout": "Batches and readouts",
    "convert": "Building graphs",
    "encodings": "Distances and encodings",
    "files": "Files of graphs",
    "geometry": "Neighbor graphs and homophily",
    "graph": "Methods of graphs",
    "helpers": "Embeddings, optimizers, random draws",
    "homogeneous": "Homogeneous and merged graphs",
    "interop": "networkx and scipy",
    "message_passing": "Message passing",
    "modules": "Transform modules",
    "sampling": "Sampling",
    "structural": "Transforms of structure",
    "subgraph": "Subgraphs and blocks",
    "traversal": "Traversal and propagation",
}


def markdown() -> str:
    """The list: a heading for each area with differences, and a line for each reason."""
    sections = []
    for area in harness.areas():
        reasons = dict.fromkeys(difference.reason for difference in harness.load(area).differences)
        if reasons:
            lines = [f"- {reason}" for reason in reasons]
            sections.append("\n".join([f"**{_TITLES.get(area, area)}**", "", *lines]))
    return "\n\n".join(sections) + "\n"


def write() -> None:
    """Put the list into the guide, between its marks."""
    before, _, rest = GUIDE.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    GUIDE.write_text(f"{before}{BEGIN}\n{markdown()}{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    if "--write" in sys.argv:
        write()
    else:
        print(markdown(), end="")
