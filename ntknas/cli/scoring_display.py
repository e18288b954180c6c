"""What a scoring run says while it goes on: remarks, and a meter of kernels or epochs."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from ntknas.cli.left_out import say_left_out
from ntknas.cli.meter import Meter
from ntknas.cli.next_step import after_scoring
from ntknas.cli.output import note, say
from ntknas.cli.wording import in_options
from ntknas.store.layout import log_path

if TYPE_CHECKING:
    from ntknas.core.durations import TimeLeft
    from ntknas.scoring import Summary
    from ntknas.scoring.events import Event, KernelDone, OtherSetting, Planned, PublishedTaken


class ScoringDisplay:
    """Draws the events of a run; as a context manager it takes its meter away, however the run ends."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._meter: Meter | None = None
        self._planned: Planned | None = None
        self._left: TimeLeft | None = None

    def __enter__(self) -> ScoringDisplay:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def __call__(self, event: Event) -> None:
        """Show an event."""
        from ntknas.scoring import events

        remark = _remark(event)
        if remark:
            note(remark)
        elif isinstance(event, events.LinesLost):
            say_left_out(event.left_out, event.store)
            if event.left_out.lines:
                note("Scores that are asked for and were in them are computed again; a copy of the file is kept.")
        elif isinstance(event, events.Planned):
            self._planned = event
            note(_plan_text(event))
        elif isinstance(event, events.Began):
            self._start_meter()
        elif isinstance(event, events.KernelDone):
            self._count(event)
        elif isinstance(event, events.EpochsDone) and self._meter:
            self._meter.advance(event.epochs)

    def _start_meter(self) -> None:
        """Count kernels, or where networks are trained epochs."""
        from ntknas.scoring.time_left import kernels_left

        assert self._planned is not None
        plan, epochs, kernels = self._planned.plan, self._planned.epochs, self._planned.kernels
        self._left = None if epochs else kernels_left(plan, self._planned.job)
        unit = "epochs and kernels" if epochs and kernels else "epochs" if epochs else "kernels"
        meter = Meter(epochs + kernels, "Training" if epochs else "Scoring", unit, self._left)
        self._meter = self._stack.enter_context(meter)

    def _count(self, event: KernelDone) -> None:
        from ntknas.scoring.time_left import kind_and_cost

        assert self._planned is not None
        assert self._meter is not None
        if self._left:
            kind, cost = kind_and_cost(self._planned.job, event.item)
            self._meter.done(cost, kind, event.seconds)
        self._meter.advance(0 if event.item.epoch else 1)


def _remark(event: Event) -> str:
    """Return what is to be said of an event in one sentence; empty where that is not all."""
    from ntknas.scoring import events

    match event:
        case events.JournalTorn():
            return "The journal ended in an unfinished line, left by a killed run: that score is computed again."
        case events.CellsLeftOut(left_out, named, population):
            return f"{left_out:,} of the {named:,} cells that are named are not of population {population}: left out."
        case events.PublishedTaken():
            return _taken_text(event)
        case events.OtherSetting():
            return _other_text(event)
        case events.Tried(strategy):
            return f"Tried: {strategy.rows_at_once} row(s) of a coupled kernel at once."
    return ""


def _taken_text(taken: PublishedTaken) -> str:
    """Say what is taken from published scores, and why a way that has the setting is not."""
    ways = ", ".join(f"{number} of way {way}" for way, number in taken.kernels.items())
    text = f"Published scores {taken.release}: {f'{ways} are taken' if ways else 'none of these kernels is in them'}"
    text += f", {taken.left} are left to compute." if ways and taken.left else "."
    for way, measures in taken.lacking.items():
        text += f" The way {way} lacks {', '.join(measures)}: kernels that are asked for with it are computed."
    return text


def _other_text(other: OtherSetting) -> str:
    """Say in what a published way differs from what is asked for."""
    if other.is_of_images_alone:
        ((published, here),) = other.fields.values()
        return (
            f"The way {other.way} is published for other images: the hash of its probe is {published}, and {here} "
            "here. Its scores are not taken."
        )
    fields = [f"{name} {published} there and {here} here" for name, (published, here) in other.fields.items()]
    return f"The way {other.way} is near, but not the same, and its scores are not taken: {', '.join(fields)}."


def _plan_text(planned: Planned) -> str:
    """Say what is asked for, what of it is stored, and what is left to compute."""
    plan, cells, seeds = planned.plan, planned.cells, planned.seeds
    kinds = plan.requested // max(cells * seeds, 1)
    return (
        f"{cells} cells × {seeds} seed(s){f' × {kinds} kinds' * (kinds > 1)}: "
        f"{plan.stored} of {plan.requested} kernels stored, "
        f"{planned.missing} to get by computing {len(plan.items)} on {planned.engine}"
        + (
            f", {planned.trainings} networks to train for up to {planned.job.epochs[-1]} epochs."
            if planned.trainings
            else "."
        )
    )


def say_summary(summary: Summary, space: str, store: Path, probe: str) -> None:
    """Say how a run went, and what to type next.

    Args:
        summary: How it went.
        space: Name of the space.
        store: The store.
        probe: Name of the probe's source.
    """
    statuses = ", ".join(f"{count} {status}" for status, count in summary.statuses.items())
    say(f"{store}: {f'{statuses} (scores by status)' if statuses else 'nothing was missing'}. Probe: {probe}.")
    for reason, count in summary.main_reasons.items():
        say(f"{count} failed: {in_options(reason)}")
    if summary.failed:
        traces = f" Tracebacks are in {log_path(store)}." if log_path(store).exists() else ""
        say(f"The same command tries what failed again.{traces}")
    command, remark = after_scoring(space, store)
    if remark:
        say(remark)
    say(f"Next: {command}")
