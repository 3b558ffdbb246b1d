"""The door through which programs written for DGL come in: ``import dgl`` means Gossamer.

In a program::

    from gossamer.compat.dgl import install

    install()
    import dgl  # and dgl.nn.pytorch, dgl.function, dgl.data.utils ...

or around one that stays as it is::

    python -m gossamer.compat.dgl train.py --epochs 10
    python -m gossamer.compat.dgl -m package.module --epochs 10

Every module path of DGL's can be imported. A name of DGL's that Gossamer has is Gossamer's own
object under the old name. A class or function that Gossamer does not have yet can be imported, so
that a package that mentions it loads, but building or calling it raises :class:`NotYetError`. Any
other name raises :class:`UnknownNameError`, an `AttributeError`.
"""

from gossamer.compat.dgl._errors import NotYetError, UnknownNameError
from gossamer.compat.dgl._finder import install, installed, uninstall
from gossamer.compat.dgl._modules import VERSION, module_paths
from gossamer.compat.dgl._placeholders import is_placeholder

__all__ = [
    "VERSION",
    "NotYetError",
    "UnknownNameError",
    "install",
    "installed",
    "is_placeholder",
    "module_paths",
    "uninstall",
]
