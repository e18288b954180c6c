"""The reference of JSON and CSV against what the commands print: no field is missing there, and none is made up."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator

import pytest

from ntknas.cli.main import run
from tests.cli.typed import SMALL, commands
from tests.docs.pages import ROOT

PAGE = (ROOT / "docs" / "reference" / "output.md").read_text(encoding="utf-8")
PAIR = ["--target", "cifar10-valid/valid/200", "--target", "cifar100/valid/200"]
SEARCH = ["search", "published:nb201", "--score", "cond", "--searches", "2", "--budget", "4"]
CASES = {  # in this order, in one folder
    "score": [
        ["score", *SMALL, "--cells", "12", "--measures", "trace,cond", "--json"],
        ["score", *SMALL, "--cells", "2", "--measures", "trace", "--store", "new.h5", "--dry-run", "--json"],
    ],
    "track-kernel": [
        ["track-kernel", "8216", *SMALL, "--epochs", "1", "--json"],
        ["track-kernel", "8216", *SMALL, "--epochs", "1", "--csv"],
    ],
    "correlate": [
        ["correlate", "scores.h5", "--resamples", "200", "--compare", "--json"],
        ["correlate", "scores.h5", "--resamples", "0", "--csv"],
    ],
    "correlate with all targets": [
        ["correlate", "scores.h5", "--target", "all", "--resamples", "0", "--json"],
        ["correlate", "scores.h5", "--target", "all", "--resamples", "0", "--csv"],
    ],
    "pareto": [["pareto", "scores.h5", *PAIR, "--json"], ["pareto", "scores.h5", *PAIR, "--csv"]],
    "search": [[*SEARCH, "--json"], [*SEARCH, "--csv"]],
    "sensitivity": [["sensitivity", *SMALL, "--cells", "10", "--vary", "probe-seed", "--json"]],
    "diff": [["diff", "scores.h5", "sensitivity.h5", "--json"]],
    "kernel": [["kernel", "8216", *SMALL, "--json"]],
    "explain": [["explain", "8216", *SMALL, "--json"]],
    "measures": [["measures", "--json"]],
    "study": [["study", "constancy", "--quick", "--json"]],
    "bench list": [["bench", "list", "--json"]],
    "bench info": [["bench", "info", "nb201", "--json"]],
    "bench query": [["bench", "query", "nb201", "8216", "--dataset", "cifar10", "--split", "valid", "--json"]],
    "bench import": [
        ["bench", "import", "mine.csv", "--as", "mine", "--space", "nb201", "--bench-data", ".", "--json"],
    ],
    "data list": [["data", "list", "--json"]],
    "recipe list": [["recipe", "list", "--json"]],
    "recipe show": [["recipe", "show", "mok", "--json"]],
    "store info": [["store", "info", "scores.h5", "--json"]],
    "store verify": [["store", "verify", "scores.h5", "--json"]],
    "store repair": [["store", "repair", "scores.h5", "--json"]],
    "store merge": [["store", "merge", "scores.h5", "--into", "merged.h5", "--json"]],
    "store export": [["store", "export", "scores.h5", "--csv", "-"]],
    "published list": [["published", "list", "--json"]],
    "published info": [["published", "info", "nb201", "--json"]],
}
COMPUTES_LONG = {"published verify"}
Path = tuple[str, ...]


def rows(section: str) -> Iterator[tuple[Path, str]]:
    """Yield the fields of a section's tables as paths, with what is said of each."""
    for names, text in re.findall(r"^\| (`[^|]*`) \| (.*) \|$", section, re.MULTILINE):
        for name in re.findall(r"`([^`]+)`", names):
            yield tuple(name.replace("[]", ".[]").split(".")), text


def section(heading: str) -> str:
    """Return what stands below a heading, down to the next of its kind."""
    level = len(heading.split(" ")[0])
    return re.split(rf"\n#{{1,{level}}} ", PAGE.split(f"\n{heading}\n", 1)[1])[0]


RECURRING = {
    heading.lower().replace("'", "").replace(" ", "-"): [path for path, _ in rows(section(f"### {heading}"))]
    for heading in re.findall(r"^### (.+)$", section("## Objects that recur"), re.MULTILINE)
}


def documented(heading: str) -> set[Path]:
    """Return the paths of a command's section, with those of the objects that its fields link to."""
    paths: set[Path] = set()
    for path, text in rows(section(f"## ntknas {heading}")):
        linked = [name for name in re.findall(r"\]\(#([\w-]+)\)", text) if name in RECURRING]
        own = path[-1] in {"trace", "smallest", "largest"}
        paths |= {path + deeper for name in linked for deeper in RECURRING[name]} if linked and not own else {path}
    return paths


def observed(data: object, path: Path = ()) -> Iterator[Path]:
    """Yield the paths of everything in some data that holds nothing else."""
    members = (
        data.items() if isinstance(data, dict) else [("[]", item) for item in data] if isinstance(data, list) else ()
    )
    for key, value in members:
        yield from observed(value, (*path, key))
    if not members:
        yield path


def fits(path: Path, pattern: Path) -> bool:
    """Return whether a path is one that a pattern speaks of: below it, or above it where there is nothing."""
    pairs = zip(path, pattern, strict=False)
    return all(key == word or (word.startswith("{") and key != "[]") for key, word in pairs)


@pytest.fixture(scope="module")
def printed(tmp_path_factory):
    """Run all commands in one folder; return paths that each printed, as a list for each run."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("printed")
        patch.chdir(folder)
        (folder / "mine.csv").write_text("cell,acc\n1,50\n2,60\n3,70\n")
        return {heading: [set(_paths_of(patch, words)) for words in runs] for heading, runs in CASES.items()}


def _paths_of(patch: pytest.MonkeyPatch, words: list[str]) -> Iterator[Path]:
    out = io.StringIO()
    patch.setattr("sys.stdout", out)
    code = run(words)
    assert code == 0, words
    if "--csv" in words:
        yield from ((name,) for name in next(csv.reader([out.getvalue().splitlines()[0]])))
    else:
        yield from observed(json.loads(out.getvalue()))


def test_every_command_that_prints_data_has_its_section():
    printing = {name for name, body in commands() if any(option.name in ("json", "csv") for option in body.params)}
    headings = set(re.findall(r"^## ntknas (.+)$", PAGE, re.MULTILINE))
    assert printing <= headings
    assert headings == {*CASES, *COMPUTES_LONG}


def test_fields_that_are_printed_are_those_that_are_documented(printed):
    """One test, not one a command: each worker of pytest would run all commands for its share."""
    unknown, made_up = {}, {}
    for heading, runs in printed.items():
        known, found = documented(heading), set().union(*runs)
        unknown[heading] = {".".join(path) for path in found if not any(fits(path, each) for each in known)}
        made_up[heading] = {".".join(each) for each in known if not any(fits(path, each) for path in found)}
    assert {heading: paths for heading, paths in unknown.items() if paths} == {}, "printed, and not documented"
    assert {heading: paths for heading, paths in made_up.items() if paths} == {}, "documented, and not printed"


def test_both_would_be_seen():
    assert fits(("rows", "[]", "n"), ("rows", "[]"))
    assert fits(("quantity",), ("quantity", "name"))
    assert fits(("targets", "a/b", "cells"), ("targets", "{target}", "cells"))
    assert not fits(("rows", "[]", "n"), ("rows", "[]", "m"))
    assert set(observed({"a": [{"b": 1}], "c": {}})) == {("a", "[]", "b"), ("c",)}
