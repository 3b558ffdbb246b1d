"""The module imported as ``dgl`` in child processes: it calls `install` and is replaced."""

import importlib
import sys

del sys.modules[__name__]
importlib.import_module("gossamer.compat.dgl").install()
sys.modules[__name__] = importlib.import_module(__name__)
