"""The track of one network: everything recorded of its kernel while it trained, and the HDF5 file that keeps it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd

from ntknas.core.errors import StoreError
from ntknas.core.files import replacing
from ntknas.core.score import Status
from ntknas.core.sealed_file import check, new_image

FORMAT = "ntknas-track"
VERSION = 1
EMPTY = (np.empty(0, np.int64), np.empty((0, 0)), np.empty(0, np.int64))
"""Steps, spectra and labels of a track without records."""
COLUMNS = ["step", "quantity", "value", "status", "reason"]
_TEXTS = ("quantity", "status", "reason")


@dataclass(frozen=True)
class Track:
    """What was recorded of one network.

    Attributes:
        identity: Everything that decides it: cell, seed, network, kernel, probe, training, when it was recorded.
        frame: One row for each (step, quantity), as from ``KernelTracker.frame``.
        steps: The steps at which the kernel was taken.
        spectra: Eigenvalues at each, in descending order, steps × n; NaN where the kernel was not finite.
        labels: Class of each row of the kernel, or empty.
        kernels: The kernel at each, steps × n × n, if kernels are kept.
        status: ``ok``, or why the track ends early.
        reason: One sentence on that, else empty.
        about: What else is known: versions, device, seconds.
    """

    identity: Mapping[str, Any]
    frame: pd.DataFrame = field(repr=False)
    steps: np.ndarray = field(repr=False)
    spectra: np.ndarray = field(repr=False)
    labels: np.ndarray = field(repr=False)
    kernels: np.ndarray | None = field(default=None, repr=False)
    status: Status = Status.OK
    reason: str = ""
    about: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def cell(self) -> int:
        """Index of the cell."""
        return int(self.identity["cell"])

    @property
    def seed(self) -> int:
        """Seed of weights and training."""
        return int(self.identity["seed"])

    def digest(self) -> str:
        """SHA-256 of identity, table and arrays."""
        digest = hashlib.sha256(_text(self.identity).encode())
        digest.update(self.frame[COLUMNS].to_csv(index=False).encode())
        for values in (self.steps, self.spectra, self.labels, self.kernels):
            digest.update(b"-" if values is None else np.ascontiguousarray(values).tobytes())
        return digest.hexdigest()

    def series(self, quantity: str) -> pd.Series:
        """Return the values of a quantity by step; NaN where it has none."""
        rows = self.frame[self.frame["quantity"] == quantity]
        return pd.Series(rows["value"].to_numpy(float), rows["step"].to_numpy(int), name=quantity)


def path_of(folder: Path, identity: Mapping[str, Any]) -> Path:
    """Return the file of a track: named by cell and seed, and by the hash of everything that decides it."""
    digest = hashlib.sha256(_text(identity).encode()).hexdigest()[:12]
    return folder / f"cell-{identity['cell']}-seed-{identity['seed']}-{digest}.h5"


def _text(identity: Mapping[str, Any]) -> str:
    return json.dumps(dict(identity), sort_keys=True)


def write(folder: Path, track: Track) -> Path:
    """Write a track into a folder, which is made if absent; a file appears as a whole or not at all.

    Raises:
        StoreError: If it cannot be written.
    """
    path = path_of(folder, track.identity)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with replacing(path) as beside:
            beside.write_bytes(_image(track))
    except OSError as error:
        raise StoreError(
            f"Cannot write {path}: {error.strerror or error}. Make room, or choose another --store; tracks that were "
            "finished before are kept."
        ) from error
    return path


def _image(track: Track) -> bytes:
    with new_image() as (file, image):
        file.attrs.update({"format": FORMAT, "version": VERSION, "identity": _text(track.identity)})
        file.attrs.update(
            {"status": track.status.value, "reason": track.reason, "about": json.dumps(dict(track.about))}
        )
        arrays = {"steps": track.steps, "spectra": track.spectra, "labels": track.labels, "kernels": track.kernels}
        for name, values in arrays.items():
            if values is not None:
                options = {"compression": "gzip", "shuffle": True} if values.size else {}
                file.create_dataset(name, data=values, **options)
        text = h5py.string_dtype("utf-8")
        for name in COLUMNS:
            values = track.frame[name].to_numpy()
            kind = {"dtype": text} if name in _TEXTS else {}
            file.create_dataset(f"frame/{name}", data=values.astype(object) if kind else values, **kind)
        file.attrs["sha256"] = track.digest()
    return bytes(image)


def read(path: Path) -> Track:
    """Read a track.

    Raises:
        StoreError: If the file is missing, damaged, no track, or of another version.
    """
    try:
        check(path)
        with h5py.File(path, "r", locking=False) as file:
            if file.attrs.get("format") != FORMAT or file.attrs.get("version") != VERSION:
                raise StoreError(f"{path} is no track of this version of ntknas: name another --store.")
            columns = {name: file["frame"][name][:] for name in COLUMNS}
            for name in _TEXTS:
                columns[name] = [text.decode() for text in columns[name]]
            expected = file.attrs["sha256"]
            track = Track(
                identity=json.loads(file.attrs["identity"]),
                frame=pd.DataFrame(columns),
                steps=file["steps"][:],
                spectra=file["spectra"][:],
                labels=file["labels"][:],
                kernels=file["kernels"][:] if "kernels" in file else None,
                status=Status(file.attrs["status"]),
                reason=str(file.attrs["reason"]),
                about=json.loads(file.attrs["about"]),
            )
    except (OSError, KeyError, ValueError, RuntimeError, TypeError) as error:  # a changed byte shows as any of these
        reason = str(error).partition("\n")[0].rstrip(".")
        raise StoreError(f"{path} cannot be read as a track: {reason}. Move it away, and it is made again.") from error
    if track.digest() != expected:
        raise StoreError(f"{path} does not match its checksum: it is damaged. Move it away, and it is made again.")
    return track


def find(folder: Path, identity: Mapping[str, Any]) -> Track | None:
    """Return the track with an identity, or ``None`` if the folder has none.

    Raises:
        StoreError: If its file is damaged.
    """
    path = path_of(folder, identity)
    return read(path) if path.exists() else None
