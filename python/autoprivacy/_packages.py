"""Packages: files, bytes, or the plan that was just compiled."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Tuple, Union

if TYPE_CHECKING:
    from ._plan import Plan

Package = Union[str, "os.PathLike[str]", bytes, "Plan"]


def of_party(package: Any, party: str) -> Tuple[bool, Any]:
    """Whether it is in memory, and its bytes or its path. `party` is "server" or "client": whose half of a plan."""
    if hasattr(package, "server_package"):
        return True, package.server_package if party == "server" else package.client_package
    if isinstance(package, (bytes, bytearray, memoryview)):
        return True, bytes(package)
    return False, os.fspath(package)
