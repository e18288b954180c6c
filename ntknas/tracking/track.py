"""The track of one network: everything recorded of its kernel while it trained, and the HDF5 file that keeps it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import h5py
import numpy as np
import pandas as pd

from ntknas.core.digest import text_digest
from ntknas.core.display import printable
from ntknas.core.errors import StoreError
from ntknas.core.files import remove_stale, replacing
from ntknas.core.plain_hdf5 import array, attributes, group, names, text, texts
from ntknas.core.score import Status
from ntknas.core.sealed_file import DamagedFileError, SealVersionError, UnsealedFileError, check, new_image
from ntknas.core.shown import Shown, counted, shortened
from ntknas.tracking.alignment import alignment_frame

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ntknas.core.html import Child

FORMAT = "ntknas-track"
VERSION = 2
"""Since 2 with the alignment of the labels with each eigenvector."""
_READ = (1, VERSION)
EMPTY = (np.empty(0, np.int64), np.empty((0, 0)), np.empty(0, np.int64))
"""Steps, spectra and labels of a track without records."""
COLUMNS = ["step", "quantity", "value", "status", "reason"]
_TEXTS = ("quantity", "status", "reason")
_NUMBERS = ("<f8", "<f4", "<i8")


@dataclass(frozen=True, repr=False)
class Track(Shown):
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
        alignments: Shares of the labels along each eigenvector at each step, steps × n, as of
            ``alignment.label_alignment``; NaN where they are undefined. ``None`` without labels, and for tracks of
            version 1.
    """

    identity: Mapping[str, object]
    frame: pd.DataFrame = field(repr=False)
    steps: np.ndarray = field(repr=False)
    spectra: np.ndarray = field(repr=False)
    labels: np.ndarray = field(repr=False)
    kernels: np.ndarray | None = field(default=None, repr=False)
    status: Status = Status.OK
    reason: str = ""
    about: Mapping[str, object] = field(default_factory=dict, repr=False)
    alignments: np.ndarray | None = field(default=None, repr=False)

    @property
    def cell(self) -> int:
        """Index of the cell."""
        return _integer(self.identity["cell"])

    @property
    def seed(self) -> int:
        """Seed of weights and training."""
        return _integer(self.identity["seed"])

    def digest(self) -> str:
        """SHA-256 of identity, table and arrays."""
        digest = hashlib.sha256(_text(self.identity).encode())
        digest.update(self.frame[COLUMNS].to_csv(index=False).encode())  # stored checksums are of this text
        for values in (self.steps, self.spectra, self.labels, self.kernels):
            digest.update(b"-" if values is None else np.ascontiguousarray(values).tobytes())
        if self.alignments is not None:  # tracks of version 1 have digests without any
            digest.update(np.ascontiguousarray(self.alignments).tobytes())
        return digest.hexdigest()

    def series(self, quantity: str) -> pd.Series:
        """Return the values of a quantity by step; NaN where it has none."""
        rows = self.frame[self.frame["quantity"] == quantity]
        return pd.Series(rows["value"].to_numpy(float), rows["step"].to_numpy(int), name=quantity)

    def alignment_frame(self) -> pd.DataFrame:
        """Return how the labels lie along the eigenvectors; see ``alignment.alignment_frame``.

        Returns:
            One row for each (step, k); none where the track has no alignments.
        """
        shares = np.empty((0, 0)) if self.alignments is None else self.alignments
        return alignment_frame(self.steps[: len(shares)], self.spectra[: len(shares), : shares.shape[1]], shares)

    def plot(self, style: str = "screen") -> Figure:
        """Draw everything recorded over the steps of training; see ``ntknas.figures.track``.

        Returns:
            The figure.

        Raises:
            ChoiceError: If nothing was recorded.
        """
        from ntknas import figures  # which know tracks

        return figures.track(self, style)

    def _line(self) -> str:
        which = " ".join(f"{name} {self.identity[name]}" for name in ("space", "cell", "seed") if name in self.identity)
        quantities = self.frame["quantity"].nunique()
        records = f"{counted(len(self.steps), 'record')} of {counted(quantities, 'quantity', 'quantities')}"
        kernels = "" if self.kernels is None else ", with kernels"
        ended = "" if self.status is Status.OK else f", {self.status}: {self.reason}"
        return f"{which}: {records}{kernels}{ended}"

    def _facts(self) -> Mapping[str, Child]:
        texts = {name: shortened(str(value), 200) for name, value in self.identity.items()}
        return {name: text for name, text in texts.items() if not name.endswith("hash")}


def path_of(folder: Path, identity: Mapping[str, object]) -> Path:
    """Return the file of a track: named by cell and seed, and by the hash of everything that decides it."""
    # Twelve digits, not DIGITS: tracks are found by these names.
    return folder / f"cell-{identity['cell']}-seed-{identity['seed']}-{text_digest(_text(identity), 12)}.h5"


def _text(identity: Mapping[str, object]) -> str:
    return json.dumps(dict(identity), sort_keys=True)


def write(folder: Path, track: Track) -> Path:
    """Write a track into a folder, which is made if absent; a file appears as a whole or not at all.

    Args:
        folder: The folder.
        track: The track.

    Returns:
        The file.

    Raises:
        StoreError: If it cannot be written.
    """
    path = path_of(folder, track.identity)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        remove_stale(path)
        with replacing(path) as beside:
            beside.write_bytes(_image(track))
    except OSError as error:
        raise StoreError(
            f"Cannot write {path}: {error.strerror or error}. Make room, or choose another `store`; tracks that were "
            "finished before are kept."
        ) from error
    return path


def _image(track: Track) -> bytes:
    with new_image() as (file, image):
        file.attrs.update({"format": FORMAT, "version": VERSION, "identity": _text(track.identity)})
        file.attrs.update(
            {"status": track.status.value, "reason": track.reason, "about": json.dumps(dict(track.about))}
        )
        kept = ("steps", "spectra", "labels", "kernels", "alignments")
        arrays: dict[str, np.ndarray | None] = {name: getattr(track, name) for name in kept}
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


def read(path: Path, *, unsealed: bool = False) -> Track:
    """Read a track.

    Args:
        path: The file.
        unsealed: Whether plain HDF5, older than seals, is read too: to convert it.

    Returns:
        The track.

    Raises:
        StoreError: If the file is missing, damaged, no track, or of another version.
    """
    try:
        _check_seal(path, unsealed=unsealed)
        with h5py.File(path, "r", locking=False) as file:  # the file is replaced, never changed
            _check_format(path, file)
            track, expected = _read(file)
    except (OSError, KeyError, ValueError, RuntimeError, TypeError, AttributeError, MemoryError) as error:
        # a changed byte shows as any of these
        reason = printable(str(error.args[0] if error.args else error).partition("\n")[0].rstrip("."))
        raise StoreError(f"{path} cannot be read as a track: {reason}. Move it away, and it is made again.") from error
    if track.digest() != expected:
        raise StoreError(f"{path} does not match its checksum: it is damaged. Move it away, and it is made again.")
    return track


def _check_seal(path: Path, *, unsealed: bool) -> None:
    try:
        check(path)
    except UnsealedFileError as error:
        if not unsealed:
            raise StoreError(
                f"{path} is no track that can be trusted as it stands: {error}. If it is one of a version before "
                f"seals, ntknas store convert {path} makes a new one of it."
            ) from error
    except SealVersionError as error:
        raise StoreError(f"{path} cannot be read: {error}. Use the version of ntknas that wrote it.") from error
    except DamagedFileError:
        raise
    except OSError as error:
        raise StoreError(
            f"Cannot read {path}: {error.strerror or error}. A track is a file that you may read."
        ) from error


def _check_format(path: Path, file: h5py.File) -> None:
    if not _is_track(file):
        raise StoreError(f"{path} is no track of this version of ntknas: name another `store`.")


def _is_track(file: h5py.File) -> bool:
    with suppress(KeyError, ValueError):
        return attributes(file, ("format", "version")) in [{"format": FORMAT, "version": each} for each in _READ]
    return False


def _read(file: h5py.File) -> tuple[Track, str]:
    """Read what is in plain arrays and texts, and check that it is what a track holds."""
    identity = json.loads(text(file, "identity"), parse_constant=_refuse)
    if not isinstance(identity, dict) or not all(type(identity.get(name)) is int for name in ("cell", "seed")):
        raise ValueError("its identity has no cell and seed")
    frame = group(file, "frame")
    columns: dict[str, list[str] | np.ndarray] = {name: texts(frame, name) for name in _TEXTS}
    rows = len(columns["quantity"])
    columns["step"] = array(frame, "step", _NUMBERS, (rows,))
    columns["value"] = array(frame, "value", _NUMBERS, (rows,))
    steps = array(file, "steps", "<i8", (None,))
    spectra = array(file, "spectra", _NUMBERS, (None, None))
    if len(spectra) != len(steps) or not set(columns["status"]) <= {status.value for status in Status}:
        raise ValueError("it has other steps than spectra, or a status that there is not")
    size = spectra.shape[1]
    track = Track(
        identity=identity,
        frame=pd.DataFrame({name: columns[name] for name in COLUMNS}),
        steps=steps,
        spectra=spectra,
        labels=array(file, "labels", "<i8", (None,)),
        kernels=array(file, "kernels", _NUMBERS, (len(steps), size, size)) if "kernels" in names(file) else None,
        status=Status(text(file, "status")),
        reason=text(file, "reason"),
        about=_mapping(json.loads(text(file, "about"))),
        alignments=array(file, "alignments", _NUMBERS, spectra.shape) if "alignments" in names(file) else None,
    )
    return track, text(file, "sha256")


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _mapping(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise ValueError("what is known of it is no mapping")  # noqa: TRY004
    return value


def _integer(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError(f"a track's cell and seed are integers, got {value!r}")
    return value


def is_unsealed_track(path: Path) -> bool:
    """Return whether a file is a track in plain HDF5, from before seals."""
    try:
        check(path)
    except UnsealedFileError:
        try:
            with h5py.File(path, "r", locking=False) as file:
                return _is_track(file)
        except (OSError, RuntimeError, ValueError, TypeError):
            return False
    except OSError:
        return False
    return False


def convert(old: Path, new: Path) -> Track:
    """Write a track in plain HDF5, from before seals, into a new file.

    Args:
        old: The file.
        new: The new file.

    Returns:
        The track.

    Raises:
        StoreError: If it is none, there is a file in the place already, or it cannot be written.
    """
    track = read(old, unsealed=True)
    if new.exists() or new.is_symlink():  # exists() denies a link that leads nowhere
        raise StoreError(f"{new} is there already: name a new file.")
    try:
        with replacing(new) as beside:
            beside.write_bytes(_image(track))
    except OSError as error:
        raise StoreError(f"Cannot write {new}: {error.strerror or error}.") from error
    return track


def find(folder: Path, identity: Mapping[str, object]) -> Track | None:
    """Look a track up.

    Args:
        folder: Where tracks are kept.
        identity: Everything that decides it.

    Returns:
        The track; ``None`` if the folder has none.

    Raises:
        StoreError: If its file is damaged, or the track of something else.
    """
    path = path_of(folder, identity)
    if not path.exists():
        return None
    track = read(path)
    if _text(track.identity) != _text(identity):
        raise StoreError(f"{path} is the track of something else than its name says. Move it away.")
    return track
