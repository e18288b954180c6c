"""The registry of measures: what each one is, which direction is better, where it comes from and what it needs.

A new measure is one function in one file of this folder, decorated with ``register``; a third party's package does
the same and names its module under the entry-point group ``ntknas.measures``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from importlib import import_module
from typing import Any, TypeVar

from ntknas.core import plugins
from ntknas.core.cases import NetworkCase, RegressionCase, TrainingCase
from ntknas.core.class_forms import ClassForms
from ntknas.core.errors import ChoiceError, KernelError, unknown
from ntknas.core.kernel import Kernel
from ntknas.core.plugins import Fault
from ntknas.core.score import NoValueError, Score, Status
from ntknas.measures.derived import Combine, DerivedMeasure
from ntknas.measures.labels import check_labels

ENTRY_POINT_GROUP = "ntknas.measures"
_OWN_MODULES = (
    "size",
    "spectral",
    "alignment",
    "by_class",
    "regression",
    "gradients",
    "activations",
    "summed_gradients",
    "training",
    "tenas",
)


class Need(StrEnum):
    """What a measure reads; it decides what the plan computes for it."""

    GRAM = "gram"
    SPECTRUM = "spectrum"
    LABELS = "labels"
    CROSS_KERNEL = "cross-kernel"
    NETWORK = "network"
    CHOICES = "choices"
    """Of a measure of the network: the batch-norm policy and the parameter set that kernels have."""
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
        compute: The function; raises ``NoValueError`` where the measure has no value. It takes a ``NetworkCase`` if the
            measure needs the network, a ``RegressionCase`` if it needs a cross-kernel, a ``TrainingCase`` if it needs
            the training, else a ``Kernel``.
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
    compute: Callable[[Any], float]
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
    def subject(self) -> type:
        """What the function takes: ``Kernel``, ``RegressionCase``, ``NetworkCase`` or ``TrainingCase``."""
        if Need.NETWORK in self.needs:
            return NetworkCase
        if Need.TRAINING in self.needs:
            return TrainingCase
        return RegressionCase if Need.CROSS_KERNEL in self.needs else Kernel


GROUPS = {
    "kernel": "every measure of a kernel",
    "regression": "kernel ridge regression on a held-out probe",
    "baselines": "every measure that needs no kernel",
    "training": "what a network's own training has come to",
    "all": "all that need no training",
}
"""Names that stand for several measures."""
_SUBJECTS = {"kernel": Kernel, "regression": RegressionCase, "baselines": NetworkCase, "training": TrainingCase}

_MEASURES: dict[str, Measure] = {}
_DERIVED: dict[str, DerivedMeasure] = {}
F = TypeVar("F", bound=Callable[[Any], float])
D = TypeVar("D", bound=Combine)
Subject = Kernel | RegressionCase | NetworkCase | TrainingCase | ClassForms


def register(
    name: str,
    *,
    formula: str,
    better: str,
    source: str,
    needs: tuple[Need, ...],
    outputs: tuple[str, ...] = (),
    aggregate: Aggregate = Aggregate.MEAN,
    from_forms: Callable[[ClassForms], float] | None = None,
    version: int = 1,
) -> Callable[[F], F]:
    """Register a function as a measure; see ``Measure`` for the arguments.

    Args:
        name: Identifier, as typed on the command line.
        formula: Definition in symbols.
        better: ``higher`` or ``lower``.
        source: Where the definition comes from.
        needs: What it reads, which decides what the function is given.
        outputs: Output reductions it is defined for; empty for all.
        aggregate: How values over seeds become one.
        from_forms: The same number from class forms, where that is possible.
        version: Raised when the measure comes to give other numbers.

    Raises:
        ValueError: If the name is taken or cannot be typed in a list, or the direction is neither ``higher`` nor
            ``lower``.
    """
    _check_name(name)
    _check_direction(better)

    def add(compute: F) -> F:
        _check_free(name, compute.__module__)
        _MEASURES[name] = Measure(
            name,
            compute,
            formula,
            better == "higher",
            source,
            frozenset(needs),
            outputs,
            aggregate,
            from_forms,
            version,
        )
        return compute

    return add


def register_derived(name: str, *, inputs: tuple[str, ...], formula: str, better: str, source: str) -> Callable[[D], D]:
    """Register a function as a derived measure, which ``ntknas correlate`` makes where all its inputs were scored.

    Args:
        name: Identifier.
        inputs: Measures whose scores the function takes, each as an array over the cells that have all of them; where
            a cell has none, it has the status of the first input without a value.
        formula: Definition in symbols.
        better: ``higher`` or ``lower``.
        source: Where the definition comes from.

    Returns:
        The decorator.

    Raises:
        ValueError: If the name is taken or cannot be typed in a list, there are no inputs, or the direction is neither
            ``higher`` nor ``lower``.
    """
    _check_name(name)
    _check_direction(better)
    if not inputs:
        raise ValueError(f"the derived measure {name!r} has no inputs")

    def add(compute: D) -> D:
        _check_free(name, compute.__module__)
        _DERIVED[name] = DerivedMeasure(name, compute, tuple(inputs), formula, better == "higher", source)
        return compute

    return add


def _check_free(name: str, module: str) -> None:
    if not module.startswith(__package__):
        _load_own()  # so that a name that both have is ours, whichever was imported first
    if name in _MEASURES or name in _DERIVED:
        raise ValueError(f"a measure {name!r} exists already")


def _check_direction(better: str) -> None:
    if better not in {"higher", "lower"}:
        raise ValueError(f"better must be 'higher' or 'lower', got {better!r}")


def _check_name(name: str) -> None:
    if not isinstance(name, str) or not name.isprintable() or set(name) & set(", /") or not name:
        raise ValueError(f"a measure's name has no spaces, commas and slashes, got {name!r}")
    if name in GROUPS:
        raise ValueError(f"{name!r} stands for several measures")


@lru_cache(maxsize=1)
def _load_own() -> None:
    for module in _OWN_MODULES:
        import_module(f"ntknas.measures.{module}")


@lru_cache(maxsize=1)
def left_out() -> tuple[Fault, ...]:
    """Load third parties' packages; return why some are left out, with all measures that they registered."""
    _load_own()
    faults = []
    for package, point in plugins.points(ENTRY_POINT_GROUP):
        before = dict(_MEASURES), dict(_DERIVED)
        _, fault = plugins.load(package, point)
        if fault is not None:
            _restore(*before)
            fault.warn()
            faults.append(fault)
    return tuple(faults)


def _restore(measures: dict[str, Measure], derived: dict[str, DerivedMeasure]) -> None:
    _MEASURES.clear()
    _MEASURES.update(measures)
    _DERIVED.clear()
    _DERIVED.update(derived)


def all_derived() -> dict[str, DerivedMeasure]:
    """Return every derived measure by name, third parties' last."""
    left_out()
    own = {name: measure for name, measure in _DERIVED.items() if measure.compute.__module__.startswith(__package__)}
    return own | _DERIVED


def sign_of(name: str) -> int:
    """Return +1 if higher is better, else −1; of a measure that is not known here, such as one's own, higher is."""
    known = all_measures().get(name) or all_derived().get(name)
    return known.sign if known else 1


def all_measures() -> dict[str, Measure]:
    """Return every measure by name, in the order of the definitions, third parties' last."""
    left_out()
    own = {f"ntknas.measures.{module}": place for place, module in enumerate(_OWN_MODULES)}

    def place(item: tuple[str, Measure]) -> int:
        return own.get(item[1].compute.__module__, len(own))

    return dict(sorted(_MEASURES.items(), key=place))  # whichever module was imported first


def expand(names: Iterable[str]) -> tuple[str, ...]:
    """Return measures by name, with the names of ``GROUPS`` replaced by their members."""
    expanded: list[str] = []
    for name in names:
        if name in GROUPS:
            subject = _SUBJECTS.get(name)
            members = all_measures().items()
            untrained = [each for each, m in members if m.subject is not TrainingCase]
            alone = [each for each, m in members if m.subject is subject and Need.CHOICES not in m.needs]
            expanded += alone if subject else untrained
        else:
            expanded.append(name)
    return tuple(dict.fromkeys(expanded))


def get_measure(name: str) -> Measure:
    """Return a measure.

    Raises:
        ChoiceError: If there is none of this name.
    """
    measures = all_measures()
    if name not in measures:
        raise unknown_measure(name, measures)
    return measures[name]


def unknown_measure(name: str, known: Iterable[str]) -> ChoiceError:
    """Build the error for a measure that does not exist; it may be one of a package that is left out."""
    missing = "".join(f" {fault}." for fault in left_out())
    return ChoiceError(f"{unknown('measure', name, known)}{missing}")


def measure(name: str, subject: Subject) -> Score:
    """Compute a measure.

    Args:
        name: Identifier of the measure.
        subject: What it is a measure of: a kernel; a ``RegressionCase`` for ``krr_acc`` and ``krr_mse``; a
            ``NetworkCase`` for measures that need no kernel; ``ClassForms`` for measures that need no more of a kernel.

    Returns:
        The score: a value, or the status and reason why there is none.

    Raises:
        ChoiceError: If there is no such measure.
        KernelError: If the subject is not of the kind that the measure is defined for (another kind, a cross-kernel,
            another output reduction, no labels, or labels that are not one whole number a sample).

    Example:
        >>> import torch
        >>> from ntknas.kernels import empirical_ntk
        >>> K = empirical_ntk(torch.nn.Linear(2, 1), torch.tensor([[2.0, 0.0], [0.0, 1.0]]))
        >>> measure("cond", K).value
        4.0
    """
    chosen = get_measure(name)
    compute = chosen.compute
    if isinstance(subject, ClassForms) and chosen.from_forms:
        _check_output(chosen, subject.choices.output)
        compute = chosen.from_forms
    elif not isinstance(subject, chosen.subject):
        raise KernelError(
            f"The measure {name!r} is one of a {chosen.subject.__name__}, got a {type(subject).__name__}."
        )
    if isinstance(subject, NetworkCase) and Need.LABELS in chosen.needs:
        check_labels(name, subject.labels, len(subject.images))
    if isinstance(subject, RegressionCase):
        check_labels(name, subject.held_out_labels, subject.cross.matrix.shape[1])
    for kernel in _kernels(subject):
        _check_kernel(chosen, kernel)
        if not kernel.is_finite:
            return Score(name, None, *_non_finite(kernel))
    try:
        value = compute(subject)
    except NoValueError as error:
        return Score(name, None, error.status, str(error))
    if not math.isfinite(value):
        return Score(name, None, Status.NON_FINITE, "the measure is not a finite number")
    return Score(name, value)


def _kernels(subject: Subject) -> list[Kernel]:
    if isinstance(subject, RegressionCase):
        return [subject.kernel, subject.cross]
    return [subject] if isinstance(subject, Kernel) else []


def _non_finite(kernel: Kernel) -> tuple[Status, str]:
    if kernel.choices.normalisation != "none":
        return Status.UNDEFINED, "a row of the Jacobian has no spread to normalise by"
    return Status.NON_FINITE, "the kernel holds NaN or infinity"


def _check_kernel(chosen: Measure, kernel: Kernel) -> None:
    if Need.CROSS_KERNEL not in chosen.needs:
        kernel.require_symmetric(f"The measure {chosen.name!r}")
    _check_output(chosen, kernel.choices.output)
    if Need.LABELS in chosen.needs:
        check_labels(chosen.name, kernel.labels, kernel.samples)


def _check_output(chosen: Measure, output: str) -> None:
    if chosen.outputs and output not in chosen.outputs:
        raise KernelError(
            f"The measure {chosen.name!r} is defined for output {' or '.join(map(repr, chosen.outputs))}, got a kernel "
            f"with output {output!r}: compute the kernel with that output reduction."
        )
