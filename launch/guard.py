"""Run one command and end it, with all it started, when the launcher is gone.

    guard.py LIFELINE COMMAND ...

LIFELINE is the read end of a pipe whose only write end the launcher holds, so its end says that
the launcher has ended, however that came about. The guard leads a session and process group of
its own, which the command and all its descendants share.
"""

import os
import select
import signal
import subprocess
import sys
import threading
import time
from types import FrameType

# For a database or broker to close its files; a new launcher waits for at least as long.
GRACE_SECONDS = 2.0


def guard(lifeline: int, command: list[str]) -> int:
    """Run the command; gives its exit code, 128 plus the signal when one ended it."""
    is_asked_to_end = threading.Event()
    child: subprocess.Popen[bytes] | None = None

    def forward(number: int, _frame: FrameType | None) -> None:
        is_asked_to_end.set()
        if child is not None:
            child.send_signal(number)

    # Caught, not ignored: what is ignored here would be ignored by the command, too.
    signal.signal(signal.SIGTERM, forward)
    signal.signal(signal.SIGINT, lambda _number, _frame: None)
    try:
        child = subprocess.Popen(command)
    except OSError as error:
        print(f"{command[0]} cannot be run: {error.strerror}", file=sys.stderr, flush=True)
        return 127
    if is_asked_to_end.is_set():
        child.terminate()
    threading.Thread(target=_end_with, args=(lifeline, child), daemon=True).start()
    code = child.wait()
    if select.select([lifeline], [], [], 0)[0]:
        _end_group()
    return code if code >= 0 else 128 - code


def _end_with(lifeline: int, child: "subprocess.Popen[bytes]") -> None:
    """Wait for the launcher's end, then ask the command to end, then end everything."""
    while os.read(lifeline, 1):
        pass
    child.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + GRACE_SECONDS
    while child.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    _end_group()


def _end_group() -> None:
    """End the command, its descendants and this guard."""
    os.killpg(os.getpgrp(), signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(guard(int(sys.argv[1]), sys.argv[2:]))
