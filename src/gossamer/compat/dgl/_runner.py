"""Run a script or module as Python does, with ``import dgl`` importing Gossamer."""

from __future__ import annotations

import importlib.util
import io
import os
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import CodeType, ModuleType

from gossamer.compat.dgl._finder import install

__all__ = ["main"]

_USAGE = """\
usage: python -m gossamer.compat.dgl SCRIPT [ARGS ...]
       python -m gossamer.compat.dgl -m MODULE [ARGS ...]

Runs a program written for DGL, unchanged, on Gossamer: `import dgl` means Gossamer in it, and in
the Python processes that it starts."""

# Folder of the dgl.py that calls `install` in the processes that a program starts.
_PATH = Path(__file__).with_name("_path")


def main() -> None:
    """Run the program named on the command line."""
    arguments = sys.argv[1:]
    if arguments[:1] in (["-h"], ["--help"]):
        print(_USAGE)
        return
    if not arguments or arguments == ["-m"]:
        print(_USAGE.partition("\n\n")[0], file=sys.stderr)
        sys.exit(2)
    install()
    if arguments[0] == "-m":
        _run_module(arguments[1], arguments[2:])
    else:
        _run_script(arguments[0], arguments[1:])


def _run_script(script: str, arguments: list[str]) -> None:
    path = os.path.realpath(script)
    if os.path.isdir(path):
        inner = os.path.join(path, "__main__.py")
        if not os.path.exists(inner):
            sys.exit(f"{sys.executable}: can't find '__main__' module in {script!r}")
        folder, file = path, inner
    else:
        folder, file = os.path.dirname(path), script
    try:
        # The source may declare its encoding.
        with io.open_code(os.path.abspath(file)) as stream:
            code = compile(stream.read(), file, "exec")
    except OSError as error:
        print(
            f"{sys.executable}: can't open file {script!r}: [Errno {error.errno}] {error.strerror}",
            file=sys.stderr,
        )
        sys.exit(2)
    _enter(folder)
    sys.argv = [script, *arguments]
    _run_as_main(code, file, None)


def _run_module(name: str, arguments: list[str]) -> None:
    _enter(os.getcwd())
    # Python sets this while it looks for the module.
    sys.argv = ["-m", *arguments]
    try:
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.submodule_search_locations is not None:
            name = f"{name}.__main__"
            spec = importlib.util.find_spec(name)
    except ModuleNotFoundError as error:
        sys.exit(
            f"{sys.executable}: Error while finding module specification for {name!r} ({error})"
        )
    code = None if spec is None else getattr(spec.loader, "get_code", lambda name: None)(name)
    if code is None:
        sys.exit(f"{sys.executable}: No module named {name}")
    sys.argv[0] = spec.origin
    _run_as_main(code, spec.origin, spec)


def _enter(folder: str) -> None:
    """Put the program's folder first on the path, followed by the folder of dgl.py."""
    if getattr(sys.flags, "safe_path", False):  # python -P: neither folder nor current directory
        sys.path.insert(0, str(_PATH))
    else:
        sys.path[:1] = [folder, str(_PATH)]
    inherited = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join([str(_PATH), *([inherited] if inherited else [])])


def _run_as_main(code: CodeType, file: str, spec: ModuleSpec | None) -> None:
    """Execute as the module ``__main__``, which stays loaded for pickles and threads."""
    main_module = ModuleType("__main__")
    main_module.__file__ = file
    main_module.__spec__ = spec
    main_module.__loader__ = None if spec is None else spec.loader
    main_module.__package__ = None if spec is None else spec.parent
    main_module.__cached__ = None if spec is None else spec.cached
    main_module.__builtins__ = sys.modules["builtins"]
    main_module.__annotations__ = {}
    sys.modules["__main__"] = main_module
    exec(code, main_module.__dict__)
