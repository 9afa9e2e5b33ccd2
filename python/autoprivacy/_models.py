"""ONNX models from whatever holds them."""

from __future__ import annotations

import inspect
import io
import os
import sys
from typing import Any, Tuple, Union

from ._errors import InputError

OPSET = 13  # the oldest that the importer knows


def is_torch_module(model: Any) -> bool:
    """Without importing torch: who has a module has imported it."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(model, torch.nn.Module)


def exported(module: Any, shape: Tuple[int, int, int]) -> bytes:
    """A module of torch as ONNX, by torch's own exporter, for one input of C x H x W (or a vector of C)."""
    import torch

    channels, height, width = shape
    vector = height == 1 and width == 1
    example = torch.zeros((1, channels) if vector else (1, channels, height, width))
    wanted = {"opset_version": OPSET, "input_names": ["input"], "output_names": ["output"]}
    if "dynamo" in inspect.signature(torch.onnx.export).parameters:
        wanted["dynamo"] = False  # the exporter that writes one file
    was_training = module.training
    module.eval()
    try:
        parameter = next(module.parameters(), example)
        buffer = io.BytesIO()
        torch.onnx.export(module, example.to(parameter.device, parameter.dtype), buffer, **wanted)
    except (RuntimeError, ValueError, TypeError) as error:
        raise InputError(
            f"torch cannot export {type(module).__name__} for inputs of {channels}x{height}x{width}: {error}"
        ) from error
    finally:
        module.train(was_training)
    return buffer.getvalue()


def model_of(model: Any, shape: Tuple[int, int, int]) -> Union[str, Tuple[bytes, str]]:
    """The path of an ONNX file, or its bytes with a name for messages."""
    if isinstance(model, (str, os.PathLike)):
        return os.fspath(model)
    if isinstance(model, (bytes, bytearray, memoryview)):
        return bytes(model), "the model"
    if hasattr(model, "SerializeToString"):  # onnx.ModelProto
        return model.SerializeToString(), "the model"
    if is_torch_module(model):
        return exported(model, shape), type(model).__name__
    raise InputError(
        f"a model is the path or the bytes of an ONNX file, an onnx.ModelProto or a torch.nn.Module, "
        f"not a {type(model).__name__}"
    )
