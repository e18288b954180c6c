"""Studies of the kernel itself: what theory says, checked on finite networks. One file of ``claims`` each."""

from __future__ import annotations

import ast
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING

from ntknas.core.errors import check_known
from ntknas.studies import claims

if TYPE_CHECKING:
    from ntknas.studies.base import Study


def study_names() -> list[str]:
    """Return the names of all studies: those of their files, which are not imported."""
    return sorted(module.name.replace("_", "-") for module in iter_modules(claims.__path__))


def study_questions() -> dict[str, str]:
    """Return what each study asks: the first line of its file, after its name; the file is not imported."""
    return {name: _question(name) for name in study_names()}


def _question(name: str) -> str:
    spec = find_spec(_module_name(name))
    source = Path(spec.origin).read_text(encoding="utf-8") if spec and spec.origin else ""
    text = ast.get_docstring(ast.parse(source)) or ""
    _, _, question = text.partition("\n")[0].partition(": ")
    return question


def _module_name(name: str) -> str:
    return f"{claims.__name__}.{name.replace('-', '_')}"


def get_study(name: str) -> type[Study]:
    """Return a study.

    Args:
        name: Its name.

    Returns:
        What its file assigns to ``STUDY``.

    Raises:
        ChoiceError: If there is none of this name.
    """
    check_known("study", name, study_names())
    study: type[Study] = import_module(_module_name(name)).STUDY
    return study
