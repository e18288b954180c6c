"""What a repository says of itself: how to cite it, how to help, and what CI does before its checks."""

import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text())
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

_REQUIRED = {"cff-version", "message", "title", "authors"}
_OPTIONAL = {  # of https://github.com/citation-file-format, version 1.2.0
    *"abstract commit contact date-released doi identifiers keywords license license-url preferred-citation".split(),
    *"references repository repository-artifact repository-code type url version".split(),
}
_ENTITY = {"name", "website", "email", "orcid", "alias", "address", "city", "country", "tel", "location"}
_PERSON = {"given-names", "family-names", "name-particle", "name-suffix", "affiliation", "alias", "email", "orcid"}


def faults(citation):
    """What is wrong with a citation file by its schema, as far as ours uses it."""
    wrong = [f"missing: {key}" for key in _REQUIRED - set(citation)]
    wrong += [f"unknown: {key}" for key in set(citation) - _REQUIRED - _OPTIONAL]
    wrong += [] if citation.get("cff-version") == "1.2.0" else ["another version"]
    wrong += [] if citation.get("type", "software") in {"software", "dataset"} else ["another type"]
    for author in citation.get("authors", []) + [a for r in citation.get("references", []) for a in r["authors"]]:
        wrong += [] if set(author) <= _ENTITY or set(author) <= _PERSON else [f"neither person nor entity: {author}"]
    for reference in citation.get("references", []):
        wrong += [f"a reference without {key}" for key in {"authors", "title", "type"} - set(reference)]
    return wrong


def test_the_citation_file_is_one():
    assert faults(CITATION) == []
    assert faults({**CITATION, "publisher": "x"}) == ["unknown: publisher"]
    assert faults({key: value for key, value in CITATION.items() if key != "title"}) == ["missing: title"]
    assert faults({**CITATION, "authors": [{"named": "x"}]}) == ["neither person nor entity: {'named': 'x'}"]


def test_it_cites_this_package():
    assert CITATION["version"] == PROJECT["version"]
    assert CITATION["license"] == PROJECT["license"]
    assert set(CITATION["keywords"]) == set(PROJECT["keywords"])
    (data,) = CITATION["references"]
    for place in re.findall(r"[\w/-]+/[\w-]+(?:\.md)?", data["notes"]):
        assert (ROOT / place).exists(), place


@pytest.fixture
def browser(tmp_path):
    """Return what runs ``.ci/browser`` where nothing but the named programs can be found."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in ("id", "timeout", "sh", "sleep", "bash"):
        (folder / tool).symlink_to(subprocess.check_output(["which", tool], text=True).strip())

    def run(seconds="180", **programs):
        for name, lines in programs.items():
            (folder / name.replace("_", "-")).write_text(f"#!/bin/sh\n{lines}\n")
            (folder / name.replace("_", "-")).chmod(0o755)
        done = subprocess.run(
            [ROOT / ".ci" / "browser", seconds], capture_output=True, text=True, env={"PATH": str(folder)}, check=False
        )
        return done.returncode, done.stdout, done.stderr

    return run, folder


LACKING = "no browser: pages are not opened\n"


def test_a_browser_that_is_there_is_left_alone(browser):
    run, folder = browser
    assert run(chromium="exit 1", apt_get=f"touch {folder}/asked") == (0, "", "")
    assert not (folder / "asked").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="packages are installed by root alone")
def test_a_browser_that_is_missing_is_brought(browser):
    run, folder = browser
    installs = f'echo "$@" >>{folder}/asked; [ "$1" = update ] || : >{folder}/chromium'
    code, _, _ = run(apt_get=installs)
    assert code == 0
    assert (folder / "asked").read_text() == "update -qq\ninstall -qq -y --no-install-recommends chromium\n"


@pytest.mark.parametrize("apt", ["exit 100", "sleep 60"], ids=["fails", "hangs"])
def test_without_one_ci_goes_on(browser, apt):
    run, _ = browser
    assert run("1", apt_get=apt) == (0, LACKING, "")


def test_without_apt_too(browser):
    run, _ = browser
    assert run() == (0, LACKING, "")
