"""The release that comes with the package is whole: hashes, cells, what the wheel has, and who is to be cited."""

import re
import tomllib
from pathlib import Path

import ntknas
from ntknas.published import Release
from ntknas.published.manifest import checked_bytes
from ntknas.published.places import spectra_folder

ROOT = Path(__file__).parents[2]
MAX_WHEEL, MAX_SPECTRA = 10_000_000, 40_000_000
"""Bytes of a release: of what is in the wheel, and of its spectra."""


def test_its_files_are_those_of_its_manifest():
    release = Release.open("nb201")
    for folder, files in (
        (release.folder, release.manifest.files),
        (ROOT / spectra_folder("nb201"), release.manifest.spectra),
    ):
        for name, entry in files.items():
            checked_bytes(folder / name, entry)
    listed = {"manifest.json", *release.manifest.files}
    assert {path.name for path in release.folder.iterdir()} == listed
    assert sum((release.folder / name).stat().st_size for name in listed) < MAX_WHEEL
    assert sum(entry.size for entry in release.manifest.spectra.values()) < MAX_SPECTRA


def test_it_covers_the_space():
    release, space = Release.open("nb201"), ntknas.load_space("nb201")
    assert release.manifest.is_complete
    assert release.cells.indices.tolist() == list(range(len(space)))
    assert len(release.networks) == len(set(release.cells.networks("all"))) == 5212
    assert len(set(release.cells.networks("weights"))) == release.networks["cells"].notna().sum() == 5044
    for index in range(0, len(space), 251):
        cell = space[index]
        counts = {"parameters": space.parameters(cell), "flops": space.flops(cell), **space.structure(cell)._asdict()}
        assert release.cells.counts.loc[index].to_dict() == counts
        for unit in ("weights", "all"):
            assert release.cells.networks(unit)[index] == space.representative(cell, unit, "none")


def test_every_way_opens_and_has_all_its_cells():
    release = Release.open("nb201")
    for way in release.ways.values():
        for seed in way.seeds:
            block = release.block(way.name, seed)
            wanted = 5044 if way.unit != "all" else 5212
            assert len(block.networks) >= wanted, (way.name, seed)
            assert {str(setting.digest) for setting in way.settings.values()} == set(way.settings)


def test_the_wheel_has_it():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert "published/nb201/*" in project["tool"]["setuptools"]["package-data"]["ntknas"]
    assert any(text.startswith("pyarrow") for text in project["project"]["dependencies"])


def test_the_citation_is_of_this_version():
    lines = (ROOT / "CITATION.cff").read_text(encoding="utf-8").splitlines()
    fields = dict(match.groups() for line in lines if (match := re.fullmatch(r"([a-z-]+): (.+)", line)))
    assert fields["cff-version"] == "1.2.0"
    assert fields["version"] == ntknas.__version__
    assert {"message", "title", "type", "license"} <= set(fields)
    assert "authors:" in lines
