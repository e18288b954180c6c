"""Finds things by name: ours, each declared in a file of its own, and those of other packages, by entry points."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from importlib import import_module
from importlib.metadata import EntryPoint
from pkgutil import iter_modules
from typing import Generic, Protocol, TypeVar

from ntknas.core import plugins
from ntknas.core.errors import ChoiceError, unknown
from ntknas.core.plugins import Fault


class Named(Protocol):
    """An object that knows its name."""

    @property
    def name(self) -> str:
        """Its name."""
        ...


T = TypeVar("T", bound=Named)


class MisfitError(Exception):
    """What a package's entry point names is not what its group is for."""


class Registry(Generic[T]):
    """Things of one kind.

    A module of our own declares one by assigning it to an upper-case name; adding a thing is adding its file. Another
    package names one in its entry points. Either way it is the thing itself, or what makes it when it is called.

    Args:
        kind: What they are, for messages, such as ``"image source"``.
        package: The package of ours whose modules declare one each.
        declaration: What they assign it to.
        group: The entry-point group.
        accept: Returns the thing if it is one of this kind; else raises MisfitError with what is wrong.
        module: The module in question where the package's members are packages themselves.
    """

    def __init__(
        self, kind: str, package: str, declaration: str, group: str, accept: Callable[[object], T], module: str = ""
    ):
        self.kind = kind
        self.group = group
        self._package = package
        self._declaration = declaration
        self._accept = accept
        self._module = module

    @cached_property
    def own(self) -> dict[str, object]:
        """The declarations of our own modules by name, in the order of the modules' names."""
        declared: dict[str, object] = {}
        for module in self._modules():
            declaration: Named = getattr(import_module(module), self._declaration)
            declared[declaration.name] = declaration
        return declared

    def _modules(self) -> Iterator[str]:
        for module in iter_modules(import_module(self._package).__path__):
            if self._module and module.ispkg:
                yield f"{self._package}.{module.name}.{self._module}"
            elif not self._module:
                yield f"{self._package}.{module.name}"

    def names(self) -> list[str]:
        """Return all names, ours first; those of other packages are not imported."""
        names = {point.name for _, point in plugins.points(self.group)}
        return [*self.own, *sorted(names - set(self.own))]

    def get(self, name: str) -> T:
        """Return the item of a name.

        Args:
            name: Its name.

        Returns:
            The item.

        Raises:
            ChoiceError: If there is none of this name, several packages have one, or its package is at fault.
        """
        if name in self.own:
            return self._accept(_made(self.own[name]))
        candidates = [(package, point) for package, point in plugins.points(self.group) if point.name == name]
        if len(candidates) > 1:
            packages = " and ".join(package for package, _ in candidates)
            raise ChoiceError(f"Several packages name a {self.kind} {name!r}: {packages}. Uninstall all but one.")
        if not candidates:
            error = unknown(self.kind, name, self.names())
            raise error
        item = self._of_package(*candidates[0])
        if isinstance(item, Fault):
            raise ChoiceError(f"{item}.")
        return item

    def all(self) -> dict[str, T]:
        """Return all items by name; packages at fault are left out with a warning that names them."""
        items = {name: self._accept(_made(declared)) for name, declared in self.own.items()}
        for package, point in plugins.points(self.group):
            if point.name not in items:
                item = self._of_package(package, point)
                if isinstance(item, Fault):
                    item.warn()
                else:
                    items[point.name] = item
        return items

    def _of_package(self, package: str, point: EntryPoint) -> T | Fault:
        declared, fault = plugins.load(package, point)
        if fault is not None:
            return fault
        try:
            item = self._accept(_made(declared))
        except MisfitError as error:
            return Fault(package, point.name, str(error))
        except (Exception, SystemExit) as error:  # noqa: BLE001  whatever another's code raises is its own fault
            return plugins.fault(package, point.name, error)
        if item.name != point.name:  # the name that scores are stored under must lead back here
            return Fault(package, point.name, f"it is named {item.name!r}, its entry point {point.name!r}")
        return item


def _made(declared: object) -> object:
    return declared() if callable(declared) else declared
