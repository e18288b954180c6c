"""Kernels of graph, recurrent and transformer networks: the limit of finite ones, and equal to plain recursions."""

import math

import numpy as np
import pytest
import torch

from ntknas import empirical_ntk
from ntknas.core.errors import ChoiceError, DataError, KernelError
from ntknas.kernels import memory
from ntknas.kernels.analytic import GraphNetwork, Graphs, RecurrentNetwork, Sequences, TransformerNetwork, blocks
from ntknas.kernels.analytic.layers import erf, relu


def some_graphs(count=5, features=3, seed=0):
    generator = torch.Generator().manual_seed(seed)
    nodes, edges = [], []
    for number in range(count):
        size = 3 + number % 4
        upper = torch.triu((torch.rand(size, size, generator=generator) < 0.5).double(), 1)
        nodes.append(torch.randn(size, features, generator=generator).double())
        edges.append(upper + upper.T)
    return Graphs(tuple(nodes), tuple(edges))


def some_sequences(lengths=(4, 6, 5, 6, 1), features=3, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return Sequences.of([torch.randn(length, features, generator=generator) for length in lengths])


GRAPHS, SEQUENCES = some_graphs(), some_sequences()
NETWORKS = {
    "graph-sum": GraphNetwork(),
    "graph-degree-two-layers": GraphNetwork(layers=2, aggregation="degree"),
    "graph-jumping-erf-bias": GraphNetwork(jumping=True, activation="erf", bias_std=0.3),
    "graph-jumping-one-block": GraphNetwork(
        blocks=1, layers=2, jumping=True, aggregation="degree", readout_std=0.7, readout_bias_std=0.5
    ),
    "graph-three-blocks-bias": GraphNetwork(blocks=3, aggregation="degree", bias_std=0.5, weight_std=1.0),
    "recurrent-erf-last": RecurrentNetwork(),
    "recurrent-relu-mean": RecurrentNetwork(activation="relu", pooling="mean", weight_std=1.2),
    "recurrent-deep-initial": RecurrentNetwork(depth=2, initial_std=0.7, bias_std=0.3),
    "recurrent-deep-relu": RecurrentNetwork(2, "relu", "mean", 1.2, 0.8, 0.2, 1.0, 0.9, 0.6),
    "recurrent-relu-last": RecurrentNetwork(activation="relu", weight_std=1.2, input_std=0.5, bias_std=0.0),
    "transformer-tied": TransformerNetwork(),
    "transformer-untied": TransformerNetwork(attention="untied"),
    "transformer-tied-deep": TransformerNetwork(depth=2, readout_std=1.5, readout_bias_std=0.8),
    "transformer-untied-deep-erf": TransformerNetwork(2, "untied", "erf", layer_norm=False),
    "transformer-tied-without-norm": TransformerNetwork(layer_norm=False, weight_std=1.1, bias_std=0.4),
}


def samples_of(network):
    return GRAPHS if isinstance(network, GraphNetwork) else SEQUENCES


def packed(network, samples):
    return samples.packed(network.aggregation) if isinstance(network, GraphNetwork) else samples.packed()


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_the_mean_over_finite_networks_is_the_limit(name):
    network, repeats = NETWORKS[name], 16
    samples = samples_of(network)
    limit, x, kernels, squares = network.kernel(samples), packed(network, samples), [], []
    for seed in range(repeats):
        finite = network.network(3, 200, outputs=1, seed=seed).double()
        kernels.append(empirical_ntk(finite, x, parameters="all", verify=seed == 0).matrix)
    for seed in range(100):
        finite = network.network(3, 200, outputs=32, seed=1000 + seed).double()
        with torch.no_grad():
            f = finite(x)
        squares.append(f @ f.T / 32)
    for found, expected, bias in [(kernels, limit.ntk, 0.03), (squares, limit.nngp, 0.05)]:
        stack = torch.stack(found)
        error = stack.std(0) / math.sqrt(len(stack))
        size = (expected.diagonal()[:, None] * expected.diagonal()).sqrt()
        assert ((stack.mean(0) - expected).abs() < 4.5 * error + bias * size).all()
        assert float((stack.mean(0) - expected).norm() / expected.norm()) < 0.2  # the test could fail


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_blocks_change_nothing_and_kernels_are_positive(name, monkeypatch):
    network = NETWORKS[name]
    samples = samples_of(network)
    whole = network.kernel(samples)
    chosen = samples.take([1, 3]) if isinstance(samples, Graphs) else samples.take(torch.tensor([1, 3]))
    cross = network.kernel(samples, chosen)
    monkeypatch.setattr(blocks, "MAX_BLOCK_BYTES", 1)
    near = {"rtol": 1e-7, "atol": 1e-7}  # an angle of zero is known to 1e-8
    for kind in ("nngp", "ntk"):
        torch.testing.assert_close(getattr(network.kernel(samples), kind), getattr(whole, kind), **near)
        torch.testing.assert_close(getattr(cross, kind), getattr(whole, kind)[:, [1, 3]], **near)
        assert torch.equal(getattr(whole, kind), getattr(whole, kind).T)
        values = torch.linalg.eigvalsh(getattr(whole, kind))
        assert values[0] > -1e-12 * values[-1]


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_parametrisations_are_one_function_at_initialisation(name):
    network = NETWORKS[name]
    x = packed(network, samples_of(network))
    ours, standard = (
        network.network(3, 16, outputs=2, seed=3, parametrisation=each).double() for each in ("ntk", "standard")
    )
    with torch.no_grad():
        torch.testing.assert_close(ours(x), standard(x), rtol=1e-5, atol=1e-5)  # weights are drawn in float32


@pytest.mark.parametrize("name", ["graph-jumping-erf-bias", "recurrent-deep-initial", "transformer-untied"])
def test_finite_kernels_by_both_strategies(name):
    network = NETWORKS[name]
    x = packed(network, samples_of(network))
    for parametrisation in ("ntk", "standard"):
        finite = network.network(3, 7, outputs=2, seed=0, parametrisation=parametrisation).double()
        fast, slow = (
            empirical_ntk(finite, x, "traced", parameters="all", strategy=strategy).matrix
            for strategy in ("layer-wise", "row-loop")
        )
        torch.testing.assert_close(fast, slow, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("jumping", [False, True])
@pytest.mark.parametrize("aggregation", ["sum", "degree"])
@pytest.mark.parametrize(("count", "layers"), [(1, 1), (2, 1), (3, 2)])
def test_graphs_against_the_published_recursion(count, layers, aggregation, jumping):
    """Du et al. (2019), equations of section 3, pair by pair; features are not divided by √D there."""
    network = GraphNetwork(count, layers, aggregation, jumping)
    ours = network.kernel(GRAPHS).ntk
    for a in range(len(GRAPHS)):
        for b in range(len(GRAPHS)):
            expected = published_gntk(GRAPHS, a, b, count, layers, aggregation, jumping)
            assert float(ours[a, b]) * 3 == pytest.approx(expected, rel=1e-7)


def published_gntk(graphs, a, b, count, layers, aggregation, jumping):
    def step(own, edges, edges2):
        first, second = edges + np.eye(len(edges)), edges2 + np.eye(len(edges2))
        scale = np.outer(*(each.sum(1) for each in (first, second))) if aggregation == "degree" else 1.0
        return first @ own @ second.T / scale

    x, x2 = (graphs.features[place].numpy() for place in (a, b))
    edges, edges2 = (graphs.adjacency[place].numpy() for place in (a, b))
    sigma, one, two = x @ x2.T, x @ x.T, x2 @ x2.T
    theta = sigma.copy()
    total = theta.sum()
    for _ in range(count):
        sigma, theta = (step(each, edges, edges2) for each in (sigma, theta))
        one, two = step(one, edges, edges), step(two, edges2, edges2)
        for _ in range(layers):
            norm = np.sqrt(np.outer(np.diag(one), np.diag(two)))
            dot = (np.pi - np.arccos(np.clip(sigma / norm, -1, 1))) / np.pi
            sigma = arc_cosine(sigma, np.diag(one), np.diag(two))
            theta = theta * dot + sigma
            one, two = (arc_cosine(each, np.diag(each), np.diag(each)) for each in (one, two))
        total = total + theta.sum() if jumping else theta.sum()
    return total


def arc_cosine(sigma, first, second):
    """2 E[relu(u) relu(v)]."""
    norm = np.sqrt(np.outer(first, second))
    cosine = np.clip(sigma / norm, -1, 1)
    return norm * (np.sqrt(1 - cosine**2) + cosine * (np.pi - np.arccos(cosine))) / np.pi


@pytest.mark.parametrize("pooling", ["last", "mean"])
@pytest.mark.parametrize("activation", ["relu", "erf"])
def test_recurrent_kernels_against_sums_over_pairs_of_steps(activation, pooling):
    """Θ = Σ over pairs of steps of ⟨backward signals⟩ · ⟨what the weights take⟩, the way gradients add up."""
    network = RecurrentNetwork(1, activation, pooling, 1.2, 0.8, 0.3, 0.6, 1.1)
    found = network.kernel(SEQUENCES).ntk
    for a, b in [(0, 0), (0, 1), (2, 4), (1, 3)]:
        x, x2 = (SEQUENCES.values[place, : SEQUENCES.lengths[place]] for place in (a, b))
        assert float(found[a, b]) == pytest.approx(backward_kernel(network, x, x2), rel=1e-7)


def backward_kernel(network, x, x2):
    dual = {"relu": relu, "erf": erf}[network.activation]
    inputs = network.input_std**2 * x @ x2.T / x.shape[1] + network.bias_std**2
    one, two = (single_variances(network, each, dual) for each in (x, x2))
    states, derivatives = {(0, 0): network.initial_std**2}, {}
    for t in range(1, len(x) + 1):
        for u in range(1, len(x2) + 1):
            before = inputs[t - 1, u - 1] + network.weight_std**2 * states.get((t - 1, u - 1), 0.0)
            value, slope = dual(one[t - 1], two[u - 1], before)
            states[t, u], derivatives[t, u] = float(value), float(slope)
    signals, total = {}, 0.0
    for t in range(len(x), 0, -1):
        for u in range(len(x2), 0, -1):
            last = (t, u) == (len(x), len(x2))
            read = 1 / (len(x) * len(x2)) if network.pooling == "mean" else float(last)
            later = network.weight_std**2 * signals.get((t + 1, u + 1), 0.0)
            signals[t, u] = derivatives[t, u] * (network.readout_std**2 * read + later)
            weights = network.weight_std**2 * states.get((t - 1, u - 1), 0.0)
            total += (
                signals[t, u] * (weights + float(inputs[t - 1, u - 1])) + read * network.readout_std**2 * states[t, u]
            )
    return total


def single_variances(network, x, dual):
    found, state = [], network.initial_std**2
    for row in x:
        own = network.input_std**2 * row.square().mean() + network.bias_std**2 + network.weight_std**2 * state
        found.append(own)
        state = float(dual(own, own, own)[0])
    return found


@pytest.mark.parametrize("name", [name for name in sorted(NETWORKS) if not name.startswith("graph")])
def test_what_stands_after_the_end_is_not_read(name):
    network = NETWORKS[name]
    noisy = SEQUENCES.values.masked_fill(~SEQUENCES.mask[:, :, None], math.nan)
    longer = torch.cat([noisy, torch.ones(5, 2, 3)], 1)
    for kind in ("nngp", "ntk"):
        plain = getattr(network.kernel(SEQUENCES), kind)
        changed = getattr(network.kernel(Sequences(longer, SEQUENCES.lengths)), kind)
        torch.testing.assert_close(changed, plain, rtol=1e-9, atol=1e-9)
    finite = network.network(3, 8, seed=0).double()
    with torch.no_grad():
        torch.testing.assert_close(finite(Sequences(longer, SEQUENCES.lengths).packed()), finite(SEQUENCES.packed()))


def test_samples_of_any_precision():
    graphs = Graphs(tuple(each.float() for each in GRAPHS.features), tuple(each.int() for each in GRAPHS.adjacency))
    sequences = Sequences(SEQUENCES.values.float(), SEQUENCES.lengths)
    for network, plain, rounded in [
        (GraphNetwork(), GRAPHS, graphs),
        (RecurrentNetwork(), SEQUENCES, sequences),
        (TransformerNetwork(), SEQUENCES, sequences),
    ]:
        torch.testing.assert_close(network.kernel(rounded).ntk, network.kernel(plain).ntk, rtol=1e-5, atol=1e-5)


def test_a_lone_node_and_a_step_are_networks_without_neighbours():
    lone = Graphs((torch.ones(1, 2).double(),), (torch.zeros(1, 1).double(),))
    assert float(GraphNetwork(blocks=1).kernel(lone).ntk) == pytest.approx(
        2.0
    )  # a ReLU layer of variance 1, and readout
    step = Sequences(torch.ones(1, 1, 2).double())
    assert float(RecurrentNetwork(activation="relu", input_std=math.sqrt(2), bias_std=0).kernel(step).ntk) == (
        pytest.approx(2.0)
    )


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: GraphNetwork(aggregation="max"), ChoiceError, "aggregation"),
        (lambda: GraphNetwork(blocks=0), KernelError, "at least one block"),
        (lambda: GraphNetwork(weight_std=-1), KernelError, "weight_std must be"),
        (lambda: RecurrentNetwork(pooling="max"), ChoiceError, "pooling"),
        (lambda: RecurrentNetwork(depth=0), KernelError, "at least one layer"),
        (lambda: RecurrentNetwork(initial_std=math.nan), KernelError, "initial_std must be"),
        (lambda: TransformerNetwork(attention="many"), ChoiceError, "attention"),
        (lambda: TransformerNetwork(depth=0), KernelError, "at least one encoder"),
        (lambda: TransformerNetwork(bias_std=math.inf), KernelError, "bias_std must be"),
        (lambda: GraphNetwork().kernel(GRAPHS, some_graphs(features=2)), KernelError, "features of one size"),
        (lambda: RecurrentNetwork().kernel(SEQUENCES, some_sequences(features=2)), KernelError, "features of one size"),
        (lambda: GraphNetwork().network(3, 4, parametrisation="mup"), ChoiceError, "parametrisation"),
        (lambda: Graphs((), ()), DataError, "at least one"),
        (lambda: Graphs((torch.zeros(0, 2),), (torch.zeros(0, 0),)), DataError, "Graph 0 has no nodes"),
        (lambda: Graphs((torch.zeros(2, 2),), (torch.zeros(3, 3),)), DataError, "adjacency matrix of shape"),
        (lambda: Graphs((torch.zeros(2, 2),), (torch.eye(2),)), DataError, "symmetric"),
        (lambda: Graphs((torch.zeros(2, 2),), (1 - torch.ones(2, 2) * math.nan,)), DataError, "no number"),
        (lambda: Graphs((torch.zeros(2, 2),), (torch.eye(2) - 1,)), DataError, "negative edge"),
        (lambda: Graphs((torch.zeros(1, 2), torch.zeros(1, 3)), (torch.zeros(1, 1),) * 2), DataError, "one size"),
        (lambda: Sequences.of([torch.zeros(0, 2)]), DataError, "at least one step"),
        (lambda: Sequences.of([torch.zeros(1, 2), torch.zeros(1, 3)]), DataError, "one size"),
        (lambda: Sequences(torch.zeros(2, 3, 1), torch.tensor([1, 4])), DataError, "from 1 to 3"),
        (lambda: Sequences(torch.zeros(2, 3)), DataError, "N×T×D"),
        (lambda: Sequences(torch.full((2, 3, 1), math.nan)), DataError, "no number"),
    ],
)
def test_bad_input(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_pairs_that_do_not_fit_into_memory(monkeypatch):
    monkeypatch.setattr(memory, "available", lambda: 1000)
    with pytest.raises(KernelError, match="take smaller or fewer samples"):
        GraphNetwork().kernel(GRAPHS)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_on_a_gpu_as_on_the_cpu(name):
    network = NETWORKS[name]
    samples = samples_of(network)
    if isinstance(samples, Graphs):
        moved = Graphs(*(tuple(part.cuda() for part in each) for each in (samples.features, samples.adjacency)))
    else:
        moved = Sequences(samples.values.cuda(), samples.lengths.cuda())
    torch.testing.assert_close(network.kernel(moved).ntk, network.kernel(samples).ntk, rtol=1e-8, atol=1e-8)
    finite = network.network(3, 16, seed=0).double()
    x = packed(network, samples)
    expected = empirical_ntk(finite, x, parameters="all").matrix
    torch.testing.assert_close(
        empirical_ntk(finite.cuda(), x.cuda(), parameters="all").matrix, expected, rtol=1e-8, atol=1e-8
    )
