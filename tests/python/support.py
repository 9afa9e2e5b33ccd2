"""What the tests of the Python module share: the bundled network, real images, one plan for all."""

import functools
import os
import pathlib
import unittest

import autoprivacy

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODEL = ROOT / "models" / "fashion_mnist.onnx"
IMAGES = pathlib.Path("/usr/share/datasets/fashion-mnist")
NORMALIZE = "scale=255 mean=0.2860 std=0.3530"
NAMES = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"]
PROGRAM = pathlib.Path(os.environ["AUTOPRIVACY_BUILD"]) / "autoprivacy"

needs_images = unittest.skipUnless(IMAGES.is_dir(), f"no images in {IMAGES}; install dataset-fashion-mnist")


@functools.lru_cache(None)
def training():
    """128 images with labels."""
    return autoprivacy._core.load_images(f"mnist-train:{IMAGES}", 0, 128, "")


@functools.lru_cache(None)
def tests():
    """Ten images of the test set, as an array, and their labels."""
    images = autoprivacy._core.load_images(f"mnist:{IMAGES}", 0, 10, "")
    return images.array, images.labels


@functools.lru_cache(None)
def plan():
    return autoprivacy.compile(MODEL, training(), NORMALIZE, class_names=NAMES)
