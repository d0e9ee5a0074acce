"""The three commands of `run.py`, and how every failure of them is told."""

import argparse
import errno
import os
import signal
import socket
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Never

from launch import PROJECT
from launch.broker import locate_broker
from launch.contract import Running, describe_environment, read_running
from launch.data_directory import create_data_directory, keep_secrets, lock_data_directory
from launch.environment import make_environment
from launch.messages import LaunchError, Progress, complain, describe_os_error
from launch.processes import StartOptions
from launch.start import start
from launch.testing import run_tests

DEFAULT_PORT = 8000


def run(arguments: Sequence[str]) -> int:
    """Carry out the command; gives the exit code, 2 when it could not begin."""
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        if arguments[:1] == ["test"]:
            return run_tests(arguments[1:])
        if arguments[:1] == ["manage"]:
            run_management_command(arguments[1:])
        return run_start(arguments)
    except LaunchError as error:
        complain(error.sentence)
        return error.exit_code
    except OSError as error:
        complain(describe_os_error(error))
        return 2
    except KeyboardInterrupt:
        complain("Stopped before it was ready.")
        return 130


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def run_start(arguments: Sequence[str]) -> int:
    """Check what can be checked before anything is made, then start."""
    options = read_options(arguments)
    progress = Progress()
    lock = None
    if options.data.is_dir():
        # Before the port, which the processes of a killed launcher hold until they have ended.
        create_data_directory(options.data)
        lock = lock_data_directory(options.data, progress.say)
    check_port(options.host, options.port)
    create_data_directory(options.data)
    return start(options, lock or lock_data_directory(options.data, progress.say), progress)


def read_options(arguments: Sequence[str]) -> StartOptions:
    """The options of the start, with the data directory as an absolute path."""
    parser = argparse.ArgumentParser(
        prog="run.py",
        description="Start Throughline with everything it needs.",
        epilog="Also: run.py test [pytest arguments], run.py manage [--data DIR] COMMAND ...",
    )
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="port of the pages (8000)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
    parser.add_argument("--data", type=Path, help="data directory (data, beside run.py)")
    parser.add_argument(
        "--empty", action="store_true", help="without the demonstration organisation"
    )
    read = parser.parse_args(arguments)
    if not 0 < read.port < 65536:
        parser.error(f"--port must lie between 1 and 65535, not be {read.port}.")
    data = read.data or _default_data()
    return StartOptions(read.port, read.host, data.expanduser().resolve(), read.empty)


def _default_data() -> Path:
    return Path(os.environ.get("THROUGHLINE_DATA") or PROJECT / "data")


def check_port(host: str, port: int) -> None:
    """See that the address can be listened on; LaunchError names the port where it cannot."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen()
    except OSError as error:
        raise LaunchError(_describe_port(host, port, error)) from error


def _describe_port(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} is already in use; choose another one with --port."
    if error.errno == errno.EACCES:
        return f"Port {port} needs rights that this user lacks; choose one above 1023 with --port."
    return f"The address {host} cannot be listened on ({error.strerror}); choose one with --host."


def run_management_command(arguments: Sequence[str]) -> Never:
    """Become manage.py, in the made environment and with the variables of the instance."""
    rest = list(arguments)
    data = _default_data()
    if rest[:1] == ["--data"] and len(rest) > 1:
        data = Path(rest[1])
        rest = rest[2:]
    data = data.expanduser().resolve()
    create_data_directory(data)
    python = make_environment(Progress())
    running = read_running(data)
    running = running or Running(locate_broker(data), f"http://127.0.0.1:{DEFAULT_PORT}")
    environment = describe_environment(data, keep_secrets(data), running)
    os.execve(python, [str(python), str(PROJECT / "manage.py"), *rest], environment)
