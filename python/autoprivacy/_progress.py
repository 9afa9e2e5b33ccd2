"""Bars for work that takes longer than a blink: in a terminal, in a notebook, or as the caller likes."""

from __future__ import annotations

import shutil
import sys
from typing import Any, Callable, Optional, Union

from ._core import Progress

ProgressArgument = Union[bool, None, Callable[[Progress], None]]

SHORTEST = 0.5  # seconds; what is over sooner is not shown


def text_of(report: Progress, width: int) -> str:
    """One line of at most `width` columns."""
    share = min(1.0, report.done / report.total) if report.total else 1.0
    left = f", {report.seconds / share - report.seconds:.0f} s left" if 0 < share < 1 else ""
    words = f" {report.done}/{report.total} {report.seconds:.1f} s{left} {report.detail}".rstrip()
    room = width - len(report.task) - len(words) - 4
    bar = f" [{'#' * int(share * room):.<{room}}]" if room >= 8 else ""
    return f"{report.task}{bar}{words}"[:width]


class TerminalBar:
    """Draws on one line of standard error and erases it at the end."""

    def __init__(self, stream: Any = None) -> None:
        self.stream = stream or sys.stderr

    def __call__(self, report: Progress) -> None:
        if report.seconds < SHORTEST:
            return
        width = shutil.get_terminal_size().columns - 1
        line = "" if report.last else text_of(report, width)
        self.stream.write(f"\r{line}\x1b[K")
        self.stream.flush()


class NotebookBar:
    """A progress element below the cell, gone at the end."""

    def __init__(self) -> None:
        self.handle: Any = None

    def __call__(self, report: Progress) -> None:
        from html import escape

        from IPython.display import HTML, display

        if report.seconds < SHORTEST:
            return
        text = escape(f"{report.task} {report.done}/{report.total}, {report.seconds:.1f} s {report.detail}")
        element = HTML("" if report.last else f"<progress value={report.done} max={report.total}></progress> {text}")
        if self.handle is None:
            self.handle = display(element, display_id=True)
        else:
            self.handle.update(element)


def in_notebook() -> bool:
    """Whether this interpreter is the kernel of a notebook."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return type(shell).__name__ == "ZMQInteractiveShell"


def reporter(progress: ProgressArgument) -> Optional[Callable[[Progress], None]]:
    """What is told of the progress. None: a bar where a person can see it; True: always a bar; False: nobody."""
    if progress is False:
        return None
    if callable(progress):
        return progress
    if in_notebook():
        return NotebookBar()
    if progress or sys.stderr.isatty():
        return TerminalBar()
    return None
