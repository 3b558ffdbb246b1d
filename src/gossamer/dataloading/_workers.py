"""What becomes of a loader whose worker process dies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gossamer.errors import GossamerError

__all__ = ["reporting_workers"]


def reporting_workers(source: Iterator[Any]) -> Iterator[Any]:
    """What `source` gives; the death of a worker is an error that says so."""
    while True:
        try:
            item = next(source)
        except StopIteration:
            return
        except RuntimeError as error:
            if not str(error).startswith("DataLoader worker"):
                raise
            raise GossamerError(
                f"A worker process of the loader died, so the epoch ends here: {error} Was it "
                "killed, or short of memory?"
            ) from error
        yield item
