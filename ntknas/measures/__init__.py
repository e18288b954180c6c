"""Measures: functions from a kernel to one number, each with its formula, direction, source and needs."""

from ntknas.measures.registry import (
    GROUPS,
    Aggregate,
    Measure,
    Need,
    Subject,
    all_measures,
    expand,
    get_measure,
    measure,
    register,
    unknown_measure,
)

__all__ = [
    "GROUPS",
    "Aggregate",
    "Measure",
    "Need",
    "Subject",
    "all_measures",
    "expand",
    "get_measure",
    "measure",
    "register",
    "unknown_measure",
]
