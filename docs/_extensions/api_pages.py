"""The API reference: a page for each module, and one for each public name, from the docstrings."""

from __future__ import annotations

import functools
import importlib
import inspect
import itertools
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.pycode import ModuleAnalyzer

# Module: what its page is called. A name is documented in the first of its modules.
MODULES = {
    "gossamer": "Graphs and transforms",
    "gossamer.function": "Message and reduce functions",
    "gossamer.ops": "Operators",
    "gossamer.nn": "Layers",
    "gossamer.nn.functional": "Functions of layers",
    "gossamer.nn.models": "Ready models",
    "gossamer.estimators": "Estimators in the form of scikit-learn",
    "gossamer.data": "Datasets",
    "gossamer.dataloading": "Data loaders",
    "gossamer.dataloading.negative_sampler": "Negative samplers",
    "gossamer.sampling": "Sampling",
    "gossamer.graphbolt": "GraphBolt",
    "gossamer.sparse": "Sparse matrices",
    "gossamer.transforms": "Transforms",
    "gossamer.interop": "Conversions",
    "gossamer.optim": "Optimizers of embeddings",
    "gossamer.multiprocessing": "Processes",
    "gossamer.geometry": "Geometry",
    "gossamer.random": "Random numbers",
    "gossamer.udf": "Batches of user-defined functions",
    "gossamer.utils": "Helper functions",
    "gossamer.kernels": "Kernels",
    "gossamer.errors": "Errors",
    "gossamer.compat.dgl": "Compatibility with DGL",
}

# Members of these bases are not shown.
STOP = (
    "Module, Dataset, IterableDataset, Optimizer, Process, Function, FunctionCtx, Exception, "
    "_SingleLevelFunction, Enum, dict, tuple, str"
)


def list_names() -> dict[str, dict[str, str]]:
    """For each module its public names, each with the full name under which it is documented."""
    pages: dict[Any, str] = {}
    listed: dict[str, dict[str, str]] = {}
    for module_name in MODULES:
        module = importlib.import_module(module_name)
        listed[module_name] = {}
        for name in sorted(set(module.__all__) - {"__version__"}, key=str.lower):
            value = getattr(module, name)
            if isinstance(value, ModuleType):
                continue
            # Constants may be equal and yet different, so they go by their name.
            key = value if hasattr(value, "__qualname__") else (module_name, name)
            listed[module_name][name] = pages.setdefault(key, f"{module_name}.{name}")
    return listed


def write_pages(folder: Path) -> None:
    """Write the page of each module and the index of them all."""
    (folder / "names").mkdir(parents=True, exist_ok=True)
    stale = {path.stem for path in (folder / "names").glob("*.rst")}
    for page in stale - {page for names in list_names().values() for page in names.values()}:
        (folder / "names" / f"{page}.rst").unlink()
    for module, names in list_names().items():
        write(folder / f"{module}.rst", module_page(module, names))
        for name, page in names.items():
            if page == f"{module}.{name}":
                write(folder / "names" / f"{page}.rst", name_page(module, name))
    entries = "\n".join(f"   {title} <{module}>" for module, title in MODULES.items())
    title = "API reference"
    text = (
        f"{title}\n{'=' * len(title)}\n\nEvery public name has a page with its arguments, its "
        f"errors and an example.\n\n.. toctree::\n   :maxdepth: 1\n\n{entries}\n"
    )
    write(folder / "index.rst", text)


def module_page(module: str, names: dict[str, str]) -> str:
    """The page of a module: what it is for, its own names, and names documented elsewhere."""
    own = [name for name, page in names.items() if page == f"{module}.{name}"]
    others = {name: page for name, page in names.items() if name not in own}
    text = f"{module}\n{'=' * len(module)}\n\n.. automodule:: {module}\n   :noindex:\n\n"
    for name in own:
        text += f"- :py:obj:`{name} <{module}.{name}>`: {first_sentence(module, name)}\n"
    if others:
        text += "\nAlso here, under another name or of another module:\n\n"
        text += "".join(f"- ``{name}``: :py:obj:`{page}`\n" for name, page in others.items())
    return text


def first_sentence(module: str, name: str) -> str:
    """The first paragraph of a docstring, or of the comment of a constant, on one line."""
    value = getattr(importlib.import_module(module), name)
    lines = [] if is_constant(value) else (inspect.getdoc(value) or "").splitlines()
    lines = lines or constant_comment(name, value)
    paragraph = " ".join(itertools.takewhile(str.strip, lines))
    return re.sub(r"\s+", " ", paragraph)


def is_constant(value: Any) -> bool:
    """Tell values from classes and functions, whose docstrings are their own."""
    return not callable(value)


def constant_comment(name: str, value: Any) -> list[str]:
    """The ``#:`` comment above a constant, where it is defined."""
    for module in [key for key in sys.modules if key.startswith("gossamer.")]:
        if vars(sys.modules[module]).get(name) is value:
            found = ModuleAnalyzer.for_module(module).find_attr_docs().get(("", name))
            if found:
                return found
    return []


def name_page(module: str, name: str) -> str:
    """The page of a name. It is in no table of contents, which 700 names would make useless."""
    value = getattr(importlib.import_module(module), name)
    title = name.replace("_", "\\_")
    text = f":orphan:\n\n{title}\n{'=' * len(title)}\n\n"
    text += f"A name of :doc:`{module} <../{module}>`.\n\n.. currentmodule:: {module}\n\n"
    if isinstance(value, type):
        return text + f".. autoclass:: {name}\n   :members:\n   :inherited-members: {STOP}\n"
    return text + f".. auto{'function' if callable(value) else 'data'}:: {name}\n"


def write(path: Path, text: str) -> None:
    """Write a file unless it has this text: Sphinx reads again what is newer."""
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


@functools.cache
def short_names() -> dict[str, str]:
    """The full name of each documented name, by its last part."""
    full = {page for names in list_names().values() for page in names.values()}
    return {name.rpartition(".")[2]: name for name in sorted(full)}


def resolve(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, content: nodes.TextElement
) -> nodes.reference | None:
    """Link a name that is written without its module, such as `Graph`, to its page."""
    if node.get("refdomain") != "py":
        return None
    target = short_names().get(node["reftarget"].rpartition(".")[2])
    known = env.domains["py"].objects.get(target)
    if known is None:
        return None
    uri = app.builder.get_relative_uri(node["refdoc"], known.docname)
    reference = nodes.reference("", "", internal=True, refuri=f"{uri}#{known.node_id}")
    reference += content
    return reference


def adapt_docstring(
    app: Sphinx, what: str, name: str, value: Any, options: Any, lines: list[str]
) -> None:
    """Document a constant by the ``#:`` comment above it, not by the docstring of its type."""
    if what == "data":
        lines[:] = constant_comment(name.rpartition(".")[2], value)
    elif what in ("property", "attribute") and lines:
        # napoleon takes what is before a colon for the type.
        lines[0] = lines[0].replace(": ", " – ")


def skip_foreign(
    app: Sphinx, what: str, name: str, value: Any, skip: bool, options: Any
) -> bool | None:
    """Leave out members that another package defines, such as those of scikit-learn's bases."""
    module = getattr(getattr(value, "fget", None) or value, "__module__", None)
    return None if module is None or module.startswith("gossamer") else True


def setup(app: Sphinx) -> dict[str, bool]:
    """Write the pages before Sphinx looks for them."""
    write_pages(Path(app.srcdir) / "api")
    app.connect("missing-reference", resolve)
    app.connect("autodoc-skip-member", skip_foreign)
    app.connect("autodoc-process-docstring", adapt_docstring, priority=400)
    return {"parallel_read_safe": True}
