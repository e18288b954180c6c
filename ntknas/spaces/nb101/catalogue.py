"""The catalogue of all 423,624 cells in the order of their hashes: enumerated once per machine, then kept."""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import numpy as np

from ntknas.core.errors import ChoiceError, DataError
from ntknas.core.npy import ARCHIVE_ERRORS, member_names, read_member
from ntknas.core.regular_file import open_regular
from ntknas.spaces.contract import Meter
from ntknas.spaces.nb101.cells import OPERATIONS, Cell, decode_matrix
from ntknas.spaces.nb101.enumeration import COUNTS, enumerate_cells

SIZE = sum(COUNTS.values())
DIGEST = "ed5ecf04f31615e936002d29aa035f496d3f698b111508b02530a1934b307018"
"""SHA-256 of hashes, vertices, matrices and operations: what is read is what was enumerated, or it is not used."""

# V, not S, which strips zero bytes at the end; order and byte order enter the digest.
_FIELDS = {"hashes": "V16", "vertices": "u1", "bits": "<u4", "operations": "u1"}
_MAX_BYTES = 32  # per cell of an array, its head included
_log = logging.getLogger("ntknas")
T = TypeVar("T")


@dataclass(frozen=True)
class Catalogue:
    """All cells, sorted by hash.

    Attributes:
        hashes: Module hash of each cell, 16 bytes.
        vertices: Number of vertices.
        bits: Number of the representative's matrix; see ``cells.edge_bit``.
        operations: Operations of the inner vertices in base 3, lowest first.
    """

    hashes: np.ndarray
    vertices: np.ndarray
    bits: np.ndarray
    operations: np.ndarray

    @property
    def digest(self) -> str:
        """SHA-256 of the content."""
        digest = hashlib.sha256()
        for name in _FIELDS:
            digest.update(getattr(self, name).tobytes())
        return digest.hexdigest()

    @cached_property
    def _indices(self) -> dict[bytes, int]:
        return {digest: index for index, digest in enumerate(self.hashes.tolist())}

    def cell(self, index: int) -> Cell:
        """Return a cell."""
        vertices, code = int(self.vertices[index]), int(self.operations[index])
        names = tuple(OPERATIONS[code // 3**digit % 3] for digit in range(vertices - 2))
        return Cell(index, self.hashes[index].tobytes().hex(), decode_matrix(int(self.bits[index]), vertices), names)

    def index(self, module_hash: str) -> int:
        """Return the index of a hash.

        Raises:
            ChoiceError: If no cell has it.
        """
        try:
            return self._indices[bytes.fromhex(module_hash)]
        except KeyError:
            raise ChoiceError(f"No NAS-Bench-101 cell has the hash {module_hash}.") from None


def cache_file() -> Path:
    """Return where the catalogue is kept: ``$XDG_CACHE_HOME/ntknas`` or ``~/.cache/ntknas``."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ntknas" / "nb101-cells.npz"


def load(meter: Meter | None = None) -> Catalogue:
    """Return the catalogue from the cache; without a sound one, enumerate it (about a minute) and keep it.

    Args:
        meter: Wraps the enumeration, to show how far it is.
    """
    catalogue = _read(cache_file())
    if catalogue is None:
        catalogue = _enumerate(meter or _unseen)
        _write(cache_file(), catalogue)
    return catalogue


def _read(path: Path) -> Catalogue | None:
    if not path.is_file():
        return None
    try:
        catalogue = Catalogue(**_arrays(path))
    except (*ARCHIVE_ERRORS, DataError) as error:
        _log.warning("%s cannot be read (%s): the cells are enumerated again.", path, error)
        return None
    if catalogue.digest != DIGEST:
        _log.warning("%s is not the catalogue of NAS-Bench-101: the cells are enumerated again.", path)
        return None
    return catalogue


def _arrays(path: Path) -> dict[str, np.ndarray]:
    """Return the arrays of a cache, whose types and sizes the digest does not cover."""
    arrays = {}
    with open_regular(path) as file, zipfile.ZipFile(file) as archive:
        members = member_names(archive)
        for name, kind in _FIELDS.items():
            # Not np.load, which makes an array as large as a header says.
            arrays[name] = read_member(archive, members[name], SIZE * _MAX_BYTES)
            if arrays[name].dtype != np.dtype(kind) or arrays[name].shape != (SIZE,):
                raise DataError(f"{name} is {arrays[name].dtype} {arrays[name].shape}, expected {kind} ({SIZE},)")
    return arrays


def _unseen(work: Iterable[T], _: int) -> Iterable[T]:
    return work


def _enumerate(meter: Meter) -> Catalogue:
    rows = sorted(meter(enumerate_cells(), SIZE))
    columns = (
        np.array(column, dtype=kind) for column, kind in zip(zip(*rows, strict=True), _FIELDS.values(), strict=True)
    )
    catalogue = Catalogue(*columns)
    assert catalogue.digest == DIGEST
    return catalogue


def _write(path: Path, catalogue: Catalogue) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Beside the file, since a rename stays within one file system; no fsync, since the digest tells a torn one.
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=path.stem, suffix=".tmp", delete=False) as file:
            np.savez_compressed(file, **{name: getattr(catalogue, name) for name in _FIELDS})
        os.replace(file.name, path)
    except OSError as error:
        _log.warning("The enumerated cells could not be kept in %s: %s.", path, error.strerror)
