"""The gallery: a page for each file in examples/, with its published and its measured figures."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from matplotlib.figure import Figure
from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parents[2]
NUMBER = re.compile(r"(\d+(?:\.\d+)?)(?: ± (\d+(?:\.\d+)?))?")
MEASURED, PUBLISHED = "#2f6fd0", "#7d8898"


def rows() -> list[dict[str, str]]:
    """The rows of every table of results, by column."""
    found = []
    for path in (ROOT / "README.md", ROOT / "docs" / "results.md"):
        head: list[str] = []
        for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
            cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
            if not line.startswith("|"):
                head = []
            elif not head:
                head = cells
            elif {"published", "here", "command"} <= set(head) and len(cells) == len(head):
                found.append(dict(zip(head, cells, strict=True)))
    return list({row["command"]: row for row in found}.values())


def draw(shown: list[dict[str, str]], path: Path) -> None:
    """Published figures, and ours with their deviations, one row under another."""
    figure = Figure(figsize=(7, 0.7 + 0.45 * len(shown)), layout="constrained")
    axis = figure.add_subplot()
    for i, row in enumerate(shown):
        for key, color, shift in (("published", PUBLISHED, 0.12), ("here", MEASURED, -0.12)):
            if match := NUMBER.search(row[key]):
                spread = float(match[2] or 0)
                axis.errorbar(
                    float(match[1]), -i + shift, xerr=spread, fmt="o", color=color, capsize=3,
                    label=key if i == 0 else None,
                )  # fmt: skip
    labels = [", ".join(row[k] for k in ("data", "model") if k in row) for row in shown]
    axis.set_yticks([-i for i in range(len(shown))], labels)
    axis.set_ylim(-len(shown) + 0.5, 0.5)
    axis.grid(axis="x", alpha=0.3)
    axis.legend(loc="best")
    figure.savefig(path, dpi=110)


def page(example: Path, shown: list[dict[str, str]]) -> tuple[str, str]:
    """Title and text of the page of an example, in reStructuredText."""
    docstring = ast.get_docstring(ast.parse(example.read_text(encoding="utf-8"))) or example.stem
    title, _, rest = docstring.partition("\n")
    rest = re.sub(r"(?m)^((?:    .*\n?)+)", r"::\n\n\1", rest)
    text = f"{title}\n{'=' * len(title)}\n\n{rest}\n\n"
    if shown:
        text += f".. image:: {example.stem}.png\n   :alt: published and measured figures\n\n"
        commands = "\n".join(f"    {row['command'].strip('`')}" for row in shown)
        text += f"The commands of these figures::\n\n{commands}\n\n"
    source = f"../../examples/{example.name}"
    return (
        title,
        text + f"The file\n--------\n\n.. literalinclude:: {source}\n   :language: python\n",
    )


def setup(app: Sphinx) -> dict[str, bool]:
    """Write the pages before Sphinx looks for them."""
    folder = Path(app.srcdir) / "gallery"
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    results, names, cards = rows(), [], []
    for example in sorted((ROOT / "examples").glob("[!_]*.py")):
        shown = [row for row in results if f"examples/{example.name}" in row["command"]]
        if shown:
            draw(shown, folder / f"{example.stem}.png")
        title, text = page(example, shown)
        (folder / f"{example.stem}.rst").write_text(text, encoding="utf-8")
        names.append(example.stem)
        cards.append(f":doc:`{title.rstrip('.')} <{example.stem}>`\n")
        if shown:
            cards.append(
                f".. image:: {example.stem}.png\n   :alt: {example.stem}: published and measured\n"
                f"   :width: 420px\n   :target: {example.stem}.html\n"
            )
    heading = "Gallery of examples"
    toctree = "\n".join(f"   {name}" for name in names)
    text = (
        f"{heading}\n{'=' * len(heading)}\n\nEach example is one file that follows the setting of "
        "a paper and says where it departs from it. The figures show mean and deviation, published "
        f"and measured.\n\n.. toctree::\n   :hidden:\n\n{toctree}\n\n" + "\n".join(cards)
    )
    (folder / "index.rst").write_text(text, encoding="utf-8")
    return {"parallel_read_safe": True}
