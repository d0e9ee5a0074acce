"""What the launcher says: progress on standard output, failures as one sentence."""

import errno
import sys
import time
from pathlib import Path


class LaunchError(Exception):
    """Starting is not possible; the sentence says why and what to do."""

    def __init__(self, sentence: str, exit_code: int = 2) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.exit_code = exit_code


class Progress:
    """Prints one line for each thing that begins, with the seconds since the start."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def say(self, text: str) -> None:
        """Print a line at once, with the time it was said."""
        print(f"[{time.monotonic() - self._began:5.1f} s] {text}", flush=True)

    def show(self, text: str = "") -> None:
        """Print a line that is not a step (the address, the logins, a tail of a log)."""
        print(text, flush=True)


def complain(sentence: str) -> None:
    """Print a failure on standard error."""
    print(sentence, file=sys.stderr, flush=True)


def read_tail(path: Path, begin: int = 0, lines: int = 10) -> list[str]:
    """The last lines of a log file from byte `begin` on, or none when there is no such file."""
    try:
        with path.open("rb") as log:
            log.seek(max(begin, log.seek(0, 2) - 16_384))
            return log.read().decode("utf-8", "replace").splitlines()[-lines:]
    except OSError:
        return []


def describe_os_error(error: OSError) -> str:
    """A sentence for an operating system error that no step has described better."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        where = f" while writing {error.filename}" if error.filename else ""
        return f"The disk is full{where}; free some space and start again."
    where = f" {error.filename}" if error.filename else ""
    return f"The operating system refused{where}: {error.strerror or error}."
