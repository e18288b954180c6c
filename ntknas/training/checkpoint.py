"""Checkpoints: one file per training, replaced atomically, sealed, read without unpickling objects.

They are sealed since torch's format does not notice a changed weight: the training would go on from it.
"""

from __future__ import annotations

import io
import json
import math
import pickle
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import torch

from ntknas.core.digest import text_digest
from ntknas.core.errors import NtknasError
from ntknas.core.files import remove_stale, replacing
from ntknas.core.regular_file import open_regular
from ntknas.core.sealed_file import DamagedFileError, head_of, read_body
from ntknas.training.state import TrainerState

FORMAT = "ntknas-checkpoint"
VERSION = 1
MAGIC = b"ntknas sealed checkpoint 1\nsha256 "
_ZIP = b"PK\x03\x04"
"""What a file begins with that torch wrote and nobody sealed."""
_FAULTS_OF_TORCH = (
    RuntimeError,
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    EOFError,
    AssertionError,
    MemoryError,
    OverflowError,
    pickle.UnpicklingError,
    zipfile.BadZipFile,
)
"""What a file that torch did not write shows as."""


class CheckpointError(NtknasError):
    """A checkpoint cannot be read or written, or is of another training."""


@dataclass(frozen=True)
class Checkpoint:
    """Where the state of one training is kept.

    Attributes:
        folder: The folder.
        identity: Everything that decides the training: network, seed, options, images.
    """

    folder: Path
    identity: Mapping[str, object]

    @property
    def path(self) -> Path:
        """The file: named by the cell and by the hash of the identity."""
        return (
            self.folder
            / f"cell-{self.identity.get('cell', 0)}-seed-{self.identity.get('seed', 0)}-{text_digest(self._text)}.pt"
        )

    @property
    def _text(self) -> str:
        return json.dumps(dict(self.identity), sort_keys=True)

    def save(self, state: TrainerState, seconds: float) -> None:
        """Replace the file: written beside it, flushed, renamed.

        Args:
            state: State of the trainer.
            seconds: Time that the training took so far.

        Raises:
            CheckpointError: If it cannot be written; the old one stays.
        """
        content = {"format": FORMAT, "version": VERSION, "identity": self._text, "seconds": seconds, "state": state}
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            remove_stale(self.path)
            with replacing(self.path) as beside:
                beside.write_bytes(_sealed(content))
        except (OSError, RuntimeError) as error:
            reason = getattr(error, "strerror", None) or str(error).partition("\n")[0]
            raise CheckpointError(
                f"Cannot write the checkpoint {self.path}: {reason}. Make room, choose other `checkpoints`, or train "
                "without (`checkpoints` none). What was measured is stored."
            ) from error

    def load(self, device: torch.device) -> tuple[dict[str, object], float] | None:
        """Read the checkpoint.

        Args:
            device: Where its tensors go.

        Returns:
            The state, which ``Trainer.restore`` checks, and the seconds that it took; ``None`` without a checkpoint.

        Raises:
            CheckpointError: If the file is damaged, of another version, or of another training.
        """
        if not self.path.exists():
            return None
        try:
            content = _load(read_body(self.path, MAGIC), device)
        except (DamagedFileError, *_FAULTS_OF_TORCH) as error:
            raise self.unusable(f"cannot be read: {self._reason(error)}") from error
        except OSError as error:
            raise self.unusable(f"cannot be read: {error.strerror or error}") from error
        if not isinstance(content, dict) or content.get("format") != FORMAT or content.get("version") != VERSION:
            raise self.unusable("is no checkpoint of this version of ntknas")
        if content.get("identity") != self._text:
            raise self.unusable("is of another network or training")
        state, seconds = content.get("state"), content.get("seconds")
        if not isinstance(state, dict) or not isinstance(seconds, float | int) or not 0 <= seconds < math.inf:
            raise self.unusable("holds no state of a training, or not the time that it took")
        return state, float(seconds)

    def unusable(self, fault: str) -> CheckpointError:
        """Return the error for a checkpoint that cannot be used."""
        return CheckpointError(f"The checkpoint {self.path} {fault}. Move it away, and the training begins anew.")

    def _reason(self, error: Exception) -> str:
        # The word is sealed_file's, for a file that does not begin as any of ours.
        if not isinstance(error, DamagedFileError) or "neither" not in str(error):
            return "it is damaged, or no checkpoint"
        with suppress(OSError), open_regular(self.path) as file:
            if file.read(len(_ZIP)) == _ZIP:
                return "it is no checkpoint of this version of ntknas, but without a checksum, as those of 0.1.0 were"
        return "it is no checkpoint of this version of ntknas"

    def remove(self) -> None:
        """Remove the file, and what a killed process left of it."""
        with suppress(OSError):
            self.path.unlink(missing_ok=True)
            remove_stale(self.path)


def _sealed(content: Mapping[str, object]) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer)
    body = buffer.getvalue()
    return head_of(body, MAGIC) + body


def _load(body: bytes, device: torch.device) -> object:
    """Read what torch wrote, which stores tensors as they are, never packed."""
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        if any(entry.compress_type != zipfile.ZIP_STORED for entry in archive.infolist()):
            raise ValueError("it is packed")
    # weights_only: a whole pickle runs whatever it names, and a checksum does not say who wrote it.
    content: object = torch.load(io.BytesIO(body), map_location=device, weights_only=True)
    return content
