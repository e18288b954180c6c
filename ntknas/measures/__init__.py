"""Measures: functions from a kernel to one number, each with its formula, direction, source and needs."""

from ntknas.measures.registry import Aggregate, Measure, Need, all_measures, get_measure, measure, register

__all__ = ["Aggregate", "Measure", "Need", "all_measures", "get_measure", "measure", "register"]
