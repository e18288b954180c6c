"""``ntknas published verify``: a few published scores, computed again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ntknas.cli import kinds, scoring_options
from ntknas.cli import options as shared
from ntknas.cli.asking import begin_or_leave, yes_option
from ntknas.cli.forecast import seconds_of
from ntknas.cli.meter import duration
from ntknas.cli.output import json_option, note, number, print_json, print_table, say
from ntknas.cli.published_source import way_option, ways_of
from ntknas.published.places import PACKAGED, packaged_folder, spectra_folder
from ntknas.published.source import PREFIX

if TYPE_CHECKING:
    from ntknas.published import Release
    from ntknas.scoring.published_check import WayCheck
    from ntknas.scoring.recomputation import Recomputation


@click.command(name="verify")
@click.argument("name", default=PACKAGED[0])
@way_option
@click.option(
    "--seed", "seeds", multiple=True, type=kinds.SEED, help="Seed; repeatable.  [default: the first of the way]"
)
@click.option(
    "--cells",
    default="20",
    show_default=True,
    help="Networks of a random sample, a range of cells such as 0:10, or all.",
)
@click.option("--cells-seed", type=kinds.SEED, default=0, show_default=True, help="Seed of the sample.")
@scoring_options.image_data_option
@click.option(
    "--spectra",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the spectra, to compare them too.  [default: of the package's own release, bench_data/NAME-spectra "
    "if it is there]",
)
@shared.device_option
@click.option("--dry-run", is_flag=True, help="Say what would be computed, and how long it takes.")
@yes_option
@json_option
@click.pass_context
def verify(
    ctx: click.Context,
    name: str,
    ways: tuple[str, ...],
    seeds: tuple[int, ...],
    cells: str,
    cells_seed: int,
    image_data: Path,
    spectra: Path | None,
    device: str,
    dry_run: bool,
    yes: bool,
    json: bool,
) -> None:
    """Compute some published scores of NAME (or a folder) again, and compare.

    Exit code 1 where a score differs by more than rounding can make it differ (docs/numerics.md).
    """
    from ntknas.cli.scoring_display import ScoringDisplay
    from ntknas.published.release import Release

    release = Release.open(name.removeprefix(PREFIX))
    names = ways_of(release, ways) or list(release.ways)

    from ntknas.scoring.recomputation import Recomputation  # torch: what a user named wrongly is said before

    prepared = [
        Recomputation.of(release, way, seed, image_data, cells, cells_seed, spectra or _spectra_of(release))
        for way in names
        for seed in seeds or release.way(way).seeds[:1]
    ]
    seconds = 0.0 if yes and not dry_run else sum(_seconds_of(each, device) for each in prepared)
    if dry_run:
        networks = sum(len(each.cells) for each in prepared)
        say(f"{networks} networks of {len(prepared)} way(s) and seed(s): some {duration(seconds)} here.")
        return
    begin_or_leave(seconds, "fewer --cells, or one --way")
    checks = []
    for each in prepared:
        note(f"{each.way}, seed {each.seed}: {len(each.cells)} networks are computed again.")
        with ScoringDisplay() as display:
            checks.append(each.run(device=device, on_event=display))
        if not json:
            _print(checks[-1])
    if json:
        print_json(
            {"release": release.name, "version": release.version, "checks": [check.as_json() for check in checks]}
        )
    ctx.exit(0 if all(check.is_right for check in checks) else 1)


def _seconds_of(prepared: Recomputation, device: str) -> float:
    """Return about how long a way takes."""
    job = prepared.job
    arguments = {"recipe": job.recipe, "probe": job.probe, "dataset": job.dataset, "seeds": [prepared.seed]}
    return seconds_of(job.space, prepared.cells, {**arguments, "device": device})


def _spectra_of(release: Release) -> Path | None:
    """Return the folder where the spectra of the package's release are looked for, if it is there."""
    folder = spectra_folder(release.name)
    is_packaged = release.folder == packaged_folder(release.name)
    return folder if is_packaged and release.manifest.spectra and folder.is_dir() else None


def _print(check: WayCheck) -> None:
    """Print the differences of one way, and what they may come of."""
    rows = [
        [
            measure.measure,
            str(measure.networks),
            str(measure.equal),
            number(measure.median),
            number(measure.largest),
            "–" if measure.worst_cell is None else str(measure.worst_cell),
            number(measure.kendall),
        ]
        for measure in check.measures
    ]
    header = ["measure", "networks", "equal", "median difference", "largest", "of cell", "τ"]
    print_table(f"way {check.way}, seed {check.seed}: published against computed here", header, rows)
    for name, (there, here) in check.differing.items():
        say(f"{name}: {there} there, {here} here")
    for measure in check.measures:
        if measure.fault:
            say(f"MISMATCH {measure.measure}: {measure.fault}.")
    if not check.is_right:
        say("Rounding does not make such differences: the scores here and in the release are not of one computation.")
    elif all(measure.equal == measure.networks for measure in check.measures):
        say("Equal, to the last bit of float32.")
    else:
        say("Within what rounding can do, relative to the number.")
