"""A batch with its labels: what one side of a kernel is taken on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ntknas.core.shown import Shown, listed


@dataclass(frozen=True, eq=False, repr=False)
class Batch(Shown):
    """Samples and, if known, their classes.

    Attributes:
        x: The samples, N×….
        labels: Their classes, N, or ``None``.
        parts: Sizes of the parts that do not see one another even where BatchNorm couples samples; empty for one part.
    """

    x: Tensor
    labels: Tensor | None = None
    parts: tuple[int, ...] = ()

    def __len__(self) -> int:
        """Number of samples."""
        return len(self.x)

    def split(self, size: int | None) -> list[Batch]:
        """Return the batch in chunks of some size, or in its parts for ``None``."""
        sizes = size or list(self.parts) or len(self)
        samples = self.x.split(sizes)
        labels = [None] * len(samples) if self.labels is None else self.labels.split(sizes)
        return [Batch(x, y) for x, y in zip(samples, labels, strict=True)]

    def repeated(self, copies: int) -> Batch:
        """Return every sample several times in succession; labels stay those of the samples."""
        return self if copies == 1 else Batch(self.x.repeat_interleave(copies, 0), self.labels)

    def _line(self) -> str:
        labels = "without labels" if self.labels is None else "with labels"
        parts = f", parts of {listed(self.parts)}" if self.parts else ""
        return f"{'×'.join(map(str, self.x.shape))}, {str(self.x.dtype).removeprefix('torch.')}, {labels}{parts}"


def joined(batches: Sequence[Batch]) -> Batch:
    """Return batches as one; labels are those of the batches that have any."""
    if len(batches) == 1:
        return batches[0]
    labels = [batch.labels for batch in batches if batch.labels is not None]
    return Batch(torch.cat([batch.x for batch in batches]), torch.cat(labels) if labels else None)


def stacked(batches: Sequence[Batch]) -> Batch:
    """Return batches as the parts of one."""
    return replace(joined(batches), parts=tuple(map(len, batches)))
