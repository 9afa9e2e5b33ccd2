"""Images from whatever holds them: arrays, tensors, pairs with labels, names of data sets."""

from __future__ import annotations

import math
from typing import Any, Optional, Sequence, Tuple, Union

import numpy as np

from . import _core
from ._core import Images
from ._errors import InputError

ArrayLike = Any  # what numpy.asarray takes, and tensors of torch
Data = Union[Images, str, ArrayLike, Tuple[ArrayLike, ArrayLike]]
Shape = Tuple[int, int, int]


def to_numpy(values: ArrayLike) -> np.ndarray:
    """An array of numbers; tensors of torch may require gradients and lie on another device."""
    if hasattr(values, "detach"):
        values = values.detach().cpu().numpy()
    array = np.asarray(values)
    if array.dtype.kind not in "buif":
        raise InputError(f"images are numbers, but this array holds {array.dtype}; give an array of uint8 or float32")
    return array


def four_dimensions(array: np.ndarray, shape: Optional[Shape], channels_last: bool) -> np.ndarray:
    """N x C x H x W. `shape` is the network's, if it is known; without it two dimensions are N vectors."""
    if channels_last:
        if array.ndim != 4:
            raise InputError(f"channels_last needs an array N x H x W x C, not one of {array.ndim} dimensions")
        return array.transpose(0, 3, 1, 2)
    if array.ndim == 4:
        return array
    if array.ndim == 3:
        return array[:, np.newaxis]
    if array.ndim == 2:
        if shape is not None and math.prod(shape) == array.shape[1]:
            return array.reshape(array.shape[0], *shape)
        return array[:, :, np.newaxis, np.newaxis]
    raise InputError(
        f"an array of {array.ndim} dimensions holds no images; give N x C x H x W, N x H x W, or N x features"
    )


def is_single(array: np.ndarray, shape: Shape) -> bool:
    """Whether an array is one input of the network rather than several."""
    channels, height, width = shape
    one = [shape, (math.prod(shape),)]
    if channels == 1:
        one.append((height, width))
    return array.shape in one


def images_of(array: np.ndarray, labels: Optional[Sequence[int]] = None) -> Images:
    """Images of an array N x C x H x W; 8-bit numbers are pixels."""
    numbers = [] if labels is None else label_list(labels)
    if array.dtype == np.uint8:
        return _core.images_of_pixels(np.ascontiguousarray(array), numbers)
    return _core.images_of_numbers(np.ascontiguousarray(array, dtype=np.float32), numbers)


def label_list(labels: ArrayLike) -> list[int]:
    array = to_numpy(labels).ravel()
    if array.dtype.kind == "f" and not np.array_equal(array, np.trunc(array)):
        raise InputError("labels are whole numbers counted from 0, but these have fractions")
    return [int(label) for label in array]


def as_images(
    data: Data,
    labels: Optional[ArrayLike] = None,
    *,
    shape: Optional[Shape] = None,
    channels_last: bool = False,
    framing: str = "",
) -> Images:
    """Images with labels, if there are any. See autoprivacy.images."""
    if isinstance(data, Images):
        if labels is None:
            return data
        return images_of(data.array, labels)
    if isinstance(data, str):
        found = _core.load_images(data, 0, None, framing)
        return found if labels is None else images_of(found.array, labels)
    if isinstance(data, tuple) and len(data) == 2 and labels is None:
        data, labels = data
    array = to_numpy(data)
    if shape is not None and is_single(array, shape):
        array = array.reshape(1, *shape)
    return images_of(four_dimensions(array, shape, channels_last), labels)
