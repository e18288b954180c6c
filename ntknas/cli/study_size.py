"""How large ``ntknas study`` is where nobody said it, and how long that takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ntknas.cli.asking import LONG, NO, SMALL, asked, begin_or_leave, leave, someone_is_there
from ntknas.cli.meter import duration
from ntknas.cli.output import note
from ntknas.studies.options import StudyOptions

if TYPE_CHECKING:
    from ntknas.studies.base import Study

_SHORTER = "--quick, or fewer --repeats and --widths"
_ANSWERS = {"f": "f", "full": "f", "q": SMALL, "quick": SMALL, "s": SMALL, "small": SMALL}
_BRIEF = 5.0
"""Seconds of the trials before a study that may be long."""


def say_size(ctx: click.Context, options: dict[str, object]) -> None:
    """Make a study quick, and say so, where nobody said anything of it and nobody can be asked.

    Args:
        ctx: The running command.
        options: Its options; ``quick`` may change.
    """
    if _is_bare(ctx) and not (options["yes"] or options["dry_run"] or someone_is_there()):
        options["quick"] = True
        note("Nobody said how large this is to be, so that it is quick (--quick). --yes: the published size.")


def agreed_study(ctx: click.Context, options: dict[str, object], make: Callable[[], Study]) -> Study:
    """Return the study that is to run; one that takes long is announced, and on a terminal agreed on.

    Args:
        ctx: The running command.
        options: Its options; ``quick`` may change.
        make: Makes the study of them.

    Returns:
        The study.

    Raises:
        Exit: If the answer is no.
    """
    study = make()
    if options["yes"]:
        return study
    seconds = _seconds_left(study, Path(str(options["out"])), quick=bool(options["quick"]))
    if not (_is_bare(ctx) and someone_is_there()) or options["quick"] or seconds < LONG:
        begin_or_leave(seconds, _SHORTER)
        return study
    note(f"The published size takes some {duration(seconds)} here, the quick one seconds to minutes (--yes, --quick).")
    answer = asked("Full, quick or not at all? [f/q/N]", _ANSWERS)
    if answer == NO:
        leave()
    options["quick"] = answer == SMALL
    return make() if options["quick"] else study


def _is_bare(ctx: click.Context) -> bool:
    """Return whether nobody said anything of what is measured: neither networks nor data nor numbers."""
    default = click.core.ParameterSource.DEFAULT
    return all(ctx.get_parameter_source(field.name) is default for field in fields(StudyOptions))


def _seconds_left(study: Study, out: Path, *, quick: bool) -> float:
    """Return about how long what is not yet measured takes; quick ones are, but for what comes once before."""
    from ntknas.studies.forecast import estimate

    if quick or study.seconds_before() > LONG:
        return study.seconds_before()
    share = _share_left(study, out / f"{study.name}.journal")
    if not share:
        return 0.0
    note("Some of it is tried first, to see how long it takes. (--yes leaves that out.)")
    return share * estimate(study, _BRIEF).seconds


def _share_left(study: Study, journal: Path) -> float:
    """Return the share of a study's cost that is not yet measured."""
    from ntknas.studies.ledger import Ledger

    if not journal.exists():
        return 1.0
    with Ledger(journal) as ledger:
        costs = {unit: study.cost(unit) for unit in study.units()}
        left = sum(cost for unit, cost in costs.items() if ledger.rows(study, unit) is None)
    return left / sum(costs.values())
