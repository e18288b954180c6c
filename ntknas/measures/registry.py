"""The registry of measures.

A new measure is one function in one file of this folder, decorated with ``register`` (or ``register_derived``): every
module here is loaded. A third party's package does the same and names its module under the entry-point group
``ntknas.measures``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TypeVar

from ntknas.core import plugins
from ntknas.core.cases import NetworkCase, RegressionCase, TrainingCase
from ntknas.core.class_forms import ClassForms
from ntknas.core.errors import ChoiceError, unknown
from ntknas.core.kernel import Kernel
from ntknas.core.plugins import Fault
from ntknas.measures.definition import Aggregate, ComputeT, Measure, Need
from ntknas.measures.derived import Combine, DerivedMeasure
from ntknas.measures.families import families, member, members
from ntknas.spaces.structure import COUNTS

ENTRY_POINT_GROUP = "ntknas.measures"
_FIRST = (
    "size",
    "spectral",
    "alignment",
    "by_class",
    "regression",
    "gradients",
    "activations",
    "summed_gradients",
    "training",
)
"""Modules whose measures come first, in this order, wherever all are listed; those of others follow by name."""


GROUPS = {
    "kernel": "every measure of a kernel but those of the trace over outputs alone, which costs a pass for each",
    "layers": "every measure of the kernels of single layers, and of what layers are given",
    "regression": "kernel ridge regression on a held-out probe",
    "baselines": "every measure that needs no kernel",
    "training": "what a network's own training has come to",
    "all": "all that need no training, but for those of layers",
}
"""Names that stand for several measures."""
_SUBJECTS = {"kernel": Kernel, "regression": RegressionCase, "baselines": NetworkCase, "training": TrainingCase}

_MEASURES: dict[str, Measure] = {}
_DERIVED: dict[str, DerivedMeasure] = {}
CombineT = TypeVar("CombineT", bound=Combine)


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
) -> Callable[[ComputeT], ComputeT]:
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

    Returns:
        The decorator.

    Raises:
        ValueError: If the name is taken or cannot be typed in a list, or the direction is neither ``higher`` nor
            ``lower``.
    """
    _check_name(name)
    _check_direction(better)

    def add(compute: ComputeT) -> ComputeT:
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


def register_derived(
    name: str,
    *,
    inputs: tuple[str, ...],
    formula: str,
    better: str,
    source: str,
    lowest_if_undefined: tuple[str, ...] = (),
    fitted: str = "",
) -> Callable[[CombineT], CombineT]:
    """Register a function as a derived measure, which ``ntknas correlate`` makes where all its inputs were scored.

    Args:
        name: Identifier.
        inputs: Measures whose scores the function takes, each as an array over the cells that have all of them; where
            a cell has none, it has the status of the first input without a value.
        formula: Definition in symbols.
        better: ``higher`` or ``lower``.
        source: Where the definition comes from.
        lowest_if_undefined: Inputs for which a cell of status ``undefined`` is worse than any number: the function is
            given an infinite one in its place.
        fitted: What of it was chosen on cells with known accuracies, such as its constants; tables warn of it.

    Returns:
        The decorator.

    Raises:
        ValueError: If the name is taken or cannot be typed in a list, there are no inputs, one is named as lowest
            that is none, or the direction is neither ``higher`` nor ``lower``.
    """
    _check_name(name)
    _check_direction(better)
    if not inputs:
        raise ValueError(f"the derived measure {name!r} has no inputs")
    if not set(lowest_if_undefined) <= set(inputs):
        raise ValueError(f"the derived measure {name!r} takes no {', '.join(set(lowest_if_undefined) - set(inputs))}")

    def add(compute: CombineT) -> CombineT:
        _check_free(name, compute.__module__)
        _DERIVED[name] = DerivedMeasure(
            name, compute, tuple(inputs), formula, better == "higher", source, tuple(lowest_if_undefined), fitted
        )
        return compute

    return add


def _check_free(name: str, module: str) -> None:
    if not module.startswith(__package__):
        _load_own()  # so that a name that both have is ours, whichever was imported first
    if name in _MEASURES or name in _DERIVED or member(name):
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
    for module in _own_modules():
        import_module(module)


@lru_cache(maxsize=1)
def _own_modules() -> tuple[str, ...]:
    names = sorted(module.name for module in iter_modules(import_module("ntknas.measures").__path__))
    return tuple(f"{__package__}.{name}" for name in (*_FIRST, *(name for name in names if name not in _FIRST)))


@lru_cache(maxsize=1)
def left_out() -> tuple[Fault, ...]:
    """Load third parties' packages; return why some are left out, with all measures that they registered."""
    _load_own()
    faults = []
    for package, point in plugins.points(ENTRY_POINT_GROUP):
        registered = dict(_MEASURES), dict(_DERIVED)
        _, fault = plugins.load(package, point)
        if fault is not None:
            _restore(*registered)
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
    ours = {name: derived for name, derived in _DERIVED.items() if derived.compute.__module__.startswith(__package__)}
    return ours | _DERIVED


def inputs_of(names: Iterable[str]) -> tuple[str, ...]:
    """Return measures by name, with derived ones replaced by the measures that they take; counts are not scored."""
    derived = all_derived()
    taken = [member for name in names for member in (derived[name].inputs if name in derived else (name,))]
    return tuple(name for name in dict.fromkeys(taken) if name not in COUNTS)


def sign_of(name: str) -> int:
    """Return +1 if higher is better, else −1; of a measure that is not known here, such as one's own, higher is."""
    definition = find_measure(name) or all_derived().get(name)
    return definition.sign if definition else 1


def all_measures() -> dict[str, Measure]:
    """Return every measure by name, in the order of the definitions, third parties' last."""
    left_out()
    modules = {name: position for position, name in enumerate(_own_modules())}

    def position(item: tuple[str, Measure]) -> int:
        return modules.get(item[1].compute.__module__, len(modules))

    return dict(sorted(_MEASURES.items(), key=position))  # whichever module was imported first


def expand(names: Iterable[str]) -> tuple[str, ...]:
    """Return measures by name, with the names of ``GROUPS`` and families (``spectrum:64``) replaced by their members.

    Raises:
        ChoiceError: If a family is asked for an impossible number of members.
    """
    expanded: list[str] = []
    left_out()
    for name in (names,) if isinstance(names, str) else names:
        if numbered := members(name):
            expanded += numbered
        elif name in GROUPS:
            expanded += [measure for measure, definition in all_measures().items() if _is_of(definition, name)]
        else:
            expanded.append(name)
    return tuple(dict.fromkeys(expanded))


def _is_of(measure: Measure, group: str) -> bool:
    """Return whether a measure is of a group; what reads more choices, or costs many times the others, is apart."""
    if Need.LAYERS in measure.needs:
        return group == "layers"
    if group == "all":
        return measure.subject is not TrainingCase
    apart = Need.CHOICES in measure.needs or measure.outputs == ("traced",)
    return measure.subject is _SUBJECTS.get(group) and not apart


def find_measure(name: str) -> Measure | None:
    """Return the measure of a name, a family's members included; ``None`` where there is none."""
    left_out()
    return _MEASURES.get(name) or member(name)


def get_measure(name: str) -> Measure:
    """Return a measure.

    Raises:
        ChoiceError: If there is none of this name.
    """
    measure = find_measure(name)
    if measure is None:
        error = unknown_measure(name, all_measures())
        raise error
    return measure


def unknown_measure(name: str, names: Iterable[str]) -> ChoiceError:
    """Build the error for a measure that does not exist; it may be one of a package that is left out."""
    faults = "".join(f" {fault}." for fault in left_out())
    numbered = [f"{family.stem}_1" for family in families()]
    return ChoiceError(f"{unknown('measure', name, [*names, *numbered])}{faults}")
