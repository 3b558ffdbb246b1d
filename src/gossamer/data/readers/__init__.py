"""Readers: one file per raw format, each function turns raw files into graphs.

A reader takes a `RawFolder` and the options of its row of the catalogue, and returns `Contents`.
"""

__all__: list[str] = []
