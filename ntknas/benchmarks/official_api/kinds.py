"""Which objects are taken: recognised by the names of their classes and modules, or by their methods."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ntknas.benchmarks.formats.collection import Collection
from ntknas.benchmarks.official_api import architectures
from ntknas.benchmarks.official_api.nasbench import NASBench
from ntknas.benchmarks.official_api.nasbench import read as read_nasbench
from ntknas.core.errors import ChoiceError
from ntknas.spaces import Space

EXPECTED = (
    "a NASBench201API (package nas-bench-201), a NATStopology or NATSsize (nats-bench: nats_bench.create), or a "
    "nasbench.api.NASBench (google-research/nasbench)"
)


@dataclass(frozen=True)
class Kind:
    """A kind of object.

    Attributes:
        benchmark: The benchmark whose accuracies it holds.
        recognises: Returns whether a class is of this kind.
        read: Reads what an object holds; raises DataError if that is not what it should be.
    """

    benchmark: str
    recognises: Callable[[type], bool]
    read: Callable[[object, Space], Collection]


def _is_called(cls: type, name: str, package: str) -> bool:
    """Return whether a class, or one that it is derived from, has this name and comes from this package."""
    return any(base.__name__ == name and package in base.__module__.split(".") for base in cls.__mro__)


def _has_methods(cls: type) -> bool:
    return issubclass(cls, NASBench)


def _read_nasbench(api: object, space: Space) -> Collection:
    assert isinstance(api, NASBench)
    return read_nasbench(api, space)


def _named(name: str, package: str, benchmark: str) -> Kind:
    recognises = partial(_is_called, name=name, package=package)
    return Kind(benchmark, recognises, partial(architectures.read, benchmark=benchmark))


KINDS = (
    _named("NASBench201API", "nas_201_api", "nb201"),
    _named("NATStopology", "nats_bench", "nats-tss"),
    _named("NATSsize", "nats_bench", "nats-sss"),
    Kind("nb101", _has_methods, _read_nasbench),
)


def kind_of(api: object) -> Kind:
    """Return what kind an object is of.

    Raises:
        ChoiceError: If it is of none.
    """
    for kind in KINDS:
        if kind.recognises(type(api)):
            return kind
    raise ChoiceError(f"`api` takes {EXPECTED}: got {_described(api)}")


def _described(api: object) -> str:
    """Say what was given instead, and what to do where that is known."""
    if isinstance(api, type):
        made = "; make an object of it" if any(kind.recognises(api) for kind in KINDS) else ""
        return f"the class {name_of(api)}{made}."
    if isinstance(api, str | Path):
        return f"the text {str(api)!r}. A file is imported with ntknas bench import, a benchmark is named by `name`."
    return f"an object of {name_of(type(api))}."


def name_of(cls: type) -> str:
    """Return the name of a class with its module."""
    return f"{cls.__module__}.{cls.__qualname__}"
