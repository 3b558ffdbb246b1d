"""Import of optional packages."""

from __future__ import annotations

import importlib
from types import ModuleType

from gossamer.errors import MissingExtraError

# Top-level module -> extra in pyproject.toml that installs it, unless the caller names another.
_EXTRA_OF = {
    "matplotlib": "train",
    "networkx": "interop",
    "pandas": "interop",
    "pyarrow": "parquet",
    "pymetis": "partition",
    "rdflib": "data",
    "rdkit": "chem",
    "safetensors": "io",
    "scipy": "data",
    "sklearn": "train",
    "tqdm": "train",
    "yaml": "train",
}
# Top-level module -> its name on PyPI, if that differs.
_DISTRIBUTION_OF = {"sklearn": "scikit-learn", "yaml": "pyyaml"}


def optional_import(name: str, purpose: str, extra: str | None = None) -> ModuleType:
    """Import module `name`, or raise an error that names the extra to install.

    Parameters
    ----------
    name : str
        Dotted module name, such as ``"scipy.sparse"``.
    purpose : str
        The feature that needs it, as the subject of a sentence: ``"Graph.adj_external"``.
    extra : str, optional
        The extra of Gossamer to name in the error. Default: the one that contains the package.

    Raises
    ------
    MissingExtraError
        If the package is not installed.

    Examples
    --------
    >>> optional_import("json", "this example").dumps([1])
    '[1]'
    """
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        package = name.partition(".")[0]
        if (error.name or "").partition(".")[0] != package:
            raise
        extra = extra or _EXTRA_OF.get(package)
        fix = f"Install Gossamer with its extra '{extra}', or run" if extra else "Run"
        raise MissingExtraError(
            f"{purpose} needs the package '{package}', which is not installed. "
            f"{fix}: pip install {_DISTRIBUTION_OF.get(package, package)}"
        ) from None
