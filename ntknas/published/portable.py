"""What a release says of a run: nothing of the store that it was in, and no place on a machine."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from ntknas.store import schema
from ntknas.store.requests import FIELD
from ntknas.store.run import SEQUENCE, Run

_OF_ONE_STORE = (FIELD, SEQUENCE)
"""What is known of a run that says nothing outside its store."""
_FOLDERS = re.compile(r"(?:(?<=\s)|^|(?<=[=:'\"]))(?:~|\.{1,2})?(?:/+[^\s/'\"]+)+/?")
_PLACES = ("_file", "_folder", "_path")
"""What names end in whose values are places, relative ones too."""


def portable(run: Run) -> Run:
    """Return a run without what is of its store or its machine alone: its request, and where files lay."""
    info = {name: _plain(value, name) for name, value in run.info.items() if name not in _OF_ONE_STORE}
    return replace(run, info=schema.check_plain("what is known of a run", "a run's", info))


def _plain(value: object, name: str = "") -> object:
    """Return plain data with the last names alone of places on a machine."""
    if isinstance(value, str):
        return Path(value).name if name.endswith(_PLACES) else _FOLDERS.sub(lambda match: Path(match[0]).name, value)
    if isinstance(value, Mapping):
        return {key: _plain(item, str(key)) for key, item in value.items()}
    return [_plain(item, name) for item in value] if isinstance(value, list | tuple) else value
