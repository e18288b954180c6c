"""How long a run still takes: by kind of item, and within a kind by FLOPs."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Hashable, Sequence

from ntknas.core.durations import Amount, TimeLeft
from ntknas.scoring.job import Job
from ntknas.scoring.plan import Plan, WorkItem
from ntknas.scoring.trials import SAMPLE


def kind_and_cost(job: Job, item: WorkItem) -> tuple[Hashable, float]:
    """Return which items an item is alike but for its network, and its cost among them: FLOPs."""
    return (item.setting, item.measures), float(job.space.flops(job.space[item.cell]))


def kernels_left(plan: Plan, job: Job) -> TimeLeft:
    """Return what tells how long a plan without training takes; FLOPs are those of equally spaced items."""
    kinds: dict[Hashable, list[WorkItem]] = defaultdict(list)
    for item in plan.items:
        kinds[item.setting, item.measures].append(item)
    return TimeLeft({kind: _amount(job, items) for kind, items in kinds.items()})


def _amount(job: Job, items: Sequence[WorkItem]) -> Amount:
    some = items[:: max(1, round(len(items) / SAMPLE))]
    return Amount(len(items), len(items) * statistics.fmean(kind_and_cost(job, item)[1] for item in some))
