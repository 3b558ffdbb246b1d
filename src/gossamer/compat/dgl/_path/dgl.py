"""Imported as ``dgl`` in child processes: calls `install`, then is replaced."""

import importlib
import sys

del sys.modules[__name__]
importlib.import_module("gossamer.compat.dgl").install()
sys.modules[__name__] = importlib.import_module(__name__)
