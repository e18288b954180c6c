"""Croissant metadata of a release: what loaders of data sets read."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pyarrow as pa

from ntknas.published import tables
from ntknas.published.manifest import FileEntry
from ntknas.spaces.structure import COUNTS

CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
CONFORMS_TO = "http://mlcommons.org/croissant/1.0"
LICENCE_URL = "https://creativecommons.org/licenses/by/4.0/"
CREATOR = "The ntknas maintainers"
_TEXTS = {
    "cell": "Index of the cell in the published order of the space",
    "network": "Index of the first cell that is this network under the parameter set weights",
    "network_all": "Index of the first cell that is this network under all parameters",
    "architecture": "Architecture string",
    "cells": "Number of cells that are this network under weights; none where it is no network of its own there",
    "cells_all": "Number of cells that are this network under all parameters",
    "disconnected": "Whether no path leads from the input to the output",
    "way": "Name of the way of measuring; environment.json has its settings",
    "seed": "Seed of the weights",
    "measure": "Name of the measure",
    "value": "The score, rounded to float32; none where the status is not ok",
    "wide": "The score in float64 where it is beyond the range of float32; none elsewhere",
    "status": "ok, or why there is no value",
    "reason": "One sentence on a missing value, else empty",
    "seconds": "Seconds that the kernel took, with all its measures",
    "run": "Identifier of the run; environment.json has its versions and device",
    "eigenvalues": "Eigenvalues of the kernel from the largest on, in float32",
    **{name: f"{count.formula} ({count.unit})" for name, count in COUNTS.items()},
}
_FORMATS = {"parquet": "application/x-parquet", "json": "application/json", "txt": "text/plain"}
_SCHEMAS = {"cells": tables.CELLS, "networks": tables.NETWORKS, "scores": tables.SCORES}


def croissant_text(name: str, title: str, version: str, date: str, files: Mapping[str, FileEntry]) -> str:
    """Return the metadata of the files of a release.

    Args:
        name: Name of the data set.
        title: What it is, in one sentence.
        version: Version of the release.
        date: Day on which its last score was made; empty where it has none.
        files: The files; of tables, the records are described.

    Returns:
        JSON-LD.
    """
    metadata = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "name": name,
        "description": title,
        "conformsTo": CONFORMS_TO,
        "license": LICENCE_URL,
        "creator": {"@type": "sc:Organization", "name": CREATOR},
        "citeAs": f"{CREATOR}: {title} Version {version}.",
        "version": version,
        **({"datePublished": date} if date else {}),
        "isLiveDataset": False,
        "distribution": [_file_object(file, entry) for file, entry in files.items()],
        "recordSet": [_record_set(file) for file in files if file.endswith(".parquet")],
    }
    return json.dumps(metadata, indent=1, ensure_ascii=False) + "\n"


def _file_object(name: str, entry: FileEntry) -> dict[str, object]:
    return {
        "@type": "cr:FileObject",
        "@id": name,
        "name": name,
        "contentUrl": name,
        "contentSize": f"{entry.size} B",
        "encodingFormat": _FORMATS[name.rpartition(".")[2]],
        "sha256": entry.sha256,
    }


def _record_set(file: str) -> dict[str, object]:
    stem = file.removesuffix(".parquet")
    schema = _SCHEMAS.get(stem, tables.spectra_schema(1))
    fields = [_field(stem, file, field) for field in schema]
    return {"@type": "cr:RecordSet", "@id": stem, "name": stem, "field": fields}


def _field(record_set: str, file: str, field: pa.Field) -> dict[str, object]:
    name = field.name
    is_list = pa.types.is_fixed_size_list(field.type)
    return {
        "@type": "cr:Field",
        "@id": f"{record_set}/{name}",
        "name": f"{record_set}/{name}",
        "description": _TEXTS[name],
        "dataType": _data_type(field.type),
        **({"repeated": True} if is_list else {}),
        "source": {"fileObject": {"@id": file}, "extract": {"column": name}},
    }


def _data_type(kind: pa.DataType) -> str:
    if pa.types.is_boolean(kind):
        return "sc:Boolean"
    if pa.types.is_integer(kind):
        return "sc:Integer"
    if pa.types.is_floating(kind) or pa.types.is_fixed_size_list(kind):
        return "sc:Float"
    return "sc:Text"
