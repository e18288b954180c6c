"""A scoring session: what is asked for is planned, computed and stored, and comes back as a data frame."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property, partial
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

import numpy as np
import torch

from ntknas.core.allocator import keep_freed_memory
from ntknas.core.shown import Shown, listed
from ntknas.published import Release
from ntknas.scoring.engines import make_engine
from ntknas.scoring.events import Began, CellsLeftOut, Event, JournalTorn, LinesLost, Planned, Tried
from ntknas.scoring.fault_log import FaultLog
from ntknas.scoring.forecast import (
    BUDGET,
    Forecast,
    ForecastBegins,
    ForecastEvent,
    ForecastPlanned,
    forecast_plan,
    peak_memory,
)
from ntknas.scoring.inputs import Inputs, ScoringOptions, inputs_of
from ntknas.scoring.job import Job
from ntknas.scoring.plan import Plan, make_plan
from ntknas.scoring.progress import KernelDone
from ntknas.scoring.published_scores import Taken, other_settings, take
from ntknas.scoring.summary import Summary
from ntknas.scoring.tally import Tally
from ntknas.scoring.trial import choose_rows
from ntknas.spaces.populations import ALL
from ntknas.store import ScoreStore, load_store
from ntknas.store.requests import Request

if TYPE_CHECKING:
    import pandas as pd

    from ntknas.core.html import Child
    from ntknas.data.probe import Probe
    from ntknas.scoring.engines import Engine
    from ntknas.scoring.recipe import Recipe
    from ntknas.scoring.training import Training
    from ntknas.spaces import CellLike, Space

OnEvent = Callable[[Event], None]


@dataclass(frozen=True, repr=False)
class ScoringResult(Shown):
    """What a session gives.

    Attributes:
        summary: How it went.
        request: What was asked for: measures by setting, cells and seeds.
        read: Returns a data frame that holds what was asked for.
    """

    summary: Summary
    request: Request
    read: Callable[[], pd.DataFrame] = field(repr=False)

    @cached_property
    def frame(self) -> pd.DataFrame:
        """The scores that were asked for, whenever they were computed; columns as of ``load_store``.

        Raises:
            StoreError: If the store has been removed or damaged meanwhile.
        """
        frame, request = self.read(), self.request
        cells, seeds = frame["cell"].isin(list(request.cells)), frame["seed"].isin(list(request.seeds))
        measured = np.zeros(len(frame), dtype=bool)
        for setting, names in request.measures.items():
            measured |= ((frame["setting"] == setting) & frame["measure"].isin(list(names))).to_numpy(dtype=bool)
        return frame[cells & seeds & measured].reset_index(drop=True)

    def _line(self) -> str:
        return self.summary._line()

    def _facts(self) -> Mapping[str, Child]:
        measures = dict.fromkeys(name for names in self.request.measures.values() for name in names)
        facts: dict[str, Child] = {"measures": listed(measures, 20), "settings": listed(self.request.measures)}
        if self.summary.reasons:
            facts["failures"] = "; ".join(
                f"{count:,} × {reason}" for reason, count in self.summary.main_reasons.items()
            )
        return facts


def score(
    space: Space | str,
    cells: str | Iterable[int | str | CellLike],
    *,
    recipe: Recipe | str | None = None,
    probe: Probe | str | None = None,
    dataset: str = "cifar10",
    seeds: int | Iterable[int] = 1,
    store: str | PathLike[str] | None = None,
    training: Training | None = None,
    strategy: str = "auto",
    rows_at_once: int | None = None,
    population: str = ALL,
    published: Release | str | PathLike[str] | None = None,
    workers: int | None = 0,
    engine: Engine | str = "local",
    device: str = "auto",
    about: Mapping[str, object] | None = None,
    on_event: OnEvent = lambda event: None,
) -> ScoringResult:
    """Score cells: plan what is missing, compute it, store it; nothing is printed.

    The same call again computes only what is missing. What a measure, a network or a process does wrong costs its own
    scores, which have the status ``error``, ``oom``, ``timeout`` or ``crashed``; tracebacks go to Python's ``logging``
    under the name ``ntknas.scoring``.

    Args:
        space: A space or its name.
        cells: Indices, architecture strings or cells; or a text: ``all``, a range such as ``0:1001``, or the number of
            a random sample.
        recipe: What is measured, or the name of a recipe, which also decides what ``probe`` and ``training`` leave
            open; by default ``Recipe()``.
        probe: The images, or the name of their source; by default the data set's own.
        dataset: Data set that networks are built for.
        seeds: Number of initialisations, or their seeds.
        store: The store; without one scores are kept in the result alone.
        training: How networks are trained, and when they are measured.
        strategy: How kernels are computed, as in ``empirical_ntk``.
        rows_at_once: Rows of a coupled kernel that one backward pass computes; by default a short trial decides.
        population: Name of the population that ``cells`` are of: a sample is drawn from it, and of cells that are named
            those are scored that are of it.
        published: Published scores, the name of a release of them or its folder: what it has of the same setting, seed
            and cell is taken in place of computing it, and stored under runs that say where it is from.
        workers: Number of worker processes; 0 computes in this process, ``None`` takes one per GPU or core.
        engine: What computes, or its name: ``local`` or ``ray``.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``, for an engine that is named.
        about: What else the run is recorded with.
        on_event: Told what happens, see ``ntknas.scoring.events``.

    Returns:
        The scores, and how the run went.

    Raises:
        NtknasError: If something named is unknown, images are not there, the choices are impossible for such networks,
            or the store cannot be written. What was reported before is stored.

    Example:
        >>> from ntknas.data import Request, make_probe
        >>> from ntknas.scoring import NetworkOptions, Recipe
        >>> small = Recipe(network=NetworkOptions(channels=2, cells_per_stage=1), measures=("trace",))
        >>> probe = make_probe("noise", 4, Request(image_size=8))
        >>> score("nb201", [0, 8216], recipe=small, probe=probe).frame["status"].tolist()
        ['ok', 'ok']
    """
    inputs = inputs_of(
        space,
        cells,
        recipe=recipe,
        probe=probe,
        dataset=dataset,
        seeds=seeds,
        training=training,
        strategy=strategy,
        rows_at_once=rows_at_once,
        population=population,
    )
    computing = make_engine(engine, workers=workers, device=device) if isinstance(engine, str) else engine
    session = _Session(inputs, computing, on_event, about or {}, _release(published), tries=rows_at_once is None)
    if store is not None:
        return session.run(Path(store))
    with tempfile.TemporaryDirectory() as folder:
        result = session.run(Path(folder) / "scores.h5")
        frame = result.read()  # now: the folder goes with the block
    return replace(result, summary=replace(result.summary, store=None), read=lambda: frame)


def forecast(
    space: Space | str,
    cells: str | Iterable[int | str | CellLike],
    *,
    store: str | PathLike[str] | None = None,
    published: Release | str | PathLike[str] | None = None,
    workers: int | None = 0,
    engine: Engine | str = "local",
    device: str = "auto",
    budget: float = BUDGET,
    on_event: Callable[[ForecastEvent], None] = lambda event: None,
    **options: Unpack[ScoringOptions],
) -> Forecast:
    """Say what ``score`` would take, by short trials; nothing is stored.

    Args:
        space: As of ``score``, and so are all others.
        cells: What would be scored.
        store: The store; what it holds is not computed again.
        published: Published scores, as of ``score``: what they have is not computed either.
        workers: Number of worker processes.
        engine: What would compute.
        device: Where the trials compute.
        budget: Seconds for all trials, about.
        on_event: Told what is tried.
        **options: What would be measured.

    Returns:
        Networks, time and memory.

    Raises:
        NtknasError: As ``score`` does.
    """
    inputs = inputs_of(space, cells, **options)
    computing = make_engine(engine, workers=workers, device=device) if isinstance(engine, str) else engine
    device_here, job = computing.device, inputs.job
    with tempfile.TemporaryDirectory() as folder, threads(computing.threads):
        stored = ScoreStore.peek(Path(store) if store is not None else Path(folder) / "scores.h5")
        on_event(ForecastBegins(len(inputs.cells), len(inputs.seeds)))
        plan = make_plan(job, inputs.cells, inputs.seeds, stored)
        release = _release(published)
        plan = plan if release is None else take(plan, job, release).rest
        on_event(ForecastPlanned(len(plan.tasks), device_here))
        kinds = forecast_plan(plan, job, device_here, on_event, budget)
    workers_at_once = max(1, len(computing.devices))
    return Forecast(plan.requested, plan.stored, len(plan.tasks), kinds, workers_at_once, peak_memory(device_here))


def _release(published: Release | str | PathLike[str] | None) -> Release | None:
    """Return the published scores that are meant, if any are."""
    if published is None or isinstance(published, Release):
        return published
    return Release.open(published if isinstance(published, str) else Path(published))


class _Session:
    """One run over one store.

    Args:
        inputs: What is asked for.
        engine: What computes.
        on_event: Told what happens.
        about: What else the run is recorded with.
        release: Published scores to take.
        tries: Whether to try how many rows of a coupled kernel to compute at once.
    """

    def __init__(
        self,
        inputs: Inputs,
        engine: Engine,
        on_event: OnEvent,
        about: Mapping[str, object],
        release: Release | None = None,
        *,
        tries: bool,
    ) -> None:
        self._inputs, self._engine, self._tell, self._about, self._tries = inputs, engine, on_event, about, tries
        self._release, self._tally, self._log = release, Tally(), FaultLog()

    def run(self, path: Path) -> ScoringResult:
        """Bring a store up to what is asked for."""
        cells, seeds, engine = self._inputs.cells, self._inputs.seeds, self._engine.text()
        keep_freed_memory()
        with ScoreStore.open(path) as store:
            self._tell_what_is_lost(store)
            if left_out := self._inputs.left_out:
                self._tell(CellsLeftOut(left_out, left_out + len(cells), self._inputs.population))
            planned = make_plan(self._inputs.job, cells, seeds, store)
            request = Request(planned.measures, cells, seeds)
            taken = self._taken(planned)
            plan = planned if taken is None else taken.rest
            self._tell(Planned(plan, self._inputs.job, len(cells), len(seeds), engine))
            try:
                for record in taken.keep(store) if taken else ():
                    self._tally.add_copy(record)
                if plan.items or plan.copies:
                    self._carry_out(plan, store, request)
            finally:
                store.compact()
        self._tally.check(store)
        summary = replace(self._summary(path, plan), kernels_published=taken.kernels if taken else 0)
        return ScoringResult(summary, request, partial(load_store, path))

    def _taken(self, plan: Plan) -> Taken | None:
        """Return what of a plan is published, which is told, and so are ways that differ in little."""
        if self._release is None or not plan.items:
            return None
        taken = take(plan, self._inputs.job, self._release)
        self._tell(taken.event)
        for other in other_settings(self._inputs.job, self._release):
            self._tell(other)
        return taken

    def _tell_what_is_lost(self, store: ScoreStore) -> None:
        if store.torn:
            self._tell(JournalTorn(store.path))
        lost = replace(store.left_out, unfinished=False)
        if lost:
            self._tell(LinesLost(store.path, lost))

    def _carry_out(self, plan: Plan, store: ScoreStore, request: Request) -> None:
        """Let the engine compute; the store knows from the start what was asked for."""
        job = self._inputs.job
        described = {"recipe": job.recipe.name, "seeds": len(request.seeds), "epochs": list(job.epochs), **self._about}
        run_id = store.add_run({**self._engine.describe(), **described, "request": request.as_json()})
        store.announce(run_id, request.measures)  # before the trial, in which it may be stopped
        job, record = self._with_strategy(plan)
        store.add_to_run(run_id, {"strategy": record})
        store.announce(run_id, request.measures)
        for copy in plan.copies:
            store.append(copy)
            self._tally.add_copy(copy)
        self._tell(Began())
        for report in self._engine.run(plan, job, store, run_id):
            if isinstance(report, KernelDone):
                self._tally.add(report)
                self._log.add(report)
            self._tell(report)

    def _with_strategy(self, plan: Plan) -> tuple[Job, dict[str, object]]:
        """Return the job with the strategy to use, and what the run is recorded with."""
        job = self._inputs.job
        if not (self._tries and self._engine.is_local):
            return job, asdict(job.strategy)
        with threads(self._engine.threads):
            strategy, record = choose_rows(plan, job, self._engine.device)
        if not record:
            return job, asdict(job.strategy)
        self._tell(Tried(strategy))
        return replace(job, strategy=strategy), {**asdict(strategy), "trial": record}

    def _summary(self, path: Path, plan: Plan) -> Summary:
        tally = self._tally
        return Summary(
            store=path,
            cells=len(self._inputs.cells),
            seeds=len(self._inputs.seeds),
            kernels_computed=len(plan.items),
            kernels_stored_before=plan.stored,
            statuses=dict(tally.statuses),
            failed=tally.failed,
            reasons=dict(tally.reasons.most_common()),
            cells_left_out=self._inputs.left_out,
        )


@contextmanager
def threads(count: int | None) -> Iterator[None]:
    """Compute with as many threads as a worker has, for the time being; ``None`` leaves them."""
    count_before = torch.get_num_threads()
    torch.set_num_threads(count or count_before)
    try:
        yield
    finally:
        torch.set_num_threads(count_before)
