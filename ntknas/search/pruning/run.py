"""A pruning: rounds of measured candidates, until every position holds one choice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from ntknas.core.errors import ChoiceError
from ntknas.data.image_set import ImageSet
from ntknas.search.pruning.candidates import Candidate, Measurement
from ntknas.search.pruning.draws import Draws
from ntknas.search.pruning.pairs import Kept, Pairs
from ntknas.search.pruning.result import PruningResult, Round
from ntknas.search.pruning.settings import PruneSettings
from ntknas.spaces import Space, is_own
from ntknas.spaces.supernets import Supernetted


def prune_supernet(
    space: Space,
    images: ImageSet,
    settings: PruneSettings | None = None,
    seed: int = 0,
    *,
    known: Iterable[Measurement] = (),
    keep: Callable[[Measurement], object] | None = None,
) -> PruningResult:
    """Prune the supernet of a space, as TE-NAS does, until one cell is left.

    In each round every choice of every position that holds more than one is a candidate. Measured is by what share the
    condition number of the supernet's kernel falls without it, and by what share the number of linear regions of one
    cell; ``ranking`` has the rule by which candidates go. At the published setting a pruning of NAS-Bench-201 has three
    rounds of 24, 18 and 12 candidates, six kernels each.

    Args:
        space: A space with a supernet.
        images: The images; their data set's, for which the networks are.
        settings: The settings; the published ones without them.
        seed: Seed of weights and images.
        known: Measurements of this very pruning that were kept before: they are not made again.
        keep: Called with each new measurement.

    Returns:
        What it found.

    Raises:
        ChoiceError: If the space has no supernet, or the settings leave nothing to a position.
        DataError: If there are too few images.
    """
    if not isinstance(space, Supernetted):
        raise ChoiceError(
            f"{space.name} has no supernet to prune: give it choices, positions(cell) and at_positions(numbers), and "
            "supernet(kept, …) and super_cell(kept, …) as spaces.supernets describes them, or take the space nb201."
        )
    settings = settings or PruneSettings()
    lookup = {one.candidate: one for one in known}
    pairs = Pairs(space, Draws(images, settings, seed), verify=not is_own(space))
    rounds, kept = list[Round](), _first_kept(space, settings)
    while any(len(names) > 1 for names in kept):
        measurements = []
        for candidate in _candidates(space, kept, len(rounds)):
            if candidate not in lookup:
                lookup[candidate] = pairs.measured(kept, candidate)
                (keep or _forget)(lookup[candidate])
            measurements.append(lookup[candidate])
        names = [space.choices[one.candidate.position][one.candidate.choice] for one in measurements]
        rounds.append(Round.of(kept, names, measurements, settings))
        kept = rounds[-1].left
    cell = space.at_positions([names.index(one) for names, (one,) in zip(space.choices, kept, strict=True)])
    return PruningResult(cell, str(space[cell]), seed, settings, tuple(rounds))


def _forget(_: Measurement) -> None:
    """Keep nothing."""


def _first_kept(space: Supernetted, settings: PruneSettings) -> Kept:
    kept = tuple(tuple(name for name in names if name not in settings.without) for names in space.choices)
    for position, names in enumerate(kept):
        if not names:
            raise ChoiceError(f"`without` {', '.join(settings.without)} leaves nothing to position {position}.")
    return kept


def _candidates(space: Supernetted, kept: Kept, number: int) -> Iterator[Candidate]:
    for position, (names, held) in enumerate(zip(space.choices, kept, strict=True)):
        if len(held) > 1:
            yield from (Candidate(number, position, choice) for choice, name in enumerate(names) if name in held)
