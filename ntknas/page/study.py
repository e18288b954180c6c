"""Sections of studies: the page that ``ntknas study`` wrote, with its pictures and its table."""

from __future__ import annotations

import base64
import re
from pathlib import Path

from ntknas.core.errors import DataError
from ntknas.core.regular_file import read_regular, read_text
from ntknas.page.results import Results, Rows
from ntknas.page.section import Section

_MAX_BYTES = 2**24
_PICTURE = re.compile(r"!\[([^\]]*)\]\(([\w.-]+)\)")
_KINDS = {".png": "image/png", ".svg": "image/svg+xml"}
_HEADS = {"claim": "**Claim.** ", "measured": "**Measured.** ", "made": "Made by "}


def study_section(path: Path) -> Section:
    """Return the section of a study's page.

    Args:
        path: The page, a ``.md`` file; its pictures lie beside it.

    Returns:
        The section.

    Raises:
        DataError: If it cannot be read, or is no such page.
    """
    try:
        lines = read_text(path, _MAX_BYTES).splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"Cannot read {path}: {error}.") from error
    found = {name: _behind(lines, head) for name, head in _HEADS.items()}
    if not lines or not lines[0].startswith("# ") or not all(found.values()):
        raise DataError(f"{path} is no page of a study: expected one that ntknas study wrote, with its claim.")
    pictures = dict(picture for line in lines for picture in _picture(line, path.parent))
    return Results(
        lines[0].removeprefix("# "),
        lead=f"Claim: {found['claim']}",
        sentences=[line.removeprefix("- ") for line in lines if line.startswith("- ")],
        pictures=pictures,
        parts=_table(lines),
        notes=[f"Measured: {found['measured']}", f"Made by {found['made']}".replace("`", "")],
    ).section()


def _behind(lines: list[str], head: str) -> str:
    return next((line.removeprefix(head) for line in lines if line.startswith(head)), "")


def _picture(line: str, folder: Path) -> list[tuple[str, str]]:
    """Return the picture that a line shows, if it lies in the folder, as an address within the page."""
    match = _PICTURE.fullmatch(line)
    if match is None or (folder / match[2]).suffix not in _KINDS or not (folder / match[2]).is_file():
        return []
    content = base64.b64encode(read_regular(folder / match[2], _MAX_BYTES)).decode("ascii")
    return [(match[1], f"data:{_KINDS[(folder / match[2]).suffix]};base64,{content}")]


def _table(lines: list[str]) -> list[Rows]:
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
    if len(rows) < 2:
        return []
    return [Rows("Measurements", rows[0], [[_value(cell) for cell in row] for row in rows[1:]])]


def _value(text: str) -> str | float | None:
    if text == "–":
        return None
    try:
        value = float(text)
    except ValueError:
        return text
    return value if abs(value) < float("inf") else text
