"""The forecast of ``ntknas score --dry-run`` on the screen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ntknas.cli.asking import LONG
from ntknas.cli.meter import duration
from ntknas.cli.output import note, print_json, print_table, say

if TYPE_CHECKING:
    import torch

    from ntknas.scoring.forecast import Forecast, ForecastEvent
    from ntknas.spaces import Space

BRIEF = 20.0
"""Seconds of the trials before a run that may be long."""


def seconds_of(space: Space, cells: Sequence[int], arguments: Mapping[str, Any]) -> float:
    """Return about how long scoring takes: reckoned where it is short by any reckoning, else by trials of seconds.

    Args:
        space: The space.
        cells: The cells.
        arguments: Those of ``ntknas.forecast``.
    """
    return sum(seconds_of_runs(space, cells, [arguments]))


def seconds_of_runs(space: Space, cells: Sequence[int], runs: Sequence[Mapping[str, Any]]) -> list[float]:
    """Return about how long each of several runs takes, as ``seconds_of``.

    Args:
        space: The space.
        cells: The cells.
        runs: Arguments of ``ntknas.forecast``, of each.
    """
    from ntknas.scoring.inputs import ScoringOptions
    from ntknas.scoring.reckoning import reckoned_seconds
    from ntknas.scoring.session import forecast

    def of_scoring(run: Mapping[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in run.items() if name in ScoringOptions.__annotations__}

    seconds = [reckoned_seconds(space, cells, **of_scoring(run)) for run in runs]
    if sum(seconds) < LONG:
        return seconds
    note(f"It may take long: a few networks are tried first, for {BRIEF:.0f} s or so. (--yes leaves that out.)")
    return [forecast(space, cells, budget=BRIEF / len(runs), **run).seconds for run in runs]


class ForecastDisplay:
    """Reports trials as they run, and keeps the sizes that the answer names."""

    cells: int
    seeds: int
    device: torch.device

    def __call__(self, event: ForecastEvent) -> None:
        """Show an event."""
        from ntknas.scoring import forecast as events

        if isinstance(event, events.ForecastBegins):
            self.cells, self.seeds = event.cells, event.seeds
            amount, budget = f"{event.cells} cells × {event.seeds} seed(s)", f"{events.BUDGET:.0f} s"
            note(f"Forecast of {amount}, by trials of {budget} or so; none is stored.")
        elif isinstance(event, events.ForecastPlanned):
            self.device = event.where
            if event.networks:
                note(f"Trying a few of {event.networks} networks on {event.where}, few images first.")
        elif isinstance(event, events.KindBegins):
            kind, measures = f"Kind {event.number} of {event.kinds}", ", ".join(event.measures)
            note(f"{kind}, {event.networks} networks: {measures}; {event.seconds:.0f} s for it.")
        else:
            note(f"Cell {event.cell} with {event.images} of {event.probe_size} images: {event.seconds:.2f} s.")

    def show(self, forecast: Forecast, images: int, *, json: bool) -> None:
        """Print the answer.

        Args:
            forecast: The answer.
            images: Number of images of the probe.
            json: Whether as JSON.
        """
        if json:
            print_json(forecast.as_json())
            return
        say(
            f"{self.cells} cells × {self.seeds} seed(s) ask for {forecast.requested} kernels: {forecast.stored} are "
            f"stored, {forecast.networks} networks have to be computed (equal ones once)."
        )
        if forecast.kinds:
            _print_kinds(forecast, images, on_gpu=self.device.type == "cuda")


def _print_kinds(forecast: Forecast, images: int, *, on_gpu: bool) -> None:
    table = [
        [", ".join(kind.measures), kind.output, str(kind.items), _range(kind.tried), duration(kind.seconds)]
        for kind in forecast.kinds
    ]
    print_table("", ["measures", "output", "networks", "s per network, light to heavy", "one worker"], table, left=2)
    images_of_trials = min(kind.images for kind in forecast.kinds)
    if images_of_trials < images:
        say(f"From trials with {images_of_trials} of {images} images, multiplied: it may take several times less.")
    elif not all(kind.spread for kind in forecast.kinds):
        say("From trials of light networks, by FLOPs: heavy ones would have taken too long.")
    total, memory = duration(forecast.seconds), forecast.bytes_per_worker / 2**20
    of_what = " of GPU memory" if on_gpu else ""
    say(f"With {forecast.workers} worker(s): {total}, some {memory:.0f} MiB each{of_what}.")


def _range(seconds: Sequence[float]) -> str:
    shortest, longest = f"{min(seconds):.2f}", f"{max(seconds):.2f}"
    return f"{shortest if shortest == longest else f'{shortest} to {longest}'} ({len(seconds)} tried)"
