"""The spectrum of a kernel, eigenvalue by eigenvalue."""

from __future__ import annotations

import numpy as np

from ntknas.core.kernel import Kernel
from ntknas.core.score import NoValueError, Status
from ntknas.measures.definition import Aggregate, Measure, Need
from ntknas.measures.families import Family, number_of, register_family

_STEM = "eigenvalue"


def eigenvalue(number: int) -> Measure:
    """Return the measure of one eigenvalue: λ_k with k = ``number``, in the order λ_1 ≥ … ≥ λ_n. Higher is better.

    Rounded to float32, in which a spectrum of 64 is kept in 256 bytes; what is zero to the precision of the rows is as
    the solver leaves it, and may be below zero. ``undefined`` where the kernel has fewer rows.

    Args:
        number: Which, from 1.
    """

    def compute(kernel: Kernel) -> float:
        if number > kernel.size:
            raise NoValueError(Status.UNDEFINED, f"the kernel has {kernel.size} eigenvalues")
        return float(np.float32(float(kernel.spectrum[number - 1])))

    return Measure(
        f"{_STEM}_{number}",
        compute,
        f"λ_{number}",
        True,
        "standard",
        frozenset({Need.KERNEL}),
        aggregate=Aggregate.GEOMETRIC,
    )


def place_in_spectrum(name: str) -> int | None:
    """Return which eigenvalue a measure is, from 1; nothing where it is another measure."""
    return number_of(name, _STEM)


register_family(Family(_STEM, "spectrum", "the k-th largest eigenvalue of the kernel, in float32", eigenvalue))
