"""What ``ntknas study NAME`` runs: the study that its options ask for, on the published or the quick numbers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ntknas.cli.output import note

if TYPE_CHECKING:
    from ntknas.studies.base import Study

_FEWEST_SAMPLES = 20


def chosen_study(name: str, options: dict[str, Any]) -> Study:
    """Make the study that the options ask for, on its preset."""
    if name != "determinism":
        _refuse_options(options, name, "contraction")
    if name in _CHOICES:
        return _CHOICES[name](options)
    from dataclasses import replace

    from ntknas.core.errors import ChoiceError, check_known
    from ntknas.studies.constancy import Constancy
    from ntknas.studies.determinism import Determinism
    from ntknas.studies.families import FAMILIES
    from ntknas.studies.networks import Widths
    from ntknas.studies.presets import PUBLISHED, QUICK

    _refuse_options(options, name, "folds", "alphas")
    family = options["family"] or "mlp"
    check_known("family of this study", family, FAMILIES)
    data = options["data"] or FAMILIES[family].data
    presets = QUICK if options["quick"] else PUBLISHED
    if (family, data) not in presets:
        known = ", ".join(f"{each} on {other}" for each, other in presets)
        raise ChoiceError(f"There is no preset for {family} on {data}: expected {known}.")
    chosen = {key: options[key] for key in ("samples", "repeats", "steps", "learning_rate") if options[key] is not None}
    preset = replace(presets[family, data], **chosen)
    widths = _numbers(options["widths"]) or preset.widths
    networks = Widths(
        family,
        data,
        preset.samples,
        options["parametrisation"] or "standard",
        widths,
        preset.repeats,
        *_where(options),
    )
    if name == "determinism":
        return Determinism(networks, contraction=options["contraction"] or "kernel")
    return Constancy(networks, preset.steps, preset.learning_rate)


def _loss_bound(options: dict[str, Any]) -> Study:
    from ntknas.core.errors import check_known
    from ntknas.studies.families import FAMILIES
    from ntknas.studies.loss_bound import LossBound

    _refuse_options(options, "loss-bound", "folds", "alphas")
    _refuse_options(options, "loss-bound: rates follow from the kernel", "repeats", "learning_rate")
    family = options["family"] or "mlp"
    check_known("family of this study", family, FAMILIES)
    small = options["quick"] or family != "mlp"
    widths = _numbers(options["widths"]) or ((64,) if small else (200,))
    return LossBound(
        family,
        options["data"] or FAMILIES[family].data,
        options["samples"] or (10 if small else 20),
        widths[-1],
        options["parametrisation"] or "standard",
        options["steps"] or (20 if small else 60),
        *_where(options),
    )


def _regression(options: dict[str, Any]) -> Study:
    from ntknas.cli.meter import duration
    from ntknas.studies.regression import Regression

    _refuse_options(options, "regression", "folds", "alphas")
    if options["learning_rate"] is not None or options["parametrisation"] not in (None, "ntk"):
        note("Note: regression is of networks in NTK parametrisation; its learning rate follows from the kernel.")
    quick = options["quick"]
    samples = options["samples"] or (100 if quick else 400 if options["data"] == "boston" else 1000)
    widths = _numbers(options["widths"]) or ((64,) if quick else (512,))
    if quick and samples < _FEWEST_SAMPLES:
        raise click.UsageError(f"--samples must be at least {_FEWEST_SAMPLES} here (half as many are for testing).")
    study = Regression(
        options["family"] or "mlp",
        options["data"] or "mnist",
        samples,
        min(100, samples // 2) if quick else 100,
        widths[-1],
        options["steps"] or (50 if quick else 500),
        options["repeats"] or (2 if quick else 5),
        *_where(options),
    )
    if study.family == "cnn-pool":
        taken = duration(study.seconds_of_the_infinite_kernel())
        note(f"The infinite kernel with global average pooling takes some {taken}: its cost grows as positions².")
    return study


def _convergence(options: dict[str, Any]) -> Study:
    from ntknas.studies.convergence import Convergence
    from ntknas.studies.limits import FAMILIES

    _refuse(options, "convergence", "steps", "learning_rate", "folds", "alphas")
    quick, family = options["quick"], options["family"] or "all"
    widths = (16, 32, 64, 128) if quick else tuple(2**power for power in range(6, 14))
    return Convergence(
        tuple(FAMILIES) if family == "all" else (family,),
        options["data"],
        options["samples"] or (6 if quick else 10),
        _numbers(options["widths"]) or widths,
        options["repeats"] or (8 if quick else 100),
        *_where(options),
    )


def _performance(options: dict[str, Any]) -> Study:
    from ntknas.core.errors import check_known
    from ntknas.studies.limits import FAMILIES
    from ntknas.studies.performance import Performance

    _refuse(options, "performance", "learning_rate", "alphas")
    quick, family = options["quick"], options["family"] or "gnn"
    check_known("family of this study", family, FAMILIES)
    widths = _numbers(options["widths"]) or ((16,) if quick else (128,))
    return Performance(
        family,
        options["data"],
        options["samples"] or ((90, 188) if family == "gnn" else (120, 400))[not quick],
        widths[-1],
        options["steps"] or (40 if quick else 300),
        options["folds"] or (3 if quick else 10),
        options["repeats"] or 1,
        *_where(options),
    )


def _lazy(options: dict[str, Any]) -> Study:
    from ntknas.core.errors import check_known
    from ntknas.studies.lazy import Lazy
    from ntknas.studies.limits import FAMILIES

    _refuse(options, "lazy", "learning_rate", "folds")
    quick, family = options["quick"], options["family"] or "mlp"
    check_known("family of this study", family, FAMILIES)
    samples = options["samples"] or (20 if quick else 100)
    return Lazy(
        family,
        options["data"],
        samples,
        max(2, samples // 2),
        _numbers(options["widths"]) or ((16, 64) if quick else (64, 256, 1024)),
        _scales(options["alphas"]) or ((0.1, 1.0, 10.0, 100.0) if quick else tuple(10.0**p for p in range(-2, 4))),
        options["steps"] or (20 if quick else 200),
        options["repeats"] or (2 if quick else 5),
        *_where(options),
    )


def _scales(text: str | None) -> tuple[float, ...]:
    """Read positive numbers separated by commas."""
    import math

    from ntknas.core.errors import ChoiceError

    parts = _parts(text)
    try:
        found = tuple(float(part) for part in parts)
    except ValueError:
        found = (math.nan,)
    if (text is not None and not found) or not all(math.isfinite(each) and each > 0 for each in found):
        raise ChoiceError(f"--alphas expects positive numbers separated by commas, such as 0.1,1,10: got {text!r}.")
    return found


def _where(options: dict[str, Any]) -> tuple[int, Path, str]:
    """The last choices of every study: seed, folder of images, device."""
    from ntknas.scoring.environment import resolve_device

    return options["seed"], options["image_data"], str(resolve_device(options["device"]))


def _refuse(options: dict[str, Any], study: str, *names: str) -> None:
    """Refuse options that a study would not read, and say that networks are in NTK parametrisation."""
    _refuse_options(options, study, *names)
    if options["parametrisation"] not in (None, "ntk"):
        note(f"Note: {study} is of networks in NTK parametrisation.")


def _refuse_options(options: dict[str, Any], study: str, *names: str) -> None:
    refused = [name for name in names if options[name] is not None]
    if refused:
        raise click.UsageError(f"--{refused[0].replace('_', '-')} is no option of {study}.")


_CHOICES = {
    "loss-bound": _loss_bound,
    "regression": _regression,
    "convergence": _convergence,
    "performance": _performance,
    "lazy": _lazy,
}
"""Studies of their own kind; the others are over widths."""


def _parts(text: str | None) -> list[str]:
    return [part.strip() for part in (text or "").split(",") if part.strip()]


def _numbers(text: str | None) -> tuple[int, ...]:
    from ntknas.core.errors import ChoiceError

    parts = _parts(text)
    if (text is not None and not parts) or not all(
        each.isascii() and each.isdigit() and len(each) < 10 for each in parts
    ):
        raise ChoiceError(f"--widths expects whole numbers separated by commas, such as 64,256,1024: got {text!r}.")
    return tuple(map(int, parts))
