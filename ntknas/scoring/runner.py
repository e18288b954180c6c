"""Runs a plan in this process: one kernel after the other, each journalled before it is reported as done."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch

from ntknas.core.cases import NetworkCase, RegressionCase
from ntknas.core.errors import NtknasError
from ntknas.core.kernel import Kernel
from ntknas.core.score import Score, Status
from ntknas.data.probe import Probe
from ntknas.measures import measure
from ntknas.scoring.cell_kernel import brought, cell_kernel, cell_network, cell_regression
from ntknas.scoring.plan import Plan, WorkItem
from ntknas.scoring.recipe import NetworkOptions, Recipe
from ntknas.store import ScoreRecord, ScoreStore


@dataclass(frozen=True)
class Progress:
    """What one finished kernel gave.

    Attributes:
        item: The kernel.
        scores: Its scores by measure.
        seconds: The time it took.
    """

    item: WorkItem
    scores: Mapping[str, Score]
    seconds: float


def run(
    plan: Plan,
    space: Any,
    dataset: str,
    recipe: Recipe,
    probe: Probe,
    store: ScoreStore,
    device: torch.device,
    run_id: str,
) -> Iterator[Progress]:
    """Carry out a plan.

    Args:
        plan: What to compute.
        space: The space.
        dataset: Data set that networks are built for.
        recipe: The recipe.
        probe: The probe.
        store: Where scores go.
        device: Where to compute.
        run_id: Identifier of this run in the store.

    Yields:
        One entry for each kernel, after its scores are safe.

    Raises:
        NtknasError: If the recipe is impossible for these networks, or the store cannot be written.
    """
    for record in plan.copies:
        store.append(record)
    seed, seeded, images = None, probe, probe.images
    for item in plan.items:
        if item.seed != seed:
            seed, seeded = item.seed, probe.of_seed(item.seed)
            images = brought(seeded.images, device, recipe.choices.precision)
        start = time.perf_counter()
        scores = score_item(item, space, dataset, recipe.network, images, seeded)
        seconds = time.perf_counter() - start
        for cell in item.members:
            store.append(ScoreRecord(item.setting, run_id, cell, item.seed, seconds, scores))
        yield Progress(item, scores, seconds)


def score_item(
    item: WorkItem, space: Any, dataset: str, network: NetworkOptions, images: torch.Tensor, probe: Probe
) -> dict[str, Score]:
    """Compute the scores of one kernel; a failure of this network alone becomes a typed status.

    Raises:
        NtknasError: If the choices are impossible for such networks.
    """
    if space.is_disconnected(space[item.cell]):
        return _all(item, Status.DISCONNECTED, "no path from input to output")
    try:
        subject = _subject(item, space, dataset, network, images, probe)
        return {name: measure(name, subject) for name in item.measures}
    except (torch.OutOfMemoryError, MemoryError) as error:
        return _all(item, Status.OOM, _first_line(error))
    except NtknasError:
        raise
    except RuntimeError as error:
        status = Status.OOM if "allocate memory" in str(error) else Status.ERROR
        return _all(item, status, _first_line(error))


def _subject(
    item: WorkItem, space: Any, dataset: str, network: NetworkOptions, images: torch.Tensor, probe: Probe
) -> Kernel | RegressionCase | NetworkCase:
    """Compute what the measures of an item are taken of."""
    if item.kind == "network":
        built = cell_network(space, item.cell, item.seed, dataset, network, images)
        return NetworkCase(built, images, probe.labels, item.seed)
    if item.kind == "regression":
        return cell_regression(space, item.cell, item.seed, dataset, network, item.choices, images, probe)
    return cell_kernel(space, item.cell, item.seed, dataset, network, item.choices, images, probe.labels)


def _all(item: WorkItem, status: Status, reason: str) -> dict[str, Score]:
    return {name: Score(name, None, status, reason) for name in item.measures}


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
