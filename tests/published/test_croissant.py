"""The metadata of a release is valid Croissant, and the records that it describes are the files' rows."""

import json

import pandas as pd
import pytest

from ntknas.published.manifest import FileEntry

mlcroissant = pytest.importorskip("mlcroissant")


@pytest.mark.parametrize("folder", ["release", "spectra"])
def test_the_metadata_is_valid_and_its_records_are_the_rows(written, folder):
    dataset = mlcroissant.Dataset(jsonld=str(written / folder / "croissant.json"))
    issues = dataset.metadata.ctx.issues
    assert not issues.errors
    assert not issues.warnings
    described = [record_set.name for record_set in dataset.metadata.record_sets]
    assert {f"{name}.parquet" for name in described} == {path.name for path in (written / folder).glob("*.parquet")}
    for name in described:
        rows = pd.read_parquet(written / folder / f"{name}.parquet").astype(object)
        records = pd.DataFrame(dataset.records(name))
        records.columns = [column.removeprefix(f"{name}/") for column in records]
        assert list(records) == list(rows)
        for column in rows:
            assert list(map(_plain, records[column])) == list(map(_plain, rows[column])), column


def _plain(value):
    """A value as text: mlcroissant gives texts as bytes."""
    if isinstance(value, bytes):
        return value.decode()
    if hasattr(value, "__len__") and not isinstance(value, str):
        return [str(float(each)) for each in value]
    return "none" if pd.isna(value) else str(value)


def test_hashes_are_those_of_the_files(written):
    for folder in ("release", "spectra"):
        metadata = json.loads((written / folder / "croissant.json").read_text())
        assert metadata["version"] == "1.0.0"
        for file in metadata["distribution"]:
            assert file["sha256"] == FileEntry.of((written / folder / file["contentUrl"]).read_bytes()).sha256
