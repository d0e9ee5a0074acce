"""The process tree starts, is kept running and ends whole, however its launcher ends."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from launch.supervisor import RestartPolicy

PROJECT = Path(__file__).resolve().parent.parent.parent
DEADLINE_SECONDS = 30.0

# A process with a child of its own; each leaves its process id in a file and stays. The child
# ignores SIGTERM, as a descendant that nobody waits for may.
PARENT = """
import os, pathlib, signal, subprocess, sys, time
folder, name = pathlib.Path(sys.argv[1]), sys.argv[2]
script = '''import os, pathlib, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
pathlib.Path(sys.argv[1]).write_text(str(os.getpid()))
time.sleep(600)
'''
def end(number, frame):
    with open(folder / "ended", "a") as ended:
        ended.write(name + "\\n")
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
subprocess.Popen([sys.executable, "-S", "-c", script, str(folder / (name + ".grandchild"))])
(folder / (name + ".child")).write_text(str(os.getpid()))
time.sleep(600)
"""

# A launcher in a process of its own, so that it can be killed.
LAUNCHER = """
import os, pathlib, sys
from launch.child import ProcessSpec
from launch.messages import Progress
from launch.supervisor import RestartPolicy, Supervisor
python, folder, parent = sys.executable, pathlib.Path(sys.argv[1]), sys.argv[3]
def tree(name, **more):
    return ProcessSpec(name, (python, "-S", "-c", parent, str(folder), name), **more)
def script(name, text, **more):
    return ProcessSpec(name, (python, "-S", "-c", text, str(folder)), **more)
supervisor = Supervisor(
    eval(sys.argv[2]), environment=dict(os.environ), logs=folder, progress=Progress(),
    restarts=RestartPolicy(limit=2, first_delay=0.05),
)
sys.exit(supervisor.run(lambda: print("ready", flush=True)))
"""

Launch = Callable[[str], subprocess.Popen[str]]


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Launch]:
    """Start a launcher over specs, given as text; it is killed after the test."""
    started: list[subprocess.Popen[str]] = []

    def begin(specs: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", LAUNCHER, str(tmp_path), specs, PARENT],
            cwd=PROJECT,
            env={**os.environ, "PYTHONPATH": str(PROJECT)},
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def wait_until(is_so: Callable[[], bool], what: str) -> None:
    """Poll until it is so; fail, naming it, when it is not so in time."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not is_so():
        assert time.monotonic() < deadline, f"In {DEADLINE_SECONDS:.0f} s it was not so: {what}"
        time.sleep(0.02)


def is_alive(process_id: int) -> bool:
    """Whether a process is there and is not a zombie."""
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{process_id}/status")
    return not (status.exists() and "State:\tZ" in status.read_text())


def read_process_ids(folder: Path, count: int) -> list[int]:
    """The process ids that `count` stand-ins left, once all of them have."""

    def find() -> list[str]:
        files = [*folder.glob("*.child"), *folder.glob("*.grandchild")]
        return [text for file in files if (text := file.read_text())]

    wait_until(lambda: len(find()) == count, f"{count} processes have started")
    return [int(text) for text in find()]


def none_is_alive(process_ids: list[int]) -> bool:
    return not any(is_alive(process_id) for process_id in process_ids)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_every_process_and_every_descendant(
    launch: Launch, tmp_path: Path, number: signal.Signals
) -> None:
    launcher = launch("[tree('web'), tree('worker')]")
    running = read_process_ids(tmp_path, 4)
    launcher.send_signal(number)
    assert launcher.wait(DEADLINE_SECONDS) == 0
    assert none_is_alive(running)


def test_processes_end_in_the_order_that_their_specs_give(launch: Launch, tmp_path: Path) -> None:
    launcher = launch(
        "[tree('redis', stop_order=3), tree('worker', stop_order=2), tree('web', stop_order=0)]"
    )
    read_process_ids(tmp_path, 6)
    launcher.send_signal(signal.SIGTERM)
    launcher.wait(DEADLINE_SECONDS)
    assert (tmp_path / "ended").read_text().split() == ["web", "worker", "redis"]


def test_a_killed_launcher_leaves_no_process_behind(launch: Launch, tmp_path: Path) -> None:
    launcher = launch("[tree('web'), tree('worker')]")
    running = read_process_ids(tmp_path, 4)
    launcher.send_signal(signal.SIGKILL)
    wait_until(lambda: none_is_alive(running), "nothing is left")
    assert sorted((tmp_path / "ended").read_text().split()) == ["web", "worker"]


STUBBORN = (
    "import signal, os, sys, pathlib, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    "pathlib.Path(sys.argv[1], 'stubborn.child').write_text(str(os.getpid())); time.sleep(600)"
)


def test_a_process_that_will_not_end_is_ended_after_its_limit(
    launch: Launch, tmp_path: Path
) -> None:
    launcher = launch(f"[script('stubborn', {STUBBORN!r}, stop_seconds=0.2)]")
    running = read_process_ids(tmp_path, 1)
    launcher.send_signal(signal.SIGTERM)
    assert launcher.wait(DEADLINE_SECONDS) == 0
    assert none_is_alive(running)


def test_a_second_signal_ends_everything_at_once(launch: Launch, tmp_path: Path) -> None:
    launcher = launch(f"[script('stubborn', {STUBBORN!r}, stop_seconds=600)]")
    running = read_process_ids(tmp_path, 1)
    launcher.send_signal(signal.SIGINT)
    assert launcher.stdout is not None
    for line in launcher.stdout:
        if "Stopping" in line:
            break
    launcher.send_signal(signal.SIGINT)
    assert launcher.wait(DEADLINE_SECONDS) == 130
    assert none_is_alive(running)


def test_a_process_that_dies_is_started_again_with_its_last_lines_shown(
    launch: Launch, tmp_path: Path
) -> None:
    launcher = launch("[tree('web')]")
    first, second = read_process_ids(tmp_path, 2)
    child = int((tmp_path / "web.child").read_text())
    (tmp_path / "web.child").unlink()
    (tmp_path / "web.grandchild").unlink()
    os.kill(child, signal.SIGKILL)
    again = read_process_ids(tmp_path, 2)
    assert none_is_alive([first, second])
    assert not {first, second} & set(again)
    launcher.send_signal(signal.SIGTERM)
    assert "web ended unexpectedly (by SIGKILL)" in launcher.communicate()[0]


def test_descendants_of_a_killed_guard_end_with_it(launch: Launch, tmp_path: Path) -> None:
    launch("[tree('web')]")
    running = read_process_ids(tmp_path, 2)
    guard = os.getpgid(running[0])
    (tmp_path / "web.child").unlink()
    (tmp_path / "web.grandchild").unlink()
    os.kill(guard, signal.SIGKILL)
    again = read_process_ids(tmp_path, 2)
    assert none_is_alive(running)
    assert not set(running) & set(again)


def test_a_process_that_dies_again_and_again_stops_everything_with_a_sentence(
    launch: Launch, tmp_path: Path
) -> None:
    launcher = launch(
        "[tree('web'), script('worker', 'print(\"no broker\"); raise SystemExit(3)')]"
    )
    running = read_process_ids(tmp_path, 2)
    said = launcher.communicate(timeout=DEADLINE_SECONDS)[0]
    assert launcher.returncode == 1
    assert "worker was started again 2 times and ended each time, so everything is stopped" in said
    assert said.count("worker | no broker") >= 3
    assert none_is_alive(running)


def test_a_one_shot_that_ends_well_is_not_started_again_and_its_lines_are_shown(
    launch: Launch, tmp_path: Path
) -> None:
    once = "import sys; open(sys.argv[1] + '/runs', 'a').write('x'); print('loaded 24 services')"
    launcher = launch(f"[script('demo', {once!r}, is_one_shot=True, is_shown=True), tree('web')]")
    read_process_ids(tmp_path, 2)
    lines: list[str] = []
    assert launcher.stdout is not None
    for line in launcher.stdout:
        lines.append(line)
        if "demo | loaded 24 services" in line:
            break
    launcher.send_signal(signal.SIGTERM)
    lines += launcher.communicate()[0].splitlines()
    assert "ready\n" in lines
    assert (tmp_path / "runs").read_text() == "x"


def test_a_process_that_never_answers_stops_the_start_with_a_sentence(
    launch: Launch, tmp_path: Path
) -> None:
    launcher = launch("[tree('web', is_up=lambda: False, start_seconds=0.5)]")
    running = read_process_ids(tmp_path, 2)
    said = launcher.communicate(timeout=DEADLINE_SECONDS)[0]
    assert launcher.returncode == 1
    assert "web did not answer within" in said
    assert "ready" not in said
    assert none_is_alive(running)


def test_each_restart_waits_twice_as_long_as_the_one_before() -> None:
    policy = RestartPolicy(first_delay=0.5)
    assert [policy.delay_of(attempt) for attempt in (1, 2, 3, 4)] == [0.5, 1.0, 2.0, 4.0]
