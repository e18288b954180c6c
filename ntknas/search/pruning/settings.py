"""How a supernet is pruned: the published numbers, unless someone says otherwise.

They are those of TE-NAS's code on NAS-Bench-201, which does some things that its paper does not say. No edge ever holds
``none``. Kernels are those of a supernet of 3 channels and one cell a stage with weights by fan out; linear regions are
counted on another network, one cell of one channel without a stem, with weights by fan in, on 3×3-pixel crops of one
colour channel of images that are not augmented.

As it is launched, though, that code draws no such weights: it is told ``kaiming_normal``, knows ``kaiming_norm_fanin``
and ``kaiming_norm_fanout`` alone, and leaves a network as it is where it is told something else. Its kernels are then
those of one supernet a round, its regions those of one cell a candidate, started as the framework starts them:
``AS_LAUNCHED``.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from ntknas.core.errors import ChoiceError, check_known
from ntknas.spaces.initialisation import INITIALISATIONS


@dataclass(frozen=True)
class PruneSettings:
    """Settings of a pruning; the defaults are those of TE-NAS's code on NAS-Bench-201.

    Attributes:
        batch: Images of a kernel, each batch flipped and cropped anew.
        repeats: Pairs of kernels, and of counts of linear regions, that a change is the mean of; each pair with weights
            and images of its own.
        channels: Channels of the supernet whose kernels are taken.
        cells_per_stage: Its cells in each stage.
        init: Its initialisation.
        region_channels: Channels of the lone cell whose linear regions are counted, and of the crops.
        region_init: Its initialisation.
        fresh_weights: Whether each repeat draws weights of its own. Otherwise all kernels of a round are those of one
            draw, and all counts of a candidate.
        crop_batches: Batches of crops; each is normalised by itself, and regions are counted over all of them.
        crops: Crops of a batch.
        crop_side: Their height and width.
        decimals: Relative changes are rounded to so many decimals before their mean is taken, and the mean to so many
            significant digits before it is ranked.
        pruned_per_round: Choices that each position loses in a round; one always stays.
        without: Choices that no position holds even at first.
    """

    batch: int = 72
    repeats: int = 3
    channels: int = 3
    cells_per_stage: int = 1
    init: str = "kaiming-fan-out"
    region_channels: int = 1
    region_init: str = "kaiming-fan-in"
    fresh_weights: bool = True
    crop_batches: int = 3
    crops: int = 1000
    crop_side: int = 3
    decimals: int = 3
    pruned_per_round: int = 1
    without: tuple[str, ...] = ("none",)

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            ChoiceError: If one is below 1, or there is no such initialisation.
        """
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, int) and not isinstance(value, bool) and value < 1:
                raise ChoiceError(f"`{field.name}` must be at least 1, got {value}.")
        if self.region_channels > 3:
            raise ChoiceError(
                f"`region_channels` must be from 1 to 3, the channels of images, got {self.region_channels}."
            )
        for name in (self.init, self.region_init):
            check_known("initialisation", name, INITIALISATIONS)


AS_LAUNCHED = PruneSettings(init="default", region_init="default", fresh_weights=False)
"""What TE-NAS's code does as it is launched."""
