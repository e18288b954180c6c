"""Pages as HTML: templates that escape everything, and scripts that the page itself carries."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from ntknas import __version__
from ntknas.core.display import printable
from ntknas.core.errors import NtknasError
from ntknas.core.extras import require
from ntknas.core.files import replacing
from ntknas.page.bundle import bundle, packed
from ntknas.page.section import Section

if TYPE_CHECKING:
    from jinja2 import Environment

EXTRA = "report"
_SCRIPTS = ("start", "words", "table", "drawing", "plots", "state", "scores", "results", "page")
"""The scripts of a page, in their order, each of which is a file of ``assets/``."""


def check_extra() -> None:
    """Check that what pages are made with is installed.

    Raises:
        NtknasError: If it is not; the message has the command that installs it.
    """
    require("jinja2", EXTRA)
    require("plotly", EXTRA)


def render(title: str, sections: Sequence[Section], command: str = "") -> str:
    """Return a page.

    Args:
        title: Its title.
        sections: Its sections.
        command: The command that makes it; empty for none.

    Returns:
        The HTML.

    Raises:
        NtknasError: If what pages are made with is not installed.
    """
    library, script = _plotly(), _own_script()
    numbered = [{"id": f"section-{number}", "section": section} for number, section in enumerate(sections)]
    drawn = [
        {"id": f"section-{number}", "kind": section.kind, **section.data}
        for number, section in enumerate(sections)
        if section.data
    ]
    return (
        _environment()
        .get_template("page.html")
        .render(
            title=title,
            sections=numbered,
            command=command,
            version=__version__,
            policy=_policy([library, script]),
            style=_asset("page.css"),
            script=script,
            library=packed(library.encode()),
            data=packed(bundle({"sections": drawn})),
        )
    )


def write(path: Path, page: str) -> Path:
    """Write a page into a file, which appears as a whole or not at all.

    Args:
        path: The file; its folder is made if absent.
        page: The HTML.

    Returns:
        The file.

    Raises:
        NtknasError: If it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as beside:
            beside.write_text(page, encoding="utf-8")
    except OSError as error:
        raise NtknasError(f"Cannot write {path}: {error.strerror or error}. Choose another `out`.") from error
    return path


def _policy(scripts: Sequence[str]) -> str:
    """Return what a browser may do with a page: run these scripts, and connect to nothing.

    Plotly compiles its shaders' wrappers while it runs; nothing else may.
    """
    hashes = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts)
    allowed = " ".join(f"'sha256-{value}'" for value in hashes)
    return (
        f"default-src 'none'; script-src {allowed} 'unsafe-eval'; style-src 'unsafe-inline'; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )


def _own_script() -> str:
    body = "\n".join(_asset(f"{name}.js") for name in _SCRIPTS)
    return f'"use strict";\n(() => {{\n{body}\n}})();\n'


def _asset(name: str) -> str:
    return (files("ntknas.page") / "assets" / name).read_text(encoding="utf-8")


@lru_cache(maxsize=1)
def _plotly() -> str:
    text: str = require("plotly.offline", EXTRA).get_plotlyjs()
    return text


@lru_cache(maxsize=1)
def _environment() -> Environment:
    jinja2 = require("jinja2", EXTRA)
    environment: Environment = jinja2.Environment(
        loader=jinja2.PackageLoader("ntknas.page", "assets"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment


def _shown(value: object) -> object:
    """Return a value as it is shown: invisible letters of a text are seen, and nothing is a dash."""
    if value is None:
        return "–"
    return printable(value, lines=True) if type(value) is str else value
