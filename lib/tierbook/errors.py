"""What can go wrong for a user, each with the exit code of the command line (DESIGN §7)."""


class TierbookError(Exception):
    """A failure a user can cause: one line that names the place, the count and what to do."""

    exit_code = 2

    def __init__(self, message: str = ""):
        super().__init__(" ".join(str(message).splitlines()))  # a path or a cell may hold a line break


class NotebookFailed(TierbookError):
    """A notebook stopped: the executed copy, called ``notebook``, lies under ``outputs/.failed/``."""

    exit_code = 1
    notebook = ""


class ParamsError(TierbookError):
    """The params file cannot be read, or holds a key or a value that means nothing."""

    exit_code = 2


class InputError(TierbookError):
    """An input table is missing, unreadable, or lacks a required column."""

    exit_code = 2


class GateRefused(TierbookError):
    """The data were read, but nothing usable is left to report on."""

    exit_code = 3


class PublishError(TierbookError):
    """The finished report could not be put in its place: disk, permission, or another run holds it."""

    exit_code = 4
