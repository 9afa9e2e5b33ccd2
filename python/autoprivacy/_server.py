"""The server: answers clients without seeing their images or the answers."""

from __future__ import annotations

import atexit
import datetime
import logging
import os
import threading
import weakref
from typing import Any, Callable, Optional, Union

from . import _core
from ._packages import Package, of_party

Path = Union[str, "os.PathLike[str]"]
Log = Callable[[str, str], None]  # level ("info", "warning" or "error"), sentence

_logger = logging.getLogger("autoprivacy.server")
_running: "weakref.WeakSet[Server]" = weakref.WeakSet()


def _to_logging(level: str, sentence: str) -> None:
    _logger.log(getattr(logging, level.upper()), "%s", sentence)


def _milliseconds(seconds: float) -> datetime.timedelta:
    return datetime.timedelta(seconds=seconds)


class Server(_core.Server):
    """A server of one network or several.

    `package` is server.apm, its bytes, a Plan, or a folder of packages that is looked at again while the server runs.
    Inferences are counted in a file beside the package, or `ledger`; a
    package in memory needs one of them, or `count_in_memory` where a restart may forget. Options as in
    autoprivacy/server.h, times in seconds. Lines of the log go to `log(level, sentence)`; without it to
    logging.getLogger("autoprivacy.server").

        with Server(plan, count_in_memory=True) as server:
            print(server.url, server.fingerprint)
    """

    def __init__(
        self,
        package: Package,
        *,
        listen: str = "127.0.0.1:0",
        metrics: str = "",
        tls_certificate: Path = "",
        tls_key: Path = "",
        max_sessions: int = 8,
        queue: int = 32,
        queue_wait: float = 600,
        max_prepared: int = 4,
        max_memory_bytes: int = 0,
        clients: Path = "",
        ledger: Path = "",
        count_in_memory: bool = False,
        max_inferences: int = 0,
        store: Path = "",
        store_inferences: int = 64,
        store_bytes: int = 64 << 30,
        store_client_inferences: int = 0,
        deadline: float = 60,
        idle: float = 300,
        lifetime: float = 86_400,
        drain: float = 0,
        share_statistics: str = "none",
        log: Optional[Log] = None,
    ) -> None:
        options = _core.ServerOptions()
        options.listen = listen
        options.metrics = metrics
        options.tls_certificate = tls_certificate
        options.tls_key = tls_key
        options.max_sessions = max_sessions
        options.queue = queue
        options.queue_wait = _milliseconds(queue_wait)
        options.max_prepared = max_prepared
        options.max_memory_bytes = max_memory_bytes
        options.clients = clients
        options.ledger = ledger
        options.count_in_memory = count_in_memory
        options.max_inferences = max_inferences
        options.store = store
        options.store_inferences = store_inferences
        options.store_bytes = store_bytes
        options.store_client_inferences = store_client_inferences
        options.deadline = _milliseconds(deadline)
        options.idle = _milliseconds(idle)
        options.lifetime = _milliseconds(lifetime)
        options.drain = _milliseconds(drain)
        options.share_statistics = share_statistics
        _, content = of_party(package, "server")
        super().__init__(content, options, log or _to_logging)
        self._ended = threading.Event()

    def start(self) -> "Server":
        """Begins to serve on threads of its own, and returns at once."""
        self._start()
        _running.add(self)
        return self

    def stop(self) -> None:
        """Takes no more clients and ends all sessions, each within two seconds."""
        _running.discard(self)
        self._ended.set()
        self._stop()

    def serve_forever(self) -> None:
        """Serves until stop() is called from another thread, or Ctrl-C."""
        try:
            self.start()
            while not self._ended.wait(0.2):
                pass
        except KeyboardInterrupt:
            pass
        finally:
            self.stop()

    def __enter__(self) -> "Server":
        return self.start()

    def __exit__(self, *_: Any) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<Server {self.package_id[:8]} at {self.url}>"


@atexit.register
def _stop_all() -> None:
    """Threads of a server must not outlive the interpreter that they log to."""
    for server in list(_running):
        server.stop()
