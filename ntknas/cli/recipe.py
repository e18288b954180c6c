"""``ntknas recipe``: the published ways of measuring."""

from __future__ import annotations

import click

from ntknas.cli.groups import Group
from ntknas.cli.output import json_option, print_json, print_table, say


@click.group(name="recipe", cls=Group)
def command() -> None:
    """Recipes: every choice of one published way of measuring, as a named file."""


@command.command(name="list")
@json_option
def list_recipes(json: bool) -> None:
    """List the recipes that come with the package."""
    from ntknas.scoring.recipe_file import load_recipe_file, recipe_names

    recipes = [load_recipe_file(name) for name in recipe_names()]
    rows = [{"recipe": r.name, "title": r.title, "measures": str(r.options["measures"])} for r in recipes]
    if json:
        print_json({"rows": rows})
        return
    print_table("", ["recipe", "what", "measures"], [list(row.values()) for row in rows], left=3)
    say("More: ntknas recipe show NAME. Use: ntknas score --recipe NAME, or the path of your own file.toml.")


@command.command(name="show")
@click.argument("name")
@json_option
def show(name: str, json: bool) -> None:
    """Show the recipe NAME (or a path ending in .toml): its source, what it does, every choice it makes."""
    from ntknas.scoring.recipe_file import load_recipe_file

    recipe = load_recipe_file(name)
    if json:
        fields = {"recipe": recipe.name, "title": recipe.title, "source": recipe.source, "text": recipe.text}
        print_json({**fields, "score": {**recipe.options, **recipe.special}, "protocol": dict(recipe.protocol)})
        return
    text = f"{recipe.name}: {recipe.title}\nSource: {recipe.source}\n\n{recipe.text}\n"
    say(text)
    rows = [[f"--{key}", str(value), ""] for key, value in recipe.options.items()]
    rows += [
        [f"--{key}", str(value), name] for name, options in recipe.special.items() for key, value in options.items()
    ]
    print_table("", ["option of ntknas score", "value", "for"], rows, left=3)
    for key, value in recipe.protocol.items():
        say(f"published {key}: {value}")
