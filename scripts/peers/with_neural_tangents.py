"""The kernel of a network by neural-tangents, in an environment of its own; called by ``scripts/speed.py``.

    python with_neural_tangents.py NETWORK.npz IMPLEMENTATION REPEATS

Prints JSON: seconds of every repeat after compilation, and writes K to NETWORK.npy. Implementations: 1 Jacobian contraction, 2 NTK-vector
products, 3 structured derivatives (Novak et al., ICML 2022).
"""

import json
import sys
import time

import jax
import jax.numpy as jnp
import neural_tangents as nt
import numpy as np
from jax import lax

DIMENSIONS = ("NCHW", "OIHW", "NCHW")


def _main():
    path, implementation, repeats = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    held = np.load(path)
    steps = json.loads(str(held["steps"]))
    parameters = {key[2:]: jnp.asarray(held[key]) for key in held.files if key.startswith("p/")}
    buffers = {key[2:]: jnp.asarray(held[key]) for key in held.files if key.startswith("b/")}
    x = jnp.asarray(held["x"])
    kernel = jax.jit(
        nt.empirical_ntk_fn(
            lambda p, images: _network(steps, p, buffers, images).sum(1, keepdims=True),
            trace_axes=(1,),
            vmap_axes=0,
            implementation=implementation,
        )
    )

    def run():
        return kernel(x, None, parameters).block_until_ready()

    start = time.perf_counter()
    gram = run()
    compilation = time.perf_counter() - start
    np.save(path.replace(".npz", ".npy"), np.asarray(gram).reshape(len(x), len(x)))
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    print(json.dumps({"seconds": seconds, "compilation": compilation}))


def _network(steps, p, buffers, images):
    values = {}
    for step in steps:
        inputs = [values[name] for name in step["inputs"]]
        values[step["name"]] = OPERATIONS[step["kind"]](step, inputs, p, buffers) if inputs else images
    return values[steps[-1]["name"]]


def _conv(step, inputs, p, buffers):
    padding = [(size, size) for size in step["padding"]]
    return lax.conv_general_dilated(
        inputs[0], p[f"{step['name']}/weight"], step["stride"], padding, dimension_numbers=DIMENSIONS
    )


def _norm(step, inputs, p, buffers):
    name, shape = step["name"], (1, -1, 1, 1)
    scale = p[f"{name}/weight"] / jnp.sqrt(buffers[f"{name}/running_var"] + step["eps"])
    centred = inputs[0] - buffers[f"{name}/running_mean"].reshape(shape)
    return centred * scale.reshape(shape) + p[f"{name}/bias"].reshape(shape)


def _pool(step, inputs, p, buffers):
    window, strides = (1, 1, *step["size"]), (1, 1, *step["stride"])
    padding = [(0, 0), (0, 0), *[(size, size) for size in step["padding"]]]
    image, ones = inputs[0], jnp.ones_like(inputs[0])
    total, count = (lax.reduce_window(v, 0.0, lax.add, window, strides, padding) for v in (image, ones))
    return total / count


def _linear(step, inputs, p, buffers):
    return inputs[0] @ p[f"{step['name']}/weight"].T + p[f"{step['name']}/bias"]


OPERATIONS = {
    "conv": _conv,
    "norm": _norm,
    "pool": _pool,
    "linear": _linear,
    "relu": lambda step, inputs, p, buffers: jnp.maximum(inputs[0], 0.0),
    "identity": lambda step, inputs, p, buffers: inputs[0],
    "add": lambda step, inputs, p, buffers: inputs[0] + inputs[-1],
    "zeros": lambda step, inputs, p, buffers: jnp.zeros_like(inputs[0]),
    "mean": lambda step, inputs, p, buffers: inputs[0].mean((2, 3)),
    "output": lambda step, inputs, p, buffers: inputs[0],
}

if __name__ == "__main__":
    _main()
