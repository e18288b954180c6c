"""The strategy that prunes, with the images that the command names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from ntknas.cli.first_look import take_images
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

    dataset = dataset_of_networks(options["dataset"])
    chosen = {**options, "dataset": dataset}
    take_images(click.get_current_context(), chosen)
    probe = made_of(ProbeOptions, chosen)
    return prune(images=lambda _: images_of(dataset, probe))
