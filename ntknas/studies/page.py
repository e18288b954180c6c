"""The page of a study: claim, formula, figure, verdict, table, and the command that made it."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from ntknas.core.digest import text_digest
from ntknas.core.errors import NtknasError
from ntknas.core.files import replacing
from ntknas.report.look import DEFAULT, Look
from ntknas.report.plotter import draw_all
from ntknas.studies.base import Findings, Study

_RECORD = re.compile(r"^<!-- made from (\{.*\}) -->$", re.MULTILINE)


def usual_stem(study: Study, *, quick: bool) -> str:
    """Return the name of a study's files: the study, its networks and data, and what is unusual about it."""
    settings = study.settings()
    choices = (settings[name] for name in ("family", "data", "parametrisation"))
    names = [study.name, *choices, settings.get("contraction", "")]
    return "-".join(_harmless(str(name)) for name in [*names, "quick" if quick else ""] if name)


def _harmless(name: str) -> str:
    """Return a name, which may come from somebody else's file, without what means something in a path or on a page."""
    return re.sub(r"[^\w.-]+", "-", name)


def free_stem(study: Study, folder: Path, stem: str, command: str) -> str:
    """Return the name under which no page of other settings, or of more units, is lost.

    Args:
        study: The study.
        folder: The folder.
        stem: The usual name.
        command: The command that makes the page.

    Returns:
        The usual name, unless there is a page of another study under it; then that name with a digest.
    """
    page = folder / f"{stem}.md"
    if not page.exists() or _is_outgrown(page, study, command):
        return stem
    return f"{stem}-{text_digest(_record(study), 8)}"


def _is_outgrown(page: Path, study: Study, command: str) -> bool:
    """Whether a page has nothing that this study's page would lack: the same settings, and no other units."""
    try:
        text = page.read_text(encoding="utf-8")
        records = _RECORD.findall(text)
        old = json.loads(records[-1]) if records else {}  # the last: sentences above may quote names from files
    except (OSError, ValueError):
        return False
    if not records:  # of version 0.1.0, which recorded the command alone
        return f"Made by `{command}`" in text
    new = json.loads(_record(study))
    return bool(old.get("settings") == new["settings"]) and _covers(new["units"], old.get("units"))


def _covers(new: list[list[object]], old: object) -> bool:
    """Whether every value of an old record is among the new ones."""
    if not isinstance(old, list) or len(old) != len(new):
        return False
    return all(
        isinstance(values, list) and all(value in new_values for value in values)
        for new_values, values in zip(new, old, strict=True)
    )


def _record(study: Study) -> str:
    """Return settings, and the values that each place of a unit takes, as one line that fits into a comment."""
    units = [list(dict.fromkeys(values)) for values in zip(*study.units(), strict=True)]
    # Without "--", which may not stand in a comment of HTML; JSON reads it back all the same.
    return json.dumps({"settings": study.settings(), "units": units}, sort_keys=True).replace("--", "-\\u002d")


def write(
    study: Study, findings: Findings, folder: Path, stem: str, command: str, device: str, look: Look = DEFAULT
) -> list[Path]:
    """Write the page, its figures and its table as CSV into a folder.

    Args:
        study: The study.
        findings: What it found.
        folder: The folder; made if absent.
        stem: Name of the page's files.
        command: The command that makes it.
        device: Where it was computed.
        look: How its figures look.

    Returns:
        The files.

    Raises:
        NtknasError: If the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        table = folder / f"{stem}.csv"
        with replacing(table) as beside:
            findings.table.to_csv(beside, index=False)
        pictures = draw_all({f"{stem}-{name}": figure for name, figure in findings.figures.items()}, folder, look)
        page = folder / f"{stem}.md"  # last, so that where a page stands its table and figures do
        with replacing(page) as beside:
            beside.write_text(_text(study, findings, pictures, command, device), encoding="utf-8")
    except OSError as error:
        raise NtknasError(f"Cannot write into {folder}: {error.strerror or error}. Choose another `out`.") from error
    return [page, table, *pictures]


def _text(study: Study, findings: Findings, pictures: Sequence[Path], command: str, device: str) -> str:
    lines = [
        f"# {study.title}",
        "",
        f"**Claim.** {study.claim}",
        "",
        f"**Measured.** {study.formula}",
        "",
        "## Verdict",
    ]
    data = str(study.settings()["data"])
    lines += ["", *(f"- {line.replace(data, _harmless(data))}" for line in findings.verdict.sentences), ""]
    # a page shows no PDF
    lines += [f"{'!' * (picture.suffix != '.pdf')}[{picture.stem}]({picture.name})" for picture in pictures]
    lines += ["", _table(findings.table), "", f"Made by `{command}` on {device}.", ""]
    lines += [f"<!-- made from {_record(study)} -->", ""]
    return "\n".join(lines)


def _table(frame: pd.DataFrame) -> str:
    head = f"| {' | '.join(map(str, frame.columns))} |\n|{'---|' * len(frame.columns)}"
    rows = [f"| {' | '.join(_cell(value) for value in row)} |" for row in frame.itertuples(index=False)]
    return "\n".join([head, *rows])


def _cell(value: object) -> str:
    if isinstance(value, float):
        return "–" if math.isnan(value) else f"{value:.4g}"
    return str(value)
