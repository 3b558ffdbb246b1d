"""What becomes of a loader whose worker process dies."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from gossamer.errors import GossamerError

__all__ = ["reporting_workers"]

# Reading a tensor whose sender is gone fails in one of these ways, before torch sees the death.
_GONE = (ConnectionError, EOFError, FileNotFoundError)


def reporting_workers(source: Iterator[Any], workers: int) -> Iterator[Any]:
    """The items of `source`; the death of one of its `workers` raises an error that says so."""
    while True:
        try:
            item = _next(source, workers)
        except StopIteration:
            return
        except (RuntimeError, *_GONE) as error:
            if not workers or not _is_death(error):
                raise
            raise GossamerError(
                f"A worker process of the loader died, so the epoch ends here: {error}. Was it "
                "killed, or short of memory?"
            ) from error
        yield item


def _next(source: Iterator[Any], workers: int) -> Any:
    try:
        return next(source)
    except _GONE:
        # The signal of the death follows, and torch's handler raises wherever the main thread
        # is then. Sleeping makes that here rather than in the caller's code.
        if workers:
            time.sleep(0.5)
        raise


def _is_death(error: Exception) -> bool:
    # Errors of the sampler in a worker come with "Caught ..." in front.
    if isinstance(error, _GONE):
        return not str(error).startswith("Caught")
    return str(error).startswith("DataLoader worker")
