"""The page on architecture against the code: floors and imports, and the files that it names."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.docs.pages import ROOT

PACKAGE = ROOT / "ntknas"
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
ALL_BELOW, NOTHING = "all below", "nothing of ours"


@dataclass(frozen=True)
class Room:
    """A row of the table of rooms: its floor, and the rooms it may import from."""

    floor: int
    knows: frozenset[str]


def table_of(heading: str, text: str = ARCHITECTURE) -> list[list[str]]:
    """Return the cells of the first table under a heading, without its head."""
    section = text.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    rows = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in rows[2:]]


def rooms_of(rows: list[list[str]]) -> dict[str, Room]:
    """Return the rooms of the table by name."""
    floors = {name.strip("`/"): int(floor) for floor, name, *_ in rows}
    rooms = {}
    for _, name, _, text in rows:
        room = name.strip("`/")
        if text == ALL_BELOW:
            knows = {other for other, floor in floors.items() if floor < floors[room]}
        else:
            knows = set() if text == NOTHING else set(text.split(", "))
        rooms[room] = Room(floors[room], frozenset(knows))
    return rooms


ROWS = table_of("Rooms")
ROOMS = rooms_of(ROWS)


def modules(package: Path = PACKAGE) -> dict[str, ast.Module]:
    """Return the modules of a package, parsed, by full name."""
    parsed = {}
    for file in sorted(package.rglob("*.py")):
        parts = file.relative_to(package.parent).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        parsed[name] = ast.parse(file.read_text(encoding="utf-8"), str(file))
    return parsed


MODULES = modules()


def imported(nodes: Iterator[ast.AST], known: Mapping[str, object]) -> set[str]:
    """Return the modules that import statements among the nodes name, a submodule rather than its package."""
    names: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            submodules = {f"{node.module}.{alias.name}" for alias in node.names}
            names |= {name if name in known else node.module for name in submodules}
    return names & known.keys()


def room_of(module: str) -> str:
    """Return the room a module stands in; the package's own files stand in none."""
    name = module.split(".")[1] if "." in module else ""
    return name if (PACKAGE / name).is_dir() else ""


def imports_between_rooms() -> dict[str, dict[str, set[str]]]:
    """Return, by room, the rooms it imports from (for types alone, too) and the modules that do."""
    between: dict[str, dict[str, set[str]]] = {room: {} for room in ROOMS}
    for module, tree in MODULES.items():
        for target in imported(ast.walk(tree), MODULES):
            room, other = room_of(module), room_of(target)
            if room and other and other != room:
                between.setdefault(room, {}).setdefault(other, set()).add(module)
    return between


BETWEEN = imports_between_rooms()


def test_the_table_has_every_room_once():
    folders = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert sorted(name.strip("`/") for _, name, *_ in ROWS) == sorted(folders)


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_knows_rooms_of_lower_floors(room):
    higher = {name for name in ROOMS[room].knows if ROOMS[name].floor >= ROOMS[room].floor}
    assert not higher


@pytest.mark.parametrize("room", BETWEEN)
def test_a_room_imports_from_the_rooms_it_knows(room):
    strange = {other: sorted(importers) for other, importers in BETWEEN[room].items() if other not in ROOMS[room].knows}
    assert not strange


@pytest.mark.parametrize("room", [name.strip("`/") for _, name, _, knows in ROWS if knows != ALL_BELOW])
def test_a_room_needs_the_rooms_it_is_said_to_know(room):
    assert ROOMS[room].knows <= BETWEEN[room].keys()


def run_time(tree: ast.Module) -> Iterator[ast.AST]:
    """Yield what is executed when a module is imported: no bodies of functions, nothing for types alone."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        for_types = isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        waiting += node.orelse if for_types else ast.iter_child_nodes(node)


def circle(trees: Mapping[str, ast.Module]) -> list[str]:
    """Return the modules of a circle of imports, or nothing."""
    graph = {name: imported(run_time(tree), trees) - {name} for name, tree in trees.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_circle_of_imports_at_run_time():
    assert circle(MODULES) == []


def test_a_circle_would_be_seen():
    sources = {"a": "from b import x", "b": "def f():\n    import a", "c": "import a"}
    assert circle({name: ast.parse(text) for name, text in sources.items()}) == []
    sources["b"] = "class B:\n    import c"
    assert set(circle({name: ast.parse(text) for name, text in sources.items()})) == {"a", "b", "c"}
    sources["b"] = "if TYPE_CHECKING:\n    import c"
    assert circle({name: ast.parse(text) for name, text in sources.items()}) == []


_PLACE = re.compile(r"`((?:[\w-]+/)+(?:[\w-]+(?:\.(?:py|md|toml|csv|json|sbatch))?)?)`")


def places(text: str) -> list[str]:
    """Return the files and folders that a text names in backquotes."""
    return sorted(set(_PLACE.findall(text)))


def exists(place: str) -> bool:
    """Return whether a file or folder is there, from the package or from the repository's root."""
    return any((folder / place).exists() for folder in (PACKAGE, ROOT))


def test_the_page_names_files_that_are_there():
    assert [place for place in places(ARCHITECTURE) if not exists(place)] == []


def test_a_file_that_is_missing_would_be_seen():
    assert places("a line in `cli/`, `ntknas.spaces`, `cli/no_such.py`, `TokenCovariance`") == [
        "cli/",
        "cli/no_such.py",
    ]
    assert not exists("cli/no_such.py")
