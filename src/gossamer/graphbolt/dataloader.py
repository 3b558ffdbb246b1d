"""The loader, which runs a pipeline in worker processes and ahead of the model."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import torch.utils.data

from gossamer._options import as_int
from gossamer.dataloading._ahead import ahead
from gossamer.dataloading._workers import reporting_workers
from gossamer.errors import InvalidTypeError
from gossamer.graphbolt.feature_fetcher import FeatureFetcher
from gossamer.graphbolt.item_sampler import ItemSampler
from gossamer.graphbolt.pipeline import CopyTo, Stage

__all__ = ["DataLoader"]


class DataLoader:
    """Iterate over a pipeline.

    Stages before the first `FeatureFetcher` or `CopyTo` run in worker processes; without workers
    they run in a thread, and features are read while the model computes. The batches do not depend
    on the number of workers.

    Parameters
    ----------
    datapipe : Stage
        The last stage of the pipeline.
    num_workers : int
        Number of worker processes.
    persistent_workers : bool
        Whether to keep the workers between epochs.
    max_uva_threads : int
        Has an effect on a GPU only.

    Raises
    ------
    InvalidTypeError
        If `datapipe` is not a pipeline.
    GossamerError
        If a worker process dies.

    Examples
    --------
    >>> import gossamer.graphbolt as gb
    >>> pipe = gb.ItemSampler(gb.ItemSet(4, "seeds"), batch_size=2)
    >>> [batch.seeds.tolist() for batch in gb.DataLoader(pipe)]
    [[0, 1], [2, 3]]
    """

    def __init__(
        self,
        datapipe: Stage,
        num_workers: int = 0,
        persistent_workers: bool = True,
        max_uva_threads: int = 10240,
        **kwargs: Any,
    ) -> None:
        if not isinstance(datapipe, Stage):
            raise InvalidTypeError(
                "DataLoader: datapipe must be a pipeline that starts with an ItemSampler, got "
                f"{type(datapipe).__name__}."
            )
        # Options of earlier releases that have an effect on a GPU only.
        unknown = set(kwargs) - {"overlap_feature_fetch", "overlap_graph_fetch"}
        if unknown:
            raise InvalidTypeError(f"DataLoader: unknown argument {sorted(unknown)[0]!r}.")
        self.datapipe = datapipe
        self.num_workers = as_int(num_workers, "DataLoader", "num_workers", 0)
        self._persistent = persistent_workers and self.num_workers > 0
        self._loader: torch.utils.data.DataLoader | None = None

    def __len__(self) -> int:
        return len(self.datapipe)

    def __iter__(self) -> Iterator[Any]:
        stages = self.datapipe.stages()
        last = _last_sampling_stage(stages)
        if self.num_workers == 0:
            source: Any = last
        else:
            if self._loader is None:
                self._loader = torch.utils.data.DataLoader(
                    last,
                    batch_size=None,
                    num_workers=self.num_workers,
                    persistent_workers=self._persistent,
                )
            source = _InWorkers(self._loader, stages[0])
        pipeline = self.datapipe.after(last, source)
        return reporting_workers(ahead(lambda: iter(pipeline)), self.num_workers)


def _last_sampling_stage(stages: list[Stage]) -> Stage:
    for before, stage in itertools.pairwise(stages):
        if isinstance(stage, (FeatureFetcher, CopyTo)):
            return before
    return stages[-1]


class _InWorkers:
    """The batches that worker processes make with copies of the stages, for every epoch."""

    def __init__(self, loader: torch.utils.data.DataLoader, first: Stage) -> None:
        self._loader, self._first = loader, first

    def __iter__(self) -> Iterator[Any]:
        sampler = self._first if isinstance(self._first, ItemSampler) else None
        if sampler is not None:
            sampler.base_seed()  # drawn here, so that workers have the same seed in all epochs
        batches = iter(self._loader)  # copies the stages
        if sampler is not None:
            sampler.count_epoch()
        return batches
