"""What a page of scores does not show, and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pandas as pd

from ntknas.core.score import Status
from ntknas.correlation import Correlation
from ntknas.store.requests import unmeasured


def left_out_facts(scores: pd.DataFrame, result: Correlation, notes: Iterable[str]) -> dict[str, object]:
    """Return what was left out of a page of scores.

    Args:
        scores: The scores, with what a store says of them.
        result: What was correlated of them.
        notes: What else is to be said.

    Returns:
        ``statuses``: cells without a score, by measure, setting, status and reason; ``unmeasured``: settings of which
        something is missing; ``targets``: scored cells without an accuracy; ``notes``: sentences.
    """
    left_out = scores.attrs.get("left_out")
    kernels = {row.setting: row.kernel for row in result.rows if not row.is_baseline}
    lacks = unmeasured(scores) if "runs" in scores.attrs else []
    there = {str(digest) for digest in scores["setting"].unique()}
    return {
        "statuses": _statuses(scores, kernels),
        "unmeasured": [
            {"setting": kernels.get(lack.setting, lack.setting), "missing": lack.missing, "asked": lack.asked}
            for lack in lacks
            if lack.setting in there
        ],
        "targets": [
            {"target": name, "without": summary.cells_scored - summary.cells_with_accuracy, "of": summary.cells_scored}
            for name, summary in result.targets.items()
            if summary.cells_with_accuracy < summary.cells_scored
        ],
        "notes": [*dict.fromkeys(notes), *([left_out.message("the store")] if left_out else [])],
    }


def _statuses(scores: pd.DataFrame, kernels: Mapping[str, str]) -> list[dict[str, object]]:
    """Count the cells and seeds without a score; alike ones of several measures stand in one line."""
    failed = scores[scores["status"] != Status.OK.value]
    if failed.empty:
        return []
    plain = failed.assign(reason=failed.get("reason", "")).astype(
        {"setting": str, "status": str, "measure": str, "reason": str}
    )
    counts = plain.groupby(["setting", "status", "reason", "measure"])["cell"].agg(["nunique", "size"])
    lines: dict[tuple[str, str, str, int, int], list[str]] = {}
    for (setting, status, reason, measure), row in counts.iterrows():
        key = (kernels.get(setting, setting), status, reason, int(row["nunique"]), int(row["size"]))
        lines.setdefault(key, []).append(measure)
    return [
        {"kernel": kernel, "status": status, "reason": reason, "cells": cells, "scores": size, "measures": measures}
        for (kernel, status, reason, cells, size), measures in lines.items()
    ]
