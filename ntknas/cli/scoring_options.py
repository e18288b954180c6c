"""Options of scoring that several commands share: fields of the library's dataclasses, see ``derived``.

By hand are those of another form here than there: measures as a list of names, the engine by its name.
"""

from __future__ import annotations

from collections.abc import Iterable

import click

from ntknas.cli import kinds
from ntknas.cli.derived import option_of, options_of, together
from ntknas.cli.types import Decorator
from ntknas.core.choices import Choices
from ntknas.data.probe_options import ProbeOptions
from ntknas.measures import expand
from ntknas.scoring.engines import ENGINES
from ntknas.scoring.engines.protocol import EngineOptions
from ntknas.scoring.recipe import NetworkOptions
from ntknas.training import TrainingImages, TrainingOptions

measures_option = click.option(
    "--measures",
    cls=kinds.NamingOption,
    names=lambda: expand(["all"]),
    last=", ",
    help="Measures or groups of them, separated by commas: {names}; the groups kernel, regression, baselines, all; "
    "spectrum:N, the N largest eigenvalues.  [default: kernel]",
)

engine_options = together(
    options_of(EngineOptions, leave_out=("device", "ray_address")),
    click.option(
        "--engine",
        cls=kinds.TrustedOption,
        type=kinds.Choice(list(ENGINES)),
        default="local",
        show_default=True,
        help="What distributes the work; ray needs pip install 'ntknas[ray]'.",
    ),
    option_of(EngineOptions, "ray_address"),
)

image_data_option = option_of(ProbeOptions, "image_data")
image_output_option = option_of(ProbeOptions, "image_data", acts=True)
probe_options = options_of(ProbeOptions)
training_options = together(options_of(TrainingImages), options_of(TrainingOptions))


def kernel_options_with(*, leave_out: Iterable[str] = (), **defaults: str) -> Decorator:
    """Options that say which kernel of which network, with defaults of one command."""
    return together(options_of(Choices, leave_out=leave_out, **defaults), options_of(NetworkOptions))


kernel_options = kernel_options_with()


def probe_options_with(*, size: int) -> Decorator:
    """Options that say which images are the probe; ``size`` is the default of their number."""
    return options_of(ProbeOptions, probe_size=size)
