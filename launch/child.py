"""One process of the tree: the guarded command, its log file and its state."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from launch.messages import read_tail

GUARD = Path(__file__).with_name("guard.py")
LARGE_LOG_BYTES = 5 * 1024 * 1024


def _always() -> bool:
    return True


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """What to run, and how it starts and ends."""

    name: str
    command: tuple[str, ...]
    stop_order: int = 0
    stop_seconds: float = 10.0
    is_one_shot: bool = False
    # Whether what it prints is shown on the terminal, too.
    is_shown: bool = False
    is_up: Callable[[], bool] = _always
    start_seconds: float = 60.0


class Child:
    """Starts and ends one command through its guard."""

    def __init__(
        self,
        spec: ProcessSpec,
        *,
        environment: Mapping[str, str],
        log: Path,
        lifeline: int,
        inherited: Sequence[int] = (),
        directory: Path | None = None,
    ) -> None:
        self.spec = spec
        self.log = log
        self.failures = 0
        self.restart_at: float | None = None
        self._environment = dict(environment)
        self._lifeline = lifeline
        self._inherited = tuple(inherited)
        self._directory = directory
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._shown_to = 0
        self._begun_at = 0
        self._code: int | None = None

    def start(self) -> None:
        """Start the command in a session of its own, writing to its log."""
        self.restart_at = self._code = None
        if self.log.exists() and self.log.stat().st_size > LARGE_LOG_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))
        with self.log.open("ab") as output:
            self._begun_at = self._shown_to = output.tell()
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(GUARD), str(self._lifeline), *self.spec.command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=self._environment,
                cwd=self._directory,
                start_new_session=True,
                pass_fds=(self._lifeline, *self._inherited),
            )
        self._started_at = time.monotonic()

    def is_up(self) -> bool:
        """Whether it runs and answers; a one-shot has only to be started."""
        is_there = self.spec.is_one_shot or self.is_running()
        return self.restart_at is None and is_there and self.spec.is_up()

    def is_running(self) -> bool:
        """Whether its guard is there."""
        return self._process is not None and self.ended_with() is None

    def ended_with(self) -> int | None:
        """The exit code, or None while it runs; ends what it left behind."""
        if self._process is None or self._code is not None:
            return self._code
        code = self._process.poll()
        if code is not None:
            # Once only: later the group's number may belong to somebody else.
            self._end_group()
            self._code = code if code >= 0 else 128 - code
        return self._code

    def ran_for(self) -> float:
        """Seconds since it was last started."""
        return time.monotonic() - self._started_at

    def ask_to_end(self) -> None:
        """Ask the command, through its guard, to end in its own way."""
        if self._process is not None and self.is_running():
            self._process.send_signal(signal.SIGTERM)

    def end_at_once(self) -> None:
        """End the command, its guard and all its descendants, and wait for the guard."""
        if self._process is None or self._code is not None:
            return
        self._end_group()
        self._process.wait()
        self.ended_with()

    def _end_group(self) -> None:
        if self._process is None:
            return
        # An empty group is no error; macOS tells of it in the second way.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def read_new_lines(self) -> list[str]:
        """Whole lines written since the last call, of a process that is shown."""
        if not self.spec.is_shown or self._process is None:
            return []
        with self.log.open("rb") as log:
            log.seek(self._shown_to)
            written = log.read()
        whole = written[: written.rfind(b"\n") + 1]
        self._shown_to += len(whole)
        return whole.decode("utf-8", "replace").splitlines()

    def read_tail(self) -> list[str]:
        """The last lines it wrote since it was started."""
        return read_tail(self.log, self._begun_at)
