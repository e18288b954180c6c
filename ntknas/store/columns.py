"""The HDF5 file: one array a column, replaced atomically, checked by a hash over all of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from ntknas.core.errors import StoreError
from ntknas.core.files import replacing
from ntknas.core.sealed_file import check, new_image

FORMAT = "ntknas-scores"
VERSION = 1
COLUMNS: dict[str, str] = {
    "setting": "<u2",
    "run": "<u4",
    "cell": "<i4",
    "seed": "<i8",
    "measure": "<u2",
    "value": "<f8",
    "status": "<u1",
    "seconds": "<f8",
    "reason": "<u4",
}
"""Columns of the scores and their types; the coded ones are places in the tables ``NAMES``."""
NAMES = ("settings", "runs", "measures", "statuses", "reasons")


@dataclass
class Table:
    """The scores as arrays, with the names that their codes stand for.

    Attributes:
        columns: Array of each of ``COLUMNS``, all of one length; ``value`` is NaN where there is none.
        names: ``settings`` and ``runs`` (JSON), ``measures``, ``statuses`` and ``reasons``.
    """

    columns: dict[str, np.ndarray]
    names: dict[str, list[str]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.columns["cell"])

    @classmethod
    def empty(cls, names: dict[str, list[str]] | None = None) -> Table:
        """Return a table without scores."""
        columns = {name: np.empty(0, dtype) for name, dtype in COLUMNS.items()}
        return cls(columns, names or {name: [] for name in NAMES})

    def digest(self) -> str:
        """SHA-256 of all columns and names."""
        digest = hashlib.sha256(json.dumps(self.names, sort_keys=True).encode())
        for name, dtype in COLUMNS.items():
            digest.update(np.ascontiguousarray(self.columns[name], dtype).tobytes())
        return digest.hexdigest()


def read(path: Path) -> Table:
    """Read a store's file; an absent one is empty.

    Raises:
        StoreError: If the file is not a store, of another version, truncated or altered.
    """
    if not path.exists():
        return Table.empty()
    try:
        check(path)
        with h5py.File(path, "r", locking=False) as file:  # the file is replaced, never changed
            _check_format(path, file.attrs)
            table = Table(
                {name: file["scores"][name][:] for name in COLUMNS},
                {name: [text.decode() for text in file["names"][name][:]] for name in NAMES},
            )
            expected = file.attrs["sha256"]
    except OSError as error:
        raise StoreError(f"{path} cannot be opened as a score store: {_first_line(error)}. {_remedy(path)}") from error
    except (KeyError, ValueError, RuntimeError, TypeError, AttributeError, OverflowError, MemoryError) as error:
        # a changed byte in HDF5's own structures shows as any of these
        raise StoreError(f"{path} is damaged: {_first_line(error)}. {_remedy(path)}") from error
    if table.digest() != expected:
        raise StoreError(f"{path} is damaged: its content does not match its checksum. {_remedy(path)}")
    return table


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")


def _remedy(path: Path) -> str:
    return f"Restore it from a copy, or move it away and score again; a journal {path}.journal is kept and read."


def _check_format(path: Path, attributes: Mapping[str, Any]) -> None:
    if attributes.get("format") != FORMAT:
        raise StoreError(f"{path} is an HDF5 file, but not a score store of ntknas. Name another --store.")
    if attributes.get("version") != VERSION:
        raise StoreError(
            f"{path} is a store of version {attributes.get('version')}, expected {VERSION}: use the version of ntknas "
            "that wrote it, or another --store."
        )


def write(path: Path, table: Table) -> None:
    """Replace a store's file: written beside it, flushed, read again, renamed.

    Raises:
        StoreError: If the folder is read-only or full, or the new file reads back otherwise; the old one stays.
    """
    try:
        with replacing(path) as beside:
            _write(beside, table)
            if read(beside).digest() != table.digest():
                raise StoreError(
                    f"Writing {path} failed: the new file reads back otherwise. The old one and the journal stay."
                )
    except OSError as error:
        reason = error.strerror or _first_line(error)
        raise StoreError(
            f"Cannot write {path}: {reason}. Nothing is lost: the scores stay in {path}.journal; make room or choose "
            "another --store, and run the same command again."
        ) from error


def _write(path: Path, table: Table) -> None:
    with new_image() as (file, image):
        for name, dtype in COLUMNS.items():
            values = table.columns[name].astype(dtype)
            options: dict[str, Any] = {"compression": "gzip", "compression_opts": 4, "shuffle": True, "chunks": True}
            file.create_dataset(f"scores/{name}", data=values, **(options if len(values) else {}))
        text = h5py.string_dtype("utf-8")
        for name in NAMES:
            file.create_dataset(f"names/{name}", data=np.array(table.names[name], dtype=object), dtype=text)
        file.attrs.update({"format": FORMAT, "version": VERSION, "rows": len(table), "sha256": table.digest()})
    path.write_bytes(image)
