"""What every function raises: one sentence, with the exit status that the command line would end with."""


class Error(Exception):
    """Something went wrong; `str(error)` is the sentence of the command line, and `code` its exit status.

    Its subclasses say whose fault it is, which decides what to do about it (docs/errors.md).
    """

    code: int = 1


class InternalError(Error, RuntimeError):
    """A fault of this library, or no memory: report it, or use a smaller network."""

    code = 1


class InputError(Error, ValueError):
    """An argument, file, model or image that cannot be used: correct it."""

    code = 2


class PeerError(Error, ConnectionError):
    """The other party or the network: try again, or ask whoever runs the other party."""

    code = 3


class SecurityError(Error):
    """Refused because a security condition does not hold: do not go on with what was refused."""

    code = 4


def of_code(code: int, sentence: str) -> Error:
    """The exception that belongs to an exit status."""
    for kind in (InputError, PeerError, SecurityError):
        if kind.code == code:
            return kind(sentence)
    return InternalError(sentence)
