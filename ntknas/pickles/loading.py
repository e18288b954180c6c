"""Pickles of a user's files: plain data and the named rebuilders, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from ntknas.core.errors import DataError
from ntknas.core.regular_file import open_regular
from ntknas.pickles.machine import PickleMachine
from ntknas.pickles.rebuilders import Rebuilders

_NOTHING: Rebuilders = {}


def load(path: Path, rebuilders: Rebuilders = _NOTHING) -> object:
    """Read a pickle of plain data.

    Args:
        path: The file.
        rebuilders: The names that it may ask for, and what they stand for; without any only numbers, strings and
            containers.

    Returns:
        The object.

    Raises:
        DataError: If the file is missing, damaged, or asks for anything else.
    """
    try:
        with open_regular(path) as stream:
            return load_stream(stream, rebuilders)
    except OSError as error:
        raise DataError(f"Cannot read {path}: {error.strerror}.") from error
    except DataError as error:
        raise DataError(
            f"{path} is not the file it should be, or is damaged: {error}. Nothing of it was used; fetch it again."
        ) from error


def load_stream(stream: BinaryIO, rebuilders: Rebuilders = _NOTHING) -> object:
    """Read the pickle that a stream consists of; see ``load``.

    Args:
        stream: The stream.
        rebuilders: The names that it may ask for, and what they stand for.

    Returns:
        The object.

    Raises:
        DataError: If it is damaged, something follows it, or it asks for anything else; without the name of the file.
    """
    machine = PickleMachine(stream, rebuilders)
    content = machine.load()
    if not machine.at_end:
        raise DataError("something follows its end")
    return content
