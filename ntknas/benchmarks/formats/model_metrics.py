"""The protocol-buffer message ``ModelMetrics`` of NAS-Bench-101, described here so that no compiler is needed.

Source:
    ``model_metrics.proto`` of the official NAS-Bench-101 code.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from ntknas.benchmarks.formats.tfrecord import EXTRA
from ntknas.core.errors import DataError
from ntknas.core.extras import require

if TYPE_CHECKING:
    from google.protobuf.message import Message

_EVALUATIONS = 3


class Evaluation(NamedTuple):
    """A network's figures at one moment of its training."""

    current_epoch: float
    training_time: float
    train_accuracy: float
    validation_accuracy: float
    test_accuracy: float


class Metrics(NamedTuple):
    """What a record says of one training run.

    Attributes:
        evaluations: At the start, half-way and at the end.
        trainable_parameters: Trainable parameters.
    """

    evaluations: tuple[Evaluation, ...]
    trainable_parameters: int


@lru_cache(maxsize=1)
def _message_class() -> type[Message]:
    descriptors, pools, factory = (
        require(f"google.protobuf.{name}", EXTRA) for name in ("descriptor_pb2", "descriptor_pool", "message_factory")
    )
    field = descriptors.FieldDescriptorProto
    file = descriptors.FileDescriptorProto(name="ntknas/model_metrics.proto", package="nasbench", syntax="proto2")
    evaluation = file.message_type.add(name="EvaluationData")
    for number, name in enumerate(Evaluation._fields, start=1):
        evaluation.field.add(name=name, number=number, type=field.TYPE_DOUBLE, label=field.LABEL_OPTIONAL)
    evaluation.field.add(name="checkpoint_path", number=6, type=field.TYPE_STRING, label=field.LABEL_OPTIONAL)
    metrics = file.message_type.add(name="ModelMetrics")
    metrics.field.add(
        name="evaluation_data",
        number=1,
        type=field.TYPE_MESSAGE,
        type_name=".nasbench.EvaluationData",
        label=field.LABEL_REPEATED,
    )
    metrics.field.add(name="trainable_parameters", number=2, type=field.TYPE_INT32, label=field.LABEL_OPTIONAL)
    metrics.field.add(name="total_time", number=3, type=field.TYPE_DOUBLE, label=field.LABEL_OPTIONAL)
    pool = pools.DescriptorPool()  # not the default one, where the official code may have put the same name
    pool.Add(file)
    message_class: type[Message] = factory.GetMessageClass(pool.FindMessageTypeByName("nasbench.ModelMetrics"))
    return message_class


def decode(content: bytes) -> Metrics:
    """Return what a message says.

    Raises:
        DataError: If the bytes are no such message.
    """
    message = _message_class()()
    try:
        message.ParseFromString(content)
    except require("google.protobuf.message", EXTRA).DecodeError as error:
        raise DataError("its metrics are damaged") from error
    evaluations = message.evaluation_data[:_EVALUATIONS]
    return Metrics(
        tuple(Evaluation(*(getattr(figures, name) for name in Evaluation._fields)) for figures in evaluations),
        message.trainable_parameters,
    )


def encode(evaluations: list[tuple[float, ...]], parameters: int, seconds: float) -> bytes:
    """Return the bytes of a message, for files in the official format.

    Args:
        evaluations: For each evaluation, the figures of an ``Evaluation``.
        parameters: Trainable parameters.
        seconds: Total time.
    """
    message = _message_class()(trainable_parameters=parameters, total_time=seconds)
    for values in evaluations:
        message.evaluation_data.add(**dict(zip(Evaluation._fields, values, strict=True)))
    return bytes(message.SerializeToString())
