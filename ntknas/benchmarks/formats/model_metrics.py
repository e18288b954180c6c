"""The protocol-buffer message ``ModelMetrics`` of NAS-Bench-101, described here so that no compiler is needed.

Source:
    ``model_metrics.proto`` of the official NAS-Bench-101 code.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

from ntknas.core.errors import DataError

_EVALUATION = (
    "current_epoch",
    "training_time",
    "train_accuracy",
    "validation_accuracy",
    "test_accuracy",
)


@lru_cache(maxsize=1)
def _message_class() -> Any:
    field = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="ntknas/model_metrics.proto", package="nasbench", syntax="proto2")
    evaluation = file.message_type.add(name="EvaluationData")
    for number, name in enumerate(_EVALUATION, start=1):
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
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("nasbench.ModelMetrics"))


def decode(content: bytes) -> Any:
    """Return the message: ``evaluation_data`` (start, half-way, end), ``trainable_parameters``, ``total_time``.

    Raises:
        DataError: If the bytes are no such message.
    """
    message = _message_class()()
    try:
        message.ParseFromString(content)
    except DecodeError as error:
        raise DataError("its metrics are damaged") from error
    return message


def encode(evaluations: list[tuple[float, ...]], parameters: int, seconds: float) -> bytes:
    """Return the bytes of a message, for files in the official format.

    Args:
        evaluations: For each evaluation epoch, training time and accuracies in training, validation and test.
        parameters: Trainable parameters.
        seconds: Total time.
    """
    message = _message_class()(trainable_parameters=parameters, total_time=seconds)
    for values in evaluations:
        message.evaluation_data.add(**dict(zip(_EVALUATION, values, strict=True)))
    content: bytes = message.SerializeToString()
    return content
