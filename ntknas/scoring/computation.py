"""The scores of one task: build, train, compute, measure; a failure of this network alone becomes a typed status."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from ntknas.core.cases import NetworkCase
from ntknas.core.errors import NtknasError
from ntknas.core.score import Score, Status
from ntknas.kernels.batch_norm import COUPLING
from ntknas.kernels.memory import is_out_of_memory
from ntknas.measures import Subject, get_measure, measure
from ntknas.scoring.cell_kernel import brought, cell_network, forms_of, kernel_of, regression_of
from ntknas.scoring.faults import ANY_FAULT, package_of, reason_of, status_of, whose
from ntknas.scoring.job import Job
from ntknas.scoring.plan import Task, WorkItem
from ntknas.scoring.progress import Progress, Report, Trained
from ntknas.scoring.recipe import WITHOUT_KERNEL
from ntknas.scoring.training import Moment, moments
from ntknas.spaces import is_own
from ntknas.training import DivergedError
from ntknas.training.checkpoint import CheckpointError

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

    def __call__(self, task: Task) -> Iterator[Report]:
        """Yield every item of a task with its scores, and what was trained in between.

        The network goes on training when the next report is asked for.

        Where memory runs out, the kernel is computed again in ever smaller chunks, before it counts as ``oom``. A
        network that cannot be built or computed costs its own items, a measure that raises its own scores.

        Raises:
            NtknasError: If the choices are impossible for such networks.
        """
        left, epoch = deque(task), 0
        self._take_probe(task[0].seed)
        try:
            for moment in self._moments(task):
                if moment.epoch > epoch:
                    yield Trained(moment.epoch - epoch)
                    epoch = moment.epoch
                while moment.wanted and left and left[0].epoch == moment.epoch:
                    yield self._measured(left[0], moment)
                    left.popleft()
        except _DisconnectedError:
            yield from failed(left, Status.DISCONNECTED, "no path from input to output")
        except DivergedError as error:
            yield from failed(left, Status.DIVERGED, str(error))
        except CheckpointError as error:
            yield from failed(left, Status.ERROR, str(error))
        except NtknasError:
            raise
        except ANY_FAULT as error:  # whatever a space or a network does wrong costs this network alone
            culprit = "" if is_own(self.job.space) else whose(self.job.space)
            yield from failed(left, status_of(error), reason_of(error, culprit))
        yield from _spared(task, epoch)

    def _take_probe(self, seed: int) -> None:
        if seed != self._seed:
            self._seed, self._probe = seed, self.job.probe.of_seed(seed)
            self._images = brought(self._probe.images, self.device, self.job.recipe.choices.precision)

    def _moments(self, task: Task) -> Iterator[Moment]:
        """Build the network, and train it as far as the task asks for."""
        job, first, start = self.job, task[0], time.perf_counter()
        if job.space.is_disconnected(job.space[first.cell]):
            raise _DisconnectedError
        network = cell_network(job.space, first.cell, first.seed, job.dataset, job.recipe.network, self._images)
        if not first.epoch:
            yield Moment(0, network, None, time.perf_counter() - start)
        elif job.training is not None:
            epochs = sorted({item.epoch for item in task})
            identity = {"space": job.space.name, "dataset": job.dataset, "cell": first.cell}
            identity |= {**job.recipe.network.describe(job.space), "precision": job.recipe.choices.precision}
            yield from moments(network, job.training, epochs, identity, first.seed)

    def _measured(self, item: WorkItem, moment: Moment) -> Progress:
        """Take the measures of an item; its time is that of its kernel, at initialisation with building the network."""
        if item.kind == "training":
            case = moment.case()
            return Progress(item, {name: _measured(name, case) for name in item.measures}, moment.seconds)
        start = time.perf_counter()
        scores = self._scores(item, moment.network)
        return Progress(item, scores, time.perf_counter() - start + (0.0 if item.epoch else moment.seconds))

    def _scores(self, item: WorkItem, network: nn.Module) -> Scores:
        reason = ""
        for chunk in _chunks(item, len(self._images)):
            try:
                subject = self._subject(item, network, chunk)
                return {name: _measured(name, subject) for name in item.measures}
            except NtknasError:
                raise
            except ANY_FAULT as error:  # as where networks are built
                reason = reason_of(error)
                if not is_out_of_memory(error):
                    return without_score(item, Status.ERROR, reason)
            if self.device.type == "cuda":
                torch.cuda.empty_cache()
        return without_score(item, Status.OOM, reason)

    def _subject(self, item: WorkItem, network: nn.Module, chunk: int | None) -> Subject:
        """Compute what the measures of an item are taken of."""
        job, images, probe = self.job, self._images, self._probe
        if item.kind == "network":
            seed = job.recipe.network.seed(job.space, item.cell, item.seed)
            return NetworkCase(network, images, probe.labels, seed, item.choices, verify=not is_own(job.space))
        how: dict[str, Any] = {"verify": not is_own(job.space)}
        if item.kind == "kernel" and chunk is None and job.strategy.name == "auto" and forms_suffice(item):
            return forms_of(network, item.choices, images, probe.labels, **how)
        how |= {"chunk": chunk, "strategy": job.strategy}
        if item.kind == "regression":
            return regression_of(network, item.choices, images, probe, **how)
        return kernel_of(network, item.choices, images, probe.labels, **how)


class _DisconnectedError(Exception):
    """Nothing leads from the network's input to its output."""


def _measured(name: str, subject: Subject) -> Score:
    """Take one measure; one that raises has no score, and leaves the others theirs.

    Raises:
        NtknasError: If the measure is impossible for such networks.
        Exception: If memory runs out.
    """
    try:
        score = measure(name, subject)
        return score if score.value is None else replace(score, value=float(score.value))
    except NtknasError:
        raise
    except ANY_FAULT as error:  # a measure may be anybody's, and do anything
        if is_out_of_memory(error):
            raise
        package = package_of(get_measure(name).compute)
        return Score(name, None, Status.ERROR, reason_of(error, f"the measure {name!r} of {package}"))


def _spared(task: Task, epoch: int) -> Iterator[Trained]:
    """Report the epochs that are not trained, since the task ended before."""
    if task[-1].epoch > epoch:
        yield Trained(task[-1].epoch - epoch)


def forms_suffice(item: WorkItem) -> bool:
    """Whether class forms, C backward passes, do for a coupled kernel, which would take N."""
    choices = item.choices
    coupled = choices.batch_norm == COUPLING and choices.normalisation == "none" and choices.output in ("sum", "label")
    return coupled and all(get_measure(name).from_forms for name in item.measures)


def without_score(item: WorkItem, status: Status, reason: str) -> Scores:
    """Return the scores of an item that has none."""
    return {name: Score(name, None, status, reason) for name in item.measures}


def failed(items: Iterable[WorkItem], status: Status, reason: str) -> Iterator[Progress]:
    """Yield items that have no score."""
    for item in items:
        yield Progress(item, without_score(item, status, reason), 0.0)


def _chunks(item: WorkItem, images: int) -> Iterator[int | None]:
    """Sizes to try: the whole batch, and for kernels halves of it down to single images."""
    yield None
    while item.kind not in WITHOUT_KERNEL and images > 1:
        images //= 2
        yield images
