"""The whole of it, as `run.py --empty` starts it: pages, worker, scheduler and Redis."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

PROJECT = Path(__file__).resolve().parent.parent.parent
DEADLINE_SECONDS = 90.0

# The environment is there already: it runs this test.
LAUNCHER = """
import pathlib, sys
import launch.start
from launch.command_line import run
launch.start.make_environment = lambda progress: pathlib.Path(sys.executable)
sys.exit(run(sys.argv[1:]))
"""

Start = Callable[[], subprocess.Popen[str]]


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def start(tmp_path: Path, port: int) -> Iterator[Start]:
    """Start it and wait for the word that it is ready; what is left is killed after the test."""
    started: list[subprocess.Popen[str]] = []
    left_out = ("DATABASE_URL", "REDIS_URL", "THROUGHLINE_URL", "SECRET_KEY", "ALLOWED_HOSTS")
    environment = {name: value for name, value in os.environ.items() if name not in left_out}

    def begin() -> subprocess.Popen[str]:
        arguments = ["--empty", "--port", str(port), "--data", str(tmp_path / "data")]
        process = subprocess.Popen(
            [sys.executable, "-c", LAUNCHER, *arguments],
            cwd=PROJECT,
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line)
            if line.endswith("Ready\n"):
                return process
        pytest.fail("It ended before it was ready:\n" + "".join(said))

    yield begin
    for process in started:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def find_processes(launcher: subprocess.Popen[str]) -> list[psutil.Process]:
    """Everything that the launcher started, and what that started."""
    found: list[psutil.Process] = psutil.Process(launcher.pid).children(recursive=True)
    return found


def find_left(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Those that still run."""
    return [
        process
        for process in processes
        if process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    ]


def await_pool(data: Path) -> None:
    """Wait until the worker has its two processes, and the scheduler its file."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while True:
        log = data / "logs" / "worker.log"
        is_working = log.exists() and " ready." in log.read_text()
        if is_working and list(data.glob("schedule*")):
            return
        assert time.monotonic() < deadline, "the worker was not ready in time"
        time.sleep(0.1)


def fetch_status(port: int) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", "/healthz")
    status = connection.getresponse().status
    connection.close()
    return status


def test_it_answers_and_a_sigint_ends_all_of_it(start: Start, tmp_path: Path, port: int) -> None:
    launcher = start()
    assert fetch_status(port) == 200
    await_pool(tmp_path / "data")
    processes = find_processes(launcher)
    # Four guards; Redis, the scheduler; gunicorn and the worker with two processes each.
    assert len(processes) == 12
    launcher.send_signal(signal.SIGINT)
    assert launcher.wait(DEADLINE_SECONDS) == 0
    assert find_left(processes) == []
    assert not (tmp_path / "data" / "running.json").exists()


def test_a_killed_launcher_leaves_nothing_and_a_new_one_goes_on(
    start: Start, tmp_path: Path, port: int
) -> None:
    launcher = start()
    await_pool(tmp_path / "data")
    processes = find_processes(launcher)
    secrets = (tmp_path / "data" / "secrets.json").read_text()
    launcher.kill()
    launcher.wait()
    start()
    # The new one has waited for the old one's processes to end.
    assert find_left(processes) == []
    assert fetch_status(port) == 200
    assert (tmp_path / "data" / "secrets.json").read_text() == secrets
