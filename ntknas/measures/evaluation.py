"""Taking a measure: checks of what it is taken of, and the score or the status why there is none."""

from __future__ import annotations

import math
from collections.abc import Iterable

from ntknas.core.cases import NetworkCase, RegressionCase
from ntknas.core.class_forms import ClassForms
from ntknas.core.errors import KernelError
from ntknas.core.kernel import Kernel
from ntknas.core.score import NoValueError, Score, Status
from ntknas.measures.definition import Measure, Need, Subject
from ntknas.measures.labels import check_labels
from ntknas.measures.registry import get_measure

_OPTIONS = {Need.LAYERS: "by_layer", Need.LAYER_INPUTS: "layer_inputs"}
"""Options of ``empirical_ntk`` that give what a measure needs."""


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
            another output reduction, no labels, or labels that are not one whole number per sample).

    Example:
        >>> import torch
        >>> from ntknas.kernels import empirical_ntk
        >>> K = empirical_ntk(torch.nn.Linear(2, 1), torch.tensor([[2.0, 0.0], [0.0, 1.0]]))
        >>> measure("cond", K).value
        4.0
    """
    definition = get_measure(name)
    _check_subject(definition, subject)
    for kernel in _kernels(subject):
        _check_kernel(definition, kernel)
        if not kernel.is_finite:
            return Score(name, None, *_non_finite(kernel))
    try:
        value = definition.value(subject)
    except NoValueError as error:
        return Score(name, None, error.status, str(error))
    if not math.isfinite(value):
        return Score(name, None, Status.NON_FINITE, "the measure is not a finite number")
    return Score(name, value)


def layer_options(names: Iterable[str]) -> dict[str, bool]:
    """Return which options of ``empirical_ntk``, or fields of ``Method``, a kernel needs for some measures of it."""
    needs = {need for name in names for need in get_measure(name).needs}
    return {option: need in needs for need, option in _OPTIONS.items()}


def _check_subject(definition: Measure, subject: Subject) -> None:
    name = definition.name
    if not definition.takes(subject):
        raise KernelError(
            f"The measure {name!r} is one of a {definition.subject.__name__}, got a {type(subject).__name__}."
        )
    if isinstance(subject, ClassForms):
        _check_output(definition, subject.choices.output)
    if isinstance(subject, NetworkCase) and Need.LABELS in definition.needs:
        check_labels(name, subject.labels, len(subject.images))
    if isinstance(subject, RegressionCase):
        check_labels(name, subject.held_out_labels, subject.cross.matrix.shape[1])


def _kernels(subject: Subject) -> list[Kernel]:
    if isinstance(subject, RegressionCase):
        return [subject.kernel, subject.cross]
    return [subject] if isinstance(subject, Kernel) else []


def _non_finite(kernel: Kernel) -> tuple[Status, str]:
    if kernel.choices.normalisation != "none":
        return Status.UNDEFINED, "a row of the Jacobian has no spread to normalise by"
    return Status.NON_FINITE, "the kernel holds NaN or infinity"


def _check_kernel(definition: Measure, kernel: Kernel) -> None:
    if Need.CROSS_KERNEL not in definition.needs:
        kernel.require_symmetric(f"The measure {definition.name!r}")
    _check_output(definition, kernel.choices.output)
    _check_layers(definition, kernel)
    if Need.LABELS in definition.needs:
        check_labels(definition.name, kernel.labels, kernel.samples)


def _check_layers(definition: Measure, kernel: Kernel) -> None:
    given = {
        Need.LAYERS: kernel.layers is not None,
        Need.LAYER_INPUTS: any(layer.inputs is not None for layer in kernel.layers or ()),
    }
    needed = [need for need in given if need in definition.needs]
    if not all(given[need] for need in needed):
        options = ", ".join(f"{_OPTIONS[need]}=True" for need in needed)
        raise KernelError(
            f"The measure {definition.name!r} is one of layers, and this kernel has none of what it needs: compute it "
            f"with {options}."
        )


def _check_output(definition: Measure, output: str) -> None:
    if definition.outputs and output not in definition.outputs:
        raise KernelError(
            f"The measure {definition.name!r} is defined for output {' or '.join(map(repr, definition.outputs))}, got "
            f"a kernel with output {output!r}: compute the kernel with that output reduction."
        )
