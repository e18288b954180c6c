"""The strategy that prunes, with the images that the command names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ntknas.cli.search_scores import dataset_of_networks
from ntknas.cli.types import Options
from ntknas.core.options import made_of

if TYPE_CHECKING:
    from ntknas.search.strategy import Strategy


def strategies_of(names: Sequence[str], options: Options) -> list[str | Strategy]:
    """Return strategies by name, but the one that prunes with the images of the command's probe.

    Args:
        names: Their names.
        options: All options of the command.

    Returns:
        The strategies.
    """
    return [_with_images(options) if name == "prune" else name for name in names]


def _with_images(options: Options) -> Strategy:
    from ntknas.data.probe_options import ProbeOptions
    from ntknas.search.strategies.prune import images_of, prune

    dataset, probe = dataset_of_networks(options["dataset"]), made_of(ProbeOptions, options)
    return prune(images=lambda _: images_of(dataset, probe))
