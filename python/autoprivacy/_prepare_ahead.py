"""Inferences prepared on a thread of their own, while there is nothing else to do."""

from __future__ import annotations

import atexit
import datetime
import logging
import os
import weakref
from typing import Any, Callable, Optional, Union

from . import _core
from ._packages import Package, of_party

Path = Union[str, "os.PathLike[str]"]

_logger = logging.getLogger("autoprivacy.client")
_running: "weakref.WeakSet[PrepareAhead]" = weakref.WeakSet()


def _to_logging(sentence: str) -> None:
    _logger.warning("%s", sentence)


class PrepareAhead(_core.PrepareAhead):
    """Keeps `count` prepared inferences in the directory `store`, for clients that connect with it.

    It makes way for clients with an image, and tries again later if the server is gone, has no place or keeps no more;
    why, `notice(sentence)` hears, or logging.getLogger("autoprivacy.client"). Other options as Client.connect.

        with PrepareAhead("client.apm", url, 8, store="halves", trust=fingerprint):
            ...
    """

    def __init__(
        self,
        package: Package,
        url: str,
        count: int,
        *,
        store: Path,
        trust: str = "",
        authorities: Path = "",
        token: str = "",
        certificate: Path = "",
        key: Path = "",
        connect_wait: float = 10,
        deadline: float = 60,
        unit_costs: str = "",
        notice: Optional[Callable[[str], None]] = None,
    ) -> None:
        options = _core.ConnectOptions()
        options.trust = trust
        options.authorities = authorities
        options.token = token
        options.certificate = certificate
        options.key = key
        options.connect_wait = datetime.timedelta(seconds=connect_wait)
        options.deadline = datetime.timedelta(seconds=deadline)
        options.store = store
        options.unit_costs = unit_costs
        _, content = of_party(package, "client")
        super().__init__(content, url, count, options, notice or _to_logging)

    def start(self) -> "PrepareAhead":
        """Begins on a thread of its own, and returns at once."""
        self._start()
        _running.add(self)
        return self

    def stop(self) -> None:
        """Finishes what is being prepared. Raises what has ended it by itself before, if something has."""
        _running.discard(self)
        self._stop()

    def __enter__(self) -> "PrepareAhead":
        return self.start()

    def __exit__(self, *_: Any) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<PrepareAhead: {self.prepared} prepared, {self.available} in the store>"


@atexit.register
def _stop_all() -> None:
    """Their threads must not outlive the interpreter that they speak to."""
    for preparing in list(_running):
        preparing.stop()
