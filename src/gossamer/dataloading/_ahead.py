"""A thread that makes batches while the caller computes."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import torch

__all__ = ["ahead"]

_END = object()


def ahead(batches: Callable[[], Iterator[Any]], depth: int = 2) -> Iterator[Any]:
    """Yield the batches of ``batches()`` while a thread prepares up to `depth` more.

    Errors in the thread are raised here. The thread ends when this generator ends.
    """
    ready: queue.Queue = queue.Queue(depth)
    stopped = threading.Event()
    thread = threading.Thread(
        target=_produce, args=(batches, ready, stopped, torch.get_num_threads()), daemon=True
    )
    thread.start()
    try:
        while True:
            batch, error = ready.get()
            if error is not None:
                raise error
            if batch is _END:
                return
            yield batch
    finally:
        stopped.set()
        with suppress(queue.Empty):
            while True:
                ready.get_nowait()
        thread.join()


def _produce(
    batches: Callable[[], Iterator[Any]],
    ready: queue.Queue,
    stopped: threading.Event,
    threads: int,
) -> None:
    torch.set_num_threads(threads)  # a new thread does not inherit the setting

    def put(item: Any) -> bool:
        while not stopped.is_set():
            with suppress(queue.Full):
                ready.put(item, timeout=0.1)
                return True
        return False

    source = None
    try:
        source = batches()
        for batch in source:
            if not put((batch, None)):
                return
    except BaseException as error:
        put((None, error))
    else:
        put((_END, None))
    finally:
        if hasattr(source, "close"):
            source.close()
