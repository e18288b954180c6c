"""A network of copies is the network that is constructed and drawn anew, bit for bit; and it shares nothing."""

import pytest
import torch
from torch import nn

from ntknas import load_space
from ntknas.core.errors import ChoiceError
from ntknas.spaces import starting
from ntknas.spaces.alike import alike, twin
from ntknas.spaces.initialisation import INITIALISATIONS, initialise
from ntknas.spaces.nats_sss import network as nats_sss
from ntknas.spaces.nb101 import network as nb101
from ntknas.spaces.nb201 import network as nb201
from ntknas.spaces.nb_macro import network as nb_macro
from ntknas.spaces.starting import MEMORY, Memory

HOMES = {"nb201": nb201, "nats-sss": nats_sss, "nb101": nb101, "nb-macro": nb_macro}
CELLS = {"nb201": (8216, 1444), "nats-sss": (777,), "nb101": (1000,), "nb-macro": (777,)}
WAYS = [(name, variant) for name in CELLS for variant in load_space(name).variants]


@pytest.fixture(autouse=True)
def _nothing_remembered():
    MEMORY.clear()
    yield
    MEMORY.clear()


@pytest.fixture
def anew(monkeypatch):
    """Let networks be constructed layer by layer, and drawn operation by operation, as they were before copies."""

    def start(operations, scheme, seed):
        for name, module in operations:
            module.to_empty(device="cpu")
            for norm in (inner for inner in module.modules() if isinstance(inner, nn.BatchNorm2d)):
                norm.reset_running_stats()
            initialise(module, scheme, seed, name)

    def put():
        for home in HOMES.values():
            for name in ("_operation", "operation", "reduction", "_layer"):
                if hasattr(home, name):
                    monkeypatch.setattr(home, name, getattr(home, name).__wrapped__)
            monkeypatch.setattr(home, "start", start)

    return put


def built(name, variant, scheme, seed=3):
    space = load_space(name)
    options = {"channels": 4, "cells_per_stage": 1, "num_classes": 3, "seed": seed, "variant": variant, "init": scheme}
    if name == "nats-sss":
        options.pop("channels")
    return [space.build(cell, **options) for cell in CELLS[name]]


def same(network, other):
    assert repr(network) == repr(other)
    assert [vars(a).keys() for a in network.modules()] == [vars(b).keys() for b in other.modules()]
    ours, theirs = network.state_dict(), other.state_dict()
    assert list(ours) == list(theirs)
    for key, values in ours.items():
        assert values.dtype is theirs[key].dtype
        assert values.stride() == theirs[key].stride()
        assert values.numpy().tobytes() == theirs[key].numpy().tobytes(), key
    assert [p.requires_grad for p in network.parameters()] == [p.requires_grad for p in other.parameters()]


@pytest.mark.parametrize(("name", "variant"), WAYS)
@pytest.mark.parametrize("scheme", INITIALISATIONS)
def test_copies_are_what_would_be_made_anew(name, variant, scheme, anew):
    copies = [built(name, variant, scheme) for _ in range(3)]  # drawn; drawn and remembered; remembered
    assert MEMORY.bytes
    anew()
    for networks in copies:
        for network, other in zip(networks, built(name, variant, scheme), strict=True):
            same(network, other)


def test_seeds_schemes_and_sizes_are_kept_apart(anew):
    ways = [("default", 0), ("default", 1), ("xavier", 0), ("ntk", 0)]
    first = [built("nb201", "official", *way) for way in ways + ways + ways][-len(ways) :]
    wide = load_space("nb201").build(8216, channels=6, cells_per_stage=1, num_classes=3, seed=0)
    anew()
    for networks, way in zip(first, ways, strict=True):
        for network, other in zip(networks, built("nb201", "official", *way), strict=True):
            same(network, other)
    same(wide, load_space("nb201").build(8216, channels=6, cells_per_stage=1, num_classes=3, seed=0))


def test_a_network_shares_nothing_with_the_next():
    built("nb201", "official", "default")
    changed, *_ = built("nb201", "official", "default")
    before = {key: values.clone() for key, values in changed.state_dict().items()}
    for module in changed.modules():
        module.register_forward_hook(lambda *_: None)
        module.eval()
        module.mark = True
    with torch.no_grad():
        for values in changed.state_dict().values():
            values += 1
    following, *_ = built("nb201", "official", "default")
    for key, values in following.state_dict().items():
        assert torch.equal(values, before[key])
    for module in following.modules():
        assert module.training
        assert not module._forward_hooks
        assert not hasattr(module, "mark")
    tensors = [tensor.data_ptr() for tensor in (*changed.state_dict().values(), *following.state_dict().values())]
    assert len(set(tensors)) == len(tensors)


def test_the_global_random_state_is_left_alone():
    torch.manual_seed(5)
    state = torch.get_rng_state()
    built("nb201", "official", "default")
    assert torch.equal(torch.get_rng_state(), state)


def test_a_precision_that_was_set_since_is_kept():
    built("nb201", "official", "default")
    torch.set_default_dtype(torch.float64)
    try:
        for _ in range(3):
            double, *_ = built("nb201", "official", "default")
            assert {parameter.dtype for parameter in double.parameters()} == {torch.float64}
    finally:
        torch.set_default_dtype(torch.float32)


def test_an_unknown_scheme_is_an_error():
    with pytest.raises(ChoiceError, match="initialisation"):
        starting.start([("stem", twin(alike(nn.Linear)(3, 2)))], "none", 0)


def test_what_is_met_once_is_not_kept_and_what_is_too_much_is_forgotten():
    memory, values = Memory(1 << 20), [[torch.zeros(1 << 14), None]]  # 64 KiB, a 16th
    assert not memory.is_met_again("a")
    assert memory.is_met_again("a")
    memory.keep("too large", [[torch.zeros((1 << 14) + 1)]])
    assert memory.bytes == 0
    for number in range(16):
        memory.keep(number, values)
    memory.keep(0, values)
    assert memory.bytes == 1 << 20
    assert memory.get(1) is values  # so that 2 is the one that was not used for longest
    memory.keep(16, values)
    assert memory.get(2) is None
    assert all(memory.get(number) is values for number in (0, 1, 3, 16))
    assert memory.bytes == 1 << 20
    memory.clear()
    assert memory.bytes == 0
    assert memory.get(0) is None
    assert not memory.is_met_again("a")
