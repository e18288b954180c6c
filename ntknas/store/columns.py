"""The HDF5 file: one array per column, replaced atomically, checked by a hash over all of it."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import h5py
import numpy as np

from ntknas.core import plain_hdf5
from ntknas.core.display import printable
from ntknas.core.errors import StoreError
from ntknas.core.files import replacing
from ntknas.core.sealed_file import DamagedFileError, SealVersionError, UnsealedFileError, check, new_image
from ntknas.store.faults import DamagedStoreError, ForeignFileError, StoreVersionError
from ntknas.store.table import COLUMNS, NAMES, Table

FORMAT = "ntknas-scores"
VERSION = 1
_FAULTS_OF_HDF5 = (OSError, KeyError, ValueError, RuntimeError, TypeError, AttributeError, OverflowError, MemoryError)
"""What a changed byte in HDF5's own structures shows as."""


def read(path: Path, *, unsealed: bool = False) -> Table:
    """Read a store's file; an absent one is empty.

    Args:
        path: The file.
        unsealed: Whether plain HDF5, older than seals, is read too: to convert it.

    Returns:
        Its scores.

    Raises:
        DamagedStoreError: If the file is damaged, or holds what no store holds.
        StoreError: If it is not a store, of another version, or cannot be read.
    """
    try:
        _check_seal(path, unsealed=unsealed)
        with h5py.File(path, "r", locking=False) as file:  # the file is replaced, never changed
            _check_format(path, file)
            table, expected = _read(file)
    except FileNotFoundError:
        return Table.empty()
    except _FAULTS_OF_HDF5 as error:
        raise DamagedStoreError(f"{path} is damaged: {_first_line(error)}. {_remedy(path)}") from error
    if table.digest() != expected:  # sealed or not: a file from before seals has no other checksum
        raise DamagedStoreError(f"{path} is damaged: its content does not match its checksum. {_remedy(path)}")
    return table


def _check_seal(path: Path, *, unsealed: bool) -> None:
    try:
        check(path)
    except FileNotFoundError:
        raise  # not a fault: read() takes an absent file for an empty store
    except UnsealedFileError as error:
        if not unsealed:
            raise ForeignFileError(
                f"{path} is not a score store that can be trusted as it stands: {error}. If it is one of a version "
                f"before seals, ntknas store convert {path} makes a new one of it."
            ) from error
    except SealVersionError as error:
        raise StoreVersionError(
            f"{path} cannot be opened as a score store: {error}. Use the version of ntknas that wrote it."
        ) from error
    except DamagedFileError as error:
        raise DamagedStoreError(f"{path} cannot be opened as a score store: {error}. {_remedy(path)}") from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise StoreError(f"Cannot read {path}: {reason}. A store is a plain file that you may read.") from error


def _read(file: h5py.File) -> tuple[Table, str]:
    """Read what is in plain arrays and texts, and check that they are those of a store."""
    rows = plain_hdf5.integer(file, "rows")
    scores, texts = plain_hdf5.group(file, "scores"), plain_hdf5.group(file, "names")
    names = {name: plain_hdf5.texts(texts, name) for name in NAMES}
    columns = {name: plain_hdf5.array(scores, name, dtype, (rows,)) for name, dtype in COLUMNS.items()}
    table = Table(columns, names)
    table.check()
    return table, plain_hdf5.text(file, "sha256")


def _first_line(error: Exception) -> str:
    if isinstance(error, KeyError) and error.args:
        return str(error.args[0])  # str() of a KeyError puts quotes round it
    return printable((str(error).splitlines() or [type(error).__name__])[0].rstrip("."))


def _remedy(path: Path) -> str:
    return (
        f"Restore it from a copy, or move it away and score again; a journal {path}.journal is kept and read "
        f"(ntknas store repair {path} does both)."
    )


def _check_format(path: Path, file: h5py.File) -> None:
    attributes: dict[str, object] = dict.fromkeys(("format", "version"))
    with suppress(KeyError, ValueError):  # a file without them is somebody else's, not damaged
        attributes |= plain_hdf5.attributes(file, ("format", "version"))
    if attributes["format"] != FORMAT:
        raise ForeignFileError(f"{path} is an HDF5 file, but not a score store of ntknas. Name another `store`.")
    if attributes["version"] != VERSION:
        raise StoreVersionError(
            f"{path} is a store of version {attributes['version']}, expected {VERSION}: use the version of ntknas "
            "that wrote it, or another `store`."
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
            "another `store`, and run the same command again."
        ) from error


def _write(path: Path, table: Table) -> None:
    with new_image() as (file, image):
        for name, dtype in COLUMNS.items():
            values = table.columns[name].astype(dtype)
            options = {"compression": "gzip", "compression_opts": 4, "shuffle": True, "chunks": True}
            file.create_dataset(f"scores/{name}", data=values, **(options if len(values) else {}))
        text = h5py.string_dtype("utf-8")
        for name in NAMES:
            file.create_dataset(f"names/{name}", data=np.array(table.names[name], dtype=object), dtype=text)
        file.attrs.update({"format": FORMAT, "version": VERSION, "rows": len(table), "sha256": table.digest()})
    path.write_bytes(image)
