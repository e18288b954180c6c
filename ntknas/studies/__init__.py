"""Studies of the kernel itself: what theory says, checked on finite networks. One file of ``claims`` each."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

from ntknas.core.errors import check_known
from ntknas.studies import claims

if TYPE_CHECKING:
    from ntknas.studies.base import Study


def study_names() -> list[str]:
    """Return the names of all studies: those of their files, which are not imported."""
    return sorted(module.name.replace("_", "-") for module in iter_modules(claims.__path__))


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
    study: type[Study] = import_module(f"{claims.__name__}.{name.replace('-', '_')}").STUDY
    return study
