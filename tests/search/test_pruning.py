"""A pruning against a slow one: kernels row by row, patterns as texts, everything from the same draws."""

import math
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import torch
from torch import nn

from ntknas import load_space
from ntknas.core.errors import ChoiceError, DataError
from ntknas.data.image_set import ImageSet, Request
from ntknas.data.sources import load_images
from ntknas.search.pruning import AS_LAUNCHED, Candidate, Journal, PruneSettings, prune_supernet
from ntknas.search.pruning.draws import Draws
from ntknas.search.pruning.pairs import condition_number, count_regions
from ntknas.spaces.nb201.cells import OPERATIONS
from tests.search.test_pruning_rule import published
from tests.search.toy_supernet import CHOICES, ToySpace

SETTINGS = PruneSettings(batch=5, repeats=2, channels=2, crop_batches=2, crops=12)
SMALL = PruneSettings(batch=3, repeats=1, channels=1, crop_batches=1, crops=20)


@pytest.fixture(scope="module")
def images():
    return load_images("digits", Request(image_size=8))


@pytest.fixture(scope="module")
def space():
    return ToySpace()


def slow_cond(network, x):
    """λ_1 / λ_n of the kernel of summed logits by all weights, a backward pass for each row; ∞ for a singular one."""
    network = network.double().train()
    weights = [parameter for name, parameter in network.named_parameters() if "weight" in name]
    outputs = network(x.double()).sum(1)
    rows = []
    for output in outputs:
        gradients = torch.autograd.grad(output, weights, retain_graph=True, allow_unused=True)
        rows.append(
            torch.cat(
                [torch.zeros(w.numel()) if g is None else g.flatten() for w, g in zip(weights, gradients, strict=True)]
            )
        )
    spectrum = np.linalg.eigvalsh(torch.stack(rows).numpy() @ torch.stack(rows).numpy().T)
    return spectrum[-1] / spectrum[0] if spectrum[0] > 1e-9 * spectrum[-1] else math.inf


def slow_change(kept, pruned, decimals):
    """The rounded share that is lost; of what is infinite the limit."""
    if math.inf in (kept, pruned):
        return {(True, False): 1.0, (False, True): -math.inf, (True, True): 0.0}[kept == math.inf, pruned == math.inf]
    return round((kept - pruned) / kept, decimals)


def slow_regions(network, batches):
    """Number of different texts of zeros and ones, one for each sample."""
    seen = []
    for module in network.modules():
        if isinstance(module, nn.ReLU):
            module.register_forward_hook(lambda _module, _inputs, output: seen.append(output))
    texts = set()
    for samples in batches:
        seen.clear()
        network(samples)
        texts |= {"".join(str(int(v > 0)) for output in seen for v in output[n].flatten()) for n in range(len(samples))}
    return len(texts)


def slow_round(space, images, settings, seed, kept, number):
    """The measured pairs of a round, then the published rule."""
    draws, measured = Draws(images, settings, seed), {}
    for position, names in enumerate(kept):
        for name in names if len(names) > 1 else ():
            pruned = [tuple(n for n in held if (p, n) != (position, name)) for p, held in enumerate(kept)]
            candidate = Candidate(number, position, space.choices[position].index(name))
            pairs = []
            for draw in draws.of(candidate):
                options = {"num_classes": images.num_classes, "seed": draw.seed, "channels": settings.channels}
                nets = [space.supernet(k, init=settings.init, cells_per_stage=1, **options) for k in (kept, pruned)]
                lone = [
                    space.super_cell(k, channels=1, seed=draw.region_seed, init=settings.region_init)
                    for k in (kept, pruned)
                ]
                batch, crops = draw.batch(), draw.crops()
                pairs.append(([slow_cond(n, batch) for n in nets], [slow_regions(c, crops) for c in lone]))
            changes = [[slow_change(a, b, settings.decimals) for a, b in part] for part in zip(*pairs, strict=True)]
            measured[candidate] = tuple(map(np.mean, changes))
    return measured


@pytest.mark.parametrize("seed", [0, 1])
def test_every_round_is_that_of_a_slow_pruning(space, images, seed):
    result = prune_supernet(space, images, SETTINGS, seed)
    kept = (("small", "wide"), CHOICES[1])
    assert len(result.rounds) == 2
    for number, one in enumerate(result.rounds):
        assert one.kept == kept
        slow = slow_round(space, images, SETTINGS, seed, kept, number)
        assert [(row.position, space.choices[row.position].index(row.choice)) for row in one.rows] == [
            c[1:] for c in slow
        ]
        ours = np.array([(row.cond_change, row.region_change) for row in one.rows])
        np.testing.assert_allclose(ours, list(slow.values()), rtol=1e-3, atol=6e-4)  # half a unit of the last decimal
        table = [(*changes, candidate.position) for changes, candidate in zip(ours.tolist(), slow, strict=True)]
        ranks, gone = published(table, 3, 1)
        assert [tuple(row.ranks) for row in one.rows] == [ranks[place] for place in range(len(table))]
        assert {place for place, row in enumerate(one.rows) if row.pruned} == gone
        lost = [(row.position, row.choice) for row in one.rows if row.pruned]
        kept = tuple(tuple(n for n in names if (position, n) not in lost) for position, names in enumerate(kept))
        assert one.left == kept
    assert result.text == "+".join(names[0] for names in kept)
    assert space[result.cell] == result.text


def test_nas_bench_201():
    space = load_space("nb201")
    noise = load_images("noise", Request(size=8, image_size=4))
    result = prune_supernet(space, noise, replace(SMALL, pruned_per_round=5))
    (only,) = result.rounds
    assert [(row.position, row.choice) for row in only.rows] == list(product(range(6), OPERATIONS[1:]))
    assert all(sum(row.pruned for row in only.rows if row.position == edge) == 3 for edge in range(6))
    assert space[result.cell].operations == tuple(name for (name,) in only.left)
    assert result.text == str(space[result.cell])
    assert {(row["position"], row["choice"]) for row in result.table() if not row["pruned"]} == set(
        enumerate(space[result.cell].operations)
    )
    assert result.seconds > 0
    assert result.processor_seconds > 0


def test_an_interrupted_pruning_goes_on(space, images, tmp_path):
    whole = prune_supernet(space, images, SETTINGS, 3)
    file = tmp_path / "journals" / "three.jsonl"
    journal = Journal(file, space, images, SETTINGS, 3)

    def stop_after_four(measurement):
        journal.keep(measurement)
        if len(journal.known) == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prune_supernet(space, images, SETTINGS, 3, keep=stop_after_four)
    with file.open("a") as stream:
        stream.write('{"candidate": [0, 1')  # a write that was cut off
    again, new = Journal(file, space, images, SETTINGS, 3), []
    assert again.known == journal.known
    result = prune_supernet(
        space, images, SETTINGS, 3, known=again.known, keep=lambda one: (again.keep(one), new.append(one))
    )
    assert list(result.table()) == list(whole.table())
    assert len(new) == len(list(whole.table())) - 4
    assert Journal(file, space, images, SETTINGS, 3).known == again.known


def test_a_journal_of_another_pruning_is_refused(space, images, tmp_path):
    Journal(tmp_path / "a", space, images, SETTINGS, 0)
    with pytest.raises(DataError, match="no journal of this pruning"):
        Journal(tmp_path / "a", space, images, SETTINGS, 1)
    with pytest.raises(DataError, match="no journal of this pruning"):
        Journal(tmp_path / "a", space, images, SMALL, 0)
    with (tmp_path / "a").open("a") as stream:
        stream.write('{"candidate": [0]}\n')
    with pytest.raises(DataError, match="Line 2"):
        Journal(tmp_path / "a", space, images, SETTINGS, 0)


def test_infinite_condition_numbers_are_kept(space, images, tmp_path):
    one = next(iter(_measured(space, images)))
    one = replace(one, conds=((math.inf, 2.5), (3.25, math.inf)))
    Journal(tmp_path / "a", space, images, SETTINGS, 0).keep(one)
    assert Journal(tmp_path / "a", space, images, SETTINGS, 0).known == [one]


def _measured(space, images):
    kept = []
    prune_supernet(space, images, SMALL, keep=kept.append)
    return kept


def test_what_leads_nowhere_has_an_infinite_condition_number(images):
    dead = (("none",), ("none",), ("nor_conv_3x3", "skip_connect"), ("none",), ("none",), ("nor_conv_1x1",))
    space, x = load_space("nb201"), images.take(np.arange(4))
    options = {"channels": 1, "cells_per_stage": 1}
    assert condition_number(space.supernet(dead, **options), x) == math.inf
    alive = (*dead[:3], ("nor_conv_3x3",), *dead[4:])  # with branches that are dead
    network = space.supernet(alive, **options)
    assert condition_number(network, x) == pytest.approx(slow_cond(network, x), rel=1e-3)


def test_regions_are_counted_over_batches_that_are_normalised_by_themselves():
    torch.manual_seed(3)
    cell = nn.Sequential(nn.BatchNorm2d(1), nn.ReLU())
    low, high = torch.randn(40, 1, 2, 2), torch.randn(40, 1, 2, 2) + 100
    assert count_regions(cell.eval(), [low, high]) == slow_regions(cell.train(), [low, high]) == 16
    assert count_regions(cell, [torch.cat([low, high])]) == 2


def test_draws_are_of_their_repeat_alone(images):
    draws = Draws(images, SETTINGS, 7)
    first, second = draws.of(Candidate(1, 2, 0))
    again, _ = Draws(images, SETTINGS, 7).of(Candidate(1, 2, 0))
    assert torch.equal(first.batch(), again.batch())
    assert all(map(torch.equal, first.crops(), again.crops()))
    others = [second, next(draws.of(Candidate(1, 2, 1))), next(Draws(images, SETTINGS, 8).of(Candidate(1, 2, 0)))]
    assert len({one.seed for one in (first, *others)} | {one.region_seed for one in (first, *others)}) == 8
    assert not any(torch.equal(first.batch(), other.batch()) for other in others)


def test_as_launched_a_round_has_one_supernet_and_a_candidate_one_cell(images):
    draws = Draws(images, replace(AS_LAUNCHED, batch=4), 7)
    one, other, later = (list(draws.of(Candidate(*place))) for place in ((1, 2, 0), (1, 3, 1), (2, 2, 0)))
    assert len({draw.seed for draw in (*one, *other)}) == 1
    assert len({draw.seed for draw in (*one, *later)}) == 2
    assert [len({draw.region_seed for draw in draws_}) for draws_ in (one, other, [*one, *other, *later])] == [1, 1, 3]
    assert not torch.equal(one[0].batch(), one[1].batch())


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_crops_are_squares_of_different_images_with_some_channels_in_order(channels):
    stored = torch.arange(6 * 3 * 5 * 4, dtype=torch.float32).reshape(6, 3, 5, 4)
    few = ImageSet("numbers", np.zeros(6, np.int64), 1, lambda places: stored[torch.as_tensor(places)])
    settings = PruneSettings(batch=2, crop_batches=3, crops=2, crop_side=3, region_channels=channels)
    crops = torch.cat(next(Draws(few, settings, 0).of(Candidate(0, 0, 0))).crops())
    seen = set()
    for crop in crops:
        corner = int(crop[0, 0, 0])
        image, rest = divmod(corner, 60)
        row, column = divmod(rest % 20, 4)
        taken = [int(channel[0, 0]) % 60 // 20 for channel in crop]
        assert taken == sorted(set(taken))
        assert torch.equal(crop, stored[image, taken, row : row + 3, column : column + 3])
        seen.add(image)
    assert seen == set(range(6))  # none twice before all were taken


@pytest.mark.parametrize(
    ("options", "said"),
    [({"batch": 0}, "batch"), ({"region_channels": 4}, "region_channels"), ({"init": "zeros"}, "initialisation")],
)
def test_impossible_settings(options, said):
    with pytest.raises(ChoiceError, match=said):
        PruneSettings(**options)


def test_what_cannot_be_pruned_is_said(space, images):
    with pytest.raises(ChoiceError, match="no supernet"):
        prune_supernet(load_space("nats-sss"), images, SMALL)
    with pytest.raises(ChoiceError, match="leaves nothing to position 1"):
        prune_supernet(space, images, PruneSettings(without=("small", "wide", "skip")))
    with pytest.raises(DataError, match="has 1,438|has 1438"):
        prune_supernet(space, images, PruneSettings(batch=2000))
