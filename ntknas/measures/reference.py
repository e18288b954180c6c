"""The reference of measures: what the registry knows of each, with derived ones, families and counts."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

from ntknas.core.errors import unknown
from ntknas.measures.definition import Aggregate, Measure
from ntknas.measures.derived import DerivedMeasure
from ntknas.measures.families import Family, families, member
from ntknas.measures.registry import GROUPS, all_derived, all_measures, expand, left_out
from ntknas.spaces.structure import COUNTS, Count

NEEDS = {
    "kernel": "a kernel",
    "cross-kernel": "a kernel with a held-out probe",
    "layers": "what each layer adds to it",
    "layer-inputs": "the Gram matrices of the layers' inputs",
    "network": "the network",
    "labels": "labels",
    "choices": "the batch-norm policy and parameter set of kernels",
    "held-out": "a held-out probe",
    "training": "the network's training",
}
"""What a measure reads, in words, in the order in which they are told."""
AGGREGATES = {
    Aggregate.MEAN: "mean",
    Aggregate.GEOMETRIC: "mean of the logarithm, the sign kept",
}


@dataclass(frozen=True)
class Entry:
    """What is known of one measure.

    Attributes:
        name: Identifier.
        kind: ``measure``, ``derived`` (of other scores), ``family`` (a measure for every number) or ``count``.
        formula: Definition in symbols.
        better: ``higher`` or ``lower``.
        needs: What it reads, in words; of a derived measure the scores that it is made of.
        source: Where the definition comes from.
        outputs: Output reductions it is defined for; empty for all.
        groups: Names that stand for it among others.
        over_seeds: How its values over seeds become one.
        text: What it is, in sentences.
        no_value: When it has no value, by status; empty where it always has one.
    """

    name: str
    kind: str
    formula: str
    better: str
    needs: tuple[str, ...]
    source: str
    outputs: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    over_seeds: str = ""
    text: str = ""
    no_value: str = ""

    def as_json(self) -> dict[str, object]:
        """Return it as plain data."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}


def entries() -> dict[str, Entry]:
    """Return every measure by name: measures, families of them, derived measures and counts."""
    listed = [_of_measure(measure) for measure in all_measures().values()]
    listed += [_of_family(family) for family in families()]
    listed += [_of_derived(derived) for derived in all_derived().values()]
    listed += [_of_count(count) for count in COUNTS.values()]
    return {entry.name: entry for entry in listed}


def entry_of(name: str) -> Entry:
    """Return what is known of a measure, a member of a family included.

    Args:
        name: Its name.

    Returns:
        What is known of it.

    Raises:
        ChoiceError: If there is none of this name.
    """
    known = entries()
    if name in known:
        return known[name]
    if found := member(name):
        (text,) = (family.text for family in families() if name.startswith(f"{family.stem}_"))
        return replace(_of_measure(found), text=f"The {text.removeprefix('the ')}.")
    error = unknown("measure", name, [*known, *(f"{family.stem}_1" for family in families())])
    raise type(error)(" ".join([str(error), *(f"{fault}." for fault in left_out())]))


def _of_measure(measure: Measure) -> Entry:
    text, no_value = _told(measure.compute)
    return Entry(
        measure.name,
        "measure",
        measure.formula,
        _better(measure.higher_is_better),
        tuple(words for need, words in NEEDS.items() if need in measure.needs),
        measure.source,
        measure.outputs,
        tuple(group for group in GROUPS if measure.name in expand([group])),
        AGGREGATES[measure.aggregate],
        text,
        no_value,
    )


def _of_derived(derived: DerivedMeasure) -> Entry:
    text, no_value = _told(derived.compute)
    warning = f"Chosen on cells with known accuracies: {derived.fitted}." if derived.fitted else ""
    return Entry(
        derived.name,
        "derived",
        derived.formula,
        _better(derived.higher_is_better),
        derived.inputs,
        derived.source,
        text="\n\n".join(filter(None, (text, warning))),
        no_value=no_value,
    )


def _of_family(family: Family) -> Entry:
    first = family.member(1)
    return Entry(
        f"{family.stem}_k",
        "family",
        f"{family.text}; {family.stem}_1, {family.stem}_2, … by name",
        _better(first.higher_is_better),
        tuple(words for need, words in NEEDS.items() if need in first.needs),
        first.source,
        groups=(f"{family.group}:n",),
        over_seeds=AGGREGATES[first.aggregate],
        text=f"The first n of them together: {family.group}:n.",
    )


def _of_count(count: Count) -> Entry:
    text = f"Counted in {count.unit}, of the cell's drawing alone; correlated beside measures, and never scored."
    return Entry(
        count.name, "count", count.formula, _better(count.higher_is_better), ("the cell",), count.source, text=text
    )


def _better(higher: bool) -> str:
    return "higher" if higher else "lower"


def _told(function: Callable[..., object]) -> tuple[str, str]:
    """Return what a function's docstring says of its measure, and when there is no value."""
    told, _, raised = (inspect.getdoc(function) or "").partition("\nRaises:")
    text = re.sub(r"^Return (`*\w)", lambda found: found[1].upper(), re.split(r"\n(?:Args|Returns|Example):", told)[0])
    _, _, no_value = raised.partition("NoValueError:")
    joined = [" ".join(paragraph.split()) for paragraph in text.replace("``", "`").strip().split("\n\n")]
    return "\n\n".join(joined), " ".join(no_value.replace("``", "`").split()).rstrip(".")
