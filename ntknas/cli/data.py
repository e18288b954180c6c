"""``ntknas data``: the image sets that probes are drawn from."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ntknas.cli.groups import Group
from ntknas.cli.output import json_option, print_json, print_table, say
from ntknas.cli.scoring_options import image_data_option, image_output_option

if TYPE_CHECKING:
    from ntknas.data import ImageSource


@click.group(name="data", cls=Group)
def command() -> None:
    """Image sets that probes are drawn from."""


@command.command(name="list")
@image_data_option
@json_option
def list_sources(image_data: Path, json: bool) -> None:
    """List the image sources, and whether their official files are there."""
    from ntknas.data.sources import all_sources

    rows = [_overview(source, image_data) for source in all_sources().values()]
    if json:
        print_json({"image_data": str(image_data), "rows": rows})
        return
    header = ["source", "what", "there", "folder", "ntknas data fetch"]
    print_table(
        "",
        header,
        [[str(value) for value in row.values()] for row in rows],
        left=5,
        least=header[3:],
    )


def _overview(source: ImageSource, root: Path) -> dict[str, str]:
    official = source.official
    if official is None:
        return {"source": source.name, "what": source.text, "there": "embedded", "folder": "–", "fetch": "–"}
    files = official.files()
    present = sum((root / file.path).is_file() for file in files)
    return {
        "source": source.name,
        "what": source.text,
        "there": f"{present} of {len(files)} files",
        "folder": str(root / official.folder),
        "fetch": "yes" if official.can_be_fetched else "no: its licence",
    }


@command.command(name="fetch")
@click.argument("name")
@image_output_option
def fetch(name: str, image_data: Path) -> None:
    """Fetch the image set NAME from its official place, where that is allowed."""
    from ntknas.data.sources import fetch as fetch_source

    say(f"{name} is in {fetch_source(name, image_data)}")


@command.command(name="verify")
@click.argument("name", required=False)
@image_data_option
def verify(name: str | None, image_data: Path) -> None:
    """Compare the official files of NAME (default: every set that is there) with their published checksums."""
    from ntknas.core.errors import DataError
    from ntknas.data.files import state
    from ntknas.data.sources import all_sources, official_files

    files = {source: official_files(source) for source in ([name] if name else all_sources())}
    rows = [
        [source, str(image_data / file.path), state(image_data, file)]
        for source, official in files.items()
        if name or any((image_data / file.path).exists() for file in official)
        for file in official
    ]
    if not rows:
        raise DataError(f"No image set in {image_data}: nothing to verify. ntknas data list shows what belongs there.")
    print_table("", ["source", "file", "state"], rows, left=3)
    counts = Counter(row[2] for row in rows)
    faulty_files = [row[1] for row in rows if row[2] in ("changed", "missing")]
    if faulty_files:
        raise DataError(
            f"{counts['changed']} file(s) are not as published and {counts['missing']} are missing, the first "
            f"{faulty_files[0]}. Fetch them again."
        )
