"""A published way of measuring, to be computed again: its recipe and its probe, from what its settings say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ntknas.core.choices import BATCH_NORMS, Choices
from ntknas.core.display import printable
from ntknas.core.errors import DataError
from ntknas.data import Request, make_probe
from ntknas.data.probe import Probe
from ntknas.published import Way
from ntknas.scoring.events import PROBE_HASH, OtherSetting
from ntknas.scoring.job import Job
from ntknas.scoring.recipe import NetworkOptions, Recipe
from ntknas.spaces import Space
from ntknas.store.setting import Setting

_MOST_DIFFERING = 4
"""Fields in which a way may differ from what is asked for and be named beside it."""


def job_of(way: Way, space: Space, image_data: Path) -> Job:
    """Return what computes a published way again, under the very settings.

    Args:
        way: The way.
        space: The space.
        image_data: Folder of the image sets.

    Returns:
        Space, data set, recipe and probe.

    Raises:
        DataError: If the images are not there or are others, or this version of ntknas computes something else.
        ChoiceError: If this version does not know one of the way's measures or choices.
    """
    setting = next(iter(way.settings.values()))
    if setting.epoch:
        raise DataError(f"The way {way.name} is of trained networks, which are not computed again here.")
    probe = _probe_of(way, setting, image_data)
    jobs = [Job(space, setting.dataset, recipe, probe) for recipe in _recipes_of(way)]
    nearest = min(jobs, key=lambda job: sum(map(len, _differing(way, job).values())))
    _check(way, nearest)
    return nearest


def _probe_of(way: Way, setting: Setting, image_data: Path) -> Probe:
    """Draw the probe of a setting.

    Returns:
        The probe.

    Raises:
        DataError: If the setting does not say how, or the images are not there.
    """
    identity = setting.probe
    if identity.source is None or identity.size is None or identity.image_size is None or identity.draw is None:
        raise DataError(f"The settings of the way {way.name} do not say of which images they are.")
    request = Request(
        image_data,
        identity.split or "train",
        identity.image_size,
        setting.num_classes or 10,
        identity.seed or 0,
        pixels=identity.pixels or Request.pixels,
    )
    augmentation = identity.augmentation or "none"
    return make_probe(identity.source, identity.size, request, identity.draw, augmentation, fresh=bool(identity.fresh))


def _recipes_of(way: Way) -> list[Recipe]:
    """Return the recipes that may be a way's: one for each kernel that it has, or one without."""
    settings = list(way.settings.values())
    network = settings[0].network
    options = NetworkOptions(
        network.channels,
        network.cells_per_stage,
        network.variant or NetworkOptions.variant,
        network.init or NetworkOptions.init,
        network.has_independent_seeds,
    )
    kernels = [setting.kernel for setting in settings if setting.kernel is not None]
    choices = kernels or [_taken_over(setting) for setting in settings]
    return [Recipe(way.recipe, chosen, options, tuple(way.measures)) for chosen in choices]


def _taken_over(setting: Setting) -> Choices:
    """Return the choices of a setting without a kernel: those that a measure of the network takes over, if it does."""
    names = ("precision", "batch_norm", "parameters") if setting.batch_norm in BATCH_NORMS else ("precision",)
    known: dict[str, Any] = {name: setting.fields[name] for name in names if name in setting.fields}
    return Choices(**known)


def settings_of(job: Job) -> dict[str, Setting]:
    """Return the setting of each measure of a job at initialisation."""
    return {measure: job.setting(group) for group in job.groups(0) for measure in group.measures}


def _differing(way: Way, job: Job) -> dict[str, list[str]]:
    """Return by measure the fields in which a job's setting is another than the published one."""
    computed = settings_of(job)
    return {measure: way.settings[digest].differing(computed[measure]) for measure, digest in way.measures.items()}


def _check(way: Way, job: Job) -> None:
    """Check that a job is the way.

    Raises:
        DataError: If it is not; the message says what differs.
    """
    computed = settings_of(job)
    for measure, names in _differing(way, job).items():
        published = way.settings[way.measures[measure]]
        if names == [PROBE_HASH]:
            raise DataError(other_images(way.name, published, job.probe))
        if names:
            raise DataError(
                f"The way {way.name} cannot be computed again by this version of ntknas, which has other settings: "
                f"{_values(published, computed[measure], names)} (of {measure})."
            )


def _values(published: Setting, computed: Setting, names: Sequence[str]) -> str:
    pairs = [(name, *(setting.fields.get(name, "nothing") for setting in (published, computed))) for name in names]
    return printable(", ".join(f"{name} {there} there and {here} here" for name, there, here in pairs))


def other_images(way: str, published: Setting, probe: Probe) -> str:
    """Return the sentence on a probe that is drawn as a published one and has other content.

    Args:
        way: Name of the way.
        published: Its setting.
        probe: The probe here.

    Returns:
        The sentence, with both hashes.
    """
    return (
        f"The probe differs from that of the way {way}: {published.probe.hash} is published, {probe.hash} is drawn "
        f"here of the images of {probe.source}. Scores of the published one are of other images: see that the files in "
        "`image_data` are the official ones."
    )


def ways_by_setting(ways: Mapping[str, Way]) -> dict[str, Way]:
    """Return the ways of a release by the digests of their settings."""
    return {digest: way for way in ways.values() for digest in way.settings}


def nearest(setting: Setting, ways: Iterable[Way]) -> OtherSetting | None:
    """Return the way that differs from a setting least, if it does in few fields alone."""
    found = [
        (published.differing(setting), number, way.name, published)
        for number, way in enumerate(ways)
        for published in way.settings.values()
    ]
    if not found:
        return None
    names, _, way, published = min(found, key=lambda each: (len(each[0]), each[1]))
    if len(names) > _MOST_DIFFERING:
        return None
    return OtherSetting(way, {name: (published.fields.get(name), setting.fields.get(name)) for name in names})
