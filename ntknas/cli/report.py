"""``ntknas report``: results as one HTML page, to look at and to pass on."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ntknas.cli import kinds
from ntknas.cli import options as shared
from ntknas.cli.correlate_scores import check_scores, own_scores_options, take_scores
from ntknas.cli.correlate_source import check_one_space, check_source, take_source
from ntknas.cli.intervals import correlating
from ntknas.cli.names import check_names
from ntknas.cli.output import note, say
from ntknas.cli.published_source import way_options
from ntknas.cli.types import Options
from ntknas.correlation.row import LEFT_OUT, UNSCORED
from ntknas.published.source import is_published
from ntknas.spaces.populations import ALL, POPULATIONS

if TYPE_CHECKING:
    from ntknas.page.section import Section

_OFFERED = (ALL, "connected", "distinct")
"""Cells from which intervals take so long that progress is shown."""


@click.command(name="report")
@click.argument("store", type=click.Path(path_type=Path), default=shared.DEFAULT_STORE)
@click.option(
    "--also",
    cls=kinds.TrustedOption,  # what it names becomes part of a page that is passed on
    multiple=True,
    type=click.Path(path_type=Path),
    help="Another file to show: a track or a folder of them, a study's page, JSON that a command printed; repeatable.",
)
@click.option(
    "--out",
    cls=kinds.TrustedOption,
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("report.html"),
    show_default=True,
    help="File to write.",
)
@click.option("--title", help="Title of the page.  [default: what it is a report of]")
@way_options
@click.option("--space", help="Scores of this space alone.  [default: all, a section each]")
@click.option("--setting", multiple=True, help="Scores of this setting, or the beginning of its digest; repeatable.")
@click.option("--recipe", multiple=True, help="Scores computed with this recipe; repeatable.")
@click.option("--measures", help="Measures and groups to show, separated by commas.  [default: all that were taken]")
@click.option(
    "--population",
    multiple=True,
    type=kinds.Choice(list(POPULATIONS)),
    default=_OFFERED,
    show_default=True,
    help="Population that the page offers, as of ntknas correlate; repeatable, the first is shown at first.",
)
@click.option(
    "--dataset", multiple=True, help="Data set of the accuracies, or all; repeatable.  [default: the scores']"
)
@click.option("--target", multiple=True, help="Target that the page offers, as of ntknas correlate; repeatable.")
@click.option("--bench", help="Benchmark of the accuracies.  [default: the scores' own space's]")
@shared.bench_data_option
@click.option("--accuracies", type=click.Path(path_type=Path), help="CSV file of your own accuracies.")
@click.option("--column", help="Column of --accuracies to take.")
@click.option("--cell-column", help="Column of --accuracies, or else of --scores, that names the cells.")
@own_scores_options
@click.option(
    "--combine",
    multiple=True,
    metavar="EXPRESSION",
    help="Combination of scores to show beside them, such as rank(a)+rank(b); repeatable.",
)
@click.option(
    "--unscored",
    type=kinds.Choice(list(UNSCORED)),
    default=LEFT_OUT,
    show_default=True,
    help="What is done with cells without a score.",
)
@click.option(
    "--resamples",
    type=kinds.NUMBER,
    default=1000,
    show_default=True,
    help="Bootstrap resamples; fewer than 200 give no intervals.",
)
@click.option("--seed", type=kinds.SEED, default=0, show_default=True, help="Seed of the bootstrap.")
@click.option(
    "--image-data",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("image_data"),
    show_default=True,
    help="Folder of the image sets, for pictures of the probe.",
)
def command(store: Path, also: tuple[Path, ...], out: Path, title: str | None, **options: Any) -> None:
    """Write what STORE holds, or published scores (published:nb201), as one HTML page that needs no network.

    What was measured and what was left out, every cell with its drawing, scores against accuracies, correlations with
    their intervals, agreement between measures, time. In place of STORE a track or a folder of tracks, a study's page,
    or JSON that a command printed (sensitivity, search, explain) makes a page of its own.
    """
    from ntknas.page.render import check_extra, render, write

    check_extra()
    sections = _sections(store, options)
    for path in also:
        sections += _of_file(path)
    made_by = shlex.join(["ntknas", *(sys.argv[1:] or ["report", str(store)])])
    write(out, render(title or f"Report of {store if is_published(store) else store.name}", sections, made_by))
    say(f"{out}: {', '.join(section.title for section in sections)}. Open it in a browser.")


def _sections(store: Path, options: Options) -> list[Section]:
    from ntknas.page.files import is_file_of_results

    if options["scores"] is None and is_file_of_results(store):
        return _of_file(store)
    return _of_scores(store, options)


def _of_file(path: Path) -> list[Section]:
    from ntknas.page.files import file_sections

    return file_sections(path)


def _of_scores(store: Path, options: Options) -> list[Section]:
    """Return the sections of scores that the options mean."""
    check_source(options)
    options["given"] = None
    check_scores(store, options)
    check_names({name: options[name] for name in ("accuracies", "scores")})

    from ntknas.page.scores import Request, scores_sections

    scores, measures = take_scores(store, options)
    source = take_source(options)
    check_one_space(source, scores)
    request = Request(
        populations=options["population"],
        measures=measures,
        combine=options["combine"],
        unscored=options["unscored"],
        resamples=options["resamples"],
        seed=options["seed"],
        images=options["image_data"],
        progress=correlating,
        remark=note,
    )
    return scores_sections(scores, source, request)


__all__ = ["command"]
