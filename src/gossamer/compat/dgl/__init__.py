"""The compatibility layer for programs written for DGL: ``import dgl`` means Gossamer.

In a program::

    from gossamer.compat.dgl import install

    install()
    import dgl  # and dgl.nn.pytorch, dgl.function, dgl.data.utils ...

or run an unmodified program::

    python -m gossamer.compat.dgl train.py --epochs 10
    python -m gossamer.compat.dgl -m package.module --epochs 10

The module paths of DGL's Python code can be imported, except those for MXNet and TensorFlow
(``dgl.nn.mxnet`` and others), ``dgl.distgnn``, and the bindings of DGL's C library below
``dgl._ffi`` other than ``base``, ``function``, ``ndarray`` and ``object``; :func:`module_paths`
lists the available paths. A name that Gossamer has is Gossamer's object. If Gossamer lacks a class
or function of DGL, it can still be imported, so that packages that refer to it load; constructing
or calling it raises :class:`NotYetError`. Any other name, and a constant that Gossamer does not
have, raises :class:`UnknownNameError`, an `AttributeError`.
"""

from gossamer.compat.dgl._errors import NotYetError, UnknownNameError
from gossamer.compat.dgl._finder import install, installed, uninstall
from gossamer.compat.dgl._modules import VERSION, module_paths
from gossamer.compat.dgl._placeholders import is_placeholder

__all__ = [
    "VERSION", "NotYetError", "UnknownNameError", "install", "installed", "is_placeholder",
    "module_paths", "uninstall",
]  # fmt: skip
