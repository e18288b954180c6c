"""The Ray engine on a real cluster of two nodes on this machine, one of which dies."""

import os
import signal
import subprocess
import sys
import time

import pytest

from ntknas import load_store
from ntknas.core.errors import KernelError, NtknasError
from ntknas.data import Request, make_probe
from ntknas.measures import expand
from ntknas.scoring.engine import Engine
from tests.scoring.fatal import BROKEN, ENDLESS, KILLED, FatalSpace
from tests.scoring.test_pool import CELLS, job, same, score

ray = pytest.importorskip("ray")
pytestmark = pytest.mark.filterwarnings("ignore")
from ntknas.scoring.ray_engine import _connected  # noqa: E402  (it needs ray)

RAY = Engine("ray", None)


@pytest.fixture(scope="module")
def cluster():
    from ray.cluster_utils import Cluster

    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "object_store_memory": 100 * 2**20})
    made.add_node(num_cpus=1, object_store_memory=100 * 2**20)
    ray.init(address=made.address, log_to_driver=False)
    yield made
    ray.shutdown()
    made.shutdown()


def test_two_nodes_give_what_one_process_gives(cluster, tmp_path):
    assert ray.cluster_resources()["CPU"] == 2
    alone = score(tmp_path / "alone.h5", job(), CELLS, Engine())
    same(alone, score(tmp_path / "ray.h5", job(), CELLS, RAY))


def test_fatal_cells_become_statuses(cluster, tmp_path):
    (tmp_path / "kills").mkdir()
    what = job(FatalSpace(tmp_path / "kills"), measures=("trace",))
    found = score(tmp_path / "s.h5", what, [*CELLS[:3], KILLED, BROKEN], RAY)
    statuses = found["status"].astype(str).droplevel(["seed", "measure"]).to_dict()
    assert statuses == {**dict.fromkeys(CELLS[:3], "ok"), KILLED: "crashed", BROKEN: "error"}


def test_a_cell_that_takes_for_ever_is_given_up(cluster, tmp_path):
    what = job(FatalSpace(tmp_path), measures=("trace",))
    found = score(tmp_path / "s.h5", what, [ENDLESS], Engine("ray", None, timeout=1))
    assert found["status"].astype(str).tolist() == ["timeout"]


def test_an_impossible_recipe_stops_the_run_with_its_message(cluster, tmp_path):
    tiny = make_probe("digits", 10, Request(image_size=4))
    with pytest.raises(KernelError, match="two values per channel"):
        score(tmp_path / "s.h5", job(probe=tiny, batch_norm="per-sample"), [8216], RAY)


def test_no_gpu_in_the_cluster(cluster, tmp_path):
    with pytest.raises(NtknasError, match="no GPU"):
        score(tmp_path / "s.h5", job(), CELLS, Engine("ray", None, device="cuda"))


def test_a_node_that_dies_in_mid_run_costs_nothing(cluster, tmp_path):
    """Last in this file: one node is gone after it."""
    cells, seen = list(range(0, 15625, 400)), []
    second = next(node for node in cluster.worker_nodes)

    def kill(progress):
        seen.append(progress)
        if len(seen) == 5:
            cluster.remove_node(second, allow_graceful=False)

    found = score(tmp_path / "s.h5", job(), cells, RAY, on_progress=kill)
    end = time.monotonic() + 60
    while ray.cluster_resources()["CPU"] > 1:  # the head notices after a while
        assert time.monotonic() < end
        time.sleep(0.2)
    same(found, score(tmp_path / "alone.h5", job(), cells, Engine()))


def test_signals_stay_the_commands_and_the_path_is_safe(monkeypatch):
    seen = []

    def init(**_):
        seen.append(os.environ.get("PYTHONSAFEPATH"))
        signal.signal(signal.SIGTERM, lambda *_: None)  # as Ray does

    for name, value in {"is_initialized": lambda: False, "init": init, "shutdown": lambda: None}.items():
        monkeypatch.setattr(ray, name, value)
    before = signal.getsignal(signal.SIGTERM)
    with _connected(None):
        assert signal.getsignal(signal.SIGTERM) is before
    assert seen == ["1"]


def test_the_command_starts_a_cluster_here_or_says_that_there_is_none(tmp_path):
    command = [sys.executable, "-m", "ntknas", "score", "--probe", "digits", "--probe-size", "8", "--channels", "2"]
    command += ["--cells-per-stage", "1", "--cells", "4", "--engine", "ray", "--store", str(tmp_path / "s.h5")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(load_store(tmp_path / "s.h5")) == 4 * len(expand(["kernel"]))
    done = subprocess.run([*command, "--ray-address", "127.0.0.1:1", "--seeds", "2"], capture_output=True, text=True)
    assert done.returncode == 1
    assert "Cannot use a Ray cluster at 127.0.0.1:1" in done.stderr
    assert "Traceback" not in done.stderr
