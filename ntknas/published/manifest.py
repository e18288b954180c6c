"""The manifest: what a release is, and the hash of each of its files, which is checked before the file is read."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ntknas.core.display import printable
from ntknas.core.errors import DataError
from ntknas.core.regular_file import read_regular
from ntknas.published.places import MANIFEST, NEEDED
from ntknas.store import schema

FORMAT, FORMAT_VERSION = "ntknas-release", 1
_MAX_MANIFEST = 1 << 20
MAX_FILE = 1 << 29
"""Bytes of the largest file that a release may have."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_VERSION = re.compile(r"(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})")


@dataclass(frozen=True)
class FileEntry:
    """A file as the manifest knows it.

    Attributes:
        sha256: SHA-256 of its bytes.
        size: Number of its bytes.
    """

    sha256: str
    size: int

    @classmethod
    def of(cls, content: bytes) -> FileEntry:
        """Return the entry of a file's content."""
        return cls(hashlib.sha256(content).hexdigest(), len(content))

    @classmethod
    def from_json(cls, name: str, data: object) -> FileEntry:
        """Read an entry.

        Args:
            name: Name of the file.
            data: What the manifest says of it.

        Returns:
            The entry.

        Raises:
            ValueError: If it is something else.
        """
        entry = schema.check_mapping(f"the entry of {name}", data)
        sha256 = schema.check_text(f"the hash of {name}", entry.get("sha256"))
        if not re.fullmatch("[0-9a-f]{64}", sha256):
            raise ValueError(f"the hash of {name} is {schema.shortened(sha256)}, expected 64 hexadecimal digits")
        return cls(sha256, schema.check_integer(f"the size of {name}", entry.get("size"), 0, MAX_FILE))


@dataclass(frozen=True)
class Manifest:
    """What a release is.

    Attributes:
        name: Its name, which versions share.
        version: Its version: where a number changed the first figure is larger.
        space: Name of the space.
        licence: Identifier of the licence of the data.
        is_complete: Whether it covers every cell of the space.
        files: Files beside the manifest, by name.
        spectra: Files of spectra, by name.
    """

    name: str
    version: str
    space: str
    licence: str
    is_complete: bool
    files: Mapping[str, FileEntry] = field(default_factory=dict)
    spectra: Mapping[str, FileEntry] = field(default_factory=dict)

    @property
    def version_numbers(self) -> tuple[int, int, int]:
        """The version as numbers, which have an order."""
        return numbers_of(self.version)

    def as_json(self) -> dict[str, object]:
        """Return the manifest as plain data."""
        listed = {"files": self.files, "spectra": self.spectra}
        return {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "name": self.name,
            "version": self.version,
            "space": self.space,
            "licence": self.licence,
            "complete": self.is_complete,
            **{
                kind: {name: {"sha256": entry.sha256, "size": entry.size} for name, entry in sorted(files.items())}
                for kind, files in listed.items()
            },
        }

    @property
    def text(self) -> str:
        """The manifest as it stands in its file."""
        return json.dumps(self.as_json(), indent=1) + "\n"

    @classmethod
    def from_json(cls, data: object) -> Manifest:
        """Read a manifest.

        Args:
            data: What ``as_json`` gives.

        Returns:
            The manifest.

        Raises:
            FieldError: If a part is of another type than it must be.
            ValueError: If it is something else, or of another version of the format.
        """
        entries = schema.check_mapping("a manifest", data)
        _check_format(entries)
        is_complete = entries.get("complete")
        if not isinstance(is_complete, bool):
            raise schema.FieldError("it does not say whether it is complete")
        files, spectra = (_files(kind, entries.get(kind)) for kind in ("files", "spectra"))
        if missing := [name for name in NEEDED if name not in files]:
            raise ValueError(f"it lists no {' and no '.join(missing)}")
        version = check_version(entries.get("version"))
        texts = [schema.check_text(f"its {name}", entries.get(name)) for name in ("name", "space", "licence")]
        return cls(texts[0], version, texts[1], texts[2], is_complete, files, spectra)


def _check_format(entries: Mapping[str, object]) -> None:
    if entries.get("format") != FORMAT:
        raise ValueError(f"its format is {schema.shortened(entries.get('format'))}, expected {FORMAT!r}")
    version = schema.check_integer("the version of its format", entries.get("format_version"), 0, schema.MAX_SEED)
    if version != FORMAT_VERSION:
        raise ValueError(
            f"it is of version {version} of the format, and this ntknas reads version {FORMAT_VERSION}: "
            "use an ntknas of its time"
        )


def numbers_of(version: str) -> tuple[int, int, int]:
    """Return a version as numbers, which have an order."""
    major, minor, patch = map(int, version.split("."))
    return major, minor, patch


def check_version(version: object) -> str:
    """Check how a version is written.

    Args:
        version: The version.

    Returns:
        The same.

    Raises:
        ValueError: If it is not three numbers.
    """
    text = schema.check_text("its version", version)
    if not _VERSION.fullmatch(text):
        raise ValueError(f"its version is {schema.shortened(text)}, expected three numbers such as 1.0.0")
    return text


def _files(kind: str, data: object) -> dict[str, FileEntry]:
    listed = schema.check_mapping(f"its {kind}", data)
    for name in listed:
        if not _NAME.fullmatch(name):  # never a way out of the folder
            raise ValueError(f"it lists a file {schema.shortened(name)}, which is no plain name")
    return {name: FileEntry.from_json(name, entry) for name, entry in listed.items()}


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a release.

    Args:
        folder: Folder of the release.

    Returns:
        The manifest.

    Raises:
        DataError: If there is none, it is damaged, or of another version of the format.
    """
    path = folder / MANIFEST
    try:
        return Manifest.from_json(schema.parse(read_regular(path, _MAX_MANIFEST)))
    except OSError as error:
        raise DataError(f"Cannot read {path}: {error.strerror or error}.") from error
    except ValueError as error:
        raise DataError(f"{path} is no manifest of published scores: {printable(error)}.") from error


def checked_bytes(path: Path, entry: FileEntry) -> bytes:
    """Return the content of a file, if it is what the manifest says.

    Args:
        path: The file.
        entry: What the manifest says.

    Returns:
        Its bytes: what is read on is what was checked.

    Raises:
        DataError: If it is missing, cannot be read, or is another file than the manifest means.
    """
    try:
        content = read_regular(path, MAX_FILE)
    except FileNotFoundError as error:
        raise DataError(f"{path} is missing, which {MANIFEST} lists: take the release as a whole again.") from error
    except OSError as error:
        raise DataError(f"Cannot read {path}: {error.strerror or error}.") from error
    found = FileEntry.of(content)
    if found != entry:
        raise DataError(
            f"{path} is not the file that {MANIFEST} lists: expected {entry.size:,} bytes with SHA-256 {entry.sha256}, "
            f"got {found.size:,} bytes with {found.sha256}. It was changed, or is of another version: take the release "
            "as a whole again."
        )
    return content
