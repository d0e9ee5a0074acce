"""Keeps a list of processes running as one tree: starts, restarts and ends them in order."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from launch.child import Child, ProcessSpec
from launch.messages import LaunchError, Progress

POLL_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    """How often a process that ended by itself is started again, and how soon."""

    limit: int = 5
    first_delay: float = 0.5
    # A process that ran for this long has recovered: its count begins anew.
    stable_seconds: float = 60.0

    def delay_of(self, attempt: int) -> float:
        """Seconds before the attempt, counted from 1: each waits twice as long."""
        return float(self.first_delay * 2 ** (attempt - 1))


class Supervisor:
    """Runs processes until a signal, or until one of them cannot be kept running."""

    def __init__(
        self,
        specs: Sequence[ProcessSpec],
        *,
        environment: Mapping[str, str],
        logs: Path,
        progress: Progress,
        restarts: RestartPolicy | None = None,
        inherited: Sequence[int] = (),
        directory: Path | None = None,
    ) -> None:
        self._progress = progress
        self._restarts = restarts or RestartPolicy()
        self._directory = directory
        self._signals = 0
        self._last_signal: int | None = None
        # Nobody else has the write end, so the guards read its end when this process is gone.
        self._lifeline, self._write_end = os.pipe()
        self._children = [
            Child(
                spec,
                environment=environment,
                log=logs / f"{spec.name}.log",
                lifeline=self._lifeline,
                inherited=inherited,
                directory=directory,
            )
            for spec in specs
        ]

    def run(self, on_ready: Callable[[], None]) -> int:
        """Start everything, call `on_ready`, watch; gives the exit code of the launcher.

        0 after a signal, 1 when a process could not be kept running, 130 when ended by force.
        """
        code = 0
        with self._catching_signals():
            try:
                if self._start_all():
                    on_ready()
                while not self._signals:
                    self._watch()
                    time.sleep(POLL_SECONDS)
            except LaunchError as error:
                self._progress.show(error.sentence)
                code = 1
            finally:
                self._progress.say("Stopping (Ctrl-C stops at once)")
                is_forced = not self._stop()
        self._progress.say("Everything has ended")
        return 130 if is_forced else code

    def run_beside(self, command: Sequence[str], environment: Mapping[str, str]) -> int:
        """Keep the processes running while a command has the terminal; gives its exit code."""
        with self._catching_signals():
            try:
                if not self._start_all():
                    return 130
                beside = subprocess.Popen(command, cwd=self._directory, env=environment)
                while (code := beside.poll()) is None:
                    # A Ctrl-C reaches the command by the terminal; any other signal does not.
                    if self._last_signal not in (None, signal.SIGINT):
                        beside.send_signal(self._last_signal)
                        self._last_signal = None
                    self._watch()
                    time.sleep(POLL_SECONDS)
            finally:
                self._stop()
        return code if code >= 0 else 128 - code

    @contextmanager
    def _catching_signals(self) -> Iterator[None]:
        def note(number: int, _frame: FrameType | None) -> None:
            self._signals += 1
            self._last_signal = number

        caught = [signal.SIGINT, signal.SIGTERM]
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # ignored under nohup
            caught.append(signal.SIGHUP)
        before = {number: signal.signal(number, note) for number in caught}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _start_all(self) -> bool:
        """Start each and wait until it is up; false when a signal came first."""
        for child in self._children:
            self._progress.say(f"Starting {child.spec.name}")
            child.start()
            deadline = time.monotonic() + child.spec.start_seconds
            while not self._signals and not child.is_up():
                self._watch()
                if time.monotonic() > deadline:
                    self._show_tail(child)
                    raise LaunchError(
                        f"{child.spec.name} did not answer within {child.spec.start_seconds:.0f} "
                        "seconds; everything is stopped.",
                        exit_code=1,
                    )
                time.sleep(POLL_SECONDS)
            if self._signals:
                return False
        return True

    def _watch(self) -> None:
        """Show what is to be shown; start again what ended by itself."""
        for child in self._children:
            for line in child.read_new_lines():
                self._progress.show(f"{child.spec.name} | {line}")
            if child.restart_at is not None:
                if time.monotonic() >= child.restart_at:
                    child.start()
                continue
            code = child.ended_with()
            if code is None or (code == 0 and child.spec.is_one_shot):
                continue
            self._plan_restart(child, code)

    def _plan_restart(self, child: Child, code: int) -> None:
        if child.ran_for() > self._restarts.stable_seconds:
            child.failures = 0
        child.failures += 1
        name = child.spec.name
        self._progress.say(f"{name} ended unexpectedly ({_describe_exit(code)})")
        self._show_tail(child)
        if child.failures > self._restarts.limit:
            raise LaunchError(
                f"{name} was started again {self._restarts.limit} times and ended each time, so "
                f"everything is stopped; the whole story is in {child.log}.",
                exit_code=1,
            )
        delay = self._restarts.delay_of(child.failures)
        self._progress.say(
            f"Starting {name} again in {delay:g} s ({child.failures} of {self._restarts.limit})"
        )
        child.restart_at = time.monotonic() + delay

    def _show_tail(self, child: Child) -> None:
        if child.spec.is_shown:
            return  # its lines stand on the terminal already
        for line in child.read_tail():
            self._progress.show(f"    {child.spec.name} | {line}")

    def _stop(self) -> bool:
        """End all, in their order; false when a second signal made it end at once."""
        # After a failure the first signal already means "at once".
        allowed = min(self._signals, 1)
        running = [child for child in self._children if child.is_running()]
        for order in sorted({child.spec.stop_order for child in running}):
            group = [child for child in running if child.spec.stop_order == order]
            for child in group:
                child.ask_to_end()
            began = time.monotonic()
            while (
                self._signals <= allowed
                and (left := [child for child in group if child.is_running()])
                and time.monotonic() - began < max(child.spec.stop_seconds for child in left)
            ):
                time.sleep(POLL_SECONDS / 2)
            for child in group:
                child.end_at_once()
        os.close(self._write_end)
        os.close(self._lifeline)
        return self._signals <= allowed


def _describe_exit(code: int) -> str:
    if code > 128:
        try:
            return f"by {signal.Signals(code - 128).name}"
        except ValueError:
            pass
    return f"exit code {code}"
