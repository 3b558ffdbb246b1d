"""Error reports for loaders whose worker process dies."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from gossamer.errors import GossamerError

__all__ = ["reporting_workers"]

# Errors when reading a tensor whose sender has died, before torch detects the death.
_GONE = (ConnectionError, EOFError, FileNotFoundError)


def reporting_workers(source: Iterator[Any], workers: int) -> Iterator[Any]:
    """Yield the items of `source`; raise a clear error if one of its `workers` dies."""
    while True:
        try:
            item = _next(source, workers)
        except StopIteration:
            return
        except (RuntimeError, *_GONE) as error:
            if not workers or not _is_death(error):
                raise
            raise GossamerError(
                f"A worker process of the loader died, so the epoch ends here: {error}. It may "
                "have been killed or run out of memory."
            ) from error
        yield item


def _next(source: Iterator[Any], workers: int) -> Any:
    try:
        return next(source)
    except _GONE:
        # A signal reports the death, and torch's handler raises an error wherever the main thread
        # is at that time. Sleeping makes it raise here rather than in the caller's code.
        if workers:
            time.sleep(0.5)
        raise


def _is_death(error: Exception) -> bool:
    # Errors of the sampler in a worker start with "Caught ...".
    if isinstance(error, _GONE):
        return not str(error).startswith("Caught")
    return str(error).startswith("DataLoader worker")
