"""Sections of scores: a store's, published ones or a user's own, held against accuracies."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from ntknas.core.errors import NtknasError
from ntknas.correlation import AccuracySource, Correlation
from ntknas.correlation.by_space import SpaceResults, correlate_by_space
from ntknas.correlation.join import Meter
from ntknas.correlation.row import LEFT_OUT
from ntknas.page.drawings import packed_drawings
from ntknas.page.left_out import left_out_facts
from ntknas.page.measured import measured_facts
from ntknas.page.populations import STATISTICS, Columns, population_data
from ntknas.page.rankings import Ranking, rankings_of
from ntknas.page.section import Section
from ntknas.spaces import Space, load_space, space_names
from ntknas.spaces.populations import ALL

POPULATIONS = (ALL, "connected", "distinct")
"""Populations that a page offers where none are named."""
MAX_NUMBERS = 700_000
"""Scores and values that a page holds: under 4 MB of it, however random, and browsers stay quick."""


@dataclass(frozen=True)
class Request:
    """What a section of scores is to show.

    Attributes:
        populations: Populations to offer; the first is shown at first, and has every cell of the page.
        measures: Measures to show; all without any.
        combine: Combinations to show beside them.
        given: What partial correlations hold fixed.
        unscored: What is done with cells without a score.
        resamples: Number of bootstrap resamples.
        seed: Seed of the bootstrap.
        images: Folder of image sets, for pictures of the probe.
        progress: Wraps the list of what rows are computed from, to show how far it is.
        remark: Called with what is to be said of what is not shown.
    """

    populations: Sequence[str] = POPULATIONS
    measures: Collection[str] = ()
    combine: Collection[str] = ()
    given: Collection[str] | None = None
    unscored: str = LEFT_OUT
    resamples: int = 1000
    seed: int = 0
    images: Path = Path("image_data")
    progress: Meter = field(default=iter, repr=False)
    remark: Callable[[str], object] = field(default=str, repr=False)


def scores_sections(scores: pd.DataFrame, source: AccuracySource, request: Request) -> list[Section]:
    """Return a section for each space of some scores.

    Args:
        scores: As from ``ntknas.load_store``.
        source: Where the accuracies come from.
        request: What is to be shown.

    Returns:
        The sections.

    Raises:
        NtknasError: If nothing can be correlated; the message says what is missing.
    """
    by_population, remarks = _correlated(scores, source, request)
    first = by_population[request.populations[0]]
    sections = []
    for space, result in first.results.items():
        results = {name: of.results[space] for name, of in by_population.items() if space in of.results}
        of_space = scores[scores["space"] == space]
        of_space.attrs = scores.attrs
        notes = [*first.not_shown.values(), *remarks, *result.notes]
        sections.append(_section(space, of_space, results, notes, request))
    return sections


def _correlated(
    scores: pd.DataFrame, source: AccuracySource, request: Request
) -> tuple[dict[str, SpaceResults], list[str]]:
    """Return the results by population, and why another than the first has none."""
    found: dict[str, SpaceResults] = {}
    remarks = []
    for name in dict.fromkeys(request.populations):
        try:
            found[name] = correlate_by_space(
                scores,
                source,
                resamples=request.resamples,
                seed=request.seed,
                measures=request.measures,
                population=name,
                given=request.given,
                combine=request.combine,
                unscored=request.unscored,
                progress=request.progress,
            )
        except NtknasError as error:
            if not found:
                raise
            remarks.append(f"population {name} is not shown: {error}")
            request.remark(remarks[-1])
    return found, remarks


def _section(
    space: str, scores: pd.DataFrame, results: Mapping[str, Correlation], notes: Iterable[str], request: Request
) -> Section:
    first = next(iter(results.values()))
    targets = list(first.targets)
    rankings, remarks = _that_fit(first, rankings_of(first), targets)
    for remark in remarks:
        request.remark(remark)
    whole = Columns.of(first, rankings, targets)
    known = load_space(space) if space in space_names() else None
    populations = [
        population_data(name, result, rankings, targets, None if result is first else whole)
        for name, result in results.items()
    ]
    data = {
        "cells": whole.cells.to_numpy(),
        "texts": _texts(known, whole.cells),
        "drawings": known and packed_drawings(known, whole.cells.tolist()),
        "rankings": [ranking.as_data() for ranking in rankings],
        "targets": [_target(first, name) for name in targets],
        "statistics": [[name, *titles] for name, titles in STATISTICS.items()],
        "populations": populations,
    }
    facts = {
        "space": space,
        "cells": len(whole.cells),
        "networks": None if first.networks is None else int(first.networks.nunique()),
        "rankings": len(rankings),
        "targets": targets,
        "measured": measured_facts(scores, first, request.images),
        "left_out": left_out_facts(scores, first, [*notes, *remarks]),
    }
    return Section("scores", f"Scores of {space}", facts, data)


def _that_fit(result: Correlation, rankings: list[Ranking], targets: Sequence[str]) -> tuple[list[Ranking], list[str]]:
    """Return the rankings that a page has room for, counts in any case, and what is to be said of the others."""
    cells = max((len(points) for points in result.points.values()), default=0)
    room = MAX_NUMBERS // max(cells, 1) - len(targets)
    counts = [ranking for ranking in rankings if ranking.row.is_baseline]
    measures = [ranking for ranking in rankings if not ranking.row.is_baseline]
    shown = measures[: max(room - len(counts), 1)]
    if len(shown) == len(measures):
        return rankings, []
    hidden = f"{len(measures) - len(shown)} of {len(measures)} measures are not on this page, for lack of room"
    return [*shown, *counts], [f"{hidden}: choose some (`measures`), or one of several settings (`setting`)."]


def _texts(space: Space | None, cells: pd.Index) -> list[str]:
    return [] if space is None else [str(space[int(cell)]) for cell in cells]


def _target(result: Correlation, name: str) -> dict[str, object]:
    quantity = result.targets[name].quantity
    return {"name": name, "what": str(quantity), "unit": quantity.unit, "higher": quantity.higher_is_better}
