"""NAS-Bench-101: the enumeration, the hash and every parameter count against published data; the network."""

import random

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from ntknas import empirical_ntk, load_space
from ntknas.core.errors import ChoiceError
from ntknas.spaces.nb101 import catalogue, counts, enumeration
from ntknas.spaces.nb101.cells import (
    OPERATIONS,
    canonical,
    decode_matrix,
    encode_matrix,
    module_hash,
    parse_cell,
)
from ntknas.spaces.nb101.channels import vertex_channels
from tests.spaces.counting import flops

FIRST = "00005c142e6f48ac74fdcf73e3439874"
CONV3, CONV1, POOL = OPERATIONS


@pytest.fixture(scope="module")
def space():
    return load_space("nb101")


@pytest.fixture(scope="module")
def table(test_data):
    return np.load(test_data / "nb101_cifar10.npz")


def test_size_and_order(space):
    assert len(space) == 423_624
    hashes = [str(space[index]) for index in range(0, len(space), 1000)]
    assert hashes == sorted(hashes)
    assert str(space[0]) == FIRST
    assert space.index(FIRST) == 0
    assert space.parameters(0) == 8_555_530
    found, number = np.unique(space.prepare().vertices, return_counts=True)
    assert dict(zip(found.tolist(), number.tolist(), strict=True)) == enumeration.COUNTS


def test_a_fresh_enumeration_is_what_the_cache_holds(space):
    kept = space.prepare()
    fresh = {}
    for digest, vertices, bits, operations in enumeration.enumerate_cells():
        if vertices == 7:
            break
        fresh[digest] = (vertices, bits, operations)
    small = kept.vertices < 7
    columns = (kept.hashes[small].tolist(), kept.vertices[small], kept.bits[small], kept.operations[small])
    assert fresh == {row[0]: tuple(map(int, row[1:])) for row in zip(*columns, strict=True)}
    seven = enumeration.representatives(7)
    assert len(seven.bits) == 359_082
    assert set(np.unique(seven.bits)) == set(np.unique(kept.bits[kept.vertices == 7]))


def test_every_cell_against_the_published_table(space, table):
    kept = space.prepare()
    assert kept.hashes.tobytes() == table["hash"].tobytes()
    np.testing.assert_array_equal(kept.vertices, table["vertices"])
    np.testing.assert_array_equal(kept.bits, table["adj_bits"])
    np.testing.assert_array_equal(kept.operations, table["ops_base3"])


def test_parameter_counts_against_the_published_table(space, table):
    """Of every eleventh cell: cells are in the order of their hashes, which has nothing to do with their graphs."""
    indices = range(0, len(space), 11)
    np.testing.assert_array_equal([space.parameters(index) for index in indices], table["params"][indices])


def test_the_best_cell_of_the_table(space, table):
    best = int(table["test_acc_108_mean"].argmax())
    assert str(space[best]) == "02e5a0247bbdcf2860b7e96f74961594"
    assert float(table["test_acc_108_mean"][best]) == pytest.approx(0.943176, abs=5e-7)


def test_isomorphic_cells_have_one_hash_and_one_representative(space):
    source = random.Random(0)
    for index in source.sample(range(len(space)), 40):
        cell = space[index]
        assert module_hash(cell.matrix, cell.operations) == cell.hash
        for matrix, operations in _renumbered(cell, source):
            assert module_hash(matrix, operations) == cell.hash
            assert canonical(matrix, operations) == (encode_matrix(cell.matrix), cell.operations)


def _renumbered(cell, source):
    size = len(cell.matrix)
    for _ in range(20):
        order = [0, *source.sample(range(1, size - 1), size - 2), size - 1]
        matrix = tuple(tuple(cell.matrix[x][y] for y in order) for x in order)
        if all(not matrix[x][y] for x in range(size) for y in range(x + 1)):
            yield matrix, tuple(cell.operations[v - 1] for v in order[1:-1])


@pytest.mark.parametrize(
    ("matrix", "outputs", "expected"),
    [
        ("01 00", 128, [64, 128]),
        ("0111 0001 0001 0000", 128, [64, 64, 64, 128]),
        ("01110 00001 00001 00001 00000", 128, [64, 43, 43, 42, 128]),
        ("01100 00011 00010 00001 00000", 128, [64, 64, 64, 64, 128]),
        ("011000 000101 000100 000010 000001 000000", 5, [64, 3, 2, 2, 2, 5]),
    ],
)
def test_the_published_channel_rule(matrix, outputs, expected):
    rows = tuple(tuple(map(int, row)) for row in matrix.split())
    assert vertex_channels(rows, 64, outputs) == expected


def test_too_few_channels_to_share():
    rows = tuple(tuple(map(int, row)) for row in "01110 00001 00001 00001 00000".split())
    with pytest.raises(ChoiceError, match="3 vertices of this cell share.*at least 3, got 2"):
        vertex_channels(rows, 2, 2)


CELLS = random.Random(1).sample(range(423_624), 12)


@pytest.mark.parametrize("index", CELLS)
@pytest.mark.parametrize(("channels", "depth", "classes", "size"), [(16, 1, 10, 32), (8, 2, 3, 9), (128, 3, 10, 8)])
def test_counts_equal_the_built_network(space, index, channels, depth, classes, size):
    options = {"num_classes": classes, "channels": channels, "cells_per_stage": depth}
    network = space.build(index, **options)
    assert sum(p.numel() for p in network.parameters()) == space.parameters(index, **options)
    assert flops(network, size) == space.flops(index, image_size=size, **options)


def _by_the_official_code(network, x):
    """The module loop as the official code writes it, over the network's own layers."""
    x = network.stem(x)
    for layer in network.layers:
        if isinstance(layer, nn.MaxPool2d):
            x = F.max_pool2d(x, 2)
            continue
        matrix, last = layer.matrix, len(layer.matrix) - 1
        tensors, concat = [x], []
        for t in range(1, last):
            add_in = [tensors[s][:, : layer.channels[t]] for s in range(1, t) if matrix[s][t]]
            if matrix[0][t]:
                add_in.append(layer.projections[str(t)](x))
            tensors.append(layer.vertices[str(t)](sum(add_in)))
            if matrix[t][last]:
                concat.append(tensors[t])
        if not concat:
            x = layer.projections[str(last)](x)
        else:
            out = torch.cat(concat, 1)
            x = out + layer.projections[str(last)](x) if matrix[0][last] else out
    return network.classifier(x.mean((2, 3)))


@pytest.mark.parametrize("index", CELLS)
def test_the_network_computes_what_the_official_code_does(space, index):
    network = space.build(index, channels=8, cells_per_stage=2).double()
    x = torch.randn(3, 3, 8, 8, dtype=torch.float64)
    torch.testing.assert_close(network(x), _by_the_official_code(network, x))


def test_the_cell_without_inner_vertices(space):
    index = space.index(module_hash(((0, 1), (0, 0)), ()))
    network = space.build(index, channels=4, cells_per_stage=1)
    assert network(torch.zeros(2, 3, 8, 8)).shape == (2, 10)
    assert space[index].operations == ()


@pytest.mark.parametrize("index", CELLS[:6])
@pytest.mark.parametrize("policy", ["frozen", "per-sample", "coupled"])
def test_the_strategy_against_the_oracle(space, index, policy):
    network = space.build(index, channels=8, cells_per_stage=1).double()
    x, y = torch.randn(4, 3, 8, 8, dtype=torch.float64), torch.arange(4)
    got = empirical_ntk(network, x, labels=y, batch_norm=policy, parameters="all")
    expected = empirical_ntk(network, x, labels=y, batch_norm=policy, parameters="all", strategy="row-loop")
    assert got.strategy == ("row-loop" if policy == "coupled" else "layer-wise")
    torch.testing.assert_close(got.matrix, expected.matrix, rtol=1e-9, atol=1e-9)


def test_building_repeats_and_seeds_differ(space):
    first, second, other = (space.build(5, channels=8, cells_per_stage=1, seed=seed) for seed in (3, 3, 4))
    for a, b in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(a, b)
    assert not torch.equal(first.classifier.weight, other.classifier.weight)


def test_cells_are_read_by_hash_and_by_matrix(space):
    assert parse_cell(FIRST.upper()) == FIRST
    cell = space[77]
    rows = " ".join("".join(map(str, row)) for row in cell.matrix)
    assert space.index(f"{rows}: input,{','.join(cell.operations)},output") == 77
    dangling = "0110 0001 0000 0000: input,conv3x3-bn-relu,maxpool3x3,output"
    assert parse_cell(dangling) == parse_cell("010 001 000: input,conv3x3-bn-relu,output")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hello", "neither a hash nor a matrix"),
        ("0" * 32, "No NAS-Bench-101 cell has the hash"),
        ("01 00: input,output,output", "a matrix of as many rows and columns as there are operations"),
        ("011 001 000: input,maxpool3x3,maxpool3x3", "the first operation is input, the last one output"),
        ("010 001 000: input,conv5x5,output", "operations are input, any of conv3x3"),
        ("010 001 100: input,maxpool3x3,output", "from earlier to later"),
        ("00 00: input,output", "no path leads"),
        ("01111 00111 00011 00001 00000: input,maxpool3x3,maxpool3x3,maxpool3x3,output", "at most 9 edges"),
    ],
)
def test_what_is_no_cell(space, text, message):
    with pytest.raises(ChoiceError, match=message):
        space.index(text)


def test_out_of_range_and_impossible_options(space):
    with pytest.raises(ChoiceError, match="0 to 423623 for nb101, got 423624"):
        space.build(423_624)
    with pytest.raises(ChoiceError, match="`channels` must be at least 1"):
        space.build(0, channels=0)
    with pytest.raises(ChoiceError, match="Unknown network variant"):
        space.build(0, variant="mine")


EXAMPLE = (
    "0111111 0011001 0001000 0000100 0000000 0000000 0000000: input,conv3x3-bn-relu,conv1x1-bn-relu,conv1x1-bn-relu,"
    "maxpool3x3,conv3x3-bn-relu,output"
)


@pytest.mark.parametrize(
    ("text", "pruned"),
    [
        (EXAMPLE, "011 001 000: input,conv3x3-bn-relu,output"),
        (
            "01000001 00100000 00010000 00001000 00000100 00000010 00000000 00000000: input,"
            + "maxpool3x3," * 6
            + "output",
            "01 00: input,output",
        ),
        ("0110 0001 0000 0000: input,conv3x3-bn-relu,none,output", "010 001 000: input,conv3x3-bn-relu,output"),
    ],
)
def test_limits_hold_for_what_lies_between_input_and_output(space, text, pruned):
    """As in the official ``ModelSpec``: ten edges, eight vertices, an unknown operation, of which little is left."""
    assert space.index(text) == space.index(pruned)


def test_the_published_index_of_a_cell_with_ten_edges(space):
    assert space.index(EXAMPLE) == 349_290


def test_limits_hold_after_pruning_too(space):
    chain = ["0" * (x + 1) + "1" + "0" * (6 - x) for x in range(7)]
    with pytest.raises(ChoiceError, match="at most 7 vertices"):
        space.index(" ".join([*chain, "0" * 8]) + ": input," + "maxpool3x3," * 6 + "output")


def test_every_damaged_cache_is_noticed(tmp_path):
    """Types and shapes too, which the digest of the content does not cover."""
    kept = catalogue.load()
    fields = {name: getattr(kept, name) for name in catalogue._FIELDS}
    path = tmp_path / "cells.npz"
    for name, other in (
        ("bits", kept.bits.view(">u4")),
        ("hashes", kept.hashes.view("S16")),
        ("vertices", kept.vertices.view("i1")),
        ("operations", kept.operations.reshape(2, -1)),
        ("vertices", kept.vertices.reshape(1, -1)),
        ("operations", kept.operations[:-1]),
    ):
        np.savez(path, **{**fields, name: other})
        assert catalogue._read(path) is None, name
    for content in (b"", b"PK\x05\x06" + bytes(18), b"junk" * 30):
        path.write_bytes(content)
        assert catalogue._read(path) is None


def test_no_damaged_head_of_a_cache_ends_in_an_error(tmp_path):
    """Every byte of an archive that is not content flipped, which zip's checksums do not all cover."""
    kept = catalogue.load()
    np.savez_compressed(tmp_path / "good.npz", **{name: getattr(kept, name)[:0] for name in catalogue._FIELDS})
    template = (tmp_path / "good.npz").read_bytes()
    path = tmp_path / "cells.npz"
    for place in range(len(template)):
        path.write_bytes(bytes([*template[:place], template[place] ^ 0x41, *template[place + 1 :]]))
        assert catalogue._read(path) is None


def test_a_damaged_cache_is_not_used(tmp_path, caplog):
    path = tmp_path / "nb101-cells.npz"
    assert catalogue._read(path) is None
    path.write_bytes(b"PK\x03\x04 not an archive")
    assert catalogue._read(path) is None
    assert "cannot be read" in caplog.text
    kept = catalogue.load()
    bits = kept.bits.copy()
    bits[5] ^= 1
    catalogue._write(path, catalogue.Catalogue(kept.hashes, kept.vertices, bits, kept.operations))
    assert catalogue._read(path) is None
    assert "not the catalogue" in caplog.text
    catalogue._write(path, kept)
    assert catalogue._read(path).digest == catalogue.DIGEST
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_matrices_are_numbers_and_back():
    for bits in (0b1, 0b111, 1205349):
        size = 7 if bits > 7 else 3
        assert encode_matrix(decode_matrix(bits, size)) == bits


def test_the_formula_holds_on_the_first_published_cell(space):
    cell = space[0]
    options = {"num_classes": 10, "channels": 128, "cells_per_stage": 3}
    assert counts.count_parameters(cell.matrix, cell.operations, **options) == 8_555_530
