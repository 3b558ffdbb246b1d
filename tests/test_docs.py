"""The code in the documentation runs and prints what it says; the site's parts are complete."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from helpers.markdown import cells, examples, run
from helpers.paths import REPOSITORY

DOCS = REPOSITORY / "docs"
# Pages with fragments: parts of the package's own files, and code that needs DGL's name or a GPU.
FRAGMENTS = {"adding_a_dataset.md", "contributing.md", "gpu.md", "moving_from_dgl.md"}
PAGES = sorted(
    path
    for path in [*DOCS.glob("*.md"), *(DOCS / "guide").glob("*.md")]
    if examples(path) and path.name not in FRAGMENTS
)
NOTEBOOKS = sorted(path for path in (DOCS / "tutorials").glob("*.md") if cells(path))


def _name(path: Path) -> str:
    return str(path.relative_to(DOCS))


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_examples_of_a_page(page: Path) -> None:
    names: dict[str, object] = {"__name__": "page"}
    for code, expected in examples(page):
        printed = run(code, page.name, names)
        assert printed == (expected or ""), code


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=_name)
def test_a_notebook_runs(notebook: Path) -> None:
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    names: dict[str, object] = {"__name__": "notebook"}
    printed = "".join(run(code, notebook.name, names) for code in cells(notebook))
    figures = len(pyplot.get_fignums())
    pyplot.close("all")
    assert printed or figures


def test_there_are_ten_tutorials_that_check_their_result() -> None:
    assert len(NOTEBOOKS) >= 10
    without = [path.name for path in NOTEBOOKS if "assert " not in "".join(cells(path))]
    assert not without


def test_names_in_the_table_for_pyg_exist() -> None:
    import gossamer

    text = (DOCS / "moving_from_pyg.md").read_text(encoding="utf-8")
    names = set(re.findall(r"\bgs((?:\.\w+)+)", text))
    assert len(names) > 50
    for name in names:
        value: object = gossamer
        for part in name[1:].split("."):
            value = getattr(value, part)


def test_every_public_module_has_a_page() -> None:
    import gossamer

    source = (DOCS / "_extensions" / "api_pages.py").read_text(encoding="utf-8")
    listed = set(re.findall(r'^    "(gossamer[\w.]*)": "', source, flags=re.MULTILINE))
    rooms = {
        value.__name__
        for value in (getattr(gossamer, name) for name in gossamer.__all__)
        if isinstance(value, ModuleType)
    }
    assert len(rooms) > 10 and not rooms - listed
    assert all(importlib.util.find_spec(name) for name in listed)


def test_dead_links_are_found(tmp_path: Path) -> None:
    check_links = _load(REPOSITORY / "tools" / "check_links.py")
    (tmp_path / "sub").mkdir()
    (tmp_path / "index.html").write_text(
        '<a href="sub/a.html#there">1</a> <a href="sub/a.html#no">2</a> <img src="no.png">'
        '<a href="https://example.org/x">3</a> <a href="#no">4</a>'
    )
    (tmp_path / "sub" / "a.html").write_text('<p id="there"></p><a href="../index.html">b</a>')
    assert check_links.dead_links(tmp_path) == [
        "index.html: sub/a.html#no",
        "index.html: no.png",
        "index.html: #no",
    ]


def _load(path: Path) -> object:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
