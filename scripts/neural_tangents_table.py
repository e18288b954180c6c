"""Makes the table that tests compare our infinite-width kernels with, by neural-tangents.

Runs in an environment of its own: pip install neural-tangents==0.6.5 jax==0.4.30 jaxlib==0.4.30 tf2jax==0.3.6 "numpy<2.1" "scipy<1.14".

    python scripts/neural_tangents_table.py tests/kernels/analytic/neural_tangents.json
"""

import itertools
import json
import sys

import jax
import numpy as np

jax.config.update("jax_enable_x64", True)

from neural_tangents import stax  # noqa: E402

VARIANCES = [(1.0, 0.0), (1.4, 0.3), (0.7, 1.1)]


def dense_cases():
    """Yield fully connected networks."""
    for activation, depth, (weight_std, bias_std) in itertools.product(["relu", "erf"], [1, 2, 5], VARIANCES):
        yield {
            "kind": "fully_connected",
            "depth": depth,
            "activation": activation,
            "weight_std": weight_std,
            "bias_std": bias_std,
        }


def convolution_cases():
    """Yield convolutional networks."""
    shapes = [(3, 1, "SAME"), (3, 2, "SAME"), (2, 1, "VALID"), (3, 2, "VALID"), (2, 2, "SAME")]
    for activation, depth, (size, stride, padding), pooling in itertools.product(
        ["relu", "erf"], [1, 2], shapes, [False, True]
    ):
        weight_std, bias_std = VARIANCES[1 + depth % 2] if pooling else VARIANCES[depth % 2]
        yield {
            "kind": "convolutional",
            "depth": depth,
            "activation": activation,
            "weight_std": weight_std,
            "bias_std": bias_std,
            "size": size,
            "stride": stride,
            "padding": padding,
            "pooling": pooling,
        }


def network(case):
    """Return the network of a case."""
    activation = stax.Relu() if case["activation"] == "relu" else stax.Erf()
    scales = {"W_std": case["weight_std"], "b_std": case["bias_std"] or None}
    if case["kind"] == "fully_connected":
        layers = [stax.Flatten()] + [stax.Dense(1, **scales), activation] * case["depth"]
    else:
        window = {"filter_shape": (case["size"],) * 2, "strides": (case["stride"],) * 2, "padding": case["padding"]}
        layers = [stax.Conv(1, **window, **scales), activation] * case["depth"]
        layers.append(stax.GlobalAvgPool() if case["pooling"] else stax.Flatten())
    return stax.serial(*layers, stax.Dense(1, **scales))


def main():
    """Write the table."""
    generator = np.random.default_rng(0)
    vectors, images = generator.standard_normal((4, 6)), generator.standard_normal((4, 2, 8, 7))
    images[0, :, :3] = 0.0  # black pixels
    cases = []
    for case in [*dense_cases(), *convolution_cases()]:
        x = vectors if case["kind"] == "fully_connected" else images.transpose(0, 2, 3, 1)
        kernel = network(case)[2](x[:3], x[1:], ("nngp", "ntk"))
        cases.append({**case, "nngp": np.asarray(kernel.nngp).tolist(), "ntk": np.asarray(kernel.ntk).tolist()})
    with open(sys.argv[1], "w") as file:
        json.dump({"vectors": vectors.tolist(), "images": images.tolist(), "cases": cases}, file)
    print(f"{len(cases)} cases")


main()
