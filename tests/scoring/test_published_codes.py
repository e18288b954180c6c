"""Every recipe against a literal reading of the published code: its loops over images, written out in plain autograd.

The networks are small ones of the recipe's own definition, in float64. Where a code multiplies by zero on an edge
``none`` the networks here do too, so that every parameter has a gradient, as it has there.
"""

import hashlib
import warnings
from itertools import pairwise

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn

from ntknas import load_space
from ntknas.cli.main import run
from ntknas.core.cases import NetworkCase
from ntknas.data import Request, make_probe
from ntknas.measures import teg, vkdnw
from ntknas.measures.activations import _crops
from ntknas.scoring.recipe_file import load_recipe_file, recipe_names
from ntknas.spaces.nb201.network import InferCell, Reduction, ReLUConvBN, Zero
from ntknas.store import load_store
from tests.kernels.reference import jacobian_under
from tests.measures import test_vkdnw

SPACE = load_space("nb201")
CELLS = {
    "convolutions": "|nor_conv_3x3~0|+|skip_connect~0|nor_conv_1x1~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_1x1~2|",
    "pooling": "|avg_pool_3x3~0|+|avg_pool_3x3~0|avg_pool_3x3~1|+|avg_pool_3x3~0|none~1|none~2|",
    "skips": "|skip_connect~0|+|skip_connect~0|skip_connect~1|+|skip_connect~0|skip_connect~1|skip_connect~2|",
    "dead ends": "|nor_conv_3x3~0|+|none~0|nor_conv_1x1~1|+|nor_conv_1x1~0|none~1|none~2|",
    "nothing in": "|none~0|+|nor_conv_3x3~0|nor_conv_1x1~1|+|skip_connect~0|nor_conv_1x1~1|nor_conv_3x3~2|",
}
SMALL = {"channels": 4, "cells_per_stage": 1}


def _rows(network, images, wanted):
    """TE-NAS, Mok et al.: a backward pass of the summed logits of every image, the graph being kept."""
    logits, rows = network(images), []
    for number in range(len(images)):
        network.zero_grad()
        logits[number : number + 1].backward(torch.ones_like(logits[number : number + 1]), retain_graph=True)
        rows.append(torch.cat([p.grad.flatten() for name, p in network.named_parameters() if wanted(name)]).numpy())
    return np.array(rows)


def _conditioned(kernel):
    eigenvalues = np.linalg.eigvalsh(kernel)
    return eigenvalues[-1] / eigenvalues[0]


def _regions(case, network):
    """Pairs of samples of which no unit is on in one and off in the other are one pattern."""
    outputs = []
    handles = [m.register_forward_hook(lambda _, x, y: outputs.append(y)) for m in _relus(network)]
    with torch.no_grad():
        network(_crops(case))
    for handle in handles:
        handle.remove()
    on = torch.cat([output.flatten(1).sign() for output in outputs], 1)
    differing = on @ (1 - on).T
    return float((1 / (1 - (differing + differing.T).sign()).sum(1)).sum())


def _relus(network):
    return [module for module in network.modules() if isinstance(module, nn.ReLU)]


def _tenas(network, images, labels):
    network.train()
    rows = _rows(network, images, lambda name: "weight" in name)
    case = NetworkCase(network, images, labels)
    return {"cond": _conditioned(rows @ rows.T), "linear_regions": _regions(case, network)}


def _mok(network, images, labels):
    rows = _rows(network, images, lambda name: "weight" in name and not name.startswith("classifier"))
    kernel, same = rows @ rows.T, np.equal.outer(labels.numpy(), labels.numpy())
    k, target = kernel - kernel.mean(), np.where(same, 1.0, -1.0) - np.where(same, 1.0, -1.0).mean()
    cond = _conditioned(kernel)
    lga = (k * target).sum() / (np.linalg.norm(k) * np.linalg.norm(target))
    return {"mean": kernel.mean(), "cond": cond, "neg_cond": -cond, "fro": np.linalg.norm(kernel), "lga": lga}


def _mok_in_training(network, images, labels):
    return _mok(network.train(), images, labels)


def _mok_in_evaluation(network, images, labels):
    return _mok(network.eval(), images, labels)


def _knas_mok(network, images, labels):
    return {"mean": _mok_in_training(network, images, labels)["mean"]}


def _mok_track(network, images, labels):
    """One image, a backward pass of every logit."""
    network.eval()
    rows = []
    for output in range(10):
        network.zero_grad()
        network(images)[0, output].backward()
        wanted = [(n, p) for n, p in network.named_parameters() if "weight" in n and not n.startswith("classifier")]
        rows.append(torch.cat([p.grad.flatten() for _, p in wanted]).numpy())
    kernel = np.array(rows) @ np.array(rows).T
    return {"trace": np.trace(kernel), "fro": np.linalg.norm(kernel), "cond": _conditioned(kernel)}


def _knas_code(network, images, labels):
    network.train()
    kept = {}
    for some, classes in zip(images.split(2), labels.split(2), strict=True):
        network.zero_grad()
        F.cross_entropy(network(some), classes).backward()
        number = 0
        for name, parameter in network.named_parameters():
            if parameter.grad is None:
                continue
            if number > 10:
                break
            if len(parameter.grad.flatten()[:100]) < 50:
                continue
            number += 1
            kept.setdefault(name, []).append(parameter.grad.flatten()[:100].clone())
    total = 0.0
    for gradients in kept.values():
        for entry in range(50):
            first = torch.stack([gradients[k][entry] for k in range(25)])
            second = torch.stack([gradients[k][entry] for k in range(25, 50)])
            total += float(torch.dot(first - first.mean(), second - second.mean())) / 2500
    return {"knas_code": total}


def _own_class_gradients(network, images, labels):
    """The gradients by tensor of every image's own logit, image by image, in training mode."""
    network.train()
    for image, label in zip(images, labels.tolist(), strict=True):
        network.zero_grad()
        network(image[None])[0, label].backward()
        yield label, [p.grad.flatten().clone() for p in network.parameters()]


def _smallest(kernels):
    return sum(np.linalg.svd(kernel, compute_uv=False)[-1] for kernel in kernels)


def _vilhess(network, images, labels):
    by_class = {}
    for label, gradients in _own_class_gradients(network, images, labels):
        by_class.setdefault(label, []).append(torch.cat(gradients).numpy())
    return {"class_lambda_min": _smallest(np.array(rows) @ np.array(rows).T for rows in by_class.values())}


def _vilhess_code(network, images, labels):
    """Two indices that are named apart are summed apart: einsum of "Na, Mb -> NM"."""
    by_class = {}
    for label, gradients in _own_class_gradients(network, images, labels):
        by_class.setdefault(label, []).append(gradients)
    kernels = []
    for images_of_class in by_class.values():
        tensors = [torch.stack(tensor).numpy() for tensor in zip(*images_of_class, strict=True)]
        kernels.append(sum(np.einsum("Na,Mb->NM", j, j) for j in tensors))
    return {"class_lambda_min_summed": _smallest(kernels)}


def _layers(network):
    return [module for module in network.modules() if isinstance(module, nn.Conv2d | nn.Linear)]


def _zero_cost(network, images, labels):
    network.train()

    def loss():
        return F.cross_entropy(network(images), labels)

    weights = [layer.weight for layer in _layers(network)]
    first = torch.autograd.grad(loss(), weights)
    second = torch.autograd.grad(loss(), weights, create_graph=True)
    network.zero_grad()
    sum((g.detach() * h).sum() for g, h in zip(first, second, strict=True)).backward()
    return {
        "grad_norm": sum(float(g.norm()) for g in first),
        "snip": sum(float((w * g).abs().sum()) for w, g in zip(weights, first, strict=True)),
        "grasp": sum(float((-w.data * w.grad).sum()) for w in weights),
        "fisher": _fisher(network, loss),
        "jacob_cov": _jacob_cov(network, images),
        "synflow": _synflow(network, images, lambda inside_reduction: True),
        "synflow_code": _synflow(network, images, lambda inside_reduction: not inside_reduction),
    }


def _fisher(network, loss):
    total, handles = [], []

    def listen(layer, _, output):
        kept = output.detach().clone()
        output.register_hook(lambda gradient: total.append((layer, kept * gradient)))

    handles = [layer.register_forward_hook(listen) for layer in _layers(network)]
    loss().backward()
    for handle in handles:
        handle.remove()
    return sum(
        layer.weight[0].numel()
        * float((product.flatten(2).sum(2) if product.dim() > 2 else product).pow(2).mean(0).mul(0.5).sum())
        for layer, product in total
    )


def _jacob_cov(network, images):
    x = images.clone().requires_grad_()
    y = network(x)
    y.backward(torch.ones_like(y))
    eigenvalues = np.linalg.eigvals(np.corrcoef(x.grad.flatten(1).numpy())).real
    return -np.sum(np.log(eigenvalues + 1e-5) + 1 / (eigenvalues + 1e-5))


def _synflow(network, images, left_out):
    """Parameters by their magnitude; the code builds its networks without BatchNorm, reductions excepted."""
    kept = {name: value.clone() for name, value in network.state_dict().items()}
    inside = {inner for block in network.modules() if isinstance(block, Reduction) for inner in block.modules()}
    norms = [m for m in network.modules() if isinstance(m, nn.BatchNorm2d) and left_out(m in inside)]
    with torch.no_grad():
        for value in network.state_dict().values():
            value.abs_()
    for norm in norms:
        norm.forward = lambda x: x
    network.zero_grad()
    network(torch.ones_like(images[:1])).sum().backward()
    flow = sum(float((layer.weight * layer.weight.grad).abs().sum()) for layer in _layers(network))
    for norm in norms:
        del norm.forward
    network.load_state_dict(kept)
    return np.log(flow)


def _suite_zero(network, images, labels):
    kept = _zero_cost(network, images, labels)
    weights = [layer.weight for layer in _layers(network)]
    network.zero_grad()
    F.cross_entropy(network(images), labels).backward()
    scaled = sum(float((w * w.grad).detach().sum()) for w in weights)
    x = images.clone().requires_grad_()
    network(x).sum().backward()
    rows, classes = x.grad.flatten(1).numpy(), labels.numpy()
    logarithms = [np.log(np.abs(np.corrcoef(rows[classes == c])) + 1e-5).sum() for c in np.unique(classes)]
    return {
        **{name: kept[name] for name in ("grad_norm", "snip", "grasp", "fisher", "jacob_cov", "synflow")},
        "l2_norm": sum(float(w.detach().norm()) for w in weights),
        "plain": scaled,
        "epe_nas": sum(abs(value) for value in logarithms),
        "naswot": _codes_in_common(network, images),
    }


def _codes_in_common(network, images):
    """NASLib looks at what ReLUs are given, and adds up the units on which two images agree."""
    kernel = np.zeros((len(images), len(images)))

    def count(_, inputs, __):
        on = (inputs[0].flatten(1) > 0).double().numpy()
        kernel[:] += on @ on.T + (1 - on) @ (1 - on).T

    handles = [m.register_forward_hook(count) for m in _relus(network)]
    network(images)
    for handle in handles:
        handle.remove()
    return np.linalg.slogdet(kernel)[1]


def _robust_ntk(network, images, labels):
    """PGD in pixels by the network in evaluation mode, then J with the statistics of the clean images."""
    digits = load_digits().images / 16
    mean, deviation = digits.mean(), digits.std()
    pixels, epsilon = (images * deviation + mean).clamp(0, 1), 8 / 255
    seed = int.from_bytes(hashlib.sha256(b"attack/0/1").digest()[:8], "little") >> 1
    start = 2 * torch.rand(images.shape, generator=torch.Generator().manual_seed(seed)) - 1
    x = (pixels + epsilon * start).clamp(0, 1)
    network.eval()
    for _ in range(20):
        x.requires_grad_()
        loss = F.cross_entropy(network((x - mean) / deviation), labels)
        moved = x.detach() + 2.5 * epsilon / 20 * torch.autograd.grad(loss, x)[0].sign() - pixels
        x = (pixels + moved.clamp(-epsilon, epsilon)).clamp(0, 1)
    names = [name for name, _ in network.named_parameters() if "weight" in name]
    rows = jacobian_under(network, (x - mean) / deviation, names, "frozen", frozen_on=images)
    eigenvalues = np.linalg.eigvalsh(np.einsum("icp,jcp->ij", rows, rows))
    return {"lambda_min": eigenvalues[0], "cond": eigenvalues[-1] / eigenvalues[0]}


def _nested_as_published(network):
    """Put containers around what has one more in the code: stem, stages, branches and poolings of cells."""
    layers = list(network.cells)
    for layer in layers:
        for name, module in list(layer.named_modules()):
            if isinstance(module, ReLUConvBN) or (isinstance(layer, InferCell) and isinstance(module, nn.AvgPool2d)):
                parent, _, own = name.rpartition(".")
                setattr(layer.get_submodule(parent), own, nn.Sequential(module))
    first, second = (number for number, layer in enumerate(layers) if isinstance(layer, Reduction))
    stages = (layers[:first], layers[first + 1 : second], layers[second + 1 :])
    body = [nn.Sequential(*stages[0]), layers[first], nn.Sequential(*stages[1]), layers[second]]
    network.stem, network.cells = nn.Sequential(network.stem), _Unwatched(*body, nn.Sequential(*stages[2]))
    return network


class _Unwatched(nn.Sequential):
    """A container that the code has not."""


def _meco(network, images, labels):
    results = {"meco": [], "meco_opt": [], "meco_layers": []}
    generator = torch.Generator().manual_seed(0)

    def forward_hook(module, _, output):
        features = output[0].detach().clone()
        n = features.shape[0]
        features = features.reshape(n, -1)
        results["meco"].append(_smallest_correlation(features))
        if output.dim() == 4:  # ours leaves out vectors, whose correlations are all zero, and so draws nothing for them
            some = torch.randperm(n, generator=generator)[:8]
            results["meco_opt"].append(_smallest_correlation(features[some]) * n / len(some))
        if isinstance(module, nn.Conv2d):
            results["meco_layers"].append(results["meco"][-1])

    for module in _nested_as_published(network.train()).modules():
        if not isinstance(module, _Unwatched):
            module.register_forward_hook(forward_hook)
    with torch.no_grad():
        network(images)
    return {name: sum(values) for name, values in results.items()}


def _smallest_correlation(features):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of one position there is no covariance
        correlations = torch.corrcoef(features)
    correlations = correlations.reshape(len(features), len(features))
    correlations[torch.isnan(correlations)] = 0
    correlations[torch.isinf(correlations)] = 0
    return float(torch.linalg.eig(correlations)[0].real.min())


def _az_nas(network, images, labels):
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(images.shape, generator=generator).double().requires_grad_()
    features = []
    for block in [network.train().stem, *network.cells]:
        x = block(x)
        features.append(x)
    entropies = []
    for feature in features:
        b, c, h, w = feature.shape
        rows = feature.detach().permute(0, 2, 3, 1).reshape(b * h * w, c)
        rows = rows - rows.mean(0, keepdim=True)
        shares = torch.linalg.eigvalsh(rows.T @ rows / len(rows))
        shares = shares / shares.sum()
        entropies.append(float((-shares * torch.log(shares + 1e-8)).sum()))
    scores = []
    for f_in, f_out in pairwise(features):
        g_out = 2.0 * torch.randint(2, f_out.shape, generator=generator).double() - 1
        (g_in,) = torch.autograd.grad(f_out, f_in, g_out, retain_graph=True)
        if g_in.shape[2:] != g_out.shape[2:]:
            g_in = nn.PixelUnshuffle(g_in.shape[2] // g_out.shape[2])(g_in)
        columns_in = g_in.permute(0, 2, 3, 1).flatten(0, 2)
        columns_out = g_out.permute(0, 2, 3, 1).flatten(0, 2)
        s = float(torch.linalg.svdvals(columns_in.T @ columns_out / len(columns_out)).max())
        scores.append(-s - 1 / (s + 1e-6) + 2)
    return {
        "az_expressivity": np.sum(entropies),
        "az_progressivity": np.min(np.diff(entropies)),
        "az_trainability": np.mean(scores),
    }


def _swap(network, images, labels):
    generator, scores, activations = torch.Generator().manual_seed(0), [], []
    for module in _relus(network.train()):
        module.register_forward_hook(lambda _, given, output: activations.append(output.sign().flatten(1)))
    for _ in range(32):
        for layer in _layers(network):
            layer.weight.data = torch.randn(layer.weight.shape, generator=generator).double()
        network.classifier.bias.data.zero_()
        activations.clear()
        with torch.no_grad():
            network(images)
        scores.append(len(set(map(bytes, torch.cat(activations, 1).T.to(torch.uint8).numpy()))))
    return {"swap": np.mean(scores)}


def _vkdnw(network, images, labels):
    """The Fisher information coordinate by coordinate, and the parts that other recipes have too."""
    fisher = {name: reading(NetworkCase(network, images, labels)) for name, reading in test_vkdnw.REFERENCES.items()}
    az_nas = _az_nas(network, images, labels)
    del az_nas["az_progressivity"]
    return {**fisher, "jacob_cov": _jacob_cov(network.train(), images), **az_nas}


def _zico(network, images, labels):
    """The gradients of every layer's weights by mini-batch, then their means and deviations over these."""
    network.train()
    kept = {}
    for some, classes in zip(images.split(len(images) // 2), labels.split(len(images) // 2), strict=True):
        network.zero_grad()
        F.cross_entropy(network(some), classes).backward()
        for number, layer in enumerate(_layers(network)):
            kept.setdefault(number, []).append(layer.weight.grad.flatten().clone().numpy())
    return {"zico": _inverse_variation(kept, lambda g: g), "zico_abs": _inverse_variation(kept, np.abs)}


def _inverse_variation(kept, deviating):
    total = 0.0
    for gradients in map(np.array, kept.values()):
        spread = np.std(deviating(gradients), axis=0)
        nonzero = np.nonzero(spread)[0]
        summed = np.sum(np.mean(np.abs(gradients), axis=0)[nonzero] / spread[nonzero])
        total += np.log(summed) if summed else 0.0
    return total


def _hnas(network, images, labels):
    """Hooks keep what every layer is given and what comes back to its output; a sample's row is made of its own."""
    given, back = {}, {}

    def keep(layer, inputs, output):
        given[layer] = inputs[0].detach()
        output.register_hook(lambda gradient: back.update({layer: gradient.detach()}))

    for layer in _layers(network.train()):
        layer.register_forward_hook(keep)
    network(images)[torch.arange(len(images)), labels].sum().backward()
    rows = [[] for _ in images]
    for layer in _layers(network):
        for row, a, g in zip(rows, given[layer], back[layer], strict=True):
            if isinstance(layer, nn.Conv2d):
                a = F.unfold(a[None], layer.kernel_size, padding=layer.padding, stride=layer.stride)[0]
                row.append((g.flatten(1) @ a.T).flatten())
            else:
                row.append(torch.outer(g, a).flatten())
            if layer.bias is not None:
                row.append(g.flatten(1).sum(1) if isinstance(layer, nn.Conv2d) else g)
    matrix = torch.stack([torch.cat(row) for row in rows]).numpy()
    kernel = matrix @ matrix.T
    return {"hnas_trace": np.sqrt(np.trace(kernel) / len(images)), "hnas_cond": _conditioned(kernel)}


def _nasi(network, images, labels):
    F.cross_entropy(network.train()(images), labels).backward()
    return {"nasi": sum(float(p.grad.square().sum()) for p in network.parameters())}


def _teg(split):
    """Rows of both batches in training mode, no ridge; the thin network's patterns of crops without its stem."""

    def reading(network, images, labels):
        network.train()
        request, size = Request(), len(images)
        probe = make_probe("digits", size, request, "random", "crop-flip")
        other = probe.with_held_out(request, split).held_out
        targets = [np.eye(10)[batch.numpy()] for batch in (labels, other.labels)]
        targets = [target - target.mean(0) for target in targets]

        def inside(name):
            return "weight" in name and not name.startswith(("stem", "lastact", "classifier"))

        x, y = (_rows(network, batch, inside) for batch in (images, other.images.double()))
        error = y @ x.T @ np.linalg.inv(x @ x.T) @ targets[0] - targets[1]
        rows = _rows(network, images, lambda name: "weight" in name)
        regions = {"teg_regions": _regions_without_stem(network.of_cell, images)}
        return {"teg_cond": _conditioned(rows @ rows.T), "teg_mse": (error**2).sum() / size, **regions}

    return reading


def _regions_without_stem(cell, images):
    network, generator, on = SPACE.build(cell, seed=0, channels=1, cells_per_stage=1).double(), _seeded(0), []
    for _ in range(3):
        outputs = []
        handles = [m.register_forward_hook(lambda _, x, y, to=outputs: to.append(y)) for m in _relus(network)]
        with torch.no_grad():
            network.lastact(network.cells(teg._crops(images, generator)))
        for handle in handles:
            handle.remove()
        on.append(torch.cat([output.flatten(1).sign() for output in outputs], 1).numpy())
    return len({pattern.tobytes() for batch in on for pattern in batch})


def _seeded(seed):
    return torch.Generator().manual_seed(seed)


def _as_vit(network, images, labels):
    """Image by image, which is how layers that do not mix samples see them; the features summed, the classifier out."""
    network.train()
    rows = []
    for image in images:
        network.zero_grad()
        network.features(image[None]).mean((2, 3)).sum().backward()
        wanted = [p for name, p in network.named_parameters() if "weight" in name and not name.startswith("classifier")]
        rows.append(torch.cat([p.grad.flatten() for p in wanted]).numpy())
    return {"cond": _conditioned(np.array(rows) @ np.array(rows).T)}


READINGS = {
    "as-vit": (_as_vit, 8),
    "teg": (_teg("train"), 5),
    "teg-test": (_teg("test"), 5),
    "robust-ntk": (_robust_ntk, 3),
    "tenas": (_tenas, 8),
    "tenas-thin": (_tenas, 8),
    "mok": (_mok_in_training, 8),
    "mok-eval": (_mok_in_evaluation, 8),
    "knas-mok": (_knas_mok, 8),
    "mok-trained": (_mok_in_training, 8),
    "mok-track": (_mok_track, 1),
    "knas-code": (_knas_code, 100),
    "vilhess": (_vilhess, 20),
    "vilhess-code": (_vilhess_code, 20),
    "zero-cost-nas": (_zero_cost, 8),
    "meco": (_meco, 1),
    "az-nas": (_az_nas, 8),
    "swap": (_swap, 11),
    "nb-suite-zero": (_suite_zero, 8),
    "vkdnw": (_vkdnw, 8),
    "zico": (_zico, 8),
    "hnas": (_hnas, 8),
    "nasi": (_nasi, 8),
}


def test_there_is_a_reading_of_every_published_recipe():
    assert set(READINGS) == set(recipe_names()) - {"recommended"}


@pytest.mark.parametrize("name", list(READINGS))
def test_a_recipe_computes_what_the_code_does(name, tmp_path, monkeypatch):
    for module in (
        vkdnw,
        test_vkdnw,
    ):  # 64 in the tests of the measure itself
        monkeypatch.setattr(module, "INPUTS", 8)
    reading, size = READINGS[name]
    scores = _scored(name, size, tmp_path)
    for cell in CELLS.values():
        rows = scores[scores["cell"] == SPACE.index(cell)].set_index("measure")
        expected = _read_literally(name, size, cell, reading, rows["probe_hash"].iloc[0])
        assert set(rows.index) == set(expected)
        for measure, value in expected.items():
            assert rows.loc[measure, "status"] == "ok", (cell, measure, rows.loc[measure, "reason"])
            assert rows.loc[measure, "value"] == pytest.approx(value, rel=1e-5), (cell, measure)


def _scored(name, size, folder):
    file, store = folder / "cells.txt", folder / "s.h5"
    file.write_text("\n".join(CELLS.values()))
    command = ["score", "--recipe", name, "--probe", "digits", "--probe-size", str(size), "--precision", "float64"]
    command += ["--seeds", "1", "--epochs", "0", "--cells-file", str(file), "--store", str(store)]
    for option, value in SMALL.items():
        if option.replace("_", "-") not in load_recipe_file(name).options:
            command += [f"--{option.replace('_', '-')}", str(value)]
    assert run(command) == 0
    return load_store(store)


def _read_literally(name, size, cell, reading, probe_hash):
    options = load_recipe_file(name).options_for("nb201", "cifar10")
    request = Request(split=options.get("probe_split", "train"), pixels=options.get("pixels", "nas-bench-201"))
    probe = make_probe("digits", size, request, options.get("draw", "balanced"), options.get("augment", "none"))
    assert probe.hash == probe_hash
    small = {option: options.get(option, value) for option, value in SMALL.items()}
    how = {"variant": options.get("variant", "official"), "init": options["init"]}
    network = SPACE.build(cell, seed=0, num_classes=10, **small, **how).double()
    for module in network.modules():
        if isinstance(module, Zero):
            module.forward = lambda x: x * 0.0
    network.of_cell = cell
    return reading(network, probe.images.double(), probe.labels)
