"""Readers: functions that convert raw files to graphs, with one module per raw format.

A reader takes a `RawFolder` and the options of its catalogue row, and returns `Contents`.
"""

__all__: list[str] = []
