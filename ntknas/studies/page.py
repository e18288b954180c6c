"""The page of a study: claim, formula, figure, verdict, table, and the command that made it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from ntknas.core.errors import NtknasError
from ntknas.core.files import replacing
from ntknas.report.plotter import draw
from ntknas.studies.base import Findings, Study


def write(study: Study, findings: Findings, folder: Path, stem: str, command: str, device: str) -> list[Path]:
    """Write the page, its figures and its table as CSV into a folder.

    Args:
        study: The study.
        findings: What it found.
        folder: The folder; made if absent.
        stem: Name of the page's files.
        command: The command that makes it.
        device: Where it was computed.

    Raises:
        NtknasError: If the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        table = folder / f"{stem}.csv"
        with replacing(table) as beside:
            findings.table.to_csv(beside, index=False)
        pictures = [draw(figure, folder / f"{stem}-{name}.png") for name, figure in findings.figures.items()]
        page = folder / f"{stem}.md"
        with replacing(page) as beside:
            beside.write_text(_text(study, findings, pictures, command, device), encoding="utf-8")
    except OSError as error:
        raise NtknasError(f"Cannot write into {folder}: {error.strerror or error}. Choose another --out.") from error
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
    lines += ["", *(f"- {line}" for line in findings.verdict), ""]
    lines += [f"![{picture.stem}]({picture.name})" for picture in pictures]
    lines += ["", _table(findings.table), "", f"Made by `{command}` on {device}.", ""]
    return "\n".join(lines)


def _table(frame: pd.DataFrame) -> str:
    head = f"| {' | '.join(map(str, frame.columns))} |\n|{'---|' * len(frame.columns)}"
    rows = [f"| {' | '.join(_cell(value) for value in row)} |" for row in frame.itertuples(index=False)]
    return "\n".join([head, *rows])


def _cell(value: object) -> str:
    if isinstance(value, float):
        return "–" if math.isnan(value) else f"{value:.4g}"
    return str(value)
