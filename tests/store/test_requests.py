"""What runs were asked for is recorded, short, and what is missing of it is said."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ntknas.core.score import Score
from ntknas.store import ScoreRecord, ScoreStore, Setting, load_store
from ntknas.store.requests import Request, Unmeasured, numbers_of, requests_of, text_of, unmeasured

NUMBERS = {"": [], "5": [5], "0:3,7,9": [7, 0, 1, 2, 9], "0:423624": range(423624), "-2:1": [-2, -1, 0]}
SETTING = Setting.from_fields({"space": "nb201", "dataset": "cifar10"})
ODD = [None, 5, [], "a", "1:b", "1.5", "1:2:3", "9" * 30, "0:20000000", "zlib:", "zlib:AAAA", "zlib:???", "é"]


@pytest.mark.parametrize("text", NUMBERS)
def test_numbers_as_ranges(text):
    assert text_of(NUMBERS[text]) == text
    assert numbers_of(text).tolist() == sorted(NUMBERS[text])


@given(st.sets(st.integers(-(2**62), 2**62)))
def test_any_numbers_come_back(numbers):
    assert numbers_of(text_of(list(numbers))).tolist() == sorted(numbers)


def test_a_large_scattered_sample_is_packed():
    sample = np.random.default_rng(0).permutation(423624)[:100_000]
    text = text_of(sample.tolist())
    assert len(text) < 400_000 < len(",".join(map(str, sample)))
    assert numbers_of(text).tolist() == sorted(sample)


@pytest.mark.parametrize("odd", ODD)
def test_what_is_no_text_of_numbers(odd):
    with pytest.raises(ValueError, match="request"):
        numbers_of(odd)


@pytest.mark.parametrize("odd", [None, {}, {"measures": 1, "cells": "0", "seeds": "0"}, {"cells": "0", "seeds": "0"}])
def test_what_is_no_request(odd):
    with pytest.raises(ValueError, match="request"):
        Request.from_json(odd)


def run_of(cells, measures=("trace", "cond"), seeds=(0,), setting="s"):
    return {"request": json.loads(json.dumps(Request({setting: measures}, cells, seeds).as_json()))}


def scores(cells, measures=("trace", "cond"), seeds=(0,), setting="s"):
    rows = [(setting, cell, seed, measure) for cell in cells for seed in seeds for measure in measures]
    return pd.DataFrame(rows, columns=["setting", "cell", "seed", "measure"])


def of_runs(frame, runs):
    frame.attrs["runs"] = runs
    return frame


@pytest.mark.parametrize(
    ("frame", "runs", "missing"),
    [
        (scores(range(200)), {"a": run_of(range(200))}, None),
        (scores(range(128)), {"a": run_of(range(200))}, (72, 200)),
        (scores([]), {"a": run_of(range(200))}, (200, 200)),
        (scores(range(128)), {"a": run_of(range(200)), "b": run_of(range(100))}, (72, 200)),  # a smaller one later
        (scores(range(300)), {"a": run_of(range(200)), "b": run_of(range(100, 300))}, None),
        (scores(range(200), seeds=(0,)), {"a": run_of(range(200), seeds=(0, 1))}, (200, 200)),
        (scores(range(200), ("trace",)), {"a": run_of(range(200), ("trace",)), "b": run_of([7, 8])}, (2, 200)),
        (scores(range(5)), {"a": {"recipe": "mok"}}, None),  # of version 0.1.0
    ],
)
def test_what_is_missing_of_what_was_asked_for(frame, runs, missing):
    expected = [Unmeasured("s", *missing)] if missing else []
    assert unmeasured(of_runs(frame, runs)) == expected
    assert unmeasured(of_runs(frame.sample(frac=1, random_state=0), dict(reversed(runs.items())))) == expected


def test_settings_stand_apart():
    frame = pd.concat([scores(range(5), setting="s"), scores(range(3), setting="t")])
    runs = {"a": {"request": Request({"s": ("trace",), "t": ("trace",)}, range(5), [0]).as_json()}}
    assert unmeasured(of_runs(frame, runs)) == [Unmeasured("t", 2, 5)]


def test_a_run_is_in_the_journal_before_its_first_score(tmp_path):
    path = tmp_path / "s.h5"
    request = Request({SETTING.digest: ("trace",)}, [1, 2], [0])
    with ScoreStore.open(path) as store:
        digest = store.add_setting(SETTING)
        run = store.add_run({"request": request.as_json()})
        store.announce(run, [digest])  # and killed
    kept = ScoreStore.read(path)
    assert unmeasured(kept.frame()) == [Unmeasured(digest, 2, 2)]
    with ScoreStore.open(path) as store:
        store.compact()
        later = store.add_run({})
        store.append(ScoreRecord(digest, later, 1, 0, 0.1, {"trace": Score("trace", 1.0)}))
        store.compact()
    frame = load_store(path)
    assert requests_of(frame.attrs["runs"].values()) == [request]
    assert unmeasured(frame) == [Unmeasured(digest, 1, 2)]


def test_what_is_known_of_a_run_may_grow(tmp_path):
    path = tmp_path / "s.h5"
    with ScoreStore.open(path) as store:
        run = store.add_run({"recipe": "custom"})
        store.announce(run, [])
        store.add_to_run(run, {"strategy": "auto"})
        store.announce(run, [])
    assert ScoreStore.read(path).runs[run].info["strategy"] == "auto"
