"""What our own networks share: features, pooled over positions for one linear classifier."""

from __future__ import annotations

from abc import abstractmethod

from torch import Tensor, nn


class PooledNetwork(nn.Module):
    """A network whose subclass has a ``classifier`` and says what it classifies."""

    classifier: nn.Module

    @abstractmethod
    def features(self, x: Tensor) -> Tensor:
        """Return what is pooled for the classifier, N×channels×height×width."""

    @abstractmethod
    def blocks(self) -> list[nn.Module]:
        """Return the stem and what follows one another behind it: each takes the output of the one before."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits, shape N×C, of images of shape N×3×H×W."""
        logits: Tensor = self.classifier(self.features(x).mean(dim=(2, 3)))
        return logits
