"""Files that were changed, are missing or of another version are refused by name, whatever their hash says."""

import json
import shutil

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ntknas.core.errors import DataError, NtknasError
from ntknas.published import Release, load_scores
from ntknas.published.manifest import FileEntry
from tests.damage import cuts, few, flips
from tests.published.releases import covered

FILES = ("cells.parquet", "networks.parquet", "scores.parquet", "environment.json")


@pytest.fixture
def copy(written, tmp_path):
    """A copy of the small release, to be changed."""
    shutil.copytree(written / "release", tmp_path / "release")
    return tmp_path / "release"


def everything(folder):
    """Read everything that a release has."""
    release = Release.open(folder)
    return release.frame(), release.networks, release.cells


def relist(folder, name, content):
    """Put content in a file's place, and its hash into the manifest."""
    (folder / name).write_bytes(content)
    manifest = json.loads((folder / "manifest.json").read_text())
    entry = FileEntry.of(content)
    manifest["files"][name] = {"sha256": entry.sha256, "size": entry.size}
    (folder / "manifest.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize("name", FILES)
def test_a_changed_byte_is_seen(copy, name):
    content = bytearray((copy / name).read_bytes())
    content[len(content) // 2] ^= 1
    (copy / name).write_bytes(content)
    with pytest.raises(DataError, match=f"{name} is not the file that manifest.json lists: expected .* SHA-256"):
        everything(copy)


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(copy, name):
    (copy / name).unlink()
    with pytest.raises(DataError, match=f"{name} is missing, which manifest.json lists"):
        everything(copy)


def test_spectra_are_checked_too(written, tmp_path, release):
    with pytest.raises(DataError, match="frozen.parquet is missing"):
        release.spectra("frozen", 0, tmp_path)
    shutil.copyfile(written / "spectra" / "vilhess.parquet", tmp_path / "frozen.parquet")
    with pytest.raises(DataError, match="frozen.parquet is not the file that manifest.json lists"):
        release.spectra("frozen", 0, tmp_path)


MANIFESTS = {
    "it is of version 2 of the format, and this ntknas reads version 1": {"format_version": 2},
    "its format is 'parquet', expected 'ntknas-release'": {"format": "parquet"},
    "its version is '1.0', expected three numbers such as 1.0.0": {"version": "1.0"},
    "it lists no cells.parquet and no networks.parquet and no scores.parquet and no environment.json": {"files": {}},
    "it lists a file '../manifest.json', which is no plain name": {
        "spectra": {"../manifest.json": {"sha256": "0" * 64, "size": 1}}
    },
    "the hash of a.parquet is 'abc', expected 64 hexadecimal digits": {
        "spectra": {"a.parquet": {"sha256": "abc", "size": 1}}
    },
    "it does not say whether it is complete": {"complete": None},
}


@pytest.mark.parametrize("message", MANIFESTS)
def test_a_manifest_of_something_else(copy, message):
    manifest = json.loads((copy / "manifest.json").read_text()) | MANIFESTS[message]
    (copy / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(DataError) as error:
        Release.open(copy)
    assert message in str(error.value)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b'{"format": NaN}', b"[" * 100_000])
def test_no_manifest_at_all(copy, content):
    (copy / "manifest.json").write_bytes(content)
    with pytest.raises(DataError, match="manifest.json is no manifest of published scores"):
        Release.open(copy)


def test_places_that_hold_no_release(tmp_path):
    with pytest.raises(NtknasError, match="holds no release of published scores: it has no manifest.json"):
        Release.open(tmp_path)
    with pytest.raises(NtknasError, match="Unknown release 'nb2O1': expected one of nb201, a folder that holds one"):
        Release.open("nb2O1")
    with pytest.raises(DataError, match="There is no folder .*absent. Name one that holds a release, or nb201"):
        Release.open(tmp_path / "absent")
    (tmp_path / "file").write_text("")
    with pytest.raises(NtknasError, match="There is no folder .*file"):
        Release.open(tmp_path / "file")


@given(damage=flips() | cuts())
@few(40)
def test_any_damage_of_the_manifest_is_an_error_or_changes_nothing(written, tmp_path_factory, damage):
    folder = tmp_path_factory.mktemp("damaged")
    shutil.copytree(written / "release", folder / "release")
    path = folder / "release" / "manifest.json"
    path.write_bytes(damage(path.read_bytes()))
    try:
        frame, _, _ = everything(folder / "release")
    except NtknasError:
        return
    assert len(frame) == len(Release.open(written / "release").frame())


def column(table, name, values):
    """A table with another column in place of one."""
    field = table.schema.field(name)
    return table.set_column(table.schema.get_field_index(name), field, pa.array(values, field.type))


def texts(table, name, change):
    """A table with other texts in a column."""
    values = [change(number, text) for number, text in enumerate(table.column(name).to_pylist())]
    return column(table, name, pa.array(values).dictionary_encode())


CONTENTS = {
    "its columns are": lambda rows: rows.drop_columns(["wide"]),
    "are not those of all networks by all measures": lambda rows: rows.slice(1),
    "are not those of all networks by all measures ": lambda rows: rows.take(list(range(len(rows)))[::-1]),
    "it has the status 'fine'": lambda rows: texts(rows, "status", lambda _, text: "fine" if text == "ok" else text),
    "it has no finite number where the status is ok": lambda rows: column(rows, "value", [None] * len(rows)),
    "or one where it is not": lambda rows: column(rows, "value", [1.0] * len(rows)),
    "it has no finite number": lambda rows: column(rows, "value", [float("inf")] * len(rows)),
    "its measures or runs of frozen are others": lambda rows: texts(rows, "run", lambda *_: "another"),
    "its measures or runs of frozen are others ": lambda rows: texts(rows, "measure", lambda _, text: f"{text}_"),
    "its networks of frozen are others than those of cells.parquet": lambda rows: column(
        rows, "network", [network + 1 for network in rows.column("network").to_pylist()]
    ),
    "name other ways and seeds": lambda rows: texts(rows, "way", lambda *_: "other"),
    "its row groups are not one for each way and seed": lambda rows: column(rows, "seed", range(len(rows))),
}


@pytest.mark.parametrize("message", CONTENTS)
def test_scores_with_a_right_hash_and_wrong_content(copy, message):
    file = pq.ParquetFile(copy / "scores.parquet")
    groups = [file.read_row_group(number) for number in range(file.num_row_groups)]
    groups[0] = CONTENTS[message](groups[0])
    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(sink, groups[0].schema) as writer:
        for group in groups:
            writer.write_table(group.select(groups[0].schema.names))
    relist(copy, "scores.parquet", sink.getvalue().to_pybytes())
    with pytest.raises(DataError) as error:
        everything(copy)
    assert message.strip() in str(error.value)


def test_cells_in_another_order(copy):
    table = pq.read_table(copy / "cells.parquet")
    sink = pa.BufferOutputStream()
    pq.write_table(table.take(pc.sort_indices(table, [("cell", "descending")])), sink)
    relist(copy, "cells.parquet", sink.getvalue().to_pybytes())
    with pytest.raises(DataError, match="its cells are not in ascending order, each once"):
        load_scores(copy, "frozen")


ENVIRONMENTS = {
    "the unit of frozen is 'net', expected one of weights, all, cell": lambda way: way.update(unit="net"),
    "a setting of frozen has fields of digest": lambda way: next(iter(way["settings"].values()))["fields"].update(
        channels=3
    ),
    "it says nothing of the run 'gone'": lambda way: way.update(runs=["gone"]),
    "the seeds of frozen are no list": lambda way: way.update(seeds="0"),
    "a seed of frozen is '0x1', expected an integer": lambda way: way.update(core_hours={"0x1": 1.0}),
    "the title of frozen is 3, expected a text": lambda way: way.update(title=3),
    "name other ways and seeds": lambda way: way.update(seeds=[0]),
}


@pytest.mark.parametrize("message", ENVIRONMENTS)
def test_an_environment_that_does_not_fit(copy, message):
    environment = json.loads((copy / "environment.json").read_text())
    ENVIRONMENTS[message](environment["ways"][0])
    relist(copy, "environment.json", json.dumps(environment).encode())
    with pytest.raises(DataError) as error:
        Release.open(copy)
    assert message in str(error.value)


@given(data=st.data())
@few(60)
def test_any_damage_under_a_right_hash_is_an_error_of_ours(written, tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("damaged") / "release"
    shutil.copytree(written / "release", folder)
    name = data.draw(st.sampled_from(FILES))
    damage = data.draw(flips() | cuts())
    relist(folder, name, damage((folder / name).read_bytes()))
    try:
        frame, networks, cells = everything(folder)
    except NtknasError:
        return
    assert set(frame["cell"]) <= set(cells.indices)
    assert len(cells) == len(covered())
    assert len(networks)
