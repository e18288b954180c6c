"""Measures: functions from a kernel to one number, each with its formula, direction, source and needs."""

from ntknas.measures.definition import Aggregate, Measure, Need, Subject
from ntknas.measures.derived import DerivedMeasure
from ntknas.measures.evaluation import layer_options, measure
from ntknas.measures.registry import (
    GROUPS,
    all_derived,
    all_measures,
    expand,
    find_measure,
    get_measure,
    inputs_of,
    register,
    register_derived,
    sign_of,
    unknown_measure,
)

__all__ = [
    "GROUPS",
    "Aggregate",
    "DerivedMeasure",
    "Measure",
    "Need",
    "Subject",
    "all_derived",
    "all_measures",
    "expand",
    "find_measure",
    "get_measure",
    "inputs_of",
    "layer_options",
    "measure",
    "register",
    "register_derived",
    "sign_of",
    "unknown_measure",
]
