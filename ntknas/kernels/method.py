"""How a kernel is computed: nothing here changes which kernel it is. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass

from ntknas.core.errors import KernelError, check_known

AUTO = "auto"
LAYER_WISE = "layer-wise"
ROW_LOOP = "row-loop"
STRATEGIES = {
    AUTO: "layer-wise where it is exact, else row-loop",
    LAYER_WISE: "one forward and one backward pass, contracted layer by layer; decoupled networks only",
    ROW_LOOP: "the oracle: one backward pass of the batch for each row",
}


@dataclass(frozen=True)
class Method:
    """How to compute a kernel; see ``empirical_ntk`` for what each attribute costs and gains.

    Attributes:
        strategy: A key of ``STRATEGIES``.
        verify: Whether to prove the kernel on its batch.
        chunk: Samples (of coupled networks: rows) per chunk; ``None`` for all at once.
        rows_at_once: Rows per backward pass of the row loop.
        by_layer: Whether to keep apart what each layer adds.
        layer_inputs: Whether to take the Gram matrices of each layer's inputs, too.
    """

    strategy: str = AUTO
    verify: bool = True
    chunk: int | None = None
    rows_at_once: int = 1
    by_layer: bool = False
    layer_inputs: bool = False

    def __post_init__(self) -> None:
        """Check strategy and sizes.

        Raises:
            ChoiceError: If the strategy is unknown.
            KernelError: If a size is below 1.
        """
        check_known("strategy", self.strategy, STRATEGIES)
        for name, size in (("chunk", self.chunk), ("rows_at_once", self.rows_at_once)):
            if size is not None and size < 1:
                raise KernelError(f"`{name}` must be at least 1, got {size}.")
