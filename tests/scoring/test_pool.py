"""Worker processes: the same scores, and no cell of another lost, whatever happens to one."""

import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import threading
import time

import pandas as pd
import pytest
import torch

from ntknas import load_space, load_store
from ntknas.core.choices import Choices
from ntknas.core.errors import ChoiceError, KernelError, NtknasError
from ntknas.data import Request, make_probe
from ntknas.scoring import Job, NetworkOptions, Recipe, make_plan, pool, shards
from ntknas.scoring.engine import Engine
from ntknas.store import ScoreStore
from ntknas.store.store import journal_parts
from tests.core.test_children import plant
from tests.scoring.fatal import BROKEN, ENDLESS, KILLED, FatalSpace

SPACE = load_space("nb201")
PROBE = make_probe("digits", 8, Request(image_size=12))
CELLS = [0, 5, 77, 300, 4000, 5555, 9999, 15000]
KEY = ["cell", "seed", "measure"]
HANGS = 600
"""Seconds after which nobody waits any longer; what is waited for takes a few."""


def job(space=SPACE, probe=PROBE, measures=("trace", "cond"), **choices):
    network = NetworkOptions(channels=2, cells_per_stage=1)
    return Job(space, "cifar10", Recipe(choices=Choices(**choices), network=network, measures=measures), probe)


def score(path, what, cells, engine, *, on_progress=lambda progress: None):
    with ScoreStore.open(path) as store:
        try:
            plan = make_plan(what, cells, [0], store)
            run = store.add_run({"recipe": "custom"})
            for progress in engine.run(plan, what, store, run):
                on_progress(progress)
        finally:
            store.compact()
    return load_store(path).set_index(KEY)


def same(a, b):
    pd.testing.assert_series_equal(a["value"].sort_index(), b["value"].sort_index(), rtol=1e-6)
    assert a["status"].astype(str).sort_index().equals(b["status"].astype(str).sort_index())


def test_workers_give_what_one_process_gives(tmp_path):
    measures = ("trace", "cond", "naswot")
    alone = score(tmp_path / "alone.h5", job(measures=measures), CELLS, Engine())
    together = score(tmp_path / "together.h5", job(measures=measures), CELLS, Engine(workers=2))
    same(alone, together)
    assert not journal_parts(tmp_path / "together.h5")
    assert not any(score(tmp_path / "together.h5", job(measures=measures), CELLS, Engine(workers=2)).index.duplicated())


def test_fatal_cells_become_statuses_and_the_others_are_scored(tmp_path):
    space = FatalSpace(tmp_path)
    (tmp_path / "kills").mkdir()
    space._kills = tmp_path / "kills"
    cells = [*CELLS[:4], KILLED, BROKEN]
    found = score(tmp_path / "s.h5", job(space, measures=("trace",)), cells, Engine(workers=2))
    statuses = found["status"].astype(str).droplevel(["seed", "measure"]).to_dict()
    assert statuses == {**dict.fromkeys(CELLS[:4], "ok"), KILLED: "crashed", BROKEN: "error"}
    reasons = found["reason"].astype(str).droplevel(["seed", "measure"])
    assert "signal 9" in reasons[KILLED]
    assert reasons[BROKEN].startswith("the space 'fatal' of tests: AssertionError: nobody expects this (fatal.py, line")
    assert len(list((tmp_path / "kills").iterdir())) == pool.ATTEMPTS


def test_a_cell_that_takes_for_ever_is_given_up(tmp_path):
    """Alone, so that a busy machine makes no other cell late."""
    found = score(tmp_path / "s.h5", job(FatalSpace(tmp_path), measures=("trace",)), [ENDLESS], Engine(timeout=1))
    assert found["status"].astype(str).tolist() == ["timeout"]
    assert "longer than 1 s" in str(found["reason"].iloc[0])


def test_a_cell_whose_worker_was_killed_once_is_tried_again(tmp_path):
    (tmp_path / "kills").mkdir()
    found = score(tmp_path / "s.h5", job(FatalSpace(tmp_path / "kills", 1)), [*CELLS, KILLED], Engine(workers=2))
    assert set(found["status"]) == {"ok"}
    same(found, score(tmp_path / "alone.h5", job(), [*CELLS, KILLED], Engine()))


def test_workers_that_are_killed_from_outside_cost_nothing(tmp_path):
    def kill(progress):
        for child in multiprocessing.active_children():
            if progress.item.cell == 5:  # once: a cell whose worker dies twice is one that kills its worker
                os.kill(child.pid, signal.SIGKILL)

    found = score(tmp_path / "s.h5", job(), CELLS, Engine(workers=2), on_progress=kill)
    same(found, score(tmp_path / "alone.h5", job(), CELLS, Engine()))


def test_an_impossible_recipe_stops_the_run_with_its_message(tmp_path):
    tiny = make_probe("digits", 10, Request(image_size=4))
    with pytest.raises(KernelError, match="two values per channel"):
        score(tmp_path / "s.h5", job(probe=tiny, batch_norm="per-sample"), [8216], Engine(workers=1))
    assert not multiprocessing.active_children()


def test_workers_that_cannot_begin_are_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(pool, "work", os._exit)  # another argument list: the process ends at once
    with pytest.raises(NtknasError, match="before they began"):
        score(tmp_path / "s.h5", job(), CELLS, Engine(workers=1))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_keeps_what_it_reported_and_goes_on(tmp_path, number):
    store = tmp_path / "s.h5"
    options = ["--probe", "digits", "--probe-size", "8", "--channels", "4", "--cells-per-stage", "2", "--cells", "400"]
    options += ["--measures", "trace", "--store", str(store), "--workers", "2"]
    command = [sys.executable, "-m", "ntknas", "score", *options]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    _wait_for(lambda: sum(part.read_bytes().count(b'"scores"') for part in journal_parts(store)) >= 4, process)
    process.send_signal(number)
    _, message = process.communicate(timeout=HANGS)
    assert process.returncode == 128 + number
    assert "the same command goes on from there" in message
    kept = load_store(store)
    assert len(kept) >= 2
    assert not journal_parts(store)
    done = subprocess.run([*command, "--json", "--dry-run"], capture_output=True, text=True, check=True)
    assert f'"stored": {len(kept)}' in done.stdout


def test_workers_end_with_a_coordinator_that_is_killed(tmp_path):
    store = tmp_path / "s.h5"
    options = ["--probe", "digits", "--channels", "4", "--cells-per-stage", "2", "--cells", "400", "--workers", "2"]
    command = [sys.executable, "-m", "ntknas", "score", *options, "--store", str(store)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    _wait_for(lambda: len(journal_parts(store)) == 2, process)
    process.kill()
    process.wait()
    _wait_for(lambda: all(_is_free(part) for part in journal_parts(store)))
    load_store(store)


def _is_free(part):
    from ntknas.core.errors import StoreError
    from ntknas.store.journal import JournalWriter

    try:
        JournalWriter(part).close()
    except StoreError:
        return False
    return True


def _wait_for(condition, process=None):
    """Wait as long as a process runs that may fulfil it, however busy the machine is."""
    end = time.monotonic() + HANGS
    while not condition():
        assert process is None or process.poll() is None, "it ended before"
        assert time.monotonic() < end, "it hangs"
        time.sleep(0.05)


def test_threads_and_devices(monkeypatch):
    monkeypatch.setattr(pool, "cores", lambda: 8)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert pool.devices_of(None, torch.device("cpu")) == ["cpu"] * 8
    assert pool.devices_of(3, torch.device("cpu")) == ["cpu"] * 3
    assert [pool.threads_of(count) for count in (1, 2, 3, 8, 20)] == [8, 4, 2, 1, 1]
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert pool.devices_of(None, torch.device("cuda")) == ["cuda:0", "cuda:1"]
    assert pool.devices_of(3, torch.device("cuda")) == ["cuda:0", "cuda:1", "cuda:0"]
    assert pool.devices_of(2, torch.device("cuda:1")) == ["cuda:1"] * 2


def test_threads_are_asked_for_only_while_a_worker_starts(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    with pool._threads(3):
        assert (os.environ["OMP_NUM_THREADS"], os.environ["MKL_NUM_THREADS"]) == ("7", "3")
    assert os.environ["OMP_NUM_THREADS"] == "7"
    assert "MKL_NUM_THREADS" not in os.environ


@pytest.mark.parametrize(
    ("said", "threads"), [("3", 3), (" 5,2", 5), ("", 4), ("0", 4), ("-1", 4), ("many", 4), ("9" * 30, 4)]
)
def test_threads_that_the_user_asks_for_hold(monkeypatch, said, threads):
    monkeypatch.setattr(pool, "cores", lambda: 8)
    monkeypatch.setenv("OMP_NUM_THREADS", said)
    assert pool.threads_of(2) == threads
    assert Engine(workers=2).threads == threads


def test_workers_do_not_import_from_the_working_folder(tmp_path, monkeypatch):
    marker = plant(tmp_path)
    monkeypatch.chdir(tmp_path)
    found = score(tmp_path / "s.h5", job(measures=("trace",)), CELLS[:2], Engine(workers=1))
    assert set(found["status"]) == {"ok"}
    assert not marker.exists()


@pytest.mark.parametrize("parameters", ["weights", "all"])
def test_shards_are_disjoint_complete_and_share_no_network(parameters):
    recipe = Recipe(choices=Choices(parameters=parameters))
    cells = list(range(0, 15625, 7))
    parts = [shards.Shard(number, 4).cells(SPACE, recipe, cells) for number in (1, 2, 3, 4)]
    assert sorted(cell for part in parts for cell in part) == cells
    networks = [{SPACE.representative(SPACE[cell], parameters, "none") for cell in part} for part in parts]
    assert sum(map(len, networks)) == len(set.union(*networks))
    assert max(map(len, networks)) - min(map(len, networks)) <= 1


@pytest.mark.parametrize("text", ["0/4", "5/4", "1/0", "1", "a/b", "1/2/3", "-1/2", ""])
def test_what_is_no_shard(text):
    with pytest.raises(ChoiceError, match="i/n with i from 1 to n"):
        shards.Shard.parse(text)


def test_a_reader_beside_workers(tmp_path):
    """Readers see whole scores at any moment, and do not keep workers waiting."""
    path, seen, stop = tmp_path / "s.h5", [], threading.Event()

    def read():
        while not stop.is_set():
            if path.exists() or journal_parts(path):
                seen.append(len(load_store(path)))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        score(path, job(), CELLS, Engine(workers=2))
    finally:
        stop.set()
        reader.join()
    assert seen == sorted(seen)
    assert len(load_store(path)) == 2 * len(CELLS)


def test_workers_that_die_before_they_read_anything_are_given_up(tmp_path):
    """With an assignment larger than a pipe's buffer: nobody waits for the dead to read it."""
    probe = make_probe("noise", 64, Request(image_size=32))
    assert len(pickle.dumps(job(probe=probe))) > 1 << 17
    code = f"""
import multiprocessing.resource_tracker, multiprocessing.spawn, pathlib
from ntknas.core.errors import NtknasError
from ntknas.data import Request, make_probe
from ntknas.scoring.engine import Engine
from tests.scoring.test_pool import job, score
if __name__ == "__main__":
    multiprocessing.resource_tracker.ensure_running()
    multiprocessing.spawn.set_executable("/bin/false")
    try:
        what = job(probe=make_probe("noise", 64, Request()))
        score(pathlib.Path({str(tmp_path / "s.h5")!r}), what, [0, 5, 77], Engine(workers=2))
    except NtknasError as error:
        print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=HANGS)
    assert "workers in turn ended (exit code 1) before they began" in done.stdout, done.stderr
