"""Users' files with any byte changed or any end cut off: read, or refused in one sentence; never anything else."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ntknas import load_space
from ntknas.benchmarks import read_accuracies, read_scores
from ntknas.core.errors import DataError
from ntknas.scoring.cells import read_cells_file
from ntknas.scoring.recipe_file import load_recipe_file
from ntknas.studies import tu_format

SPACE = load_space("nb201")
CSV = "index,arch_str,value\n" + "".join(f'{cell},"{SPACE[cell]}",{cell}.5\n' for cell in range(3, 9))


def _archive() -> bytes:
    content = io.BytesIO()
    np.savez_compressed(content, index=np.arange(5), value=np.linspace(0, 1, 5), cell=[str(SPACE[n]) for n in range(5)])
    return content.getvalue()


def _accuracies(path: Path) -> object:
    return read_accuracies(path, SPACE)


def _graphs(path: Path) -> object:
    for name, content in (("graph_indicator", "1\n1\n2\n"), ("graph_labels", "0\n1\n")):
        path.with_name(f"X_{name}.txt").write_text(content)
    return tu_format.read(path.parent)


FORMATS: dict[str, tuple[str, bytes, Callable[[Path], object]]] = {
    "csv": ("mine.csv", CSV.encode(), _accuracies),
    "gzip": ("mine.csv.gz", gzip.compress(CSV.encode(), mtime=0), _accuracies),
    "bzip2": ("mine.csv", bz2.compress(CSV.encode()), _accuracies),
    "xz": ("mine.csv.xz", lzma.compress(CSV.encode()), _accuracies),
    "npz": ("mine.npz", _archive(), _accuracies),
    "scores": ("mine.csv", CSV.encode(), lambda path: read_scores(path, SPACE, missing=[3.5])),
    "scores, npz": ("mine.npz", _archive(), lambda path: read_scores(path, SPACE)),
    "cells": ("cells.txt", CSV.replace(",", "\n").encode(), lambda path: read_cells_file(SPACE, path)),
    "recipe": (
        "mine.toml",
        b"title = 'x'\n[score]\nmeasures = 'trace'\nprobe-size = 64\nnesterov = true\n[score.nb101]\nseeds = 3\n",
        lambda path: load_recipe_file(str(path)),
    ),
    "graphs": ("X_A.txt", b"1, 2\n2, 1\n", _graphs),
}


@pytest.mark.parametrize("name", list(FORMATS))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damage_is_read_or_refused(name: str, tmp_path: Path, data: st.DataObject) -> None:
    file, whole, read = FORMATS[name]
    content = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 3), "changes")):
        content[data.draw(st.integers(0, len(content) - 1), "place")] = data.draw(st.integers(0, 255), "byte")
    end = data.draw(st.one_of(st.just(len(content)), st.integers(0, len(content))), "end")
    (tmp_path / file).write_bytes(content[:end])
    message = ""
    try:
        read(tmp_path / file)
    except DataError as error:
        message = str(error)
    assert len(message) < 2000
