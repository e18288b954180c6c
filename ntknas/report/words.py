"""Targets, measures and settings in the words of a paper."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from ntknas.benchmarks.quantity import Quantity
from ntknas.correlation.target_names import TargetName
from ntknas.report.text import Formula, joined
from ntknas.store.setting import Setting

if TYPE_CHECKING:
    from ntknas.correlation.overview import Overview
    from ntknas.correlation.result import Correlation

_DATASETS = {
    "cifar10": "CIFAR-10",
    "cifar10-valid": "CIFAR-10 (trained on half)",
    "cifar100": "CIFAR-100",
    "digits": "handwritten digits",
    "mnist": "MNIST",
    "noise": "noise",
}
_SPACES = {
    "nb101": "NAS-Bench-101",
    "nb201": "NAS-Bench-201",
    "nats-sss": "the size space of NATS-Bench",
    "nb-macro": "NAS-Bench-Macro",
}
_SPLITS = {"valid": "validation", "x-valid": "validation", "x-test": "test", "train": "training"}
_NAMED = 2
"""Outputs of kernels that are named, at the most."""
_MEASURES: Mapping[str, str] = {
    "cka": "CKA",
    "class_lambda_min": Formula(r"class-wise $\lambda_{\min}$"),
    "cond": "condition number",
    "fisher": "Fisher",
    "flops": "FLOPs",
    "effective_flops": "effective FLOPs",
    "fro": Formula(r"$\Vert K\Vert_F$"),
    "grasp": "GraSP",
    "lambda_max": Formula(r"$\lambda_{\max}$"),
    "lambda_min": Formula(r"$\lambda_{\min}$"),
    "lga": "LGA",
    "logdet": Formula(r"$\log\,\det K$"),
    "mean": "mean entry",
    "meco": "MeCo",
    "naswot": "NASWOT",
    "nasi": "NASI",
    "neg_cond": "negative condition number",
    "snip": "SNIP",
    "swap": "SWAP",
    "synflow": "SynFlow",
    "trace": Formula(r"$\mathrm{tr}\,K$"),
    "vkdnw": "VKDNW",
    "zico": "ZiCo",
}
_PARAMETERS = {
    "all": "of all parameters",
    "weights": "of the weights",
    "weights-no-head": "of the weights but the classifier's",
}
_OUTPUTS = {
    "sum": "summed logits",
    "traced": "all logits, traced",
    "label": "the own class's logit",
    "features": "pooled features",
    "full": "all logits",
}


def measure_in_words(name: str) -> str:
    r"""Return what a measure or a count is called in a picture; a name that is none stays.

    Example:
        >>> measure_in_words("effective_parameters"), measure_in_words("lambda_max")
        ('effective parameters', '$\\lambda_{\\max}$')
    """
    if name in _MEASURES:
        return _MEASURES[name]
    eigenvalue = re.fullmatch(r"lambda_(\d+)", name)
    return Formula(rf"$\lambda_{{{eigenvalue[1]}}}$") if eigenvalue else name.replace("_", " ")


def name_in_words(name: str) -> str:
    """Return a row's name, such as ``cond · frozen``, with its measure in words."""
    measure, *variant = name.split(" · ", 1)
    return joined(measure_in_words(measure), *(f" · {part}" for part in variant))


def dataset_in_words(name: str) -> str:
    """Return how a data set is written."""
    return _DATASETS.get(name, name)


def space_in_words(name: str) -> str:
    """Return how a space is written."""
    return _SPACES.get(name, name)


def target_in_words(name: str, quantity: Quantity) -> str:
    """Return a target in words, without its unit.

    Args:
        name: The target, such as ``cifar10-valid/valid/200``.
        quantity: What its values are.

    Example:
        >>> target_in_words("cifar100/test/200", Quantity())
        'CIFAR-100, test accuracy after 200 epochs'
        >>> target_in_words("hw-nas-bench:cifar10/edgegpu_latency", Quantity("latency", "ms", False, "an edge GPU"))
        'CIFAR-10, latency on an edge GPU'
    """
    parts = TargetName.of(name)
    split, slash, epochs = parts.name.partition("/")
    if not parts.dataset:
        return name
    if slash and epochs.isdecimal():
        what = f"{_SPLITS.get(split, split)} {quantity.name} after {epochs} epochs"
    elif quantity.measured_on:
        what = f"{quantity.name} on {quantity.measured_on}"
    else:
        what = parts.name.replace("_", " ")
    return f"{dataset_in_words(parts.dataset)}, {what}"


def targets_in_words(quantities: Mapping[str, Quantity]) -> dict[str, str]:
    """Return targets in words; those that would be called alike keep their names."""
    words = {name: target_in_words(name, quantity) for name, quantity in quantities.items()}
    told = list(words.values())
    return {name: text if told.count(text) == 1 else name for name, text in words.items()}


def with_unit(words: str, quantity: Quantity) -> str:
    """Return what stands beside an axis: the words, the unit, and the direction where lower is better."""
    unit = f" ({quantity.unit})" if quantity.unit else ""
    return f"{words}{unit}{'' if quantity.higher_is_better else ', lower is better'}"


def settings_in_words(settings: Iterable[Setting], seeds: Collection[int] = ()) -> str:
    """Return what scores were measured with: kernel, networks, probe, seeds; of several settings what they share.

    Args:
        settings: The settings.
        seeds: Seeds of the weights.
    """
    known = list(settings)
    if not known:
        return ""
    parts = [_kernel(known), _networks(known), _probe(known), seeds_in_words(seeds)]
    return "; ".join(filter(None, parts)) + "."


def setting_of(result: Correlation | Overview) -> str:
    """Return what scores were measured with, in words; nothing where none of them has a setting."""
    measured = dict.fromkeys(row.setting for row in result.rows if not row.is_baseline)
    return settings_in_words([result.settings[name] for name in measured if name in result.settings], result.seeds)


def seeds_in_words(seeds: Collection[int]) -> str:
    """Return seeds of weights in words; nothing without any."""
    numbers = sorted(seeds)
    if not numbers:
        return ""
    if len(numbers) == 1:
        return f"seed {numbers[0]}"
    is_range = numbers == list(range(numbers[0], numbers[-1] + 1)) and len(numbers) > 2
    return f"seeds {numbers[0]} to {numbers[-1]}" if is_range else f"seeds {' and '.join(map(str, numbers))}"


def _shared(values: Iterable[object]) -> object:
    """Return what all values are; ``None`` where they differ, or it is not known."""
    told = set(values)
    return told.pop() if len(told) == 1 else None


def kernels_in_words(names: Collection[str]) -> dict[str, str]:
    """Return kernels in words: what tells them apart, of names such as ``sum/frozen/weights``.

    Args:
        names: The kernels, as rows of correlations name them.

    Example:
        >>> kernels_in_words(["sum/frozen/weights", "label/frozen/weights"])["label/frozen/weights"]
        "kernel of the own class's logit"
    """
    parts = {name: name.split("/") for name in names}
    if len({len(part) for part in parts.values()}) > 1:
        return {name: name for name in names}
    differing = [place for place, values in enumerate(zip(*parts.values(), strict=True)) if len(set(values)) > 1]
    return {name: _parts_in_words(part, differing) or name for name, part in parts.items()}


def _parts_in_words(parts: Sequence[str], places: Iterable[int]) -> str:
    words = []
    for place in places:
        patterns = (
            {0: f"kernel of {_OUTPUTS.get(parts[0], parts[0])}", 1: f"{parts[1]} batch norm"} if place < 2 else {}
        )
        words.append(patterns.get(place, _PARAMETERS.get(parts[place], parts[place])))
    return ", ".join(words)


def _kernel(settings: list[Setting]) -> str:
    kernels = [setting for setting in settings if setting.kernel is not None]
    outputs = dict.fromkeys(_OUTPUTS.get(str(setting.output), str(setting.output)) for setting in kernels)
    norm = _shared(setting.batch_norm for setting in kernels)
    parameters = _shared(setting.parameters for setting in kernels)
    if not kernels:
        return ""
    of = f" of {' and '.join(outputs)}" if len(outputs) <= _NAMED else ""
    words = [f"{norm} batch norm"] * bool(norm) + [_PARAMETERS.get(str(parameters), str(parameters))] * bool(parameters)
    return ", ".join([f"Kernel{'s' * (len(outputs) > 1)}{of}", *words])


def _networks(settings: list[Setting]) -> str:
    channels = _shared(setting.network.channels for setting in settings)
    cells = _shared(setting.network.cells_per_stage for setting in settings)
    words = [f"{channels} channels"] * bool(channels) + [f"{cells} cell{'s' * (cells != 1)} per stage"] * bool(cells)
    return f"networks of {' and '.join(words)}" if words else ""


def _probe(settings: list[Setting]) -> str:
    source = _shared(setting.probe.source for setting in settings)
    size = _shared(setting.probe.size for setting in settings)
    pixels = _shared(setting.probe.image_size for setting in settings)
    if not source:
        return ""
    images = f"{size} image{'s' * (size != 1)} of {dataset_in_words(str(source))}" if size else str(source)
    return f"probe: {images}" + (f", {pixels}×{pixels} pixels" if pixels else "")
