"""The data directory: created, locked by one launcher, and the secrets kept in it."""

import base64
import fcntl
import json
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from launch.messages import LaunchError

ENOUGH_BYTES = 64 * 1024 * 1024
LAUNCHER_LOCK_NAME = "launcher.lock"
PROCESSES_LOCK_NAME = "processes.lock"
SECRETS_NAME = "secrets.json"
# The processes of a killed launcher end within this time; a new one waits for them.
ENDING_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Secrets:
    """The keys of one installation."""

    secret_key: str
    encryption_keys: str


def create_data_directory(path: Path) -> None:
    """Make the directory, for its owner only, and see that it can be written to."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path) as probe:
            probe.write(b"x")
        (path / "logs").mkdir(mode=0o700, exist_ok=True)
        free = shutil.disk_usage(path).free
    except OSError as error:
        raise LaunchError(
            f"The data directory {path} cannot be written to ({error.strerror}); "
            "name another one with --data."
        ) from error
    if free < ENOUGH_BYTES:
        raise LaunchError(
            f"The disk of the data directory {path} is full ({free // 2**20} MB left); "
            "free some space or name another directory with --data."
        )


@dataclass(frozen=True, slots=True)
class DirectoryLock:
    """Two open locks: one ends with the launcher, the other with the last of its processes."""

    launcher: int
    processes: int

    def release(self) -> None:
        """Let the directory go."""
        os.close(self.processes)
        os.close(self.launcher)


def lock_data_directory(path: Path, say: Callable[[str], None]) -> DirectoryLock:
    """Take the directory for this launcher; its processes are to inherit the second lock.

    So a new launcher neither starts over the leftovers of a killed one, which end by themselves
    in a moment, nor mistakes them for a running instance.
    """
    launcher = os.open(path / LAUNCHER_LOCK_NAME, os.O_RDWR | os.O_CREAT, 0o600)
    if not _try_lock(launcher):
        holder = os.pread(launcher, 32, 0).decode("ascii", "replace")
        os.close(launcher)
        raise LaunchError(
            f"Another run.py (process {holder}) is already using the data directory {path}; "
            "stop it first or name another directory with --data."
        )
    os.ftruncate(launcher, 0)
    os.pwrite(launcher, str(os.getpid()).encode(), 0)
    processes = os.open(path / PROCESSES_LOCK_NAME, os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + ENDING_SECONDS
    if not _try_lock(processes):
        say("Waiting for the processes of an earlier run to end")
        while not _try_lock(processes):
            if time.monotonic() > deadline:
                os.close(processes)
                os.close(launcher)
                raise LaunchError(
                    f"Processes of an earlier run still use the data directory {path}; end them "
                    "and start again."
                )
            time.sleep(0.1)
    return DirectoryLock(launcher, processes)


def _try_lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def keep_secrets(path: Path) -> Secrets:
    """The keys of this data directory, made once and never again."""
    file = path / SECRETS_NAME
    if not file.exists():
        _write_new_secrets(file)
    try:
        kept = json.loads(file.read_text())
        return Secrets(str(kept["SECRET_KEY"]), str(kept["THROUGHLINE_ENCRYPTION_KEYS"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        # New keys would make every stored credential unreadable, so none are made here.
        raise LaunchError(
            f"The keys in {file} cannot be read ({error}); restore the file from a copy, or move "
            "the data directory away to begin anew."
        ) from error


def _write_new_secrets(file: Path) -> None:
    made = {
        "SECRET_KEY": secrets.token_urlsafe(50),
        "THROUGHLINE_ENCRYPTION_KEYS": base64.urlsafe_b64encode(os.urandom(32)).decode(),
    }
    # Written whole beside and linked into place: of two launchers at once, one wins whole.
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=".secrets-")
    try:
        with os.fdopen(handle, "w") as stream:
            json.dump(made, stream, indent=2)
            stream.flush()
            os.fsync(stream.fileno())
        os.link(name, file)
    except FileExistsError:
        pass
    finally:
        os.unlink(name)
