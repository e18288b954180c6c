"""Recipes as files: every choice of one published way of measuring, in TOML, named as the command's options are."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from ntknas.core.errors import DataError, check_known
from ntknas.core.regular_file import read_text
from ntknas.scoring import recipe_schema
from ntknas.scoring.recipe_schema import Value

_MAX_BYTES = 1 << 18


@dataclass(frozen=True)
class RecipeFile:
    """A recipe as it is written down.

    Attributes:
        name: Name of the file without its ending.
        title: One line.
        source: Paper and code.
        text: What it is, and where the published code and its paper differ.
        options: Options of ``ntknas score`` by name.
        special: Further options for a benchmark or a data set, by its name; they win over ``options``.
        protocol: How the recipe's authors evaluate it: ``cells``, ``target``.
    """

    name: str
    title: str
    source: str
    text: str
    options: Mapping[str, Value]
    special: Mapping[str, Mapping[str, Value]]
    protocol: Mapping[str, str]

    def options_for(self, bench: str, dataset: str) -> dict[str, Value]:
        """Return the options for a benchmark and a data set, with underscores for dashes."""
        merged = {**self.options, **self.special.get(bench, {}), **self.special.get(dataset, {})}
        return {name.replace("-", "_"): value for name, value in merged.items()}


def recipe_names() -> list[str]:
    """Return the names of the recipes that come with the package."""
    folder = files("ntknas") / "recipes"
    return sorted(file.name.removesuffix(".toml") for file in folder.iterdir() if file.name.endswith(".toml"))


def load_recipe_file(name: str | Path) -> RecipeFile:
    """Return a recipe.

    Args:
        name: Name of a recipe of the package, or the path of a file that ends in ``.toml``.

    Returns:
        The recipe.

    Raises:
        ChoiceError: If the package has no such recipe.
        DataError: If the file is missing or not a recipe.

    Example:
        >>> load_recipe_file("mok").options_for("nb101", "cifar10")["probe_size"]
        64
    """
    name = str(name)
    if name.endswith(".toml"):
        return parse(Path(name).stem, _read(Path(name)), name)
    check_known("recipe", name, recipe_names())
    return parse(name, (files("ntknas") / "recipes" / f"{name}.toml").read_text(encoding="utf-8"), name)


def _read(path: Path) -> str:
    try:
        return read_text(path, _MAX_BYTES)
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"Cannot read the recipe {path}: {getattr(error, 'strerror', None) or error}.") from error


def parse(name: str, content: str, where: str) -> RecipeFile:
    """Read a recipe from its text.

    Args:
        name: Name of the recipe.
        content: The TOML text.
        where: Name for messages.

    Returns:
        The recipe.

    Raises:
        DataError: If it is not a recipe; the message names the key.
    """
    try:
        table = tomllib.loads(content)
    except (ValueError, RecursionError) as error:  # a number of too many digits is no TOMLDecodeError
        raise DataError(f"The recipe {where} is not TOML: {error}.") from error
    checked = recipe_schema.check(where, table)
    title, source, text = (checked.texts.get(key, "").strip() for key in recipe_schema.TEXTS)
    return RecipeFile(name, title, source, text, checked.options, checked.special, checked.protocol)
