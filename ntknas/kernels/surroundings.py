"""What a network is run under while a kernel is computed, whatever its caller has switched on.

A kernel is a property of the network and its parameters in their precision. Autocast, TF32, compiled graphs that free
their buffers, fused attention without a second derivative, sparse or scaled gradients and re-entrant checkpoints are
ways to train it: they are off for the time being, and everything is restored.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import torch
import torch.utils.checkpoint
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from ntknas.kernels.batch_norm import is_stock

_GETTER, _SETTER = "_get_fp32_precision_getter", "_set_fp32_precision_setter"
_FUNCTION = "CheckpointFunction"
_PARENTS = (("generic", "all"), ("mkldnn", "all"), ("cuda", "all"))
_OPERATIONS = tuple((backend, name) for backend in ("mkldnn", "cuda") for name in ("matmul", "conv", "rnn"))


@contextmanager
def plain(model: nn.Module, x: Tensor) -> Iterator[None]:
    """Run a network plainly: with gradients, in full precision, eagerly; its buffers are restored on leaving."""
    recurrent = x.is_cuda and any(isinstance(module, nn.RNNBase) for module in model.modules())
    with ExitStack() as stack:
        stack.enter_context(torch.enable_grad())
        stack.enter_context(full_precision(cudnn=torch.backends.cudnn.enabled and not recurrent))
        for context in (_mathematical_attention, _eager, _without_reentrant_checkpoints):
            stack.enter_context(context())
        stack.enter_context(_plain_embeddings(model))
        stack.enter_context(_buffers_kept(model))
        yield


@contextmanager
def full_precision(*, cudnn: bool = True) -> Iterator[None]:
    """Switch autocast and TF32 off, and cuDNN where it must not be used.

    It refuses recurrent backward passes in evaluation mode.
    """
    with ExitStack() as stack:
        for device in ("cpu", "cuda"):
            stack.enter_context(torch.autocast(device, enabled=False))
        stack.enter_context(_highest_matmul())
        stack.enter_context(_ieee_operations() if hasattr(torch._C, _GETTER) else _without_tf32())
        stack.enter_context(without_fused_recurrence(cudnn=cudnn, mkldnn=torch._C._get_mkldnn_enabled()))
        yield


@contextmanager
def without_fused_recurrence(*, cudnn: bool = False, mkldnn: bool = False) -> Iterator[None]:
    """Switch cuDNN or oneDNN off: their recurrent layers lack some derivatives."""
    switches = (torch.backends.cudnn.enabled, torch._C._get_mkldnn_enabled())
    try:
        torch.backends.cudnn.enabled = cudnn
        torch._C._set_mkldnn_enabled(mkldnn)
        yield
    finally:
        torch.backends.cudnn.enabled = switches[0]
        torch._C._set_mkldnn_enabled(switches[1])


@contextmanager
def _highest_matmul() -> Iterator[None]:
    try:
        precision = torch.get_float32_matmul_precision()
    except RuntimeError:  # the caller uses the newer fp32_precision, which _ieee_operations sees to
        yield
        return
    try:
        torch.set_float32_matmul_precision("highest")
        yield
    finally:
        torch.set_float32_matmul_precision(precision)


@contextmanager
def _without_tf32() -> Iterator[None]:
    """Before torch 2.9."""
    tf32 = torch.backends.cudnn.allow_tf32
    try:
        torch.backends.cudnn.allow_tf32 = False
        yield
    finally:
        torch.backends.cudnn.allow_tf32 = tf32


@contextmanager
def _ieee_operations() -> Iterator[None]:
    """Let every operation of float32 compute in float32, by the settings that torch has had since 2.9."""
    get, put = getattr(torch._C, _GETTER), getattr(torch._C, _SETTER)
    settings: list[tuple[str, str, str]] = []
    try:
        for names, value in [*((names, "none") for names in _PARENTS), *((names, "ieee") for names in _OPERATIONS)]:
            settings.append((*names, get(*names)))  # an operation without a value of its own would answer its parent's
            put(*names, value)
        yield
    finally:
        for setting in settings:
            put(*setting)


@contextmanager
def _mathematical_attention() -> Iterator[None]:
    """Attention by products and a softmax: fused kernels have no second and no forward-mode derivative."""
    fast = torch.backends.mha.get_fastpath_enabled()
    with sdpa_kernel(SDPBackend.MATH):
        try:
            torch.backends.mha.set_fastpath_enabled(False)
            yield
        finally:
            torch.backends.mha.set_fastpath_enabled(fast)


@contextmanager
def _eager() -> Iterator[None]:
    """Run what ``torch.compile`` was given as it was given: a compiled backward pass frees buffers that rows share."""
    # Where it is not loaded nothing is compiled, and set_stance would load it.
    if "torch._dynamo" not in sys.modules or not hasattr(torch.compiler, "set_stance"):
        yield
        return
    with torch.compiler.set_stance("force_eager"):
        yield


@contextmanager
def _without_reentrant_checkpoints() -> Iterator[None]:
    """Run the blocks of re-entrant checkpoints plainly.

    Their backward pass is a nested one that writes into ``.grad`` and returns nothing for the block's parameters.
    """
    function = torch.utils.checkpoint.CheckpointFunction
    setattr(torch.utils.checkpoint, _FUNCTION, _NoCheckpoint)
    try:
        yield
    finally:
        setattr(torch.utils.checkpoint, _FUNCTION, function)


class _NoCheckpoint:
    @staticmethod
    def apply(run: Callable[..., object], preserve_rng_state: bool, *inputs: object) -> object:
        """Run a block."""
        return run(*inputs)


@contextmanager
def _plain_embeddings(model: nn.Module) -> Iterator[None]:
    """Let embeddings give their gradients, neither sparse nor divided by how often a word is in the batch."""
    switches = ("sparse", "scale_grad_by_freq")
    embeddings = [m for m in model.modules() if isinstance(m, nn.Embedding | nn.EmbeddingBag)]
    values = [(module, name, getattr(module, name)) for module in embeddings for name in switches]
    try:
        for module, name, _ in values:
            setattr(module, name, False)
        yield
    finally:
        for module, name, value in values:
            setattr(module, name, value)


@contextmanager
def _buffers_kept(model: nn.Module) -> Iterator[None]:
    """Restore the buffers that a network changes in its forward pass; of BatchNorm itself nothing is changed."""
    modules = [m for m in model.modules() if not (isinstance(m, nn.modules.batchnorm._BatchNorm) and is_stock(m))]
    originals = [
        (module, name, buffer, buffer._version, buffer.clone())
        for module in modules
        for name, buffer in module._buffers.items()
        if buffer is not None and not buffer.is_inference()  # which has no version to compare
    ]
    try:
        yield
    finally:
        for module, name, buffer, version, values in originals:
            if buffer._version != version:
                with torch.no_grad():
                    buffer.copy_(values)
            module._buffers[name] = buffer  # forward may have bound another tensor to the name
