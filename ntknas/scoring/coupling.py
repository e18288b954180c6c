"""Which kernels cost a backward pass of the whole batch for every row: those whose samples BatchNorm couples."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from torch import nn

from ntknas.core.errors import NtknasError
from ntknas.data.datasets import get_dataset
from ntknas.kernels.batch_norm import couples_samples
from ntknas.measures import get_measure
from ntknas.scoring.faults import ANY_FAULT
from ntknas.scoring.job import Job
from ntknas.scoring.plan import WorkItem
from ntknas.scoring.recipe import WITHOUT_KERNEL

_OUTPUTS_OF_FORMS = ("sum", "label")


def forms_suffice(item: WorkItem, network: nn.Module) -> bool:
    """Return whether class forms, C backward passes, do for a coupled kernel, which would take N."""
    choices = item.choices
    has_forms = choices.normalisation == "none" and choices.output in _OUTPUTS_OF_FORMS and not choices.attack
    measured = has_forms and all(get_measure(name).from_forms for name in item.measures)
    return measured and couples_samples(choices.batch_norm, network)


def takes_whole_passes(item: WorkItem, network: nn.Module) -> bool:
    """Return whether every row of an item's kernel takes a backward pass of the whole batch."""
    if item.kind in WITHOUT_KERNEL or not couples_samples(item.choices.batch_norm, network):
        return False
    return not forms_suffice(item, network)


def with_whole_passes(items: Iterable[WorkItem], job: Job) -> list[WorkItem]:
    """Return the items whose kernels take such passes, by one network of each kind: a space's networks are alike."""
    kinds: dict[object, list[WorkItem]] = defaultdict(list)
    for item in items:
        kinds[item.kind, item.choices, item.measures].append(item)
    return [item for alike in kinds.values() if _takes_whole_passes(alike[0], job) for item in alike]


def _takes_whole_passes(item: WorkItem, job: Job) -> bool:
    most_coupled = nn.BatchNorm2d(1, track_running_stats=False)
    if not takes_whole_passes(item, most_coupled):  # whatever the network
        return False
    space, classes = job.space, get_dataset(job.dataset).num_classes
    try:
        options = job.recipe.network.resolved(space)
        network = space.build(space[item.cell], num_classes=classes, seed=item.seed, **options)
    except NtknasError:
        raise
    except ANY_FAULT:  # the run says whose fault it is; until then the dearer case is assumed
        return True
    return takes_whole_passes(item, network)
