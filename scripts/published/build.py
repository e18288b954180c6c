"""Builds a release of the stores that ``ways.py`` fills.

    python scripts/published/build.py --stores FOLDER [--stores FOLDER ...] --version 1.0.0 [--earlier FOLDER]

Ways that are finished under a seed are in the release; what is missing of the others is listed as open, with what it
takes by what was measured so far, or by --hours WAY=HOURS where nothing was. Several folders hold parts of one run, such
as those of several machines. --earlier names the version that this one comes after: ways and seeds that no store has are
taken over from it, and a version that changes a number of it without a new first figure is refused.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from ways import SPACE, WAYS, Way, measures_of

from ntknas import load_space
from ntknas.core.errors import NtknasError
from ntknas.measures import expand
from ntknas.published import Release
from ntknas.published.build import build, scores_of
from ntknas.published.collect import WaySource
from ntknas.published.places import packaged_folder, spectra_folder


def command_of(way: Way) -> str:
    """Return the command that computes a way's scores."""
    return f"ntknas score --cells all --seeds {way.seeds} --measures {measures_of(way)} {way.options}"


def sources(folders: Sequence[Path], hours: Mapping[str, float]) -> list[WaySource]:
    """Return every way with the scores that there are."""
    found = []
    for name, way in WAYS.items():
        stores = [path for folder in folders if (path := folder / f"{name}.h5").exists()]
        measures = expand(measures_of(way).split(","))
        found.append(
            WaySource(
                name,
                way.title,
                way.unit,
                tuple(range(way.seeds)),
                measures,
                command_of(way),
                scores_of(stores),
                hours.get(name),
            )
        )
    return found


def hours_of(text: str) -> tuple[str, float]:
    """Read WAY=HOURS."""
    name, _, number = text.partition("=")
    if name not in WAYS or not re.fullmatch(r"\d+(\.\d+)?", number):
        raise argparse.ArgumentTypeError(f"expected WAY=HOURS with one of {', '.join(WAYS)}, got {text!r}")
    return name, float(number)


def main() -> None:
    """Build the release, and say what is in it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stores", type=Path, action="append", required=True, metavar="FOLDER")
    parser.add_argument("--version", required=True)
    parser.add_argument("--earlier", help="the version that this one comes after: a name, or a folder")
    parser.add_argument("--earlier-spectra", type=Path, metavar="FOLDER")
    parser.add_argument("--hours", type=hours_of, action="append", default=[], metavar="WAY=HOURS")
    parser.add_argument("--release", type=Path, default=packaged_folder(SPACE), metavar="FOLDER")
    parser.add_argument("--spectra", type=Path, default=spectra_folder(SPACE), metavar="FOLDER")
    arguments = parser.parse_args()
    if missing := [str(folder) for folder in arguments.stores if not folder.is_dir()]:
        parser.error(f"there is no folder {', '.join(missing)}")
    try:
        earlier = Release.open(arguments.earlier) if arguments.earlier else None
        ways = sources(arguments.stores, dict(arguments.hours))
        built = build(
            load_space(SPACE), ways, arguments.version, earlier=earlier, earlier_spectra=arguments.earlier_spectra
        )
        built.write(arguments.release, arguments.spectra)
        release = Release.open(arguments.release)
    except NtknasError as error:
        sys.exit(str(error))
    for way in release.ways.values():
        print(
            f"{way.name}: seeds {', '.join(map(str, way.seeds))}, {len(way.measures)} measures, {way.core_hours:.1f} core-hours"
        )
    for way in release.open_ways:
        print(
            f"open: {way.name}: {way.missing}"
            + ("" if way.core_hours is None else f", {way.core_hours:.1f} core-hours")
        )


if __name__ == "__main__":
    main()
