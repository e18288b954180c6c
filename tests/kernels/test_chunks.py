"""Kernels chunk by chunk: how many chunks are held, how often they pass, and networks whose chunks differ."""

import weakref

import pytest
import torch
from torch import nn

from ntknas.core.errors import KernelError
from ntknas.kernels import chunks, empirical_ntk, memory
from ntknas.kernels.gram import GramAccumulator
from tests.kernels import cases

ROWS_OF_A_CHUNK = 4 * 7 * 8
"""Bytes: four rows of seven float64 numbers."""


def _sweeps(monkeypatch, room, n, m=None):
    """Return a kernel of random rows from chunks of four, its rows, and the chunks that passed."""
    monkeypatch.setattr(memory, "room", lambda device: room)
    generator = torch.Generator().manual_seed(0)
    rows = [torch.randn(size, 7, generator=generator, dtype=torch.float64) for size in (n, m) if size]
    parts, passed = [side.split(4) for side in rows], []

    def sweep(side, number, receive):
        passed.append((side, number))
        receive("first", parts[side][number][:, :5])
        receive("last", parts[side][number][:, 5:])

    whole = GramAccumulator([len(side) for side in rows], 7, True, torch.device("cpu"))
    found = chunks.assembled([[len(part) for part in side] for side in parts], sweep, whole)
    return found, rows, passed


@pytest.mark.parametrize("held", [0, 1, 2, 3, 99])
@pytest.mark.parametrize("sizes", [(4, None), (18, None), (18, 11), (3, 18)])
def test_any_number_of_chunks_may_be_held(monkeypatch, sizes, held):
    found, rows, _ = _sweeps(monkeypatch, held * ROWS_OF_A_CHUNK, *sizes)
    expected, _, _ = _sweeps(monkeypatch, 99 * ROWS_OF_A_CHUNK, *sizes)
    assert torch.allclose(found.gram, rows[0] @ rows[-1].T, rtol=1e-13)
    assert torch.equal(found.gram, expected.gram)
    for side, values in enumerate(rows):
        assert torch.allclose(found.norms[side], values.square().sum(1))
        assert torch.allclose(found.sums[side], values.sum(1))


@pytest.mark.parametrize(("held", "passes"), [(0, 5 + 4 + 3 + 2 + 1), (1, 15), (2, 5 + 3 + 1), (3, 5 + 2), (5, 5)])
def test_passes_of_one_batch(monkeypatch, held, passes):
    _, _, passed = _sweeps(monkeypatch, held * ROWS_OF_A_CHUNK, 20)
    assert len(passed) == passes


@pytest.mark.parametrize(("held", "passes"), [(1, 5 + 5 * 3), (2, 5 + 3 * 3), (5, 5 + 3)])
def test_passes_of_two_batches(monkeypatch, held, passes):
    _, _, passed = _sweeps(monkeypatch, held * ROWS_OF_A_CHUNK, 20, 12)
    assert len(passed) == passes


_OF_ANY_SIZE = [case for case in cases.CASES if case.name != "time first"]


@pytest.mark.parametrize(
    ("case", "output"), [(case, ("sum", "full", "traced")[number % 3]) for number, case in enumerate(_OF_ANY_SIZE)]
)
def test_kernels_with_room_for_one_chunk(monkeypatch, case, output):
    network, (x, _) = case.network(), cases.batch()
    arguments = {"output": output, "batch_norm": "eval" if case.tracked else "frozen", "parameters": "all", "chunk": 2}
    expected = empirical_ntk(network, x, **arguments)
    monkeypatch.setattr(memory, "room", lambda device: 0)
    got = empirical_ntk(network, x, **arguments)
    assert torch.equal(got.matrix, expected.matrix)
    assert got.strategy == expected.strategy


@pytest.mark.parametrize("strategy", ["layer-wise", "row-loop"])
def test_rows_are_let_go(monkeypatch, strategy):
    """Nothing that is held, no graph and no network, outlives the kernel."""
    kept, keep = [], chunks._Held.keep

    def watched(self, number, pieces):
        keep(self, number, pieces)
        kept.append(weakref.ref(self))

    monkeypatch.setattr(chunks._Held, "keep", watched)
    monkeypatch.setattr(memory, "room", lambda device: 0)
    network, (x, _) = cases._batch_norm().double(), cases.batch()
    empirical_ntk(network, x, parameters="all", chunk=2, strategy=strategy, verify=False)
    assert len(kept) == 3
    assert not any(ref() for ref in kept)


class Chooses(nn.Module):
    """Uses one layer or the other, as the first image says."""

    def __init__(self):
        super().__init__()
        self.one, self.other = nn.Linear(3, 2, bias=False), nn.Linear(3, 2, bias=False)

    def forward(self, x):
        return self.one(x) if x[0, 0] > 0 else self.other(x)


def test_chunks_of_unlike_columns():
    """Each chunk is a layer's own: kernels between them are zero."""
    network, x = Chooses().double(), torch.tensor([[1.0, 2, 3], [4, 5, 6], [-1, 2, 3], [-4, 5, 6]], dtype=torch.float64)
    with pytest.raises(KernelError, match="unlike columns"):
        empirical_ntk(network, x, chunk=2, verify=False, strategy="layer-wise")
    got = empirical_ntk(network, x, chunk=2, verify=False)
    assert got.strategy == "row-loop"
    assert torch.equal(got.matrix, 2 * torch.block_diag(x[:2] @ x[:2].T, x[2:] @ x[2:].T))


@pytest.mark.parametrize(("free", "room"), [(None, 1 << 29), (1 << 40, 1 << 29), (1 << 30, 1 << 28)])
def test_room_is_a_quarter_of_what_is_free(monkeypatch, free, room):
    monkeypatch.setattr(memory, "available", lambda: free)
    assert memory.room(torch.device("cpu")) == room
