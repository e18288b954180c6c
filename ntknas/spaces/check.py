"""Whether a space keeps its contract: what scoring takes for granted, tried on some of its cells."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial

from ntknas.core.errors import NtknasError
from ntknas.core.lazy import nn, torch
from ntknas.spaces.contract import MEMBERS, BuildOptions, CellLike, Classified, Encoded, Keyed, Space, Structured
from ntknas.spaces.counting import parameters as count_parameters
from ntknas.spaces.initialisation import INITIALISATIONS

CLASSES = 3
IMAGE_SIZE = 16
_PARAMETER_SETS = ("all", "weights")
_TOLERANCE = 1e-4
_NO_CELL = "\0no cell of any space"


class ContractError(NtknasError):
    """A space does not keep its contract."""


def check_space(
    space: Space, cells: Iterable[int] | None = None, *, channels: int | None = None, cells_per_stage: int | None = 1
) -> None:
    """Try a space's contract; for the tests of whoever writes one.

    Cells, texts and indices must agree; networks must have the right outputs, depend on nothing but their options and
    seed, and have the parameters that the space counts; representatives must be networks with the same outputs.

    Args:
        space: The space.
        cells: Indices of the cells to try; the first, one in the middle and the last without any.
        channels: Channels of the networks; the official number without one.
        cells_per_stage: Cells in each stage.

    Raises:
        ContractError: If something is not as it should be; the message has everything that was found.

    Example:
        >>> from ntknas import load_space
        >>> check_space(load_space("nb201"), [0], channels=2)
    """
    size = BuildOptions(channels=channels, cells_per_stage=cells_per_stage)
    chosen: list[int] = []
    problems = list(_of_members(space))
    if not problems:
        chosen = sorted({0, len(space) // 2, len(space) - 1}) if cells is None else list(cells)
        problems += _of_order(space)
        for index in chosen:
            problems += [f"cell {index}: {problem}" for problem in _of_cell(space, index, size)]
    if not problems:
        problems += [f"cell {chosen[-1]}: {problem}" for problem in _of_options(space, space[chosen[-1]], size)]
    if problems:
        raise ContractError(f"The space {getattr(space, 'name', '?')!r}: " + "; ".join(problems) + ".")


def _of_members(space: Space) -> Iterator[str]:
    lacking = [name for name in MEMBERS if not hasattr(space, name)]
    if lacking:
        yield f"{', '.join(lacking)} is missing"
        return
    if not space.name or not space.name.isprintable() or set(space.name) & set(", /"):
        yield f"its name has spaces, commas or slashes, or is empty: {space.name!r}"
    if not {"channels", "cells_per_stage"} <= set(space.defaults):
        yield f"`defaults` needs channels and cells_per_stage, has {', '.join(space.defaults)}"
    if "official" not in space.variants:
        yield f"`variants` needs 'official', has {', '.join(space.variants)}"
    if len(space) < 1:
        yield "it has no cells"
    if isinstance(space, Keyed) and space.key_length <= len(str(len(space) - 1)):
        yield f"its keys have {space.key_length} digits, as an index may have"


def _of_order(space: Space) -> Iterator[str]:
    for index in (-1, len(space)):
        if not _refuses(IndexError, partial(space.__getitem__, index)):
            yield f"space[{index}] raises no IndexError"
    if not _refuses(ValueError, partial(space.index, _NO_CELL)):
        yield "`index` raises no ChoiceError for what is no cell"
    first = next(iter(space))
    if (first.index, str(first)) != (0, str(space[0])):
        yield "iteration does not begin with cell 0"


def _refuses(expected: type[Exception], attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except expected:
        return True
    return False


def _of_cell(space: Space, index: int, size: BuildOptions) -> Iterator[str]:
    cell = space[index]
    if cell.index != index:
        yield f"its `index` is {cell.index}"
    if space.index(str(cell)) != index:
        yield f"its text {str(cell)!r} is that of cell {space.index(str(cell))}"
    if isinstance(space, Keyed) and not (len(str(cell)) == space.key_length and str(cell).isdecimal()):
        yield f"its text {str(cell)!r} is no key of {space.key_length} digits"
    if isinstance(space, Encoded):
        yield from _of_encodings(space.encodings, str(cell), index)
    if not isinstance(space.is_disconnected(cell), bool):
        yield "`is_disconnected` is neither true nor false"
    network = _built(space, cell, size)
    if unfit := list(_of_network(network)):
        yield from unfit
        return
    channels, depth = size["channels"], size["cells_per_stage"]
    announced = space.parameters(cell, num_classes=CLASSES, channels=channels, cells_per_stage=depth)
    counted = count_parameters(network)
    if counted != announced:
        yield f"its network has {counted:,} parameters, `parameters` says {announced:,}"
    if space.flops(cell, num_classes=CLASSES, image_size=IMAGE_SIZE, channels=channels, cells_per_stage=depth) < 0:
        yield "`flops` is negative"
    yield from _of_structure(space, cell, size, network)
    yield from _of_seeds(space, cell, size, network)
    yield from _of_representatives(space, cell, size, network)


def _of_encodings(encodings: Mapping[str, Callable[[str], int | None]], text: str, index: int) -> Iterator[str]:
    """Check that one of the ways in which a space's cells are written is its own, and that none reads it otherwise."""
    found = {way: read(text) for way, read in encodings.items()}
    if index not in found.values():
        yield f"none of its `encodings` reads {text!r}"
    for way, other in found.items():
        if other not in (None, index):
            yield f"as {way} its text {text!r} is that of cell {other}"


def _of_structure(space: Space, cell: CellLike, size: BuildOptions, network: nn.Module) -> Iterator[str]:
    """Check what only some spaces offer: counts of paths, and classes."""
    if isinstance(space, Structured):
        found = space.structure(
            cell,
            num_classes=CLASSES,
            image_size=IMAGE_SIZE,
            channels=size["channels"],
            cells_per_stage=size["cells_per_stage"],
        )
        tensors = sum(parameter.requires_grad for parameter in network.parameters())
        if found.trainable_layers != tensors:
            yield f"its network has {tensors} trainable tensors, `structure` says {found.trainable_layers}"
        if not 0 <= found.effective_parameters <= count_parameters(network):
            yield f"`structure` finds {found.effective_parameters:,} parameters on paths: more than all, or below 0"
    if isinstance(space, Classified):
        first = space.isomorphism_representative(cell)
        if not 0 <= first <= cell.index:
            yield f"its isomorphic cell is {first}: no index, or a larger one"


def _built(space: Space, cell: CellLike, options: BuildOptions, seed: int = 0) -> nn.Module:
    return space.build(cell, num_classes=CLASSES, seed=seed, **options)


def _of_network(network: nn.Module) -> Iterator[str]:
    if not network.training:
        yield "its network is not in training mode"
    if any(p.dtype != torch.float32 or p.device.type != "cpu" for p in network.parameters()):
        yield "its network is not in float32 on the CPU"
        return
    outputs = _outputs(network)
    if outputs.shape != (2, CLASSES):
        yield f"its network returns {tuple(outputs.shape)} for 2 images and {CLASSES} classes"
    elif not outputs.isfinite().all():
        yield "its network returns numbers that are not finite"


def _outputs(network: nn.Module) -> torch.Tensor:
    # Drawn from nothing: the caller's random state stays as it is.
    images = torch.linspace(-1, 1, 2 * 3 * IMAGE_SIZE**2).sin().reshape(2, 3, IMAGE_SIZE, IMAGE_SIZE)
    with torch.no_grad():
        outputs: torch.Tensor = network(images)
    return outputs


def _of_seeds(space: Space, cell: CellLike, size: BuildOptions, network: nn.Module) -> Iterator[str]:
    same_seed, next_seed = (dict(_built(space, cell, size, seed).named_parameters()) for seed in (0, 1))
    if any(not torch.equal(value, same_seed[name]) for name, value in network.named_parameters()):
        yield "two networks of one seed differ"
    if same_seed and all(torch.equal(value, next_seed[name]) for name, value in same_seed.items()):
        yield "networks of two seeds are the same"


def _of_representatives(space: Space, cell: CellLike, size: BuildOptions, network: nn.Module) -> Iterator[str]:
    for parameters in _PARAMETER_SETS:
        index = space.representative(cell, parameters, "none", variant="official")
        if not 0 <= index <= cell.index:
            yield f"its representative under {parameters!r} is {index}: no index, or a larger one"
        elif space.representative(space[index], parameters, "none", variant="official") != index:
            yield f"its representative under {parameters!r}, {index}, has another one"
        elif index != cell.index:
            difference = (_outputs(_built(space, space[index], size)) - _outputs(network)).abs().max()
            if not difference <= _TOLERANCE:
                yield f"its representative under {parameters!r}, {index}, is another network"


def _of_options(space: Space, cell: CellLike, size: BuildOptions) -> Iterator[str]:
    variants = {f"variant {name}": BuildOptions(variant=name) for name in space.variants}
    inits = {f"init {name}": BuildOptions(init=name) for name in INITIALISATIONS}
    for name, options in {**variants, **inits}.items():
        yield from (f"{name}: {problem}" for problem in _of_network(_built(space, cell, {**size, **options})))
    for impossible in (BuildOptions(variant=_NO_CELL), BuildOptions(init=_NO_CELL)):
        if not _refuses(ValueError, partial(_built, space, cell, {**size, **impossible})):
            yield f"`build` takes any {next(iter(impossible))}"
