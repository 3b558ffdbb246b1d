"""Imported as ``dgl`` in processes that a program starts: calls `install`, then replaces itself."""

import importlib
import sys

del sys.modules[__name__]
importlib.import_module("gossamer.compat.dgl").install()
sys.modules[__name__] = importlib.import_module(__name__)
