"""The registry of measures: what each one is, which direction is better, where it comes from and what it needs.

A new measure is one function in one file of this folder, decorated with ``register``; a third party's package does
the same and names its module under the entry-point group ``ntknas.measures``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from importlib import import_module
from importlib.metadata import entry_points

from ntknas.core.errors import KernelError, unknown
from ntknas.core.kernel import Kernel
from ntknas.core.score import NoValueError, Score, Status

ENTRY_POINT_GROUP = "ntknas.measures"
_OWN_MODULES = ("size", "spectral", "alignment", "by_class")


class Need(StrEnum):
    """What a measure reads from a kernel; the plan takes the union over the measures."""

    GRAM = "gram"
    SPECTRUM = "spectrum"
    LABELS = "labels"


class Aggregate(StrEnum):
    """How a measure's values over seeds become one score."""

    MEAN = "mean"
    GEOMETRIC = "geometric"
    """Mean of the logarithm of the magnitude, sign kept: for quantities that span orders of magnitude."""


@dataclass(frozen=True)
class Measure:
    """A function from a kernel to one number.

    Attributes:
        name: Identifier.
        compute: The function; raises ``NoValueError`` where the measure has no value.
        formula: Definition in symbols.
        higher_is_better: Direction.
        source: Where the definition comes from.
        needs: What it reads.
        outputs: Output reductions it is defined for; empty for all.
        aggregate: How values over seeds become one.
    """

    name: str
    compute: Callable[[Kernel], float]
    formula: str
    higher_is_better: bool
    source: str
    needs: frozenset[Need]
    outputs: tuple[str, ...] = ()
    aggregate: Aggregate = Aggregate.MEAN

    @property
    def sign(self) -> int:
        """+1 if higher is better, else −1."""
        return 1 if self.higher_is_better else -1


_MEASURES: dict[str, Measure] = {}


def register(
    name: str,
    *,
    formula: str,
    better: str,
    source: str,
    needs: tuple[Need, ...],
    outputs: tuple[str, ...] = (),
    aggregate: Aggregate = Aggregate.MEAN,
) -> Callable[[Callable[[Kernel], float]], Callable[[Kernel], float]]:
    """Register a function as a measure; see ``Measure`` for the arguments.

    Args:
        name: Identifier, as typed on the command line.
        formula: Definition in symbols.
        better: ``higher`` or ``lower``.
        source: Where the definition comes from.
        needs: What it reads from the kernel.
        outputs: Output reductions it is defined for; empty for all.
        aggregate: How values over seeds become one.

    Raises:
        ValueError: If the name is taken or the direction is neither ``higher`` nor ``lower``.
    """
    if better not in {"higher", "lower"}:
        raise ValueError(f"better must be 'higher' or 'lower', got {better!r}")

    def add(compute: Callable[[Kernel], float]) -> Callable[[Kernel], float]:
        if name in _MEASURES:
            raise ValueError(f"A measure {name!r} exists already.")
        _MEASURES[name] = Measure(
            name, compute, formula, better == "higher", source, frozenset(needs), outputs, aggregate
        )
        return compute

    return add


@lru_cache(maxsize=1)
def _load_all() -> None:
    for module in _OWN_MODULES:
        import_module(f"ntknas.measures.{module}")
    for point in entry_points(group=ENTRY_POINT_GROUP):
        point.load()


def all_measures() -> dict[str, Measure]:
    """Return every measure by name, in the order of the definitions, third parties' last."""
    _load_all()
    own = {f"ntknas.measures.{module}": place for place, module in enumerate(_OWN_MODULES)}

    def place(item: tuple[str, Measure]) -> int:
        return own.get(item[1].compute.__module__, len(own))

    return dict(sorted(_MEASURES.items(), key=place))  # whichever module was imported first


def get_measure(name: str) -> Measure:
    """Return a measure.

    Raises:
        ChoiceError: If there is none of this name.
    """
    measures = all_measures()
    if name not in measures:
        raise unknown("measure", name, measures)
    return measures[name]


def measure(name: str, kernel: Kernel) -> Score:
    """Compute a measure of a kernel.

    Args:
        name: Identifier of the measure.
        kernel: The kernel.

    Returns:
        The score: a value, or the status and reason why there is none.

    Raises:
        ChoiceError: If there is no such measure.
        KernelError: If the kernel is not of the kind that the measure is defined for (a cross-kernel, another output
            reduction, no labels).

    Example:
        >>> import torch
        >>> from ntknas.kernels import empirical_ntk
        >>> K = empirical_ntk(torch.nn.Linear(2, 1), torch.tensor([[2.0, 0.0], [0.0, 1.0]]))
        >>> measure("cond", K).value
        4.0
    """
    chosen = get_measure(name)
    _check_kernel(chosen, kernel)
    if not kernel.is_finite:
        return Score(name, None, *_non_finite(kernel))
    try:
        value = chosen.compute(kernel)
    except NoValueError as error:
        return Score(name, None, error.status, str(error))
    if value != value or value in (float("inf"), float("-inf")):
        return Score(name, None, Status.NON_FINITE, "the measure is not a finite number")
    return Score(name, value)


def _non_finite(kernel: Kernel) -> tuple[Status, str]:
    if kernel.choices.normalisation != "none":
        return Status.UNDEFINED, "a row of the Jacobian has no spread to normalise by"
    return Status.NON_FINITE, "the kernel holds NaN or infinity"


def _check_kernel(chosen: Measure, kernel: Kernel) -> None:
    kernel.require_symmetric(f"The measure {chosen.name!r}")
    if chosen.outputs and kernel.choices.output not in chosen.outputs:
        raise KernelError(
            f"The measure {chosen.name!r} is defined for output {' or '.join(map(repr, chosen.outputs))}, got a kernel "
            f"with output {kernel.choices.output!r}: compute the kernel with that output reduction."
        )
    if Need.LABELS in chosen.needs and kernel.labels is None:
        raise KernelError(f"The measure {chosen.name!r} needs labels: pass labels= to empirical_ntk.")
