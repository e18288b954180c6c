"""The page docs/reference/measures.md, made of what the registry holds: run this after a measure came or changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ntknas.measures import GROUPS
from ntknas.measures.reference import Entry, entries

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "measures.md"
KINDS = {
    "measure": (
        "Of kernels, networks and trainings",
        "Of a kernel, a kernel regression, a network or its training: `ntknas score --measures`.",
    ),
    "family": ("Families", "A measure for every number, asked for by name or the first n together."),
    "derived": (
        "Derived measures",
        "Of the scores of many cells: `ntknas correlate` makes them where all that they are made of were scored.",
    ),
    "count": ("Counts", "Of a cell's drawing, without a network; `ntknas correlate` holds them beside scores."),
}


def page() -> str:
    """Return the page."""
    known = list(entries().values())
    assert {entry.kind for entry in known} <= set(KINDS)
    lines = [
        "# Measures",
        "",
        "<!-- made by scripts/reference.py of the registry: not edited by hand -->",
        "",
        "`ntknas measures` prints these tables, `ntknas measures NAME` one entry, with `--json` as data. Each has a test",
        "against an independent reference. Names that stand for several, in `--measures`:",
        "",
        "| group | stands for |",
        "|---|---|",
        *(f"| `{group}` | {text} |" for group, text in GROUPS.items()),
    ]
    for kind, (title, text) in KINDS.items():
        of_kind = [entry for entry in known if entry.kind == kind]
        lines += ["", f"## {title}", "", text, "", *_table(of_kind)]
    for entry in known:
        if entry.kind != "family":
            lines += ["", *_section(entry)]
    return "\n".join(lines) + "\n"


def _table(known: list[Entry]) -> Iterator[str]:
    yield "| measure | better | needs | definition | source |"
    yield "|---|---|---|---|---|"
    for entry in known:
        name = f"`{entry.name}`" if entry.kind == "family" else f"[`{entry.name}`](#{entry.name})"
        formula = entry.formula.replace("|", "\\|")
        yield f"| {name} | {entry.better} | {', '.join(entry.needs)} | `{formula}` | {entry.source} |"


def _section(entry: Entry) -> Iterator[str]:
    yield f"### {entry.name}"
    yield ""
    yield f"`{entry.formula}`"
    yield ""
    yield entry.text
    yield ""
    facts = {
        "Better": entry.better,
        "Made of" if entry.kind == "derived" else "Needs": ", ".join(entry.needs),
        "Output reductions": ", ".join(f"`{output}`" for output in entry.outputs),
        "No value": entry.no_value,
        "Over seeds": entry.over_seeds,
        "In the groups": ", ".join(f"`{group}`" for group in entry.groups),
        "Source": entry.source,
    }
    yield from (f"- {fact}: {text}" for fact, text in facts.items() if text)


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")
