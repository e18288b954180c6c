"""What stands in for the second target of a trade-off where cells are chosen: a count, or a measured value."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from ntknas.core.errors import ChoiceError, check_known
from ntknas.correlation.arguments import names_of
from ntknas.correlation.meant import Meant
from ntknas.correlation.row import BASELINE

MEASURED = "measured"
"""In place of a count: the second target itself, for what is known without training, such as a latency."""
DEFAULT = ("flops", MEASURED)


@dataclass(frozen=True)
class StandIn:
    """What is known of cells without training, in place of the second target.

    Attributes:
        name: Its name.
        values: By cell, signed so that higher is better.
    """

    name: str
    values: pd.Series = field(repr=False)


def stand_ins(names: Collection[str] | None, meant: Meant) -> list[StandIn]:
    """Return what stands in for the second target.

    Args:
        names: Names of counts, which have its direction, ``measured``, or names of targets but the first; all of the
            default's that there are without any.
        meant: What is meant.

    Returns:
        The stand-ins.

    Raises:
        ChoiceError: If there is none of a name, or no name.
    """
    second = meant.targets[1]
    signed = {target.name: target.means for target in meant.targets[1:]} | {MEASURED: second.means}
    for item in meant.ranked:
        if item.recipe == BASELINE:
            signed.setdefault(item.measure, second.quantity.sign * item.cells["value"].astype(np.float64))
    chosen = [name for name in DEFAULT if name in signed] if names is None else names_of(names)
    for name in chosen:
        check_known("stand-in (`stand_in`)", name, signed)
    if not chosen:
        raise ChoiceError("`stand_in` names none: a count, such as flops, or measured.")
    return [StandIn(name, signed[name].dropna()) for name in dict.fromkeys(chosen)]
