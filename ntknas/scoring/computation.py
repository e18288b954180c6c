"""The scores of one task: build, train, compute, measure; a failure of this network alone becomes a typed status."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace

import torch
from torch import Tensor, nn

from ntknas.core.cases import NetworkCase
from ntknas.core.errors import NtknasError
from ntknas.core.score import NoValueError, Score, Status
from ntknas.kernels import Batch, Method, compute_perturbed_kernel, open_operator
from ntknas.kernels.memory import is_out_of_memory
from ntknas.kernels.method import AUTO
from ntknas.measures import Subject, get_measure, layer_options, measure
from ntknas.scoring.cell_kernel import cell_network, prepare_images, regression_case
from ntknas.scoring.coupling import forms_suffice
from ntknas.scoring.faults import ANY_FAULT, package_of, reason_of, status_of, traceback_of, whose
from ntknas.scoring.job import Job
from ntknas.scoring.plan import Task, WorkItem
from ntknas.scoring.progress import EpochsDone, KernelDone, Report
from ntknas.scoring.recipe import WITHOUT_KERNEL
from ntknas.scoring.training import Moment, moments
from ntknas.spaces import is_own
from ntknas.training import DivergedError
from ntknas.training.checkpoint import CheckpointError

Scores = dict[str, Score]


class Computation:
    """Computes work items of one job on one device, one after the other; the same under every engine.

    What fails costs what cannot be had without it, whatever it raises (``faults.ANY_FAULT``): a measure its score of
    this cell and seed, a kernel the scores of its item, a network that cannot be built or trained the rest of its task.
    Their status is ``error``, or ``oom`` where memory ran out even in the smallest chunks; the traceback goes with the
    report. An error of ntknas itself about a kernel or a network says that the choices are impossible: it ends the run.

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
        """Compute a task; the network goes on training when the next report is asked for.

        Yields:
            Every item with its scores, and what was trained in between.

        Raises:
            NtknasError: If the choices are impossible for such networks.
        """
        remaining, epoch = deque(task), 0
        self._take_probe(task[0].seed)
        try:
            for moment in self._moments(task):
                if moment.epoch > epoch:
                    yield EpochsDone(moment.epoch - epoch)
                    epoch = moment.epoch
                while moment.measured and remaining and remaining[0].epoch == moment.epoch:
                    yield self._measured(remaining[0], moment)
                    remaining.popleft()  # not before: where measuring raises, it is among the failed
        except _DisconnectedError:
            yield from failed(remaining, Status.DISCONNECTED, "no path from input to output")
        except DivergedError as error:
            yield from failed(remaining, Status.DIVERGED, str(error))
        except CheckpointError as error:
            yield from failed(remaining, Status.ERROR, str(error), traceback_of(error))
        except NtknasError:
            raise
        except ANY_FAULT as error:
            culprit = "" if is_own(self.job.space) else whose(self.job.space)
            yield from failed(remaining, status_of(error), reason_of(error, culprit), traceback_of(error))
        yield from _spared(task, epoch)

    def _take_probe(self, seed: int) -> None:
        if seed != self._seed:
            self._seed, self._probe = seed, self.job.probe.of_seed(seed)
            self._images = self._prepared(self._probe.images)

    def _prepared(self, images: Tensor) -> Tensor:
        return prepare_images(images, self.device, self.job.recipe.choices.precision)

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
            identity |= {
                **job.recipe.network.identity(job.space).as_fields(),
                "precision": job.recipe.choices.precision,
            }
            yield from moments(network, job.training, epochs, identity, first.seed)

    def _measured(self, item: WorkItem, moment: Moment) -> KernelDone:
        """Take the measures of an item; its time is that of its kernel, at initialisation with building the network."""
        if item.kind == "training":
            return _all_measured(item, moment.case(), moment.seconds)
        start = time.perf_counter()
        measured = self._in_chunks(item, moment.network)
        return replace(measured, seconds=time.perf_counter() - start + (0.0 if item.epoch else moment.seconds))

    def _in_chunks(self, item: WorkItem, network: nn.Module) -> KernelDone:
        """Compute and measure; where memory runs out, again in ever smaller chunks before it counts as ``oom``."""
        reason = trace = ""
        for chunk in _chunks(item, len(self._images)):
            try:
                return _all_measured(item, self._subject(item, network, chunk))
            except NoValueError as error:  # an attack that finds no gradient
                return without_score(item, error.status, str(error))
            except NtknasError:
                raise
            except ANY_FAULT as error:
                reason, trace = reason_of(error), traceback_of(error)
                if not is_out_of_memory(error):
                    return without_score(item, Status.ERROR, reason, trace)
            if self.device.type == "cuda":  # behind the except block, whose error holds the tensors
                torch.cuda.empty_cache()
        return without_score(item, Status.OOM, reason, trace)

    def _subject(self, item: WorkItem, network: nn.Module, chunk: int | None) -> Subject:
        """Compute what the measures of an item are taken of."""
        job, images, probe, verify = self.job, self._images, self._probe, not is_own(self.job.space)
        if item.kind == "network":
            return self._network_case(item, network)
        batch, strategy = Batch(images, probe.labels), job.strategy
        if item.kind == "kernel" and chunk is None and strategy.name == AUTO and forms_suffice(item, network):
            with open_operator(network, batch, item.choices, verify=verify) as kernel:
                return kernel.class_forms()
        method = Method(strategy.name, verify, chunk, strategy.rows_at_once, **layer_options(item.measures))
        if item.kind == "regression":
            return regression_case(network, item.choices, images, probe, method)
        # The attack's random start is of the seed that was asked for: the same for every cell.
        return compute_perturbed_kernel(network, batch, item.choices, probe.pixel_range, method, item.seed)

    def _network_case(self, item: WorkItem, network: nn.Module) -> NetworkCase:
        job, images, held_out = self.job, self._images, self._probe.held_out

        def resized(channels: int, cells_per_stage: int) -> nn.Module:
            options = replace(job.recipe.network, channels=channels, cells_per_stage=cells_per_stage)
            return cell_network(job.space, item.cell, item.seed, job.dataset, options, images)

        return NetworkCase(
            network=network,
            images=images,
            labels=self._probe.labels,
            seed=job.recipe.network.seed(job.space, item.cell, item.seed),
            choices=item.choices,
            verify=not is_own(job.space),
            held_out_images=None if held_out is None else self._prepared(held_out.images),
            held_out_labels=None if held_out is None else held_out.labels,
            resized=None if item.epoch else resized,  # which would be untrained
        )


class _DisconnectedError(Exception):
    """Nothing leads from the network's input to its output."""


def _all_measured(item: WorkItem, subject: Subject, seconds: float = 0.0) -> KernelDone:
    """Take every measure of an item; one that raises has no score, and leaves the others theirs."""
    scores: Scores = {}
    tracebacks: dict[str, str] = {}
    for name in item.measures:
        try:
            score = measure(name, subject)
            # A measure of another package may return a number of numpy or an integer, where a store keeps floats.
            scores[name] = score if score.value is None else replace(score, value=float(score.value))
        except ANY_FAULT as error:  # a measure may be anybody's, and do anything
            if is_out_of_memory(error):
                raise
            culprit = f"the measure {name!r} of {package_of(get_measure(name).compute)}"
            scores[name] = Score(name, None, Status.ERROR, reason_of(error, culprit))
            tracebacks[name] = traceback_of(error)
    return KernelDone(item, scores, seconds, tracebacks)


def _spared(task: Task, epoch: int) -> Iterator[EpochsDone]:
    """Report the epochs that are not trained, since the task ended before."""
    if task[-1].epoch > epoch:
        yield EpochsDone(task[-1].epoch - epoch)


def without_score(item: WorkItem, status: Status, reason: str, traceback: str = "") -> KernelDone:
    """Return the report on an item that has no score.

    Args:
        item: The item.
        status: Why there is none.
        reason: The same in a sentence.
        traceback: Where an exception was raised; empty where none was.
    """
    tracebacks = dict.fromkeys(item.measures, traceback) if traceback else {}
    return KernelDone(item, {name: Score(name, None, status, reason) for name in item.measures}, 0.0, tracebacks)


def failed(items: Iterable[WorkItem], status: Status, reason: str, traceback: str = "") -> Iterator[KernelDone]:
    """Yield the reports on items that have no score; see ``without_score``."""
    for item in items:
        yield without_score(item, status, reason, traceback)


def _chunks(item: WorkItem, images: int) -> Iterator[int | None]:
    """Sizes to try: the whole batch, and for kernels halves of it down to single images."""
    yield None
    while item.kind not in WITHOUT_KERNEL and images > 1:
        images //= 2
        yield images
