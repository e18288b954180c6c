"""The scores of one work item: build, compute, measure; a failure of this network alone becomes a typed status."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import torch

from ntknas.core.cases import NetworkCase
from ntknas.core.errors import NtknasError
from ntknas.core.score import Score, Status
from ntknas.kernels.batch_norm import COUPLING
from ntknas.kernels.memory import is_out_of_memory
from ntknas.measures import Subject, get_measure, measure
from ntknas.scoring.cell_kernel import brought, cell_network, forms_of, kernel_of, regression_of
from ntknas.scoring.job import Job
from ntknas.scoring.plan import WorkItem
from ntknas.spaces import is_own

Scores = dict[str, Score]


class Computation:
    """Computes work items of one job on one device, one after the other.

    Args:
        job: The job.
        device: Where to compute.
    """

    def __init__(self, job: Job, device: torch.device):
        self.job = job
        self.device = device
        self._seed: int | None = None
        self._probe = job.probe
        self._images = job.probe.images

    def __call__(self, item: WorkItem) -> tuple[Scores, float]:
        """Return the scores of an item and the seconds that they took.

        Where memory runs out, the kernel is computed again in ever smaller chunks, before it counts as ``oom``.

        Raises:
            NtknasError: If the choices are impossible for such networks.
        """
        self._take_probe(item.seed)
        start = time.perf_counter()
        scores = self._scores(item)
        return scores, time.perf_counter() - start

    def _take_probe(self, seed: int) -> None:
        if seed != self._seed:
            self._seed, self._probe = seed, self.job.probe.of_seed(seed)
            self._images = brought(self._probe.images, self.device, self.job.recipe.choices.precision)

    def _scores(self, item: WorkItem) -> Scores:
        space = self.job.space
        if space.is_disconnected(space[item.cell]):
            return failed(item, Status.DISCONNECTED, "no path from input to output")
        reason = ""
        for chunk in _chunks(item, len(self._images)):
            try:
                subject = self._subject(item, chunk)
                return {name: measure(name, subject) for name in item.measures}
            except NtknasError:
                raise
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    return failed(item, Status.ERROR, _first_line(error))
                reason = _first_line(error)
            if self.device.type == "cuda":
                torch.cuda.empty_cache()
        return failed(item, Status.OOM, reason)

    def _subject(self, item: WorkItem, chunk: int | None) -> Subject:
        """Compute what the measures of an item are taken of."""
        job, images, probe = self.job, self._images, self._probe
        network = cell_network(job.space, item.cell, item.seed, job.dataset, job.recipe.network, images)
        if item.kind == "network":
            return NetworkCase(network, images, probe.labels, item.seed)
        how: dict[str, Any] = {"verify": not is_own(job.space)}
        if item.kind == "kernel" and chunk is None and job.strategy.name == "auto" and forms_suffice(item):
            return forms_of(network, item.choices, images, probe.labels, **how)
        how |= {"chunk": chunk, "strategy": job.strategy}
        if item.kind == "regression":
            return regression_of(network, item.choices, images, probe, **how)
        return kernel_of(network, item.choices, images, probe.labels, **how)


def forms_suffice(item: WorkItem) -> bool:
    """Whether class forms, C backward passes, do for a coupled kernel, which would take N."""
    choices = item.choices
    coupled = choices.batch_norm == COUPLING and choices.normalisation == "none" and choices.output in ("sum", "label")
    return coupled and all(get_measure(name).from_forms for name in item.measures)


def failed(item: WorkItem, status: Status, reason: str) -> Scores:
    """Return the scores of an item that has none."""
    return {name: Score(name, None, status, reason) for name in item.measures}


def _chunks(item: WorkItem, images: int) -> Iterator[int | None]:
    """Sizes to try: the whole batch, and for kernels halves of it down to single images."""
    yield None
    while item.kind != "network" and images > 1:
        images //= 2
        yield images


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
