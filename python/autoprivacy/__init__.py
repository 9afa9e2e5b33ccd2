"""Private classification with a neural network that somebody else owns.

The owner of the network never sees the image or the answer, the owner of the image never sees the weights.

    plan = autoprivacy.compile("model.onnx", (images, labels), "scale=255")   # every parameter is chosen here
    plan.write("out")                                                           # server.apm and client.apm

    with autoprivacy.Server("out/server.apm") as server:                        # at the owner of the network
        with autoprivacy.Client("out/client.apm").connect(server.url, trust=server.fingerprint) as client:
            print(client.classify(image).name)                                  # at the owner of the image

docs/python.md is the guide, examples/python a course.
"""

import logging

from ._arrays import as_images as images
from ._client import Client
from ._core import Audit, Classification, Images, Progress, Simulation, __version__
from ._errors import Error, InputError, InternalError, PeerError, SecurityError
from ._plan import Plan, audit, classify_in_clear, compile, simulate
from ._prepare_ahead import PrepareAhead
from ._server import Server

logging.getLogger("autoprivacy").addHandler(logging.NullHandler())

__all__ = [
    "Audit",
    "Classification",
    "Client",
    "Error",
    "Images",
    "InputError",
    "InternalError",
    "PeerError",
    "Plan",
    "PrepareAhead",
    "Progress",
    "SecurityError",
    "Server",
    "Simulation",
    "__version__",
    "audit",
    "classify_in_clear",
    "compile",
    "images",
    "simulate",
]
