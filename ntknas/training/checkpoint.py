"""Checkpoints: one file a training, replaced atomically, read without unpickling objects."""

from __future__ import annotations

import hashlib
import json
import pickle
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ntknas.core.errors import NtknasError
from ntknas.core.files import replacing

FORMAT = "ntknas-checkpoint"
VERSION = 1


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
    identity: Mapping[str, Any]

    @property
    def path(self) -> Path:
        """The file: named by the cell and by the hash of the identity."""
        digest = hashlib.sha256(self._text.encode()).hexdigest()[:16]
        return self.folder / f"cell-{self.identity.get('cell', 0)}-seed-{self.identity.get('seed', 0)}-{digest}.pt"

    @property
    def _text(self) -> str:
        return json.dumps(dict(self.identity), sort_keys=True)

    def save(self, state: Mapping[str, Any], seconds: float) -> None:
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
            with replacing(self.path) as beside:
                torch.save(content, beside)
        except (OSError, RuntimeError) as error:  # torch's writer reports a full disk as a RuntimeError
            reason = getattr(error, "strerror", None) or str(error).partition("\n")[0]
            raise CheckpointError(
                f"Cannot write the checkpoint {self.path}: {reason}. Make room, choose another --checkpoints, or train "
                "without: --checkpoints none. What was measured is stored."
            ) from error

    def load(self, device: torch.device) -> tuple[dict[str, Any], float] | None:
        """Return the state and the seconds that it took, or ``None`` without a checkpoint.

        Raises:
            CheckpointError: If the file is damaged, of another version, or of another training.
        """
        if not self.path.exists():
            return None
        remedy = "Move it away, and the training begins anew."
        try:
            content = torch.load(self.path, map_location=device, weights_only=True)
        except (OSError, RuntimeError, EOFError, ValueError, KeyError, pickle.UnpicklingError) as error:
            reason = "it is damaged, or no checkpoint" if not isinstance(error, OSError) else error.strerror
            raise CheckpointError(f"The checkpoint {self.path} cannot be read: {reason}. {remedy}") from error
        if not isinstance(content, dict) or content.get("format") != FORMAT or content.get("version") != VERSION:
            raise CheckpointError(f"{self.path} is no checkpoint of this version of ntknas. {remedy}")
        if content["identity"] != self._text:
            raise CheckpointError(f"The checkpoint {self.path} is of another network or training. {remedy}")
        return content["state"], float(content["seconds"])

    def remove(self) -> None:
        """Remove the file."""
        with suppress(OSError):
            self.path.unlink(missing_ok=True)
