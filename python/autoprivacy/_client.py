"""The client: classifies images by a server that sees neither them nor the answers."""

from __future__ import annotations

import datetime
import logging
import os
import sys
import threading
import warnings
from typing import Any, Callable, List, Optional, Union

import numpy as np

from . import _core
from ._arrays import Data, as_images, is_single, to_numpy
from ._errors import InputError
from ._packages import Package, of_party
from ._progress import ProgressArgument, in_notebook, reporter

Path = Union[str, "os.PathLike[str]"]

_logger = logging.getLogger("autoprivacy.client")


def _warn(sentence: str) -> None:
    warnings.warn(sentence, stacklevel=2)


class _WaitLog:
    """Says what changes while a client waits: to the log, and where a person can see it."""

    def __init__(self) -> None:
        self._last = ""

    def __call__(self, before: Optional[int], seconds: int) -> None:
        if before is None:
            sentence = f"the server and its queue are full; trying again in {seconds} s"
        else:
            sentence = f"waiting for a place at the server: {before} before this client, about {seconds} s"
        if sentence != self._last:
            _logger.warning("%s", sentence)
            if in_notebook() or sys.stderr.isatty():
                print(sentence, file=sys.stderr)
        self._last = sentence


class Client(_core.Client):
    """A client of one network.

    `package` is client.apm, its bytes, or a Plan. A file must be signed by `publisher` (a key of minisign), if that is
    given. At most one session at a time; methods may be called from any thread and wait for each other. A method that
    raises PeerError has ended the session; connect() begins a new one.

        with Client("client.apm").connect("wss://host:9000", trust="certificate.pem") as client:
            print(client.classify(image).name)
    """

    def __init__(self, package: Package, *, publisher: str = "") -> None:
        in_memory, content = of_party(package, "client")
        if not in_memory:
            super().__init__(content, publisher)
        elif publisher:
            raise InputError("a signature is a file beside a package; give the package's path, not its bytes")
        else:
            super().__init__(content)
        self._one_at_a_time = threading.Lock()

    def connect(
        self,
        url: str,
        *,
        trust: str = "",
        authorities: Path = "",
        token: str = "",
        certificate: Path = "",
        key: Path = "",
        connect_wait: float = 10,
        deadline: float = 60,
        wait: float = 300,
        on_wait: Optional[Callable[[Optional[int], int], None]] = None,
        store: Path = "",
        unit_costs: str = "",
        notice: Optional[Callable[[str], None]] = None,
    ) -> "Client":
        """Begins a session with the server at wss://HOST:PORT, and returns this client.

        `trust` is the one certificate that it must show, a fingerprint or a PEM file; else `authorities` (PEM), else
        those of the operating system must have signed it. `store` keeps inferences prepared for later sessions.
        Sentences about stored inferences that cannot be used go to `notice`, or become warnings. If all places of the
        server are taken, the client waits in its queue for at most `wait` seconds, and `on_wait(before, seconds)` hears
        how many are before it (None: the queue is full too, and it comes again later) and about how long that takes;
        without it logging.getLogger("autoprivacy.client") does. Options as in
        autoprivacy/client.h, times in seconds.
        """
        options = _core.ConnectOptions()
        options.trust = trust
        options.authorities = authorities
        options.token = token
        options.certificate = certificate
        options.key = key
        options.connect_wait = datetime.timedelta(seconds=connect_wait)
        options.deadline = datetime.timedelta(seconds=deadline)
        options.place_wait = datetime.timedelta(seconds=wait)
        options.store = store
        options.unit_costs = unit_costs
        with self._one_at_a_time:
            self._connect(url, options, notice or _warn, on_wait or _WaitLog())
        return self

    def prepare(self, count: int = 1) -> None:
        """Prepares inferences in this session: most of the work, which needs no image."""
        with self._one_at_a_time:
            self._prepare(count)

    def store(self, count: int = 1) -> int:
        """Prepares inferences for later sessions, in the stores of both parties; returns how many wait there now."""
        with self._one_at_a_time:
            return self._store(count)

    def classify(
        self, data: Data, *, channels_last: bool = False, progress: ProgressArgument = None
    ) -> Union[_core.Classification, List[_core.Classification]]:
        """Classifies one image, or any number of them.

        An array of the network's input shape is one image and gives one answer; everything else that compile() takes
        gives a list. 8-bit numbers are pixels; other numbers are taken as the package's normalisation says.
        """
        shape = self.input_shape
        single = False
        if not isinstance(data, (_core.Images, str, tuple)):
            data = to_numpy(data)
            if channels_last and data.ndim == 3 and data.shape == (shape[1], shape[2], shape[0]):
                data, channels_last = data.transpose(2, 0, 1), False
            single = is_single(data, shape)
        images = as_images(data, shape=shape, channels_last=channels_last, framing=self.framing)
        with self._one_at_a_time:
            answers = self._classify(images, reporter(progress))
        return answers[0] if single else answers

    def predict(self, data: Data, *, channels_last: bool = False, progress: ProgressArgument = None) -> np.ndarray:
        """The label of each image, as estimators of scikit-learn give them; -1 where the answer is no class."""
        answers = self.classify(data, channels_last=channels_last, progress=progress)
        listed = answers if isinstance(answers, list) else [answers]
        return np.array([-1 if answer.label is None else answer.label for answer in listed])

    def close(self) -> None:
        """Tells the server that the session is over. What was prepared in it is gone."""
        with self._one_at_a_time:
            self._close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, kind: Any, *_: Any) -> None:
        try:
            self.close()
        except Exception:
            if kind is None:
                raise

    def __repr__(self) -> str:
        state = "connected" if self.connected else "not connected"
        return f"<Client {self.package_id[:8]}: {self.classes} classes, {state}>"
