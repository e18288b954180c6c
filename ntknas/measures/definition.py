"""What a measure is: a function to one number, with its formula, direction, source and needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar, cast

from ntknas.core.cases import NetworkCase, RegressionCase, TrainingCase
from ntknas.core.class_forms import ClassForms
from ntknas.core.kernel import Kernel

Subject = Kernel | RegressionCase | NetworkCase | TrainingCase | ClassForms
"""What measures are taken of."""
Compute = (
    Callable[[Kernel], float]
    | Callable[[RegressionCase], float]
    | Callable[[NetworkCase], float]
    | Callable[[TrainingCase], float]
)
"""A measure's function, which raises ``NoValueError`` where the measure has no value."""
ComputeT = TypeVar("ComputeT", bound=Compute)


class Need(StrEnum):
    """What a measure reads; it decides what the plan computes for it."""

    KERNEL = "kernel"
    LAYERS = "layers"
    """Of a measure of a kernel: what each layer adds."""
    LAYER_INPUTS = "layer-inputs"
    """Of a measure of a kernel: the Gram matrices of the layers' inputs."""
    LABELS = "labels"
    CROSS_KERNEL = "cross-kernel"
    NETWORK = "network"
    CHOICES = "choices"
    """Of a measure of the network: the batch-norm policy and the parameter set that kernels have."""
    HELD_OUT = "held-out"
    """Of a measure of the network: a held-out probe."""
    TRAINING = "training"


class Aggregate(StrEnum):
    """How a measure's values over seeds become one score."""

    MEAN = "mean"
    GEOMETRIC = "geometric"
    """Mean of the logarithm of the magnitude, sign kept: for quantities that span orders of magnitude."""


@dataclass(frozen=True)
class Measure:
    """A function from a kernel, a kernel regression or a network to one number.

    Attributes:
        name: Identifier.
        compute: The function. It takes a ``NetworkCase`` if the measure needs the network, a ``RegressionCase`` if it
            needs a cross-kernel, a ``TrainingCase`` if it needs the training, else a ``Kernel``.
        formula: Definition in symbols.
        higher_is_better: Direction.
        source: Where the definition comes from.
        needs: What it reads.
        outputs: Output reductions it is defined for; empty for all.
        aggregate: How values over seeds become one.
        from_forms: The same number from the kernel's class forms alone, where that is possible: for kernels of which a
            row costs a backward pass.
        version: Raised when a measure of the network comes to give other numbers; from 2 on part of its scores'
            identity.
    """

    name: str
    compute: Compute
    formula: str
    higher_is_better: bool
    source: str
    needs: frozenset[Need]
    outputs: tuple[str, ...] = ()
    aggregate: Aggregate = Aggregate.MEAN
    from_forms: Callable[[ClassForms], float] | None = None
    version: int = 1

    @property
    def sign(self) -> int:
        """+1 if higher is better, else −1."""
        return 1 if self.higher_is_better else -1

    @property
    def subject(self) -> type[Kernel] | type[RegressionCase] | type[NetworkCase] | type[TrainingCase]:
        """What the function takes: ``Kernel``, ``RegressionCase``, ``NetworkCase`` or ``TrainingCase``."""
        if Need.NETWORK in self.needs:
            return NetworkCase
        if Need.TRAINING in self.needs:
            return TrainingCase
        return RegressionCase if Need.CROSS_KERNEL in self.needs else Kernel

    def takes(self, subject: Subject) -> bool:
        """Return whether the measure can be taken of a subject."""
        return isinstance(subject, self.subject) or (isinstance(subject, ClassForms) and self.from_forms is not None)

    def value(self, subject: Subject) -> float:
        """Return the measure's number for a subject that it takes."""
        if isinstance(subject, ClassForms) and self.from_forms is not None:
            return self.from_forms(subject)
        return cast("Callable[[Subject], float]", self.compute)(subject)
