"""``ntknas data``: the image sets that probes are drawn from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from ntknas.cli import kinds
from ntknas.cli.groups import Group
from ntknas.cli.output import json_option, print_json, print_table, say

F = TypeVar("F", bound=Callable[..., Any])


def _folder(cls: type[click.Option]) -> Callable[[F], F]:
    return click.option(
        "--image-data",
        cls=cls,
        type=click.Path(file_okay=False, path_type=Path),
        default=Path("image_data"),
        show_default=True,
        help="Folder of the image sets.",
    )


_image_data = _folder(click.Option)


@click.group(name="data", cls=Group)
def command() -> None:
    """Image sets that probes are drawn from."""


@command.command(name="list")
@_image_data
@json_option
def list_sources(image_data: Path, json: bool) -> None:
    """List the image sources, and whether their official files are there."""
    from ntknas.data.sources import SOURCES

    rows = [_overview(name, image_data) for name in SOURCES]
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


def _overview(name: str, root: Path) -> dict[str, Any]:
    from ntknas.data.sources import SOURCES, official_files

    source = SOURCES[name]
    if not source.folder:
        return {"source": name, "what": source.text, "there": "embedded", "folder": "–", "fetch": "–"}
    files = official_files(name)
    present = sum((root / file.path).is_file() for file in files)
    return {
        "source": name,
        "what": source.text,
        "there": f"{present} of {len(files)} files",
        "folder": str(root / source.folder),
        "fetch": "yes" if source.can_be_fetched else "no: its licence",
    }


@command.command(name="fetch")
@click.argument("name")
@_folder(kinds.TrustedOption)
def fetch(name: str, image_data: Path) -> None:
    """Fetch the image set NAME from its official place, where that is allowed."""
    from ntknas.data.sources import SOURCES
    from ntknas.data.sources import fetch as fetch_source

    fetch_source(name, image_data)
    say(f"{name} is in {image_data / SOURCES[name].folder}")


@command.command(name="verify")
@click.argument("name", required=False)
@_image_data
def verify(name: str | None, image_data: Path) -> None:
    """Compare the official files of NAME (default: every set that is there) with their published checksums."""
    from ntknas.core.errors import DataError, check_known
    from ntknas.data.files import state
    from ntknas.data.sources import SOURCES, official_files

    wanted = [check_known("image source", name, SOURCES)] if name else list(SOURCES)
    files = {each: official_files(each) for each in wanted}
    there = [each for each in wanted if name or any((image_data / file.path).exists() for file in files[each])]
    rows = [[each, str(image_data / file.path), state(image_data, file)] for each in there for file in files[each]]
    if not rows:
        raise DataError(f"No image set in {image_data}: nothing to verify. ntknas data list shows what belongs there.")
    print_table("", ["source", "file", "state"], rows, left=3)
    counts = Counter(row[2] for row in rows)
    wrong = [row[1] for row in rows if row[2] in ("changed", "missing")]
    if wrong:
        raise DataError(
            f"{counts['changed']} file(s) are not as published and {counts['missing']} are missing, the first "
            f"{wrong[0]}. Fetch them again."
        )
