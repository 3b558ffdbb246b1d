"""Found as ``dgl`` by processes that a program started: opens the door, and steps aside."""

import importlib
import sys

del sys.modules[__name__]
importlib.import_module("gossamer.compat.dgl").install()
sys.modules[__name__] = importlib.import_module(__name__)
